"""Checking the hash chain of the audit trail, piece by piece (articles 4 (7) and 25 (4): nothing is changed in silence).

Each run goes on where the last one stopped; a week after a whole check began, the next begins from the first entry. The newest entry
that was ever checked is the anchor: its position and hash are kept beside the trail and written to the log, which leaves
the machine, so that a trail whose newest entries are gone does not look whole.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from server.kernel.audit import GENESIS, entry_hash
from server.kernel.errors import Problem
from server.kernel.mongo import CollectionSpec, Document
from server.kernel.platform import Platform
from server.kernel.schedule import Counts

log = logging.getLogger("platform.audit")

COLLECTIONS = (CollectionSpec("audit_checks", shard_key=None),)

PIECE = 20_000
"""Entries a run: about a second of reckoning."""
BATCH = 500
WHOLE_AGAIN = timedelta(days=7)


class ChainBroken(Problem):
    status = 500
    slug = "audit-chain-broken"
    title = "留痕链断开"


class Checked(Document):
    """How far the chain has been checked. One row."""

    id: str = Field(default="chain", alias="_id")
    position: int = 0
    """Of the last entry of this pass that was checked; 0 before the first."""
    hash: str = GENESIS
    anchor_position: int = 0
    """Of the newest entry that any pass has checked."""
    anchor_hash: str = GENESIS
    anchored_at: datetime | None = None
    pass_began: datetime | None = None
    whole_at: datetime | None = None
    """When a pass last came to the end with nothing broken."""


async def check(platform: Platform) -> Counts:
    """Checks the next piece. Raises ChainBroken, which fails the run, until the trail is restored."""
    so_far = await state(platform)
    await require_anchor(platform, so_far)
    now = platform.clock.now()
    if so_far.pass_began is None or (so_far.whole_at is not None and now - so_far.pass_began >= WHOLE_AGAIN):
        so_far = so_far.model_copy(
            update={"position": 0, "hash": GENESIS, "pass_began": now, "whole_at": None}
        )
    position, last = await _follow(platform, so_far.position, so_far.hash)
    change: dict[str, Any] = {"position": position, "hash": last}
    if position - so_far.position < PIECE:
        change["whole_at"] = now
    if position > so_far.anchor_position:
        change |= {"anchor_position": position, "anchor_hash": last, "anchored_at": now}
        log.info("audit chain checked to entry %d, hash %s", position, last)
    await _keep(platform, so_far.model_copy(update=change))
    return {"校验": position - so_far.position}


async def require_anchor(platform: Platform, so_far: Checked) -> None:
    """Raises ChainBroken when the newest entry that was ever checked is gone or another."""
    if so_far.anchor_position == 0:
        return
    entry = await platform["audit"].find_one(
        {"sealed": True, "position": so_far.anchor_position}, {"hash": 1}
    )
    if entry is None or entry["hash"] != so_far.anchor_hash:
        raise ChainBroken(
            f"留痕链末尾缺失：此前已校验到第 {so_far.anchor_position} 条，现在找不到这一条或内容不同。"
            "请保留现场，立即核对数据库备份。"
        )


async def _follow(platform: Platform, position: int, previous: str) -> tuple[int, str]:
    """At most PIECE entries after `position`; the last position and hash that fit. Raises ChainBroken at the first that does not."""
    rows = platform["audit"].find({"sealed": True, "position": {"$gt": position}}, batch_size=BATCH)
    async for entry in rows.sort("position", 1).limit(PIECE):
        position += 1
        fits = (
            entry["position"] == position
            and entry["previous"] == previous
            and entry["hash"] == entry_hash(entry, position, previous)
        )
        if not fits:
            raise ChainBroken(
                f"留痕链在第 {position} 条断开：这一条或它之前的记录被改动、删除或调换过。"
                "请保留现场，立即核对数据库备份。"
            )
        previous = entry["hash"]
    return position, previous


async def state(platform: Platform) -> Checked:
    row = await platform["audit_checks"].find_one({"_id": "chain"})
    return Checked() if row is None else Checked.from_mongo(row)


async def _keep(platform: Platform, checked: Checked) -> None:
    await platform["audit_checks"].replace_one({"_id": checked.id}, checked.to_mongo(), upsert=True)
