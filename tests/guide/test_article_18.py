"""第十八条: how certificates are kept, issued, registered and queried."""

from datetime import timedelta
from itertools import combinations
from urllib.parse import parse_qsl

import pytest

from admin.lists import IN_SERVICES
from server.certificates import issue, reconcile, specimens, verify
from server.certificates import service as certificates
from server.certificates.documents import Certificate, CertificateStatus, LedgerFilter
from server.certificates.issue import Revocation
from server.certificates.verify import CertificateQueryRequest
from server.jobs import JOBS
from server.kernel.clock import beijing_date
from server.kernel.errors import Forbidden, Invalid, NotFound
from server.kernel.hearings import TooEarly
from server.kernel.permissions import Permission, holds
from server.kernel.platform import Platform
from server.kernel.reviews import Review
from server.ledger import service as ledger
from server.ledger.documents import EntryKind
from server.ledger.service import EntryFilter
from server.progress import desk
from server.reissues import revoking
from server.reissues import service as reissues
from server.reissues.printing import Wanted
from server.reissues.revoking import Decision, Proposal
from server.reissues.rules import HearingFirst, Kind
from server.reissues.service import HoldersRequest
from server.stock import handing, papers
from server.stock.handing import HandingOver, HandoverFilter
from server.stock.papers import Asking, Batch, Counting, Giving
from server.stock.statistics import By, statistics
from server.wechat.simulator import Simulator
from tests import cast, certifying, stage
from tests.asking import ANYWHERE, ask, ask_by_phone
from tests.certifying import issued, passed_class
from tests.stage import ClassInSession
from tests.surveying import clock_of


@pytest.fixture
async def opened(platform: Platform, wechat: Simulator) -> ClassInSession:
    return await passed_class(platform, wechat, 2)


@pytest.fixture
async def found(platform: Platform, opened: ClassInSession) -> list[Certificate]:
    return await issued(platform, opened)


async def test_1_each_who_passed_is_issued_one_certificate_and_nobody_two(
    platform: Platform, wechat: Simulator
) -> None:
    """第十八条（一）核发: to those who passed (第四条（六）), once, by its institution; the ledger has each."""
    opened = await stage.class_in_session(platform, wechat, trainees=3)
    clock_of(platform).set(certifying.on_last_day(opened))
    passed, failed, second = (one.actor.person_id for one in opened.trainees)
    await certifying.release(platform, opened.id, failed=[failed])
    made = await issued(platform, opened)
    assert [one.person_id for one in made] == [passed, second]
    assert {one.status for one in made} == {CertificateStatus.VALID}
    assert await issued(platform, opened) == made  # asked for once more
    kinds = [one.kind for held in made for one in await ledger.entries_of(platform, held.id)]
    assert kinds == [EntryKind.ISSUED] * 2


async def test_2_the_three_ways_of_asking(site: str, found: list[Certificate]) -> None:
    """第十八条（二）查询: “姓名+身份证号”“姓名+证书编号”“身份证号+证书编号”; one of them alone is no question."""
    person, number = cast.people(2)[0], found[0].printed.number
    known = {"name": person.name, "id_number": person.id_number, "certificate_number": number}
    for two in combinations(known, 2):
        answer = await ask_by_phone(site, {field: known[field] for field in two})
        assert [one["number"] for one in answer.json["items"]] == [number], two
    for field, value in known.items():
        assert (await ask_by_phone(site, {field: value})).problem == "invalid", field


async def test_2_who_issues_is_responsible(platform: Platform, found: list[Certificate]) -> None:
    """第十八条（二）: 本着“谁发证、谁负责”的原则: only the issuing institution issues, revokes and prints."""
    province, neighbour = stage.actor(cast.HEBEI_OFFICER), stage.actor(cast.YANGZHOU_OFFICER)
    assert not holds(province, Permission.CERTIFICATES_ISSUE)
    assert not holds(province, Permission.CERTIFICATES_REVOKE)
    with pytest.raises(NotFound):
        await revoking.revoke(
            platform, neighbour, found[0].id, Revocation(reason="不是我的证书", typed=found[0].printed.number)
        )
    entry = await platform["audit"].find_one({"action": "certificates:issue"})
    assert entry is not None and entry["institution_code"] == cast.XINGTAI


async def test_2_the_ledger_has_every_certificate_and_loses_none(
    platform: Platform, opened: ClassInSession, found: list[Certificate]
) -> None:
    """第十八条（二）: 要建立专门台账…流向清晰、数据准确、账实相符; a revoked one stays with its reason."""
    await revoking.revoke(
        platform,
        opened.officer,
        found[0].id,
        Revocation(reason="姓名登记有误", typed=found[0].printed.number),
    )
    listed = await certificates.ledger(platform, opened.officer, LedgerFilter())
    assert [one.printed.serial for one in listed] == ["1300900002", "1300900001"]
    assert [(one.status.label, one.revoke_reason) for one in listed] == [
        ("有效", None),
        ("已撤销", "姓名登记有误"),
    ]


async def test_2_the_ledger_is_checked_regularly_and_what_does_not_fit_is_told(
    platform: Platform, opened: ClassInSession, found: list[Certificate]
) -> None:
    """第十八条（二）: 要建立专门台账，定期进行统计和核查…账实相符: each night, by itself; a certificate that is gone is found."""
    [job] = [job for job in JOBS if job.name == "reconcile-ledger"]
    assert job.frequency == "每天 03:00"
    assert await reconcile.reconcile(platform) == {"核查证书": len(found), "不符": 0}
    await platform["certificates"].delete_one({"_id": found[0].id})
    await reconcile.reconcile(platform)
    for officer in (opened.officer, stage.actor(cast.HEBEI_OFFICER), stage.actor(cast.CENTRE)):
        told = await reconcile.findings(platform, officer)
        assert any(found[0].printed.serial in one.detail for one in told)
        seen = await desk.desk(platform, officer)
        assert any("台账核查" in one.title for one in (*seen.mine, *seen.elsewhere))
    assert await reconcile.findings(platform, stage.actor(cast.YANGZHOU_OFFICER)) == []


async def test_1_the_province_oversees_the_ledger_of_its_institutions(
    platform: Platform, found: list[Certificate]
) -> None:
    """第十八条（一）: 省级管理部门应对培训机构的培训证书制作和发放情况进行监督。"""
    mine = await certificates.ledger(platform, stage.actor(cast.HEBEI_OFFICER), LedgerFilter())
    others = await certificates.ledger(platform, stage.actor(cast.JIANGSU_OFFICER), LedgerFilter())
    assert len(mine) == len(found) and others == []


async def test_2_a_forged_paper_is_caught_by_what_verification_shows(
    platform: Platform, found: list[Certificate]
) -> None:
    """第十八条（二）: 应采用防伪技术…涂改、转让、冒领、翻印、伪造: the QR code opens all that the genuine paper shows."""
    shown = await verify.verify(platform, found[0].token, ANYWHERE)
    printed = found[0].printed
    assert shown is not None
    assert (shown.name, shown.number, shown.serial, shown.class_hours, shown.courses, shown.issuer) == (
        printed.name,
        printed.number,
        printed.serial,
        printed.class_hours,
        list(printed.courses),
        printed.issuer,
    )
    assert await verify.verify(platform, found[0].printed.number, ANYWHERE) is None


async def test_1_a_lost_or_damaged_certificate_is_issued_again_by_its_issuer(
    platform: Platform, opened: ClassInSession, found: list[Certificate]
) -> None:
    """第十八条（一）: 规范证书…登记、查询、补发、统计等工作: applied for by its holder, decided by whoever has issued it, under the same
    证书编号 with a 序列号 of its own; both stay in the ledger, linked, and one of them counts."""
    me, first = opened.trainees[0].actor, found[0]
    wanted = HoldersRequest(kind=Kind.LOST, reason="搬家时遗失，特申请补发。", nonce="nonce-0001")
    asked, _ = await reissues.ask_as_holder(platform, me, first.id, wanted)
    province = stage.actor(cast.HEBEI_OFFICER)
    with pytest.raises(Forbidden):  # 谁发证、谁负责
        await reissues.grant(platform, province, asked.id, Review(seen=1))
    done = await reissues.grant(platform, opened.officer, asked.id, Review(seen=1))
    await certifying.signed(platform)
    old = await certificates.certificate(platform, province, first.id)
    new = await certificates.certificate(platform, province, done.made or "")
    assert (new.printed.number, new.printed.mark) == (first.printed.number, "补发")
    assert new.printed.serial != first.printed.serial and new.replaces == old.id == first.id
    assert (old.status.label, old.replaced_by, new.status.label) == ("已作废（已补发）", new.id, "有效")
    asked_for = CertificateQueryRequest(name=first.printed.name, certificate_number=first.printed.number)
    assert [one.status.label for one in await ask(platform, asked_for)] == ["有效", "已作废（已补发）"]
    entries = [one.kind for one in await ledger.entries_of(platform, first.id)]
    assert entries[0] is EntryKind.ISSUED and set(entries[1:]) == {EntryKind.LOST, EntryKind.REISSUED}
    assert (await reconcile.reconcile(platform))["不符"] == 0
    seen = await issue.class_certificates(platform, opened.officer, opened.id)
    assert (seen.issued, seen.due) == (len(found), 0)


async def test_2_what_a_certificate_says_is_changed_by_another_with_the_approval_of_the_province(
    platform: Platform, opened: ClassInSession, found: list[Certificate]
) -> None:
    """第十八条（二）: 确保培训证书信息…数据准确; 第二十五条（四）: 如修改已发布的数据信息，按照…审核管理要求进行操作."""
    province, first = stage.actor(cast.HEBEI_OFFICER), found[0]
    filed = await reissues.file_new(
        platform, opened.officer, first.id, Wanted(reason="课程名称印错。", courses="工学一体化教学设计")
    )
    assert [(one.title, one.after) for one in filed.changes] == [("课程内容", "工学一体化教学设计")]
    with pytest.raises(Forbidden):
        await reissues.approve(platform, opened.officer, filed.id, Review(seen=1))
    done = await reissues.approve(platform, province, filed.id, Review(seen=1))
    await certifying.signed(platform)
    old = await certificates.certificate(platform, province, first.id)
    new = await certificates.certificate(platform, province, done.made or "")
    assert new.printed.courses == ("工学一体化教学设计",) and new.printed.number != first.printed.number
    assert (old.status.label, old.printed) == ("已作废（已换发）", first.printed)


async def test_2_nobody_loses_a_certificate_unheard(
    platform: Platform, opened: ClassInSession, found: list[Certificate]
) -> None:
    """第十八条（二）: 谁发证、谁负责: from the day after its issue on a certificate is revoked once its holder was told and heard."""
    clock_of(platform).advance(timedelta(days=1))
    at_once = Revocation(reason="成绩有误", typed=found[0].printed.number)
    with pytest.raises(HearingFirst):
        await revoking.revoke(platform, opened.officer, found[0].id, at_once)
    heard = await revoking.propose(platform, opened.officer, found[0].id, Proposal(reason="成绩需要复核。"))
    decision = Decision(typed=found[0].printed.number, seen=1)
    with pytest.raises(TooEarly):
        await revoking.decide(platform, opened.officer, heard.id, decision)
    assert heard.until is not None
    clock_of(platform).advance(timedelta(days=8))
    assert (await revoking.decide(platform, opened.officer, heard.id, decision)).state.label == "已撤销证书"


async def test_1_blank_paper_is_printed_kept_and_asked_for_by_its_numbers(
    platform: Platform, opened: ClassInSession
) -> None:
    """第十八条（一）: 规范证书印制、保存、申领: a delivery is entered by its numbers, kept, counted, and given on request."""
    province, today = stage.actor(cast.HEBEI_OFFICER), beijing_date(platform.clock.now())
    delivered = Batch(first="HB000101", quantity=10, on=today, origin="河北印刷厂")
    await papers.receive(platform, province, delivered)  # 印制
    with pytest.raises(Invalid):
        await papers.receive(platform, province, delivered)
    asked = await papers.ask(platform, opened.officer, Asking(quantity=4, reason="本月发证用纸"))  # 申领
    await papers.give(platform, province, asked.id, Giving(first="HB000101", quantity=4, seen=1))
    kept = await papers.count(platform, province, Counting(counted=6))  # 保存
    mine = (await papers.stock(platform, opened.officer)).book
    assert (kept.book, mine.received, mine.left, mine.fits) == (6, 4, 4, True)


async def test_1_a_class_is_printed_on_numbered_paper_and_handed_over(
    platform: Platform, opened: ClassInSession, found: list[Certificate]
) -> None:
    """第十八条（一）: 打印、核发、登记: which sheet each is printed on, what is printed, and who has received it, all in the ledger."""
    officer, today = opened.officer, beijing_date(platform.clock.now())
    delivered = Batch(first="HB000101", quantity=3, on=today, origin="河北印刷厂")
    await papers.receive(platform, officer, delivered)
    assert await papers.assign(platform, officer, opened.id) == len(found)
    sheets = await papers.of_class(platform, [one.id for one in found])
    assert [sheets[one.id].number for one in found] == ["HB000101", "HB000102"]
    await specimens.class_overprint(platform, officer, opened.id)  # 打印
    await handing.hand_over(platform, officer, found[0].id, HandingOver(on=today))  # 登记
    kinds = [one.kind for one in await ledger.entries_of(platform, found[0].id)]
    assert kinds == [EntryKind.ISSUED, EntryKind.PRINTED, EntryKind.HANDED_OVER]  # 核发


@pytest.mark.parametrize("by", list(By))
async def test_2_statistics_count_what_their_lists_show(
    platform: Platform, opened: ClassInSession, found: list[Certificate], by: By
) -> None:
    """第十八条（一）统计;（二）定期进行统计: every figure is as long as its list; the revoked are not valid."""
    await certifying.revoked(platform, opened.officer, found[0], "成绩复核后不合格。")
    year, province = found[0].printed.issued_on.year, stage.actor(cast.HEBEI_OFFICER)
    [line] = await statistics(platform, province, year, by)
    query = dict(parse_qsl(line.href.partition("?")[2]))
    for status, count in ((None, 2), (CertificateStatus.VALID, 1), (CertificateStatus.REVOKED, 1)):
        given = {IN_SERVICES.get(name, name): value for name, value in query.items()}
        narrowed = LedgerFilter.model_validate(given | {"status": status})
        assert len(await certificates.ledger(platform, province, narrowed)) == count
        assert (line.issued if status is None else line.count(status)) == count
    if by in (By.INSTITUTION, By.PROVINCE):
        await certificates.class_archive(platform, opened.officer, opened.id)  # is no printing
        for _ in range(2):
            await certificates.class_book(platform, opened.officer, opened.id)
        today = beijing_date(platform.clock.now())
        await handing.hand_over(platform, opened.officer, found[1].id, HandingOver(on=today))
        batch = Batch(first="HB000101", quantity=3, on=today, origin="邢台印刷厂")
        await papers.receive(platform, opened.officer, batch)
        [line] = await statistics(platform, province, year, by)
        where, named = {by.value: line.key}, {f"{by.value}_code": line.key}
        asked = EntryFilter(kind=EntryKind.PRINTED, year=year, **named)
        entered = await ledger.entries(platform, province, asked)
        received = await handing.handed_over(platform, province, HandoverFilter(year=year, **named))
        piles = await papers.piles(platform, province, **where)
        assert (line.printed, line.handed, line.blank) == (2, 1, 3)
        assert (len(entered), len(received), sum(one.count for one in piles)) == (2, 1, 3)
    assert await statistics(platform, stage.actor(cast.JIANGSU_OFFICER), year, by) == []
    assert await statistics(platform, province, year - 1, by) == []
