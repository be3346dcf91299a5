"""Lists taken along: each is noted in the trail, and a long one is prepared by the scheduled work, for its owner alone.

A run that dies is taken over as any job's is, and begins the workbook anew: a list is read in a minute or two, and half a workbook is none.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple, Protocol

from pymongo.errors import DuplicateKeyError

from server.accounts import staff
from server.accounts import store as accounts
from server.exports import store
from server.exports.documents import PreparedExport, State
from server.kernel import offices, policies
from server.kernel.clock import beijing_date
from server.kernel.downloads import Download
from server.kernel.errors import Conflict, NotFound
from server.kernel.identity import Actor, system
from server.kernel.offices import Said, Topic
from server.kernel.permissions import Permission, holds
from server.kernel.platform import Platform
from server.kernel.schedule import Counts
from server.kernel.spreadsheets import BATCH, XLSX, Sheet
from server.kernel.unit_of_work import UnitOfWork, transactional

log = logging.getLogger("platform.exports")

PAGE = "/admin/exports"
PREPARER = system("prepare-exports")
MOST_ATTEMPTS = 3
"""What died so often may be what kills its process."""
SHOWN = 50
STILL_NEW = timedelta(minutes=10)
"""As long as a workbook is so new, who asks for the same list is shown it."""
REMOVED_AT_ONCE = 1_000
KEPT_MOST = 10
"""Workbooks of one account; the oldest makes room for the next."""


class AlreadyPreparing(Conflict):
    slug = "already-preparing"
    title = "上一份导出还没有准备好"
    default_detail = "一次准备一份。请到“我的导出”查看进度，完成后再导出下一份。"


class Reading(NamedTuple):
    sheet: Sheet[Any]
    rows: AsyncIterator[Any]


class Listed(Protocol):
    """A list as the pages declare it: see admin/lists.py."""

    @property
    def permission(self) -> Permission: ...
    def read(self, platform: Platform, actor: Actor, conditions: Mapping[str, str]) -> Reading: ...


LISTS: dict[str, Listed] = {}
"""Every list that can be taken along, by its address: the pages enter theirs, for nothing here knows of pages."""


@transactional
async def note(unit: UnitOfWork, address: str, title: str, rows: int) -> None:
    """An entry in the trail: a list left the platform. What it was narrowed to may be a name, and is not said."""
    unit.audit("exports:take", address, list=title, taken=rows)


async def held(
    platform: Platform, actor: Actor, address: str, title: str, conditions: Mapping[str, str]
) -> PreparedExport | None:
    """The actor's own of this very list that is being prepared, or was a moment ago: nothing need be written once more."""
    since = platform.clock.now() - STILL_NEW
    return await store.standing(platform, actor.id, address, title, _narrowed(conditions), since)


def _narrowed(conditions: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in sorted(conditions.items()) if value}


@transactional
async def begin(unit: UnitOfWork, address: str, title: str, conditions: Mapping[str, str]) -> PreparedExport:
    """Asks for a long list. The same one that is being prepared already is answered again. Raises AlreadyPreparing."""
    running = await store.preparing(unit, unit.actor.id)
    narrowed = _narrowed(conditions)
    if running is not None:
        if (running.address, running.conditions) != (address, narrowed):
            raise AlreadyPreparing()
        unit.nothing_written()
        return running
    days = (await policies.on(unit, beijing_date(unit.now))).export_days
    new = PreparedExport(
        owner_id=unit.actor.id,
        address=address,
        title=title,
        conditions=narrowed,
        state=State.PREPARING,
        asked_at=unit.now,
        expires_at=unit.now + timedelta(days=days),
    )
    try:
        await store.insert(unit, new)
    except DuplicateKeyError:
        raise AlreadyPreparing() from None
    unit.audit("exports:begin", new.id, list=title)
    return new


async def mine(platform: Platform, actor: Actor) -> list[PreparedExport]:
    """Newest first."""
    return await store.of_owner(platform, actor.id, SHOWN)


async def export(platform: Platform, actor: Actor, export_id: str) -> PreparedExport:
    """One's own. Raises NotFound."""
    found = await store.own(platform, actor.id, export_id)
    if found is None:
        raise NotFound("没有这份导出，或文件保存期已过。请重新导出。")
    return found


async def file(platform: Platform, actor: Actor, export_id: str) -> Download:
    """The workbook; that it was taken along is noted. Raises NotFound."""
    found = await export(platform, actor, export_id)
    if found.state is not State.READY or found.file_id is None:
        raise NotFound("这份导出还没有准备好。")
    await note(platform, actor, found.address, found.title, found.rows)
    return Download(found.file_name, XLSX, found.size, platform.files.read(found.file_id))


# ---- preparing


async def prepare_waiting(platform: Platform) -> Counts:
    """Prepares what was asked for, the oldest first."""
    waiting = await store.waiting(platform, SHOWN)
    return {"准备导出": sum([await _prepare(platform, one) for one in waiting])}


async def _prepare(platform: Platform, wanted: PreparedExport) -> bool:
    """Whether the workbook is there now."""
    kept = platform.files.create(wanted.title, {"export_id": wanted.id})
    await store.begin_run(platform, wanted.id, kept.id)
    if wanted.file_id:  # of a run that died
        await platform.files.delete(wanted.file_id)
    mine = wanted.model_copy(update={"file_id": kept.id})
    account = await accounts.account(platform, wanted.owner_id)
    actor = staff.actor_of(account) if account is not None and account.active else None
    listed = LISTS.get(wanted.address)
    if actor is None or listed is None or not holds(actor, listed.permission):
        return await _fail(platform, mine, "您已没有查看这份列表的权限。")
    if wanted.attempts >= MOST_ATTEMPTS:
        return await _fail(platform, mine, "多次中断，没有完成。请缩小范围后重新导出。")
    try:
        sheet, rows = listed.read(platform, actor, wanted.conditions)
        name = sheet.named(beijing_date(wanted.asked_at))
        written = await sheet.stream(name, _watched(platform, mine, rows))
        async for chunk in written.file.content:
            await kept.write(chunk)
        await kept.close()
    except Exception:
        log.exception("an export of %s was not finished", wanted.address)
        error = "准备时出错，请稍后重新导出；再次出错请联系管理员。"
        return await _fail(platform, mine, error)
    found = {"rows": written.rows, "file_name": name, "size": written.file.size}
    ready = await _ready(platform, PREPARER, mine, found)
    await _make_room(platform, wanted.owner_id)
    return ready


async def _make_room(platform: Platform, owner_id: str) -> None:
    for one in await store.beyond(platform, owner_id, KEPT_MOST, SHOWN):
        await _remove(platform, one)


async def _remove(platform: Platform, one: PreparedExport) -> int:
    if one.file_id:
        await platform.files.delete(one.file_id)
    return await store.delete(platform, one.id)


async def _watched(
    platform: Platform, wanted: PreparedExport, rows: AsyncIterator[Any]
) -> AsyncIterator[Any]:
    """The rows as they come; the page learns how far it is."""
    count = 0
    async for one in rows:
        yield one
        count += 1
        if count % BATCH == 0:
            await store.change(platform, wanted, {"rows": count})


@transactional
async def _ready(unit: UnitOfWork, wanted: PreparedExport, changes: Mapping[str, Any]) -> bool:
    """The workbook is there, and its owner hears of it."""
    if not await store.change(unit, wanted, {"state": State.READY.value, **changes}):
        unit.nothing_written()
        return False
    unit.audit("exports:prepare", wanted.id, list=wanted.title, taken=changes["rows"])
    words = f"“{wanted.title}”已导出，共 {changes['rows']} 行，可以下载。"
    unit.tell(Said(offices.account(wanted.owner_id), Topic.READY, words, f"{PAGE}/{wanted.id}"))
    return True


async def _fail(platform: Platform, wanted: PreparedExport, why: str) -> bool:
    await store.change(platform, wanted, {"state": State.FAILED.value, "error": why})
    return False


async def forget(platform: Platform) -> Counts:
    """Removes the workbooks whose time is over, with what was asked for."""
    over = await store.over(platform, platform.clock.now(), REMOVED_AT_ONCE)
    return {"删除导出文件": sum([await _remove(platform, one) for one in over])}
