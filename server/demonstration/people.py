"""Who of a demonstration has a phone that a visitor can hold, by name and by class."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from server.accounts import binding_store, people
from server.backbone import service as backbone
from server.classes import service as classes
from server.classes.documents import ClassFilter
from server.classes.rules import Stage
from server.demonstration.moments import LOOKER
from server.kernel.platform import Platform

TEACHER, TRAINEE = "骨干教师", "参训教师"
CLASSES_SHOWN = 20


@dataclass(frozen=True)
class Holder:
    openid: str
    name: str
    part: str


@dataclass(frozen=True)
class Company:
    """The people of one class; `note` says where it stands."""

    title: str
    note: str
    holders: list[Holder]
    running: bool = False


async def companies(platform: Platform) -> list[Company]:
    """Everybody whose phone is bound: the newest classes first, after them who is in the pool and teaches none of these."""
    found = []
    teaching: set[str] = set()
    for row in await classes.list_classes(platform, LOOKER, ClassFilter(), limit=CLASSES_SHOWN):
        listed = [(one.person_id, one.name, TEACHER) for one in row.item.teachers]
        teaching |= {person_id for person_id, *_ in listed}
        listed += [
            (one.person_id, one.name, TRAINEE) for one in await classes.trainees(platform, row.item.id)
        ]
        holders = await _with_phones(platform, listed)
        found.append(Company(row.item.name, row.standing.label, holders, row.stage is Stage.ONGOING))
    pool = [one for one in await backbone.list_pool(platform, LOOKER) if one.id not in teaching]
    others = await _with_phones(platform, [(one.id, one.name, TEACHER) for one in pool])
    return [one for one in (*found, Company("其他骨干教师", "暂无培训班", others)) if one.holders]


async def name_of(platform: Platform, openid: str) -> str:
    """Whose phone it is; empty of one that is bound to nobody shown here."""
    holders = (one for company in await companies(platform) for one in company.holders)
    return next((one.name for one in holders if one.openid == openid), "")


async def _with_phones(platform: Platform, listed: Iterable[tuple[str, str, str]]) -> list[Holder]:
    names = {person_id: (name, part) for person_id, name, part in listed}
    bound = await binding_store.of_persons(platform, list(names))
    called = await people.called(platform, {one: name for one, (name, _) in names.items()})
    return [Holder(bound[one].openid, called[one], part) for one, (_, part) in names.items() if one in bound]
