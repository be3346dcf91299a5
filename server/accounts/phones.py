"""Phones: log-in through WeChat, real-name binding, and who speaks through a token."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.accounts import people, rules, store
from server.accounts.documents import Binding, Person, PhoneSession
from server.accounts.passwords import token_hash
from server.accounts.rules import Evidence
from server.kernel.batching import Coalescer
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, NotFound
from server.kernel.folding import same
from server.kernel.identity import ANYBODY, Actor, Jurisdiction, Role
from server.kernel.mongo import Row
from server.kernel.numbers import AS_ID_NUMBER
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional


class AlreadyBound(Conflict):
    slug = "already-bound"
    title = "已绑定"


class NotOnARoster(NotFound):
    slug = "not-on-a-roster"
    title = "未在名册中找到"
    default_detail = "没有找到与所填姓名和身份证号一致的登记信息。请核对后重试，或联系培训机构确认名册。"


class RealName(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=60)]
    id_number: Annotated[str, Field(min_length=1, max_length=60), AS_ID_NUMBER]
    consent_version: Annotated[str, Field(min_length=1, max_length=20)]


@dataclass(frozen=True)
class LoggedIn:
    token: str
    expires_at: datetime
    bound: bool


async def log_in(platform: Platform, js_code: str) -> LoggedIn:
    """Exchanges a code of wx.login for a session of ours. Raises what the WeChat gateway raises."""
    wechat_session = await platform.wechat.code_to_session(js_code)
    token = secrets.token_urlsafe(32)
    session = await _open_session(platform, ANYBODY, wechat_session.openid, token_hash(token))
    return LoggedIn(token, session.expires_at, session.person_id is not None)


@transactional
async def _open_session(unit: UnitOfWork, openid: str, session_id: str) -> PhoneSession:
    binding = await store.active_binding(unit, {"openid": openid})
    person = await store.person(unit, binding.person_id) if binding else None
    if binding:
        await store.log_in_through(unit, binding.id)
    now = unit.platform.machine.now()
    session = PhoneSession(
        id=session_id,
        openid=openid,
        person_id=person.id if person else None,
        name=person.name if person else "",
        backbone=bool(person and person.backbone),
        created_at=now,
        expires_at=now + timedelta(days=unit.platform.settings.phone_session_days),
    )
    await store.insert_phone_session(unit, session)
    unit.audit("accounts:phone-log-in", session.person_id or "unbound")
    return session


class PhoneAuthenticator:
    """Who speaks through a token. Look-ups of requests in flight share one query: this is on the path of every check-in."""

    def __init__(self, platform: Platform) -> None:
        async def look_up(ids: Sequence[str]) -> Sequence[Row | None]:
            found = await store.phone_sessions(platform, ids)
            return [found.get(one) for one in ids]

        self._clock = platform.machine
        self._sessions: Coalescer[str, Row | None] = Coalescer(look_up)

    async def actor_of(self, token: str) -> Actor:
        session = await self._sessions(token_hash(token))
        if session is None or session["expires_at"] <= self._clock.now():
            return ANYBODY
        return actor_of_session(session)


def actor_of_session(session: Row) -> Actor:
    person_id: str | None = session["person_id"]
    if person_id is None:
        return Actor(
            session["openid"], "", "person", frozenset(), Jurisdiction.nothing(),
            openid=session["openid"], session_id=session["_id"],
        )  # fmt: skip
    roles = _TEACHER_TOO if session["backbone"] else _TRAINEE
    return Actor(
        person_id, session["name"], "person", roles, Jurisdiction.nothing(),
        openid=session["openid"], session_id=session["_id"],
    )  # fmt: skip


_TRAINEE = frozenset({Role.TRAINEE})
_TEACHER_TOO = frozenset({Role.TRAINEE, Role.BACKBONE_TEACHER})


async def bind_real_name(platform: Platform, actor: Actor, claimed: RealName) -> Person:
    """Binds the actor's phone to the person of this name and number; the same request again answers the same.

    Raises IdNumberInvalid, NotOnARoster (the same words whether name or number is wrong), AlreadyBound.
    """
    rules.check_id_number(claimed.id_number, today=beijing_date(platform.clock.now()))
    [encrypted] = await platform.vault.encrypt_searchable([claimed.id_number])
    person = (await store.persons_by_id_number(platform, [encrypted])).get(encrypted)
    if person is None or not same(person.name, claimed.name):
        raise NotOnARoster()
    try:
        return await _bind(platform, actor, person, claimed.consent_version)
    except DuplicateKeyError:  # two phones at once: the unique index let one through
        raise AlreadyBound("该身份已绑定其他微信。如非本人操作，请联系培训机构核实后解除。") from None


class IdentityDiffers(Conflict):
    slug = "identity-differs"
    title = "姓名与登记不一致"
    default_detail = (
        "所填姓名和身份证号与平台已有的登记不一致，请核对。如确认无误，请联系所报名的培训机构核实。"
    )


async def introduce(platform: Platform, actor: Actor, claimed: RealName) -> Actor:
    """Binds the actor's phone to a person who may be on no roster yet; the same request again answers the same.

    Somebody new is known with the evidence FORMAT_OK only, until an institution lists or sees them. Returns the actor
    that the phone speaks for from now on. Raises NameInvalid, IdNumberInvalid, IdentityDiffers, AlreadyBound.
    """
    name = rules.normalise_name(claimed.name)
    rules.check_name(name)
    rules.check_id_number(claimed.id_number, today=beijing_date(platform.clock.now()))
    [sealed] = await people.seal(platform, [people.Identity(name, claimed.id_number)])
    try:
        person = await _introduce(platform, actor, sealed, claimed.consent_version)
    except people.NameDiffers:
        raise IdentityDiffers() from None
    except DuplicateKeyError:  # two phones at once: the unique index let one through
        raise AlreadyBound("该身份已绑定其他微信。如非本人操作，请联系培训机构核实后解除。") from None
    roles = _TEACHER_TOO if person.backbone else _TRAINEE
    return replace(actor, id=person.id, name=person.name, roles=roles)


@transactional
async def _introduce(unit: UnitOfWork, sealed: people.SealedIdentity, consent_version: str) -> Person:
    [person] = await people.ensure(unit, [sealed], Evidence.FORMAT_OK)
    return await _bind_phone(unit, person, consent_version)


@transactional
async def _bind(unit: UnitOfWork, person: Person, consent_version: str) -> Person:
    """Raises NotOnARoster when the institution has put name or number right meanwhile: an edit and a binding exclude each other."""
    await people.touch(unit, [person.id])
    now = await store.person(unit, person.id)
    if now is None or (now.name, now.id_number) != (person.name, person.id_number):
        raise NotOnARoster()
    return await _bind_phone(unit, now, consent_version)


async def _bind_phone(unit: UnitOfWork, person: Person, consent_version: str) -> Person:
    openid = unit.actor.openid
    assert openid is not None
    current = await store.active_binding(unit, {"openid": openid})
    if current and current.person_id == person.id:
        unit.nothing_written()
        return person
    if current:
        raise AlreadyBound("本微信已绑定其他人。如需更换，请联系培训机构解除绑定。")
    if await store.active_binding(unit, {"person_id": person.id}):
        raise AlreadyBound("该身份已绑定其他微信。如非本人操作，请联系培训机构核实后解除。")
    await store.insert_binding(
        unit,
        Binding(
            openid=openid,
            person_id=person.id,
            active=True,
            consent_version=consent_version,
            bound_at=unit.now,
        ),
    )
    await store.set_person_of_phone(unit, openid, person, backbone=person.backbone)
    unit.audit("accounts:bind-real-name", person.id, consent_version=consent_version)
    return person


async def release_binding(unit: UnitOfWork, person_id: str, reason: str) -> None:
    """Part of a chapter's use case that has established that the actor may: releases a person's phone.

    Raises NotFound when nothing is bound.
    """
    binding = await store.active_binding(unit, {"person_id": person_id})
    if binding is None:
        raise NotFound("此人尚未绑定微信，无需解除。")
    await store.release_binding(unit, binding.id, unit.now, unit.actor.name, reason)
    await store.set_person_of_phone(unit, binding.openid, None, backbone=False)
    unit.audit("accounts:release-binding", person_id, reason=reason)


async def me(platform: Platform, actor: Actor) -> Person | None:
    """The person bound to this phone, if any."""
    return await store.person(platform, actor.id) if actor.roles else None
