"""When an institution last gave training (开展培训, article 5.3), by the rule of classes.work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from server.attendance import work as attendance
from server.classes import facts
from server.classes import work as rules
from server.classes.documents import TrainingClass
from server.institutions.rules import QualificationKind
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.unit_of_work import Scope

BASE = QualificationKind.TRAINING_BASE
"""Whose training is looked for where no other kind is named: two years without it are looked at of bases only."""


@dataclass(frozen=True)
class Training:
    """The class by which an institution last gave training, and the last day of it so far."""

    class_name: str
    last: date


async def last_training(
    scope: Scope, institution_codes: Sequence[str], kind: QualificationKind = BASE
) -> dict[str, Training]:
    """By institution; who never gave any is left out. Ask for some hundred at a time."""
    today = beijing_date(scope.platform.clock.now())
    release_days = (await policies.on(scope, today)).release_days
    found = {
        code: Training("", day)
        for code, day in (await facts.last_trained(scope, institution_codes, kind)).items()
    }
    begun = await facts.begun_and_unreleased(
        scope, institution_codes, kind, ended_from=today - timedelta(days=release_days)
    )
    for one in begun:
        last = await _until(scope, one, today, release_days)
        if last and (one.institution_code not in found or last > found[one.institution_code].last):
            found[one.institution_code] = Training(one.name, last)
    return found


async def _until(scope: Scope, one: TrainingClass, today: date, release_days: int) -> date | None:
    days = await attendance.trained_days(scope, one.id) if one.ends_on < today else None
    return rules.trained_until(
        one.starts_on,
        one.ends_on,
        released=False,
        trained_to=days[1] if days else None,
        today=today,
        release_days=release_days,
    )


async def in_words(scope: Scope, institution_code: str, kind: QualificationKind = BASE) -> str:
    """For the facts of a case."""
    latest = (await last_training(scope, [institution_code], kind)).get(institution_code)
    if latest is None:
        return "没有开展过培训（有人参加、已上课并公布成绩的班才算）"
    name = latest.class_name or await facts.name_of_trained(scope, institution_code, kind, latest.last)
    return f"“{name}”，最后一次课 {latest.last}"
