"""The outbox: messages that were written with the transaction that caused them, waiting to leave.

A message is claimed by a conditional update, so two senders never take the same one; a claim runs out when its sender dies.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.platform import Platform

COLLECTIONS = (
    CollectionSpec(
        "outbox",
        shard_key="person_id",
        indexes=(
            Index([("state", 1), ("next_attempt_at", 1)]),
            Index([("person_id", 1), ("_id", -1)]),
        ),
    ),
)

CLAIM = timedelta(minutes=1)


async def claim(platform: Platform) -> Row | None:
    """The next message that is due, claimed for a minute; None when nothing waits."""
    now = platform.clock.now()
    row: Row | None = await platform["outbox"].find_one_and_update(
        {"state": "waiting", "next_attempt_at": {"$lte": now}},
        {"$set": {"next_attempt_at": now + CLAIM}, "$inc": {"attempts": 1}},
        sort=[("next_attempt_at", 1)],
        return_document=True,
    )
    return row


async def settle(platform: Platform, message_id: str, state: str, **facts: Any) -> None:
    """Ends a message: "sent", or "kept" (it can be read in the mini-program only), with facts such as the reason."""
    await platform["outbox"].update_one(
        {"_id": message_id}, {"$set": {"state": state, "settled_at": platform.clock.now(), **facts}}
    )


async def postpone(platform: Platform, message_id: str, by: timedelta) -> None:
    await platform["outbox"].update_one(
        {"_id": message_id}, {"$set": {"next_attempt_at": platform.clock.now() + by}}
    )


async def inbox(platform: Platform, person_id: str, limit: int) -> list[Row]:
    """What the platform had to say to a person, newest first."""
    return await platform["outbox"].find({"person_id": person_id}).sort("_id", -1).limit(limit).to_list(None)
