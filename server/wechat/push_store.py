"""Pushes that have come: nonces, so that none serves twice, and events, so that none is done twice."""

from __future__ import annotations

from datetime import datetime

from server.kernel.mongo import CollectionSpec, Index
from server.kernel.unit_of_work import Scope
from server.wechat.pushes import PushForged

DAY = 86_400
COLLECTIONS = (
    CollectionSpec("push_nonces", shard_key="_id", indexes=(Index([("at", 1)], expire_after_seconds=DAY),)),
    CollectionSpec(
        "push_events", shard_key="_id", indexes=(Index([("at", 1)], expire_after_seconds=7 * DAY),)
    ),
)
"""A nonce is refused longer than any timestamp stays fresh; WeChat sends an event again within seconds."""


async def is_new(scope: Scope, nonce: str, key: str, now: datetime) -> bool:
    """Notes a push; False for an event that has been noted before.

    Raises PushForged when this nonce came with another event. When two processes receive the same push at once, one of them meets
    DuplicateKeyError; whoever sent it will send it again.
    """
    seen = await scope["push_nonces"].find_one({"_id": nonce}, session=scope.session)
    if seen is not None and seen["key"] != key:
        raise PushForged()
    if seen is None:
        await scope["push_nonces"].insert_one({"_id": nonce, "key": key, "at": now}, session=scope.session)
    if await scope["push_events"].find_one({"_id": key}, session=scope.session) is not None:
        return False
    await scope["push_events"].insert_one({"_id": key, "at": now}, session=scope.session)
    return True
