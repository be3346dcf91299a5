"""补发, 换发 and 撤销 on a real database: who asks, who decides, and what becomes of the first certificate."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from server.certificates import issue, reconcile
from server.certificates import service as certificates
from server.certificates.documents import Certificate, CertificateStatus
from server.certificates.issue import Revocation
from server.corrections import service as corrections
from server.corrections.rules import Ground
from server.corrections.service import TraineeCorrection
from server.kernel.errors import Forbidden, NotFound, Problem
from server.kernel.hearings import TooEarly
from server.kernel.platform import Platform
from server.kernel.reviews import NotInThisState, Return, Review, Withdrawal
from server.reissues import history, revoking, rules, service
from server.reissues.documents import Reissue, ReissueFilter
from server.reissues.printing import Wanted
from server.reissues.revoking import Decision, HoldersStatement, Proposal, Renewal
from server.reissues.rules import Kind, State
from server.reissues.service import FiledAgain, HoldersRequest, RegisteredOtherwise, ReissueRequest
from server.wechat.simulator import Simulator
from tests import cast, certifying, stage
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
    wanted = Decision(reason="成绩有误", typed=paper.printed.number, seen=1)
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
    with pytest.raises(NotInThisState):
        await revoking.decide(platform, opened.officer, heard.id, wanted)


async def test_a_copy_is_as_old_as_the_first_one_and_gets_nobody_round_the_hearing(
    platform: Platform, opened: ClassInSession, paper: Certificate
) -> None:
    clock_of(platform).advance(timedelta(days=1))
    asked = await service.ask(platform, opened.officer, paper.id, LOST)
    await service.grant(platform, opened.officer, asked.id, read(asked))
    await certifying.signed(platform)
    held = await certificates.my_certificates(platform, opened.trainees[0].actor)
    copy = next(one for one in held if one.current)
    at_once = Revocation(reason="成绩有误", typed=copy.printed.number)
    with pytest.raises(rules.HearingFirst):
        await revoking.revoke(platform, opened.officer, copy.id, at_once)


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
    wanted = Decision(reason="本人要求", typed=paper.printed.number, seen=len(said.history))
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
    dice, why = random.Random(1), WHY
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
            platform, officer, matter, Decision(reason=why, typed=number, seen=seen)
        ),
    }
    for tries in range(1_000):
        if tries > 100 and acts.keys() - done.keys() <= {"revoke"}:
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
        if dice.random() < 0.05:
            clock_of(platform).advance(timedelta(days=dice.choice([1, 8])))
        held = await certificates.my_certificates(platform, me, limit=100)
        for state in ("current", "valid", "pending"):
            assert sum(getattr(each, state) for each in held) <= 1, state
        assert await platform["reissues"].count_documents({"open": True}) <= 1
        by_id = {each.id: each for each in held}
        assert all(by_id[each.replaced_by].replaces == each.id for each in held if each.replaced_by)
    assert acts.keys() - done.keys() <= {"revoke"}, "at once is for the first day alone"
    await certifying.signed(platform)
    assert (await reconcile.reconcile(platform))["不符"] == 0
