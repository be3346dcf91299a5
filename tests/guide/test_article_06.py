"""第六条: 骨干教师承担授课及考核。 授课 and 考核 are two tasks, and two rights."""

from __future__ import annotations

import pytest

from server.assessment import grading, submissions
from server.assessment import service as assessment
from server.attendance import codes, rolls
from server.attendance.rolls import LateRegistration
from server.classes import service as classes
from server.classes.rules import Kind, NotYourPart
from server.invitations import service as invitations
from server.invitations.service import Refusal
from server.kernel.clock import FixedClock
from server.kernel.errors import NotFound
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.assessing import grade, graded, hand_in, set_task
from tests.stage import ClassInSession, Phone


async def a_second_teacher(
    platform: Platform, wechat: Simulator, opened: ClassInSession, kind: Kind
) -> Phone:
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    second = await stage.phone(platform, wechat, "openid-second", cast.SECOND_BACKBONE_TEACHER)
    await stage.teach(platform, opened.officer, opened.id, second, kind)
    return second


async def test_who_teaches_shows_the_code_and_keeps_the_roll_and_does_not_grade(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    task = await set_task(platform, opened)
    teacher = await a_second_teacher(platform, wechat, opened, Kind.TEACHING)
    submission = await hand_in(platform, opened.trainees[0], task)
    session = await stage.teaching_session(platform, opened)
    clock.set(session.starts_at)
    assert (await codes.code_for_phone(platform, teacher.actor, session.id)).code
    assert len((await rolls.taught_roll(platform, teacher.actor, session.id)).entries) == 1
    wanted = LateRegistration(person_id=opened.trainees[0].actor.person_id, reason="手机没电，现场核对")
    await rolls.register_late_as_teacher(platform, teacher.actor, session.id, wanted)
    seen = await submissions.taught_work(platform, teacher.actor, task.id)
    assert [row.submission.id for row in seen.rows if row.submission] == [submission.id]
    assert await assessment.grades_waiting(platform, teacher.actor) == 0
    with pytest.raises(NotYourPart):
        await grade(platform, teacher, submission)
    with pytest.raises(NotYourPart):
        await grading.grade_trainee(
            platform, teacher.actor, task.id, opened.trainees[0].actor.person_id, graded(50, 30)
        )


async def test_who_assesses_grades_and_shows_no_code(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    task = await set_task(platform, opened)
    assessor = await a_second_teacher(platform, wechat, opened, Kind.ASSESSMENT)
    submission = await hand_in(platform, opened.trainees[0], task)
    session = await stage.teaching_session(platform, opened)
    clock.set(session.starts_at)
    with pytest.raises(NotYourPart):
        await codes.code_for_phone(platform, assessor.actor, session.id)
    with pytest.raises(NotYourPart):
        await rolls.taught_roll(platform, assessor.actor, session.id)
    wanted = LateRegistration(person_id=opened.trainees[0].actor.person_id, reason="手机没电，现场核对")
    with pytest.raises(NotYourPart):
        await rolls.register_late_as_teacher(platform, assessor.actor, session.id, wanted)
    assert await assessment.grades_waiting(platform, assessor.actor) == 1
    assert (await grade(platform, assessor, submission)).current.grader_id == assessor.actor.person_id


async def test_whoever_does_both_loses_one_when_it_is_cancelled_and_leaves_with_the_last(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    who = opened.teacher.actor.person_id
    await stage.assess(platform, opened)
    of_class = await invitations.invitations_of_class(platform, opened.officer, opened.id)
    letters = {one.kind: one.id for one in of_class.invitations}

    async def kinds() -> tuple[Kind, ...]:
        return (await classes.get_class(platform, opened.officer, opened.id)).kinds_of(who)

    assert await kinds() == (Kind.TEACHING, Kind.ASSESSMENT)
    refusal = Refusal(reason="改请他人考核")
    await invitations.cancel(platform, opened.officer, opened.id, letters[Kind.ASSESSMENT], refusal)
    assert await kinds() == (Kind.TEACHING,)
    await invitations.cancel(platform, opened.officer, opened.id, letters[Kind.TEACHING], refusal)
    assert await kinds() == ()
    with pytest.raises(NotFound):
        await classes.taught_class(platform, opened.teacher.actor, opened.id)
