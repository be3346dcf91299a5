"""Personal codes: on the admission notice, or given at the desk. Who has one holds something that the institution gave to that person."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import timedelta

from server.accounts import binding_store, people
from server.accounts.documents import PersonalCode
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.errors import FieldError, Invalid
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional

LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without those that look alike: 40 bits in eight of them, against ten tries."""
LENGTH = 8


class PersonalCodeWrong(Invalid):
    slug = "personal-code-wrong"
    title = "个人码不对"

    def __init__(self) -> None:
        words = "个人码不对、已过期、已用过，或试填的次数已用完。请核对入学通知，或向培训机构要一个新的。"
        super().__init__(words, fields=[FieldError("personal_code", words)])


async def issue(unit: UnitOfWork, person_id: str, institution_code: str) -> str:
    """Part of a use case of the institution: a new code of this person, shown once; the one before serves no more."""
    await people.touch(unit, [person_id])
    in_force = await policies.on(unit, beijing_date(unit.now))
    now = unit.platform.machine.now()
    code = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
    new = PersonalCode(
        person_id=person_id,
        institution_code=institution_code,
        code_hash=_hash(unit.platform, code),
        tries_left=in_force.personal_code_tries,
        expires_at=now + timedelta(days=in_force.personal_code_days),
        issued_at=unit.now,
        issued_by=unit.actor.name,
    )
    await binding_store.put_code(unit, new)
    return f"{code[:4]}-{code[4:]}"


def _hash(platform: Platform, code: str) -> str:
    key = platform.settings.code_secret.get_secret_value().encode()
    return hmac.digest(key, f"personal-code:{code}".encode(), hashlib.sha256).hex()


async def whose(
    platform: Platform, person_ids: Sequence[str], institution_code: str, typed: str
) -> str | None:
    """Which of these people the institution gave this code, used or not: somebody shows it at the desk. It is no try."""
    code = "".join(one for one in typed.upper() if one.isalnum())
    if len(code) != LENGTH:
        return None
    return await binding_store.holder_of_code(platform, person_ids, institution_code, _hash(platform, code))


async def redeem(platform: Platform, actor: Actor, person_id: str, typed: str) -> PersonalCode:
    """The code of this person that was typed. Every try counts, also one that comes to nothing; sent again by the phone that it has
    served, it is no try. Raises PersonalCodeWrong."""
    code_hash = _hash(platform, "".join(one for one in typed.upper() if one.isalnum()))
    if used := await binding_store.code_used_by(platform, person_id, code_hash, actor.openid or ""):
        return used
    found = await _try(platform, actor, person_id, code_hash)
    if found is None:
        raise PersonalCodeWrong()
    return found


@transactional
async def _try(unit: UnitOfWork, person_id: str, code_hash: str) -> PersonalCode | None:
    tried = await binding_store.spend_try(unit, person_id, unit.platform.machine.now())
    if not tried:
        unit.nothing_written()
        return None
    found = next((one for one in tried if hmac.compare_digest(one.code_hash, code_hash)), None)
    unit.audit("accounts:try-personal-code", person_id, right=found is not None)
    return found
