"""People by real name: what rosters and the pool of backbone teachers write, and who may see a number whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bson.binary import Binary

from server.accounts import binding_store, rules, speakers, store
from server.accounts.documents import Moved, Person, VouchedPhone
from server.accounts.proofs import Voucher, reach_of
from server.accounts.rules import Evidence
from server.kernel.errors import Conflict
from server.kernel.folding import same
from server.kernel.identity import NOWHERE, Reach
from server.kernel.namesakes import Listed, namesakes, told_apart
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope, UnitOfWork


@dataclass(frozen=True)
class Identity:
    """A checked, normalised name and number, in clear and in memory only."""

    name: str
    id_number: str
    phone: str = ""


@dataclass(frozen=True)
class SealedIdentity:
    """The same, as it may be stored."""

    name: str
    id_number: Binary
    id_number_masked: str
    phone: Binary | None


class NameDiffers(Conflict):
    slug = "name-differs"
    title = "姓名与登记不一致"


async def seal(platform: Platform, identities: Sequence[Identity]) -> list[SealedIdentity]:
    numbers = await platform.vault.encrypt_searchable([one.id_number for one in identities])
    phones = iter(await platform.vault.encrypt_searchable([one.phone for one in identities if one.phone]))
    return [
        SealedIdentity(
            one.name, number, rules.mask_id_number(one.id_number), next(phones) if one.phone else None
        )
        for one, number in zip(identities, numbers, strict=True)
    ]


async def known(scope: Scope, sealed: Sequence[SealedIdentity]) -> dict[Binary, Person]:
    """Those of these people whom the platform knows already, by encrypted number."""
    return await store.persons_by_id_number(scope, [one.id_number for one in sealed])


async def ensure(
    unit: UnitOfWork, sealed: Sequence[SealedIdentity], evidence: Evidence, voucher: Voucher | None = None
) -> list[Person]:
    """The people of these identities, in order; those not known yet are made with `evidence`. `voucher` vouches for their phones.

    What somebody has only claimed is not among those known: it is in nobody's way.

    Raises NameDiffers when a number is known under another name: the platform never renames anybody by the way.
    """
    people = await known(unit, sealed)
    new = []
    for one in sealed:
        person = people.get(one.id_number)
        if person is None:
            person = Person(
                name=one.name,
                id_number=one.id_number,
                id_number_masked=one.id_number_masked,
                vouched=[VouchedPhone(phone=one.phone, voucher=voucher)] if one.phone and voucher else [],
                evidence=evidence,
                created_at=unit.now,
            )
            people[one.id_number] = person
            new.append(person)
        elif not same(person.name, one.name):
            raise NameDiffers(
                f"证件号 {one.id_number_masked} 已登记为其他姓名，请核对“{one.name}”的姓名和证件号。"
            )
    await store.insert_persons(unit, new)
    everybody = [people[one.id_number].id for one in sealed]
    await store.set_evidence(unit, everybody, evidence, instead_of=_weaker_than(evidence))
    if voucher is not None:
        made = {person.id for person in new}
        phones = {people[one.id_number].id: one.phone for one in sealed if one.phone is not None}
        known_before = {person_id: phone for person_id, phone in phones.items() if person_id not in made}
        await speakers.vouch(unit, known_before, voucher)
    return [people[one.id_number] for one in sealed]


def _weaker_than(evidence: Evidence) -> list[Evidence]:
    return [one for one in Evidence if not one.reaches(evidence)]


async def known_as(scope: Scope, person_ids: Sequence[str]) -> dict[str, str]:
    """For each of these people who is known by the number and the name that they have only claimed; themselves for everybody else."""
    found = await store.persons(scope, person_ids)
    claims = [one for one in found.values() if one.claimed]
    numbers = dict(zip((one.id for one in claims), await _searchable(scope, claims), strict=True))
    holders = await store.persons_by_id_number(scope, list(numbers.values()))
    known = {}
    for one in claims:
        holder = holders.get(numbers[one.id])
        if holder is not None and same(holder.name, one.name):
            known[one.id] = holder.id
    return {person_id: known.get(person_id, person_id) for person_id in person_ids}


async def _searchable(scope: Scope, claims: Sequence[Person]) -> list[Binary]:
    """The numbers of these claims, encrypted so that they are found."""
    vault = scope.platform.vault
    return await vault.encrypt_searchable(await vault.decrypt([one.id_number for one in claims]))


@dataclass(frozen=True)
class Confirmed:
    """Whom the card belongs to, and what was known before."""

    person_id: str
    before: Evidence
    number_before: Binary | None = None
    """Of a claim that became the person of its number: as it was encrypted until then."""


async def confirm_identity(unit: UnitOfWork, person_id: str) -> Confirmed:
    """Part of a use case in which staff saw the card: raises weaker evidence.

    A claim becomes the person of its number, unless there is one already: then that one is returned. Raises NameDiffers when the two have
    different names.
    """
    person = (await store.persons(unit, [person_id]))[person_id]
    before, number_before = Evidence(person.evidence), None
    if person.claimed:
        [number] = await _searchable(unit, [person])
        holder = (await store.persons_by_id_number(unit, [number])).get(number)
        if holder is None:
            number_before = person.id_number
            await binding_store.set_number(unit, person_id, number)
        elif same(holder.name, person.name):
            person_id, before = holder.id, Evidence(holder.evidence)
        else:
            raise NameDiffers(
                f"证件号 {person.id_number_masked} 已登记为其他姓名，与报名填写的“{person.name}”不一致。请对照身份证："
                "报名写错的，请移出后按证件重新添加；原登记写错的，请申请更正。"
            )
    confirmed = Evidence.STAFF_CONFIRMED
    await store.set_evidence(unit, [person_id], confirmed, instead_of=_weaker_than(confirmed))
    return Confirmed(person_id, before, number_before)


async def take_back_confirmation(
    unit: UnitOfWork, person_id: str, before: Evidence, number_before: Binary | None
) -> None:
    """Part of a use case that undoes confirm_identity: the evidence is again what it was `before`, and a claim lies apart again."""
    await store.set_evidence(unit, [person_id], before, instead_of=[Evidence.STAFF_CONFIRMED])
    if number_before is not None:
        await binding_store.set_number(unit, person_id, number_before)


async def touch(unit: UnitOfWork, person_ids: Sequence[str]) -> None:
    """Makes this transaction conflict with any other that touches one of these people: no two enrolments overlap unseen."""
    await store.touch_persons(unit, person_ids)


async def id_numbers(platform: Platform, people: Sequence[Person]) -> dict[str, str]:
    """Whole ID numbers by person id, for a certificate and for who needs them: the caller audits that look."""
    clear = await platform.vault.decrypt([one.id_number for one in people])
    return {one.id: number for one, number in zip(people, clear, strict=True)}


async def everybody(scope: Scope, words: str, *, before: str | None, limit: int) -> list[Person]:
    """People of the whole country, known last first: for the centre. What somebody has only claimed is not among them."""
    return await store.persons_found(scope, words, before=before, limit=limit)


async def moved_to(
    scope: Scope, province_code: str, words: str, *, before: str | None, limit: int
) -> list[Person]:
    """The same of those alone whose last move (调动) was to this province."""
    return await store.persons_found(scope, words, moved_to=province_code, before=before, limit=limit)


async def persons(scope: Scope, person_ids: Sequence[str]) -> dict[str, Person]:
    return await store.persons(scope, person_ids)


async def called(scope: Scope, names: Mapping[str, str]) -> dict[str, str]:
    """What to call each of these people (id → name) in one list: the name, and of namesakes also the last digits of the ID number.

    What is stored of somebody is the name alone, as on the card: who else is in the list is known when it is shown. It asks the database
    only where there are namesakes. Staff have no number: their names stand as they are.
    """
    shared = namesakes(names.values())
    if not shared:
        return dict(names)
    known = await store.persons(scope, [one for one, name in names.items() if name in shared])
    listed = [Listed(names[one], "", person.id_number_masked) for one, person in known.items()]
    return dict(names) | dict(zip(known, told_apart(listed), strict=True))


async def phones_of(scope: Scope, person_ids: Sequence[str]) -> dict[str, Reach]:
    """Those of these people for whom a phone speaks, and how far it does; nowhere for those whose phone waits to be confirmed."""
    waiting = {one.person_id: NOWHERE for one in await binding_store.waiting_for(scope, person_ids)}
    bound = await binding_store.of_persons(scope, person_ids)
    return waiting | {person_id: reach_of(one.proofs) for person_id, one in bound.items()}


async def is_bound(scope: Scope, person_id: str) -> bool:
    """Whether a phone has proved to be this person's."""
    return await binding_store.of_person(scope, person_id) is not None


async def set_backbone(unit: UnitOfWork, person_id: str, backbone: bool) -> None:
    """Part of the pool's use cases: marks a person, and every phone that speaks for them."""
    await store.set_backbone(unit, person_id, backbone)


async def relocate(unit: UnitOfWork, person_id: str, work_unit: str, province_code: str, since: date) -> None:
    """Part of a move that takes effect (moves): where the person belongs from now on."""
    moved = Moved(work_unit=work_unit, province_code=province_code, since=since)
    await store.relocate(unit, person_id, moved)


class NumberTaken(Conflict):
    slug = "id-number-taken"
    title = "身份证号已登记"
    default_detail = "这个身份证号在平台上已登记为另一人，请对照证件核对。"


async def renumber(unit: UnitOfWork, person_id: str, id_number: Binary, id_number_masked: str) -> None:
    """Part of an approved correction, or of an edit of somebody known nowhere else: the person's ID number. Raises NumberTaken.

    Rosters and phones are matched by the new one from now on; what speaks for the person speaks on. As for `rename`, an identity
    provider has confirmed what was there before.
    """
    holder = (await store.persons_by_id_number(unit, [id_number])).get(id_number)
    if holder is not None and holder.id != person_id:
        raise NumberTaken()
    await touch(unit, [person_id])
    await store.set_id_number(unit, person_id, id_number, id_number_masked)
    await speakers.doubt(unit, person_id)
    provider = Evidence.PROVIDER_VERIFIED
    await store.set_evidence(unit, [person_id], Evidence.ROSTER_MATCHED, instead_of=[provider])


async def was_ever_bound(scope: Scope, person_id: str) -> bool:
    """Whether a phone that proved to be theirs speaks for this person, or did."""
    return await binding_store.was_ever_bound(scope, person_id)


async def rename(unit: UnitOfWork, person_id: str, name: str) -> None:
    """Part of an approved correction: the person's name, and that of every phone which speaks for them.

    What an identity provider confirmed was the name before: from now on it is the institution that vouches for the name.
    """
    await store.rename(unit, person_id, name)
    await speakers.doubt(unit, person_id)
    provider = Evidence.PROVIDER_VERIFIED
    await store.set_evidence(unit, [person_id], Evidence.ROSTER_MATCHED, instead_of=[provider])
