"""Messages in the tests: one told to a phone that has agreed to it, and what has become of it."""

from __future__ import annotations

import dataclasses
import itertools

from server.kernel import outbox
from server.kernel.identity import system
from server.kernel.outbox_state import State
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.messages import inbox
from server.messages.rules import Answer
from server.wechat.client import WeChat
from server.wechat.simulator import Simulator
from tests.stage import Phone

SEND, TOKEN = "/cgi-bin/message/subscribe/send", "/cgi-bin/stable_token"
KIND, TEMPLATE = "results-released", "simulated-results-released"
DATA = {"class_name": "示例班"}
PATIENCE = 1.0
"""Seconds that the hasty client waits for WeChat."""
_COUNT = itertools.count()


@transactional
async def _tell(unit: UnitOfWork, person_id: str, kind: str, data: dict[str, str], count: int) -> None:
    unit.audit("test:tell", person_id)
    for _ in range(count):
        unit.notify(person_id, kind, **data)


async def tell(
    platform: Platform, phone: Phone, kind: str = KIND, count: int = 1, data: dict[str, str] | None = None
) -> list[str]:
    """Puts `count` messages for the phone's person into the outbox; returns their ids."""
    await _tell(platform, system("test"), phone.actor.id, kind, data or DATA, count)
    rows = (
        platform["outbox"].find({"person_id": phone.actor.id, "template": kind}).sort("_id", -1).limit(count)
    )
    return [row["_id"] async for row in rows][::-1]


async def subscribe(
    platform: Platform, wechat: Simulator, phone: Phone, count: int = 1, template: str = TEMPLATE
) -> None:
    """The person agrees to so many messages, and the mini-program reports it."""
    for _ in range(count):
        wechat.world.grant(phone.openid, template)
        nonce = f"nonce-{next(_COUNT):06}"
        await inbox.report_grants(platform, phone.actor, nonce, {template: Answer.ACCEPT})


async def left(platform: Platform, phone: Phone, template: str = TEMPLATE) -> int:
    """Grants that the platform counts."""
    [one] = [one for one in await inbox.offers(platform, phone.actor) if one.template_id == template]
    return one.left


async def state_of(platform: Platform, message_id: str) -> State:
    row = await outbox.message(platform, message_id)
    assert row is not None
    return State(row["state"])


async def states(platform: Platform) -> set[State]:
    return {State(row["state"]) async for row in platform["outbox"].find({})}


def received(wechat: Simulator, phone: Phone) -> list[str]:
    """Ids of the messages that WeChat brought to the phone, in their order."""
    return [str(one["page"]).rpartition("=")[2] for one in wechat.world.phone(phone.openid).messages]


def hasty(platform: Platform, wechat: Simulator) -> Platform:
    """The platform in another process, say: with a WeChat of its own, which waits a second for an answer."""
    client = WeChat(
        app_id=wechat.app_id,
        secret=wechat.secret,
        api_base=wechat.base_url,
        timeout_seconds=PATIENCE,
        threads=16,
        db=platform.db,
        clock=platform.clock,
    )
    return dataclasses.replace(platform, wechat=client)
