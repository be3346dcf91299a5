"""登记入库 of one teacher at a time (article 9.1): what the registration rests on is checked against the ledger of certificates.

Lists of those who passed on the platform are registered by one decision (registration). This is for whoever was trained elsewhere: with
a certificate of the ledger, or, from before the platform, with a paper that is named with its number and day.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.accounts import people
from server.accounts import rules as identity_rules
from server.accounts.proofs import POOL
from server.accounts.rules import Evidence
from server.backbone import rules as pool_rules
from server.backbone import service as backbone
from server.backbone.documents import PoolMember
from server.backbone.rules import Proof
from server.backbone.service import AlreadyInPool, Entry
from server.certificates import service as certificates
from server.institutions.annex1 import PROVINCES
from server.institutions.rules import MAJORS, Level
from server.kernel.clock import beijing_date
from server.kernel.errors import FieldError, Invalid
from server.kernel.identity import Actor
from server.kernel.numbers import AS_CERTIFICATE_NUMBER, AS_ID_NUMBER, AS_PHONE
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional

NUMBER = "certificate_number"


class Registration(BaseModel):
    """`certificate_number` with the proof LEDGER; the number and day of the paper with PAPER."""

    name: Annotated[str, Field(title="姓名", min_length=1, max_length=60)]
    id_number: Annotated[str, Field(title="身份证号", min_length=1, max_length=60), AS_ID_NUMBER]
    province_code: Annotated[str, Field(title="省份", pattern=r"^[0-9]{2}$")]
    work_unit: Annotated[str, Field(title="工作单位", min_length=2, max_length=60)]
    majors: Annotated[list[str], Field(title="专业大类", min_length=1, max_length=15)]
    proof: Annotated[Proof, Field(title="登记依据")] = Proof.LEDGER
    certificate_number: Annotated[
        str, Field(title="骨干教师培训合格证书编号", max_length=60), AS_CERTIFICATE_NUMBER
    ] = ""
    paper_number: Annotated[str, Field(title="证明编号或文号", max_length=60)] = ""
    paper_dated_on: Annotated[date | None, Field(title="证明日期")] = None
    phone: Annotated[str, Field(title="手机号", max_length=40), AS_PHONE] = ""
    """By which the teacher's own WeChat proves to be theirs; without it the province or the centre confirms the phone by the card."""


async def register(platform: Platform, actor: Actor, wanted: Registration) -> PoolMember:
    """登记入库 of a teacher who passed the 骨干教师 training.

    Raises NameInvalid, IdNumberInvalid, PhoneInvalid, NameDiffers, AlreadyInPool, or
    Invalid: for an unknown province or 专业大类, a number that is
    not that of a valid G certificate of this very person, a paper without number and day.
    """
    today = beijing_date(platform.clock.now())
    name = identity_rules.normalise_name(wanted.name)
    identity_rules.check_name(name)
    identity_rules.check_id_number(wanted.id_number, today=today)
    if wanted.province_code not in {province.code for province in PROVINCES}:
        raise Invalid(fields=[FieldError("province_code", "请选择省份。")])
    if not set(wanted.majors) <= MAJORS.keys():
        raise Invalid(fields=[FieldError("majors", "请选择列表中的专业大类。")])
    match wanted.proof:
        case Proof.PAPER:
            pool_rules.check_paper(wanted.paper_number.strip(), wanted.paper_dated_on, today)
        case Proof.LEDGER if not wanted.certificate_number:
            message = "请填写证书编号；平台建立以前培训的，请改选“平台建立以前的培训证明”。"
            raise Invalid(fields=[FieldError(NUMBER, message)])
        case Proof.UNCHECKED:
            raise Invalid(fields=[FieldError("proof", "请选择登记依据。")])
    if wanted.phone:
        identity_rules.check_phone(wanted.phone)
    [sealed] = await people.seal(platform, [people.Identity(name, wanted.id_number, wanted.phone)])
    try:
        return await _register(platform, actor, sealed, wanted)
    except DuplicateKeyError as error:
        if error.details and NUMBER in error.details.get("keyPattern", {}):
            message = "这个证书编号已登记在另一位骨干教师名下，请核对。"
            raise Invalid(fields=[FieldError(NUMBER, message)]) from None
        raise AlreadyInPool() from None


@transactional
async def _register(unit: UnitOfWork, sealed: people.SealedIdentity, wanted: Registration) -> PoolMember:
    on_paper = wanted.proof is Proof.PAPER
    certificate = None if on_paper else await _certificate(unit, sealed, wanted.certificate_number)
    [person] = await people.ensure(unit, [sealed], Evidence.ROSTER_MATCHED, POOL)
    entry = Entry(
        person_id=person.id,
        name=person.name,
        id_number_masked=person.id_number_masked,
        province_code=wanted.province_code,
        work_unit=wanted.work_unit,
        majors=tuple(sorted(set(wanted.majors))),
        certificate_number=certificate,
        proof=wanted.proof,
        paper_number=wanted.paper_number.strip() if on_paper else "",
        paper_dated_on=wanted.paper_dated_on if on_paper else None,
    )
    [new] = await backbone.enter(unit, [entry])
    return new


async def _certificate(unit: UnitOfWork, sealed: people.SealedIdentity, number: str) -> str:
    """The number, if the ledger has a valid 骨干教师 certificate of it under this ID number. Raises Invalid.

    It does not say whose a number is or whether there is one: who registers has the paper before them.
    """
    if not await certificates.valid_one(unit, sealed.id_number, number, Level.BACKBONE):
        message = (
            "证书台账中没有该教师名下编号如此、有效的骨干教师培训合格证书（第 12 位是 G）。请核对编号和身份证号；"
            "平台建立以前培训的，请改选“平台建立以前的培训证明”。"
        )
        raise Invalid(fields=[FieldError(NUMBER, message)])
    return number
