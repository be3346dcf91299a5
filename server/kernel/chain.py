"""Chains of entries: the audit trail (articles 4 (7) and 25 (4): nothing is changed in silence) and the ledger of certificates (18).

No transaction touches its head, so it queues nobody: a sealer links the entries afterwards, under a lease. A sealed entry carries its
position and its seal, an HMAC over the seal before, the position and what the entry says, under a key that is not in the database: who
owns the database alone can rewrite rows, but seal none. Each head goes to the log and to the anchor (anchor.py) after the commit, so
that entries cut off at the end, or a chain rewritten by somebody who has the key as well, do not look whole either (decision 0022).
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClientSession
from pydantic import Field
from pymongo import UpdateOne
from pymongo.read_concern import ReadConcern

from server.kernel import audit, leases
from server.kernel.anchor import Anchor, Head, anchor_of
from server.kernel.errors import Problem
from server.kernel.mongo import DURABLE, CollectionSpec, Document, Row
from server.kernel.platform import Platform
from server.kernel.schedule import Counts

log = logging.getLogger("platform.audit")

COLLECTIONS = (CollectionSpec("audit_checks", shard_key=None),)

GENESIS = NO_SEAL = "0" * 64
AT_ONCE = 1_000
TERM = timedelta(seconds=30)
OVERDUE = timedelta(minutes=10)
"""An entry that is not in the chain after so long is a sign that somebody keeps the sealer from it."""
KEEP = "请保留现场，立即核对数据库备份。"


@dataclass(frozen=True)
class Chain:
    """A collection whose entries are linked. What is sealed names the chain, so that no entry of one fits into another."""

    name: str
    """In what is sealed and in the anchor; also that of its collection."""
    title: str
    said: tuple[str, ...]
    """The fields that are sealed: what an entry says."""
    marked: str
    """What the mark of an entry begins with."""
    row: str
    """Id of what is known of it, in audit_checks."""

    def mark_of(self, platform: Platform, entry: Mapping[str, Any]) -> str:
        """Written with the entry (audit.mark_of)."""
        return audit.under_key(platform, self.marked, audit.said(entry, self.said))

    def anchor(self, platform: Platform) -> Anchor:
        return anchor_of(platform.settings, self.name)


TRAIL = Chain("audit", "留痕链", audit.SAID, audit.MARKED, "chain")
Each = Callable[[Row], Awaitable[None]]
"""Is given each entry that fits, in its order, while the chain is read."""


class ChainBroken(Problem):
    status = 500
    slug = "audit-chain-broken"
    title = "留痕链断开"


class Checked(Document):
    """What is known of a chain beside it."""

    id: str = Field(default="chain", alias="_id")
    anchored: int = 0
    """Position of the newest head that the anchor has."""
    checked_at: datetime | None = None
    entries: int = 0
    """How many the last check has read, from the first."""
    broken: str = ""
    """What the last check found, in words."""


def seal_of(
    platform: Platform, entry: Mapping[str, Any], position: int, previous: str, of: Chain = TRAIL
) -> str:
    """HMAC-SHA-256, hexadecimal, over position, the seal before and what the entry says."""
    return audit.under_key(platform, of.name, position, previous, audit.said(entry, of.said))


# ---- sealing


async def seal(platform: Platform, of: Chain = TRAIL) -> int:
    """Links entries that are not in the chain yet, oldest first; returns how many. Runs under a lease."""
    if not await leases.hold(platform, f"{of.name}-sealer", TERM):
        return 0
    session = await platform.db.client.start_session()
    try:
        linked: int = await session.with_transaction(
            lambda session: _link(platform, of, session),
            read_concern=ReadConcern("snapshot"),
            write_concern=DURABLE,
        )
    finally:
        await session.end_session()
    await _anchor_head(platform, of)
    return linked


async def _link(platform: Platform, of: Chain, session: AsyncIOMotorClientSession) -> int:
    """In a transaction: a sealer whose lease ran out unnoticed meets the unique positions of the other."""
    entries = platform[of.name]
    waiting = (
        await entries.find({"sealed": False}, session=session).sort("_id", 1).limit(AT_ONCE).to_list(None)
    )
    if not waiting:
        return 0
    head = await _head(platform, of, session)
    position, previous = (head.position, head.seal) if head else (0, GENESIS)
    links = []
    for entry in waiting:
        position += 1
        try:
            previous = seal_of(platform, entry, position, previous, of)
        except (KeyError, TypeError, AttributeError):  # not of ours: it takes its place, and shows there
            previous = NO_SEAL
        place = {"sealed": True, "position": position, "seal": previous}
        links.append(UpdateOne({"_id": entry["_id"], "sealed": False}, {"$set": place}))
    await entries.bulk_write(links, ordered=True, session=session)
    return len(links)


async def _head(
    platform: Platform, of: Chain, session: AsyncIOMotorClientSession | None = None
) -> Head | None:
    row = await platform[of.name].find_one({"sealed": True}, sort=[("position", -1)], session=session)
    return Head(row["position"], str(row.get("seal"))) if row else None


async def _anchor_head(platform: Platform, of: Chain) -> None:
    """Whatever failed to reach the anchor is caught up by the next head: it proves all before it."""
    head = await _head(platform, of)
    known = await state(platform, of)
    if head is None or head.position == known.anchored:
        return
    log.info("%s chain sealed to entry %d, seal %s", of.name, head.position, head.seal)
    try:
        await of.anchor(platform).append(head, platform.machine.now())
    except OSError as error:
        log.warning("the anchor of the %s chain cannot be written: %s", of.name, error)
        return
    await note(platform, of, anchored=head.position)


# ---- checking


async def check(platform: Platform) -> Counts:
    """Reads the whole chain against the anchor. Raises ChainBroken, which fails the run, until the trail is restored."""
    entries, broken = await follow(platform)
    await note(platform, TRAIL, checked_at=platform.clock.now(), entries=entries, broken=broken)
    if broken:
        raise ChainBroken(broken)
    return {"校验": entries}


async def follow(platform: Platform, of: Chain = TRAIL, each: Each | None = None) -> tuple[int, str]:
    """How many entries fit, from the first on, and what is wrong with the next, in words; nothing when the chain is whole."""
    try:
        async with of.anchor(platform).heads() as heads:
            return await _follow(platform, of, heads, (await state(platform, of)).anchored, each)
    except OSError:
        log.exception("the anchor of the %s chain cannot be read", of.name)
        return (
            0,
            f"{of.title}的锚点读不到，无法核对链的末尾。请检查锚点文件或地址（PLATFORM_AUDIT_ANCHOR）后重新校验。",
        )


async def _follow(
    platform: Platform, of: Chain, heads: Iterator[Head], anchored: int, each: Each | None
) -> tuple[int, str]:
    position, previous, newest = 0, GENESIS, 0
    head = next(heads, None)
    rows = platform[of.name].find({"sealed": True}, batch_size=AT_ONCE // 2).sort("position", 1)
    async for entry in rows:
        position += 1
        if not _fits(platform, of, entry, position, previous):
            return (
                position - 1,
                f"{of.title}在第 {position} 条断开：这一条或它之前的记录被改动、删除或调换过。{KEEP}",
            )
        previous = entry["seal"]
        while head is not None and head.position <= position:
            if not await _stands(platform, of, head, position, previous):
                return (
                    position - 1,
                    f"{of.title}的第 {head.position} 条与锚点记下的不同：链被整段改写过。{KEEP}",
                )
            newest = max(newest, head.position)
            head = next(heads, None)
        if each is not None:
            await each(entry)
    if head is not None:
        last = max(one.position for one in (head, *heads))
        return position, f"{of.title}末尾缺失：锚点记到第 {last} 条，库里只到第 {position} 条。{KEEP}"
    if newest < anchored:
        return position, (
            f"锚点缺失：曾记到第 {anchored} 条，现在只到第 {newest} 条，末尾是否完整无从核对。"
            "更换过锚点的，请把原来的内容一并移过去。"
        )
    return position, await _outside(platform, of, whole=True)


async def _outside(platform: Platform, of: Chain, *, whole: bool) -> str:
    """What is wrong with entries that are not in the chain, in words. `whole`: looking at each row of the collection."""
    waiting = await platform[of.name].find_one({"sealed": False}, {"_id": 1}, sort=[("_id", 1)])
    if waiting is not None and _age(platform, waiting["_id"]) > OVERDUE:
        return f"有记录超过 {OVERDUE.seconds // 60} 分钟没有入链：定时任务没有运行，或有人阻止了入链。{KEEP}"
    strange = {"sealed": {"$nin": [True, False]}}
    if whole and (row := await platform[of.name].find_one(strange, {"_id": 1})):
        return f"记录 {row['_id']} 的入链标记被改动过。{KEEP}"
    return ""


def _age(platform: Platform, entry_id: object) -> timedelta:
    """By its id, which begins with the second of the machine in which it was made; an id of no such form has waited for ever."""
    try:
        made = datetime.fromtimestamp(int(str(entry_id)[:8], 16), UTC)
    except ValueError:
        return timedelta.max
    return datetime.now(UTC) - made


async def _stands(platform: Platform, of: Chain, head: Head, position: int, seal: str) -> bool:
    """Two machines may have written their heads in the other order: then the entry itself is looked up."""
    if head.position < position:
        entry = await platform[of.name].find_one({"sealed": True, "position": head.position}, {"seal": 1})
        seal = entry["seal"] if entry else ""
    return hmac.compare_digest(head.seal, seal)


def _fits(platform: Platform, of: Chain, entry: Row, position: int, previous: str) -> bool:
    """Whatever somebody has put in the place of a field is no reason to stumble."""
    try:
        right, mark = seal_of(platform, entry, position, previous, of), of.mark_of(platform, entry)
    except (KeyError, TypeError, AttributeError):
        return False
    return (
        entry.get("position") == position
        and hmac.compare_digest(str(entry.get("seal")).encode(), right.encode())
        and hmac.compare_digest(str(entry.get("mark")).encode(), mark.encode())
    )


async def doubtful(platform: Platform, entries: Sequence[Row], of: Chain = TRAIL) -> frozenset[str]:
    """Ids of those of these entries that are not what was written or sealed, or do not follow the one before."""
    places = [entry.get("position") for entry in entries if entry.get("sealed") is True]
    before = sorted(one - 1 for one in places if isinstance(one, int))
    rows = platform[of.name].find({"sealed": True, "position": {"$in": before}}, {"position": 1, "seal": 1})
    seals = {0: GENESIS} | {row["position"]: str(row.get("seal")) async for row in rows}
    return frozenset(entry["_id"] for entry in entries if not _right(platform, of, entry, seals))


def _right(platform: Platform, of: Chain, entry: Row, seals: Mapping[int, str]) -> bool:
    """Whether an entry that is shown is what was written: in the chain, or still on its way there."""
    position = entry.get("position")
    if entry.get("sealed") is True:
        return isinstance(position, int) and _fits(platform, of, entry, position, seals.get(position - 1, ""))
    try:
        mark = of.mark_of(platform, entry)
    except (KeyError, TypeError, AttributeError):
        return False
    return entry.get("sealed") is False and hmac.compare_digest(
        str(entry.get("mark")).encode(), mark.encode()
    )


async def end_in_doubt(platform: Platform) -> str:
    """What is wrong with the end of the chain as against the anchor, in words: looked up each time the trail is shown."""
    try:
        head = await TRAIL.anchor(platform).newest()
    except OSError:
        return "留痕链的锚点读不到，末尾是否完整暂时无从核对。"
    if head is None:
        if (await state(platform)).anchored:
            return "锚点缺失，末尾是否完整无从核对。"
        return await _outside(platform, TRAIL, whole=False)
    entry = await platform["audit"].find_one({"sealed": True, "position": head.position}, {"seal": 1})
    if entry is None:
        return f"留痕链末尾缺失：锚点记到第 {head.position} 条，库里没有这一条。{KEEP}"
    if not hmac.compare_digest(str(entry.get("seal")), head.seal):
        return f"留痕链的第 {head.position} 条与锚点记下的不同。{KEEP}"
    return await _outside(platform, TRAIL, whole=False)


async def state(platform: Platform, of: Chain = TRAIL) -> Checked:
    row = await platform["audit_checks"].find_one({"_id": of.row})
    return Checked() if row is None else Checked.from_mongo(row)


async def note(platform: Platform, of: Chain, **change: Any) -> None:
    await platform["audit_checks"].update_one({"_id": of.row}, {"$set": change}, upsert=True)
