"""第六条: 骨干教师承担授课及考核。 授课 and 考核 are two tasks, and two rights."""

from __future__ import annotations

import pytest

from server.assessment import grading, remarks, submissions
from server.assessment import service as assessment
from server.assessment.remarks import RemarkDraft, TakingBack
from server.assessment.rules import GradingOneself
from server.attendance import codes, rolls
from server.attendance.rolls import LateRegistration
from server.classes import service as classes
from server.classes.rules import Kind, NotYourPart
from server.classes.service import ResultsReleased
from server.invitations import service as invitations
from server.invitations.service import Refusal
from server.kernel.clock import FixedClock
from server.kernel.errors import NotFound
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.api.client import call
from tests.assessing import assess_everybody, grade, graded, hand_in, release, set_task
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
    assert await assessment.grades_waiting(platform, teacher.actor) == (0, 0)
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
    assert await assessment.grades_waiting(platform, assessor.actor) == (1, 1)
    assert (await grade(platform, assessor, submission)).current.grader_id == assessor.actor.person_id


async def test_who_teaches_remarks_on_work_without_grading_it(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    """授课: what is said is read by the trainee at once, and by who assesses beside the work; it gives no points."""
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    task = await set_task(platform, opened)
    teacher = await a_second_teacher(platform, wechat, opened, Kind.TEACHING)
    [trainee] = opened.trainees
    submission = await hand_in(platform, trainee, task)
    path = f"/teaching/submissions/{submission.id}/remarks"
    wanted = {"text": "请把任务描述写到工作岗位。", "nonce": "nonce-0001"}
    said, again = [await call(site, "POST", path, token=teacher.token, body=wanted) for _ in range(2)]
    assert (said.status, again.status, said.json) == (201, 200, again.json)
    mine = await call(site, "GET", f"/classes/{opened.id}/tasks", token=trainee.token)
    assert mine.json["items"][0]["submission"]["remarks"] == [said.json]
    assert mine.json["items"][0]["grade"] is None
    beside = await call(site, "GET", f"/teaching/tasks/{task.id}/submissions", token=opened.teacher.token)
    assert beside.json["items"][0]["submission"]["remarks"] == [said.json]
    assert beside.json["items"][0]["graded"] is False
    about = {"person_id": trainee.actor.person_id, "template": "work-remark"}
    assert await platform["outbox"].count_documents(about) == 1
    back = f"/teaching/remarks/{said.json['id']}/withdrawal"
    reason = {"reason": "看错了版本"}
    foreign = await call(site, "POST", back, token=opened.teacher.token, body=reason)
    assert foreign.status == 404, "somebody else's"
    taken, repeated = [await call(site, "POST", back, token=teacher.token, body=reason) for _ in range(2)]
    assert (taken.status, taken.json) == (repeated.status, repeated.json) == (200, said.json)
    versions = await call(site, "GET", f"/tasks/{task.id}/submissions", token=trainee.token)
    assert versions.json["items"][0]["remarks"] == []
    about["template"] = "work-remark-taken-back"
    assert await platform["outbox"].count_documents(about) == 1


async def test_nobody_remarks_on_work_once_the_results_are_released_or_outside_the_own_class(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    teacher = await a_second_teacher(platform, wechat, opened, Kind.TEACHING)
    said = RemarkDraft(text="教学策划还缺评价环节。")
    task, _ = await assess_everybody(platform, opened)
    [row] = (await submissions.taught_work(platform, teacher.actor, task.id)).rows
    assert row.submission is not None
    with pytest.raises(NotFound):
        await remarks.remark(platform, opened.trainees[0].actor, row.submission.id, said)
    remark, _ = await remarks.remark(platform, teacher.actor, row.submission.id, said)
    await release(platform, opened)
    with pytest.raises(ResultsReleased):
        await remarks.remark(platform, teacher.actor, row.submission.id, said)
    with pytest.raises(ResultsReleased):
        await remarks.take_back(platform, teacher.actor, remark.id, TakingBack(reason="看错了版本"))


async def test_nobody_remarks_on_the_own_work(platform: Platform, wechat: Simulator) -> None:
    """8.4.2 公平公正: a teacher who attends a class as a trainee says nothing of the own work either."""
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    task = await set_task(platform, opened)
    own = await hand_in(platform, opened.trainees[0], task)
    teacher = opened.teacher.actor.person_id
    await platform["submissions"].update_one({"_id": own.id}, {"$set": {"person_id": teacher}})
    with pytest.raises(GradingOneself):
        await remarks.remark(platform, opened.teacher.actor, own.id, RemarkDraft(text="写得很好。"))


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
