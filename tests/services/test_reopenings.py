"""Released results opened again by the institution's request and the province's approval, and everything that a release freezes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import pytest

from server.admissions import applying, arrival
from server.admissions import service as admissions
from server.admissions.rules import NotOpen, State
from server.admissions.service import ClassIsOver
from server.assessment import grading, service, tasks
from server.assessment.service import ResultsNotReleased
from server.attendance import rolls, rules, store, timetable
from server.attendance.check_in import CheckInDesk, Scan
from server.attendance.rolls import AttendanceFrozen, LateRegistration
from server.attendance.rules import SessionNotOpen
from server.certificates import issue
from server.classes.documents import OpenClassFilter
from server.classes.roster_import import RosterClosed
from server.classes.service import ResultsReleased
from server.kernel.errors import Forbidden, NotFound, Problem
from server.kernel.platform import Platform
from server.kernel.queries import look_up_both
from server.kernel.reviews import NotInThisState, NotYours, Overtaken, Return, Review
from server.reopenings import service as reopenings
from server.reopenings.documents import Reopening
from server.reopenings.rules import AlreadyAsked, CertificatesIssued, NotReleased
from server.reopenings.service import Asked
from server.schemes import remarks
from server.schemes.remarks import RemarkDraft
from server.wechat.simulator import Simulator
from tests import admitting, cast, certifying, scheming, stage
from tests.admitting import enrolment_draft
from tests.assessing import assess_everybody, clock_of, graded, hand_in, release, set_task
from tests.certifying import certificates_of
from tests.progressing import waits
from tests.stage import ClassInSession
from tests.surveying import past_survey

HEBEI, JIANGSU = stage.actor(cast.HEBEI_OFFICER), stage.actor(cast.JIANGSU_OFFICER)
WHY = Asked(reason="漏计一次补签，需要重新核定。")


@pytest.fixture
async def released(platform: Platform, wechat: Simulator) -> ClassInSession:
    opened = await stage.class_in_session(platform, wechat, trainees=2)
    await assess_everybody(platform, opened, [85, 59])
    await release(platform, opened)
    return opened


async def asked(platform: Platform, opened: ClassInSession) -> Reopening:
    return await reopenings.request(platform, opened.officer, opened.id, WHY)


def seen(found: Reopening) -> Review:
    return Review(seen=len(found.history))


# ---- opened again


async def test_with_the_provinces_approval_the_class_is_as_before_and_the_first_results_are_history(
    platform: Platform, released: ClassInSession
) -> None:
    before = await service.released_results(platform, released.id)
    found = await asked(platform, released)
    assert list(await service.released_results(platform, released.id)) == list(before)  # valid until approved
    [line] = await waits(platform, HEBEI, Reopening)
    assert (line.count, line.href) == (1, "/admin/reopenings?state=SUBMITTED")

    approved = await reopenings.approve(platform, HEBEI, found.id, seen(found))
    assert not approved.open and await waits(platform, HEBEI, Reopening) == []
    assert await service.released_results(platform, released.id) == {}
    with pytest.raises(ResultsNotReleased):
        await service.my_result(platform, released.trainees[0].actor, released.id)
    kept = await service.earlier_results(platform, released.id)
    assert [(one.id, one.total, one.passed) for one in kept] == [
        (one.id, one.total, one.passed) for one in before.values()
    ]
    told = [row["person_id"] async for row in platform["outbox"].find({"template": "results-reopened"})]
    assert sorted(told) == sorted(before)
    [to_assessor] = await platform["outbox"].find({"template": "results-reopened-to-teacher"}).to_list(None)
    assert to_assessor["person_id"] == released.teacher.actor.person_id
    assert to_assessor["data"]["reason"] == WHY.reason

    failed = released.trainees[1].actor.person_id
    for row in await platform["submissions"].find({"person_id": failed}).to_list(None):
        better = graded(60, 20, reason="复核后更正")
        await grading.grade_submission(platform, released.teacher.actor, row["_id"], better)
    again = await release(platform, released)
    assert [(one.total, one.passed) for one in again] == [(85.0, True), (80.0, True)]
    assert len(await service.earlier_results(platform, released.id)) == 2


async def test_only_the_own_institution_asks_and_only_its_province_decides(
    platform: Platform, released: ClassInSession
) -> None:
    neighbour = stage.actor(cast.YANGZHOU_OFFICER)
    with pytest.raises(NotFound):
        await reopenings.request(platform, neighbour, released.id, WHY)
    with pytest.raises(NotYours):
        await reopenings.request(platform, HEBEI, released.id, WHY)
    found = await asked(platform, released)
    with pytest.raises(AlreadyAsked):
        await asked(platform, released)
    with pytest.raises(Forbidden):
        await reopenings.approve(platform, released.officer, found.id, seen(found))
    with pytest.raises(NotFound):
        await reopenings.approve(platform, JIANGSU, found.id, seen(found))
    with pytest.raises(Overtaken):
        await reopenings.approve(platform, HEBEI, found.id, Review(seen=0))


async def test_what_is_declined_or_taken_back_leaves_the_results_and_may_be_asked_again(
    platform: Platform, released: ClassInSession
) -> None:
    before = await service.released_results(platform, released.id)
    found = await asked(platform, released)
    await reopenings.decline(platform, HEBEI, found.id, Return(seen=1, reason="理由不充分，请说明。"))
    with pytest.raises(NotInThisState):
        await reopenings.retract(platform, released.officer, found.id)
    second = await asked(platform, released)
    await reopenings.retract(platform, released.officer, second.id)
    with pytest.raises(NotInThisState):
        await reopenings.approve(platform, HEBEI, second.id, Review(seen=2))
    assert await service.released_results(platform, released.id) == before
    assert (await asked(platform, released)).open


async def test_a_certificate_ends_it(platform: Platform, wechat: Simulator, released: ClassInSession) -> None:
    running = await stage.open_class(
        platform, released.officer, stage.class_draft(name="另一个三级教师培训班")
    )
    with pytest.raises(NotReleased):
        await reopenings.request(platform, released.officer, running.id, WHY)
    found = await asked(platform, released)
    clock_of(platform).set(certifying.on_last_day(released))
    await past_survey(platform, released.id)
    await certifying.issued(platform, released)
    with pytest.raises(CertificatesIssued):
        await reopenings.approve(platform, HEBEI, found.id, seen(found))
    await reopenings.retract(platform, released.officer, found.id)
    with pytest.raises(CertificatesIssued):
        await asked(platform, released)


async def test_of_certificates_and_an_approval_at_the_same_moment_one_sees_the_other(
    platform: Platform, released: ClassInSession
) -> None:
    found = await asked(platform, released)
    clock_of(platform).set(certifying.on_last_day(released))
    issued, approved = await asyncio.gather(
        issue.issue_certificates(platform, released.officer, released.id),
        reopenings.approve(platform, HEBEI, found.id, seen(found)),
        return_exceptions=True,
    )
    papers = await certificates_of(platform, released.officer, released.id)
    frozen = await service.released_results(platform, released.id)
    if isinstance(approved, Reopening):
        assert (issued, papers, frozen) == (0, [], {})
    else:
        assert isinstance(approved, CertificatesIssued) and issued == 1
        assert len(papers) == 1 and len(frozen) == 2


# ---- frozen everywhere


async def test_nothing_of_a_released_class_changes(
    platform: Platform, wechat: Simulator, released: ClassInSession
) -> None:
    """One predicate, one gate: late registrations, arrivals, admissions, roster, sessions, tasks, work, grades, schemes and remarks."""
    officer, teacher, phone = released.officer, released.teacher, released.trainees[0]
    [session, *_] = await store.sessions_of_class(platform, released.id)
    [task, *_] = await tasks.tasks_of_class(platform, released.id)
    latecomer = LateRegistration(person_id=phone.actor.person_id, reason="漏记一次")
    await platform["check_ins"].delete_one({"session_id": session.id, "person_id": phone.actor.person_id})
    newcomer = cast.person(77)
    draft = enrolment_draft(platform, closes=platform.clock.now() + timedelta(days=1))
    refused: list[tuple[type[Problem], Awaitable[object]]] = [
        (AttendanceFrozen, rolls.register_late(platform, officer, released.id, session.id, latecomer)),
        (AttendanceFrozen, rolls.register_late_as_teacher(platform, teacher.actor, session.id, latecomer)),
        (ResultsReleased, hand_in(platform, phone, task)),
        (ResultsReleased, set_task(platform, released)),
        (ResultsReleased, stage.teaching_session(platform, released)),
        (
            ResultsReleased,
            timetable.cancel_session(platform, officer, released.id, session.id, "教师临时有事"),
        ),
        (RosterClosed, stage.enrol(platform, cast.XINGTAI_OFFICER, released.id, [newcomer])),
        (ClassIsOver, admissions.open_enrolment(platform, officer, released.id, draft)),
        (
            arrival.ArrivalClosed,
            arrival.confirm_arrival(
                platform, officer, released.id, phone.actor.person_id, pledge_on_paper=True
            ),
        ),
        (ResultsReleased, scheming.draft(platform, released)),
        (ResultsReleased, remarks.remark(platform, officer, released.id, RemarkDraft(text="补充说明"))),
        (
            ResultsReleased,
            remarks.remark_as_teacher(platform, teacher.actor, released.id, RemarkDraft(text="补充说明")),
        ),
    ]
    for problem, attempt in refused:
        with pytest.raises(problem):
            await attempt


async def test_applications_that_wait_are_closed_with_a_message_and_the_class_is_listed_no_more(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    closes = platform.clock.now() + timedelta(days=9)
    await admissions.open_enrolment(
        platform, opened.officer, opened.id, enrolment_draft(platform, closes=closes)
    )
    someone, _ = await admitting.apply(platform, wechat, opened.id, cast.person(50))
    assert len(await applying.open_classes(platform, OpenClassFilter())) == 1
    await assess_everybody(platform, opened)
    assert len(await applying.open_classes(platform, OpenClassFilter())) == 1
    await release(platform, opened)
    assert await applying.open_classes(platform, OpenClassFilter()) == []
    [(mine, _)], _ = await applying.my_applications(platform, someone.actor)
    assert mine.state is State.CLOSED and not mine.open
    told = await platform["outbox"].find_one({"template": "application-closed"})
    assert told is not None and told["person_id"] == someone.actor.person_id
    with pytest.raises(NotOpen):
        await admitting.apply(platform, wechat, opened.id, cast.person(51))


# ---- at the same moment


async def test_a_check_in_under_way_when_the_release_comes_is_in_the_result_or_refused(
    platform: Platform, wechat: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was scanned in time, and stood still for a minute before it was judged: nothing is written to a session that counts as held."""
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    phone = opened.trainees[0]
    starts = platform.clock.now() + timedelta(days=1)
    session = await stage.teaching_session(
        platform,
        opened,
        starts_at=starts,
        ends_at=starts + timedelta(hours=3),
        closes_at=starts + timedelta(hours=3),
    )
    clock_of(platform).set(session.ends_at - timedelta(milliseconds=1))
    scan = Scan(stage.code_of(platform, session), "1")

    async def slow(*queries: Any) -> Any:
        found = await look_up_both(*queries)
        clock_of(platform).set(session.ends_at + rules.SETTLES_AFTER)
        return found

    monkeypatch.setattr("server.attendance.check_in.look_up_both", slow)
    with pytest.raises(SessionNotOpen):
        await CheckInDesk(platform).check_in(phone.actor, scan)
    assert await platform["check_ins"].count_documents({}) == 0


async def test_of_a_late_registration_and_a_release_at_the_same_moment_the_result_knows_the_first(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=2)
    await assess_everybody(platform, opened)
    person_id = opened.trainees[1].actor.person_id
    [session, *_] = await store.sessions_of_class(platform, opened.id)
    await platform["check_ins"].delete_one({"session_id": session.id, "person_id": person_id})
    wanted = LateRegistration(person_id=person_id, reason="手机没电，现场核对身份")
    registered, results = await asyncio.gather(
        rolls.register_late(platform, opened.officer, opened.id, session.id, wanted),
        release(platform, opened),
        return_exceptions=True,
    )
    assert isinstance(results, list)
    there = await platform["check_ins"].count_documents({"session_id": session.id, "person_id": person_id})
    assert isinstance(registered, AttendanceFrozen) == (there == 0)
    assert results[1].hours_attended == 80 - (0 if there else session.hours)


async def test_two_people_release_and_the_teacher_grades_at_the_same_moment(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=3)
    task, _ = await assess_everybody(platform, opened)
    rows = await platform["submissions"].find({"task_id": task.id}).to_list(None)
    grades = [
        grading.grade_submission(platform, opened.teacher.actor, row["_id"], graded(n, 0, reason="重新评阅"))
        for n, row in enumerate(rows)
    ]
    colleague = stage.actor(cast.XINGTAI_OFFICER)
    outcomes = await asyncio.gather(
        grades[0],
        release(platform, opened),
        *grades[1:],
        service.release(platform, colleague, opened.id),
        return_exceptions=True,
    )
    assert sum(isinstance(one, list) for one in outcomes) == 1
    assert all(isinstance(one, ResultsReleased) for one in outcomes if isinstance(one, Exception))
    frozen = await service.released_results(platform, opened.id)
    for grade in await platform["grades"].find({"task_id": task.id}).to_list(None):
        marks = {mark.task_id: mark.points for mark in frozen[grade["person_id"]].marks}
        assert marks[task.id] == grade["marks"][-1]["points"]
