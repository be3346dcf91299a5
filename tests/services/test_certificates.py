"""Issuing, revoking and printing certificates on a real database."""

import asyncio
import io
import re
import zipfile
from datetime import date, timedelta

import pytest

from server.certificates import issue, rules, signing, specimens, verify
from server.certificates import service as certificates
from server.certificates.documents import MOST_ATTEMPTS, Certificate, CertificateStatus, LedgerFilter
from server.certificates.issue import AlreadyRevoked, Revocation
from server.certificates.press import WAITING_MOST, Press
from server.certificates.render import TextTooLong
from server.certificates.rules import SurveyNotYetOpened
from server.certificates.service import CertificateNotReady, CertificateRevoked, NothingToPrint
from server.certificates.signing import FileNotAsIssued
from server.certificates.verify import CertificateMissing, CertificateQueryRequest
from server.certificates.workshop import Workshop
from server.institutions.rules import NotQualified
from server.kernel.errors import Invalid, NotFound, Unavailable
from server.kernel.offices import Topic
from server.kernel.platform import Platform
from server.kernel.sequences import OrderExhausted
from server.layouts import service as layouts
from server.layouts.service import Offset
from server.ledger import service as ledger
from server.reissues import revoking
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.asking import ANYWHERE, ask
from tests.certifying import certificates_of, issue_signed, issued, on_last_day, passed_class, release
from tests.printed import a_sheet, open_pdf, text_of
from tests.surveying import answer, clock_of, open_survey

MONTH = "202603"


def numbers(found: list[Certificate]) -> list[str]:
    return [one.printed.number for one in found]


def serials(found: list[Certificate]) -> list[str]:
    return [one.printed.serial for one in found]


async def set_order(platform: Platform, sequence: str, taken: int) -> None:
    await platform["sequences"].update_one({"_id": sequence}, {"$set": {"taken": taken}}, upsert=True)


async def obstacles(platform: Platform, opened: stage.ClassInSession) -> list[tuple[str, ...]]:
    seen = await issue.class_certificates(platform, opened.officer, opened.id)
    return [one.obstacles for one in seen.candidates]


# ---- who gets one


async def test_who_passed_gets_a_certificate_and_who_did_not_is_told_why(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=3)
    clock_of(platform).set(on_last_day(opened))
    assert await obstacles(platform, opened) == [("考核成绩尚未发布",)] * 3
    with pytest.raises(SurveyNotYetOpened):
        await issue.issue_certificates(platform, opened.officer, opened.id)
    await release(platform, opened.id, failed={opened.trainees[1].actor.id})
    assert await obstacles(platform, opened) == [(), ("未通过考核",), ()]
    assert await issue.issue_certificates(platform, opened.officer, opened.id) == 2
    assert numbers(await certificates_of(platform, opened.officer, opened.id)) == [
        f"13009{MONTH}3001",
        f"13009{MONTH}3002",
    ]


async def test_issuing_again_issues_only_what_is_missing(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=3)
    survey = await open_survey(platform, opened, days=14)
    clock_of(platform).set(on_last_day(opened))
    await release(platform, opened.id)
    await answer(platform, survey, opened.trainees[1:])
    assert await issue.issue_certificates(platform, opened.officer, opened.id) == 2
    before = await certificates_of(platform, opened.officer, opened.id)
    assert await issue.issue_certificates(platform, opened.officer, opened.id) == 0
    await answer(platform, survey, opened.trainees[:1])
    assert await issue.issue_certificates(platform, opened.officer, opened.id) == 1
    first, *others = await certificates_of(platform, opened.officer, opened.id)
    assert others == before and first.printed.number == f"13009{MONTH}3003"


async def test_requests_at_once_leave_no_gap_and_no_pair(platform: Platform, wechat: Simulator) -> None:
    opened = await passed_class(platform, wechat, 7)
    done = await asyncio.gather(
        *(issue.issue_certificates(platform, opened.officer, opened.id) for _ in range(8))
    )
    assert sorted(done) == [0] * 7 + [7]
    found = await certificates_of(platform, opened.officer, opened.id)
    assert numbers(found) == [f"13009{MONTH}3{n:03}" for n in range(1, 8)]
    assert serials(found) == [f"13009{n:05}" for n in range(1, 8)]
    assert len({one.token for one in found}) == 7
    assert await platform["audit"].count_documents({"action": "certificates:issue"}) == 1
    await asyncio.gather(*(signing.sign_waiting(platform) for _ in range(3)))
    assert await platform["certificates"].count_documents({"status": "VALID", "current": True}) == 7
    assert await platform["outbox"].count_documents({"template": "certificate-issued"}) == 7
    assert await platform["files.files"].count_documents({}) == 7


async def test_two_classes_of_one_month_and_level_issued_at_once_share_the_order(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await passed_class(platform, wechat, 4)
    other = await stage.open_class(
        platform, opened.officer, stage.class_draft(name="同月另一个三级教师培训班")
    )
    await stage.enrol(platform, cast.XINGTAI_OFFICER, other.id, cast.people(4, first_seed=300))
    await release(platform, other.id)
    await asyncio.gather(
        *(issue.issue_certificates(platform, opened.officer, one) for one in (opened.id, other.id))
    )
    both = [
        *await certificates_of(platform, opened.officer, opened.id),
        *await certificates_of(platform, opened.officer, other.id),
    ]
    assert sorted(numbers(both)) == [f"13009{MONTH}3{n:03}" for n in range(1, 9)]
    assert sorted(serials(both)) == [f"13009{n:05}" for n in range(1, 9)]


@pytest.mark.parametrize(
    ("sequence", "last"),
    [
        (rules.serial_sequence("13", "009"), rules.SERIAL_LAST),
        (f"certificate-number:13009{MONTH}3", rules.NUMBER_LAST),
    ],
)
async def test_an_order_that_would_run_out_is_refused_before_anything_is_written(
    platform: Platform, wechat: Simulator, sequence: str, last: int
) -> None:
    opened = await passed_class(platform, wechat, 3)
    await set_order(platform, sequence, last - 2)
    orders = await platform["sequences"].find({}).to_list(None)
    with pytest.raises(OrderExhausted, match="还剩 2 个"):
        await issue.issue_certificates(platform, opened.officer, opened.id)
    assert await platform["certificates"].count_documents({}) == 0
    assert await platform["outbox"].count_documents({"template": "certificate-issued"}) == 0
    assert await platform["sequences"].find({}).to_list(None) == orders
    await set_order(platform, sequence, last - 3)
    assert await issue.issue_certificates(platform, opened.officer, opened.id) == 3
    found = await certificates_of(platform, opened.officer, opened.id)
    assert str(last) in {numbers(found)[-1][-len(str(last)) :], serials(found)[-1][-len(str(last)) :]}


async def test_before_the_last_day_of_the_class_nothing_is_issued(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await passed_class(platform, wechat, 1)
    clock_of(platform).advance(timedelta(days=-1))
    with pytest.raises(rules.TrainingNotOver, match="2026-03-27"):
        await issue.issue_certificates(platform, opened.officer, opened.id)
    assert await platform["sequences"].count_documents({}) == 0


async def test_who_is_not_qualified_on_the_day_of_issue_issues_nothing(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await passed_class(platform, wechat, 1)
    await platform["institutions"].update_one(
        {"_id": cast.XINGTAI}, {"$set": {"qualifications.0.valid_to": "2026-03-15"}}
    )
    seen = await issue.class_certificates(platform, opened.officer, opened.id)
    assert "第十六条" in seen.hindrance
    with pytest.raises(NotQualified):
        await issue.issue_certificates(platform, opened.officer, opened.id)
    assert await platform["sequences"].count_documents({}) == 0


async def test_words_that_do_not_fit_on_the_page_are_refused_before_a_number_is_spent(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await passed_class(platform, wechat, 1)
    await platform["classes"].update_one({"_id": opened.id}, {"$set": {"courses": ["课" * 60] * 8}})
    with pytest.raises(TextTooLong):
        await issue.issue_certificates(platform, opened.officer, opened.id)
    assert await platform["sequences"].count_documents({}) == 0


async def test_the_survey_comes_first_as_long_as_it_can_be_answered(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=2)
    survey = await open_survey(platform, opened, days=14)
    clock_of(platform).set(on_last_day(opened))
    await release(platform, opened.id)
    await answer(platform, survey, opened.trainees[:1])
    assert await obstacles(platform, opened) == [(), ("未完成满意度评价",)]
    clock_of(platform).set(survey.closes_at)
    assert await obstacles(platform, opened) == [(), ()]  # article 4.6: who passed gets the certificate


async def test_a_neighbour_sees_issues_and_prints_nothing(platform: Platform, wechat: Simulator) -> None:
    opened = await passed_class(platform, wechat, 1)
    [one] = await issued(platform, opened)
    neighbour = stage.actor(cast.YANGZHOU_OFFICER)
    for attempt in (
        issue.class_certificates(platform, neighbour, opened.id),
        issue.issue_certificates(platform, neighbour, opened.id),
        revoking.revoke(
            platform, neighbour, one.id, Revocation(reason="不是我的证书", typed=one.printed.number)
        ),
        certificates.certificate(platform, neighbour, one.id),
        certificates.staff_pdf(platform, neighbour, one.id),
        certificates.class_archive(platform, neighbour, opened.id),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await certificates.ledger(platform, neighbour, LedgerFilter()) == []


# ---- what is printed


async def test_the_pdf_says_the_snapshot_after_person_class_and_institution_changed(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await passed_class(platform, wechat, 1)
    [one] = await issued(platform, opened)
    before = text_of((await certificates.staff_pdf(platform, opened.officer, one.id)).content)
    await platform["persons"].update_many({}, {"$set": {"name": "改名后"}})
    await platform["enrolments"].update_many({}, {"$set": {"name": "改名后"}})
    await platform["classes"].update_many(
        {}, {"$set": {"name": "改名后的班", "courses": ["别的课程"], "class_hours": 120, "major": "03"}}
    )
    await platform["institutions"].update_many({}, {"$set": {"name": "改名后的学院"}})
    clock_of(platform).advance(timedelta(days=400))
    after = text_of((await certificates.staff_pdf(platform, opened.officer, one.id)).content)
    assert before == after
    [person] = cast.people(1)
    wanted = [person.name, person.id_number, "2026年3月16日至2026年3月27日", "工学一体化三级教师培训"]
    wanted += [
        "机械类",
        "《教学场所使用管理》",
        "80课时",
        "邢台技师学院",
        one.printed.serial,
        one.printed.number,
    ]
    assert [words for words in wanted if words not in after] == []


async def test_the_number_is_stored_encrypted_and_each_look_at_it_is_noted(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await passed_class(platform, wechat, 1)
    [one] = await issued(platform, opened)
    [person] = cast.people(1)
    row = await platform["certificates"].find_one({})
    assert (
        row is not None
        and person.id_number not in str(row)
        and person.id_number.encode() not in bytes(row["printed"]["id_number"])
    )
    await certificates.staff_pdf(platform, opened.officer, one.id)
    await certificates.my_png(platform, opened.trainees[0].actor, one.id)
    await certificates.class_archive(platform, opened.officer, opened.id)
    looks = (
        await platform["audit"]
        .find({"action": {"$regex": "^certificates:print"}})
        .sort("_id", 1)
        .to_list(None)
    )
    assert [look["actor_id"] for look in looks] == [
        opened.officer.id,
        opened.trainees[0].actor.id,
        opened.officer.id,
    ]
    assert person.id_number not in str(looks)
    entries = await ledger.entries_of(platform, one.id)
    assert [entry.kind.label for entry in entries] == ["核发", "存档下载", "本人下载", "存档下载"], (
        "where each sheet went"
    )
    assert person.id_number not in str(entries)


async def test_the_zip_of_a_class_holds_each_valid_certificate(platform: Platform, wechat: Simulator) -> None:
    opened = await passed_class(platform, wechat, 3)
    with pytest.raises(NothingToPrint):
        await certificates.class_archive(platform, opened.officer, opened.id)
    found = await issued(platform, opened)
    await revoking.revoke(
        platform,
        opened.officer,
        found[1].id,
        Revocation(reason="姓名登记有误", typed=found[1].printed.number),
    )
    archive = await certificates.class_archive(platform, opened.officer, opened.id)
    chunks = [chunk async for chunk in archive.content]
    assert len(chunks) > 2  # not whole in memory
    with zipfile.ZipFile(io.BytesIO(b"".join(chunks))) as unpacked:
        assert unpacked.testzip() is None
        names = [f"{one.printed.number}-{one.printed.name}.pdf" for one in (found[0], found[2])]
        assert unpacked.namelist() == names
        for name in names:
            assert name[:15] in text_of(unpacked.read(name))


async def test_a_file_that_is_lost_or_not_as_issued_does_not_spoil_the_zip(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await passed_class(platform, wechat, 2)
    found = await issued(platform, opened)
    assert found[0].file is not None
    await platform["files.chunks"].update_one(
        {"files_id": found[0].file.file_id}, {"$set": {"data": b"%PDF"}}
    )
    with pytest.raises(FileNotAsIssued):
        await certificates.staff_pdf(platform, opened.officer, found[0].id)
    await platform.files.delete(found[0].file.file_id)
    with pytest.raises(FileNotAsIssued):
        await certificates.my_pdf(platform, opened.trainees[0].actor, found[0].id)
    archive = await certificates.class_archive(platform, opened.officer, opened.id)
    content = b"".join([chunk async for chunk in archive.content])
    with zipfile.ZipFile(io.BytesIO(content)) as unpacked:
        assert len(unpacked.namelist()) == 2
        assert found[0].printed.number in unpacked.read("未能生成的证书.txt").decode()


async def test_the_press_turns_away_whoever_would_wait_too_long() -> None:
    press = Press()
    sheet = a_sheet()
    drawn = await asyncio.gather(
        *(press.pdf(sheet) for _ in range(WAITING_MOST + 3)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, bytes) for one in drawn) == WAITING_MOST
    assert sum(isinstance(one, Unavailable) for one in drawn) == 3


# ---- one's own


async def test_a_trainee_sees_the_own_certificates_and_no_other(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await passed_class(platform, wechat, 2)
    found = await issued(platform, opened)
    mine, other = (phone.actor for phone in opened.trainees)
    assert await certificates.my_certificates(platform, mine) == [found[0]]
    for attempt in (certificates.my_certificate, certificates.my_pdf, certificates.my_png):
        with pytest.raises(NotFound):
            await attempt(platform, other, found[0].id)


# ---- revoking


async def test_a_revoked_certificate_keeps_its_row_and_is_printed_no_more(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await passed_class(platform, wechat, 1)
    [one] = await issued(platform, opened)
    revoked = await revoking.revoke(
        platform, opened.officer, one.id, Revocation(reason="姓名登记有误", typed=one.printed.number)
    )
    assert (revoked.status, revoked.revoke_reason) == (CertificateStatus.REVOKED, "姓名登记有误")
    with pytest.raises(AlreadyRevoked):
        await revoking.revoke(
            platform, opened.officer, one.id, Revocation(reason="再撤一次", typed=one.printed.number)
        )
    with pytest.raises(CertificateRevoked):
        await certificates.staff_pdf(platform, opened.officer, one.id)
    assert [each.status for each in await certificates.ledger(platform, opened.officer, LedgerFilter())] == [
        CertificateStatus.REVOKED
    ]
    shown = await verify.verify(platform, one.token, ANYWHERE)
    assert shown is not None
    assert (shown.status, shown.revoked_on, shown.revoke_reason) == (
        CertificateStatus.REVOKED,
        revoked.revoked_at.date() if revoked.revoked_at else None,
        "姓名登记有误",
    )
    assert await issue.issue_certificates(platform, opened.officer, opened.id) == 0


# ---- the ledger


async def test_the_ledger_is_narrowed_by_year_level_institution_and_the_beginning_of_words(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await passed_class(platform, wechat, 3)
    found = await issued(platform, opened)
    one = found[1].printed
    centre = stage.actor(cast.CENTRE)

    async def listed(**conditions: object) -> list[str]:
        narrowed = LedgerFilter.model_validate(conditions)
        return numbers(await certificates.ledger(platform, centre, narrowed))

    newest_first = numbers(found)[::-1]
    assert await listed() == newest_first
    assert await listed(year=2026, level="3", institution_code="009") == newest_first
    assert await listed(year=2025) == await listed(level="2") == await listed(institution_code="019") == []
    assert await listed(words=one.name) == await listed(words=one.number) == await listed(words=one.serial)
    assert await listed(words=one.serial) == [one.number]
    assert await listed(words="13009") == newest_first
    for harmless in (".*", "(", "\\", "$where", "\x00", "王" * 60):
        assert await listed(words=harmless) == []


async def test_the_ledger_pages_by_cursor(platform: Platform, wechat: Simulator) -> None:
    opened = await passed_class(platform, wechat, 5)
    found = (await issued(platform, opened))[::-1]
    walked: list[Certificate] = []
    while page := await certificates.ledger(
        platform, opened.officer, LedgerFilter(), before=walked[-1].id if walked else None, limit=2
    ):
        walked += page
    assert walked == found


# ---- the public's questions


async def asked(platform: Platform, **given: str) -> list[str]:
    found = await ask(platform, CertificateQueryRequest.model_validate(given))
    return [one.number for one in found]


async def test_any_two_of_the_three_find_the_certificate_masked(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await passed_class(platform, wechat, 2)
    first, _ = await issued(platform, opened)
    person = cast.people(2)[0]
    number = first.printed.number
    assert await asked(platform, name=person.name, id_number=person.id_number.lower()) == [number]
    assert await asked(platform, name=f" {person.name} ", certificate_number=number) == [number]
    assert await asked(
        platform, id_number=person.id_number, certificate_number=f" {number[:8]} {number[8:]}"
    ) == [number]
    query = CertificateQueryRequest(name=person.name, certificate_number=number)
    [shown] = await ask(platform, query)
    assert re.fullmatch(r"\*{14}[0-9X]{4}", shown.id_number_masked)
    assert person.id_number not in repr(shown)


async def test_name_and_number_find_all_certificates_of_a_person(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await passed_class(platform, wechat, 1)
    [person] = cast.people(1)
    later = stage.class_draft(
        name="同一人的第二个培训班", starts_on=date(2026, 3, 28), ends_on=date(2026, 3, 28)
    )
    second = await stage.open_class(platform, opened.officer, later)
    await stage.enrol(platform, cast.XINGTAI_OFFICER, second.id, [person])
    await release(platform, second.id)
    clock_of(platform).advance(timedelta(days=1))
    for class_id in (opened.id, second.id):
        await issue_signed(platform, opened.officer, class_id)
    found = await asked(platform, name=person.name, id_number=person.id_number)
    assert found == [f"13009{MONTH}3002", f"13009{MONTH}3001"]


async def test_every_miss_gets_the_same_words(platform: Platform, wechat: Simulator) -> None:
    opened = await passed_class(platform, wechat, 2)
    first, second = await issued(platform, opened)
    person, other = cast.people(2)
    refusals = set()
    for wrong in (
        {"name": other.name, "id_number": person.id_number},
        {"name": person.name, "id_number": cast.STRANGER.id_number},
        {"name": person.name, "id_number": "不是号码"},
        {"name": person.name, "certificate_number": second.printed.number},
        {"name": person.name, "certificate_number": "X"},
        {"id_number": other.id_number, "certificate_number": first.printed.number},
        {"name": "\x00", "certificate_number": "$ne"},
    ):
        with pytest.raises(CertificateMissing) as refusal:
            await asked(platform, **wrong)
        refusals.add((refusal.value.status, refusal.value.slug, refusal.value.detail))
    assert len(refusals) == 1


@pytest.mark.parametrize(
    "given",
    [{}, {"name": "甲乙"}, {"id_number": "1"}, {"name": "甲", "id_number": "1", "certificate_number": "1"}],
)
async def test_one_or_three_are_not_two(platform: Platform, given: dict[str, str]) -> None:
    with pytest.raises(Invalid, match="两项"):
        await asked(platform, **given)


async def test_a_token_opens_one_certificate_and_no_other_token_does(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await passed_class(platform, wechat, 1)
    [one] = await issued(platform, opened)
    assert len(one.token) >= 22
    shown = await verify.verify(platform, one.token, ANYWHERE)
    assert [shown] == await verify.public_papers(platform, [one])
    for wrong in (one.token[:-1], one.token + "A", one.id, one.printed.number, "\x00"):
        assert await verify.verify(platform, wrong, ANYWHERE) is None


async def test_a_class_is_printed_on_forms_as_its_own_printer_needs_it(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await passed_class(platform, wechat)
    with pytest.raises(NothingToPrint):
        await specimens.class_overprint(platform, opened.officer, opened.id)
    found = await issued(platform, opened)
    await layouts.set_printer(platform, opened.officer, Offset(right=2))
    laid = await specimens.class_overprint(platform, opened.officer, opened.id)
    content = b"".join([chunk async for chunk in laid.content])
    text = [page.extract_text() for page in open_pdf(content).pages]
    assert all(one.printed.number in page for one, page in zip(found, text, strict=True))
    assert "合格证书" not in text[0]
    neighbour = stage.actor(cast.YANGZHOU_OFFICER)
    with pytest.raises(NotFound):
        await specimens.class_overprint(platform, neighbour, opened.id)


# ---- drawing and signing


async def test_what_cannot_be_made_is_tried_again_under_its_number_and_then_told_to_the_institution(
    platform: Platform, wechat: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = await passed_class(platform, wechat, 2)
    await issue.issue_certificates(platform, opened.officer, opened.id)
    before = numbers(await certificates_of(platform, opened.officer, opened.id))

    async def fail(*_: object) -> None:
        raise TextTooLong()

    seen = await issue.class_certificates(platform, opened.officer, opened.id)
    with monkeypatch.context() as broken:
        broken.setattr(Workshop, "make", fail)
        for tried in range(1, MOST_ATTEMPTS + 1):
            assert await signing.sign_waiting(platform) == {"没有制成": 2}
            assert await signing.sign_waiting(platform) == {}  # not at once
            seen = await issue.class_certificates(platform, opened.officer, opened.id)
            assert [one.attempts for one in seen.failed] == [tried] * 2
            clock_of(platform).advance(timedelta(hours=1))
        assert await signing.sign_waiting(platform) == {}
    assert all(one.given_up and one.failure == TextTooLong.default_detail for one in seen.failed)
    told = await platform["office_messages"].find({"topic": Topic.FAILED}).to_list(None)
    assert {one["to"] for one in told} == {opened.officer.office} and len(told) == 2
    assert await platform["outbox"].count_documents({"template": "certificate-issued"}) == 0
    assert await issue.issue_certificates(platform, opened.officer, opened.id) == 0
    assert await issue.try_again(platform, opened.officer, opened.id) == 2
    assert await issue.try_again(platform, opened.officer, opened.id) == 0
    assert await signing.sign_waiting(platform) == {"制成证书": 2}
    after = await certificates_of(platform, opened.officer, opened.id)
    assert numbers(after) == before and all(one.valid and not one.failure for one in after)


async def test_nobody_takes_along_or_finds_what_waits_to_be_signed(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await passed_class(platform, wechat, 1)
    await issue.issue_certificates(platform, opened.officer, opened.id)
    [one] = await certificates_of(platform, opened.officer, opened.id)
    mine = opened.trainees[0].actor
    assert [each.status for each in await certificates.my_certificates(platform, mine)] == [one.status]
    for attempt in (
        certificates.my_pdf(platform, mine, one.id),
        certificates.my_png(platform, mine, one.id),
        certificates.staff_pdf(platform, opened.officer, one.id),
    ):
        with pytest.raises(CertificateNotReady):
            await attempt
    assert await verify.verify(platform, one.token, ANYWHERE) is None


async def test_the_copy_for_the_printer_carries_no_broken_signature(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await passed_class(platform, wechat, 2)
    await issued(platform, opened)
    book = await certificates.class_book(platform, opened.officer, opened.id)
    assert "打印用" in book.name
    copy = open_pdf(b"".join([chunk async for chunk in book.content]))
    assert len(copy.pages) == 2 and not copy.get_fields()
    assert not any(page.get("/Annots") for page in copy.pages)
