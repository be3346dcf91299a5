"""Accounts from before tries were counted apart, credentials had a number and first passwords an end: that begins now."""

from __future__ import annotations

from collections.abc import AsyncIterator

from server.kernel.platform import Platform


async def run(platform: Platform) -> AsyncIterator[int]:
    waiting = {"credential": {"$exists": False}}
    given = {"$cond": ["$must_change_password", platform.machine.now(), None]}
    done = await platform["accounts"].update_many(
        waiting,
        [{"$set": {"credential": 0, "first_password_at": given}}, {"$unset": ["failures", "locked_until"]}],
    )
    yield done.modified_count
    await platform["unknown_usernames"].drop()
