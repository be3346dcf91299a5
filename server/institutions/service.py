"""Institutions: annex 1 at the first start, and who is qualified for what (articles 3 to 5)."""

from __future__ import annotations

from datetime import date

from pymongo.errors import BulkWriteError

from server.accounts import staff
from server.accounts.documents import Account
from server.accounts.staff import AccountDraft
from server.institutions import store
from server.institutions.annex1 import INSTITUTIONS, PROVINCES
from server.institutions.documents import Institution
from server.institutions.rules import MAJORS, Qualification, QualificationKind
from server.kernel.clock import beijing_date
from server.kernel.errors import FieldError, Invalid, NotFound
from server.kernel.identity import INSTITUTION_ROLES, Actor, Role, system
from server.kernel.mongo import Scope, UnitOfWork, transactional
from server.kernel.platform import Platform

BASE_VALID_YEARS = 3
"""基地 validity of the 2013 list of bases (人社厅函〔2013〕247号); 待核 until the centre confirms it."""


async def list_institutions(platform: Platform, actor: Actor) -> list[Institution]:
    return await store.institutions(platform, actor.jurisdiction)


async def institution(scope: Scope, actor: Actor, code: str) -> Institution:
    """Raises NotFound outside the actor's jurisdiction."""
    found = await store.institution(scope, actor.jurisdiction, code)
    if found is None:
        raise NotFound("没有这家培训机构，或不在您的管理范围内。")
    return found


async def allocate_account(platform: Platform, actor: Actor, draft: AccountDraft) -> tuple[Account, str]:
    """A staff account of the centre, a province or an institution, and its first password (article 25.1).

    The account of an institution belongs to its province. Raises Invalid when the province or the institution is missing or
    unknown, or when the institution holds no valid qualification of the role's kind; UsernameTaken.
    """
    province_code, institution_code = None, None
    if draft.role is Role.PROVINCE:
        province_code = draft.province_code
        if province_code not in {province.code for province in PROVINCES}:
            raise Invalid(fields=[FieldError("province_code", "请选择省份。")])
    elif draft.role in INSTITUTION_ROLES:
        found = await store.institution(platform, actor.jurisdiction, draft.institution_code or "")
        if found is None:
            raise Invalid(fields=[FieldError("institution_code", "请选择培训机构。")])
        _require_kind(found, QualificationKind(draft.role.value), beijing_date(platform.clock.now()))
        province_code, institution_code = found.province_code, found.id
    whole = draft.model_copy(update={"province_code": province_code, "institution_code": institution_code})
    return await staff.allocate(platform, actor, whole)


def _require_kind(found: Institution, kind: QualificationKind, today: date) -> None:
    if not any(held.kind is kind and held.is_valid(today) for held in found.qualifications):
        raise Invalid(
            fields=[FieldError("role", f"{found.name}没有有效的{kind.title}资格，请核对用户类别。")]
        )


async def ensure_annex_1(platform: Platform) -> int:
    """Enters the 51 institutions of annex 1 that are missing, each with its first qualification; returns how many were new."""
    try:
        return await _enter_annex_1(platform, system("start"))
    except BulkWriteError as error:
        if any(one["code"] != store.DUPLICATE_KEY for one in error.details["writeErrors"]):
            raise
        return 0  # another process entered them at the same moment


@transactional
async def _enter_annex_1(unit: UnitOfWork) -> int:
    today = beijing_date(unit.now)
    new = await store.insert_missing(
        unit,
        [
            Institution(
                id=listed.code,
                institution_code=listed.code,
                province_code=listed.province_code,
                name=listed.name,
                to_confirm=True,
                qualifications=[
                    Qualification(
                        kind=listed.kind,
                        majors=tuple(MAJORS),
                        valid_from=today.replace(month=1, day=1),
                        valid_to=None
                        if listed.kind is QualificationKind.TRAINING_CENTRE
                        else today.replace(year=today.year + BASE_VALID_YEARS - 1, month=12, day=31),
                    )
                ],
            )
            for listed in INSTITUTIONS
        ],
    )
    if new:
        unit.audit("institutions:enter-annex-1", "annex-1", entered=new)
    else:
        unit.nothing_written()
    return new
