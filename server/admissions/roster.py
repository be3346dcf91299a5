"""One person on a roster: added by a form, put right, taken off before arrival, 退训 after it (articles 4.4, 4.7 and 25.3).

培训机构负责审核、管理培训班参训教师数据信息: until somebody has arrived or a phone speaks for them, the row is the institution's to
edit. From then on, and for whoever is known elsewhere, name and number are corrected with the province's approval (server.corrections).
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from bson.binary import Binary
from pydantic import BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.accounts import people, speakers
from server.accounts import rules as identity_rules
from server.accounts.people import NameDiffers, SealedIdentity
from server.accounts.proofs import Voucher
from server.accounts.rules import Evidence
from server.admissions import places, roster_rules, store
from server.admissions.rules import Action, State
from server.attendance import service as attendance
from server.classes import enrolment
from server.classes import service as classes
from server.classes.documents import Enrolment, EnrolmentSource, TrainingClass
from server.classes.enrolment import LeftBefore
from server.classes.rules import Stage
from server.kernel import reasons
from server.kernel.clock import beijing_date
from server.kernel.errors import FieldError, Invalid
from server.kernel.folding import same
from server.kernel.identity import Actor
from server.kernel.numbers import AS_ID_NUMBER, AS_PHONE
from server.kernel.platform import Platform
from server.kernel.seen import require as require_seen
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional

Words = Annotated[str, Field(max_length=100)]


class Entry(BaseModel):
    """A row of a roster as it is typed into a form."""

    name: Annotated[str, Field(title="姓名", min_length=1, max_length=60)]
    id_number: Annotated[str, Field(title="身份证号", min_length=1, max_length=60), AS_ID_NUMBER]
    work_unit: Annotated[Words, Field(title="工作单位")] = ""
    post: Annotated[Words, Field(title="职务/职称")] = ""
    major_taught: Annotated[Words, Field(title="任教专业")] = ""
    phone: Annotated[str, Field(title="手机号", max_length=40), AS_PHONE] = ""


class Edit(Entry):
    """Number and phone are not shown whole: left empty, they stay."""

    id_number: Annotated[str, Field(title="身份证号", max_length=60), AS_ID_NUMBER] = ""


class Reason(BaseModel):
    reason: reasons.ShortReason


class Leaving(Reason):
    left_on: Annotated[date, Field(title="退训日期")]


def _details(typed: Entry) -> dict[str, str]:
    """What the row says beside who it is."""
    plain = identity_rules.without_invisible
    return {
        "work_unit": plain(typed.work_unit),
        "post": plain(typed.post),
        "major_taught": plain(typed.major_taught),
    }


def _checked_name(typed: Entry) -> str:
    name = identity_rules.normalise_name(typed.name)
    identity_rules.check_name(name)
    return name


def _checked_phone(typed: Entry) -> str:
    if typed.phone:
        identity_rules.check_phone(typed.phone)
    return typed.phone


async def _sealed(platform: Platform, typed: Entry) -> SealedIdentity:
    identity_rules.check_id_number(typed.id_number, today=beijing_date(platform.clock.now()))
    identity = people.Identity(_checked_name(typed), typed.id_number, _checked_phone(typed))
    [sealed] = await people.seal(platform, [identity])
    return sealed


# ---- added, and put right


async def add(platform: Platform, actor: Actor, class_id: str, typed: Entry) -> Enrolment:
    """Puts one person on the roster of the actor's class, and tells them; the same again answers the same.

    Raises NameInvalid, IdNumberInvalid, PhoneInvalid, NameDiffers, AlreadyListed, LeftBefore, DatesClash, NoPlaceLeft, ResultsReleased,
    ClassOver.
    """
    sealed = await _sealed(platform, typed)
    try:
        async with places.turn(class_id):
            return await _add(platform, actor, class_id, sealed, _details(typed))
    except DuplicateKeyError:  # made known by somebody else at the same moment
        raise people.NumberTaken() from None


@transactional
async def _add(unit: UnitOfWork, class_id: str, sealed: SealedIdentity, details: dict[str, str]) -> Enrolment:
    training_class = await _open_roster(unit, class_id)
    voucher = Voucher.institution(training_class.institution_code)
    [person] = await people.ensure(unit, [sealed], Evidence.ROSTER_MATCHED, voucher)
    listed = await enrolment.trainee_ever(unit, class_id, person.id)
    if listed is not None and listed.left_on is None:
        if listed.model_dump(include=set(details)) != details:
            raise roster_rules.AlreadyListed(f"{listed.name}（{listed.id_number_masked}）已在本班名册中。")
        unit.nothing_written()
        return listed
    enrolment.require_not_over(training_class, beijing_date(unit.now))
    new = Enrolment(
        class_id=class_id,
        institution_code=training_class.institution_code,
        province_code=training_class.province_code,
        person_id=person.id,
        name=person.name,
        id_number_masked=person.id_number_masked,
        enrolled_at=unit.now,
        arrival_required=training_class.arrival_required,
        **details,
    )
    await enrolment.enrol(unit, training_class, [new])
    unit.audit("admissions:add-trainee", class_id, person_id=person.id)
    return new


async def edit(
    platform: Platform, actor: Actor, class_id: str, person_id: str, typed: Edit, seen: str = ""
) -> Enrolment:
    """Puts the row of somebody right; the same again changes nothing.

    A number that the platform knows with this name makes it the row of that person. Raises AskForACorrection for the name, the number
    or the phone of somebody who has arrived, is bound or known elsewhere, and what `add` raises.
    """
    name, phone = _checked_name(typed), _checked_phone(typed)
    sealed = await _sealed(platform, typed) if typed.id_number.strip() else None
    [sealed_phone] = await platform.vault.encrypt_searchable([phone]) if phone else [None]
    try:
        async with places.turn(class_id):
            return await _edit(platform, actor, class_id, person_id, name, sealed, sealed_phone, typed, seen)
    except DuplicateKeyError:
        raise people.NumberTaken() from None


@transactional
async def _edit(
    unit: UnitOfWork,
    class_id: str,
    person_id: str,
    name: str,
    sealed: SealedIdentity | None,
    phone: Binary | None,
    typed: Edit,
    seen: str,
) -> Enrolment:
    training_class = await _open_roster(unit, class_id)
    found = await classes.trainee(unit, class_id, person_id)
    person = (await people.persons(unit, [person_id]))[person_id]
    renumbered = sealed is not None and sealed.id_number != person.id_number
    await require_seen(unit, found, seen, typed, subject=class_id, what=f"{found.name}的名册信息")
    changed = found.model_copy(update=_details(typed))
    if renumbered or name != person.name or phone is not None:
        await people.touch(unit, [person_id])  # a phone that is bound at this moment comes before it or after
        await _require_own(unit, training_class, found, beijing_date(unit.now), backbone=person.backbone)
    if sealed is not None and renumbered:
        if other := (await people.known(unit, [sealed])).get(sealed.id_number):
            if not same(other.name, name):
                raise NameDiffers(
                    f"证件号 {sealed.id_number_masked} 已登记为其他姓名，请核对“{name}”的姓名和证件号。"
                )
            return await _give_row_to(unit, training_class, changed, other.id, other.name, sealed)
        await people.renumber(unit, person_id, sealed.id_number, sealed.id_number_masked)
        changed = changed.model_copy(update={"id_number_masked": sealed.id_number_masked})
    if name != person.name:
        await people.rename(unit, person_id, name)
        changed = changed.model_copy(update={"name": name})
    if phone is not None:
        await speakers.vouch(unit, {person_id: phone}, Voucher.institution(training_class.institution_code))
    if changed == found and not renumbered and phone is None:
        unit.nothing_written()
        return found
    await enrolment.put_right(unit, changed)
    fields = [one for one in ("name", *_details(typed)) if getattr(changed, one) != getattr(found, one)]
    fields += ["id_number"] * renumbered + ["phone"] * (phone is not None)
    unit.audit("admissions:edit-trainee", class_id, person_id=person_id, fields="、".join(fields))
    return changed


async def _give_row_to(
    unit: UnitOfWork,
    training_class: TrainingClass,
    row: Enrolment,
    person_id: str,
    name: str,
    sealed: SealedIdentity,
) -> Enrolment:
    """The number that was wrong was nobody's, or another's: the row means a person who is known already, and stays as they are."""
    voucher = Voucher.institution(training_class.institution_code)
    await people.ensure(unit, [sealed], Evidence.ROSTER_MATCHED, voucher)
    await enrolment.leave(unit, training_class.id, row.person_id)
    given = row.model_copy(
        update={"person_id": person_id, "name": name, "id_number_masked": sealed.id_number_masked}
    )
    await enrolment.enrol(unit, training_class, [given])
    unit.audit(
        "admissions:edit-trainee",
        training_class.id,
        person_id=person_id,
        was=row.person_id,
        fields="id_number",
    )
    return given


async def why_not_own(platform: Platform, actor: Actor, class_id: str, person_id: str) -> str:
    """Why name, number and phone of a row are not the institution's to edit, in words; empty where they are. Raises NotFound."""
    training_class = await classes.get_class(platform, actor, class_id)
    found = await classes.trainee(platform, class_id, person_id)
    person = (await people.persons(platform, [person_id]))[person_id]
    try:
        await _require_own(
            platform, training_class, found, beijing_date(platform.clock.now()), backbone=person.backbone
        )
    except roster_rules.AskForACorrection as refusal:
        return refusal.detail
    return ""


async def _require_own(
    scope: Scope, training_class: TrainingClass, found: Enrolment, today: date, *, backbone: bool
) -> None:
    """Raises AskForACorrection unless the person is of this row alone."""
    person_id = found.person_id
    elsewhere = (
        backbone
        or found.source is not EnrolmentSource.ROSTER
        or await enrolment.is_known_beside(scope, training_class.id, person_id)
        or bool(await store.people_with_applications(scope, [person_id]))
    )
    roster_rules.require_own(
        come=found.has_come(training_class.starts_on, today),
        bound=await people.was_ever_bound(scope, person_id),
        elsewhere=elsewhere,
    )


# ---- taken off the roster before arrival, 退训 after it


async def remove(
    platform: Platform, actor: Actor, class_id: str, person_id: str, wanted: Reason
) -> Enrolment:
    """Takes somebody off the roster who has neither arrived nor checked in; the place goes to the first on the waiting list until the class
    begins.

    Raises HasCome, OfTheSelection, ResultsReleased, NotFound.
    """
    async with places.turn(class_id):
        return await _remove(platform, actor, class_id, person_id, wanted.reason)


@transactional
async def _remove(unit: UnitOfWork, class_id: str, person_id: str, reason: str) -> Enrolment:
    training_class = await _open_roster(unit, class_id)
    found = await classes.trainee(unit, class_id, person_id)
    today = beijing_date(unit.now)
    roster_rules.require_not_come(await _has_come(unit, training_class, found, today))
    if found.source is EnrolmentSource.SELECTION:
        raise roster_rules.OfTheSelection()
    application = await store.open_application(unit, class_id, person_id)
    if application is not None and application.state is State.ADMITTED:
        await places.move(unit, application, Action.REMOVE, reason)
    await enrolment.leave(unit, class_id, person_id)
    _tell(unit, training_class, found, "removed-from-roster", reason)
    unit.audit("admissions:remove-trainee", class_id, person_id=person_id, reason=reason)
    if training_class.stage_on(today) is Stage.NOT_STARTED:
        await places.fill_places(unit, class_id)
    return found


@transactional
async def leave(unit: UnitOfWork, class_id: str, person_id: str, wanted: Leaving) -> None:
    """退训 of somebody who has arrived: the record stays with its reason and date, no check-in, result or certificate follows.

    Left again on the same day, it answers the same. Raises NotCome, Invalid for the date, LeftBefore, ResultsReleased, NotFound.
    """
    training_class = await _open_roster(unit, class_id)
    found = await enrolment.on_record(unit, class_id, person_id)
    if found.left_on:
        if found.left_on != wanted.left_on:
            raise LeftBefore(f"{found.name}已于 {found.left_on} 退训。")
        return unit.nothing_written()
    today = beijing_date(unit.now)
    roster_rules.require_come(await _has_come(unit, training_class, found, today))
    first = beijing_date(found.arrived_at) if found.arrived_at else training_class.starts_on
    if not first <= wanted.left_on <= today:
        raise Invalid(fields=[FieldError("left_on", f"退训日期应在 {first}（报到或开班）至今天之间。")])
    reason = wanted.reason
    await enrolment.stop(unit, found, wanted.left_on, reason)
    _tell(unit, training_class, found, "left-class", reason, until=wanted.left_on.isoformat())
    unit.audit(
        "admissions:leave", class_id, person_id=person_id, reason=reason, on=wanted.left_on.isoformat()
    )
    return None


@transactional
async def come_back(unit: UnitOfWork, class_id: str, person_id: str, wanted: Reason) -> None:
    """Takes a 退训 back; taken back again, it answers the same. Raises NoPlaceLeft, DatesClash, ResultsReleased, NotFound."""
    training_class = await _open_roster(unit, class_id)
    found = await enrolment.on_record(unit, class_id, person_id)
    if found.left_on is None:
        return unit.nothing_written()
    reason = wanted.reason
    await enrolment.go_on(unit, training_class, found, reason)
    _tell(unit, training_class, found, "returned-to-class", reason)
    unit.audit("admissions:come-back", class_id, person_id=person_id, reason=reason)
    return None


async def _has_come(scope: Scope, training_class: TrainingClass, found: Enrolment, today: date) -> bool:
    """Whoever has a check-in of any kind was there, whatever was noted of their arrival."""
    return found.has_come(
        training_class.starts_on, today
    ) or found.person_id in await attendance.who_checked_in(scope, training_class.id)


async def _open_roster(unit: UnitOfWork, class_id: str) -> TrainingClass:
    training_class = await classes.get_class(unit, unit.actor, class_id)
    await classes.exclude_release(unit, training_class)
    return training_class


def _tell(
    unit: UnitOfWork, training_class: TrainingClass, found: Enrolment, kind: str, reason: str, **more: str
) -> None:
    unit.notify(
        found.person_id,
        kind,
        class_name=training_class.name,
        institution=training_class.institution_name,
        reason=reason,
        **more,
    )
