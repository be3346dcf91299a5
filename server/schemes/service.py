"""The training scheme of a class (article 4.3): drafted, signed, filed, reviewed; once approved it makes the sessions and tasks.

Each use case that writes makes its turn on the class first, so that saving, signing, filing and reviewing one scheme, and what
happens to the sessions and tasks of its class, come one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field

from server.accounts import binding
from server.assessment import tasks
from server.attendance import timetable
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.rules import Kind
from server.kernel import policies
from server.kernel.errors import Conflict, FieldError, NotFound
from server.kernel.history import Step, step
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reasons import Reason
from server.kernel.reviewed import take
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.schemes import carrying, making, rules, store
from server.schemes.content import Content, Draft, SessionRow, TimetableWish
from server.schemes.difference import Change, difference
from server.schemes.documents import Remark, SchemeFilter, SchemeVersion, Signature
from server.schemes.rules import (
    Action,
    Consequences,
    Frame,
    SchemeIncomplete,
    State,
)
from server.surveys import opening as survey_opening
from server.venues import service as venues
from server.venues.rules import VenueFlag

COPIES_OFFERED = 10


class VersionOutdated(Conflict):
    slug = "scheme-version-outdated"
    title = "方案已有新的版本"
    default_detail = "您看到的不是最新的一版，方案已被修改。请刷新后核对最新版本再办理。"


class NoScheme(NotFound):
    slug = "scheme-not-drafted"
    title = "还没有培训方案"
    default_detail = (
        "本班的培训方案还没有人起草。您可以先起草，也可以等培训机构起草后在这里修改、讨论和签署。"
    )


class ReturnReason(BaseModel):
    reason: Annotated[Reason, Field(title="退回理由")]


@dataclass(frozen=True)
class TeacherSignature:
    """A teacher of the class, and the signature under the newest version, if there is one."""

    person_id: str
    name: str
    signature: Signature | None


@dataclass(frozen=True)
class SchemeOfClass:
    """The scheme of a class as staff and teachers see it."""

    training_class: TrainingClass
    newest: SchemeVersion | None
    versions: list[SchemeVersion]
    """All of them, newest first."""
    signatures: list[TeacherSignature]
    shortcomings: list[FieldError]
    """Of the newest version, what hinders it from being signed and approved."""
    consequences: Consequences | None
    """What its approval would do at this moment; None once it is approved."""
    frame: Frame
    venue_flags: list[VenueFlag]
    """What of the newest version's places the province has still to resolve (article 11); none once it is approved."""
    present: list[SessionRow] | None = None
    """The timetable as it stands, where the newest version is in force and the class no longer keeps to its times."""

    @property
    def in_force(self) -> int | None:
        return self.training_class.scheme_version

    @property
    def all_signed(self) -> bool:
        return bool(self.signatures) and all(one.signature for one in self.signatures)

    @property
    def history(self) -> list[tuple[SchemeVersion, Step]]:
        """What was done to any version, newest first."""
        steps = [(version, one) for version in self.versions for one in version.history]
        return sorted(steps, key=lambda pair: pair[1].at, reverse=True)

    @property
    def remarks(self) -> list[tuple[SchemeVersion, Remark]]:
        """What was said about any version, newest first."""
        said = [(version, one) for version in self.versions for one in version.remarks]
        return sorted(said, key=lambda pair: pair[1].at, reverse=True)


# ---- reading


async def scheme_of_class(platform: Platform, actor: Actor, class_id: str) -> SchemeOfClass:
    """For staff. Raises NotFound outside of their jurisdiction."""
    return await _seen(platform, await classes.get_class(platform, actor, class_id))


async def taught_scheme(platform: Platform, actor: Actor, class_id: str) -> SchemeOfClass:
    """For a teacher of the class. Raises NotFound for any other, NoScheme before there is a draft."""
    seen = await _seen(platform, await classes.taught_class(platform, actor, class_id))
    if seen.newest is None:
        raise NoScheme()
    return seen


async def _seen(platform: Platform, training_class: TrainingClass) -> SchemeOfClass:
    called = await classes.teachers_called(platform, training_class)
    versions = [one.naming(called) for one in await store.versions(platform, training_class.id)]
    newest = next((one for one in versions if one.state not in rules.GONE), None)
    frame = (await _frame(platform, training_class)).naming(called)
    signed = {one.person_id: one for one in newest.signatures} if newest else {}
    pending = newest is not None and newest.state is not State.APPROVED
    return SchemeOfClass(
        training_class,
        newest,
        versions,
        [TeacherSignature(who, name, signed.get(who)) for who, name in frame.teachers.items()],
        rules.shortcomings(newest.content, frame) if newest and pending else [],
        await making.consequences(platform, newest) if newest and pending else None,
        frame,
        await venues.unresolved(platform, training_class, newest.content.all_places)
        if newest and pending
        else [],
        await making.present_timetable(platform, newest) if newest and not pending else None,
    )


def changes_in(seen: SchemeOfClass, since: int | None = None) -> list[Change]:
    """What the newest version changes in the version `since`, or in the one before it."""
    assert seen.newest is not None
    earlier = seen.newest.version - 1 if since is None else since
    before = next(
        (one.content for one in seen.versions if one.version <= earlier and one.state is not State.DISCARDED),
        None,
    )
    return difference(before, seen.newest.content)


async def content_to_edit(platform: Platform, seen: SchemeOfClass) -> Content:
    """Where editing begins: the draft, or, before the first and after an approved version, the class as it is taught now."""
    if seen.newest is not None and seen.newest.state is not State.APPROVED:
        return seen.newest.content
    taught = await timetable.timetable_of_class(platform, seen.training_class.id)
    given = await tasks.tasks_of_class(platform, seen.training_class.id)
    approved = seen.newest.content if seen.newest else None
    return Content(
        objectives=approved.objectives if approved else "",
        courses=approved.courses
        if approved
        else making.even_courses(seen.training_class, seen.frame.teaching),
        sessions=tuple(making.session_row(one) for one, _ in taught),
        tasks=tuple(making.task_row(one) for one in given),
        places=approved.places if approved else "",
        materials=approved.materials if approved else "",
        formative_weight=seen.frame.formative_weight,
    )


async def earlier_schemes(platform: Platform, seen: SchemeOfClass) -> list[SchemeVersion]:
    """What its institution taught by lately at the same level, newest first: a new scheme may begin as a copy."""
    item = seen.training_class
    found = await store.approved_of_institution(platform, item.institution_code, item.level, COPIES_OFFERED)
    return [one for one in found if one.class_id != item.id]


async def copied(platform: Platform, seen: SchemeOfClass, class_id: str) -> Content:
    """The scheme of an earlier class as a draft of this one. Raises NotFound for any that is not among those offered."""
    for one in await earlier_schemes(platform, seen):
        if one.class_id == class_id:
            return carrying.carried_over(one.content, one.starts_on, seen.frame)
    raise NotFound("没有可以复制的方案。")


async def list_schemes(
    platform: Platform, actor: Actor, narrowed: SchemeFilter, *, after: str | None = None, limit: int = 20
) -> list[SchemeVersion]:
    """The newest versions of the schemes in the actor's jurisdiction, longest waiting first."""
    return await store.schemes(platform, actor.jurisdiction, narrowed, after=after, limit=limit)


# ---- drafting


@transactional
async def save(unit: UnitOfWork, class_id: str, draft: Draft, based_on: int) -> SchemeVersion:
    """Saves a new version of the scheme; signatures under the one before are void. `based_on` is the version that was edited
    (0: none); what the newest version says already changes nothing, so a request may be repeated.

    Raises VersionOutdated, naming whose version came between, SchemeNotInState while the province reviews, Invalid for a
    teacher who is not of the class.
    """
    training_class = await take_turn(unit, class_id)
    return await _save(unit, training_class, draft, based_on, by_teacher=False)


@transactional
async def save_and_send(unit: UnitOfWork, class_id: str, draft: Draft, based_on: int) -> SchemeVersion:
    """The same, and lets the teachers of the class sign it at once. Raises as `save`, and SchemeIncomplete with every shortcoming: then
    nothing is saved either."""
    training_class = await take_turn(unit, class_id)
    saved = await _save(unit, training_class, draft, based_on, by_teacher=False)
    await _require_complete(unit, training_class, saved)
    unit.wrote = True
    await _send(unit, training_class, saved)
    return saved


@transactional
async def save_as_teacher(unit: UnitOfWork, class_id: str, draft: Draft, based_on: int) -> SchemeVersion:
    """The same by a teacher of the class (article 4.3: 与骨干教师共同设计制订). Raises NotFound for any other."""
    training_class = await classes.taught_class(unit, unit.actor, class_id)
    await classes.exclude_release(unit, training_class)
    return await _save(unit, training_class, draft, based_on, by_teacher=True)


async def _save(
    unit: UnitOfWork, training_class: TrainingClass, draft: Draft, based_on: int, *, by_teacher: bool
) -> SchemeVersion:
    class_id = training_class.id
    rules.STEPS.require_right(Action.SAVE, unit.actor.roles)
    classes.require_not_ended(training_class)
    before = await store.newest(unit, class_id)
    written = rules.written(draft, await _frame(unit, training_class))
    if before is not None and before.content == written:
        unit.nothing_written()
        return before
    if based_on != (before.version if before else 0):
        raise _came_between(before) if before else VersionOutdated()
    state = rules.STEPS.after(before.state if before else None, Action.SAVE, unit.actor.roles)
    if before is not None:
        await store.leave_behind(unit, before, rules.LEFT_BEHIND[before.state])
    new = SchemeVersion(
        class_id=class_id,
        class_name=training_class.name,
        institution_code=training_class.institution_code,
        institution_name=training_class.institution_name,
        province_code=training_class.province_code,
        level=training_class.level,
        starts_on=training_class.starts_on,
        version=await store.last_number(unit, class_id) + 1,
        state=state,
        content=written,
        saved_at=unit.now,
        saved_by=unit.actor.name,
        saved_by_teacher=by_teacher,
        history=[step(unit, Action.SAVE)],
    )
    await store.insert(unit, new)
    voided = len(before.signatures) if before and before.state is State.SIGNING else 0
    unit.audit("schemes:save", class_id, version=new.version, signatures_void=voided)
    if before is None or voided or before.author_id != unit.actor.id:
        _tell_colleagues(unit, training_class, new, voided)
    return new


def _came_between(newest: SchemeVersion) -> VersionOutdated:
    who = f"授课教师{newest.saved_by}" if newest.saved_by_teacher else newest.saved_by
    return VersionOutdated(
        f"{who}刚刚保存了第 {newest.version} 版。您填写的内容还没有保存，请对照新版补上其中的修改，再保存一次。",
        version=newest.version,
        saved_by=newest.saved_by,
    )


def _tell_colleagues(
    unit: UnitOfWork, training_class: TrainingClass, new: SchemeVersion, voided: int
) -> None:
    """The other teachers hear of the first of the versions that one author saves in a row, and of each that voids signatures;
    the institution finds a teacher's version among what waits."""
    for teacher in training_class.teachers:
        if teacher.person_id != unit.actor.id:
            kind = "scheme-changed" if voided else "scheme-drafted"
            unit.notify(teacher.person_id, kind, author=new.saved_by, **news(new))


def with_timetable(content: Content, seen: SchemeOfClass, wish: TimetableWish) -> Content:
    """The draft with a timetable made from half days, over the days of the class. Nothing is saved.

    Raises Invalid, also for half days that are too short for their class hours. Where the days do not hold all hours, `rules.hours_short`.
    """
    training_class = seen.training_class
    rules.check_half_days(wish.half_days, seen.frame.class_hour_minutes)
    sessions = rules.spread(
        training_class.starts_on,
        training_class.ends_on,
        wish.weekdays,
        wish.half_days,
        content.courses,
        training_class.place,
    )
    return content.model_copy(update={"sessions": sessions})


# ---- from hand to hand


@transactional
async def send_for_signature(unit: UnitOfWork, class_id: str, version: int) -> None:
    """Lets the teachers of the class sign this version, and tells them. Raises SchemeIncomplete with every shortcoming."""
    training_class, scheme = await step_to(unit, class_id, version, Action.SEND)
    await _require_complete(unit, training_class, scheme)
    await _send(unit, training_class, scheme)


async def _send(unit: UnitOfWork, training_class: TrainingClass, scheme: SchemeVersion) -> None:
    await take(unit, rules.STEPS, scheme, Action.SEND)
    for teacher in training_class.teachers:
        if teacher.person_id not in scheme.signed_by:
            unit.notify(teacher.person_id, "scheme-to-sign", **news(scheme))
    unit.audit("schemes:send", training_class.id, version=scheme.version)


@transactional
async def sign(unit: UnitOfWork, class_id: str, version: int) -> bool:
    """A teacher of the class signs exactly this version; False when they had signed it already.

    Raises VersionOutdated, SchemeNotInState, NotFound for anybody who does not teach the class.
    """
    binding.require_rested(unit)
    await classes.exclude_release(unit, await classes.taught_class(unit, unit.actor, class_id))
    scheme = await _newest(unit, class_id, version)
    if unit.actor.person_id in scheme.signed_by:
        unit.nothing_written()
        return False
    signature = Signature(person_id=unit.actor.person_id, name=unit.actor.name, at=unit.now)
    signatures = [*scheme.signatures, signature]
    await take(unit, rules.STEPS, scheme, Action.SIGN, changes={"signatures": signatures})
    unit.audit("schemes:sign", class_id, version=version, person_id=unit.actor.person_id)
    return True


@transactional
async def file(unit: UnitOfWork, class_id: str, version: int) -> None:
    """Files this version with the province (报省级管理部门审核). Raises SignaturesMissing, SchemeIncomplete."""
    training_class, scheme = await step_to(unit, class_id, version, Action.FILE)
    rules.check_signed(await classes.teachers_called(unit, training_class), scheme.signed_by)
    await _require_complete(unit, training_class, scheme)
    flags = await venues.unresolved(unit, training_class, scheme.content.all_places)
    await take(unit, rules.STEPS, scheme, Action.FILE, changes={"venue_flags": flags})
    unit.audit("schemes:file", class_id, version=version)


@transactional
async def send_back(unit: UnitOfWork, class_id: str, version: int, why: ReturnReason) -> None:
    """The province returns a scheme with a reason; what is in force stays in force."""
    training_class, scheme = await step_to(unit, class_id, version, Action.RETURN)
    await take(unit, rules.STEPS, scheme, Action.RETURN, why.reason)
    for teacher in training_class.teachers:
        unit.notify(teacher.person_id, "scheme-returned", reason=why.reason, **news(scheme))
    unit.audit("schemes:return", class_id, version=version, reason=why.reason)


@transactional
async def approve(
    unit: UnitOfWork, class_id: str, version: int, venue_note: str = "", comment: str = ""
) -> Consequences:
    """The province approves: the scheme makes the sessions, tasks and criteria of the class, which follows it from now on.

    What has begun or is in use is never touched: SchemeIncomplete says why such a scheme must be returned.
    Raises Invalid for a place that may be forbidden without words about it (article 11), ResultsReleased once the results are out.
    """
    training_class, scheme = await step_to(unit, class_id, version, Action.APPROVE)
    await _require_complete(unit, training_class, scheme)
    note = venue_note.strip()
    flags = await venues.resolve(
        unit, training_class, scheme.content.all_places, note, f"培训方案第 {version} 版"
    )
    changes = await making.consequences(unit, scheme)
    if training_class.scheme_version is not None:
        await store.supersede(unit, class_id, training_class.scheme_version)
    kept = note if flags else ""
    said = {"venue_flags": flags, "venue_note": kept}
    words = "；".join(one for one in (kept, comment) if one)
    await take(unit, rules.STEPS, scheme, Action.APPROVE, words, changes=said)
    await classes.follow_scheme(
        unit,
        class_id,
        version=version,
        courses=scheme.content.course_titles,
        class_hours=scheme.content.course_hours,
    )
    await making.carry_out(unit, class_id, changes)
    await survey_opening.keep_open(unit, class_id)
    await timetable.tell_of_changes(
        unit,
        class_id,
        dropped=len(changes.sessions_drop),
        moved=len(changes.sessions_move),
        made=len(changes.sessions_make),
    )
    for teacher in training_class.teachers:
        unit.notify(teacher.person_id, "scheme-approved", **news(scheme))
    unit.audit(
        "schemes:approve",
        class_id,
        version=version,
        sessions_made=len(changes.sessions_make),
        sessions_dropped=len(changes.sessions_drop),
        tasks_made=len(changes.tasks_make),
        tasks_dropped=len(changes.tasks_drop),
        flags=len(flags),
        reason=note,
    )
    return changes


# ---- parts


async def take_turn(unit: UnitOfWork, class_id: str) -> TrainingClass:
    """The class of a staff actor, which no other use case changes until this one ends. Raises ResultsReleased."""
    training_class = await classes.get_class(unit, unit.actor, class_id)
    await classes.exclude_release(unit, training_class)
    return training_class


async def step_to(
    unit: UnitOfWork, class_id: str, version: int, action: Action
) -> tuple[TrainingClass, SchemeVersion]:
    """The class and the newest version, of which the step may be taken. Raises NoScheme, VersionOutdated, SchemeNotInState, NotYourStep."""
    if action is Action.RETURN:  # what waits with the province when results are released can still be settled
        training_class = await classes.get_class(unit, unit.actor, class_id)
        await classes.take_turn(unit, class_id)
    else:
        training_class = await take_turn(unit, class_id)
    scheme = await _newest(unit, class_id, version)
    rules.STEPS.after(scheme.state, action, unit.actor.roles)
    return training_class, scheme


async def _newest(unit: UnitOfWork, class_id: str, version: int) -> SchemeVersion:
    found = await store.newest(unit, class_id)
    if found is None:
        raise NoScheme()
    if found.version != version:
        raise VersionOutdated()
    return found


async def _require_complete(unit: UnitOfWork, training_class: TrainingClass, scheme: SchemeVersion) -> None:
    wrong = rules.shortcomings(scheme.content, await _frame(unit, training_class))
    wrong += (await making.consequences(unit, scheme)).impossible
    if wrong:
        raise SchemeIncomplete(fields=wrong)


async def _frame(scope: Scope, training_class: TrainingClass) -> Frame:
    in_force = await policies.on(scope, training_class.starts_on)
    return Frame(
        level=training_class.level,
        hours_floor=classes.class_hours_floor(in_force, training_class.level),
        formative_weight=in_force.formative_weight,
        first_day=training_class.starts_on,
        last_day=training_class.ends_on,
        teachers={one.person_id: one.name for one in training_class.teachers},
        class_hour_minutes=in_force.class_hour_minutes,
        assessors={one.person_id: one.name for one in training_class.who(Kind.ASSESSMENT)},
        only_assess=[one.person_id for one in training_class.teachers if Kind.TEACHING not in one.kinds],
    )


def news(scheme: SchemeVersion) -> dict[str, str]:
    """What a message about a scheme says of it."""
    return {
        "class_id": scheme.class_id,
        "class_name": scheme.class_name,
        "version": str(scheme.version),
        "institution": scheme.institution_name,
    }
