"""Questions that anybody may ask, and what keeps them from being asked by the thousand: whoever misses has to wait or to work.

Misses are counted by address, which then waits, and by target, the name and the numbers that were asked for, which never locks but doubles
the work of the next question. A target is counted whether or not it exists, under an HMAC: the counters tell nobody who is known here.
A question is counted before it is looked up and taken back when it was answered, so that a thousand at the same moment are a thousand.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from server.kernel import policies, puzzles
from server.kernel.clock import beijing_date
from server.kernel.errors import TooManyRequests
from server.kernel.mongo import CollectionSpec, Index
from server.kernel.platform import Platform
from server.kernel.policies import Policies
from server.kernel.puzzles import Proof, PuzzleNeeded, Ticket

ADDRESS_WINDOW = timedelta(hours=1)
COLLECTIONS = (
    CollectionSpec(
        "public_misses", shard_key="_id", indexes=(Index([("expires_at", 1)], expire_after_seconds=0),)
    ),
)


@dataclass(frozen=True)
class Asker:
    """Who asks: an address as limits count it (`addresses.counted_as`), and the solved puzzle or the ticket that came along."""

    address: str
    proof: str = ""


@dataclass(frozen=True)
class Question:
    """One that may be looked up. `keys` are what it was counted under; none when it is asked again with the same proof."""

    keys: Sequence[str]


def level(misses: int, terms: Policies) -> int:
    """How often the work has doubled after so many misses."""
    return min(misses // terms.public_misses_doubling, terms.public_doublings_most)


async def admit(
    platform: Platform, asker: Asker, targets: Mapping[str, str], *, repeats_cost: bool = False
) -> Question:
    """Lets a question through that has been worked for, and counts it as a miss until `answered`. `targets`: what is asked for, by kind.
    Asked again with the same proof it is let through once more; `repeats_cost`: and counted for its address, where the answer is dear.

    Raises TooManyRequests while the address must wait; PuzzleNeeded, with the level, when the work is missing or too little.
    """
    terms = await _terms(platform)
    address = _key(platform, "address", asker.address)
    of_targets = [_key(platform, kind, value) for kind, value in targets.items()]
    counted = await _counted(platform, [address, *of_targets])
    _check_address(platform, terms, counted.get(address))
    needed = level(max((_count(counted.get(key)) for key in of_targets), default=0), terms)
    proof = _proof(platform, asker, needed)
    question = _key(platform, "question", "\n".join(sorted(of_targets)))
    hour = platform.machine.now() + ADDRESS_WINDOW
    if not await puzzles.spend(platform, proof, question):
        if repeats_cost:
            await _add(platform, address, hour, renewed=False)
        return Question([address] if repeats_cost else ())
    until = platform.machine.now() + timedelta(hours=terms.public_miss_hours)
    rows = [await _add(platform, key, until, renewed=True) for key in of_targets]
    rows.append(await _add(platform, address, hour, renewed=False))
    now_needed = level(max((row["count"] - 1 for row in rows[:-1]), default=0), terms)
    if now_needed > proof.level or rows[-1]["count"] > terms.public_misses_of_address:
        await answered(platform, Question([*of_targets, address]))
        raise PuzzleNeeded(level=now_needed)  # others were faster
    return Question([*of_targets, address])


async def answered(platform: Platform, question: Question) -> None:
    """It was no miss after all."""
    for key in question.keys:
        await platform["public_misses"].update_one({"_id": key}, {"$inc": {"count": -1}})


async def check_address(platform: Platform, address: str) -> None:
    """For a question whose target nobody can guess. Raises TooManyRequests while the address must wait."""
    key = _key(platform, "address", address)
    _check_address(platform, await _terms(platform), (await _counted(platform, [key])).get(key))


async def missed(platform: Platform, address: str) -> None:
    """Counts a miss of such a question."""
    until = platform.machine.now() + ADDRESS_WINDOW
    await _add(platform, _key(platform, "address", address), until, renewed=False)


async def ticket(platform: Platform, asker: Asker, needed: int) -> Ticket | None:
    """For a browser that runs no script: waiting instead of working, and longer. None where too many of its address wait already."""
    terms = await _terms(platform)
    return await puzzles.ticket(platform, asker.address, needed, terms.public_wait_seconds << needed)


def _proof(platform: Platform, asker: Asker, needed: int) -> Proof:
    if not asker.proof:
        raise PuzzleNeeded(level=needed)
    try:
        if asker.proof.startswith(f"{puzzles.WAIT}."):
            proof = puzzles.waited(platform, asker.proof, asker.address)
        else:
            proof = puzzles.solved(platform, asker.proof)
    except PuzzleNeeded as problem:
        problem.extra["level"] = needed
        raise
    if proof.level < needed:
        raise PuzzleNeeded(
            "所填的内容近来多次查不到，为防止有人试探，这次验证要久一些。请再提交一次，并等验证完成。",
            level=needed,
        )
    return proof


def _check_address(platform: Platform, terms: Policies, row: Mapping[str, Any] | None) -> None:
    if row is None or row["count"] < terms.public_misses_of_address:
        return
    left = ceil((row["expires_at"] - platform.machine.now()).total_seconds())
    raise TooManyRequests(
        f"这个网络地址一小时内已有 {row['count']} 次没有查到，请在 {ceil(left / 60)} 分钟后再试。"
        "持证人也可以在小程序中出示证书，或向发证机构核实。",
        retry_after=left,
    )


async def _terms(platform: Platform) -> Policies:
    return await policies.on(platform, beijing_date(platform.clock.now()))


def _key(platform: Platform, kind: str, value: str) -> str:
    return hmac.digest(puzzles.secret(platform, "misses"), f"{kind}\n{value}".encode(), "sha256").hex()


async def _counted(platform: Platform, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    now = platform.machine.now()
    found = platform["public_misses"].find({"_id": {"$in": list(keys)}, "expires_at": {"$gt": now}})
    return {row["_id"]: row async for row in found}


def _count(row: Mapping[str, Any] | None) -> int:
    return 0 if row is None else row["count"]


async def _add(platform: Platform, key: str, until: datetime, *, renewed: bool) -> dict[str, Any]:
    """One more under this key; `renewed`: what was counted is remembered until `until` of the last one, else of the first."""
    counts = {"$gt": ["$expires_at", platform.machine.now()]}
    kept = until if renewed else {"$cond": [counts, "$expires_at", until]}
    change = {"count": {"$cond": [counts, {"$add": ["$count", 1]}, 1]}, "expires_at": kept}
    while True:
        try:
            row: dict[str, Any] = await platform["public_misses"].find_one_and_update(
                {"_id": key}, [{"$set": change}], upsert=True, return_document=ReturnDocument.AFTER
            )
        except DuplicateKeyError:
            continue  # the first two of a key came together
        return row
