"""补发, 换发 and 撤销 on a real database: who asks, who decides, and what becomes of the first certificate."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from server.certificates import issue, reconcile, verify
from server.certificates import service as certificates
from server.certificates.documents import MOST_ATTEMPTS, Certificate, CertificateStatus
from server.certificates.issue import Revocation
from server.certificates.press import Press
from server.certificates.render import CharacterMissing
from server.certificates.verify import CertificateQueryRequest
from server.corrections import service as corrections
from server.corrections.rules import Ground
from server.corrections.service import TraineeCorrection
from server.kernel.errors import Forbidden, NonceReused, NotFound, Problem
from server.kernel.hearings import TooEarly
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.kernel.reviews import NotInThisState, Return, Review, Withdrawal
from server.ledger import service as ledger
from server.ledger.documents import EntryKind
from server.reissues import history, revoking, rules, service
from server.reissues.documents import Reissue, ReissueFilter
from server.reissues.printing import Wanted
from server.reissues.revoking import Decision, HoldersStatement, Proposal, Renewal
from server.reissues.rules import Kind, State
from server.reissues.service import FiledAgain, HoldersRequest, RegisteredOtherwise, ReissueRequest
from server.seals import service as seals
from server.seals.signer import KeyUnusable
from server.stock.statistics import By, statistics
from server.wechat.simulator import Simulator
from tests import cast, certifying, stage
from tests.asking import ANYWHERE, ask
from tests.certifying import passed_class
from tests.progressing import waits
from tests.stage import ClassInSession
from tests.surveying import clock_of

HEBEI, JIANGSU = stage.actor(cast.HEBEI_OFFICER), stage.actor(cast.JIANGSU_OFFICER)
NEIGHBOUR = stage.actor(cast.YANGZHOU_OFFICER)
LOST = ReissueRequest(kind=Kind.LOST, reason="搬家时遗失，本人已写明情况。")
WHY = "姓名印错，本人已出示身份证。"


@pytest.fixture
async def opened(platform: Platform, wechat: Simulator) -> ClassInSession:
    return await passed_class(platform, wechat, 2)


@pytest.fixture
async def paper(platform: Platform, opened: ClassInSession) -> Certificate:
    return (await certifying.issued(platform, opened))[0]


def read(found: Reissue, reason: str = "") -> Review:
    return Review(seen=len(found.history), comment=reason)


async def now(platform: Platform, one: Certificate | str) -> Certificate:
    return await certificates.certificate(platform, HEBEI, one if isinstance(one, str) else one.id)


async def granted(platform: Platform, opened: ClassInSession, paper: Certificate) -> Certificate:
    asked = await service.ask(platform, opened.officer, paper.id, LOST)
    done = await service.grant(platform, opened.officer, asked.id, read(asked))
    await certifying.signed(platform)
    assert done.made is not None
    return await now(platform, done.made)


# ---- 补发


async def test_a_lost_certificate_is_issued_again_under_its_number_and_the_first_counts_no_more(
    platform: Platform, opened: ClassInSession, paper: Certificate
) -> None:
    new, old = await granted(platform, opened, paper), await now(platform, paper)
    assert (new.printed.number, new.printed.mark, new.status) == (
        paper.printed.number,
        "补发",
        CertificateStatus.VALID,
    )
    assert new.printed.serial == "1300900003" and new.printed.issued_on == paper.printed.issued_on
    assert (old.status, old.current, old.replaced_by) == (CertificateStatus.REISSUED, False, new.id)
    assert (new.replaces, new.current) == (old.id, True)
    seen = await issue.class_certificates(platform, opened.officer, opened.id)
    assert seen.issued == 2 and seen.due == 0
    assert seen.candidates[0].certificate == new
    told = [
        row["data"]["outcome"] async for row in platform["outbox"].find({"template": "certificate-request"})
    ]
    assert told == ["已同意补发，新证书签发后会通知您"]
    assert (await reconcile.reconcile(platform))["不符"] == 0  # one number, two sheets
    second = await granted(platform, opened, new)
    assert (second.printed.serial, second.replaces) == ("1300900004", new.id)
    with pytest.raises(rules.CertificateNotValid, match="已补发"):
        await service.ask(platform, opened.officer, paper.id, LOST)


async def test_what_the_holder_asks_twice_is_one_request_and_is_taken_back_by_the_holder_alone(
    platform: Platform, opened: ClassInSession, paper: Certificate
) -> None:
    me, other = opened.trainees[0].actor, opened.trainees[1].actor
    wanted = HoldersRequest(kind=Kind.DAMAGED, reason="证书被水浸湿，字迹不清。", nonce="nonce-0001")
    both = await asyncio.gather(*(service.ask_as_holder(platform, me, paper.id, wanted) for _ in range(2)))
    assert sorted(new for _, new in both) == [False, True] and len({one.id for one, _ in both}) == 1
    asked = both[0][0]
    [line] = await waits(platform, opened.officer, Reissue)
    assert line.count == 1 and asked.name in line.items[0].title
    with pytest.raises(NonceReused):
        await service.ask_as_holder(
            platform, me, paper.id, wanted.model_copy(update={"reason": "另一件事。"})
        )
    with pytest.raises(rules.MatterOpen, match="补发（损毁）"):
        await service.ask_as_holder(platform, me, paper.id, wanted.model_copy(update={"nonce": "nonce-0002"}))
    with pytest.raises(NotFound):
        await service.ask_as_holder(platform, other, paper.id, wanted)
    with pytest.raises(NotFound):
        await service.withdraw_own(platform, other, asked.id)
    back = Withdrawal(seen=1, reason="不是本单位提出的。")
    with pytest.raises(rules.NotWithdrawnByYou):
        await service.withdraw(platform, opened.officer, asked.id, back)
    gone = await service.withdraw_own(platform, me, asked.id)
    assert gone == await service.withdraw_own(platform, me, asked.id)
    with pytest.raises(NotInThisState):
        await service.grant(platform, opened.officer, asked.id, read(gone))
    assert (await now(platform, paper)).valid and await waits(platform, opened.officer, Reissue) == []


async def test_only_the_issuer_decides_and_of_two_at_once_one_does(
    platform: Platform, opened: ClassInSession, paper: Certificate
) -> None:
    with pytest.raises(NotFound):
        await service.ask(platform, NEIGHBOUR, paper.id, LOST)
    asked = await service.ask(platform, opened.officer, paper.id, LOST)
    with pytest.raises(NotFound):
        await service.grant(platform, NEIGHBOUR, asked.id, read(asked))
    with pytest.raises(Forbidden):
        await service.grant(platform, HEBEI, asked.id, read(asked))
    done = await asyncio.gather(
        *(service.grant(platform, opened.officer, asked.id, read(asked)) for _ in range(2)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, Reissue) for one in done) == 1
    await certifying.signed(platform)
    assert await platform["certificates"].count_documents({"replaces": paper.id}) == 1


async def test_while_the_new_one_is_signed_the_first_is_valid_and_nothing_else_is_asked_about_it(
    platform: Platform, opened: ClassInSession, paper: Certificate
) -> None:
    asked = await service.ask(platform, opened.officer, paper.id, LOST)
    done = await service.grant(platform, opened.officer, asked.id, read(asked))
    assert (await now(platform, paper)).valid and not (await now(platform, done.made or "")).valid
    at_once = Revocation(reason="印错一字", typed=paper.printed.number)
    for refused in (
        service.ask(platform, opened.officer, paper.id, LOST),
        revoking.propose(platform, opened.officer, paper.id, Proposal(reason="成绩有误，须核实。")),
        revoking.revoke(platform, opened.officer, paper.id, at_once),
    ):
        with pytest.raises(rules.BeingSigned):
            await refused
    await certifying.signed(platform)
    assert not (await now(platform, paper)).valid and (await now(platform, done.made or "")).valid
    number, id_number = paper.printed.number, paper.printed.id_number
    assert await certificates.valid_one(platform, id_number, number, paper.printed.level)


async def test_an_institution_that_has_lost_its_title_answers_for_what_it_issued_and_issues_nothing_anew(
    platform: Platform, opened: ClassInSession, paper: Certificate
) -> None:
    await platform["institutions"].update_one({"_id": cast.XINGTAI}, {"$set": {"qualifications": []}})
    new = await granted(platform, opened, paper)
    at_once = Revocation(reason="印错一字", typed=new.printed.number)
    await revoking.revoke(platform, opened.officer, new.id, at_once)
    with pytest.raises(rules.MayNotHaveOne):
        await revoking.renew(platform, opened.officer, new.id, Renewal(reason="更正后重新核发"))


async def test_an_order_that_has_run_out_is_said_before_and_a_copy_needs_no_number(
    platform: Platform, opened: ClassInSession, paper: Certificate
) -> None:
    numbers = {"_id": f"certificate-number:{paper.printed.number[:12]}"}
    await platform["sequences"].update_one(numbers, {"$set": {"taken": 999}})
    seen = await history.after_issue(platform, opened.officer, paper)
    assert (seen.serials, seen.numbers) == (99_997, 0) and "已经用完" in seen.lacks(keeps_number=False)
    with pytest.raises(rules.NumbersUsedUp, match="999"):
        await service.file_new(platform, opened.officer, paper.id, Wanted(reason=WHY, courses="课程甲"))
    assert (await granted(platform, opened, paper)).printed.number == paper.printed.number
    await platform["sequences"].update_one({"_id": "certificate-serial:13009"}, {"$set": {"taken": 99_999}})
    with pytest.raises(rules.NumbersUsedUp, match="99999"):
        await service.ask(platform, opened.officer, (await now(platform, paper)).replaced_by or "", LOST)


async def given_up(platform: Platform, one: str) -> None:
    """It was tried often enough."""
    failed = {"attempts": MOST_ATTEMPTS, "failure": "签名密钥已经到期。"}
    await platform["certificates"].update_one({"_id": one}, {"$set": failed})


async def test_a_copy_that_could_not_be_made_is_listed_and_its_number_given_up_touches_nothing_public(
    platform: Platform, opened: ClassInSession, paper: Certificate
) -> None:
    asked = await service.ask(platform, opened.officer, paper.id, LOST)
    copy = (await service.grant(platform, opened.officer, asked.id, read(asked))).made or ""
    await given_up(platform, copy)
    seen = await issue.class_certificates(platform, opened.officer, opened.id)
    assert [one.id for one in seen.failed] == [copy]
    assert (seen.made, seen.pending, seen.being_made, seen.due, seen.waiting) == (2, 1, 0, 0, 0)
    why = Revocation(reason="密钥到期，另行补发", typed=paper.printed.number)
    void = await revoking.revoke(platform, opened.officer, copy, why)
    assert (void.status, void.replaces, (await now(platform, paper)).valid) == (
        CertificateStatus.VOID,
        None,
        True,
    )
    with pytest.raises(issue.AlreadyRevoked):
        await revoking.revoke(platform, opened.officer, copy, why)
    matter = await service.reissue(platform, opened.officer, asked.id)
    assert (matter.state, matter.open) == (State.UNMADE, False)
    told = await platform["outbox"].find({"template": "certificate-request"}).sort("_id", -1).to_list(1)
    assert "没有制成，原证书继续有效" in told[0]["data"]["outcome"]
    assert not await platform["outbox"].count_documents({"template": "certificate-revoked"})

    wanted = CertificateQueryRequest(name=paper.printed.name, certificate_number=paper.printed.number)
    assert [one.serial for one in await ask(platform, wanted)] == [paper.printed.serial]
    assert await verify.verify(platform, void.token, ANYWHERE) is None
    assert await certificates.numbered(platform, paper.printed.number) == paper.id  # for 举报
    assert await certificates.not_in_force(platform, cast.XINGTAI) == []
    mine = await certificates.my_certificates(platform, opened.trainees[0].actor)
    assert [one.id for one in mine] == [paper.id]
    [line] = await statistics(platform, HEBEI, paper.printed.issued_on.year, By.INSTITUTION)
    assert (line.issued, line.count(CertificateStatus.REVOKED)) == (2, 0)
    entries = [one.kind for one in await ledger.entries_of(platform, copy)]
    assert entries == [EntryKind.VOID]
    assert (await reconcile.reconcile(platform))["不符"] == 0

    with pytest.raises(rules.NotRevoked):
        await revoking.renew(platform, opened.officer, copy, Renewal(reason="重新核发一张"))
    as_before = {"$set": {"status": CertificateStatus.REVOKED}}
    await platform["certificates"].update_one({"_id": copy}, as_before)  # as it once was written
    assert (await history.after_issue(platform, opened.officer, await now(platform, copy))).holds
    with pytest.raises(rules.HoldsOne):
        await revoking.renew(platform, opened.officer, copy, Renewal(reason="重新核发一张"))
    assert (await granted(platform, opened, paper)).valid, "it may be asked for again"


async def test_one_anew_that_could_not_be_made_is_listed_too_and_leaves_the_way_open(
    platform: Platform, opened: ClassInSession, paper: Certificate
) -> None:
    at_once = Revocation(reason="印错一字", typed=paper.printed.number)
    await revoking.revoke(platform, opened.officer, paper.id, at_once)
    anew = await revoking.renew(platform, opened.officer, paper.id, Renewal(reason="更正后重新核发"))
    await given_up(platform, anew.id)
    seen = await issue.class_certificates(platform, opened.officer, opened.id)
    assert [one.id for one in seen.failed] == [anew.id] and seen.waiting == 0
    why = Revocation(reason="换一个号码", typed=anew.printed.number)
    assert not (await revoking.revoke(platform, opened.officer, anew.id, why)).status.issued
    again = await revoking.renew(platform, opened.officer, paper.id, Renewal(reason="更正后重新核发"))
    assert await issue.try_again(platform, opened.officer, opened.id) == 0
    await certifying.signed(platform)
    assert (await now(platform, again)).valid


async def test_who_got_a_number_and_never_a_certificate_is_issued_one_with_the_class(
    platform: Platform, opened: ClassInSession
) -> None:
    await issue.issue_certificates(platform, opened.officer, opened.id)
    one, _ = await certifying.certificates_of(platform, opened.officer, opened.id)
    await given_up(platform, one.id)
    why = Revocation(reason="姓名无法印制", typed=one.printed.number)
    await revoking.revoke(platform, opened.officer, one.id, why)
    assert await issue.issue_certificates(platform, opened.officer, opened.id) == 1
    await certifying.signed(platform)
    assert [each.valid for each in await certifying.certificates_of(platform, opened.officer, opened.id)] == [
        True,
        True,
    ]


async def test_a_key_or_a_character_that_is_wanting_is_said_before_a_number_is_taken(
    platform: Platform, opened: ClassInSession, paper: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def numbered() -> list[Row]:
        return await platform["sequences"].find({}).to_list(None)

    async def unusable(*_: object) -> None:
        raise KeyUnusable("签名密钥已经到期。")

    async def no_font(*_: object) -> None:
        raise CharacterMissing()

    officer, before = opened.officer, await numbered()
    asked = await service.ask(platform, officer, paper.id, LOST)
    filed = await service.file_new(
        platform,
        officer,
        (await certifying.certificates_of(platform, officer, opened.id))[1].id,
        Wanted(reason=WHY, courses="课程甲"),
    )
    for place, name, fails, refusal in (
        (seals, "material", unusable, KeyUnusable),
        (Press, "pdf", no_font, CharacterMissing),
    ):
        with monkeypatch.context() as broken:
            broken.setattr(place, name, fails)
            with pytest.raises(refusal):
                await service.grant(platform, officer, asked.id, read(asked))
            with pytest.raises(refusal):
                await service.approve(platform, HEBEI, filed.id, read(filed))
    await service.withdraw(platform, officer, asked.id, Withdrawal(seen=1, reason="不再申请补发。"))
    await revoking.revoke(
        platform, officer, paper.id, Revocation(reason="印错一字", typed=paper.printed.number)
    )
    with monkeypatch.context() as broken:
        broken.setattr(seals, "material", unusable)
        with pytest.raises(KeyUnusable):
            await revoking.renew(platform, officer, paper.id, Renewal(reason="更正后重新核发"))
    assert await numbered() == before


# ---- 换发


async def renamed(platform: Platform, opened: ClassInSession, paper: Certificate) -> None:
    wanted = TraineeCorrection(name="欧阳更名", ground=Ground.RENAMED, reason="本人依法更名，已看证件。")
    asked = await corrections.correct_trainee(platform, opened.officer, opened.id, paper.person_id, wanted)
    await corrections.approve(platform, HEBEI, asked.id, "证件已核对。")


async def test_a_correction_leads_to_a_certificate_of_another_number_once_the_province_agrees(
    platform: Platform, opened: ClassInSession, paper: Certificate
) -> None:
    with pytest.raises(rules.NothingToReplace):
        await service.file_new(platform, opened.officer, paper.id, Wanted(reason=WHY))
    await renamed(platform, opened, paper)
    with pytest.raises(RegisteredOtherwise):
        await service.ask(platform, opened.officer, paper.id, LOST)
    assert (await history.after_issue(platform, opened.officer, paper)).otherwise
    me = opened.trainees[0].actor
    wanted = HoldersRequest(kind=Kind.CORRECTED, reason=WHY, nonce="nonce-0001")
    asked, _ = await service.ask_as_holder(platform, me, paper.id, wanted)
    with pytest.raises(Forbidden):
        await service.approve(platform, opened.officer, asked.id, read(asked))
    filed = await service.file(platform, opened.officer, asked.id, FiledAgain(seen=1, reason=WHY))
    assert [(one.title, one.before, one.after) for one in filed.changes] == [
        ("姓名", paper.printed.name, "欧阳更名")
    ]
    with pytest.raises(NotFound):
        await service.approve(platform, JIANGSU, asked.id, read(filed))
    back = await service.return_(platform, HEBEI, asked.id, Return(seen=2, reason="请补充证明材料。"))
    again = await service.file(platform, opened.officer, asked.id, FiledAgain(seen=3, reason=WHY))
    assert (back.state, again.state) == (State.RETURNED, State.FILED)
    [line] = await waits(platform, HEBEI, Reissue)
    assert line.href == "/admin/reissues?state=FILED"
    done = await service.approve(platform, HEBEI, asked.id, read(again))
    await certifying.signed(platform)
    new, old = await now(platform, done.made or ""), await now(platform, paper)
    assert (new.printed.name, new.printed.mark) == ("欧阳更名", "")
    assert new.printed.number != old.printed.number and new.printed.serial == "1300900003"
    assert (old.status.label, old.replaced_by) == ("已作废（已换发）", new.id)
    assert old.printed.name == paper.printed.name
    assert (await reconcile.reconcile(platform))["不符"] == 0
    events = [one.title for one in await history.my_history(platform, me, paper.id)]
    assert "换发（信息更正）：同意换发" in events and "已作废（已换发）" in events


async def test_what_changed_after_the_request_is_not_printed_unread(
    platform: Platform, opened: ClassInSession, paper: Certificate
) -> None:
    filed = await service.file_new(
        platform, opened.officer, paper.id, Wanted(reason="课程印错一门。", courses="课程甲\n 课程乙 ")
    )
    assert filed.changes[0].after == "课程甲、课程乙"
    await renamed(platform, opened, paper)
    with pytest.raises(rules.ChangedMeanwhile):
        await service.approve(platform, HEBEI, filed.id, read(filed))
    assert (await now(platform, paper)).valid


# ---- 撤销


async def test_after_its_day_of_issue_a_certificate_is_revoked_only_once_its_holder_was_heard(
    platform: Platform, opened: ClassInSession, paper: Certificate
) -> None:
    clock_of(platform).advance(timedelta(days=1))
    at_once = Revocation(reason="成绩有误", typed=paper.printed.number)
    with pytest.raises(rules.HearingFirst):
        await revoking.revoke(platform, opened.officer, paper.id, at_once)
    asked = await service.ask(platform, opened.officer, paper.id, LOST)
    heard = await revoking.propose(platform, opened.officer, paper.id, Proposal(reason="成绩有误，须核实。"))
    assert (await service.reissue(platform, HEBEI, asked.id)).state is State.OVERTAKEN
    [told] = await platform["outbox"].find({"template": "certificate-to-be-revoked"}).to_list(None)
    assert told["person_id"] == paper.person_id and told["data"]["until"] == str(heard.until)
    with pytest.raises(rules.MatterOpen, match="拟撤销"):
        await service.ask(platform, opened.officer, paper.id, LOST)
    wanted = Decision(comment="冒领证书", typed=paper.printed.number, seen=1)
    with pytest.raises(TooEarly):
        await revoking.decide(platform, opened.officer, heard.id, wanted)
    assert (await now(platform, paper)).valid and await waits(platform, opened.officer, Reissue) == []
    clock_of(platform).advance(timedelta(days=8))
    [line] = await waits(platform, opened.officer, Reissue)
    assert line.title == "陈述已满、待决定的证书撤销"
    me, late = opened.trainees[0].actor, HoldersStatement(text="我不同意撤销。", agrees=False)
    with pytest.raises(rules.StatementOver):
        await revoking.state_own(platform, me, heard.id, late)
    decided = await revoking.decide(platform, opened.officer, heard.id, wanted)
    gone = await now(platform, paper)
    assert (decided.state, gone.status, gone.current) == (State.REVOKED, CertificateStatus.REVOKED, False)
    assert gone.revoke_reason == "成绩有误，须核实。", "what is published is what the holder was heard on"
    [told] = await platform["outbox"].find({"template": "certificate-revoked"}).to_list(None)
    assert (told["data"]["reason"], decided.history[-1].reason) == (gone.revoke_reason, "冒领证书")
    with pytest.raises(NotInThisState):
        await revoking.decide(platform, opened.officer, heard.id, wanted)


async def test_a_copy_or_one_anew_of_today_is_no_way_round_the_hearing_of_an_earlier_certificate(
    platform: Platform, opened: ClassInSession, paper: Certificate
) -> None:
    first = await granted(platform, opened, paper)
    assert (await history.after_issue(platform, opened.officer, first)).at_once, "all of it was today"
    clock_of(platform).advance(timedelta(days=1))
    new = await granted(platform, opened, first)
    assert not (await history.after_issue(platform, opened.officer, new)).at_once
    at_once = Revocation(reason="印错一字", typed=new.printed.number)
    with pytest.raises(rules.HearingFirst):
        await revoking.revoke(platform, opened.officer, new.id, at_once)
    await certifying.revoked(platform, opened.officer, new, "成绩有误，须核实。")
    anew = await revoking.renew(platform, opened.officer, new.id, Renewal(reason="更正后重新核发"))
    await certifying.signed(platform)
    at_once = Revocation(reason="印错一字", typed=anew.printed.number)
    with pytest.raises(rules.HearingFirst):
        await revoking.revoke(platform, opened.officer, anew.id, at_once)


async def test_who_agrees_is_heard_at_once_and_a_hearing_may_lead_to_nothing(
    platform: Platform, opened: ClassInSession, paper: Certificate
) -> None:
    clock_of(platform).advance(timedelta(days=1))
    me = opened.trainees[0].actor
    heard = await revoking.propose(platform, opened.officer, paper.id, Proposal(reason="成绩有误，须核实。"))
    against = HoldersStatement(text="成绩没有错，请复核。", agrees=False)
    said = await revoking.state_own(platform, me, heard.id, against)
    assert said == await revoking.state_own(platform, me, heard.id, against)
    kept = await service.withdraw(
        platform, opened.officer, heard.id, Withdrawal(seen=2, reason="复核后成绩无误。")
    )
    assert (kept.state, (await now(platform, paper)).valid) == (State.WITHDRAWN, True)
    again = await revoking.propose(platform, opened.officer, paper.id, Proposal(reason="本人书面提出撤销。"))
    yes = HoldersStatement(text="是我要求撤销的。", agrees=True)
    said = await revoking.state_own(platform, me, again.id, yes)
    wanted = Decision(typed=paper.printed.number, seen=len(said.history))
    await revoking.decide(platform, opened.officer, again.id, wanted)
    assert not (await now(platform, paper)).valid


async def test_after_a_revocation_a_new_one_is_a_deliberate_act_and_there_is_one(
    platform: Platform, opened: ClassInSession, paper: Certificate
) -> None:
    with pytest.raises(rules.NotRevoked):
        await revoking.renew(platform, opened.officer, paper.id, Renewal(reason="重新核发一张"))
    at_once = Revocation(reason="印错一字", typed=paper.printed.number)
    await revoking.revoke(platform, opened.officer, paper.id, at_once)
    assert await issue.issue_certificates(platform, opened.officer, opened.id) == 0
    seen = await issue.class_certificates(platform, opened.officer, opened.id)
    assert (seen.issued, seen.due) == (1, 0)
    made = await asyncio.gather(
        *(
            revoking.renew(platform, opened.officer, paper.id, Renewal(reason="更正后重新核发"))
            for _ in range(2)
        ),
        return_exceptions=True,
    )
    [new] = [one for one in made if isinstance(one, Certificate)]
    await certifying.signed(platform)
    new, old = await now(platform, new), await now(platform, paper)
    assert new.valid and new.printed.number != paper.printed.number and new.replaces == old.id
    assert (old.status, old.replaced_by) == (CertificateStatus.REVOKED, new.id)


# ---- all of it, in any order


async def test_in_any_order_one_certificate_counts_and_each_matter_is_settled_once(
    platform: Platform, opened: ClassInSession, paper: Certificate
) -> None:
    """A long life of one person's certificate, from a seed: anything is tried, days may pass, and a signer may be late."""
    dice, why = random.Random(5), WHY
    me, officer = opened.trainees[0].actor, opened.officer
    done: Counter[str] = Counter()
    one, seen, matter, number = paper, 0, "", ""

    def courses() -> str:
        return f"课程{dice.randrange(1000)}"

    acts: dict[str, Callable[[], Awaitable[object]]] = {
        "ask": lambda: service.ask_as_holder(
            platform,
            me,
            one.id,
            HoldersRequest(
                kind=dice.choice([Kind.LOST, Kind.CORRECTED]), reason=why, nonce=f"nonce-{dice.random()}"
            ),
        ),
        "file new": lambda: service.file_new(
            platform, officer, one.id, Wanted(reason=why, courses=courses())
        ),
        "propose": lambda: revoking.propose(platform, officer, one.id, Proposal(reason=why)),
        "revoke": lambda: revoking.revoke(
            platform, officer, one.id, Revocation(reason=why, typed=one.printed.number)
        ),
        "renew": lambda: revoking.renew(platform, officer, one.id, Renewal(reason=why)),
        "grant": lambda: service.grant(platform, officer, matter, Review(seen=seen)),
        "file": lambda: service.file(
            platform, officer, matter, FiledAgain(seen=seen, reason=why, courses=courses())
        ),
        "approve": lambda: service.approve(platform, HEBEI, matter, Review(seen=seen)),
        "return": lambda: service.return_(platform, HEBEI, matter, Return(seen=seen, reason=why)),
        "decline": lambda: service.decline(platform, officer, matter, Return(seen=seen, reason=why)),
        "withdraw": lambda: service.withdraw_own(platform, me, matter),
        "leave": lambda: service.withdraw(platform, officer, matter, Withdrawal(seen=seen, reason=why)),
        "state": lambda: revoking.state_own(
            platform, me, matter, HoldersStatement(text=why, agrees=dice.random() < 0.5)
        ),
        "decide": lambda: revoking.decide(
            platform, officer, matter, Decision(comment=why, typed=number, seen=seen)
        ),
    }
    for tries in range(1_000):
        if tries > 100 and not acts.keys() - done.keys():
            break
        held = await certificates.my_certificates(platform, me, limit=100)
        standing = [each for each in held if each.current]
        one = (standing or held)[0] if dice.random() < 0.9 else dice.choice(held)
        matters = await service.list_reissues(platform, HEBEI, ReissueFilter(), limit=100)
        open_ones = [each for each in matters if each.open]
        if matters:
            found = dice.choice(open_ones if open_ones and dice.random() < 0.9 else matters)
            seen, matter, number = len(found.history), found.id, found.certificate_number
        name = dice.choice([*acts, *["ask", "renew"] * 5])  # or most of it would be refused
        if name in ("ask", "file new", "propose", "revoke", "renew") or matters:
            with contextlib.suppress(Problem):
                await acts[name]()
                done[name] += 1
        if dice.random() < 0.5:
            await certifying.signed(platform)
        if tries > 60 and dice.random() < 0.05:  # some may be revoked at once
            clock_of(platform).advance(timedelta(days=dice.choice([1, 8])))
        held = await certificates.my_certificates(platform, me, limit=100)
        for state in ("current", "valid", "pending"):
            assert sum(getattr(each, state) for each in held) <= 1, state
        assert await platform["reissues"].count_documents({"open": True}) <= 1
        by_id = {each.id: each for each in held}
        assert all(by_id[each.replaced_by].replaces == each.id for each in held if each.replaced_by)
    assert not acts.keys() - done.keys(), "or it would prove nothing"
    await certifying.signed(platform)
    assert (await reconcile.reconcile(platform))["不符"] == 0
