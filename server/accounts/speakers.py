"""For whom each phone speaks, and how far: read off its binding, and kept on its sessions, so that a request asks nothing more."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson.binary import Binary

from server.accounts import binding_store, proofs, store
from server.accounts.documents import Binding, Person, VouchedPhone
from server.accounts.proofs import Proof, ProofKind, Voucher
from server.kernel.identity import NOWHERE, Reach
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope, UnitOfWork


@dataclass(frozen=True)
class Speaker:
    """What a phone is: nobody's, of a person with a reach, or waiting for a proof (a person, and no reach)."""

    person: Person | None = None
    reach: Reach = NOWHERE
    rests_until: datetime | None = None

    def session_fields(self) -> dict[str, Any]:
        person = self.person
        return {
            "person_id": person.id if person else None,
            "name": person.name if person else "",
            "backbone": bool(person and person.backbone),
            "everywhere": self.reach.everywhere,
            "institutions": sorted(self.reach.institutions),
            "own": self.reach.own,
            "rests_until": self.rests_until,
        }


async def speaker_of(scope: Scope, openid: str) -> Speaker:
    if bound := await binding_store.of_phone(scope, openid):
        person = await store.person(scope, bound.person_id)
        return Speaker(person, proofs.reach_of(bound.proofs), bound.rests_until)
    if waiting := await binding_store.waiting_phone(scope, openid):
        return Speaker(await store.person(scope, waiting.person_id), Reach(own=waiting.own))
    return Speaker()


async def phone_of(scope: Scope, person_id: str) -> str | None:
    """The openid that a message to this person goes to: of the phone that proved to be theirs, or that made the claim they are."""
    if bound := await binding_store.of_person(scope, person_id):
        return bound.openid
    return next((one.id for one in await binding_store.waiting_for(scope, [person_id]) if one.own), None)


async def tell(unit: UnitOfWork, openid: str) -> Speaker:
    """Every session of this phone says from now on what its binding says."""
    speaker = await speaker_of(unit, openid)
    await binding_store.set_speaker(unit, openid, speaker.session_fields())
    return speaker


async def keep(unit: UnitOfWork, changed: Binding) -> None:
    """A binding with other proofs than before, and what its phone may from now on."""
    await binding_store.keep(unit, changed)
    await tell(unit, changed.openid)


def digits_of(platform: Platform, openid: str) -> str:
    """Six digits that a phone shows to the staff who see the card, so that they confirm this phone and no other."""
    key = platform.settings.code_secret.get_secret_value().encode()
    digest = hmac.digest(key, f"phone:{openid}".encode(), hashlib.sha256)
    return f"{int.from_bytes(digest) % 10**6:06d}"


def phone_proofs(person: Person, phone: Binary | None, now: datetime, by: str) -> list[Proof]:
    """One of each who has vouched for this number."""
    return [
        Proof(kind=ProofKind.PHONE, voucher=one.voucher, at=now, by=by)
        for one in person.vouched
        if phone is not None and one.phone == phone
    ]


async def vouch(unit: UnitOfWork, phones: Mapping[str, Binary], voucher: Voucher) -> None:
    """Part of use cases of rosters and the pool: these are the phones of these people; whose bound phone has that number is vouched for."""
    bound = await binding_store.of_persons(unit, list(phones))
    for person_id, phone in phones.items():
        entry = VouchedPhone(phone=phone, voucher=voucher)
        await binding_store.vouch(unit, person_id, entry.model_dump())
        binding = bound.get(person_id)
        if binding is not None and binding.phone == phone:
            new = Proof(kind=ProofKind.PHONE, voucher=voucher, at=unit.now, by=unit.actor.name)
            await keep(unit, with_proofs(binding, [new]))


def with_proofs(binding: Binding, more: Iterable[Proof]) -> Binding:
    return binding.model_copy(update={"proofs": proofs.with_more(binding.proofs, more)})


async def doubt(unit: UnitOfWork, person_id: str) -> None:
    """The person's name or number has changed: nobody waits for them any more, and a teacher's rights rest until proved anew."""
    await end_waiting(unit, [one.id for one in await binding_store.waiting_for(unit, [person_id])])
    if bound := await binding_store.of_person(unit, person_id):
        left = proofs.without_everywhere(bound.proofs)
        await keep(unit, bound.model_copy(update={"proofs": left}))


async def end_waiting(unit: UnitOfWork, openids: Sequence[str]) -> None:
    await binding_store.delete_waiting(unit, openids)
    for openid in openids:
        await tell(unit, openid)
