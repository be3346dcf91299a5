"""What staff do about the phone of a person: give a code, confirm it by the card, ask for its release, and release it.

A class confirms for itself only; the province of a teacher and the centre confirm everywhere. Who releases is who answers for the person
(classes.belonging), never who runs a class that the person is on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from bson.binary import Binary
from pydantic import BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.accounts import binding, codes, people, speakers
from server.accounts import rules as identity_rules
from server.accounts.proofs import POOL, Authority, Voucher
from server.attendance import timetable
from server.backbone import service as backbone
from server.backbone.documents import PoolMember
from server.classes import service as classes
from server.classes.belonging import Keeper, belonging
from server.classes.documents import Enrolment, TrainingClass
from server.classes.rules import Kind
from server.identities import rules, store
from server.identities.documents import ReleaseFilter, ReleaseRequest
from server.identities.rules import Action
from server.kernel.clock import beijing_date
from server.kernel.errors import NotFound
from server.kernel.history import step
from server.kernel.identity import NOWHERE, Actor, Reach, Role
from server.kernel.numbers import AS_PHONE
from server.kernel.platform import Platform
from server.kernel.reviewed import take
from server.kernel.reviews import Return, Review
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.kernel.waiting import Owed, Waiting, counted

PAGE = "/admin/release-requests"


class Digits(BaseModel):
    phone_digits: Annotated[str, Field(title="手机核对码", min_length=6, max_length=20)]


class Reason(BaseModel):
    reason: Annotated[str, Field(title="理由", min_length=4, max_length=500)]


class Asked(BaseModel):
    reason: Annotated[str, Field(title="核对的证件和原因", min_length=4, max_length=500)]


# ---- a class, for itself


@transactional
async def issue_code(unit: UnitOfWork, class_id: str, person_id: str) -> str:
    """A personal code for somebody of a class of the actor's institution: shown once, by which their phone proves to be theirs in its
    classes. The one before serves no more. Raises NotFound."""
    training_class = await _of_class(unit, class_id, person_id)
    code = await codes.issue(unit, person_id, training_class.institution_code)
    unit.notify(person_id, "personal-code-issued", institution=training_class.institution_name)
    unit.audit("identities:issue-code", class_id, person_id=person_id)
    return code


@dataclass(frozen=True)
class Issued:
    """A code that goes on somebody's admission notice."""

    trainee: Enrolment
    code: str


@transactional
async def issue_codes(unit: UnitOfWork, class_id: str) -> list[Issued]:
    """The same for everybody of a class whose phone is not proved in it yet, to be written on their admission notices. Raises NotFound,
    NobodyNeedsACode."""
    training_class = await classes.get_class(unit, unit.actor, class_id)
    enrolled = await classes.trainees(unit, class_id)
    ids = [one.person_id for one in enrolled]
    reach = await people.phones_of(unit, ids)
    known = await people.persons(unit, ids)
    institution = training_class.institution_code
    issued = []
    for one in enrolled:
        if known[one.person_id].claimed or reach.get(one.person_id, NOWHERE).opens(institution):
            continue
        issued.append(Issued(one, await codes.issue(unit, one.person_id, institution)))
        unit.notify(one.person_id, "personal-code-issued", institution=training_class.institution_name)
    if not issued:
        raise rules.NobodyNeedsACode()
    unit.audit("identities:issue-codes", class_id, people=len(issued))
    return issued


@transactional
async def confirm_phone(unit: UnitOfWork, class_id: str, person_id: str, wanted: Digits) -> None:
    """Staff of a class saw the card of somebody of it, and the phone that shows these digits: it is theirs in the classes of this
    institution. On a day with a session a new phone rests no longer. Confirmed again, it answers the same.

    Raises NotFound, NoSuchPhone, AlreadyBound.
    """
    training_class = await _of_class(unit, class_id, person_id)
    in_session = await timetable.has_session_on(unit, class_id, beijing_date(unit.now))
    done = await binding.confirm_by_card(
        unit,
        person_id,
        wanted.phone_digits,
        Voucher.institution(training_class.institution_code),
        who=training_class.institution_name,
        in_session=in_session,
    )
    if not done:
        return unit.nothing_written()
    unit.audit("identities:confirm-phone", class_id, person_id=person_id)
    return None


@transactional
async def confirm_phone_as_teacher(unit: UnitOfWork, class_id: str, person_id: str, wanted: Digits) -> None:
    """The same by a backbone teacher who holds the class and saw the card of a trainee in it. Raises NotFound, NoSuchPhone, AlreadyBound,
    PhoneRests."""
    binding.require_rested(unit)
    training_class = await classes.taught_class(unit, unit.actor, class_id, Kind.TEACHING)
    await classes.trainee(unit, class_id, person_id)
    await _require_checked(unit, person_id)
    voucher = Voucher.institution(training_class.institution_code)
    who = f"{training_class.institution_name}的授课教师{unit.actor.name}"
    if not await binding.confirm_by_card(unit, person_id, wanted.phone_digits, voucher, who=who):
        return unit.nothing_written()
    unit.audit("identities:confirm-phone", class_id, person_id=person_id)
    return None


@transactional
async def take_back(unit: UnitOfWork, class_id: str, person_id: str, wanted: Reason) -> None:
    """Undoes `confirm_phone`, with a reason that the person reads; taken back again, it answers the same. Raises NotFound."""
    training_class = await _of_class(unit, class_id, person_id)
    voucher = Voucher.institution(training_class.institution_code)
    who, reason = training_class.institution_name, wanted.reason.strip()
    if not await binding.take_back_card(unit, person_id, voucher, who=who, reason=reason):
        return unit.nothing_written()
    unit.audit("identities:take-back", class_id, person_id=person_id, reason=reason)
    return None


async def _of_class(unit: UnitOfWork, class_id: str, person_id: str) -> TrainingClass:
    """A class of the actor's, with this person in it or teaching it. Raises NotFound, NotCheckedYet for a claim."""
    training_class = await classes.get_class(unit, unit.actor, class_id)
    if not training_class.kinds_of(person_id):
        await classes.trainee(unit, class_id, person_id)
    await _require_checked(unit, person_id)
    return training_class


async def _require_checked(unit: UnitOfWork, person_id: str) -> None:
    if (await people.persons(unit, [person_id]))[person_id].claimed:
        raise rules.NotCheckedYet()


# ---- asking for a release, and deciding


async def ask(
    platform: Platform, actor: Actor, class_id: str, person_id: str, wanted: Asked
) -> ReleaseRequest:
    """The institution of a class asks whoever answers for the person to release their phone; the phone is told that it was asked.

    Raises NotFound, AlreadyAsked.
    """
    try:
        return await _ask(platform, actor, class_id, person_id, wanted.reason.strip())
    except DuplicateKeyError:
        raise rules.AlreadyAsked() from None


@transactional
async def _ask(unit: UnitOfWork, class_id: str, person_id: str, reason: str) -> ReleaseRequest:
    rules.STEPS.require_right(Action.ASK, unit.actor.roles)
    training_class = await _of_class(unit, class_id, person_id)
    if not await people.is_bound(unit, person_id):
        raise NotFound("此人尚未绑定微信，无需解除。")
    person = (await people.persons(unit, [person_id]))[person_id]
    known = await belonging(unit, person_id)
    new = ReleaseRequest(
        person_id=person_id,
        name=person.name,
        id_number_masked=person.id_number_masked,
        work_unit=known.work_unit,
        class_id=class_id,
        class_name=training_class.name,
        institution_code=training_class.institution_code,
        institution_name=training_class.institution_name,
        province_code=known.province_code,
        keeper=known.keeper.authority,
        keeper_code=known.keeper.code,
        reason=reason,
        due_on=beijing_date(unit.now),
        history=[step(unit, Action.ASK, reason)],
    )
    await store.insert(unit, new)
    unit.notify(person_id, "release-asked", institution=training_class.institution_name, reason=reason)
    unit.audit("identities:ask-release", class_id, person_id=person_id, request=new.id, reason=reason)
    return new


@transactional
async def release(unit: UnitOfWork, request_id: str, wanted: Review) -> ReleaseRequest:
    """Releases the phone: it speaks for the person no more, and is told so at once.

    Raises NotFound, NotTheirKeeper, and what the procedure says.
    """
    found = await _kept(unit, request_id)
    done = await _move(unit, found, Action.RELEASE, wanted.seen, wanted.comment)
    await binding.release(unit, found.person_id, found.reason)
    unit.audit("identities:release", found.class_id, person_id=found.person_id)
    return done


@transactional
async def decline(unit: UnitOfWork, request_id: str, wanted: Return) -> ReleaseRequest:
    """The binding stands; whoever asked reads why."""
    found = await _kept(unit, request_id)
    done = await _move(unit, found, Action.DECLINE, wanted.seen, wanted.reason)
    unit.audit("identities:decline", found.class_id, person_id=found.person_id, reason=wanted.reason)
    return done


@transactional
async def retract(unit: UnitOfWork, request_id: str) -> ReleaseRequest:
    """Whoever asked takes it back."""
    found = await request(unit, unit.actor, request_id)
    if found.institution_code != unit.actor.institution_code:
        raise rules.NotTheirKeeper("申请由提出的培训机构撤回。")
    done = await _move(unit, found, Action.RETRACT, None)
    unit.notify(found.person_id, "release-retracted", institution=found.institution_name)
    unit.audit("identities:retract", found.class_id, person_id=found.person_id)
    return done


async def _kept(unit: UnitOfWork, request_id: str) -> ReleaseRequest:
    found = await request(unit, unit.actor, request_id)
    if not found.kept_by.is_(unit.actor):
        raise rules.NotTheirKeeper()
    return found


async def _move(
    unit: UnitOfWork, found: ReleaseRequest, action: Action, seen: int | None, reason: str = ""
) -> ReleaseRequest:
    return await take(unit, rules.STEPS, found, action, reason, seen=seen, changes={"open": False})


# ---- teachers of the pool, for their province and the centre


@transactional
async def confirm_teacher(unit: UnitOfWork, teacher_id: str, wanted: Digits) -> None:
    """The province of a teacher, or the centre, saw the card and the phone that shows these digits: everywhere it is theirs, also as a
    backbone teacher. Confirmed again, it answers the same. Raises NotFound, NotTheirKeeper, NoSuchPhone, AlreadyBound."""
    await _overseen(unit, teacher_id)
    done = await binding.confirm_by_card(
        unit, teacher_id, wanted.phone_digits, _voucher(unit.actor), who=unit.actor.name
    )
    if not done:
        return unit.nothing_written()
    unit.audit("identities:confirm-teacher", teacher_id)
    return None


@transactional
async def take_back_teacher(unit: UnitOfWork, teacher_id: str, wanted: Reason) -> None:
    """Undoes it; taken back again, it answers the same."""
    await _overseen(unit, teacher_id)
    who, reason = unit.actor.name, wanted.reason.strip()
    if not await binding.take_back_card(unit, teacher_id, _voucher(unit.actor), who=who, reason=reason):
        return unit.nothing_written()
    unit.audit("identities:take-back-teacher", teacher_id, reason=reason)
    return None


@transactional
async def release_teacher(unit: UnitOfWork, teacher_id: str, wanted: Reason) -> None:
    """Who answers for a teacher releases their phone without having been asked. Raises NotFound, NotTheirKeeper."""
    await backbone.require_member(unit, teacher_id)
    if not (await belonging(unit, teacher_id)).keeper.is_(unit.actor):
        raise rules.NotTheirKeeper()
    await binding.release(unit, teacher_id, wanted.reason.strip())
    unit.audit("identities:release-teacher", teacher_id, reason=wanted.reason.strip())


async def answers_for(platform: Platform, actor: Actor, person_id: str) -> bool:
    """Whether this actor releases the person's phone."""
    return (await belonging(platform, person_id)).keeper.is_(actor)


async def phone_of(platform: Platform, person_id: str) -> Reach | None:
    """How far the phone of a person is proved to be theirs; None where they have none."""
    return (await people.phones_of(platform, [person_id])).get(person_id)


class PoolPhone(BaseModel):
    phone: Annotated[str, Field(title="手机号", min_length=1, max_length=40), AS_PHONE]


async def set_pool_phone(platform: Platform, actor: Actor, teacher_id: str, wanted: PoolPhone) -> None:
    """The telephone number of a teacher in the pool, by which their own WeChat proves to be theirs.

    Raises NotFound, NotTheirKeeper, PhoneInvalid.
    """
    identity_rules.check_phone(wanted.phone)
    [sealed] = await platform.vault.encrypt_searchable([wanted.phone])
    await _set_pool_phone(platform, actor, teacher_id, sealed)


@transactional
async def _set_pool_phone(unit: UnitOfWork, teacher_id: str, sealed: Binary) -> None:
    await _overseen(unit, teacher_id)
    await people.touch(unit, [teacher_id])
    await speakers.vouch(unit, {teacher_id: sealed}, POOL)
    unit.audit("identities:set-pool-phone", teacher_id)


async def _overseen(unit: UnitOfWork, teacher_id: str) -> PoolMember:
    """A member of the pool whom the actor's province, or the centre, answers for as a teacher. Raises NotFound, NotTheirKeeper."""
    member = await backbone.require_member(unit, teacher_id)
    if not Keeper(Authority.PROVINCE, member.province_code).is_(unit.actor):
        raise rules.NotTheirKeeper("骨干教师的身份由其所在省级管理部门或部指导中心确认。")
    return member


def _voucher(actor: Actor) -> Voucher:
    if Role.NATIONAL_CENTRE in actor.roles:
        return Voucher(authority=Authority.CENTRE)
    return Voucher(authority=Authority.PROVINCE, code=actor.province_code or "")


# ---- reading


async def request(scope: Scope, actor: Actor, request_id: str) -> ReleaseRequest:
    """A request that the actor decides, or whose institution has asked it. Raises NotFound."""
    found = await store.seen(scope, actor, request_id)
    if found is None:
        raise NotFound("没有这件申请，或不由您办理。")
    return found


async def list_requests(
    platform: Platform, actor: Actor, narrowed: ReleaseFilter, *, before: str | None = None, limit: int = 20
) -> list[ReleaseRequest]:
    """Newest first."""
    return await store.requests(platform, actor, narrowed, before=before, limit=limit)


async def waiting(platform: Platform, actor: Actor) -> list[Waiting]:
    """What this actor's office has to decide today."""
    count, since = await store.to_decide(platform, actor)
    today = beijing_date(platform.clock.now())
    return counted("解除微信绑定的申请，当天办结", f"{PAGE}?state=ASKED", count, since, 0, today)


async def owed(scope: Scope, actor: Actor) -> list[Owed]:
    """What others have to decide today."""
    return await store.owed(scope, actor)


async def needed(scope: Scope, person_ids: Sequence[str]) -> set[str]:
    """Those of these people about whom somebody has asked."""
    return await store.needed(scope, list(person_ids))
