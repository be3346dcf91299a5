"""The pool of backbone teachers: kept by the national centre, read by whoever opens a class (article 9.1)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.accounts import people, rules
from server.accounts.rules import Evidence
from server.backbone import store
from server.backbone.documents import PoolMember
from server.institutions.annex1 import PROVINCES
from server.institutions.rules import MAJORS
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, FieldError, Invalid
from server.kernel.identity import Actor
from server.kernel.mongo import Scope, UnitOfWork, transactional
from server.kernel.platform import Platform


class AlreadyInPool(Conflict):
    slug = "already-in-pool"
    title = "已在骨干教师库"
    default_detail = "该教师已登记入库，无需重复登记。"


class Registration(BaseModel):
    name: Annotated[str, Field(title="姓名", min_length=1, max_length=60)]
    id_number: Annotated[str, Field(title="身份证号", min_length=1, max_length=60)]
    province_code: Annotated[str, Field(title="省份", pattern=r"^[0-9]{2}$")]
    work_unit: Annotated[str, Field(title="工作单位", min_length=2, max_length=60)]
    majors: Annotated[list[str], Field(title="专业大类", min_length=1, max_length=15)]


async def register(platform: Platform, actor: Actor, wanted: Registration) -> PoolMember:
    """登记入库 of a teacher who passed the 骨干教师 training.

    Raises NameInvalid, IdNumberInvalid, NameDiffers, AlreadyInPool, or Invalid for an unknown province or 专业大类.
    """
    name = rules.normalise_name(wanted.name)
    rules.check_name(name)
    number = rules.normalise_id_number(wanted.id_number)
    rules.check_id_number(number, today=beijing_date(platform.clock.now()))
    if wanted.province_code not in {province.code for province in PROVINCES}:
        raise Invalid(fields=[FieldError("province_code", "请选择省份。")])
    if not set(wanted.majors) <= MAJORS.keys():
        raise Invalid(fields=[FieldError("majors", "请选择列表中的专业大类。")])
    [sealed] = await people.seal(platform, [people.Identity(name, number)])
    try:
        return await _register(platform, actor, sealed, wanted)
    except DuplicateKeyError:
        raise AlreadyInPool() from None


@transactional
async def _register(unit: UnitOfWork, sealed: people.SealedIdentity, wanted: Registration) -> PoolMember:
    [person] = await people.ensure(unit, [sealed], Evidence.ROSTER_MATCHED)
    new = PoolMember(
        id=person.id,
        name=person.name,
        id_number_masked=person.id_number_masked,
        province_code=wanted.province_code,
        work_unit=wanted.work_unit,
        majors=sorted(set(wanted.majors)),
        registered_at=unit.now,
        registered_by=unit.actor.name,
    )
    await store.insert(unit, new)
    await people.set_backbone(unit, person.id, True)
    unit.audit("backbone:register", person.id, majors=list(new.majors))
    return new


async def teacher_in_pool(scope: Scope, person_id: str) -> PoolMember | None:
    return await store.member(scope, person_id)


async def list_pool(
    platform: Platform,
    actor: Actor,
    *,
    words: str = "",
    major: str = "",
    province_code: str = "",
    before: str | None = None,
    limit: int = 50,
) -> list[PoolMember]:
    """The pool, people known last first. It shows no ID number in whole to anybody.

    `words` is part of a name or of a work unit; what is empty matches everything.
    """
    return await store.members(
        platform, words=words, major=major, province_code=province_code, before=before, limit=limit
    )


async def rename(unit: UnitOfWork, person_id: str, name: str) -> None:
    """Part of an approved correction of a person's name: the pool reads so too, if they are in it."""
    await store.rename(unit, person_id, name)
