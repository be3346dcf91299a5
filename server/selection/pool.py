"""The pool as staff read it (article 9.1: 便于培训机构掌握骨干教师信息): members with their tasks and satisfaction by year.

The figures of a year are reckoned from the tasks (invitations) and the tallies (surveys). The daily work keeps them with each member,
so that the pool is searched by them on an index; the page of one teacher reckons them when it is opened. Tallies are only made of
surveys that reached their smallest group.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from server.backbone import service as backbone
from server.backbone.documents import PoolMember, StatusStep
from server.backbone.rules import YearFigures
from server.classes.rules import Kind
from server.invitations import engagements
from server.invitations.rules import DoneTask
from server.kernel.clock import beijing_date
from server.kernel.identity import Actor, Role
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope
from server.selection import store
from server.selection.documents import Decision
from server.surveys import tallies as survey_tallies
from server.surveys.rules import Tally

YEARS_KEPT = 3
AT_ONCE = 200
TASKS_SHOWN = 50


@dataclass(frozen=True)
class TeacherRecord:
    """One member as a member of staff may see them."""

    member: PoolMember
    years: list[YearFigures]
    """This one and the two before, newest first."""
    tasks: list[DoneTask]
    """Done in these years, latest first, at most 50."""
    masked_number: bool
    """Whether the masked ID number is shown: to the centre, and to the teacher's province."""
    history: list[StatusStep]
    """Empty for institutions: they see the status, not why."""
    decision: Decision | None
    """That registered the teacher, for the centre."""


def years_until(today: date) -> list[int]:
    """The years whose figures are kept, newest first."""
    return list(range(today.year, today.year - YEARS_KEPT, -1))


async def record(platform: Platform, actor: Actor, person_id: str) -> TeacherRecord:
    """One teacher of the pool, as far as the actor needs to know them. Raises NotFound."""
    member = await backbone.member_of_pool(platform, person_id)
    years = years_until(beijing_date(platform.clock.now()))
    tasks = await _tasks(platform, [person_id], years)
    figures = await _figures(platform, [person_id], years, tasks)
    centre = Role.NATIONAL_CENTRE in actor.roles
    manages = centre or (Role.PROVINCE in actor.roles and actor.province_code == member.province_code)
    decided = await store.decision(platform, member.decision_id) if centre and member.decision_id else None
    return TeacherRecord(
        member,
        figures[person_id],
        sorted(tasks, key=lambda one: one.ends_on, reverse=True)[:TASKS_SHOWN],
        masked_number=manages,
        history=member.history if manages else [],
        decision=decided,
    )


async def refresh_figures(platform: Platform) -> int:
    """The daily work: the figures of every member's years as they are now; returns how many members had others.

    Part by part through the whole pool, so that its memory does not grow; what was cut off is done by the next run.
    """
    years = years_until(beijing_date(platform.clock.now()))
    changed, after = 0, ""
    while ids := await backbone.next_ids(platform, after, AT_ONCE):
        figures = await _figures(platform, ids, years, await _tasks(platform, ids, years))
        changed += await backbone.keep_figures(platform, figures)
        after = ids[-1]
    return changed


async def _tasks(scope: Scope, ids: Sequence[str], years: Sequence[int]) -> list[DoneTask]:
    """A class over the turn of the year counts in the year in which it began, so that its end may lie in the next."""
    first, last = date(years[-1], 1, 1), date(years[0] + 1, 12, 31)
    return [one for one in await engagements.tasks_done(scope, ids, first, last) if one.year in years]


async def _figures(
    scope: Scope, ids: Sequence[str], years: Sequence[int], tasks: Sequence[DoneTask]
) -> dict[str, list[YearFigures]]:
    counts = Counter((one.teacher_id, one.year, one.kind) for one in tasks)
    tallies = await survey_tallies.tallies_of(scope, ids, years)
    return {
        teacher_id: [
            _year(
                year,
                counts[teacher_id, year, Kind.TEACHING],
                counts[teacher_id, year, Kind.ASSESSMENT],
                tallies.get((teacher_id, year)),
            )
            for year in years
        ]
        for teacher_id in ids
    }


def _year(year: int, teaching: int, assessment: int, tally: Tally | None) -> YearFigures:
    if tally is None or not tally.answers:
        return YearFigures(year=year, teaching=teaching, assessment=assessment)
    return YearFigures(
        year=year,
        teaching=teaching,
        assessment=assessment,
        mean_hundredths=int(tally.mean * 100),
        answers=tally.answers,
        meets_mark=tally.meets_mark,
    )
