"""A teacher leaves in the middle of the class, and a substitute holds what is left of it (articles 4.3, 6, 8.4 and 9.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from server.attendance import naming, rolls, timetable, work
from server.attendance import service as attendance
from server.attendance.documents import TeachingSession
from server.attendance.naming import Naming
from server.attendance.rolls import LateRegistration
from server.attendance.timetable import SessionDraft, SessionInUse
from server.classes import service as classes
from server.classes import store as classes_store
from server.classes.rules import Kind
from server.classes.service import ResultsReleased, SchemeGoverns
from server.classes.work import Progress
from server.invitations import engagements
from server.invitations import service as invitations
from server.invitations.service import Refusal
from server.kernel.clock import beijing_date
from server.kernel.errors import Invalid, NotFound
from server.kernel.platform import Platform
from server.surveys import opening, supplements
from server.surveys import service as surveys
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.assessing import clock_of
from tests.progressing import steps
from tests.scheming import approved
from tests.stage import ClassInSession, Phone

ILL = "原授课教师突发疾病"


@dataclass(frozen=True)
class Left:
    """A class in which the teacher held the first morning and left at noon; a substitute has accepted."""

    opened: ClassInSession
    substitute: Phone

    @property
    def ill(self) -> str:
        return self.opened.teacher.actor.id

    async def sessions(self, platform: Platform) -> list[TeachingSession]:
        seen = await attendance.sessions_of_class(platform, self.opened.officer, self.opened.id)
        return [row.item for row in seen.rows]

    async def nobodys(self, platform: Platform) -> list[str]:
        found = await classes.get_class(platform, self.opened.officer, self.opened.id)
        rows = await naming.sessions_without_teacher(platform, self.opened.officer, found)
        return [one.id for one in rows]

    async def name(self, platform: Platform, sessions: list[str], teacher_id: str | None = None) -> int:
        wanted = Naming(session_ids=sessions, teacher_id=teacher_id or self.substitute.actor.id, reason=ILL)
        return await naming.name_teacher(platform, self.opened.officer, self.opened.id, wanted)


async def somebody_comes(platform: Platform, opened: ClassInSession, session: TeachingSession) -> None:
    """The clock stands at the end of the session."""
    clock_of(platform).set(session.ends_at)
    there = LateRegistration(person_id=opened.trainees[0].actor.person_id, reason="手机没电，现场核对")
    await rolls.register_late(platform, opened.officer, opened.id, session.id, there)


async def cancelled(platform: Platform, opened: ClassInSession) -> None:
    seen = await invitations.invitations_of_class(platform, opened.officer, opened.id)
    [letter] = [
        one
        for one in seen.invitations
        if one.teacher_id == opened.teacher.actor.id and one.kind is Kind.TEACHING
    ]
    await invitations.cancel(platform, opened.officer, opened.id, letter.id, Refusal(reason=ILL))


@pytest.fixture
async def left(platform: Platform, wechat: Simulator) -> Left:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    await approved(platform, opened)
    first, *_ = [one for one, _ in await timetable.timetable_of_class(platform, opened.id)]
    await somebody_comes(platform, opened, first)
    await cancelled(platform, opened)
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    substitute = await stage.phone(platform, wechat, "openid-substitute", cast.SECOND_BACKBONE_TEACHER)
    await stage.teach(platform, opened.officer, opened.id, substitute)
    return Left(opened, substitute)


async def tasks(platform: Platform, who: str) -> list[tuple[Progress, date | None]]:
    over = date(2026, 5, 15)
    found = await engagements.tasks_of_year(platform, [who], 2026)
    return [(one.progress_on(over), one.work_last) for one in found if one.kind is Kind.TEACHING]


async def test_what_a_teacher_who_has_left_was_to_teach_is_listed_and_named_anew_in_one_step(
    platform: Platform, left: Left
) -> None:
    first, *later = await left.sessions(platform)
    assert await left.nobodys(platform) == [one.id for one in later]
    line = (await steps(platform, left.opened.officer, left.opened.id))["sessions-teacher"]
    assert line.title.startswith(f"{len(later)} 次课") and line.url.endswith("/sessions/teachers")
    seen = (await steps(platform, stage.actor(cast.HEBEI_OFFICER), left.opened.id))["sessions-teacher"]
    assert seen.url == f"/admin/classes/{left.opened.id}", "the province sees whose it is, and names nobody"
    assert await tasks(platform, left.substitute.actor.id) == [(Progress.LAPSED, None)]

    assert await left.name(platform, [one.id for one in later]) == len(later)
    assert await left.name(platform, [one.id for one in later]) == 0, "sent again"
    assert await left.nobodys(platform) == []
    assert "sessions-teacher" not in await steps(platform, left.opened.officer, left.opened.id)
    now = await left.sessions(platform)
    assert [one.teacher_id for one in now] == [left.ill, *[left.substitute.actor.id] * len(later)]
    assert [one.times for one in now] == [one.times for one in (first, *later)]
    [change] = now[-1].changes
    assert (change.before_id, change.after_id, change.reason) == (left.ill, left.substitute.actor.id, ILL)
    told = [
        (row["person_id"], row["template"])
        async for row in platform["outbox"].find({"template": {"$regex": "^sessions-"}})
    ]
    assert sorted(told) == sorted(
        [(left.ill, "sessions-handed-over"), (left.substitute.actor.id, "sessions-assigned")]
    )
    [entry] = [row async for row in platform["audit"].find({"action": "attendance:name-teacher"})]
    assert entry["facts"]["reason"] == ILL and set(entry["facts"]["before"]) == {one.id for one in later}


async def test_the_duty_of_a_substitute_is_done_by_the_sessions_they_were_named_for(
    platform: Platform, left: Left
) -> None:
    _, second, *_ = await left.sessions(platform)
    await left.name(platform, await left.nobodys(platform))
    await somebody_comes(platform, left.opened, second)
    await work.reconcile(platform)
    found = await classes.get_class(platform, left.opened.officer, left.opened.id)
    assert await work.who_taught(platform, found) == {left.ill, left.substitute.actor.id}
    clock_of(platform).advance(timedelta(days=60))
    await work.reconcile(platform)
    [(progress, last)] = await tasks(platform, left.substitute.actor.id)
    assert progress is Progress.DONE and last is not None


async def test_a_session_that_names_who_had_left_was_held_by_nobody_until_somebody_is_named(
    platform: Platform, left: Left
) -> None:
    """The ill teacher is not asked about for what they did not teach; naming is possible after the session too."""
    _, second, *_ = await left.sessions(platform)
    await somebody_comes(platform, left.opened, second)
    found = await classes.get_class(platform, left.opened.officer, left.opened.id)
    after = second.starts_at - timedelta(minutes=1)
    assert await work.who_taught(platform, found, after=after) == set()
    named = (await steps(platform, left.opened.officer, left.opened.id))["sessions-teacher"]
    assert named.due == beijing_date(second.starts_at)
    draft = draft_of(second)
    with pytest.raises(SessionInUse):
        await timetable.change_session(platform, left.opened.officer, left.opened.id, second.id, draft)
    assert await left.name(platform, [second.id]) == 1
    assert await work.who_taught(platform, found, after=after) == {left.substitute.actor.id}


async def test_what_was_held_before_may_be_put_right_until_the_release_and_by_who_teaches_the_class_only(
    platform: Platform, left: Left
) -> None:
    first, *_ = await left.sessions(platform)
    for refused in (left.ill, "9" * 24):
        with pytest.raises(Invalid):
            await left.name(platform, [first.id], refused)
    nobody = Naming(session_ids=[first.id], reason=ILL)
    with pytest.raises(Invalid):
        await naming.name_teacher(platform, left.opened.officer, left.opened.id, nobody)
    with pytest.raises(NotFound):
        await left.name(platform, [first.id, "9" * 24])
    assert await left.name(platform, [first.id]) == 1
    await classes_store.set_results_released(platform, left.opened.id, platform.clock.now())
    with pytest.raises(ResultsReleased):
        await left.name(platform, [first.id])
    assert await left.nobodys(platform) == []


def draft_of(session: TeachingSession, **changes: object) -> SessionDraft:
    fields = set(SessionDraft.model_fields) - {"geofence"}
    return SessionDraft.model_validate(session.model_dump(include=fields) | changes)


async def test_the_room_of_a_session_is_changed_without_naming_anybody_else(
    platform: Platform, left: Left
) -> None:
    _, second, *_ = await left.sessions(platform)
    at_work = (platform, left.opened.officer, left.opened.id, second.id)
    changed = await timetable.change_session(*at_work, draft_of(second, place="实训楼 302"))
    assert (changed.place, changed.teacher_id, changed.teacher_name) == (
        "实训楼 302",
        second.teacher_id,
        second.teacher_name,
    )
    assert changed.changes == []
    other = draft_of(second, teacher_id=left.substitute.actor.id)
    handed = await timetable.change_session(*at_work, other)
    assert [one.after_id for one in handed.changes] == [left.substitute.actor.id]
    assert await platform["outbox"].count_documents({"template": "sessions-assigned"}) == 1
    with pytest.raises(Invalid):
        await timetable.change_session(*at_work, draft_of(second, teacher_id=left.ill))
    with pytest.raises(SchemeGoverns):
        await timetable.cancel_session(*at_work, "教室检修")


async def test_who_is_named_for_a_held_session_after_the_survey_has_opened_is_asked_about_as_well(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=5)
    session = await stage.teaching_session(platform, opened, teacher_id=opened.teacher.actor.id)
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    substitute = await stage.phone(platform, wechat, "openid-substitute", cast.SECOND_BACKBONE_TEACHER)
    await stage.teach(platform, opened.officer, opened.id, substitute)
    await somebody_comes(platform, opened, session)
    assert await opening.open_due(platform) == 1
    clock_of(platform).advance(timedelta(hours=1))
    assert (await supplements.follow_classes(platform))["补充评价"] == 0
    await Left(opened, substitute).name(platform, [session.id])
    assert (await supplements.follow_classes(platform))["补充评价"] == 1
    seen = await surveys.class_survey(platform, opened.officer, opened.id)
    assert [one.survey.teacher_ids for one in seen.supplements if one.survey] == [[substitute.actor.id]]
