"""Who teaches a session, named anew: somebody fell ill or left the class, and a substitute came (articles 4.3, 6 and 8.4).

It is no change of the scheme's times. Whose work a session is follows from it (classes.work), so that it may be put right until the
results are released, also for sessions that were held; both values stay with the session.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from server.attendance import store, work
from server.attendance.documents import TeacherChange, TeachingSession
from server.attendance.rules import MOST_SESSIONS
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.rules import Kind
from server.classes.work import names_nobody
from server.invitations import engagements
from server.kernel.clock import BEIJING
from server.kernel.errors import FieldError, Invalid, NotFound
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reasons import Reason
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional

EVERYBODY = "本班授课教师共同承担"
"""Of a session that names nobody."""
GONE = "（已不在本班）"


class Naming(BaseModel):
    """One or many sessions, and who teaches them: "" for all who teach a class that has no scheme."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    session_ids: Annotated[
        list[Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")]],
        Field(title="课次", min_length=1, max_length=MOST_SESSIONS),
    ]
    teacher_id: Annotated[str, Field(title="授课教师", pattern=r"^([0-9a-f]{24})?$")] = ""
    reason: Reason


def teacher_words(session: TeachingSession, training_class: TrainingClass) -> str:
    """Who teaches a session, and whether they still teach the class."""
    if not session.teacher_id:
        return EVERYBODY
    there = Kind.TEACHING in training_class.kinds_of(session.teacher_id)
    return session.teacher_name if there else f"{session.teacher_name}{GONE}"


def name_of(training_class: TrainingClass, teacher_id: str) -> str:
    """The name of one who teaches the class; "" for nobody, where its scheme names nobody either. Raises Invalid."""
    teaching = {one.person_id: one.name for one in training_class.who(Kind.TEACHING)}
    if teacher_id in teaching or (not teacher_id and training_class.scheme_version is None):
        return teaching.get(teacher_id, "")
    raise Invalid(fields=[FieldError("teacher_id", "请从本班承担授课的骨干教师中选择。")])


async def sessions_without_teacher(
    platform: Platform, actor: Actor, training_class: TrainingClass
) -> list[TeachingSession]:
    """The sessions of a class in the actor's reach that are nobody's, in the order of the timetable; none once it is frozen."""
    if training_class.frozen:
        return []
    sessions = await store.sessions_of_class(platform, training_class.id)
    return await work.without_teacher(platform, training_class, sessions)


async def nobodys(scope: Scope, found: Sequence[TrainingClass]) -> dict[str, list[TeachingSession]]:
    """By class id its sessions that are nobody's, the first first; of classes that the caller has fetched already."""
    current = {one.id: one for one in found if not one.frozen}
    teaching = {one.id: {each.person_id for each in one.who(Kind.TEACHING)} for one in current.values()}
    others = await store.naming_others(scope, teaching)
    left, now = await engagements.left_of(scope, list(current)), scope.platform.clock.now()
    without: dict[str, list[TeachingSession]] = {}
    for one in others:
        there = teaching[one.class_id]
        if names_nobody(one.teacher_id, one.starts_at, there, left.get(one.class_id, {}), now):
            without.setdefault(one.class_id, []).append(one)
    return without


@transactional
async def name_teacher(unit: UnitOfWork, class_id: str, wanted: Naming) -> int:
    """Names who teaches these sessions, all or none, held ones too; returns how many named somebody else before. Sent again, it changes
    nothing.

    Raises NotFound, ResultsReleased, ClassEnded, and Invalid for who does not teach the class.
    """
    training_class = await classes.get_class(unit, unit.actor, class_id)
    await classes.exclude_release(unit, training_class)
    name = name_of(training_class, wanted.teacher_id)
    there = {one.id: one for one in await store.sessions_of_class(unit, class_id)}
    if not there.keys() >= set(wanted.session_ids):
        raise NotFound("所选课次中有的已经取消，或不是本班的课次。请刷新后再选。")
    before = [
        one for one in there.values() if one.id in wanted.session_ids and one.teacher_id != wanted.teacher_id
    ]
    if not before:
        unit.nothing_written()
        return 0
    for one in before:
        change = change_of(unit, one, wanted.teacher_id, name, wanted.reason)
        named = {"teacher_id": wanted.teacher_id, "teacher_name": name, "changes": [*one.changes, change]}
        await store.replace_session(unit, one.model_copy(update=named))
    await work.follow_timetable(unit, class_id)
    tell(unit, training_class, before, wanted.teacher_id, name, wanted.reason)
    unit.audit(
        "attendance:name-teacher",
        class_id,
        sessions=len(before),
        wanted=name or EVERYBODY,
        reason=wanted.reason,
        before={one.id: [one.teacher_id, one.teacher_name] for one in before},
        teacher_id=wanted.teacher_id,
    )
    return len(before)


# ---- for whatever names a teacher


def change_of(
    unit: UnitOfWork, session: TeachingSession, teacher_id: str, name: str, reason: str
) -> TeacherChange:
    """What stays on a session that is somebody else's from now on."""
    return TeacherChange(
        at=unit.now,
        by_id=unit.actor.id,
        by=unit.actor.name,
        before_id=session.teacher_id,
        before=session.teacher_name,
        after_id=teacher_id,
        after=name,
        reason=reason,
    )


def tell(
    unit: UnitOfWork,
    training_class: TrainingClass,
    before: Sequence[TeachingSession],
    teacher_id: str,
    name: str,
    reason: str,
) -> None:
    """Both hear of it: who teaches these sessions from now on, and each who was named in them."""
    news = {"class_id": training_class.id, "class_name": training_class.name, "reason": reason}
    if teacher_id:
        unit.notify(teacher_id, "sessions-assigned", **news, **_what(before))
    for former in dict.fromkeys(one.teacher_id for one in before if one.teacher_id):
        theirs = [one for one in before if one.teacher_id == former]
        unit.notify(
            former,
            "sessions-handed-over",
            **news,
            **_what(theirs),
            teacher_name=name or "本班授课教师共同",
        )


def _what(sessions: Sequence[TeachingSession]) -> dict[str, str]:
    first = sessions[0]
    more = f"等 {len(sessions)} 次课" if len(sessions) > 1 else ""
    starts_at = f"{first.starts_at.astimezone(BEIJING):%Y-%m-%d %H:%M}"
    return {"title": f"“{first.title}”{more}", "starts_at": starts_at}
