"""The outbox: messages that were written with the transaction that caused them, and how each of them leaves.

    waiting ──begin──▶ sending ──settle──▶ sent · kept · dead · uncertain
       ▲                  │
       └────postpone──────┘        and a sender that dies in `sending` leaves what the next one settles as uncertain

The call to the outside is not repeatable, so a message is marked as sending, durably, before the call. Each step is one conditional
update: two senders never take the same message, and whoever comes too late changes nothing (server/decisions/0006).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from server.kernel.mongo import CollectionSpec, Index, Row, by_age, new_id
from server.kernel.outbox_state import State
from server.kernel.platform import Platform
from server.kernel.queries import count_and_oldest
from server.kernel.unit_of_work import Scope

COLLECTIONS = (
    CollectionSpec(
        "outbox",
        shard_key="person_id",
        indexes=(
            Index([("state", 1), ("next_attempt_at", 1)]),
            Index([("state", 1), ("_id", -1)]),
            Index([("state", 1), ("template", 1), ("_id", -1)]),
            Index([("person_id", 1), ("_id", -1)]),
            Index([("person_id", 1)], partial={"read": False}),
            Index([("settled_at", 1)], partial={"settled_at": {"$exists": True}}),
        ),
    ),
)

CLAIM = timedelta(minutes=1)
"""How long a sender may take from the claim to the mark; a sender that died before it has sent nothing."""


async def claim(platform: Platform) -> Row | None:
    """The next message that is due, claimed for a minute; None when nothing waits."""
    now = platform.machine.now()
    row: Row | None = await platform["outbox"].find_one_and_update(
        {"state": State.WAITING, "next_attempt_at": {"$lte": now}},
        {"$set": {"next_attempt_at": now + CLAIM, "claim": new_id()}, "$unset": {"morning": ""}},
        sort=[("next_attempt_at", 1)],
        return_document=True,
    )
    return row


async def begin(platform: Platform, claimed: Row, answer_by: datetime) -> bool:
    """Marks that the call is made now and that its answer is awaited until `answer_by`; False when the claim was lost."""
    done = await platform["outbox"].update_one(
        {"_id": claimed["_id"], "claim": claimed["claim"], "state": State.WAITING},
        {"$set": {"state": State.SENDING, "next_attempt_at": answer_by}, "$inc": {"attempts": 1}},
    )
    return bool(done.modified_count)


async def settle(platform: Platform, claimed: Row, state: State, **facts: Any) -> bool:
    """Ends a message that this sender has claimed, with facts such as the reason; False when somebody else has ended it.

    An answer that comes after the message was given up as uncertain still says what became of it.
    """
    done = await platform["outbox"].update_one(
        {
            "_id": claimed["_id"],
            "claim": claimed["claim"],
            "state": {"$in": [State.WAITING, State.SENDING, State.UNCERTAIN]},
        },
        {"$set": {"state": state, "settled_at": platform.clock.now(), **facts}},
    )
    return bool(done.modified_count)


async def postpone(platform: Platform, claimed: Row, until: datetime, **facts: Any) -> None:
    """Lets a message that surely was not sent wait until then."""
    await platform["outbox"].update_one(
        {
            "_id": claimed["_id"],
            "claim": claimed["claim"],
            "state": {"$in": [State.WAITING, State.SENDING]},
        },
        {"$set": {"state": State.WAITING, "next_attempt_at": until, **facts}},
    )


async def postpone_to_morning(platform: Platform, claimed: Row, morning: datetime) -> None:
    """Lets a message wait for the end of the quiet hours, which are civil time."""
    until = platform.machine.now() + (morning - platform.clock.now())
    await postpone(platform, claimed, until, morning=morning)


async def wake(platform: Platform) -> None:
    """For a demonstration that was moved on: what waits for a morning that has come waits no longer."""
    await platform["outbox"].update_many(
        {"state": State.WAITING, "morning": {"$lte": platform.clock.now()}},
        {"$set": {"next_attempt_at": platform.machine.now()}, "$unset": {"morning": ""}},
    )


async def give_up_unanswered(platform: Platform) -> int:
    """Settles as uncertain what a sender was sending when it died; returns how many."""
    done = await platform["outbox"].update_many(
        {"state": State.SENDING, "next_attempt_at": {"$lte": platform.machine.now()}},
        {"$set": {"state": State.UNCERTAIN, "settled_at": platform.clock.now(), "reason": "sender-died"}},
    )
    return int(done.modified_count)


# ---- the inbox


async def inbox(scope: Scope, person_id: str, *, before: str | None = None, limit: int) -> list[Row]:
    """What the platform had to say to a person, newest first; `before` is the id of a message."""
    condition: Row = {"person_id": person_id}
    if before is not None:
        condition["_id"] = {"$lt": before}
    return await scope["outbox"].find(condition).sort("_id", -1).limit(limit).to_list(None)


async def count_unread(scope: Scope, person_id: str, most: int) -> int:
    """How many the person has not read; counting ends at `most`."""
    return await scope["outbox"].count_documents({"person_id": person_id, "read": False}, limit=most)


async def mark_read(scope: Scope, person_id: str, *, up_to: str, only: bool = False) -> int:
    """Marks a message (`only`), or all up to it, as read; returns how many were not."""
    done = await scope["outbox"].update_many(
        {"person_id": person_id, "read": False, "_id": up_to if only else {"$lte": up_to}},
        {"$set": {"read": True}},
    )
    return int(done.modified_count)


# ---- what the centre sees


async def message(scope: Scope, message_id: str) -> Row | None:
    row: Row | None = await scope["outbox"].find_one({"_id": message_id}, session=scope.session)
    return row


async def of_state(
    scope: Scope, state: State, *, template: str = "", before: str | None = None, limit: int
) -> list[Row]:
    """Messages in a state, newest or oldest first (mongo.by_age), perhaps of one kind only."""
    narrowed: Row = {"state": state} | ({"template": template} if template else {})
    condition, direction = by_age(narrowed, before)
    rows = scope["outbox"].find(condition, session=scope.session).sort("_id", direction).limit(limit)
    return await rows.to_list(None)


async def count(scope: Scope, state: State, most: int) -> int:
    """How many messages are in a state; counting ends at `most`."""
    return await scope["outbox"].count_documents({"state": state}, limit=most)


async def count_settled(scope: Scope, state: State, most: int) -> tuple[int, datetime | None]:
    """How many messages are in a state, and since when the first is; counting ends at `most`."""
    return await count_and_oldest(scope, "outbox", {"state": state}, "settled_at", most)


async def change_state(
    scope: Scope, message_ids: Sequence[str], states: Sequence[State], state: State, **facts: Any
) -> int:
    """From one of `states` to `state`, by somebody's decision; returns how many were in one of them.

    The claim is taken away: a sender that still holds it can change nothing.
    """
    done = await scope["outbox"].update_many(
        {"_id": {"$in": list(message_ids)}, "state": {"$in": list(states)}},
        {"$set": {"state": state, **facts}, "$unset": {"claim": ""}},
        session=scope.session,
    )
    return int(done.modified_count)


# ---- what is kept no longer


async def delete_settled(scope: Scope, before: datetime, limit: int) -> int:
    """Removes messages that were settled before that moment, at most `limit`; returns how many."""
    old = scope["outbox"].find({"settled_at": {"$lt": before}}, {"_id": 1}, session=scope.session)
    ids = [row["_id"] async for row in old.limit(limit)]
    if ids:
        await scope["outbox"].delete_many({"_id": {"$in": ids}}, session=scope.session)
    return len(ids)


async def delete_of(scope: Scope, person_ids: Sequence[str]) -> None:
    await scope["outbox"].delete_many({"person_id": {"$in": list(person_ids)}}, session=scope.session)
