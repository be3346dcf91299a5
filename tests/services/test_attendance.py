"""Sessions, batches of check-ins and hours on a real database."""

from __future__ import annotations

import asyncio
from datetime import date, time, timedelta
from typing import Any

import pytest

from server.attendance import codes, rolls, rules, service, store, timetable
from server.attendance.check_in import CheckedIn, CheckInDesk, Scan
from server.attendance.documents import TeachingSession
from server.attendance.rolls import AlreadyCheckedIn, AttendanceFrozen, LateRegistration
from server.attendance.rules import CodeExpired, NotEnrolled, SessionNotOpen
from server.attendance.timetable import SessionInUse, TimetableDraft
from server.classes import store as classes_store
from server.classes.service import ResultsReleased
from server.kernel.clock import FixedClock
from server.kernel.errors import Invalid, NotFound
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.stage import ClassInSession

DAY = timedelta(days=1)


def whole_timetable(**changes: object) -> TimetableDraft:
    draft: dict[str, object] = {
        "first_day": date(2026, 3, 16),
        "last_day": date(2026, 3, 27),
        "weekdays": [0, 1, 2, 3, 4],
        "half_days": [
            {"title": "上午", "starts": time(8, 30), "ends": time(12, 0), "hours": 4},
            {"title": "下午", "starts": time(14, 0), "ends": time(17, 30), "hours": 4},
        ],
        "courses": ["工学一体化课程教学实施", "工学一体化课程考核实施"],
        "place": "实训楼 301",
    }
    return TimetableDraft.model_validate(draft | changes)


# ---- arranging


async def test_one_form_makes_the_timetable_of_a_whole_class(
    platform: Platform, opened: ClassInSession
) -> None:
    assert await timetable.add_timetable(platform, opened.officer, opened.id, whole_timetable()) == 20
    arranged = await service.sessions_of_class(platform, opened.officer, opened.id)
    assert arranged.hours == 80 and arranged.trainees == 4
    assert [row.item.title for row in arranged.rows[:2]] == ["第 1 天上午", "第 1 天下午"]


async def test_a_timetable_sent_twice_is_there_once(platform: Platform, opened: ClassInSession) -> None:
    results = await asyncio.gather(
        *(timetable.add_timetable(platform, opened.officer, opened.id, whole_timetable()) for _ in range(2)),
        return_exceptions=True,
    )
    assert {type(result) for result in results} == {int, Invalid}
    assert len((await service.sessions_of_class(platform, opened.officer, opened.id)).rows) == 20


async def test_a_timetable_beyond_the_class_is_refused_whole(
    platform: Platform, opened: ClassInSession
) -> None:
    with pytest.raises(Invalid, match="invalid"):
        await timetable.add_timetable(
            platform, opened.officer, opened.id, whole_timetable(last_day=date(2026, 3, 30))
        )
    assert (await service.sessions_of_class(platform, opened.officer, opened.id)).rows == []


async def test_a_course_of_another_class_is_refused(platform: Platform, opened: ClassInSession) -> None:
    with pytest.raises(Invalid) as refusal:
        await stage.teaching_session(platform, opened, course="示范课设计与实施")
    assert [wrong.place for wrong in refusal.value.fields] == ["course"]


async def test_the_policy_of_the_day_is_copied_onto_the_session(session: TeachingSession) -> None:
    assert (session.code_step_seconds, session.code_grace_seconds) == (5, 2)


async def test_a_session_is_changed_or_cancelled_only_before_somebody_has_checked_in(
    platform: Platform, opened: ClassInSession, session: TeachingSession, desk: CheckInDesk
) -> None:
    moved = stage.session_draft(place="实训楼 402")
    changed = await timetable.change_session(platform, opened.officer, opened.id, session.id, moved)
    assert (changed.id, changed.place) == (session.id, "实训楼 402")
    await desk.check_in(opened.trainees[0].actor, Scan(stage.code_of(platform, session), "1"))
    with pytest.raises(SessionInUse):
        await timetable.change_session(platform, opened.officer, opened.id, session.id, moved)
    with pytest.raises(SessionInUse):
        await timetable.cancel_session(platform, opened.officer, opened.id, session.id, "教室检修")


async def test_a_cancelled_session_is_gone_from_every_list_and_makes_room(
    platform: Platform, opened: ClassInSession, session: TeachingSession
) -> None:
    await timetable.cancel_session(platform, opened.officer, opened.id, session.id, "教室检修")
    assert (await service.sessions_of_class(platform, opened.officer, opened.id)).rows == []
    with pytest.raises(NotFound):
        await rolls.roll(platform, opened.officer, opened.id, session.id)
    await stage.teaching_session(platform, opened)
    kept = await platform["teaching_sessions"].find_one({"_id": session.id})
    assert kept is not None and kept["cancelled_at"] == platform.clock.now()


async def test_the_neighbour_sees_and_changes_nothing(
    platform: Platform, opened: ClassInSession, session: TeachingSession
) -> None:
    neighbour = stage.actor(cast.YANGZHOU_OFFICER)
    wanted = LateRegistration(person_id=opened.trainees[0].actor.person_id, reason="没有理由")
    attempts = [
        service.sessions_of_class(platform, neighbour, opened.id),
        rolls.roll(platform, neighbour, opened.id, session.id),
        codes.code_for_screen(platform, neighbour, opened.id, session.id),
        service.sheet_of_class(platform, neighbour, opened.id),
        timetable.add_session(platform, neighbour, opened.id, stage.session_draft()),
        timetable.add_timetable(platform, neighbour, opened.id, whole_timetable()),
        timetable.change_session(platform, neighbour, opened.id, session.id, stage.session_draft()),
        timetable.cancel_session(platform, neighbour, opened.id, session.id, "教室检修"),
        rolls.register_late(platform, neighbour, opened.id, session.id, wanted),
    ]
    for attempt in attempts:
        with pytest.raises(NotFound):
            await attempt


# ---- batches


async def in_one_batch(
    desk: CheckInDesk, filler: Actor, code: str, scans: list[tuple[Actor, Scan]]
) -> list[CheckedIn | BaseException]:
    """The answers to scans that share a batch: copies of the `filler`'s scan take every lane before them."""
    everybody = [(filler, Scan(code, "filler"))] * 8 + scans
    answers = await asyncio.gather(
        *(desk.check_in(actor, scan) for actor, scan in everybody), return_exceptions=True
    )
    assert sum(isinstance(answer, CheckedIn) and answer.new for answer in answers[:8]) == 1
    return answers[8:]


async def test_one_bad_row_of_a_batch_fails_alone(
    platform: Platform, opened: ClassInSession, session: TeachingSession, desk: CheckInDesk
) -> None:
    code = stage.code_of(platform, session)
    only_short_nonces = {"nonce": {"$not": {"$eq": "bad"}}}
    await platform.db.command("collMod", "check_ins", validator=only_short_nonces)
    try:
        filler, *others = (phone.actor for phone in opened.trainees)
        scans = [(actor, Scan(code, nonce)) for actor, nonce in zip(others, ("a", "bad", "b"), strict=True)]
        answers = await in_one_batch(desk, filler, code, scans)
    finally:
        await platform.db.command("collMod", "check_ins", validator={})
    assert [isinstance(answer, CheckedIn) for answer in answers] == [True, False, True]
    assert await platform["check_ins"].count_documents({}) == 3


async def test_each_of_a_batch_gets_its_own_answer(
    platform: Platform,
    wechat: Simulator,
    opened: ClassInSession,
    session: TeachingSession,
    desk: CheckInDesk,
    clock: FixedClock,
) -> None:
    stale = stage.code_of(platform, session)
    clock.advance(timedelta(seconds=30))
    code = stage.code_of(platform, session)
    later = await stage.teaching_session(
        platform, opened, starts_at=session.starts_at + DAY, ends_at=session.ends_at + DAY
    )
    one, two, three, four = (phone.actor for phone in opened.trainees)
    made, copy, late, *refused = await in_one_batch(
        desk,
        one,
        code,
        [
            (two, Scan(code, "2")),
            (two, Scan(code, "2")),
            (two, Scan(stale, "3")),
            (three, Scan(stale, "4")),
            (four, Scan(stage.code_of(platform, later), "5")),
            (opened.teacher.actor, Scan(code, "6")),
        ],
    )
    assert isinstance(made, CheckedIn) and made.new
    assert copy == late == made._replace(new=False), "who is in is told so, though the code is old"
    assert [type(one) for one in refused] == [CodeExpired, SessionNotOpen, NotEnrolled]
    assert await platform["check_ins"].count_documents({}) == 2
    assert await platform["refused_scans"].count_documents({}) == 3


async def test_two_processes_make_one_check_in_of_one_person(
    platform: Platform, opened: ClassInSession, session: TeachingSession
) -> None:
    scan = Scan(stage.code_of(platform, session), "1")
    answers = await asyncio.gather(
        *(CheckInDesk(platform).check_in(opened.trainees[0].actor, scan) for _ in range(8))
    )
    assert sum(answer.new for answer in answers) == 1
    assert len({answer.row["_id"] for answer in answers}) == 1


# ---- by hand


async def test_registering_by_hand_and_by_phone_at_once_makes_one_row(
    platform: Platform, opened: ClassInSession, session: TeachingSession, desk: CheckInDesk
) -> None:
    trainee = opened.trainees[0].actor
    wanted = LateRegistration(person_id=trainee.person_id, reason="手机没电")
    by_phone, by_hand = await asyncio.gather(
        desk.check_in(trainee, Scan(stage.code_of(platform, session), "1")),
        rolls.register_late(platform, opened.officer, opened.id, session.id, wanted),
        return_exceptions=True,
    )
    assert isinstance(by_phone, CheckedIn)
    assert by_phone.new == isinstance(by_hand, AlreadyCheckedIn)
    assert await platform["check_ins"].count_documents({}) == 1


async def test_nobody_is_registered_by_hand_before_the_window_or_after_the_release(
    platform: Platform, opened: ClassInSession, session: TeachingSession, clock: FixedClock
) -> None:
    wanted = LateRegistration(person_id=opened.trainees[0].actor.person_id, reason="手机没电")
    clock.set(session.opens_at - timedelta(seconds=1))
    with pytest.raises(SessionNotOpen):
        await rolls.register_late(platform, opened.officer, opened.id, session.id, wanted)
    clock.set(session.closes_at)
    await classes_store.set_results_released(platform, opened.id, clock.now())
    with pytest.raises(AttendanceFrozen):
        await rolls.register_late(platform, opened.officer, opened.id, session.id, wanted)


async def test_nobody_from_outside_the_class_is_registered_by_hand(
    platform: Platform, opened: ClassInSession, session: TeachingSession
) -> None:
    wanted = LateRegistration(person_id=opened.teacher.actor.person_id, reason="不在名册")
    with pytest.raises(NotFound):
        await rolls.register_late(platform, opened.officer, opened.id, session.id, wanted)


# ---- hours


async def test_hours_count_what_has_ended_and_late_counts_as_attended(
    platform: Platform,
    opened: ClassInSession,
    session: TeachingSession,
    desk: CheckInDesk,
    clock: FixedClock,
) -> None:
    await stage.teaching_session(
        platform, opened, starts_at=session.starts_at + DAY, ends_at=session.ends_at + DAY, hours=3
    )
    await desk.check_in(opened.trainees[0].actor, Scan(stage.code_of(platform, session), "1"))
    clock.set(session.late_after + timedelta(minutes=1))
    await desk.check_in(opened.trainees[1].actor, Scan(stage.code_of(platform, session), "1"))
    ids = [phone.actor.person_id for phone in opened.trainees]
    assert (await service.hours_of_class(platform, opened.training_class)).held == 0
    clock.set(session.ends_at + rules.SETTLES_AFTER)
    today = await service.hours_of_class(platform, opened.training_class)
    assert (today.held, today.owed, today.unfinished) == (4, 80, 1)
    assert [today.attended.get(one, 0) for one in ids] == [4, 4, 0, 0]
    clock.set(session.ends_at + DAY + rules.SETTLES_AFTER)
    await stage.come(platform, opened.id)
    assert (await service.hours_of_class(platform, opened.training_class)).held == 7


# ---- the database


async def test_every_query_of_a_list_uses_an_index(
    platform: Platform, opened: ClassInSession, session: TeachingSession
) -> None:
    queries: list[tuple[str, dict[str, Any], list[tuple[str, int]]]] = [
        ("teaching_sessions", {"class_id": opened.id, "cancelled_at": None}, [("starts_at", 1), ("_id", 1)]),
        ("teaching_sessions", {"_id": {"$in": [session.id]}, "cancelled_at": None}, []),
        ("check_ins", {"session_id": session.id}, []),
        ("check_ins", {"session_id": {"$in": [session.id]}}, []),
        ("check_ins", {"$or": [{"session_id": session.id, "person_id": "one"}]}, []),
        ("refused_scans", {"session_id": session.id}, [("_id", -1)]),
        ("enrolments", {"person_id": {"$in": ["one"]}}, []),
    ]
    for collection, condition, order in queries:
        cursor = platform[collection].find(condition)
        plan = await (cursor.sort(order) if order else cursor).explain()
        stages = str(plan["queryPlanner"]["winningPlan"])
        assert "COLLSCAN" not in stages, (collection, condition)
        assert "'SORT'" not in stages, (collection, condition)


async def test_what_the_hot_path_writes_is_what_the_model_reads(
    platform: Platform, opened: ClassInSession, session: TeachingSession, desk: CheckInDesk
) -> None:
    made = await desk.check_in(opened.trainees[0].actor, Scan(stage.code_of(platform, session), "1", "phone"))
    [kept] = await store.check_ins_of_session(platform, session.id)
    assert kept.to_mongo() == made.row and list(kept.to_mongo()) == list(made.row)


async def test_refused_scans_go_after_a_year(platform: Platform) -> None:
    indexes = await platform["refused_scans"].index_information()
    assert indexes["at_1"]["expireAfterSeconds"] == 365 * 24 * 3600


async def test_sessions_are_frozen_with_the_results(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat)
    session = await stage.teaching_session(platform, opened)
    await platform["classes"].update_one(
        {"_id": opened.id}, {"$set": {"results_released_at": platform.clock.now()}}
    )
    tomorrow = stage.session_draft(title="第 3 天上午")
    for late in (
        timetable.add_session(platform, opened.officer, opened.id, tomorrow),
        timetable.change_session(platform, opened.officer, opened.id, session.id, tomorrow),
        timetable.cancel_session(platform, opened.officer, opened.id, session.id, "教室检修"),
    ):
        with pytest.raises(ResultsReleased):
            await late
