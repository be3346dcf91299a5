"""Sessions and who was in them, tasks and grades, until the results are released."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

from server.assessment import grading, tasks
from server.attendance import timetable
from tests import assessing, stage
from tests.acts.walking import World, way_back

REASON = "看错了名单，已核对。"


# ---- sessions


@way_back("attendance:add-session", "attendance:cancel-session", keeps={"teaching_sessions"})
async def a_session(world: World) -> AsyncIterator[None]:
    held = await stage.class_in_session(world.platform, world.wechat)
    yield
    session = await stage.teaching_session(world.platform, held)
    yield
    await timetable.cancel_session(world.platform, held.officer, held.id, session.id, "教师临时有事")


@way_back("attendance:change-session", "attendance:change-session")
async def a_moved_session(world: World) -> AsyncIterator[None]:
    held = await stage.class_in_session(world.platform, world.wechat)
    session = await stage.teaching_session(world.platform, held)
    planned, day = stage.session_draft(), timedelta(days=1)
    moved = stage.session_draft(starts_at=planned.starts_at + day, ends_at=planned.ends_at + day)
    yield
    await timetable.change_session(world.platform, held.officer, held.id, session.id, moved)
    yield
    await timetable.change_session(world.platform, held.officer, held.id, session.id, planned)


# ---- tasks and grades


@way_back("assessment:create-task", "assessment:withdraw-task", keeps={"tasks"})
async def a_task(world: World) -> AsyncIterator[None]:
    held = await stage.class_in_session(world.platform, world.wechat)
    await stage.assess(world.platform, held)
    yield
    task = await assessing.set_task(world.platform, held)
    yield
    await tasks.withdraw_task(world.platform, held.officer, held.id, task.id)


@way_back("assessment:grade", "assessment:grade")
async def a_grade(world: World) -> AsyncIterator[None]:
    """The last mark counts; those before it stay (article 13)."""
    held = await stage.class_in_session(world.platform, world.wechat)
    task = await assessing.set_task(world.platform, held)
    submission = await assessing.hand_in(world.platform, held.trainees[0], task)
    await assessing.grade(world.platform, held.teacher, submission, 50, 30)
    wrong, right = assessing.graded(20, 10, reason="看错了"), assessing.graded(50, 30, reason=REASON)
    yield
    await grading.grade_submission(world.platform, held.teacher.actor, submission.id, wrong)
    yield
    again = await grading.grade_submission(world.platform, held.teacher.actor, submission.id, right)
    assert [one.points for one in again.marks] == [80, 30, 80]
