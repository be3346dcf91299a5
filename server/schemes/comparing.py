"""A version of a scheme beside another, for staff."""

from __future__ import annotations

from dataclasses import dataclass

from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.kernel.errors import NotFound
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.schemes import making, store
from server.schemes.content import SessionRow
from server.schemes.difference import Change, difference
from server.schemes.documents import SchemeVersion


@dataclass(frozen=True)
class ComparedVersion:
    """One version, and what it changes in another."""

    training_class: TrainingClass
    shown: SchemeVersion
    against: SchemeVersion | None
    changes: list[Change]
    others: list[SchemeVersion]
    present: list[SessionRow] | None = None
    """The timetable as it stands, where this version is in force and the class no longer keeps to its times."""


async def compared_version(
    platform: Platform, actor: Actor, class_id: str, number: int, against: int | None = None
) -> ComparedVersion:
    """A version for staff beside another: the one given, else the one before it. Raises NotFound."""
    training_class = await classes.get_class(platform, actor, class_id)
    called = await classes.teachers_called(platform, training_class)
    versions = {one.version: one.naming(called) for one in await store.versions(platform, class_id)}
    if number not in versions:
        raise NotFound("本班的培训方案没有这一版。")
    shown = versions.pop(number)
    other = versions.get(number - 1 if against is None else against)
    changes = difference(other.content if other else None, shown.content)
    in_force = number == training_class.scheme_version
    present = await making.present_timetable(platform, shown) if in_force else None
    return ComparedVersion(training_class, shown, other, changes, list(versions.values()), present)
