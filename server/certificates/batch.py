"""Offices query certificates in batches (article 18): a sheet in, a sheet out, so many lines a day, and each time in the trail.

An office solves no puzzle. What keeps it from working an ID number out is that misses are few: so many a day and no more, and of one
name or certificate a few numbers in a file.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from bson.binary import Binary

from server.accounts.rules import last_four, mask_id_number
from server.certificates import agreement, batch_sheet, batch_store
from server.certificates.batch_sheet import Line
from server.certificates.batch_store import BatchUse
from server.certificates.documents import Certificate
from server.certificates.verify import Doubt
from server.kernel import hostile, policies
from server.kernel.clock import beijing_date
from server.kernel.downloads import Download
from server.kernel.errors import TooManyRequests
from server.kernel.folding import folded
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.spreadsheets import XLSX, Column, Sheet
from server.kernel.unit_of_work import UnitOfWork, transactional

RATE = "10/minute"
NO_MISSES_LEFT = "本单位今天没有查到的行数已到上限，这一行没有查询。请明天再查，或在公开查询页查询。"
hostile.reads_here(batch_sheet.__name__)


class BatchQuotaReached(TooManyRequests):
    slug = "batch-quota-reached"
    title = "今天的批量查询已用完"


@dataclass(frozen=True)
class Found:
    line: Line
    certificate: Certificate | None
    doubted: bool = False
    """It is not what the ledger has sealed: nothing of it is told but that."""

    @property
    def outcome(self) -> str:
        if self.line.wrong:
            return "没有查询"
        if self.doubted:
            return Doubt.IN_DOUBT.label
        return self.certificate.status.label if self.certificate else "没有查到"


SHEET = Sheet[Found](
    "证书查询结果",
    [
        Column("原表行号", 10, lambda one: one.line.row),
        Column("姓名", 14, lambda one: one.line.name),
        Column("证件号", 22, lambda one: _masked(one.line.id_number)),
        Column("证书编号", 18, lambda one: one.line.number),
        Column("结果", 18, lambda one: one.outcome),
        Column("说明", 40, lambda one: one.line.wrong),
        Column("证上姓名", 14, lambda one: one.certificate.printed.name if one.certificate else ""),
        Column("证上编号", 18, lambda one: one.certificate.printed.number if one.certificate else ""),
        Column("证书序列号", 14, lambda one: one.certificate.printed.serial if one.certificate else ""),
        Column("级别", 10, lambda one: one.certificate.printed.level.label if one.certificate else ""),
        Column("专业大类", 14, lambda one: one.certificate.printed.major if one.certificate else ""),
        Column("课时", 8, lambda one: one.certificate.printed.class_hours if one.certificate else ""),
        Column("发证机构", 26, lambda one: one.certificate.printed.issuer if one.certificate else ""),
        Column("发证日期", 12, lambda one: one.certificate.printed.issued_on if one.certificate else ""),
    ],
)


def _masked(id_number: str) -> str:
    return last_four(mask_id_number(id_number)) if len(id_number) == 18 else ""


async def template(platform: Platform, actor: Actor) -> Download:
    """The sheet to fill in."""
    return Download.of("证书批量查询模板.xlsx", XLSX, await asyncio.to_thread(batch_sheet.template))


async def query(platform: Platform, actor: Actor, content: bytes) -> Download:
    """The answer to a sheet, a row for each certificate found and each line that found none.

    Raises BatchUnreadable, BatchQuotaReached, and then nothing was looked up.
    """
    read = partial(batch_sheet.read_lines, content)
    lines = await hostile.read_apart(platform, hostile.whose(actor), read)
    found = await _query(platform, actor, lines)
    return await SHEET.download(found, beijing_date(platform.clock.now()))


@transactional
async def _query(unit: UnitOfWork, lines: Sequence[Line]) -> list[Found]:
    asked = [one for one in lines if not one.wrong]
    sealed = await unit.platform.vault.encrypt_searchable([one.id_number for one in asked if one.id_number])
    keys = dict(zip((one.id_number for one in asked if one.id_number), sealed, strict=True))
    numbered = [one.number for one in asked if one.number]
    by_person = [keys[one.id_number] for one in asked if not one.number]
    certificates = await batch_store.asked_for(unit, numbered, by_person)
    doubted = await agreement.in_doubt(unit, certificates)
    by_number, by_holder = _indexed(certificates)
    left = await _misses_left(unit, len(lines))
    found: list[Found] = []
    misses = 0
    for read in lines:
        line = replace(read, wrong=NO_MISSES_LEFT) if misses == left and not read.wrong else read
        if line.wrong:
            found.append(Found(line, None))
            continue
        near = by_number.get(line.number, ()) if line.number else by_holder.get(keys[line.id_number], ())
        fitting = [one for one in near if _fits(one, line, keys)]
        misses += not fitting
        found += [
            Found(line, None, doubted=True) if one.id in doubted else Found(line, one) for one in fitting
        ] or [Found(line, None)]
    await _use(unit, rows=0, misses=misses)
    certified = sum(one.certificate is not None for one in found)
    unit.audit("certificates:query-batch", unit.actor.office, taken=len(lines), certificates=certified)
    return found


async def _misses_left(unit: UnitOfWork, rows: int) -> int:
    """How many lines may still find nothing today; their answers end with the last of them. Raises BatchQuotaReached, which takes back
    what is counted here."""
    terms = await policies.on(unit, beijing_date(unit.now))
    used = await _use(unit, rows=rows, misses=0)
    if used.rows > terms.batch_query_rows:
        left = max(0, terms.batch_query_rows - (used.rows - rows))
        raise BatchQuotaReached(
            f"本单位每天最多批量查询 {terms.batch_query_rows} 行，今天还可以查 {left} 行，这个文件有 {rows} 行，没有查询。"
        )
    if used.misses >= terms.batch_query_misses:
        raise BatchQuotaReached(
            f"本单位今天已有 {used.misses} 行没有查到，为防止试探他人的号码，请明天再查，或逐个在公开查询页查询。"
        )
    return terms.batch_query_misses - used.misses


async def _use(unit: UnitOfWork, *, rows: int, misses: int) -> BatchUse:
    until = unit.platform.machine.now() + timedelta(days=2)
    of = f"{unit.actor.office} {beijing_date(unit.now)}"
    return await batch_store.use(unit, of, rows=rows, misses=misses, until=until)


Indexed = Mapping[str | Binary, Sequence[Certificate]]


def _indexed(certificates: Sequence[Certificate]) -> tuple[Indexed, Indexed]:
    """By number and by holder: a thousand lines are not held against a thousand certificates each."""
    by_number: dict[str | Binary, list[Certificate]] = defaultdict(list)
    by_holder: dict[str | Binary, list[Certificate]] = defaultdict(list)
    for one in certificates:
        by_number[one.printed.number].append(one)
        by_holder[one.printed.id_number].append(one)
    return by_number, by_holder


def _fits(one: Certificate, line: Line, keys: Mapping[str, Binary]) -> bool:
    """Whether a certificate carries all that the line gives."""
    return (
        (not line.name or folded(line.name) == one.folded_name)
        and (not line.id_number or keys[line.id_number] == one.printed.id_number)
        and (not line.number or line.number == one.printed.number)
    )
