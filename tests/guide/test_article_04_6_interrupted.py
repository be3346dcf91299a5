"""第四条（六）、（七）: a class that was cut short still certifies only what was held (培训过程可追溯), and each way is approved."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from server.attendance import added, changes, rolls, timetable
from server.attendance import service as attendance
from server.attendance.added import MakeUp, Voiding
from server.attendance.changes import CheckInChange, LateRegistrations
from server.attendance.check_in import CheckInDesk, Scan
from server.attendance.documents import AddedKind, TeachingSession
from server.attendance.hours import TooManyHours
from server.attendance.rolls import LateRegistration
from server.attendance.rules import Status
from server.certificates import issue, reconcile
from server.classes import service as classes
from server.classes.enrolment import DatesClash
from server.classes.rules import Condition
from server.classes.service import ClassEnded
from server.institutions.rules import Level
from server.interruptions import facts, service
from server.interruptions.requests import Postponement, Revocation, Suspension, Termination, Transfer
from server.interruptions.rules import Ground, NotLater, State
from server.kernel import policies
from server.kernel.clock import FixedClock
from server.kernel.errors import Invalid
from server.kernel.identity import Role
from server.kernel.permissions import ROLE_PERMISSIONS, Permission
from server.kernel.platform import Platform
from server.kernel.policies import PolicyChange
from server.kernel.reviews import NotYours, Review
from server.schemes import rules as scheme_rules
from server.schemes.content import Content, CourseRow
from server.wechat.simulator import Simulator
from tests import cast, certifying, stage
from tests.stage import ClassInSession

CENTRE = stage.actor(cast.CENTRE)
HEBEI = stage.actor(cast.HEBEI_OFFICER)
XINGTAI = stage.actor(cast.XINGTAI_OFFICER)
TYPHOON: dict[str, Any] = {"ground": Ground.FORCE_MAJEURE, "reason": "台风登陆，当地停课。"}


@pytest.fixture
async def opened(platform: Platform, wechat: Simulator) -> ClassInSession:
    """A class of 邢台 from 16 to 27 March 2026."""
    return await stage.class_in_session(platform, wechat)


async def session_on(platform: Platform, opened: ClassInSession, day: int) -> TeachingSession:
    """From nine to twelve in March, 4 class hours."""
    nine = datetime(2026, 3, day, 1, tzinfo=UTC)
    changes = {"title": f"{day} 日上午", "starts_at": nine, "ends_at": nine + timedelta(hours=3)}
    return await stage.teaching_session(platform, opened, **changes)


async def attend(platform: Platform, clock: FixedClock, opened: ClassInSession, day: int) -> None:
    session = await session_on(platform, opened, day)
    clock.set(session.starts_at)
    for one in opened.trainees:
        scan = Scan(stage.code_of(platform, session), f"{one.actor.id}-{day}")
        await CheckInDesk(platform).check_in(one.actor, scan)
    clock.set(session.ends_at + timedelta(minutes=5))


async def test_each_way_waits_for_the_province(platform: Platform, opened: ClassInSession) -> None:
    """第二十五条（四）: no institution approves its own suspension, and until it is approved the class is as it was."""
    may = {role for role in Role if Permission.INTERRUPTIONS_REVIEW in ROLE_PERMISSIONS[role]}
    assert may == {Role.PROVINCE}
    wanted = Suspension(first=date(2026, 3, 18), last=date(2026, 3, 20), ends_on=date(2026, 3, 31), **TYPHOON)
    asked = await service.suspend(platform, XINGTAI, opened.id, wanted)
    with pytest.raises(NotYours):
        await service.approve(platform, XINGTAI, asked.id, Review(seen=1))
    found = await classes.get_class(platform, XINGTAI, opened.id)
    assert (found.ends_on, found.suspensions) == (date(2026, 3, 27), [])


async def test_a_suspension_lasts_as_long_as_the_policy_lets_it(
    platform: Platform, opened: ClassInSession
) -> None:
    """The guide says nothing of it, and the centre may."""
    shorter = PolicyChange(
        key="suspension_days_most", value=3, effective_from=date(2026, 3, 16), reason="先行试行"
    )
    await policies.change(platform, CENTRE, shorter)
    week = {"first": date(2026, 3, 18), "ends_on": date(2026, 4, 3)}
    four = Suspension(last=date(2026, 3, 21), **week, **TYPHOON)
    with pytest.raises(Invalid) as refused:
        await service.suspend(platform, XINGTAI, opened.id, four)
    assert "暂停最长 3 天" in refused.value.fields[0].message
    three = Suspension(last=date(2026, 3, 20), **week, **TYPHOON)
    assert (await service.suspend(platform, XINGTAI, opened.id, three)).state is State.SUBMITTED


async def test_the_certificate_of_a_class_that_was_put_off_states_the_real_days_and_keeps_the_planned_month(
    platform: Platform, clock: FixedClock, wechat: Simulator
) -> None:
    """第十七条: 培训时间 is a fact, and the number has the 培训班年月 of the class as it was planned."""
    opened = await stage.class_in_session(
        platform, wechat, trainees=1, starts_on=date(2026, 3, 30), ends_on=date(2026, 4, 3)
    )
    wanted = Postponement(starts_on=date(2026, 4, 7), ends_on=date(2026, 4, 13), **TYPHOON)
    asked = await service.postpone(platform, XINGTAI, opened.id, wanted)
    await service.approve(platform, HEBEI, asked.id, Review(seen=1))
    clock.set(datetime(2026, 4, 15, 10, tzinfo=UTC))  # it is held in the seven days before
    await certifying.release(platform, opened.id)
    [certificate] = await certifying.issued(platform, opened)
    printed = certificate.printed
    assert (printed.training_from, printed.training_to) == (date(2026, 4, 7), date(2026, 4, 13))
    assert printed.number[5:11] == "202603"


async def test_hours_held_in_a_class_that_was_cut_short_count_once_in_a_later_one(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    """转班补学: never more than were held, and nothing is certified by the class that was cut short."""
    later = await stage.open_class(
        platform,
        XINGTAI,
        stage.class_draft(
            name="2026年5月三级教师培训班", starts_on=date(2026, 5, 11), ends_on=date(2026, 5, 22)
        ),
    )
    await attend(platform, clock, opened, 17)
    await session_on(platform, opened, 24)  # never held
    ids = [one.actor.id for one in opened.trainees]
    wanted = Transfer(class_id=later.id, person_ids=ids, **TYPHOON)
    asked = await service.transfer(platform, XINGTAI, opened.id, wanted)
    await service.approve(platform, HEBEI, asked.id, Review(seen=1))
    credited = await added.of_class(platform, XINGTAI, later.id)
    assert [(one.kind, one.hours) for one in credited] == [(AddedKind.CREDITED, 4)] * 2
    with pytest.raises(ClassEnded):
        await issue.issue_certificates(platform, XINGTAI, opened.id)


async def test_the_same_days_are_not_counted_twice_by_a_class_that_ran_at_the_same_time(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    """Whoever sat in the first class on the 20th was in no other one; who came no more after the 17th may go on in that of the 20th."""
    draft = stage.class_draft(name="同期的培训班", starts_on=date(2026, 3, 20), ends_on=date(2026, 4, 2))
    beside = await stage.open_class(platform, XINGTAI, draft)
    stayed, left = opened.trainees
    await attend(platform, clock, opened, 17)
    session = await session_on(platform, opened, 20)
    clock.set(session.starts_at)
    scan = Scan(stage.code_of(platform, session), "stayed")
    await CheckInDesk(platform).check_in(stayed.actor, scan)
    clock.set(session.ends_at + timedelta(minutes=5))
    assert (await facts.later_classes(platform, opened.training_class, "")).classes == []
    both = Transfer(class_id=beside.id, person_ids=[stayed.actor.id, left.actor.id], **TYPHOON)
    with pytest.raises(NotLater, match="not-a-later-class"):
        await service.transfer(platform, XINGTAI, opened.id, both)
    one = Transfer(class_id=beside.id, person_ids=[left.actor.id], **TYPHOON)
    asked = await service.transfer(platform, XINGTAI, opened.id, one)
    await service.approve(platform, HEBEI, asked.id, Review(seen=1))
    [credited] = await added.of_class(platform, XINGTAI, beside.id)
    assert credited.hours == 4


async def test_a_session_whose_check_ins_are_all_void_is_not_held_again_at_another_time(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    """（七）培训过程可追溯: a check-in belongs to the time at which it was made, and cannot come alive for a session yet to come."""
    await attend(platform, clock, opened, 17)
    [(session, _)] = await timetable.all_sessions(platform, opened.id)
    for one in opened.trainees:
        void = CheckInChange(person_id=one.actor.id, status=Status.VOID, reason="没有上课")
        await changes.change_check_in(platform, XINGTAI, opened.id, session.id, void)
    assert [used for _, used in await timetable.all_sessions(platform, opened.id)] == [True]
    later = {session.id: session.starts_at + timedelta(days=14)}
    wanted = Postponement(starts_on=date(2026, 3, 16), ends_on=date(2026, 4, 3), moves=later, **TYPHOON)
    with pytest.raises(Invalid):
        await service.postpone(platform, XINGTAI, opened.id, wanted)


async def test_no_more_is_credited_than_the_person_is_missing_there(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    later = await stage.open_class(
        platform,
        XINGTAI,
        stage.class_draft(name="五月的培训班", starts_on=date(2026, 5, 11), ends_on=date(2026, 5, 22)),
    )
    person = opened.trainees[0]
    await attend(platform, clock, opened, 17)
    await platform["classes"].update_one({"_id": later.id}, {"$set": {"class_hours": 3}})
    asked = await service.transfer(
        platform, XINGTAI, opened.id, Transfer(class_id=later.id, person_ids=[person.actor.id], **TYPHOON)
    )
    await service.approve(platform, HEBEI, asked.id, Review(seen=1))
    [credited] = await added.of_class(platform, XINGTAI, later.id)
    assert credited.hours == 3


@pytest.mark.parametrize("level", Level)
async def test_a_new_version_of_the_scheme_never_goes_below_the_floor_of_its_level(level: Level) -> None:
    """The third way of a class that was cut short: fewer hours, never fewer than the 培训标准 asks."""
    frame = scheme_rules.Frame(level, 60, 40, date(2026, 3, 16), date(2026, 3, 27), {})
    short = Content(
        objectives="目标",
        courses=(CourseRow(title="课程", hours=59),),
        sessions=(),
        tasks=(),
        places="",
        materials="",
        formative_weight=40,
    )
    said = [one.message for one in scheme_rules.shortcomings(short, frame)]
    assert any("不低于 60 课时" in words for words in said)


async def test_one_persons_missed_hours_are_made_up_with_a_record(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    """（七）培训过程可追溯: when, how many hours, what was taught and by whom; never more than were missed."""
    session = await session_on(platform, opened, 17)
    clock.set(session.starts_at)
    there = Scan(stage.code_of(platform, session), "who-was-there")
    await CheckInDesk(platform).check_in(opened.trainees[1].actor, there)
    clock.set(datetime(2026, 3, 17, 8, tzinfo=UTC))
    person = opened.trainees[0].actor.id

    def made_up(hours: int) -> MakeUp:
        return MakeUp(
            person_id=person,
            hours=hours,
            held_on=date(2026, 3, 17),
            taught="补上上午的课程",
            taught_by=cast.BACKBONE_TEACHER.name,
        )

    with pytest.raises(TooManyHours):
        await added.make_up(platform, XINGTAI, opened.id, made_up(5))
    await added.make_up_as_teacher(platform, opened.teacher.actor, opened.id, made_up(4))
    assert (await attendance.hours_of_class(platform, opened.training_class)).attended[person] == 4


async def test_what_was_missed_is_made_up_afterwards_and_on_days_into_which_it_fits(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    """（七）培训过程可追溯: not before the first session that was missed, and at most 12 hours a day with what was taught on it."""
    missing, there = opened.trainees
    for day in (17, 18, 19, 20):
        session = await session_on(platform, opened, day)
        clock.set(session.starts_at)
        for one in [there] if day < 20 else opened.trainees:
            scan = Scan(stage.code_of(platform, session), f"{one.actor.id}-{day}")
            await CheckInDesk(platform).check_in(one.actor, scan)
        clock.set(session.ends_at + timedelta(minutes=5))

    def made_up(hours: int, day: int, taught: str = "补上缺的课") -> MakeUp:
        return MakeUp(
            person_id=missing.actor.id,
            hours=hours,
            held_on=date(2026, 3, day),
            taught=taught,
            taught_by=cast.BACKBONE_TEACHER.name,
        )

    with pytest.raises(Invalid) as early:
        await added.make_up(platform, XINGTAI, opened.id, made_up(4, 16))
    assert "2026-03-17 第一次缺课" in early.value.fields[0].message
    with pytest.raises(TooManyHours, match="该学员当天已有 4 课时"):
        await added.make_up(platform, XINGTAI, opened.id, made_up(9, 20))
    with pytest.raises(TooManyHours, match="授课教师当天已有 4 课时"):
        await added.make_up(platform, XINGTAI, opened.id, made_up(9, 19))
    await added.make_up(platform, XINGTAI, opened.id, made_up(5, 20))
    with pytest.raises(TooManyHours, match="最多还能补 3 课时"):
        await added.make_up(platform, XINGTAI, opened.id, made_up(4, 20, "晚上的课"))
    await added.make_up(platform, XINGTAI, opened.id, made_up(3, 20, "晚上的课"))
    await added.make_up(platform, XINGTAI, opened.id, made_up(4, 19))


async def test_hours_that_were_made_up_are_not_had_a_second_time_by_a_check_in(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    """Whoever was there after all has the 补课 taken back first: by 补签, with others, and where a void check-in comes alive."""
    first, second = [await session_on(platform, opened, day) for day in (17, 18)]
    missing, there = opened.trainees
    for session in (first, second):
        clock.set(session.starts_at)
        for one in [there] if session is first else opened.trainees:
            scan = Scan(stage.code_of(platform, session), f"{one.actor.id}-{session.id}")
            await CheckInDesk(platform).check_in(one.actor, scan)
        clock.set(session.ends_at + timedelta(minutes=5))
    draft = MakeUp(
        person_id=missing.actor.id,
        hours=4,
        held_on=date(2026, 3, 18),
        taught="补上 17 日的课",
        taught_by=cast.BACKBONE_TEACHER.name,
    )
    made = await added.make_up(platform, XINGTAI, opened.id, draft)
    there_too = LateRegistration(person_id=missing.actor.id, reason="当天手机没电，在场")
    with pytest.raises(TooManyHours, match="请先撤销"):
        await rolls.register_late(platform, XINGTAI, opened.id, first.id, there_too)
    together = LateRegistrations(person_ids=[missing.actor.id], reason=there_too.reason)
    with pytest.raises(TooManyHours):
        await changes.register_all(platform, XINGTAI, opened.id, first.id, together)
    void = CheckInChange(person_id=missing.actor.id, status=Status.VOID, reason="当天没有到")
    await changes.change_check_in(platform, XINGTAI, opened.id, second.id, void)
    await added.make_up(
        platform, XINGTAI, opened.id, draft.model_copy(update={"taught": "补上 18 日的课", "hours": 4})
    )
    again = void.model_copy(update={"status": Status.PRESENT})
    with pytest.raises(TooManyHours):
        await changes.change_check_in(platform, XINGTAI, opened.id, second.id, again)
    await added.void(platform, XINGTAI, opened.id, made.id, Voiding(reason="当天在场，改为补签"))
    await rolls.register_late(platform, XINGTAI, opened.id, first.id, there_too)
    attended = (await attendance.hours_of_class(platform, opened.training_class)).attended
    assert attended == {missing.actor.id: 8, there.actor.id: 8}


async def test_a_teacher_who_makes_hours_up_with_several_people_teaches_them_once(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    session = await session_on(platform, opened, 17)
    clock.set(session.ends_at + timedelta(days=1))
    await platform["check_ins"].insert_one(
        {"_id": "0" * 24, "session_id": session.id, "person_id": "9" * 24, "status": "present"}
    )
    policy = PolicyChange(
        key="make_up_hours_a_day", value=4, effective_from=date(2026, 3, 18), reason="先行试行"
    )
    await policies.change(platform, CENTRE, policy)
    for one in opened.trainees:
        together = MakeUp(
            person_id=one.actor.id,
            hours=4,
            held_on=date(2026, 3, 18),
            taught="补上 17 日的课",
            taught_by=cast.BACKBONE_TEACHER.name,
        )
        await added.make_up(platform, XINGTAI, opened.id, together)


async def test_a_terminated_class_certifies_nobody_and_recruits_nobody(
    platform: Platform, opened: ClassInSession
) -> None:
    """（六）向通过考核的参训教师核发: there is nothing to pass in a class that ended early."""
    asked = await service.terminate(platform, XINGTAI, opened.id, Termination(**TYPHOON))
    done = await service.approve(platform, HEBEI, asked.id, Review(seen=1))
    assert done.state is State.APPROVED
    found = await classes.get_class(platform, XINGTAI, opened.id)
    assert found.condition is Condition.TERMINATED
    with pytest.raises(ClassEnded):
        await issue.issue_certificates(platform, XINGTAI, opened.id)
    with pytest.raises(ClassEnded):
        await stage.enrol(platform, cast.XINGTAI_OFFICER, opened.id, cast.people(1, 700))


# ---- nobody sits in two classrooms


LATER = {"name": "2026年4月三级教师培训班", "starts_on": date(2026, 3, 30), "ends_on": date(2026, 4, 10)}


def prolonged(day: int, month: int = 3) -> Postponement:
    return Postponement(starts_on=date(2026, 3, 16), ends_on=date(2026, month, day), **TYPHOON)


async def test_a_class_that_is_prolonged_puts_nobody_into_two_classrooms(
    platform: Platform, opened: ClassInSession
) -> None:
    """（七）全实名、可追溯: who is in two places at once is in neither; asked with the request, and again with the approval."""
    later = await stage.open_class(platform, XINGTAI, stage.class_draft(**LATER))
    asked = await service.postpone(platform, XINGTAI, opened.id, prolonged(31))
    await stage.enrol(platform, cast.XINGTAI_OFFICER, later.id, cast.people(2))
    with pytest.raises(DatesClash) as refused:
        await service.approve(platform, HEBEI, asked.id, Review(seen=1))
    assert all(f"{one.name}已在“{later.name}”" in refused.value.detail for one in cast.people(2))
    assert (await classes.get_class(platform, XINGTAI, opened.id)).ends_on == date(2026, 3, 27)
    await service.withdraw(platform, XINGTAI, asked.id, Review(seen=1))
    storm = {"first": date(2026, 3, 18), "last": date(2026, 3, 20), "ends_on": date(2026, 3, 30)}
    for asking in (
        service.postpone(platform, XINGTAI, opened.id, prolonged(31)),
        service.suspend(platform, XINGTAI, opened.id, Suspension(**storm, **TYPHOON)),
    ):
        with pytest.raises(DatesClash):
            await asking
    assert (await service.postpone(platform, XINGTAI, opened.id, prolonged(29))).state is State.SUBMITTED


async def test_a_class_whose_change_is_undone_puts_nobody_into_two_classrooms(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(
        platform, wechat, trainees=1, starts_on=date(2026, 3, 23), ends_on=date(2026, 4, 3)
    )
    wanted = Postponement(starts_on=date(2026, 4, 13), ends_on=date(2026, 4, 24), **TYPHOON)
    done = await service.postpone(platform, XINGTAI, opened.id, wanted)
    done = await service.approve(platform, HEBEI, done.id, Review(seen=1))
    why = Revocation(seen=len(done.history), reason="台风已经绕过，照常上课。")
    back = await service.revoke(platform, XINGTAI, done.id, why)
    meanwhile = await stage.open_class(platform, XINGTAI, stage.class_draft(**LATER))
    await stage.enrol(platform, cast.XINGTAI_OFFICER, meanwhile.id, cast.people(1))
    with pytest.raises(DatesClash):
        await service.approve(platform, HEBEI, back.id, Review(seen=1))
    await service.withdraw(platform, XINGTAI, back.id, Review(seen=1))
    with pytest.raises(DatesClash):
        await service.revoke(platform, XINGTAI, done.id, why)


async def test_of_two_of_one_name_it_is_said_who_is_elsewhere_and_nothing_of_another_institutions_class(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=0)
    one, number = cast.people(1)[0], cast.person(3).id_number
    namesake = cast.Person(one.name, number, cast.person(3).phone, "示例第二技工学校")
    await stage.enrol(platform, cast.XINGTAI_OFFICER, opened.id, [one, namesake])
    later = await stage.open_class(platform, stage.actor(cast.YANGZHOU_OFFICER), stage.class_draft(**LATER))
    await stage.enrol(platform, cast.YANGZHOU_OFFICER, later.id, [namesake])
    with pytest.raises(DatesClash) as refused:
        await service.postpone(platform, XINGTAI, opened.id, prolonged(31))
    said = refused.value.detail
    assert said.startswith(f"{one.name}（{namesake.unit}）") and one.unit not in said
    assert later.name not in said and "其他培训机构" in said


# ---- no longer than there is training


async def planned_whole(platform: Platform, opened: ClassInSession) -> TeachingSession:
    """Gives the class sessions for all its hours, the last on 26 March; returns that one."""
    for day in (*range(17, 21), *range(23, 26)):
        session = stage.session_draft(title=f"{day} 日", **long_day(day))
        await timetable.add_session(platform, XINGTAI, opened.id, session)
    draft = stage.session_draft(title="26 日", **long_day(26, hours=3))
    return await timetable.add_session(platform, XINGTAI, opened.id, draft)


def long_day(day: int, month: int = 3, hours: int = 11) -> dict[str, Any]:
    """Eleven hours of a clock are 11 class hours here: seven such days and one of 3 are 80."""
    eight = datetime(2026, month, day, 0, tzinfo=UTC)
    return {"starts_at": eight, "ends_at": eight + timedelta(hours=hours), "hours": hours}


async def test_a_class_is_prolonged_only_for_training_that_is_still_to_be_held(
    platform: Platform, opened: ClassInSession
) -> None:
    """第十七条（一）: 培训时间 on the paper are days of training; 延期 and 暂停 alike."""
    last = await planned_whole(platform, opened)
    quiet = {"first": date(2026, 3, 21), "last": date(2026, 3, 22), "ends_on": date(2026, 4, 30)}
    for asking in (
        service.postpone(platform, XINGTAI, opened.id, prolonged(30, 4)),
        service.suspend(platform, XINGTAI, opened.id, Suspension(**quiet, **TYPHOON)),
    ):
        with pytest.raises(Invalid) as refused:
            await asking
        assert "没有课次改到 2026-03-27 以后" in refused.value.fields[0].message
    moves = {last.id: long_day(30)["starts_at"]}
    wanted = prolonged(31).model_copy(update={"moves": moves})
    assert (await service.postpone(platform, XINGTAI, opened.id, wanted)).state is State.SUBMITTED


async def test_the_certificate_of_a_prolonged_class_states_no_day_after_its_last_training(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    asked = await service.postpone(platform, XINGTAI, opened.id, prolonged(30, 4))
    await service.approve(platform, HEBEI, asked.id, Review(seen=1))
    clock.set(datetime(2026, 3, 28, 10, tzinfo=UTC))
    await certifying.release(platform, opened.id)  # held from 20 to 26 March, and nothing after it
    clock.set(datetime(2026, 4, 30, 10, tzinfo=UTC))
    papers = await certifying.issued(platform, opened)
    assert {one.printed.training_to for one in papers} == {date(2026, 3, 26)}
    assert (await reconcile.reconcile(platform))["不符"] == 0


async def test_days_that_were_held_are_not_suspended_afterwards(
    platform: Platform, clock: FixedClock, opened: ClassInSession
) -> None:
    """（七）可追溯: a class does not say of a day on which people were taught that it was suspended."""
    await attend(platform, clock, opened, 17)
    clock.set(datetime(2026, 3, 19, 1, tzinfo=UTC))
    storm = {"last": date(2026, 3, 20), "ends_on": date(2026, 3, 31)}
    wanted = Suspension(first=date(2026, 3, 17), **storm, **TYPHOON)
    with pytest.raises(Invalid) as refused:
        await service.suspend(platform, XINGTAI, opened.id, wanted)
    assert "不能早于今天（2026-03-19）" in refused.value.fields[0].message
    wanted = Suspension(first=date(2026, 3, 19), **storm, **TYPHOON)
    assert (await service.suspend(platform, XINGTAI, opened.id, wanted)).state is State.SUBMITTED
