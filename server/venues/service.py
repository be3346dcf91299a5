"""Places that are typed after the approval of a class (article 11): one that may be forbidden waits for the province's words.

Until then it is nowhere: no session, no timetable, no scheme and no class has it. Whoever writes a place asks `require_resolved`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.kernel import history
from server.kernel.errors import Conflict, FieldError, Invalid, NotFound
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reasons import Reason
from server.kernel.reviewed import take
from server.kernel.reviews import Review, Withdrawal
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.venues import rules, store
from server.venues.documents import PlaceCheck, PlaceFilter
from server.venues.rules import Action, State, VenueFlag


class PlaceUnresolved(Invalid):
    slug = "place-unresolved"
    title = "地点待核实"


class NothingToResolve(Conflict):
    slug = "nothing-to-resolve"
    title = "不需要核实"
    default_detail = "这个地点没有需要核实的事项，可以直接使用。"


class PlaceDraft(BaseModel):
    place: Annotated[str, Field(title="地点", min_length=2, max_length=100)]
    reason: Annotated[Reason, Field(title="使用理由")]


class Finding(Review):
    note: Annotated[Reason, Field(title="核实情况和意见")]


# ---- for whoever writes a place


async def unresolved(scope: Scope, training_class: TrainingClass, places: Iterable[str]) -> list[VenueFlag]:
    """What of these places of a class the province has still to resolve. The class's own place it has approved with the class."""
    return rules.flags_of(places, await _resolved(scope, training_class))


async def require_resolved(scope: Scope, training_class: TrainingClass, places: Iterable[str]) -> None:
    """Raises PlaceUnresolved, with what to do, for a place that may be forbidden and of which the province has said nothing."""
    flags = await unresolved(scope, training_class, places)
    if flags:
        said = "".join(flag.words for flag in flags)
        message = f"{said}这样的地点须先报省级管理部门核实，核实可用后再保存（指南第十一条）。"
        raise PlaceUnresolved(fields=[FieldError("place", message)])


async def resolve(
    unit: UnitOfWork, training_class: TrainingClass, places: Iterable[str], note: str, reason: str
) -> list[VenueFlag]:
    """Part of a province's approval (schemes): its words resolve these places, which the class may use from now on.

    Raises Invalid with `venue_note` where there is something to resolve and no words are given.
    """
    known = await _resolved(unit, training_class)
    flagged = [place for place in dict.fromkeys(places) if rules.place_flags(place, known)]
    flags = rules.flags_of(flagged, known)
    rules.check_resolved(flags, note)
    waiting = {one.key: one for one in await store.standing(unit, training_class.id)}
    for place in flagged:
        if asked := waiting.get(rules.plain(place)):
            await take(unit, rules.STEPS, asked, Action.RESOLVE, note, changes={"note": note})
    new = {rules.plain(place): place for place in flagged if rules.plain(place) not in waiting}
    if new:
        steps = [history.step(unit, Action.RESOLVE, note)]
        await store.insert(
            unit,
            [
                _check(training_class, place, known, reason).model_copy(
                    update={"state": State.RESOLVED, "note": note, "history": steps}
                )
                for place in new.values()
            ],
        )
    return flags


async def _resolved(scope: Scope, training_class: TrainingClass) -> list[str]:
    standing = await store.standing(scope, training_class.id)
    return [training_class.place, *(one.place for one in standing if one.state is State.RESOLVED)]


# ---- the institution


async def ask(platform: Platform, actor: Actor, class_id: str, draft: PlaceDraft) -> PlaceCheck:
    """Asks the province to look at a place for a class of one's own; the place that waits or is resolved already answers as it stands.

    Raises NothingToResolve, ResultsReleased, NotFound.
    """
    try:
        return await _ask(platform, actor, class_id, draft)
    except DuplicateKeyError:  # a colleague was first
        return await _ask(platform, actor, class_id, draft)


@transactional
async def _ask(unit: UnitOfWork, class_id: str, draft: PlaceDraft) -> PlaceCheck:
    rules.STEPS.require_right(Action.ASK, unit.actor.roles)
    training_class = await classes.get_class(unit, unit.actor, class_id)
    key = rules.plain(draft.place)
    for one in await store.standing(unit, class_id):
        if one.key == key:
            unit.nothing_written()
            return one
    await classes.exclude_release(unit, training_class)
    new = _check(training_class, draft.place, await _resolved(unit, training_class), draft.reason)
    if not new.flags:
        raise NothingToResolve()
    new = new.model_copy(update={"history": [history.step(unit, Action.ASK, draft.reason)]})
    await store.insert(unit, [new])
    unit.audit("venues:ask", new.id, class_id=class_id, place=new.place, reason=draft.reason)
    return new


def _check(training_class: TrainingClass, place: str, known: list[str], reason: str) -> PlaceCheck:
    return PlaceCheck(
        class_id=training_class.id,
        class_name=training_class.name,
        institution_code=training_class.institution_code,
        institution_name=training_class.institution_name,
        province_code=training_class.province_code,
        place=place,
        key=rules.plain(place),
        flags=rules.place_flags(place, known),
        reason=reason,
        state=State.WAITING,
        history=[],
    )


@transactional
async def withdraw(unit: UnitOfWork, check_id: str, wanted: Withdrawal) -> PlaceCheck:
    """Takes a request back before the province has decided."""
    found = await get_check(unit, unit.actor, check_id)
    unit.audit("venues:withdraw", found.id, class_id=found.class_id, reason=wanted.reason)
    return await take(unit, rules.STEPS, found, Action.WITHDRAW, wanted.reason, seen=wanted.seen)


# ---- the province


@transactional
async def allow(unit: UnitOfWork, check_id: str, finding: Finding) -> PlaceCheck:
    """The place may be used; the words say how that was found out."""
    found = await get_check(unit, unit.actor, check_id)
    unit.audit("venues:resolve", found.id, class_id=found.class_id, place=found.place, reason=finding.note)
    changes = {"note": finding.note}
    return await take(
        unit, rules.STEPS, found, Action.RESOLVE, finding.note, seen=finding.seen, changes=changes
    )


@transactional
async def refuse(unit: UnitOfWork, check_id: str, finding: Finding) -> PlaceCheck:
    """The place may not be used, or no longer; sessions that have it already are the institution's to move.

    Raises ResultsReleased for a place that may be used, once the class is over and done: nothing could be moved any more.
    """
    found = await get_check(unit, unit.actor, check_id)
    if found.state is State.RESOLVED:
        await classes.exclude_release(unit, await classes.get_class(unit, unit.actor, found.class_id))
    unit.audit("venues:refuse", found.id, class_id=found.class_id, place=found.place, reason=finding.note)
    changes = {"note": finding.note}
    return await take(
        unit, rules.STEPS, found, Action.REFUSE, finding.note, seen=finding.seen, changes=changes
    )


async def may_refuse(scope: Scope, actor: Actor, found: PlaceCheck) -> bool:
    """Whether this actor may refuse the place now."""
    if not rules.STEPS.may(found.state, Action.REFUSE, actor.roles):
        return False
    training_class = await classes.get_class(scope, actor, found.class_id)
    return found.state is State.WAITING or not training_class.frozen


# ---- reading


async def get_check(scope: Scope, actor: Actor, check_id: str) -> PlaceCheck:
    """A place in a staff actor's jurisdiction. Raises NotFound for any other."""
    found = await store.check_in_reach(scope, actor.jurisdiction, check_id)
    if found is None:
        raise NotFound("没有这份地点核实，或不在您的管理范围内。")
    return found


async def list_checks(
    platform: Platform, actor: Actor, narrowed: PlaceFilter, *, before: str | None = None, limit: int = 20
) -> list[PlaceCheck]:
    """Those in the actor's jurisdiction, newest first."""
    return await store.checks(platform, actor.jurisdiction, narrowed, before=before, limit=limit)


async def waiting_of(scope: Scope, class_ids: Sequence[str]) -> dict[str, PlaceCheck]:
    """By class id the place of it that waits for the province, the first of several."""
    found: dict[str, PlaceCheck] = {}
    for one in await store.waiting_of(scope, class_ids):
        found.setdefault(one.class_id, one)
    return found
