"""Who says that somebody is who they claim to be: providers of real-name evidence behind one small interface.

The roster is the default, needs no network and proves that an institution listed this name with this number. Staff who see the card at the
reception desk raise the evidence (server/admissions/arrival). Online providers are options beside these, never the only way: nobody has to
show a face (人脸识别技术应用安全管理办法, article 10). A yes raises a person's evidence to what that provider proves, never further;
a no or no answer lowers nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from server.accounts import consents, people, speakers, store
from server.accounts import real_name_store as attempts
from server.accounts.documents import Person
from server.accounts.real_name_store import AttemptState, FaceAttempt
from server.accounts.rules import Evidence
from server.kernel.errors import Conflict, Invalid, NotFound
from server.kernel.identity import Actor
from server.kernel.mongo import new_id
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.wechat.faces import FACE_PASSED


class Outcome(StrEnum):
    MATCH = "match"
    MISMATCH = "mismatch"
    UNKNOWN = "unknown"
    """The provider cannot tell."""


@dataclass(frozen=True)
class Claim:
    """A bound person with name and number in clear, in memory only; `proof` is what the provider gave their phone."""

    person: Person
    openid: str
    name: str = field(repr=False)
    id_number: str = field(repr=False)
    proof: str = field(default="", repr=False)


class Provider(Protocol):
    """`proves`: what a match makes of a person's evidence. `ask` raises Unavailable when there is no answer."""

    name: str
    title: str
    proves: Evidence

    async def ask(self, platform: Platform, claim: Claim) -> Outcome: ...


class Roster:
    """Offline: name and number stand on a roster that an institution gave in."""

    name = "roster"
    title = "培训机构名册"
    proves = Evidence.ROSTER_MATCHED

    async def ask(self, platform: Platform, claim: Claim) -> Outcome:
        listed = Evidence(claim.person.evidence).reaches(self.proves)
        return Outcome.MATCH if listed else Outcome.UNKNOWN


class WeChatPay:
    """`checkrealnameinfo`: the real name with which the phone's owner opened WeChat Pay. Reported as paused by WeChat: off unless set."""

    name = "wechat-pay"
    title = "微信支付实名信息"
    proves = Evidence.PROVIDER_VERIFIED

    async def ask(self, platform: Platform, claim: Claim) -> Outcome:
        answer = await platform.wechat.check_real_name(claim.openid, claim.name, claim.id_number, claim.proof)
        return Outcome.MATCH if answer.openid_and_name and answer.name_and_number else Outcome.MISMATCH


class WeChatFace:
    """The living person in front of the phone against the card (人脸核身)."""

    name = "wechat-face"
    title = "微信人脸核身（自愿）"
    proves = Evidence.PROVIDER_VERIFIED

    async def ask(self, platform: Platform, claim: Claim) -> Outcome:
        attempt = await attempts.attempt(platform, claim.person.id, claim.proof)
        if attempt is None or (attempt.openid, attempt.name) != (claim.openid, claim.name):
            raise NotFound("没有这次人脸核身，请重新发起。")
        if attempt.state is AttemptState.PASSED:
            return Outcome.MATCH
        verify_ret = await platform.wechat.face_result(
            claim.openid, attempt.id, claim.proof, claim.name, claim.id_number
        )
        passed = verify_ret == FACE_PASSED
        state = AttemptState.PASSED if passed else AttemptState.FAILED
        await attempts.settle(platform, attempt.id, state, verify_ret, platform.machine.now())
        return Outcome.MATCH if passed else Outcome.MISMATCH


ROSTER, WECHAT_PAY, WECHAT_FACE = Roster(), WeChatPay(), WeChatFace()


def offered(platform: Platform) -> list[Provider]:
    """The providers that this platform may ask, the offline one first."""
    settings = platform.settings
    found: list[Provider] = [ROSTER]
    if settings.wechat_simulated or settings.wechat_face:
        found.append(WECHAT_FACE)
    if settings.wechat_simulated or settings.wechat_pay_real_name:
        found.append(WECHAT_PAY)
    return found


class ProviderNotOffered(NotFound):
    slug = "provider-not-offered"
    title = "没有开通这种认证方式"
    default_detail = "平台没有开通这种认证方式。报到时请工作人员核对身份证，同样可以完成实名认证。"


class BindFirst(Conflict):
    slug = "bind-first"
    title = "请先绑定实名"
    default_detail = "请先填写姓名和身份证号绑定实名，再进行认证。"


class NotVerified(Invalid):
    slug = "not-verified"
    title = "认证没有通过"
    default_detail = (
        "认证没有通过，不影响您已有的登记。可以重新认证，或在报到时请工作人员核对身份证完成实名认证。"
    )


@dataclass(frozen=True)
class FaceBegun:
    verify_id: str
    expires_at: datetime


async def begin_face(platform: Platform, actor: Actor, consent_version: str) -> FaceBegun:
    """Begins a face verification that the phone carries out. Raises ProviderNotOffered, ConsentOutdated, BindFirst, WeChatUnavailable."""
    _require_offered(platform, WECHAT_FACE)
    consents.require_current(consent_version)
    claim = await _claim(platform, actor)
    number = new_id()
    begun = await platform.wechat.begin_face(claim.openid, number, claim.name, claim.id_number)
    now = platform.machine.now()
    attempt = FaceAttempt(
        id=number,
        person_id=claim.person.id,
        openid=claim.openid,
        verify_id=begun.verify_id,
        name=claim.name,
        consent_version=consent_version,
        begun_at=now,
        expires_at=now + begun.expires_in,
    )
    await _note_attempt(platform, actor, attempt)
    return FaceBegun(attempt.verify_id, attempt.expires_at)


@transactional
async def _note_attempt(unit: UnitOfWork, attempt: FaceAttempt) -> None:
    await attempts.insert(unit, attempt)
    unit.audit("accounts:begin-face", attempt.person_id, consent_version=attempt.consent_version)


async def verify(platform: Platform, actor: Actor, provider: Provider, proof: str) -> Person:
    """Asks the provider about the actor's bound person, and keeps a yes; the same request again answers the same.

    Raises ProviderNotOffered, BindFirst, NotVerified, what the provider raises, and WeChatUnavailable.
    """
    _require_offered(platform, provider)
    claim = await _claim(platform, actor, proof)
    if await provider.ask(platform, claim) is not Outcome.MATCH:
        raise NotVerified()
    return await _raise_evidence(platform, actor, provider, claim)


def _require_offered(platform: Platform, provider: Provider) -> None:
    if provider not in offered(platform):
        raise ProviderNotOffered()


async def _claim(platform: Platform, actor: Actor, proof: str = "") -> Claim:
    person = await store.person(platform, actor.id) if actor.reach.own else None
    if person is None or actor.openid is None:
        raise BindFirst()
    numbers = await people.id_numbers(platform, [person])
    return Claim(person, actor.openid, person.name, numbers[person.id], proof)


@transactional
async def _raise_evidence(unit: UnitOfWork, provider: Provider, claim: Claim) -> Person:
    """Only while this phone still speaks for the person, under the name that was asked about: the binding may have been released
    meanwhile, the name corrected.
    """
    person_id = unit.actor.person_id
    speaker = await speakers.speaker_of(unit, unit.actor.openid or "")
    person = speaker.person
    if person is None or person.id != person_id or not speaker.reach.own:
        raise BindFirst()
    if (person.name, person.id_number) != (claim.person.name, claim.person.id_number):
        raise NotVerified()
    if Evidence(person.evidence).reaches(provider.proves):
        unit.nothing_written()
        return person
    if (
        person.claimed
    ):  # a provider says that name and number belong together, not that nobody else is known by them
        raise BindFirst("您的报名还没有经培训机构确认。报到时由工作人员核对身份证，即完成实名认证。")
    weaker = [one for one in Evidence if not one.reaches(provider.proves)]
    await store.set_evidence(unit, [person_id], provider.proves, instead_of=weaker)
    unit.audit("accounts:verify-real-name", person_id, provider=provider.name, before=person.evidence)
    return person.model_copy(update={"evidence": provider.proves})
