"""What WeChat tells us on its own: verdicts on pictures, and what people do with their subscriptions."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from server.kernel.errors import NotFound, Unavailable
from server.kernel.identity import system
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.messages import store as message_store
from server.wechat import content, push_store, pushes
from server.wechat.pushes import Push, PushKeys
from server.wechat.simulator import SIMULATED_APP_ID
from server.wechat.terms import OPENID, TEMPLATE_ID

WECHAT = system("wechat-push")
PATIENCE = 4.0
"""Seconds; WeChat waits for five and then sends the push again."""
MEDIA_CHECKED = "wxa_media_check"
SUBSCRIPTION_CHANGED = "subscribe_msg_change_event"
TEMPLATES_MOST = 20


class PushNotSetUp(NotFound):
    default_detail = "消息推送没有启用：请先设置 WECHAT_PUSH_TOKEN。"


def keys_of(platform: Platform) -> PushKeys:
    """Raises PushNotSetUp."""
    settings = platform.settings
    token = settings.wechat_push_token.get_secret_value()
    if not token:
        raise PushNotSetUp()
    return PushKeys(
        settings.wechat_app_id or SIMULATED_APP_ID, token, settings.wechat_push_aes_key.get_secret_value()
    )


def answer_echo(platform: Platform, query: Mapping[str, str]) -> str:
    """What WeChat wants to read when the address is set up. Raises PushForged, PushMalformed, PushNotSetUp."""
    return pushes.echo(keys_of(platform), query, platform.machine.now(), _freshness(platform))


async def receive(platform: Platform, query: Mapping[str, str], body: bytes) -> None:
    """Takes one push, once. Raises PushForged, PushMalformed, PushNotSetUp.

    Raises Unavailable when the database is too slow: then nothing was done, and WeChat sends the push again.
    """
    push = pushes.opened(keys_of(platform), query, body, platform.machine.now(), _freshness(platform))
    try:
        async with asyncio.timeout(PATIENCE):
            await _take(platform, WECHAT, push)
    except TimeoutError:
        raise Unavailable() from None


def _freshness(platform: Platform) -> timedelta:
    return timedelta(minutes=platform.settings.wechat_push_fresh_minutes)


@transactional
async def _take(unit: UnitOfWork, push: Push) -> None:
    """Notes and obeys in one transaction: what fails half-way is as if it had never come, and is obeyed when it comes again."""
    if not await push_store.is_new(unit, push.nonce, push.key, unit.platform.machine.now()):
        return unit.nothing_written()
    if push.name == MEDIA_CHECKED:
        return await content.settle_media(unit, push.facts)
    if push.name == SUBSCRIPTION_CHANGED and (refused := refused_templates(push)):
        return await _forget_grants(unit, push.openid, refused)
    return unit.nothing_written()


def refused_templates(push: Push) -> list[str]:
    """The templates of which this person wants no message any more.

    Consents (`subscribe_msg_popup_event`) are not counted here: the mini-program reports them itself, under a nonce, and each would
    count twice.
    """
    if not OPENID.fullmatch(push.openid):
        return []
    inner = push.facts.get("SubscribeMsgChangeEvent", push.facts)  # XML has one level more than JSON
    rows = inner.get("List") if isinstance(inner, Mapping) else None
    found = []
    for row in (rows if isinstance(rows, list) else [rows])[:TEMPLATES_MOST]:
        match row:
            case {"TemplateId": str(template_id), "SubscribeStatusString": "reject"}:
                if TEMPLATE_ID.fullmatch(template_id):
                    found.append(template_id)
    return found


async def _forget_grants(unit: UnitOfWork, openid: str, templates: list[str]) -> None:
    for template_id in templates:
        await message_store.clear_grants(unit, openid, template_id)
    unit.audit("messages:unsubscribe", openid, templates=len(templates))
