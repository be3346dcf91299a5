"""Phones: log-in through WeChat, and who speaks through a token. How a phone comes to speak for a person is `binding`."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.accounts import binding_store, speakers, store
from server.accounts.documents import Person, PhoneSession
from server.accounts.passwords import token_hash
from server.accounts.speakers import Speaker
from server.kernel.batching import Coalescer
from server.kernel.identity import ANYBODY, Actor, Jurisdiction, Reach, Role
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.kernel.titled import Titled
from server.kernel.unit_of_work import UnitOfWork, transactional


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
    speaker = await speakers.speaker_of(unit, openid)
    if binding := await binding_store.of_phone(unit, openid):
        await binding_store.log_in_through(unit, binding.id)
    now = unit.platform.machine.now()
    session = PhoneSession(
        id=session_id,
        openid=openid,
        created_at=now,
        expires_at=now + timedelta(days=unit.platform.settings.phone_session_days),
        **speaker.session_fields(),
    )
    await binding_store.insert_phone_session(unit, session)
    unit.audit("accounts:phone-log-in", session.person_id or "unbound")
    return session


class PhoneAuthenticator:
    """Who speaks through a token. Look-ups of requests in flight share one query: this is on the path of every check-in."""

    def __init__(self, platform: Platform) -> None:
        async def look_up(ids: Sequence[str]) -> Sequence[Row | None]:
            found = await binding_store.phone_sessions(platform, ids)
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
    # A row of before the proofs has none of their fields, and reaches nowhere.
    reach = Reach(
        session.get("everywhere", False),
        frozenset(session.get("institutions", ())),
        session.get("own", False),
    )
    return Actor(
        person_id,
        session["name"],
        "person",
        _TEACHER_TOO if session["backbone"] and reach.everywhere else _TRAINEE,
        Jurisdiction.nothing(),
        openid=session["openid"],
        session_id=session["_id"],
        reach=reach,
        rests_until=session.get("rests_until"),
    )


def actor_now(actor: Actor, speaker: Speaker) -> Actor:
    """The actor of the same phone, which speaks for somebody by now."""
    return actor_of_session({"_id": actor.session_id, "openid": actor.openid, **speaker.session_fields()})


_TRAINEE = frozenset({Role.TRAINEE})
_TEACHER_TOO = frozenset({Role.TRAINEE, Role.BACKBONE_TEACHER})


class State(Titled):
    """What a phone is, for its owner."""

    NOBODYS = "NOBODYS", "未绑定"
    CLAIMED = "CLAIMED", "报名信息待核对"
    WAITING = "WAITING", "待确认"
    CONFIRMED = "CONFIRMED", "已确认"


@dataclass(frozen=True)
class Release:
    at: datetime
    by: str
    reason: str


@dataclass(frozen=True)
class Standing:
    """How far a phone is proved to be its person's."""

    state: State
    reach: Reach
    digits: str
    backbone: bool
    """Whether its person is in the pool."""
    rests_until: datetime | None
    released: Release | None


async def me(platform: Platform, actor: Actor) -> Person | None:
    """The person bound to this phone, if any."""
    return await store.person(platform, actor.id) if actor.roles else None


async def standing(platform: Platform, actor: Actor) -> Standing:
    """What this phone is told about itself, also after somebody has released it."""
    openid = actor.openid or ""
    speaker = await speakers.speaker_of(platform, openid)
    reach, state, released = speaker.reach, State.NOBODYS, None
    if speaker.person is None:
        last = await binding_store.last_of_phone(platform, openid)
        if last and last.released_at:
            released = Release(last.released_at, last.released_by or "", last.release_reason or "")
    elif reach.everywhere or reach.institutions:
        state = State.CONFIRMED
    else:
        state = State.CLAIMED if speaker.person.claimed else State.WAITING
    rests = speaker.rests_until
    if rests is not None and rests <= platform.machine.now():
        rests = None
    digits = speakers.digits_of(platform, openid) if speaker.person else ""
    in_pool = bool(speaker.person and speaker.person.backbone)
    return Standing(state, reach, digits, in_pool, rests, released)


def advice(seen: Standing) -> str:
    """What the owner of the phone can do, in Chinese."""
    card = f"请带身份证到培训机构，由工作人员核对后输入本机的核对码 {seen.digits} 确认"
    match seen.state:
        case State.NOBODYS if seen.released:
            return f"本微信的绑定已由{seen.released.by}解除。如非本人同意，请立即联系本人单位或省级管理部门。"
        case State.NOBODYS:
            return "请填写姓名和身份证号，并用微信手机号或入学通知上的个人码证明是本人。"
        case State.CLAIMED:
            return f"报名填写的身份由培训机构在报到时核对。{card}。"
        case State.WAITING:
            return f"本机身份待确认，目前只能签到。可用微信手机号或个人码再次提交；也{card}。"
        case State.CONFIRMED if seen.backbone and not seen.reach.everywhere:
            return (
                "本机还不能行使骨干教师的权利。请用入库登记的手机号再次提交；"
                f"或请所在省级管理部门、部指导中心核对后输入本机的核对码 {seen.digits} 确认。"
            )
        case State.CONFIRMED if seen.rests_until:
            return "新换的微信暂时不能评分、签署和接受邀请；急需办理的，请在上课当天请本班工作人员核对身份证确认本机。"
        case State.CONFIRMED if not seen.reach.everywhere:
            return f"在其他机构的培训班使用，须在该机构再确认一次：用其登记的手机号或个人码提交，或{card}。"
    return ""
