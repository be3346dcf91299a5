"""Messages leave the outbox as WeChat subscribe messages where the person has agreed to one; the inbox has them in any case.

Why a message is never sent twice and never lost: server/decisions/0006.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from server.accounts import speakers
from server.accounts import store as accounts_store
from server.accounts.rules import mask_name
from server.kernel import outbox, policies
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, NotFound
from server.kernel.identity import Actor
from server.kernel.mongo import Row
from server.kernel.outbox_state import State
from server.kernel.permissions import Permission, holds
from server.kernel.platform import Platform
from server.kernel.policies import Policies
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.kernel.waiting import Waiting, counted
from server.messages import rules, store
from server.messages.kinds import KINDS
from server.messages.rules import Action
from server.messages.store import Pause
from server.messages.templates import Template, templates_on
from server.wechat.errors import (
    SubscriptionRefused,
    WeChatLimited,
    WeChatRefused,
    WeChatUnavailable,
    WeChatUncertain,
)

MOST_AT_ONCE = 200
PARALLEL = 8
"""Calls to WeChat at the same time, and at most half of its threads: log-ins go on while WeChat is slow."""
PAGE = "pages/inbox/inbox?message={}"
COUNTED_MOST = 10_000
MOST_SENT_AGAIN = 500


# ---- sending


async def deliver(platform: Platform) -> dict[str, int]:
    """Sends what is due, at most 200 messages, eight at a time; returns how many became what.

    Any number of senders may run at once. Nothing is sent while WeChat is in trouble or its quota is used up; after a trouble
    one message at a time tries whether it is over.
    """
    counts: dict[str, int] = {}
    if lost := await outbox.give_up_unanswered(platform):
        counts[State.UNCERTAIN.label] = lost
    pause = await store.pause(platform)
    if pause is not None and platform.machine.now() < pause.until:
        return counts
    run = _Run(platform, pause.failures if pause else 0, counts)
    senders = 1 if pause else min(PARALLEL, max(1, platform.settings.wechat_threads // 2))
    outcomes = await asyncio.gather(*(run.send_all() for _ in range(senders)), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome  # each of the others has ended what it had begun
    return counts


@dataclass
class _Parcel:
    """A claimed message with all that its call needs."""

    row: Row
    openid: str
    template: Template
    data: dict[str, str]

    @property
    def id(self) -> str:
        return str(self.row["_id"])


@dataclass
class _Run:
    """One run of a sender."""

    platform: Platform
    failures: int
    """Runs before this one, in a row, that met a failing WeChat."""
    counts: dict[str, int]
    begun: int = 0
    stopped: bool = False
    templates: dict[str, Template] = field(default_factory=dict)
    in_force: Policies = field(default_factory=Policies)

    @property
    def today(self) -> date:
        return beijing_date(self.platform.clock.now())

    async def send_all(self) -> None:
        while not self.stopped and self.begun < MOST_AT_ONCE:
            self.begun += 1
            row = await outbox.claim(self.platform)
            if row is None:
                return
            if not self.templates:
                self.in_force = await policies.on(self.platform, self.today)
                self.templates = await templates_on(self.platform, self.today)
            if (parcel := await self._packed(row)) is not None:
                await self._send(parcel)

    async def _packed(self, row: Row) -> _Parcel | None:
        """What is to be sent now; None for a message that stays in the inbox or waits for the morning, and is settled so."""
        kind = KINDS.get(row["template"])
        openid = row.get("to_phone") or await speakers.phone_of(self.platform, row["person_id"])
        template = self.templates[kind.name] if kind else None
        if kind is None or template is None:
            await self._settle(row, State.KEPT, reason="unknown-kind")
        elif openid is None:
            await self._settle(row, State.KEPT, reason="no-phone")
        elif not template.template_id:
            await self._settle(row, State.KEPT, reason="no-template")
        elif kind.fields - row["data"].keys():
            await self._settle(row, State.DEAD, reason="missing-field")
        elif (morning := self._morning()) and not kind.may_wake(row["data"], self.today):
            await outbox.postpone_to_morning(self.platform, row, morning)
        elif not await store.hold_grant(self.platform, openid, template.template_id, row["_id"]):
            await self._settle(row, State.KEPT, reason="no-grant")
        else:
            return _Parcel(row, openid, template, kind.wechat_data(template.keys, row["data"]))
        return None

    def _morning(self) -> datetime | None:
        """The end of the quiet hours, if it is one of them."""
        hours = self.in_force.quiet_from_hour, self.in_force.quiet_until_hour
        return rules.quiet_until(self.platform.clock.now(), *hours)

    async def _send(self, parcel: _Parcel) -> None:
        platform, row = self.platform, parcel.row
        grant = (parcel.openid, parcel.template.template_id, parcel.id)
        patience = timedelta(seconds=2 * platform.settings.wechat_timeout_seconds) + timedelta(minutes=1)
        if not await outbox.begin(platform, row, platform.machine.now() + patience):
            await store.give_grant_back(platform, *grant)
            return
        attempts = row["attempts"] + 1
        page = PAGE.format(parcel.id)
        try:
            msgid = await platform.wechat.send_subscribe_message(
                parcel.openid, parcel.template.template_id, page, parcel.data
            )
        except SubscriptionRefused:
            await store.clear_grants(platform, parcel.openid, parcel.template.template_id)
            await self._settle(row, State.KEPT, reason="refused", errcode=43101)
        except WeChatRefused as refusal:
            await store.give_grant_back(platform, *grant)
            await self._settle(row, State.DEAD, reason="wechat-refused", errcode=refusal.extra.get("errcode"))
        except WeChatUncertain:
            await store.use_grant(platform, *grant)
            await self._settle(row, State.UNCERTAIN, reason="no-answer")
            await self._pause("no-answer", None)
        except WeChatUnavailable as trouble:
            await self._not_now(parcel, attempts, trouble)
        else:
            await store.use_grant(platform, *grant)
            await self._settle(row, State.SENT, msgid=str(msgid))
            if self.failures:
                self.failures = 0
                await store.end_pause(platform)

    async def _not_now(self, parcel: _Parcel, attempts: int, trouble: WeChatUnavailable) -> None:
        """WeChat said no, or could not be asked: the message was surely not sent and may be tried again."""
        limited = isinstance(trouble, WeChatLimited)
        reason = "limited" if limited else "unavailable"
        errcode = trouble.extra.get("errcode")
        now = self.platform.machine.now()
        if attempts >= rules.MOST_ATTEMPTS:
            await store.give_grant_back(self.platform, parcel.openid, parcel.template.template_id, parcel.id)
            await self._settle(parcel.row, State.DEAD, reason=reason, errcode=errcode)
        else:
            chance = random.random()  # noqa: S311 - spreads the retries, guards nothing
            again = (
                rules.next_quota_day(now, chance) if limited else now + rules.retry_after(attempts, chance)
            )
            await outbox.postpone(self.platform, parcel.row, again, reason=reason, errcode=errcode)
        await self._pause(reason, errcode)

    async def _pause(self, reason: str, errcode: int | str | None) -> None:
        """Ends this run, and keeps every sender from calling for a while. The first trouble of a run counts for all of them."""
        if self.stopped:
            return
        self.stopped = True
        now, chance = self.platform.machine.now(), random.random()  # noqa: S311 - as above
        until = (
            rules.next_quota_day(now, chance)
            if reason == "limited"
            else now + rules.pause_after(self.failures + 1, chance)
        )
        new = Pause(
            id=store.WECHAT,
            until=until,
            failures=self.failures + 1,
            reason=reason,
            errcode=None if errcode is None else int(errcode),
        )
        await store.set_pause(self.platform, new)

    async def _settle(self, row: Row, state: State, **facts: str | int | None) -> None:
        await outbox.settle(self.platform, row, state, **facts)
        self.counts[state.label] = self.counts.get(state.label, 0) + 1


# ---- the centre


class MessageSettled(Conflict):
    slug = "message-settled"
    title = "消息的状态已经变化"
    default_detail = "这条消息已经有了别的结果，请刷新后再看。"


@dataclass(frozen=True)
class Told:
    """A message as the centre sees it: what kind, for whom (masked), and why it is where it is. Not what it says."""

    id: str
    title: str
    person: str
    state: State
    reason: str
    attempts: int
    created_at: datetime
    next_attempt_at: datetime
    settled_at: datetime | None

    @property
    def may_send_again(self) -> bool:
        return self.state in rules.MAY_BE_DONE[Action.SEND_AGAIN]

    @property
    def may_stop(self) -> bool:
        return self.state in rules.MAY_BE_DONE[Action.STOP]


@dataclass(frozen=True)
class Overview:
    counts: dict[State, int]
    """Counted to 10,000."""
    pause: Pause | None
    """Set while nothing is sent."""


async def overview(platform: Platform) -> Overview:
    counts = {state: await outbox.count(platform, state, COUNTED_MOST) for state in State}
    pause = await store.pause(platform)
    over = pause is None or pause.until <= platform.machine.now()
    return Overview(counts, None if over else pause)


async def list_messages(
    platform: Platform, state: State, *, kind: str = "", before: str | None = None, limit: int
) -> list[Told]:
    """Messages in a state, newest first."""
    rows = await outbox.of_state(platform, state, template=kind, before=before, limit=limit)
    persons = await accounts_store.persons(platform, sorted({row["person_id"] for row in rows}))
    names = {one.id: mask_name(one.name) for one in persons.values()}
    return [_told(row, names.get(row["person_id"], "—")) for row in rows]


async def sent_to(platform: Platform, person_id: str, limit: int) -> list[Told]:
    """What kinds of messages somebody was sent, newest first, for the centre: not what they say."""
    return [_told(row, "") for row in await outbox.inbox(platform, person_id, limit=limit)]


async def one_message(platform: Platform, message_id: str) -> Told:
    """Raises NotFound."""
    row = await outbox.message(platform, message_id)
    if row is None:
        raise NotFound("没有这条消息。")
    person = await accounts_store.person(platform, row["person_id"])
    return _told(row, mask_name(person.name) if person else "—")


def _told(row: Row, person: str) -> Told:
    return Told(
        id=row["_id"],
        title=KINDS[row["template"]].title if row["template"] in KINDS else row["template"],
        person=person,
        state=State(row["state"]),
        reason=rules.reason_words(row["reason"], row.get("errcode")) if row.get("reason") else "",
        attempts=row["attempts"],
        created_at=row["created_at"],
        next_attempt_at=row.get("morning") or row["next_attempt_at"],
        settled_at=row.get("settled_at"),
    )


@transactional
async def send_again(unit: UnitOfWork, message_id: str) -> None:
    """Lets a message that could not be sent try anew. Raises NotFound, MessageSettled."""
    await _require(unit, message_id)
    if not await _wait_anew(unit, [message_id]):
        raise MessageSettled()
    unit.audit("messages:send-again", message_id)


@transactional
async def send_all_again(unit: UnitOfWork, kind: str = "") -> int:
    """Lets the dead letters, perhaps of one kind only, try anew, at most 500; returns how many."""
    rows = await outbox.of_state(unit, State.DEAD, template=kind, limit=MOST_SENT_AGAIN)
    if not rows:
        unit.nothing_written()
        return 0
    count = await _wait_anew(unit, [row["_id"] for row in rows])
    unit.audit("messages:send-all-again", kind or "all", messages=count)
    return count


async def _wait_anew(unit: UnitOfWork, message_ids: Sequence[str]) -> int:
    now = unit.platform.machine.now()
    anew = {"next_attempt_at": now, "attempts": 0, "reason": "", "errcode": None, "settled_at": None}
    may = rules.MAY_BE_DONE[Action.SEND_AGAIN]
    return await outbox.change_state(unit, message_ids, may, State.WAITING, **anew)


@transactional
async def stop(unit: UnitOfWork, message_id: str) -> None:
    """Puts a message aside: it stays in the inbox and is not sent. Raises NotFound, MessageSettled."""
    await _require(unit, message_id)
    may = rules.MAY_BE_DONE[Action.STOP]
    if not await outbox.change_state(unit, [message_id], may, State.STOPPED, settled_at=unit.now):
        raise MessageSettled()
    unit.audit("messages:stop", message_id)


async def _require(unit: UnitOfWork, message_id: str) -> None:
    if await outbox.message(unit, message_id) is None:
        raise NotFound("没有这条消息。")


async def waiting(platform: Platform, actor: Actor) -> list[Waiting]:
    """Messages that could not be sent wait for the centre."""
    if not holds(actor, Permission.MESSAGES_MANAGE):
        return []
    dead, at = await outbox.count_settled(platform, State.DEAD, COUNTED_MOST)
    today = beijing_date(platform.clock.now())
    days = (await policies.on(platform, today)).review_days
    return counted("发送失败的消息", "/admin/messages?state=dead", dead, at and beijing_date(at), days, today)
