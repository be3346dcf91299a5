"""第四条（七）: 确保参训教师全实名，培训过程可追溯."""

from datetime import timedelta

import pytest

from server.attendance import changes, rolls, timetable
from server.attendance.changes import CheckInChange, Closing, LateRegistrations
from server.attendance.check_in import CheckInDesk, Scan
from server.attendance.rolls import LateRegistration
from server.attendance.rules import CodeExpired, NotEnrolled, NotYetThere, SessionNotOpen, Status
from server.attendance.timetable import FenceDraft, SessionOver
from server.kernel import audit
from server.kernel.clock import BEIJING, FixedClock
from server.kernel.errors import Invalid
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage


async def test_only_a_person_of_the_roster_checks_in_and_never_for_another(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    """确保参训教师全实名: the row carries the person bound to the phone; somebody who is not of the class leaves none."""
    held = await stage.class_in_session(platform, wechat, trainees=1)
    session = await stage.teaching_session(platform, held)
    clock.set(session.starts_at)
    code = stage.code_of(platform, session)
    row, new, _ = await CheckInDesk(platform).check_in(held.trainees[0].actor, Scan(code, "nonce"))
    assert new and row["person_id"] == held.trainees[0].actor.person_id
    stranger = held.teacher.actor
    with pytest.raises(NotEnrolled):
        await CheckInDesk(platform).check_in(stranger, Scan(code, "other"))
    assert await platform["check_ins"].count_documents({}) == 1


async def test_a_refused_scan_is_kept_for_the_teacher_to_see(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    """培训过程可追溯: what was tried and refused stays with its reason and its moment."""
    held = await stage.class_in_session(platform, wechat, trainees=1)
    session = await stage.teaching_session(platform, held)
    clock.set(session.starts_at)
    code = stage.code_of(platform, session)
    clock.advance(timedelta(minutes=1))
    with pytest.raises(CodeExpired):
        await CheckInDesk(platform).check_in(held.trainees[0].actor, Scan(code, "late"))
    roll = await rolls.taught_roll(platform, held.teacher.actor, session.id)
    assert [(one.person_id, one.reason) for one in roll.refused] == [
        (held.trainees[0].actor.person_id, "code-expired")
    ]


async def test_nobody_was_in_a_session_that_ended_before_they_were_of_the_class(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    """培训过程可追溯: not by 补签, alone or with others, nor by what was void and comes alive: they missed it, and make it up."""
    held = await stage.class_in_session(platform, wechat, trainees=1)
    session = await stage.teaching_session(platform, held)
    [late] = cast.people(1, first_seed=300)
    clock.set(session.ends_at)
    [there] = held.trainees
    [late_id] = await stage.enrol(platform, cast.XINGTAI_OFFICER, held.id, [late])
    alone = LateRegistration(person_id=late_id, reason="手机没电，现场核对本人")
    with pytest.raises(NotYetThere, match=late.name):
        await rolls.register_late(platform, held.officer, held.id, session.id, alone)
    both = LateRegistrations(person_ids=[there.actor.id, late_id], reason=alone.reason)
    with pytest.raises(NotYetThere, match=late.name):
        await changes.register_all(platform, held.officer, held.id, session.id, both)
    assert await platform["check_ins"].count_documents({}) == 0
    there_alone = LateRegistrations(person_ids=[there.actor.id], reason=alone.reason)
    assert (await changes.register_all(platform, held.officer, held.id, session.id, there_alone)).new
    by_then = {"$set": {"enrolled_at": session.ends_at}}
    await platform["enrolments"].update_one({"person_id": there.actor.id}, by_then)
    void = CheckInChange(person_id=there.actor.id, status=Status.VOID, reason="当时还不在本班")
    await changes.change_check_in(platform, held.officer, held.id, session.id, void)
    with pytest.raises(NotYetThere):
        await changes.change_check_in(
            platform, held.officer, held.id, session.id, void.model_copy(update={"status": Status.PRESENT})
        )


async def test_arrival_counts_where_the_class_asks_for_it(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    """报到 at noon: the morning was missed, whatever the day of enrolment."""
    held = await stage.class_in_session(platform, wechat, trainees=1)
    session = await stage.teaching_session(platform, held)
    person_id = held.trainees[0].actor.id
    arrived = {"arrival_required": True, "arrived_at": session.ends_at}
    await platform["enrolments"].update_one({"person_id": person_id}, {"$set": arrived})
    clock.set(session.ends_at + timedelta(hours=1))
    wanted = LateRegistration(person_id=person_id, reason="手机没电，现场核对本人")
    with pytest.raises(NotYetThere):
        await rolls.register_late(platform, held.officer, held.id, session.id, wanted)
    earlier = {"arrived_at": session.ends_at - timedelta(minutes=1)}
    await platform["enrolments"].update_one({"person_id": person_id}, {"$set": earlier})
    assert (await rolls.register_late(platform, held.officer, held.id, session.id, wanted))[1]


async def test_a_check_in_opens_shortly_before_its_session_as_long_as_the_policy_lets_it(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    """培训过程可追溯: a check-in says that somebody is there, and is not made at 08:25 for the afternoon."""
    held = await stage.class_in_session(platform, wechat, trainees=1)
    planned = stage.session_draft()
    for minutes in (61, 24 * 60):
        opens_at = planned.starts_at - timedelta(minutes=minutes)
        with pytest.raises(Invalid) as refused:
            await stage.teaching_session(platform, held, opens_at=opens_at)
        assert [one.place for one in refused.value.fields] == ["opens_at"]
    hour = planned.starts_at - timedelta(minutes=60)
    assert (await stage.teaching_session(platform, held, opens_at=hour)).opens_at == hour


async def test_a_check_in_is_changed_once_the_session_has_begun_and_not_before(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    """培训过程可追溯: before it begins nobody can say who was there, and nothing of a session to come is made so."""
    held = await stage.class_in_session(platform, wechat, trainees=1)
    session = await stage.teaching_session(platform, held)
    clock.set(session.starts_at - timedelta(minutes=10))
    person_id = held.trainees[0].actor.id
    await CheckInDesk(platform).check_in(
        held.trainees[0].actor, Scan(stage.code_of(platform, session), "early")
    )
    void = CheckInChange(person_id=person_id, status=Status.VOID, reason="替同事扫的码")
    with pytest.raises(SessionNotOpen):
        await changes.change_check_in(platform, held.officer, held.id, session.id, void)
    clock.set(session.starts_at)
    changed = await changes.change_check_in(platform, held.officer, held.id, session.id, void)
    assert changed.status is Status.VOID


async def test_whoever_registers_somebody_by_hand_says_why_and_is_named(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    """培训过程可追溯: 补签 carries who, when and why, and stands in the audit trail."""
    held = await stage.class_in_session(platform, wechat, trainees=1)
    session = await stage.teaching_session(platform, held)
    clock.set(session.starts_at)
    person_id = held.trainees[0].actor.person_id
    wanted = LateRegistration(person_id=person_id, reason="手机没电，现场核对本人")
    row, new = await rolls.register_late(platform, held.officer, held.id, session.id, wanted)
    assert (new, row.registered_by, row.reason) == (True, cast.XINGTAI_OFFICER.name, wanted.reason)
    entry = await platform["audit"].find_one({"action": "attendance:register-late"})
    assert entry is not None
    assert (entry["actor_name"], entry["facts"]["reason"]) == (cast.XINGTAI_OFFICER.name, wanted.reason)
    with pytest.raises((Invalid, ValueError)):
        LateRegistration(person_id=person_id, reason="")


async def test_the_trail_says_of_a_session_what_it_was_and_what_it_is_in_one_zone(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    """培训过程可追溯: each thing that changed, before and after, whatever zone a form or the database has it in."""
    held = await stage.class_in_session(platform, wechat, trainees=0)
    session = await stage.teaching_session(platform, held)
    hour = timedelta(hours=1)
    draft = stage.session_draft(
        place="实训楼 402",
        course=held.training_class.courses[0],
        starts_at=(session.starts_at + hour).astimezone(BEIJING),
        ends_at=(session.ends_at + hour).astimezone(BEIJING),
        geofence=FenceDraft(latitude=37.07, longitude=114.5, radius_m=100),
    )
    await timetable.change_session(platform, held.officer, held.id, session.id, draft)
    entries = await audit.of_subject(platform, session.id)
    assert entries[0]["facts"]["changes"].split("；") == [
        f"课程：无 → {held.training_class.courses[0]}",
        "地点：实训楼 301 → 实训楼 402",
        "上课：2026-03-17 09:00 → 2026-03-17 10:00",
        "下课：2026-03-17 12:00 → 2026-03-17 13:00",
        "签到开始：2026-03-17 08:40 → 2026-03-17 09:40",
        "迟到：2026-03-17 09:05 → 2026-03-17 10:05",
        "签到结束：2026-03-17 09:30 → 2026-03-17 10:30",
        "签到范围：无 → 37.070000，114.500000（GCJ-02）100 米以内",
    ]
    assert entries[1]["facts"]["place"] == "实训楼 301" and entries[1]["facts"]["fence"] == ""
    clock.set(session.starts_at + hour)
    later = Closing(closes_at=(session.ends_at + hour).astimezone(BEIJING))
    await changes.move_closing(platform, held.officer, held.id, session.id, later)
    [extended, *_] = await audit.of_subject(platform, session.id)
    assert (extended["facts"]["before"], extended["facts"]["after"]) == (
        "2026-03-17 10:30",
        "2026-03-17 13:00",
    )


async def test_a_session_that_has_ended_is_not_rewritten_afterwards(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    """培训过程可追溯: where and when it was to be held stands; that it was not held is said by cancelling it."""
    held = await stage.class_in_session(platform, wechat, trainees=1)
    session = await stage.teaching_session(platform, held)
    clock.set(session.ends_at)
    elsewhere = stage.session_draft(place="实训楼 402")
    with pytest.raises(SessionOver):
        await timetable.change_session(platform, held.officer, held.id, session.id, elsewhere)
    await timetable.cancel_session(platform, held.officer, held.id, session.id, "停电，没有上课")
