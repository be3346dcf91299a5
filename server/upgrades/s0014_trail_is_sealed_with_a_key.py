"""Entries from before the chain had a key: whoever owned the database could have linked them anew (article 25 (4)).

Each is sealed in its place once more. What did not fit the chain of then is given no seal that fits now: a step must not make good
what had been tampered with.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
from collections.abc import AsyncIterator, Sequence

import orjson
from pymongo import UpdateOne
from pymongo.errors import OperationFailure

from server.kernel.mongo import Row
from server.kernel.platform import Platform

AT_ONCE = 500
GENESIS = NO_SEAL = "0" * 64
SAID = (
    "_id",
    "at",
    "actor_id",
    "actor_name",
    "actor_kind",
    "province_code",
    "institution_code",
    "action",
    "subject",
    "facts",
)


async def run(platform: Platform) -> AsyncIterator[int]:
    """Goes on behind the last entry that has a seal; that one keeps its hash of then until the next has been compared with it."""
    audit = platform["audit"]
    while rows := await _next(platform):
        last = await audit.find_one({"sealed": True, "seal": {"$exists": True}}, sort=[("position", -1)])
        await audit.bulk_write(_seals(platform, last, rows), ordered=True)
        yield len(rows)
    await audit.update_many({"hash": {"$exists": True}}, {"$unset": {"hash": "", "previous": ""}})
    await _mark_what_waits(platform)
    await _forget_the_check_of_then(platform)
    with contextlib.suppress(OperationFailure):  # a database that never had it
        await audit.drop_index("position_-1")  # which let two entries have one position


async def _next(platform: Platform) -> list[Row]:
    waiting = {"sealed": True, "seal": {"$exists": False}}
    return await platform["audit"].find(waiting).sort("position", 1).limit(AT_ONCE).to_list(None)


def _seals(platform: Platform, last: Row | None, rows: Sequence[Row]) -> list[UpdateOne]:
    key = platform.settings.trail_secret.get_secret_value().encode()
    before, seal = (str(last.get("hash")), last["seal"]) if last else (GENESIS, GENESIS)
    changes = []
    for row in rows:
        said = {name: row.get(name) for name in SAID}
        options = orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z
        then = hashlib.sha256(orjson.dumps([row["position"], before, said], option=options)).hexdigest()
        fitted = row.get("previous") == before and row.get("hash") == then
        content = orjson.dumps(["audit", row["position"], seal, said], option=options)
        seal = hmac.digest(key, content, "sha256").hex() if fitted else NO_SEAL
        mark = _mark(key, said) if fitted else ""
        changes.append(UpdateOne({"_id": row["_id"]}, {"$set": {"seal": seal, "mark": mark}}))
        before = str(row.get("hash"))
    return changes


def _mark(key: bytes, said: Row) -> str:
    """What is written with each entry from now on."""
    content = orjson.dumps(["entry", said], option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)
    return hmac.digest(key, content, "sha256").hex()


async def _mark_what_waits(platform: Platform) -> None:
    key = platform.settings.trail_secret.get_secret_value().encode()
    async for row in platform["audit"].find({"sealed": False, "mark": {"$exists": False}}):
        mark = _mark(key, {name: row.get(name) for name in SAID})
        await platform["audit"].update_one({"_id": row["_id"]}, {"$set": {"mark": mark}})


async def _forget_the_check_of_then(platform: Platform) -> None:
    """Where the end that was known is not the end any more, the last entry that is left says so from now on."""
    check = await platform["audit_checks"].find_one({"_id": "chain", "anchor_position": {"$exists": True}})
    if check is None:
        return
    audit = platform["audit"]
    if check["anchor_position"] and not await audit.find_one(
        {"sealed": True, "position": check["anchor_position"]}
    ):
        last = await audit.find_one({"sealed": True}, sort=[("position", -1)])
        await audit.update_one({"_id": last and last["_id"]}, {"$set": {"seal": NO_SEAL}})
    await platform["audit_checks"].replace_one({"_id": "chain"}, {"anchored": 0})
