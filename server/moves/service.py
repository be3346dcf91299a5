"""调动: asked by either side, confirmed by the provinces of both, in force from a day on (articles 9.1 and 25; server/decisions/0036)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.accounts import people
from server.backbone import service as backbone
from server.classes import enrolment
from server.classes.belonging import belonging
from server.institutions import service as institutions
from server.institutions.annex1 import PROVINCES
from server.kernel.clock import beijing_date
from server.kernel.errors import FieldError, Invalid, NotFound
from server.kernel.folding import folded
from server.kernel.history import step
from server.kernel.identity import INSTITUTION_ROLES, Actor, Jurisdiction, Role, system
from server.kernel.permissions import Permission, holds
from server.kernel.platform import Platform
from server.kernel.reasons import ShortReason
from server.kernel.reviewed import take
from server.kernel.reviews import Return, Review, Withdrawal
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.moves import rules, store
from server.moves.documents import Move, MoveFilter, Subject
from server.moves.rules import Action, State
from server.qualification import service as qualification
from server.selection import service as selection

PAGE = "/admin/moves"
AT_ONCE = 200
PROVINCE_NAMES = {one.code: one.name for one in PROVINCES}


class MoveDraft(BaseModel):
    to_unit: Annotated[str, Field(title="调入单位", min_length=2, max_length=60)]
    to_province: Annotated[str, Field(title="调入省份", pattern=r"^[0-9]{2}$")]
    effective_on: Annotated[date, Field(title="生效日期")]
    reason: Annotated[ShortReason, Field(title="事由")]


# ---- asking


async def subject(scope: Scope, actor: Actor, person_id: str) -> Subject:
    """A backbone teacher, whom everybody finds in the pool, or somebody who is or was in a class of the actor's reach, or belongs to the
    actor's province. Raises NotFound for anybody else."""
    person = (await people.persons(scope, [person_id])).get(person_id)
    if person is None or person.claimed:
        raise NotFound("没有这位教师，或不在您的管理范围内。")
    where = await belonging(scope, person_id)
    member = await backbone.teacher_in_pool(scope, person_id)
    known = {("province_code", where.province_code)}
    for one in (await enrolment.whereabouts(scope, person_id)).enrolments:
        known |= {("province_code", one.province_code), ("institution_code", one.institution_code)}
    reach = actor.jurisdiction.conditions
    theirs = reach is None or set(reach) <= known or where.keeper.is_(actor)
    if member is None and (reach is None or not theirs):
        raise NotFound("没有这位教师，或不在您的管理范围内。")
    return Subject(
        person_id,
        person.name,
        person.id_number_masked,
        theirs,
        member is not None,
        where.work_unit,
        where.province_code,
    )


@dataclass(frozen=True)
class Asking:
    """What the form begins with."""

    subject: Subject
    words: str
    """Which moves the actor may ask for."""
    to_unit: str
    """An institution asks for somebody of another unit only to have them: its own name; else empty."""


async def asking(platform: Platform, actor: Actor, person_id: str) -> Asking:
    """Raises NotFound as `subject`."""
    found = await subject(platform, actor, person_id)
    words = rules.whose_moves(province=Role.PROVINCE in actor.roles)
    return Asking(found, words, await _taken_in_by(platform, actor, found.work_unit))


async def offered(platform: Platform, actor: Actor, work_unit: str) -> str:
    """What asking is called on the page of somebody of this unit; empty for who may not ask."""
    if not holds(actor, Permission.MOVES_ASK):
        return ""
    return "提出调入本单位" if await _taken_in_by(platform, actor, work_unit) else Action.ASK.label


async def _taken_in_by(scope: Scope, actor: Actor, work_unit: str) -> str:
    """The name of the actor's institution, where somebody of this unit is not of it."""
    if Role.PROVINCE in actor.roles or actor.institution_code is None:
        return ""
    own = await institutions.name_of(scope, actor.institution_code)
    present = (await institutions.present_names(scope, {work_unit})).get(work_unit, work_unit)
    return "" if folded(own) == folded(present) else own


async def ask(platform: Platform, actor: Actor, person_id: str, draft: MoveDraft) -> Move:
    """Asks for a move to or from the actor's own unit or province; where nobody else has to confirm, it is confirmed by that.

    Raises NotFound, Invalid, NotYourMove, AskedToday, MoveOpen while another move of the person is under way.
    """
    try:
        return await _ask(platform, actor, person_id, draft)
    except DuplicateKeyError:
        raise rules.MoveOpen() from None


@transactional
async def _ask(unit: UnitOfWork, person_id: str, draft: MoveDraft) -> Move:
    rules.STEPS.require_right(Action.ASK, unit.actor.roles)
    found, today = await subject(unit, unit.actor, person_id), beijing_date(unit.now)
    if draft.to_province not in PROVINCE_NAMES:
        raise Invalid(fields=[FieldError("to_province", "请选择省份。")])
    wanted = await institutions.called(unit, draft.to_unit)
    to_unit = wanted.name if wanted else draft.to_unit  # also where it was typed as it was called before
    before, after = (found.work_unit, found.province_code), (to_unit, draft.to_province)
    rules.check_move(before, after, draft.effective_on, today)
    if wanted:
        rules.check_place(wanted.name, wanted.province_code, draft.to_province)
    left = await institutions.called(unit, found.work_unit)
    sides = [(left, found.province_code), (wanted, draft.to_province)]
    codes = list(dict.fromkeys(one.id for one, place in sides if one and one.province_code == place))
    provinces = list(dict.fromkeys(one for one in (found.province_code, draft.to_province) if one))
    province_asks = Role.PROVINCE in unit.actor.roles
    mine = unit.actor.province_code if province_asks else unit.actor.institution_code
    rules.check_side(provinces if province_asks else codes, mine or "", province=province_asks)
    before_this = await store.closed(unit, person_id, unit.actor.office)
    rules.check_pause((beijing_date(one.history[-1].at) for one in before_this), today)
    if province_asks and mine == found.province_code:
        await _make_way(unit, person_id, mine)
    new = Move(
        person_id=person_id,
        name=found.name,
        id_number_masked=found.id_number_masked,
        backbone=found.backbone,
        from_unit=found.work_unit,
        from_province=found.province_code,
        to_unit=to_unit,
        to_province=draft.to_province,
        province_code=provinces,
        institution_code=codes,
        effective_on=draft.effective_on,
        reason=draft.reason,
        asked_by=unit.actor.office,
        pending=rules.whose_turn(provinces, mine if province_asks else None),
        history=[step(unit, Action.ASK, draft.reason)],
    )
    await store.insert(unit, new)
    unit.audit("moves:ask", new.id, person_id=person_id, effective_on=new.effective_on.isoformat())
    for said in new.tells(new.history[0]):
        unit.tell(said)
    return new if new.pending else await _confirmed(unit, new, seen=1)


async def _make_way(unit: UnitOfWork, person_id: str, province: str) -> None:
    """What others asked and nobody has confirmed is declined by what the person's province does itself."""
    other = await store.under_way(unit, person_id)
    if other is None or not rules.gives_way(
        other.state, other.pending, (one.action for one in other.history), province
    ):
        return
    reason, closed = "所在省已另行提出调动。", {"open": False, "pending": []}
    unit.audit("moves:decline", other.id, person_id=person_id, reason=reason)
    await take(unit, rules.STEPS, other, Action.DECLINE, reason, changes=closed)


@transactional
async def withdraw(unit: UnitOfWork, move_id: str, wanted: Withdrawal) -> Move:
    """Whoever asked takes it back, until it has taken effect. Raises NotYourMove."""
    found = await move(unit, unit.actor, move_id)
    if unit.actor.office != found.asked_by:
        raise rules.NotYourMove("只有提出调动的一方可以撤回。")
    unit.audit("moves:withdraw", found.id, person_id=found.person_id, reason=wanted.reason)
    closed = {"open": False, "pending": []}
    return await take(
        unit, rules.STEPS, found, Action.WITHDRAW, wanted.reason, seen=wanted.seen, changes=closed
    )


# ---- the provinces


@transactional
async def confirm(unit: UnitOfWork, move_id: str, wanted: Review) -> Move:
    """A province of either side confirms; with the last one it is in force from its day on, or at once. Raises NotYourMove."""
    found = await move(unit, unit.actor, move_id)
    return await _confirmed(unit, _require_turn(unit.actor, found), seen=wanted.seen)


async def _confirmed(unit: UnitOfWork, found: Move, *, seen: int) -> Move:
    mine, today = unit.actor.province_code or "", beijing_date(unit.now)
    action = rules.next_step(found.pending, mine, found.effective_on, today)
    changes: dict[str, object] = {"pending": [one for one in found.pending if one != mine]}
    if action is Action.TAKE_EFFECT:
        changes |= {"open": False, "took_effect_on": today}
    unit.audit("moves:confirm", found.id, person_id=found.person_id)
    changed = await take(unit, rules.STEPS, found, action, seen=seen, changes=changes)
    if action is Action.TAKE_EFFECT:
        await _bring_about(unit, changed, today)
    return changed


@transactional
async def decline(unit: UnitOfWork, move_id: str, wanted: Return) -> Move:
    """A province that was to confirm does not, with a reason: everything stays as it is."""
    found = _require_turn(unit.actor, await move(unit, unit.actor, move_id))
    unit.audit("moves:decline", found.id, person_id=found.person_id, reason=wanted.reason)
    closed = {"open": False, "pending": []}
    return await take(
        unit, rules.STEPS, found, Action.DECLINE, wanted.reason, seen=wanted.seen, changes=closed
    )


def _require_turn(actor: Actor, found: Move) -> Move:
    if Role.PROVINCE not in actor.roles or (
        found.state is State.ASKED and actor.province_code not in found.pending
    ):
        raise rules.NotYourMove("这件调动不由您确认，或您已经确认过。")
    return found


# ---- taking effect


async def _bring_about(unit: UnitOfWork, found: Move, since: date) -> None:
    """From now on the person is of the new unit and province, and what is open goes along; what was done and certified stays as it was."""
    place = (found.to_unit, found.to_province)
    person = (await people.persons(unit, [found.person_id]))[found.person_id]
    await people.relocate(unit, found.person_id, *place, since)
    await backbone.relocate(unit, found.person_id, *place)
    await selection.relocate(unit, person.id_number, *place)
    await qualification.relocate(unit, found.person_id, *place, since)
    unit.notify(
        found.person_id,
        "moved",
        before=found.from_unit,
        after=found.to_unit,
        place=PROVINCE_NAMES[found.to_province],
        effective_on=since.isoformat(),
    )


async def apply_due(platform: Platform) -> int:
    """The daily work: confirmed moves whose day has come; each in a transaction of its own that looks again. Returns how many."""
    job, done = system("apply-moves"), 0
    while ids := await store.due(platform, beijing_date(platform.clock.now()), AT_ONCE):
        for move_id in ids:
            done += await _apply(platform, job, move_id)
    return done


@transactional
async def _apply(unit: UnitOfWork, move_id: str) -> bool:
    found, today = await store.move(unit, Jurisdiction.everything(), move_id), beijing_date(unit.now)
    if found is None or found.state is not State.CONFIRMED or found.effective_on > today:
        unit.nothing_written()
        return False
    changes = {"open": False, "took_effect_on": today}
    await _bring_about(unit, await take(unit, rules.STEPS, found, Action.APPLY, changes=changes), today)
    unit.audit("moves:apply", found.id, person_id=found.person_id)
    return True


# ---- reading


async def move(scope: Scope, actor: Actor, move_id: str) -> Move:
    """One that concerns the actor's office or those below it. Raises NotFound."""
    found = await store.move(scope, actor.jurisdiction, move_id)
    if found is None:
        raise NotFound("没有这件调动，或不在您的管理范围内。")
    return found


async def list_moves(
    platform: Platform, actor: Actor, narrowed: MoveFilter, *, before: str | None = None, limit: int = 20
) -> list[Move]:
    """Newest first."""
    pending = (actor.province_code or "") if narrowed.waiting and Role.PROVINCE in actor.roles else ""
    return await store.moves(
        platform, actor.jurisdiction, narrowed, pending=pending, before=before, limit=limit
    )


def shows_number(actor: Actor, found: Move) -> bool:
    """Whether the last digits are shown: to the provinces, which have to tell who it is, and to institutions once the person is theirs.
    Asking for somebody of the pool, whom everybody finds, tells no number."""
    if not actor.roles & INSTITUTION_ROLES or found.state is State.DONE:
        return True
    return found.asked_by == actor.office and not found.backbone


def may_confirm(actor: Actor, found: Move) -> bool:
    return (
        Role.PROVINCE in actor.roles and found.state is State.ASKED and actor.province_code in found.pending
    )


def may_withdraw(actor: Actor, found: Move) -> bool:
    return found.open and actor.office == found.asked_by


async def needed(scope: Scope, person_ids: Sequence[str]) -> set[str]:
    """Those of these people whose moves are on record."""
    return await store.persons(scope, list(person_ids))
