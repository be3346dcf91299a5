"""Messages leave the outbox: as a WeChat subscribe message where one may be sent, and in the mini-program's inbox always."""

from __future__ import annotations

from datetime import timedelta

from server.accounts import store
from server.kernel import outbox
from server.kernel.errors import Problem, Unavailable
from server.kernel.mongo import Row
from server.kernel.platform import Platform

MOST_ATTEMPTS = 6
MOST_AT_ONCE = 50
PAGE = "pages/inbox/inbox"


async def deliver(platform: Platform) -> int:
    """Sends what is due, at most 50 messages; returns how many were settled."""
    settled = 0
    for _ in range(MOST_AT_ONCE):
        message = await outbox.claim(platform)
        if message is None:
            break
        settled += await _deliver_one(platform, message)
    return settled


async def _deliver_one(platform: Platform, message: Row) -> bool:
    binding = await store.active_binding(platform, {"person_id": message["person_id"]})
    template_id = platform.settings.wechat_templates.get(message["template"])
    if binding is None or template_id is None:
        await outbox.settle(platform, message["_id"], "kept", reason="no phone or no template")
        return True
    try:
        await platform.wechat.send_subscribe_message(binding.openid, template_id, PAGE, message["data"])
    except Unavailable:
        if message["attempts"] < MOST_ATTEMPTS:
            await outbox.postpone(platform, message["_id"], timedelta(seconds=30 * 2 ** message["attempts"]))
            return False
        await outbox.settle(platform, message["_id"], "kept", reason="wechat-unavailable")
    except Problem as refusal:
        await outbox.settle(platform, message["_id"], "kept", reason=refusal.slug)
    else:
        await outbox.settle(platform, message["_id"], "sent")
    return True


async def inbox(platform: Platform, person_id: str, limit: int = 50) -> list[Row]:
    return await outbox.inbox(platform, person_id, limit)
