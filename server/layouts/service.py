"""How the paper of a certificate looks: versions by level, set by the centre, in force from a day (article 17.3).

A version is never changed. One that has not taken effect can be taken back; from its first day on it stays for ever, for certificates
were issued in it, and a newer one supersedes it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field

from server.institutions.rules import Level
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, FieldError, Invalid, NotFound
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reasons import Reason
from server.kernel.seen import require as require_seen
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.layouts import rules, store
from server.layouts.documents import Layout, Printer, Style


class LayoutInForce(Conflict):
    slug = "layout-in-force"
    title = "样式已经生效"
    default_detail = "样式生效后不能撤回：已有证书按它核发。需要改动的，请另定新的版本。"


class NewLayout(BaseModel):
    style: Style
    effective_from: Annotated[date, Field(title="生效日期")]
    reason: Reason


class Offset(BaseModel):
    """Of a printer, in millimetres."""

    right: Annotated[float, Field(ge=-10, le=10, title="右移（毫米）")] = 0
    down: Annotated[float, Field(ge=-10, le=10, title="下移（毫米）")] = 0


@dataclass(frozen=True)
class LevelLayouts:
    """What the page of a level shows."""

    level: Level
    versions: list[Layout]
    """The newest first."""
    day: date

    @property
    def in_force(self) -> Layout | None:
        """None while the program's own is used."""
        return rules.in_force(self.versions, self.day)

    @property
    def newest(self) -> Layout | None:
        return self.versions[0] if self.versions else None

    @property
    def style(self) -> Style:
        """What a new version begins with."""
        return self.newest.style if self.newest else Style()

    def coming(self, layout: Layout) -> bool:
        return layout.effective_from > self.day


async def in_force(scope: Scope, level: Level, on: date) -> Layout | None:
    """In which certificates of this level are issued on that day; None for the one that the program brings."""
    return rules.in_force(await store.of_level(scope, level), on)


async def of_ids(scope: Scope, ids: Collection[str]) -> dict[str, Layout]:
    """By id: in which certificates were issued."""
    return {one.id: one for one in await store.by_ids(scope, ids)} if ids else {}


async def overview(scope: Scope) -> list[LevelLayouts]:
    """Every level with its versions."""
    found = await store.every(scope)
    today = beijing_date(scope.platform.clock.now())
    return [LevelLayouts(level, [one for one in found if one.level is level], today) for level in Level]


async def of_level(scope: Scope, level: Level) -> LevelLayouts:
    today = beijing_date(scope.platform.clock.now())
    return LevelLayouts(level, await store.of_level(scope, level), today)


@transactional
async def add(unit: UnitOfWork, level: Level, wanted: NewLayout, seen: str = "") -> Layout:
    """A new version from tomorrow or a later day on: what is issued today may be drawn already.

    Raises Invalid for an earlier day, ChangedMeanwhile when another version came since the page was read.
    """
    if wanted.effective_from <= beijing_date(unit.now):
        raise Invalid(
            fields=[FieldError("effective_from", "生效日期最早为明天：今天的证书可能正在按现行样式核发。")]
        )
    versions = await store.of_level(unit, level)
    newest = versions[0] if versions else None
    await require_seen(unit, newest, seen, wanted, subject=level.value, what="这一级别的证书样式")
    layout = Layout(
        level=level,
        version=1 if newest is None else newest.version + 1,
        style=wanted.style,
        effective_from=wanted.effective_from,
        reason=wanted.reason,
        set_by=unit.actor.name,
        set_at=unit.now,
    )
    await store.insert(unit, layout)
    unit.audit(
        "layouts:add",
        level.value,
        version=layout.version,
        effective_from=layout.effective_from.isoformat(),
        reason=layout.reason,
    )
    return layout


@transactional
async def take_back(unit: UnitOfWork, level: Level, version: int) -> Layout:
    """Before its first day a version can be taken back. Raises NotFound, LayoutInForce."""
    layout = next((one for one in await store.of_level(unit, level) if one.version == version), None)
    if layout is None:
        raise NotFound("没有这一版样式，可能已被撤回。")
    if layout.effective_from <= beijing_date(unit.now):
        raise LayoutInForce()
    await store.remove(unit, layout.id)
    unit.audit("layouts:take-back", level.value, version=version)
    return layout


async def printer(platform: Platform, actor: Actor) -> Printer | None:
    """Of the actor's own institution."""
    return await store.printer(platform, actor.institution_code) if actor.institution_code else None


@transactional
async def set_printer(unit: UnitOfWork, offset: Offset, seen: str = "") -> Printer:
    """How far the institution's printer is off. Raises NotFound for who is of no institution, ChangedMeanwhile."""
    if not unit.actor.institution_code:
        raise NotFound("只有培训机构校准自己的打印机。")
    was = await store.printer(unit, unit.actor.institution_code)
    await require_seen(unit, was, seen, offset, subject=unit.actor.institution_code, what="套打校准")
    kept = Printer(
        id=unit.actor.institution_code,
        right=offset.right,
        down=offset.down,
        set_by=unit.actor.name,
        set_at=unit.now,
    )
    await store.save_printer(unit, kept)
    unit.audit("layouts:set-printer", kept.id, right=offset.right, down=offset.down)
    return kept
