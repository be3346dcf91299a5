"""Institutions: annex 1 at the first start, and who is qualified for what (articles 3 to 5)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from pymongo.errors import BulkWriteError

from server.accounts import staff
from server.accounts.account_names import check_office
from server.accounts.documents import Account
from server.accounts.staff import AccountDraft, ColleagueDraft
from server.institutions import store
from server.institutions.annex1 import INSTITUTIONS, PROVINCES
from server.institutions.documents import (
    EVERY_INSTITUTION,
    Institution,
    InstitutionFilter,
    QualificationVersion,
)
from server.institutions.rules import (
    MAJORS,
    Qualification,
    QualificationAction,
    QualificationKind,
    base_valid_to,
)
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.errors import FieldError, Invalid, NotFound
from server.kernel.history import step
from server.kernel.identity import INSTITUTION_ROLES, Actor, Jurisdiction, Role, system
from server.kernel.platform import Platform
from server.kernel.queries import DUPLICATE_KEY
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional


async def list_institutions(
    platform: Platform, actor: Actor, narrowed: InstitutionFilter = EVERY_INSTITUTION
) -> list[Institution]:
    """The institutions in the actor's jurisdiction, by code."""
    return await store.institutions(platform, actor.jurisdiction, narrowed)


async def codes_in_reach(scope: Scope, actor: Actor) -> list[str]:
    """The codes of the same."""
    return [one.id for one in await store.institutions(scope, actor.jurisdiction)]


async def by_codes(scope: Scope, codes: Collection[str]) -> dict[str, Institution]:
    """By code, of codes that the caller's own documents hold."""
    return {one.id: one for one in await store.by_codes(scope, codes)}


async def institutions_after(scope: Scope, code: str, limit: int) -> list[Institution]:
    """For the platform's own work, batch by batch: those whose code comes after this one, by code."""
    return await store.institutions_after(scope, code, limit)


async def institution(scope: Scope, actor: Actor, code: str) -> Institution:
    """Raises NotFound outside the actor's jurisdiction."""
    found = await store.institution(scope, actor.jurisdiction, code)
    if found is None:
        raise NotFound("没有这家培训机构，或不在您的管理范围内。")
    return found


async def allocate_account(platform: Platform, actor: Actor, draft: AccountDraft) -> tuple[Account, str]:
    """A staff account of the centre, a province or an institution, and its first password (article 25.1).

    The account of an institution belongs to its province. Raises Invalid when the province or the institution is missing or
    unknown, or when the institution holds no valid qualification of the role's kind; AccountNameInvalid, UsernameTaken.
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
    await _check_name(platform, draft.name, draft.role, province_code, institution_code)
    whole = draft.model_copy(update={"province_code": province_code, "institution_code": institution_code})
    return await staff.allocate(platform, actor, whole)


async def add_colleague(platform: Platform, actor: Actor, draft: ColleagueDraft) -> tuple[Account, str]:
    """An account of the actor's own unit (accounts.staff). Raises AccountNameInvalid, UsernameTaken, Forbidden."""
    for role in actor.roles:
        await _check_name(platform, draft.name, role, actor.province_code, actor.institution_code)
    return await staff.add_colleague(platform, actor, draft)


async def _check_name(
    scope: Scope, name: str, role: Role, province_code: str | None, institution_code: str | None
) -> None:
    """Raises AccountNameInvalid for a name that says another office than the account's own."""
    units = {one.id: one.name for one in await store.institutions(scope, Jurisdiction.everything())}
    places = {one.code: one.name for one in PROVINCES}
    own = units.get(institution_code or "") or places.get(province_code or "", "")
    check_office(name, role, own, places.values(), units.values())


def _require_kind(found: Institution, kind: QualificationKind, today: date) -> None:
    if not found.holds(kind, today):
        raise Invalid(
            fields=[FieldError("role", f"{found.name}没有有效的{kind.label}资格，请核对用户类别。")]
        )


async def ensure_annex_1(platform: Platform) -> int:
    """Enters the 51 institutions of annex 1 that are missing, each with its first qualification; returns how many were new."""
    try:
        return await _enter_annex_1(platform, system("start"))
    except BulkWriteError as error:
        if any(one["code"] != DUPLICATE_KEY for one in error.details["writeErrors"]):
            raise
        return 0  # another process entered them at the same moment


@transactional
async def _enter_annex_1(unit: UnitOfWork) -> int:
    today = beijing_date(unit.now)
    years = (await policies.on(unit, today)).base_validity_years
    begins = today.replace(month=1, day=1)
    entered = step(unit, QualificationAction.ENTER, "附件 1 全国技工院校工学一体化教师培训机构号")
    seeds = []
    for listed in INSTITUTIONS:
        unlimited = listed.kind is QualificationKind.TRAINING_CENTRE
        first = Qualification(
            kind=listed.kind,
            majors=tuple(MAJORS),
            valid_from=begins,
            valid_to=None if unlimited else base_valid_to(begins, years),
        )
        seeds.append(
            Institution(
                id=listed.code,
                institution_code=listed.code,
                province_code=listed.province_code,
                name=listed.name,
                to_confirm=True,
                qualifications=[first],
                versions=[
                    QualificationVersion(
                        **entered.model_dump(), number=1, effective_on=begins, before=None, after=first
                    )
                ],
            )
        )
    new = await store.insert_missing(unit, seeds)
    if new:
        unit.audit("institutions:enter-annex-1", "annex-1", entered=new)
    else:
        unit.nothing_written()
    return new


async def name_of(scope: Scope, code: str) -> str:
    """The name of an institution whose code the caller's own document holds."""
    found = await store.institution(scope, Jurisdiction.everything(), code)
    assert found is not None, "institutions are never deleted"
    return found.name


async def numbered(scope: Scope, code: str) -> Institution | None:
    """The institution that a number on a paper names: for what the public says, which has no reach."""
    return await store.institution(scope, Jurisdiction.everything(), code)


async def called(scope: Scope, name: str) -> Institution | None:
    """The institution of this name, or that had it, for who has to know whether a work unit is one."""
    return await store.institution_named(scope, name)


async def present_names(scope: Scope, names: Collection[str]) -> dict[str, str]:
    """Of these names those that an institution had before, each with the name it has now."""
    found = await store.formerly(scope, names)
    return {former: one.name for one in found for former in one.former_names if former in names}


async def name_is_taken(scope: Scope, name: str, *, by_another_than: str) -> bool:
    """Also one that another had before, which rosters may still say, or for which a province asks."""
    found = await store.institution_named(scope, name)
    if found is not None and found.id != by_another_than:
        return True
    return await store.is_asked_for(scope, name, by_another_than=by_another_than)


async def rename(unit: UnitOfWork, code: str, name: str) -> None:
    """Part of an approved correction: the institution is called so from now on, and still known by the names it had."""
    found = await store.institution(unit, Jurisdiction.everything(), code)
    assert found is not None, "institutions are never deleted"
    await store.rename(unit, code, name, [*(one for one in found.former_names if one != name), found.name])
