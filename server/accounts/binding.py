"""Phones and people: a real name is bound with a proof, waits without one, is confirmed by the card, and is let go (decision 0027)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from bson.binary import Binary
from pydantic import BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.accounts import binding_store, codes, consents, people, rules, speakers, store
from server.accounts.documents import Binding, Person, PersonalCode, WaitingPhone
from server.accounts.proofs import Proof, ProofKind, Voucher, replaces, rests_until
from server.accounts.rules import Evidence
from server.accounts.speakers import Speaker, digits_of, with_proofs
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from server.kernel.folding import same
from server.kernel.identity import Actor
from server.kernel.numbers import AS_ID_NUMBER, bare_phone
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.wechat.errors import WeChatCodeInvalid


class AlreadyBound(Conflict):
    slug = "already-bound"
    title = "已绑定"


ANOTHER_PHONE = (
    "该身份已绑定其他微信。要换成本微信：在原微信的“我的”里解除绑定，再用本微信绑定；原微信用不了的，"
    "请带身份证到本人单位或培训机构申请解除，当天办结，其间由工作人员核对证件登记考勤。如非本人绑定，也请这样申请。"
)
ANOTHER_PERSON = "本微信已绑定其他人。如需更换，请先在“我的”里解除绑定。"


class NotOnARoster(NotFound):
    slug = "not-on-a-roster"
    title = "未在名册中找到"
    default_detail = "没有找到与所填姓名和身份证号一致的登记信息。请核对后重试，或联系培训机构确认名册。"


class NoSuchPhone(Invalid):
    slug = "no-such-phone"
    title = "没有手机显示这个核对码"

    def __init__(self) -> None:
        words = (
            "没有为此人绑定或等待确认的手机显示这个核对码。请让本人打开小程序“我的”，对照上面的六位数字填写。"
        )
        super().__init__(words, fields=[FieldError("phone_digits", words)])


class PhoneRests(Forbidden):
    slug = "phone-rests"
    title = "新绑定的微信还不能这样办理"


class RealName(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=60)]
    id_number: Annotated[str, Field(min_length=1, max_length=60), AS_ID_NUMBER]
    consent_version: Annotated[str, Field(min_length=1, max_length=20)]
    phone_code: Annotated[str | None, Field(min_length=1, max_length=512)] = None
    """What the button getPhoneNumber gave: the number that WeChat knows is compared with the registered one."""
    personal_code: Annotated[str | None, Field(min_length=1, max_length=40)] = None
    """From the admission notice or the desk."""


@dataclass(frozen=True)
class Shown:
    """What a phone has to show for its person, beside name and number."""

    phone: Binary | None = None
    code: PersonalCode | None = None

    def proofs(self, unit: UnitOfWork, person: Person) -> list[Proof]:
        found = speakers.phone_proofs(person, self.phone, unit.now, person.name)
        if self.code is not None:
            voucher = Voucher.institution(self.code.institution_code)
            found.append(Proof(kind=ProofKind.CODE, voucher=voucher, at=unit.now, by=person.name))
        return found


async def _shown(platform: Platform, actor: Actor, person: Person, claimed: RealName) -> Shown:
    """Raises PersonalCodeWrong, and what WeChat raises."""
    phone = None
    if claimed.phone_code:
        number = bare_phone(await platform.wechat.phone_number(claimed.phone_code))
        [phone] = await platform.vault.encrypt_searchable([number])
    code = (
        await codes.redeem(platform, actor, person.id, claimed.personal_code)
        if claimed.personal_code
        else None
    )
    return Shown(phone, code)


# ---- on a roster or in the pool


async def bind_real_name(platform: Platform, actor: Actor, claimed: RealName) -> Person:
    """Binds the actor's phone to the person of this name and number, or has it wait where it proves nothing; the same request again
    answers the same.

    Raises ConsentOutdated, IdNumberInvalid, NotOnARoster (the same words whether name or number is wrong), AlreadyBound, PersonalCodeWrong.
    """
    consents.require_current(claimed.consent_version)
    number = claimed.id_number
    rules.check_id_number(number, today=beijing_date(platform.clock.now()))
    [encrypted] = await platform.vault.encrypt_searchable([number])
    person = (await store.persons_by_id_number(platform, [encrypted])).get(encrypted)
    if person is None or not same(person.name, claimed.name):
        raise NotOnARoster()
    try:
        shown = await _shown(platform, actor, person, claimed)
    except WeChatCodeInvalid:  # it serves once: a request that comes twice has had its answer
        speaker = await speakers.speaker_of(platform, actor.openid or "")
        if speaker.person is None or speaker.person.id != person.id:
            raise
        return person
    try:
        return await _bind(platform, actor, person, shown, claimed.consent_version)
    except DuplicateKeyError:  # two phones at once: the unique index let one through
        raise AlreadyBound(ANOTHER_PHONE) from None


@transactional
async def _bind(unit: UnitOfWork, person: Person, shown: Shown, consent_version: str) -> Person:
    """Raises NotOnARoster when the institution has put name or number right meanwhile: an edit and a binding exclude each other."""
    await people.touch(unit, [person.id])
    now = await store.person(unit, person.id)
    if now is None or (now.name, now.id_number) != (person.name, person.id_number):
        raise NotOnARoster()
    openid = _openid(unit)
    found = shown.proofs(unit, now)
    mine = await binding_store.of_phone(unit, openid)
    if mine and mine.person_id != now.id:
        raise AlreadyBound(ANOTHER_PERSON)
    if shown.code is not None and not await binding_store.use_code(unit, shown.code.id, openid):
        raise codes.PersonalCodeWrong()
    if mine:
        changed = with_proofs(mine, found)
        changed = changed.model_copy(update={"phone": shown.phone or mine.phone})
        if changed == mine:
            unit.nothing_written()
            return now
        await speakers.keep(unit, changed)
        unit.audit("accounts:prove-phone", now.id, proofs=_words(found))
        return now
    if found:
        await _speak(unit, now, found, consent_version, shown.phone)
    else:
        await _wait(unit, now, consent_version)
    return now


async def _speak(
    unit: UnitOfWork,
    person: Person,
    found: Sequence[Proof],
    consent_version: str,
    phone: Binary | None,
    *,
    openid: str = "",
    rests: bool = True,
) -> None:
    """The one phone of this person from now on is this one; whoever waited for the person waits no longer. Raises AlreadyBound."""
    openid = openid or _openid(unit)
    if theirs := await binding_store.of_person(unit, person.id):
        if not replaces(found, theirs.proofs):
            raise AlreadyBound(ANOTHER_PHONE)
        why = f"{found[0].voucher.authority.label}的登记证明身份属于另一微信"
        await release(unit, person.id, why, by="平台")
    waiting = await binding_store.waiting_for(unit, [person.id])
    first = not await binding_store.was_ever_bound(unit, person.id, to_another_than=openid)
    hours = (await policies.on(unit, beijing_date(unit.now))).new_phone_rest_hours if rests else 0
    new = Binding(
        openid=openid,
        person_id=person.id,
        active=True,
        consent_version=consent_version,
        bound_at=unit.now,
        proofs=list(found),
        phone=phone,
        rests_until=rests_until(unit.platform.machine.now(), hours, first=first),
    )
    await binding_store.insert(unit, new)
    await speakers.end_waiting(unit, [one.id for one in waiting])
    await binding_store.delete_waiting(unit, [openid])
    await speakers.tell(unit, openid)
    if not first:
        unit.notify(person.id, "phone-changed", how=found[0].kind.label)
    unit.audit("accounts:bind-real-name", person.id, consent_version=consent_version, proofs=_words(found))


def _words(found: Sequence[Proof]) -> str:
    return "、".join(f"{one.voucher.authority.label}：{one.kind.label}" for one in found)


async def _wait(unit: UnitOfWork, person: Person, consent_version: str, *, own: bool = False) -> None:
    """待确认. Raises AlreadyBound when another phone has proved to be this person's."""
    if await binding_store.of_person(unit, person.id):
        raise AlreadyBound(ANOTHER_PHONE)
    openid = _openid(unit)
    earlier = await binding_store.waiting_phone(unit, openid)
    if earlier is not None and earlier.person_id == person.id:
        return unit.nothing_written()
    waiting = WaitingPhone(
        id=openid, person_id=person.id, consent_version=consent_version, since=unit.now, own=own
    )
    await binding_store.put_waiting(unit, waiting)
    await speakers.tell(unit, openid)
    unit.audit("accounts:claim-real-name", person.id, consent_version=consent_version)
    return None


def _openid(unit: UnitOfWork) -> str:
    assert unit.actor.openid is not None
    return unit.actor.openid


# ---- on no roster


async def introduce(platform: Platform, actor: Actor, claimed: RealName) -> Speaker:
    """Whom the actor's phone, which is nobody's, speaks for from now on; the same request again answers the same.

    The person of the number where the phone proves to be theirs. Else somebody apart, of whom nothing is known but this claim: it is in
    nobody's way, until staff see the card. Raises NameInvalid, IdNumberInvalid, AlreadyBound, PersonalCodeWrong.
    """
    consents.require_current(claimed.consent_version)
    name = rules.normalise_name(claimed.name)
    rules.check_name(name)
    number = claimed.id_number
    rules.check_id_number(number, today=beijing_date(platform.clock.now()))
    [encrypted] = await platform.vault.encrypt_searchable([number])
    known = (await store.persons_by_id_number(platform, [encrypted])).get(encrypted)
    try:
        if known is not None and same(known.name, name) and (claimed.phone_code or claimed.personal_code):
            shown = await _shown(platform, actor, known, claimed)
            if shown.code or speakers.phone_proofs(known, shown.phone, platform.clock.now(), ""):
                await _bind(platform, actor, known, shown, claimed.consent_version)
                return await speakers.speaker_of(platform, actor.openid or "")
        [apart] = await platform.vault.encrypt_random([number])
        person = Person(
            name=name,
            id_number=apart,
            id_number_masked=rules.mask_id_number(number),
            evidence=Evidence.FORMAT_OK,
            created_at=platform.clock.now(),
        )
        await _claim(platform, actor, person, claimed.consent_version)
    except DuplicateKeyError:  # two phones at once: the unique index let one through
        raise AlreadyBound(ANOTHER_PHONE) from None
    return await speakers.speaker_of(platform, actor.openid or "")


@transactional
async def _claim(unit: UnitOfWork, person: Person, consent_version: str) -> None:
    if await binding_store.of_phone(unit, _openid(unit)):
        raise AlreadyBound(ANOTHER_PERSON)
    if await binding_store.waiting_phone(unit, _openid(unit)):  # the same request, twice at once
        return unit.nothing_written()
    await store.insert_persons(unit, [person])
    await _wait(unit, person, consent_version, own=True)
    return None


async def claim_became(unit: UnitOfWork, claim_id: str, person_id: str) -> None:
    """Part of a use case in which staff saw the card: the phone that made this claim waits for the person who was there already."""
    for one in await binding_store.waiting_for(unit, [claim_id]):
        await binding_store.put_waiting(unit, one.model_copy(update={"person_id": person_id, "own": False}))
        await speakers.tell(unit, one.id)


# ---- the card


async def confirm_by_card(
    unit: UnitOfWork, person_id: str, digits: str, voucher: Voucher, *, who: str, in_session: bool = False
) -> bool:
    """Part of a use case in which staff of `who` saw the card, and the phone that shows `digits`: it is proved to be this person's.

    `in_session`: on a day with a session of the class, which ends the rest of a new phone. False when it was so already. Raises
    NoSuchPhone, AlreadyBound.
    """
    await people.touch(unit, [person_id])
    person = (await people.persons(unit, [person_id]))[person_id]
    seen = Proof(kind=ProofKind.CARD, voucher=voucher, at=unit.now, by=unit.actor.name)
    shown = "".join(digits.split())
    bound = await binding_store.of_person(unit, person_id)
    if bound and digits_of(unit.platform, bound.openid) == shown:
        changed = with_proofs(bound, [seen])
        if in_session:
            changed = changed.model_copy(update={"rests_until": None})
        if changed == bound:
            return False
        await speakers.keep(unit, changed)
    else:
        waiting = await binding_store.waiting_for(unit, [person_id])
        phone = next((one for one in waiting if digits_of(unit.platform, one.id) == shown), None)
        if phone is None:
            raise NoSuchPhone()
        await _speak(unit, person, [seen], phone.consent_version, None, openid=phone.id, rests=not in_session)
    unit.notify(person_id, "phone-confirmed", institution=who)
    return True


async def take_back_card(
    unit: UnitOfWork, person_id: str, voucher: Voucher, *, who: str, reason: str
) -> bool:
    """Part of a use case that undoes it: what the card proved is proved no more. A phone with nothing else waits again."""
    bound = await binding_store.of_person(unit, person_id)
    if bound is None:
        return False
    left = [one for one in bound.proofs if (one.kind, one.voucher) != (ProofKind.CARD, voucher)]
    if left == bound.proofs:
        return False
    await speakers.keep(unit, bound.model_copy(update={"proofs": left}))
    if not left:
        await binding_store.release(unit, bound.id, unit.now, unit.actor.name, reason)
        waiting = WaitingPhone(
            id=bound.openid,
            person_id=person_id,
            consent_version=bound.consent_version,
            since=unit.now,
            own=False,
        )
        await binding_store.put_waiting(unit, waiting)
        await speakers.tell(unit, bound.openid)
    unit.notify(person_id, "phone-doubted", to_phone=bound.openid, institution=who, reason=reason)
    return True


def require_rested(unit: UnitOfWork) -> None:
    """Raises PhoneRests for a phone that took another's place too short a time ago to grade, sign or accept."""
    until = unit.actor.rests_until
    if until is not None and unit.platform.machine.now() < until:
        raise PhoneRests(
            "这个微信是新换的，为防他人冒用，暂时不能评分、签署和接受邀请。请稍后再办；急需办理的，"
            "请在上课当天带身份证请本班工作人员核对后确认本机。"
        )


# ---- let go


async def release(unit: UnitOfWork, person_id: str, reason: str, *, by: str = "") -> None:
    """Part of a use case that has established that the actor may: releases a person's phone, and tells that phone at once.

    Raises NotFound when nothing is bound.
    """
    bound = await binding_store.of_person(unit, person_id)
    if bound is None:
        raise NotFound("此人尚未绑定微信，无需解除。")
    by = by or unit.actor.name
    await binding_store.release(unit, bound.id, unit.now, by, reason)
    await binding_store.forget_codes(unit, person_id)
    await speakers.tell(unit, bound.openid)
    unit.notify(person_id, "phone-released", to_phone=bound.openid, by=by, reason=reason)
    unit.audit("accounts:release-binding", person_id, reason=reason)


class LetGo(BaseModel):
    reason: Annotated[str, Field(title="理由", min_length=2, max_length=200)]


@transactional
async def let_go(unit: UnitOfWork, wanted: LetGo) -> None:
    """The phone itself speaks for its person no more; also one that only waited. Raises NotFound."""
    openid = _openid(unit)
    if bound := await binding_store.of_phone(unit, openid):
        await binding_store.release(unit, bound.id, unit.now, unit.actor.name, wanted.reason.strip())
        await binding_store.forget_codes(unit, bound.person_id)
        await speakers.tell(unit, openid)
        unit.notify(
            bound.person_id, "phone-released", to_phone=openid, by="本人", reason=wanted.reason.strip()
        )
        person_id = bound.person_id
    elif waiting := await binding_store.waiting_phone(unit, openid):
        await speakers.end_waiting(unit, [openid])
        person_id = waiting.person_id
    else:
        raise NotFound("本微信没有绑定任何人，无需解除。")
    unit.audit("accounts:let-go", person_id, reason=wanted.reason.strip())
