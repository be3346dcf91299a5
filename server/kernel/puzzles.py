"""What a question of the public costs: a puzzle that the browser or the phone works out, or a wait where it cannot.

The puzzle is ALTCHA's proof of work (protocol 2): among `TRIES` numbers, doubled for each level, is the one whose derived key begins
with `keyPrefix`; whoever asks has to try, we compare one HMAC. A ticket to wait costs no work, so there is a queue of them for each
address: many tickets at once bring nobody forward. Either serves one question.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

from altcha import create_challenge, verify_solution
from altcha.v2 import Payload
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from server.kernel.errors import Problem
from server.kernel.mongo import CollectionSpec, Index
from server.kernel.platform import Platform

TRIES = 256
"""Numbers to try at level 0, half of them on average; about a tenth of a second of one core."""
ITERATIONS = 2_000
"""Of PBKDF2 for each number: so many that a browser, which does them outside JavaScript, is hardly slower than an attacker's program."""
LEVEL_MOST = 12
PUZZLE_LIVES = timedelta(minutes=30)
TICKET_LIVES = timedelta(hours=1)
"""After it has ripened."""
QUEUE_MOST = timedelta(hours=2)
WAIT = "wait"

COLLECTIONS = (
    CollectionSpec(
        "spent_proofs", shard_key="_id", indexes=(Index([("expires_at", 1)], expire_after_seconds=0),)
    ),
    CollectionSpec(
        "waiting_addresses", shard_key="_id", indexes=(Index([("ready_at", 1)], expire_after_seconds=0),)
    ),
)


class PuzzleNeeded(Problem):
    """`level` tells how hard the puzzle must be."""

    status = 428
    slug = "puzzle-needed"
    title = "查询前需要完成验证"
    default_detail = "为防止有人成批试探他人的号码，每次查询前由浏览器或手机自动完成一次验证。请再查询一次。"


@dataclass(frozen=True)
class Proof:
    """Of work or of waiting; `id` is what makes it this one."""

    id: str
    level: int
    expires_at: datetime


@dataclass(frozen=True)
class Ticket:
    text: str
    seconds: int
    """To wait from now on."""


def secret(platform: Platform, purpose: str) -> bytes:
    """A key for this purpose only, from a secret that is not in the database."""
    return hmac.digest(platform.settings.code_secret.get_secret_value().encode(), purpose.encode(), "sha256")


def puzzle(platform: Platform, level: int) -> dict[str, Any]:
    """A challenge as the ALTCHA protocol writes it. Its expiry is in `data`, for it is of our own clock."""
    expires_at = platform.machine.now() + PUZZLE_LIVES
    challenge = create_challenge(
        "PBKDF2/SHA-256",
        ITERATIONS,
        counter=secrets.randbelow(TRIES << level),
        data={"level": level, "until": int(expires_at.timestamp())},
        hmac_secret=secret(platform, "puzzle"),
        hmac_key_secret=secret(platform, "solution of a puzzle"),
    )
    return challenge.to_dict()


def solved(platform: Platform, text: str) -> Proof:
    """A solution as the widget writes it. Raises PuzzleNeeded for anything else, and for one that is too old."""
    verified = verify_solution(
        text,
        secret(platform, "puzzle"),
        hmac_key_secret=secret(platform, "solution of a puzzle"),
    )
    if not verified.verified:
        raise PuzzleNeeded()
    signed = Payload.from_base64(text).challenge
    assert signed.parameters.data is not None and signed.signature is not None
    return _fresh(
        platform, signed.signature, signed.parameters.data["level"], signed.parameters.data["until"]
    )


async def ticket(platform: Platform, address: str, level: int, seconds: int) -> Ticket | None:
    """Serves once, from this address, after `seconds` and after all tickets that the address had before; None where that is too long."""
    now = platform.machine.now()
    wait = timedelta(seconds=seconds)
    key = _seal(platform, "address", address)
    waiting = await platform["waiting_addresses"].find_one({"_id": key})
    if waiting is not None and waiting["ready_at"] - now > QUEUE_MOST:
        return None
    ready_at = await _queued(platform, key, now, wait)
    said = f"{level}.{ceil(ready_at.timestamp())}.{secrets.token_hex(12)}"
    return Ticket(f"{WAIT}.{said}.{_seal(platform, said, address)}", _seconds(ready_at - now))


def waited(platform: Platform, text: str, address: str) -> Proof:
    """Raises PuzzleNeeded for a ticket that is forged, another address's, too old or not yet ripe; then it says how long to wait."""
    _, _, signed = text.partition(".")
    said, _, seal = signed.rpartition(".")
    if not hmac.compare_digest(_seal(platform, said, address).encode(), seal.encode(errors="replace")):
        raise PuzzleNeeded()
    level, ready, _ = said.split(".")
    ready_at = datetime.fromtimestamp(int(ready), UTC)
    left = ready_at - platform.machine.now()
    if left > timedelta():
        words = f"还要等 {_seconds(left)} 秒，内容已为您保留。"
        raise PuzzleNeeded(words, level=int(level), ticket=text, seconds=_seconds(left))
    return _fresh(platform, seal, int(level), int((ready_at + TICKET_LIVES).timestamp()))


async def spend(platform: Platform, proof: Proof, question: str) -> bool:
    """Takes the proof for this question; False if it was taken for this very question before, whose answer may have been lost on the way.

    Raises PuzzleNeeded when another question was asked with it.
    """
    try:
        await platform["spent_proofs"].insert_one(
            {"_id": proof.id, "question": question, "expires_at": proof.expires_at}
        )
    except DuplicateKeyError:
        taken = await platform["spent_proofs"].find_one({"_id": proof.id, "question": question})
        if taken is None:
            raise PuzzleNeeded(level=proof.level) from None
        return False
    return True


def _fresh(platform: Platform, name: str, level: int, until: int) -> Proof:
    expires_at = datetime.fromtimestamp(until, UTC)
    if expires_at <= platform.machine.now():
        raise PuzzleNeeded("页面打开得太久，验证已过期，请再查询一次。", level=level)
    return Proof(name, level, expires_at)


async def _queued(platform: Platform, key: str, now: datetime, wait: timedelta) -> datetime:
    """The end of the queue of an address, moved on by one wait."""
    step = int(wait.total_seconds() * 1000)
    last = {"$max": ["$ready_at", now]}
    while True:
        try:
            row = await platform["waiting_addresses"].find_one_and_update(
                {"_id": key},
                [{"$set": {"ready_at": {"$add": [last, step]}}}],
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        except DuplicateKeyError:
            continue  # another request of the address was the first
        ready_at: datetime = row["ready_at"]
        return ready_at


def _seal(platform: Platform, said: str, address: str) -> str:
    return hmac.digest(secret(platform, "waiting"), f"{said} {address}".encode(), "sha256").hex()


def _seconds(left: timedelta) -> int:
    return ceil(left.total_seconds())
