"""Where a person belongs, and who answers for them (server/decisions/0027).

A phone, a name, a number are somebody's in every class: an institution that runs a class which the person is on may ask for a change, never
make it. The own unit of the person does where it has an account here, else its province; the centre always may.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from server.accounts import people, staff
from server.accounts.documents import Moved
from server.accounts.proofs import Authority
from server.backbone import service as backbone
from server.classes import enrolment
from server.institutions import service as institutions
from server.kernel.folding import folded
from server.kernel.identity import INSTITUTION_ROLES, Actor, Role
from server.kernel.unit_of_work import Scope


@dataclass(frozen=True)
class Keeper:
    """Who answers for a person: an institution or a province, with its code. The centre may in any case."""

    authority: Authority
    code: str

    def is_(self, actor: Actor) -> bool:
        if Role.NATIONAL_CENTRE in actor.roles:
            return True
        if self.authority is Authority.PROVINCE:
            return Role.PROVINCE in actor.roles and actor.province_code == self.code
        return bool(actor.roles & INSTITUTION_ROLES) and actor.institution_code == self.code


def keeper(*, unit: str, unit_province: str, province: str, runs_a_class: Collection[str]) -> Keeper:
    """`unit`: the code of the person's own unit, where it has an account here; `runs_a_class`: the institutions with a class that the
    person is on, as a trainee or a teacher: none of them, also where it is the own unit, decides who speaks for them. A unit is a name
    that somebody wrote down: one that lies in another province than the person's is nobody's own."""
    if unit and unit_province == province and unit not in runs_a_class:
        return Keeper(Authority.INSTITUTION, unit)
    return Keeper(Authority.PROVINCE, province)


def one_unit(said: Collection[str]) -> str:
    """The unit that all rosters name, in whatever spelling; nothing where they name several."""
    names = {folded(one): one for one in said if folded(one)}
    return next(iter(names.values())) if len(names) == 1 else ""


@dataclass(frozen=True)
class Belonging:
    work_unit: str
    """An institution by the name it has now, whatever a roster says."""
    province_code: str
    keeper: Keeper


async def _moved(scope: Scope, person_id: str) -> Moved | None:
    person = (await people.persons(scope, [person_id])).get(person_id)
    return person.moved if person else None


async def belonging(scope: Scope, person_id: str) -> Belonging:
    """What the pool says of a member; of others what their last move says (moves), else what the
    rosters say, and the province of the one that knew them first."""
    seen = await enrolment.whereabouts(scope, person_id)
    member = (await backbone.members(scope, [person_id])).get(person_id)
    if member is not None:
        work_unit, province = member.work_unit, member.province_code
    elif (moved := await _moved(scope, person_id)) is not None:
        work_unit, province = moved.work_unit, moved.province_code
    else:
        work_unit = one_unit([one.work_unit for one in seen.enrolments])
        province = seen.enrolments[0].province_code if seen.enrolments else ""
    unit = await institutions.called(scope, work_unit) if work_unit else None
    has_account = unit is not None and await staff.any_of_institution(scope, unit.id)
    code, lies_in = (unit.id, unit.province_code) if unit is not None and has_account else ("", "")
    answers = keeper(unit=code, unit_province=lies_in, province=province, runs_a_class=seen.runs)
    return Belonging(unit.name if unit is not None else work_unit, province, answers)


async def units_of(scope: Scope, seen: Mapping[str, str]) -> dict[str, str]:
    """The unit of each of these people for a list; `seen`: by person what a roster says, which holds for who neither is in the pool nor
    has moved since. An institution is called by the name it has now."""
    members = await backbone.members(scope, [*seen])
    known = await people.persons(scope, [*seen])
    moved = {one.id: one.moved.work_unit for one in known.values() if one.moved}
    units = dict(seen) | moved | {one: member.work_unit for one, member in members.items()}
    present = await institutions.present_names(scope, {*units.values()})
    return {one: present.get(unit, unit) for one, unit in units.items()}
