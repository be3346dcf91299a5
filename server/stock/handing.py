"""领取登记: a certificate leaves its issuer, is entered, and its holder may confirm it on the phone (article 18: 登记, 流向清晰)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field
from pymongo.errors import DuplicateKeyError

from server.certificates import sealed
from server.certificates import service as certificates
from server.certificates.documents import Certificate
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.kernel.clock import beijing_date
from server.kernel.identity import Actor
from server.kernel.mongo import Row
from server.kernel.numbers import without_whole_numbers
from server.kernel.platform import Platform
from server.kernel.reasons import OptionalReason, Reason, readable
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.ledger import service as ledger
from server.ledger.documents import EntryKind
from server.stock import rules, store
from server.stock.documents import Handover
from server.stock.rules import How

Line = Annotated[str, Field(max_length=60), BeforeValidator(readable), AfterValidator(without_whole_numbers)]


class HandingOver(BaseModel):
    how: Annotated[How, Field(title="领取方式")] = How.IN_PERSON
    on: Annotated[date, Field(title="领取日期")]
    recipient: Annotated[Line, Field(title="代领人")] = ""
    reason: Annotated[OptionalReason, Field(title="代领理由")] = ""
    carrier: Annotated[Line, Field(title="承运单位")] = ""
    tracking: Annotated[Line, Field(title="运单号")] = ""


class TakingBack(BaseModel):
    reason: Reason


@dataclass(frozen=True)
class Register:
    """A class's certificates in the order of their serials, each with who has received it, if anybody."""

    training_class: TrainingClass
    rows: list[tuple[Certificate, Handover | None]]

    @property
    def handed(self) -> int:
        return sum(one is not None for _, one in self.rows)


@dataclass(frozen=True)
class HandoverFilter:
    """What is empty matches everything."""

    year: int | None = None
    institution_code: str = ""
    province_code: str = ""


@dataclass(frozen=True)
class HandedOver:
    id: str
    handover: Handover
    certificate: Certificate | None


async def handed_over(
    platform: Platform,
    actor: Actor,
    narrowed: HandoverFilter,
    *,
    before: str | None = None,
    limit: int = 20,
) -> list[HandedOver]:
    """What left its issuer, in the actor's jurisdiction, newest entry first; what was entered by mistake is not among it."""
    given = {"institution_code": narrowed.institution_code, "province_code": narrowed.province_code}
    conditions: list[Row] = [actor.jurisdiction.filter(), {name: one for name, one in given.items() if one}]
    if narrowed.year:
        conditions.append(store.days_of(narrowed.year))
    found = await store.standing_ones(platform, conditions, before=before, limit=limit)
    papers = await certificates.printed_on(platform, [one.certificate_id for one in found])
    return [HandedOver(one.id, one, papers.get(one.certificate_id)) for one in found]


async def register(platform: Platform, actor: Actor, class_id: str) -> Register:
    """Raises NotFound."""
    training_class = await classes.get_class(platform, actor, class_id)
    found = await certificates.of_class(platform, class_id)
    handed = await store.of_class(platform, class_id)
    valid = sorted((one for one in found.values() if one.valid), key=lambda one: one.printed.serial)
    return Register(training_class, [(one, handed.get(one.id)) for one in valid])


async def hand_over(platform: Platform, actor: Actor, certificate_id: str, wanted: HandingOver) -> Handover:
    """Raises NotFound, Invalid, AlreadyHandedOver, and what says that the certificate is not valid."""
    try:
        return await _hand_over(platform, actor, certificate_id, wanted)
    except DuplicateKeyError:
        raise rules.AlreadyHandedOver() from None


@transactional
async def _hand_over(unit: UnitOfWork, certificate_id: str, wanted: HandingOver) -> Handover:
    found = await certificates.certificate(unit, unit.actor, certificate_id)
    certificates.require_valid(found)
    said = wanted.model_dump()
    rules.require_complete(**{name: value for name, value in said.items() if name != "on"})
    issued_on = max(
        found.printed.issued_on, beijing_date(found.issued_at)
    )  # a copy keeps the day of the first one
    rules.require_day(wanted.on, issued_on, beijing_date(unit.now))
    new = Handover(
        certificate_id=found.id,
        class_id=found.class_id,
        person_id=found.person_id,
        institution_code=found.institution_code,
        province_code=found.province_code,
        at=unit.now,
        by=unit.actor.name,
        **said,
    )
    await store.insert(unit, new)
    kind = EntryKind.MAILED if wanted.how is How.MAIL else EntryKind.HANDED_OVER
    facts = {"on": wanted.on.isoformat(), "reason": wanted.how.label}
    await ledger.record(unit, kind, await sealed.subject_of(unit, found), **facts)
    unit.audit("certificates:hand-over", found.id, number=found.printed.number, status=wanted.how.label)
    unit.notify(
        found.person_id,
        "certificate-handed-over",
        certificate_id=found.id,
        number=found.printed.number,
        how=new.how.label,
    )
    return new


@transactional
async def take_back(unit: UnitOfWork, certificate_id: str, wanted: TakingBack) -> None:
    """The entry was wrong. It stays with the reason, and another may be made. Raises NotFound, NotHandedOver, HolderConfirmed."""
    found = await certificates.certificate(unit, unit.actor, certificate_id)
    there = await store.standing(unit, found.id)
    if there is None:
        raise rules.NotHandedOver("这张证书没有领取登记，不必撤回。请刷新后查看。")
    if not await store.cancel(unit, there, unit.actor.name, wanted.reason, unit.now):
        raise rules.HolderConfirmed()
    subject = await sealed.subject_of(unit, found)
    await ledger.record(unit, EntryKind.CORRECTED, subject, reason="撤回领取登记")
    unit.audit("certificates:take-back-handover", found.id, reason=wanted.reason)
    unit.notify(
        found.person_id, "certificate-not-handed-over", certificate_id=found.id, number=found.printed.number
    )


async def of_certificate(scope: Scope, certificate_id: str) -> Handover | None:
    """To whom it was handed over, of a certificate that the caller has fetched in its reader's reach."""
    return await store.standing(scope, certificate_id)


async def my_handover(platform: Platform, actor: Actor, certificate_id: str) -> Handover:
    """Raises NotFound, NotHandedOver."""
    found = await certificates.my_certificate(platform, actor, certificate_id)
    there = await store.standing(platform, found.id)
    if there is None:
        raise rules.NotHandedOver()
    return there


@transactional
async def confirm(unit: UnitOfWork, certificate_id: str) -> Handover:
    """The holder has it. Said twice, it is said once. Raises NotFound, NotHandedOver, and what says that it is not valid any more."""
    found = await certificates.my_certificate(unit, unit.actor, certificate_id)
    there = await store.standing(unit, found.id)
    if there is None:
        raise rules.NotHandedOver()
    if there.confirmed_at is None:
        certificates.require_valid(found)
    if there.confirmed_at is not None or not await store.confirm(unit, there, unit.now):
        unit.nothing_written()
        return there
    subject = await sealed.subject_of(unit, found)
    await ledger.record(unit, EntryKind.CONFIRMED, subject)
    unit.audit("certificates:confirm-receipt", found.id, number=found.printed.number)
    return there.model_copy(update={"confirmed_at": unit.now})
