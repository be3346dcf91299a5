"""What a person reads in the mini-program, and what their phone has agreed to receive through WeChat."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pymongo.errors import DuplicateKeyError

from server.kernel import outbox
from server.kernel.clock import beijing_date
from server.kernel.errors import NotFound
from server.kernel.identity import Actor
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.messages import store
from server.messages.kind import MissingField
from server.messages.kinds import KINDS
from server.messages.rules import Answer
from server.messages.targets import target_of
from server.messages.templates import templates_on

UNREAD_COUNTED_MOST = 100


@dataclass(frozen=True)
class Message:
    """A message as its person reads it."""

    id: str
    kind: str
    title: str
    text: str
    data: Mapping[str, str]
    """As the chapter gave it: ids by which the mini-program opens the right page."""
    created_at: datetime
    read: bool

    @property
    def target(self) -> tuple[str, str]:
        """Kind and id of the page that it leads to."""
        return target_of(self.id, self.kind, self.data)


def read_out(row: Row) -> Message:
    """A message in words. One of a kind that is not known any more, or that lacks a field, still shows its title."""
    kind = KINDS.get(row["template"])
    try:
        text = kind.text(row["data"]) if kind else "请在小程序中查看。"
    except MissingField:
        text = "请在小程序中查看。"
    return Message(
        id=row["_id"],
        kind=row["template"],
        title=kind.title if kind else "平台消息",
        text=text,
        data=row["data"],
        created_at=row["created_at"],
        read=row.get("read", True),  # what was written before there were read marks
    )


def _box(actor: Actor) -> str:
    """Whose messages this phone reads: nobody's while it only says whose it is."""
    return actor.person_id if actor.reach.own else ""


async def inbox(
    platform: Platform, person_id: str, *, before: str | None = None, limit: int = 50
) -> tuple[list[Message], str | None]:
    """What the platform told a person, newest first, and the cursor of what follows."""
    rows = await outbox.inbox(platform, person_id, before=before, limit=limit + 1)
    messages = [read_out(row) for row in rows[:limit]]
    return messages, messages[-1].id if len(rows) > limit else None


async def my_inbox(
    platform: Platform, actor: Actor, *, before: str | None = None, limit: int = 50
) -> tuple[list[Message], str | None]:
    """The same for the phone that asks."""
    return await inbox(platform, _box(actor), before=before, limit=limit)


async def unread(platform: Platform, actor: Actor) -> int:
    """How many messages the actor has not read, counted to 100."""
    return await outbox.count_unread(platform, _box(actor), UNREAD_COUNTED_MOST)


async def my_message(platform: Platform, actor: Actor, message_id: str) -> Message:
    """Raises NotFound for anybody else's."""
    row = await outbox.message(platform, message_id)
    if row is None or row["person_id"] != _box(actor):
        raise NotFound("没有这条消息。")
    return read_out(row)


async def read_one(platform: Platform, actor: Actor, message_id: str) -> None:
    """Marks a message of one's own as read; again changes nothing. Raises NotFound for anybody else's."""
    row = await outbox.message(platform, message_id)
    if row is None or row["person_id"] != _box(actor):
        raise NotFound("没有这条消息。")
    await outbox.mark_read(platform, _box(actor), up_to=message_id, only=True)


async def read_all(platform: Platform, actor: Actor, up_to: str) -> int:
    """Marks all of one's messages up to this one as read; returns how many were not."""
    return await outbox.mark_read(platform, _box(actor), up_to=up_to)


# ---- grants


@dataclass(frozen=True)
class Offer:
    """A template that the mini-program may ask a person to subscribe to."""

    template_id: str
    titles: list[str]
    """The kinds of message that use it."""
    kinds: list[str]
    """The same, by name."""
    left: int
    """Messages that may still be sent to this phone."""


class Moment(StrEnum):
    """When a person is asked what to be told of: WeChat asks for at most three templates a tap."""

    APPLIED = "applied"
    ENROLLED = "enrolled"
    ENDING = "ending"
    TEACHING = "teaching"


MOMENTS: dict[Moment, tuple[str, ...]] = {
    Moment.APPLIED: ("enrolled", "application-rejected", "application-waiting"),
    Moment.ENROLLED: ("session-soon", "class-suspended", "timetable-changed"),
    Moment.ENDING: ("survey-opened", "results-released", "certificate-issued"),
    Moment.TEACHING: ("invitation-sent", "scheme-to-sign", "grading-due"),
}
"""By moment the kinds of message that matter next."""


async def offers(platform: Platform, actor: Actor, moment: Moment | None = None) -> list[Offer]:
    """What this phone can subscribe to, in the order of the table of kinds; of a moment, what matters then."""
    left = await store.grants(platform, actor.openid or "")
    kinds: dict[str, list[str]] = {}
    for name, template in (await templates_on(platform, beijing_date(platform.clock.now()))).items():
        if template.template_id and (moment is None or name in MOMENTS[moment]):
            kinds.setdefault(template.template_id, []).append(name)
    return [
        Offer(one, [KINDS[name].title for name in of_it], of_it, left.get(one, 0))
        for one, of_it in kinds.items()
    ]


async def report_grants(
    platform: Platform, actor: Actor, nonce: str, answers: Mapping[str, Answer]
) -> list[Offer]:
    """Counts what a person has just agreed to; the same nonce again counts nothing. Returns what holds now.

    Templates that the platform does not use (any more) are passed over: an old mini-program may still ask for them.
    """
    used = {one.template_id for one in await offers(platform, actor)}
    known = {template_id: answer for template_id, answer in answers.items() if template_id in used}
    with suppress(DuplicateKeyError):  # sent twice at once: the other one was counted
        await _report_grants(platform, actor, nonce, known)
    return await offers(platform, actor)


@transactional
async def _report_grants(unit: UnitOfWork, nonce: str, answers: Mapping[str, Answer]) -> None:
    openid = unit.actor.openid
    assert openid is not None
    if await store.reported(unit, openid, nonce):
        return unit.nothing_written()
    await store.note_report(unit, openid, nonce, unit.platform.machine.now())
    for template_id, answer in answers.items():
        if answer.grants:
            await store.add_grant(unit, openid, template_id)
        elif answer is Answer.BAN:
            await store.clear_grants(unit, openid, template_id)
    granted = sum(answer.grants for answer in answers.values())
    unit.audit("messages:subscribe", unit.actor.id if unit.actor.roles else "unbound", granted=granted)
    return None
