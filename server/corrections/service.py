"""Corrections of what was published (article 25.4): the institution asks, the province or the centre approves, and it is done at once.

The correction is applied in the transaction of its approval. Certificates that were issued keep what was printed on them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from datetime import date
from typing import Annotated

from bson.binary import Binary
from pydantic import BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.accounts import people, speakers
from server.accounts.proofs import Voucher
from server.accounts.rules import (
    check_name,
    mask_id_number,
    normalise_name,
)
from server.admissions import applying as admissions
from server.attendance import service as attendance
from server.backbone import service as backbone
from server.classes import enrolment
from server.classes import facts as class_facts
from server.classes import service as classes
from server.classes.belonging import belonging
from server.classes.documents import TrainingClass
from server.classes.facts import ClassFacts
from server.corrections import rules, sealed, store
from server.corrections.documents import Change, Correction, CorrectionFilter
from server.corrections.rules import Action, Ground, State, Subject
from server.institutions import service as institutions
from server.invitations import service as invitations
from server.kernel import reasons
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, FieldError, Invalid, NotFound
from server.kernel.history import step
from server.kernel.identity import Actor
from server.kernel.numbers import AS_ID_NUMBER, AS_PHONE
from server.kernel.platform import Platform
from server.kernel.reviewed import follow_institution, take
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.venues.rules import NOTE_SHORTEST

Reason = reasons.Reason
TITLES = {"name": "名称", "place": "培训地点", "starts_on": "开始日期", "ends_on": "结束日期"}


class CorrectionOpen(Conflict):
    slug = "correction-open"
    title = "已有待审核的更正申请"
    default_detail = "同一内容一次只办理一件更正。请等审核办结，或先撤回原来的申请。"


class ClassCorrection(BaseModel):
    name: Annotated[str, Field(title="培训班名称", min_length=4, max_length=60)]
    place: Annotated[str, Field(title="培训地点", min_length=2, max_length=100)]
    starts_on: Annotated[date, Field(title="开始日期")]
    ends_on: Annotated[date, Field(title="结束日期")]
    reason: Reason


class TraineeCorrection(BaseModel):
    name: Annotated[str, Field(title="正确的姓名", min_length=1, max_length=60)]
    id_number: Annotated[str, Field(title="正确的身份证号", max_length=60), AS_ID_NUMBER] = ""
    phone: Annotated[str, Field(title="正确的手机号", max_length=40), AS_PHONE] = ""
    """Number and phone are not shown whole: empty, they are right as they are."""
    ground: Annotated[Ground, Field(title="更正原因")]
    reason: Annotated[reasons.Reason, Field(title="核对的证件和说明")]


class InstitutionCorrection(BaseModel):
    name: Annotated[str, Field(title="培训机构名称", min_length=4, max_length=40)]
    reason: Reason


# ---- Asking


async def correct_class(
    platform: Platform, actor: Actor, class_id: str, wanted: ClassCorrection
) -> Correction:
    """Asks to correct a class.

    Raises NothingToCorrect, CorrectionOpen, Invalid for dates, NotQualified, DaysFixed, DatesClash, SessionsOutside, NotFound.
    """
    return await _once(_correct_class(platform, actor, class_id, wanted))


async def correct_trainee(
    platform: Platform, actor: Actor, class_id: str, person_id: str, wanted: TraineeCorrection
) -> Correction:
    """Asks to correct name, ID number and phone number of a trainee of one's class.

    A phone number says who may speak for a person, so that it is never another one without the province's approval, once the row is not
    the institution's own any more. Raises NameInvalid, IdNumberInvalid, PhoneInvalid, NumberTaken, NothingToCorrect, CorrectionOpen,
    NotFound.
    """
    training_class = await classes.get_class(platform, actor, class_id)
    await classes.trainee(platform, class_id, person_id)
    person = (await people.persons(platform, [person_id]))[person_id]
    listed = person.phone_by(Voucher.institution(training_class.institution_code))
    both = [
        await sealed.renumbering(platform, person, wanted.id_number),
        await sealed.rephoning(platform, listed, wanted.phone),
    ]
    asked = [one for one in both if one is not None]
    return await _once(_correct_trainee(platform, actor, class_id, person_id, wanted, asked))


async def correct_institution(
    platform: Platform, actor: Actor, code: str, wanted: InstitutionCorrection
) -> Correction:
    """Asks to correct the institution's own name. Raises Invalid when another has it, NothingToCorrect, CorrectionOpen, NotFound."""
    return await _once(_correct_institution(platform, actor, code, wanted))


async def _once(asking: Awaitable[Correction]) -> Correction:
    try:
        return await asking
    except DuplicateKeyError:
        raise CorrectionOpen() from None


@transactional
async def _correct_class(unit: UnitOfWork, class_id: str, wanted: ClassCorrection) -> Correction:
    found = await classes.get_class(unit, unit.actor, class_id)
    classes.require_not_ended(found)
    facts = ClassFacts(wanted.name, wanted.place, wanted.starts_on, wanted.ends_on)
    await class_facts.check_facts(unit, found, facts)
    await _require_spanned(unit, found, facts)
    draft = Correction(
        subject=Subject.CLASS,
        institution_code=found.institution_code,
        institution_name=found.institution_name,
        province_code=found.province_code,
        level=found.level,
        class_id=found.id,
        about=found.name,
        thing=found.id,
        changes=[],
        reason=wanted.reason,
        history=[],
        submitted_at=unit.now,
    )
    return await _file(unit, draft, _texts(facts))


async def _require_spanned(unit: UnitOfWork, training_class: TrainingClass, facts: ClassFacts) -> None:
    """Raises SessionsOutside for new days: asked with the request and again with the approval, for a session may have come meanwhile."""
    if facts.days == (training_class.starts_on, training_class.ends_on):
        return
    outside = await attendance.sessions_outside(unit, training_class.id, *facts.days)
    rules.require_spanned([f"“{one.title}”（{beijing_date(one.starts_at)}）" for one in outside])


@transactional
async def _correct_trainee(
    unit: UnitOfWork,
    class_id: str,
    person_id: str,
    wanted: TraineeCorrection,
    asked: Sequence[sealed.Sealed],
) -> Correction:
    found = await classes.get_class(unit, unit.actor, class_id)
    trainee = await classes.trainee(unit, class_id, person_id)
    name = normalise_name(wanted.name)
    check_name(name)
    draft = Correction(
        subject=Subject.TRAINEE,
        institution_code=found.institution_code,
        institution_name=found.institution_name,
        # Name and number are the person's in every class: the province that answers for them reviews, not that of whoever asks.
        province_code=(await belonging(unit, person_id)).province_code,
        level=found.level,
        class_id=found.id,
        person_id=person_id,
        about=f"{trainee.name}（{trainee.id_number_masked}，{found.name}）",
        thing=person_id,
        changes=[],
        ground=wanted.ground,
        reason=wanted.reason,
        history=[],
        submitted_at=unit.now,
    )
    kept = {"id_number": "number", "phone": "phone"}
    numbers = {f"{kept[one.field]}_before": one.before for one in asked}
    numbers |= {f"{kept[one.field]}_after": one.after for one in asked}
    draft = draft.model_copy(update=numbers)
    rules.check_unchanged(await _present(unit, draft), draft.read_then)
    return await _file(unit, draft, {"name": name}, [one.change for one in asked])


@transactional
async def _correct_institution(unit: UnitOfWork, code: str, wanted: InstitutionCorrection) -> Correction:
    found = await institutions.institution(unit, unit.actor, code)
    name = "".join(wanted.name.split())
    await _check_free(unit, code, name)
    draft = Correction(
        subject=Subject.INSTITUTION,
        institution_code=found.id,
        institution_name=found.name,
        province_code=found.province_code,
        about=found.name,
        thing=found.id,
        changes=[],
        reason=wanted.reason,
        history=[],
        submitted_at=unit.now,
    )
    return await _file(unit, draft, {"name": name})


async def _check_free(unit: UnitOfWork, code: str, name: str) -> None:
    if await institutions.name_is_taken(unit, name, by_another_than=code):
        raise Invalid(
            fields=[
                FieldError("name", f"“{name}”是另一家培训机构的现用名或曾用名，或另一所院校正以此名申请。")
            ]
        )


async def _file(
    unit: UnitOfWork, draft: Correction, wanted: Mapping[str, str], numbers: Sequence[Change] = ()
) -> Correction:
    """Files a request of what differs; one that was returned before is amended and filed again."""
    rules.steps_of(draft.subject).require_right(Action.REQUEST, unit.actor.roles)
    present = await _present(unit, draft)
    titles = TITLES if draft.subject is not Subject.TRAINEE else sealed.OF_A_PERSON
    changes = [
        Change(field=field, title=titles[field], before=present[field], after=wanted[field])
        for field in (wanted if numbers else rules.differing(present, wanted))
        if present[field] != wanted[field]
    ]
    changes += numbers
    returned = await store.open_of(unit, unit.actor.jurisdiction, draft.thing)
    if returned is None:
        filed = draft.model_copy(update={"changes": changes, "history": [step(unit, Action.REQUEST)]})
        await store.insert(unit, filed)
        unit.audit("corrections:request", filed.id, thing=filed.thing, reason=filed.reason)
        return filed
    if returned.state is not State.RETURNED:
        raise CorrectionOpen()
    amended = {
        "changes": changes,
        "reason": draft.reason,
        "ground": draft.ground,
        "number_before": draft.number_before,
        "number_after": draft.number_after,
        "phone_before": draft.phone_before,
        "phone_after": draft.phone_after,
    }
    return await _move(unit, returned, Action.RESUBMIT, draft.reason, amended)


# ---- Deciding


async def approve(
    platform: Platform, actor: Actor, correction_id: str, reason: str = "", *, seen: int | None = None
) -> Correction:
    """Approves a correction and makes it. A place that may be forbidden (Correction.venue_flags) needs words about it (article 11).

    Raises NotInThisState, ChangedMeanwhile, NumberTaken, Invalid without those words, and what the thing itself refuses.
    """
    try:
        return await _approve(platform, actor, correction_id, reason, seen)
    except DuplicateKeyError:  # somebody was made known by that number at the same moment
        raise people.NumberTaken() from None


@transactional
async def _approve(unit: UnitOfWork, correction_id: str, reason: str, seen: int | None) -> Correction:
    found = await correction(unit, unit.actor, correction_id)
    approved = await _move(unit, found, Action.APPROVE, reason, seen=seen)
    if found.venue_flags and len(reason) < NOTE_SHORTEST:
        message = "请写明核实的情况：培训地点为什么不在风景名胜区内、不是高档宾馆，至少 4 个字。"
        raise Invalid(fields=[FieldError("reason", message)])
    rules.check_unchanged(await _present(unit, found), found.read_then)
    await _apply(unit, found)
    return approved


@transactional
async def return_(
    unit: UnitOfWork, correction_id: str, reason: Reason, *, seen: int | None = None
) -> Correction:
    """Returns a request with a reason; the institution amends it or takes it back. Raises NotInThisState."""
    found = await correction(unit, unit.actor, correction_id)
    return await _move(unit, found, Action.RETURN, reason, seen=seen)


@transactional
async def retract(unit: UnitOfWork, correction_id: str, reason: Reason) -> Correction:
    """The institution takes its request back. Raises NotInThisState."""
    found = await correction(unit, unit.actor, correction_id)
    return await _move(unit, found, Action.RETRACT, reason)


async def _move(
    unit: UnitOfWork,
    found: Correction,
    action: Action,
    reason: str,
    changes: Mapping[str, object] | None = None,
    *,
    seen: int | None = None,
) -> Correction:
    steps = rules.steps_of(found.subject)
    state = steps.after(found.state, action, unit.actor.roles)
    whole = {**(changes or {}), "open": state.open}
    moved = await take(unit, steps, found, action, reason, seen=seen, changes=whole)
    unit.audit(f"corrections:{action.lower()}", found.id, thing=found.thing, reason=reason)
    return moved


async def _present(scope: Scope, found: Correction) -> dict[str, str]:
    """How the thing reads now, field by field."""
    match found.subject:
        case Subject.CLASS:
            item = (await classes.classes_of(scope, [found.thing]))[found.thing]
            return _texts(ClassFacts(item.name, item.place, item.starts_on, item.ends_on))
        case Subject.TRAINEE:
            trainee = await classes.trainee(scope, found.class_id or "", found.thing)
            person = (await people.persons(scope, [found.thing]))[found.thing]
            phone = person.phone_by(Voucher.institution(found.institution_code))
            return {
                "name": trainee.name,
                "id_number": person.id_number.hex(),
                "phone": phone.hex() if phone else "",
            }
        case Subject.INSTITUTION:
            return {"name": await institutions.name_of(scope, found.thing)}


def _texts(facts: ClassFacts) -> dict[str, str]:
    return {
        "name": facts.name,
        "place": facts.place,
        "starts_on": facts.starts_on.isoformat(),
        "ends_on": facts.ends_on.isoformat(),
    }


async def _apply(unit: UnitOfWork, found: Correction) -> None:
    """Makes the correction, and leaves a trace at what was corrected."""
    match found.subject:
        case Subject.CLASS:
            whole = await _present(unit, found) | found.wanted
            facts = ClassFacts(
                whole["name"],
                whole["place"],
                date.fromisoformat(whole["starts_on"]),
                date.fromisoformat(whole["ends_on"]),
            )
            [training_class] = (await classes.classes_of(unit, [found.thing])).values()
            await _require_spanned(unit, training_class, facts)
            await class_facts.correct_facts(unit, found.thing, facts)
            [corrected] = (await classes.classes_of(unit, [found.thing])).values()
            await invitations.follow_class(unit, corrected)
            await enrolment.tell_of_correction(unit, corrected)
        case Subject.TRAINEE:
            if "name" in found.wanted:
                await class_facts.rename_person(unit, found.thing, found.wanted["name"])
                await backbone.rename(unit, found.thing, found.wanted["name"])
            if found.number_after is not None:
                await _renumber(unit, found.thing, found.number_after)
            if found.phone_after is not None:
                voucher = Voucher.institution(found.institution_code)
                await speakers.vouch(unit, {found.thing: found.phone_after}, voucher)
            corrected_words = "、".join(one.title for one in found.changes)
            unit.notify(
                found.thing,
                "identity-corrected",
                outcome=f"{corrected_words}已更正",
                institution=found.institution_name,
            )
        case Subject.INSTITUTION:
            await _check_free(unit, found.thing, found.wanted["name"])
            await _rename_institution(unit, found.thing, found.wanted["name"])
    unit.audit(
        "corrections:apply",
        found.class_id or found.thing,
        correction=found.id,
        changes="；".join(f"{one.title}：{one.before} → {one.after}" for one in found.changes)
        if found.subject is not Subject.TRAINEE
        else "",
    )


async def _rename_institution(unit: UnitOfWork, code: str, name: str) -> None:
    """The institution, what it has in hand and what waits for a decision. A class whose results are released, and what is about it, keep
    the name under which it was held."""
    await institutions.rename(unit, code, name)
    await class_facts.rename_institution(unit, code, name)
    await invitations.follow_institution(unit, code, name)
    await follow_institution(unit, code, name, but_of=await class_facts.released_of(unit, code))


async def _renumber(unit: UnitOfWork, person_id: str, number: Binary) -> None:
    """The person, every roster, the pool and the applications; certificates that were issued keep what is printed."""
    [clear] = await unit.platform.vault.decrypt([number])
    masked = mask_id_number(clear)
    await class_facts.renumber_person(unit, person_id, number, masked)
    await backbone.renumber(unit, person_id, masked)
    await admissions.renumber(unit, person_id, masked)


# ---- Reading


async def correction(scope: Scope, actor: Actor, correction_id: str) -> Correction:
    """A correction in the actor's jurisdiction. Raises NotFound."""
    found = await store.in_reach(scope, actor.jurisdiction, correction_id)
    if found is None:
        raise NotFound("没有这件更正申请，或不在您的管理范围内。")
    return found


async def open_correction(platform: Platform, actor: Actor, thing: str) -> Correction | None:
    """The request about a thing that is not settled, in the actor's jurisdiction."""
    return await store.open_of(platform, actor.jurisdiction, thing)


async def of_person(platform: Platform, actor: Actor, person_id: str) -> list[Correction]:
    """Of one person what was asked for in the actor's reach, newest first."""
    return await store.of_thing(platform, actor.jurisdiction, person_id)


async def list_corrections(
    platform: Platform,
    actor: Actor,
    narrowed: CorrectionFilter,
    *,
    before: str | None = None,
    limit: int = 20,
) -> list[Correction]:
    """The corrections in the actor's jurisdiction, newest first."""
    return await store.corrections(platform, actor.jurisdiction, narrowed, before=before, limit=limit)


async def made_in_class(platform: Platform, actor: Actor, class_id: str) -> list[Correction]:
    """What was corrected in a class and among its trainees, newest first: its earlier versions."""
    return await store.approved(platform, actor.jurisdiction, {"class_id": class_id}, limit=100)


async def made_of_institution(platform: Platform, actor: Actor, code: str) -> list[Correction]:
    """The names that an institution had, newest first."""
    return await store.approved(platform, actor.jurisdiction, {"thing": code}, limit=100)


def may_review(actor: Actor, found: Correction) -> bool:
    """Whether this actor is the one who decides a correction that waits."""
    return found.state is State.SUBMITTED and found.subject.reviewer in actor.roles
