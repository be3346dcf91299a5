"""How often a password or a code may be tried: counted before it is looked at, by a name, for all processes together.

After the look would be too late: who sends a thousand guesses at the same moment would have all of them looked at. What was right is taken
back, unless more was tried meanwhile: among the guesses of one moment it admits no other. A count is forgotten when nothing wrong
has come for a while: it ends by itself, and one try now and then does not keep anybody out.

Password and code have counts of their own, or whoever knows the one could begin the other's anew. A browser in which the user has signed in
before has one of its own as well: strangers lock out strangers (as the device cookies of OWASP).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.accounts.documents import Account
from server.kernel.errors import TooManyRequests
from server.kernel.mongo import CollectionSpec, Index, Row
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope

COLLECTIONS = (
    CollectionSpec(
        "sign_in_tries", shard_key="_id", indexes=(Index([("at", 1)], expire_after_seconds=86_400),)
    ),
)


class AccountLocked(TooManyRequests):
    slug = "account-locked"
    title = "账号已暂时锁定"


@dataclass(frozen=True)
class Counter:
    key: str
    lasts: timedelta
    """From the last wrong try until all are forgotten."""


def of_password(platform: Platform, name_hash: str, device: str) -> Counter:
    """By the hash of the username, whether anybody has it or not: what was typed there may be a password, and a lock tells nothing."""
    return Counter(_key("password", name_hash, device), timedelta(minutes=platform.settings.lockout_minutes))


def of_own_password(platform: Platform, account: Account) -> Counter:
    """Of who is signed in and is asked once more."""
    return Counter(_key("own", account.id), timedelta(minutes=platform.settings.lockout_minutes))


def of_code(platform: Platform, account: Account, device: str) -> Counter:
    """Longer, for there are a million codes only, and whoever tries them knows the password."""
    lasts = timedelta(minutes=platform.settings.code_lockout_minutes)
    return Counter(_key("code", account.id, device), lasts)


def _key(*parts: str) -> str:
    return ":".join(part for part in parts if part)


async def begin(platform: Platform, counter: Counter) -> int:
    """Counts a try; returns the count. Raises AccountLocked once there were as many as are allowed.

    However many come at the same moment, no more than that get through; those that do not are not counted.
    """
    now, most = platform.machine.now(), platform.settings.lockout_failures
    over = {"$lte": [{"$ifNull": ["$at", datetime.min.replace(tzinfo=now.tzinfo)]}, now - counter.lasts]}
    let_in = {"$lt": ["$tries", most]}
    count: list[Row] = [
        {"$set": {"tries": {"$cond": [over, 0, {"$ifNull": ["$tries", 0]}]}}},
        {
            "$set": {
                "tries": {"$cond": [let_in, {"$add": ["$tries", 1]}, "$tries"]},
                "at": {"$cond": [let_in, now, "$at"]},
            }
        },
    ]
    before: Row | None = await platform["sign_in_tries"].find_one_and_update(
        {"_id": counter.key}, count, upsert=True
    )
    if before is None or before["at"] <= now - counter.lasts:
        return 1
    if before["tries"] >= most:
        minutes = max(1, math.ceil((before["at"] + counter.lasts - now) / timedelta(minutes=1)))
        raise AccountLocked(
            f"密码或验证码连续输错次数过多，请 {minutes} 分钟后再试，或请管理人员重置密码。",
            retry_after=minutes * 60,
        )
    return int(before["tries"]) + 1


async def take_back(platform: Platform, counter: Counter, count: int) -> None:
    """The try that `begin` answered with `count` was right: it does not count, if it is the last."""
    await platform["sign_in_tries"].update_one({"_id": counter.key, "tries": count}, {"$inc": {"tries": -1}})


async def forget(scope: Scope, account: Account, name_hash: str) -> None:
    """Whatever was tried at this account, by anybody: it has a new password."""
    beginnings = (_key("password", name_hash), _key("own", account.id), _key("code", account.id))
    anywhere = "|".join(map(re.escape, beginnings))
    await scope["sign_in_tries"].delete_many(
        {"_id": {"$regex": f"^({anywhere})(:|$)"}}, session=scope.session
    )


async def locked_until(platform: Platform, counters: Sequence[Counter]) -> dict[str, datetime]:
    """By the keys of those counters that let nobody in now: until when."""
    rows = platform["sign_in_tries"].find({"_id": {"$in": [one.key for one in counters]}})
    lasts = {one.key: one.lasts for one in counters}
    full = [row async for row in rows if row["tries"] >= platform.settings.lockout_failures]
    ends: Iterable[tuple[str, datetime]] = ((row["_id"], row["at"] + lasts[row["_id"]]) for row in full)
    return {key: end for key, end in ends if end > platform.machine.now()}
