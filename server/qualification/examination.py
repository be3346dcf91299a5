"""What the rules find about teachers and bases today: their histories, read off indexes for a batch at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from server.backbone.documents import PoolMember
from server.institutions.documents import Institution, QualificationVersion
from server.institutions.rules import Qualification, QualificationKind, QualificationStatus
from server.invitations import engagements
from server.kernel.clock import beijing_date
from server.kernel.unit_of_work import Scope
from server.qualification import rules, store, training
from server.qualification.rules import History, Rule, Score, Span, Subject, Verdict
from server.qualification.store import Earlier
from server.surveys import tallies as survey_tallies


@dataclass(frozen=True)
class Examined:
    """A subject, what the rules read of it and what they find."""

    subject: Subject
    subject_id: str
    name: str
    unit_name: str
    province_code: str
    institution_code: str | None
    qualification_number: int | None
    history: History
    verdicts: list[Verdict]
    earlier: list[Earlier]


async def teachers(
    scope: Scope, members: Sequence[PoolMember], today: date, *, bad_years: int
) -> list[Examined]:
    """By article 9.1; some hundred members at a time."""
    if not members:
        return []
    ids = [member.id for member in members]
    first_year = min(beijing_date(member.registered_at).year for member in members)
    earlier, last_days, scores = await asyncio.gather(
        store.earlier_cases(scope, ids),
        engagements.last_days(scope, ids),
        _scores(scope, ids, first_year, rules.last_judged_year(today)),
    )
    found = []
    for member in members:
        before = earlier.get(member.id, [])
        worked = last_days.get(member.id)
        history = History(
            subject=member.id,
            since=beijing_date(member.registered_at),
            active=[Span(worked, worked)] if worked else [],
            suspensions=rules.away(member.history),
            satisfaction=scores.get(member.id, {}),
            settled_on=_settled_on(before, Rule.NO_TASK),
            settled_year=_settled_year(before),
        )
        verdicts = rules.review_teacher(history, today, bad_years=bad_years)
        found.append(
            Examined(
                Subject.TEACHER,
                member.id,
                member.name,
                member.work_unit,
                member.province_code,
                None,
                None,
                history,
                verdicts,
                before,
            )
        )
    return found


async def _scores(
    scope: Scope, teacher_ids: Sequence[str], first_year: int, judged: int
) -> dict[str, dict[int, Score]]:
    """By teacher and year. Of whoever met the mark in the newest judged year no other is read: it would decide nothing."""
    newest = await survey_tallies.tallies_of(scope, teacher_ids, [judged])
    met = {teacher_id for (teacher_id, _), tally in newest.items() if tally.answers and tally.meets_mark}
    others = [teacher_id for teacher_id in teacher_ids if teacher_id not in met]
    older = await survey_tallies.tallies_of(scope, others, range(first_year, judged)) if others else {}
    scores: dict[str, dict[int, Score]] = {}
    for (teacher_id, year), tally in (newest | older).items():
        scores.setdefault(teacher_id, {})[year] = Score(tally.points, tally.answers)
    return scores


async def bases(scope: Scope, schools: Sequence[Institution], today: date) -> list[Examined]:
    """By article 5.3, each 教师培训基地 qualification in force; some hundred institutions at a time."""
    held = [
        (school, number, one) for school in schools for number, one in _base_qualifications(school, today)
    ]
    if not held:
        return []
    earlier, last_days = await asyncio.gather(
        store.earlier_cases(scope, [base_id(school.id, number) for school, number, _ in held]),
        training.last_training(scope, sorted({school.id for school, _, _ in held})),
    )
    found = []
    for school, number, one in held:
        subject_id = base_id(school.id, number)
        before = earlier.get(subject_id, [])
        trained = last_days.get(school.id)
        history = History(
            subject=subject_id,
            since=one.valid_from,
            active=[Span(trained.last, trained.last)] if trained else [],
            suspensions=_suspensions(school.versions_of(number)),
            settled_on=_settled_on(before, Rule.NO_CLASS),
        )
        found.append(
            Examined(
                Subject.BASE,
                subject_id,
                school.name,
                "",
                school.province_code,
                school.id,
                number,
                history,
                rules.review_base(history, today),
                before,
            )
        )
    return found


def base_id(code: str, number: int) -> str:
    """The subject of a base: its institution's code and the number of its qualification."""
    return f"{code}-{number}"


def _base_qualifications(school: Institution, today: date) -> Iterable[tuple[int, Qualification]]:
    for number, held in enumerate(school.qualifications, start=1):
        withdrawn = held.status is QualificationStatus.WITHDRAWN
        ended = held.valid_to is not None and held.valid_to < today
        if held.kind is QualificationKind.TRAINING_BASE and not withdrawn and not ended:
            yield number, held


def _suspensions(versions: Sequence[QualificationVersion]) -> list[Span]:
    """When a qualification was suspended, by its versions: each suspension until what the next version begins with."""
    found: list[Span] = []
    for version, following in zip(versions, [*versions[1:], None], strict=False):
        if version.after.status is QualificationStatus.SUSPENDED:
            first = version.after.status_since or version.effective_on
            found.append(Span(first, following.effective_on - date.resolution if following else None))
    return found


def _settled_on(earlier: Iterable[Earlier], rule: Rule) -> date | None:
    return max((one.settled_on for one in earlier if one.rule is rule and one.settled_on), default=None)


def _settled_year(earlier: Iterable[Earlier]) -> int | None:
    years = (one.last.year for one in earlier if one.rule is Rule.LOW_SATISFACTION and not one.open)
    return max(years, default=None)
