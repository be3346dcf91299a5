"""Cases of dynamic management: stated by whom they are about, decided by the centre, for a base on the province's request (5, 9.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated

from pydantic import BaseModel, Field

from server.backbone import service as backbone
from server.backbone.documents import PoolMember
from server.backbone.rules import PoolStatus
from server.classes import facts as class_facts
from server.classes.documents import TrainingClass
from server.institutions import qualifications
from server.institutions import service as institutions
from server.institutions.rules import QualificationAction
from server.invitations import engagements
from server.invitations.documents import Invitation
from server.kernel import policies, reasons, sequences
from server.kernel.clock import beijing_date
from server.kernel.downloads import Download
from server.kernel.errors import Conflict, FieldError, Invalid, NotFound
from server.kernel.identity import INSTITUTION_ROLES, Actor, system
from server.kernel.permissions import Permission
from server.kernel.platform import Platform
from server.kernel.policies import Policies
from server.kernel.reviewed import Pending, take
from server.kernel.reviews import CENTRE, PROVINCE
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.kernel.waiting import Waiting
from server.qualification import examination, paper, rules, store
from server.qualification.coming import Coming, coming
from server.qualification.documents import (
    Case,
    CaseFilter,
    Decision,
    EarlyWarning,
    Statement,
    WarningFilter,
)
from server.qualification.examination import Examined
from server.qualification.rules import Action, Outcome, Rule, State, Subject

LOOK_UP = system("qualification-review")
MOST_STATEMENTS = 10
LAST_DECISION = 9999
"""Of a year."""
Reason = Annotated[reasons.Reason, Field(title="依据和理由")]


class TooManyStatements(Conflict):
    slug = "too-many-statements"
    title = "陈述次数已满"
    default_detail = f"同一事项最多陈述 {MOST_STATEMENTS} 次。如仍有补充，请直接联系部指导中心。"


class StatementDraft(BaseModel):
    text: Annotated[str, Field(title="情况陈述", min_length=4, max_length=2000)]


class DecisionDraft(BaseModel):
    outcome: Annotated[Outcome, Field(title="决定")]
    effective_on: Annotated[date, Field(title="生效日期")]
    reason: Reason


class ReversalDraft(BaseModel):
    effective_on: Annotated[date, Field(title="生效日期")]
    reason: Reason


# ---- stating


@transactional
async def state_own(unit: UnitOfWork, case_id: str, draft: StatementDraft) -> Case:
    """A teacher states the own case; the same text again answers the same. Raises NotFound, CaseSettled, StatementOver."""
    return await _state(unit, await my_case(unit, unit.actor, case_id), draft.text)


@transactional
async def state_for_base(
    unit: UnitOfWork, case_id: str, draft: StatementDraft, seen: int | None = None
) -> Case:
    """An institution states the case about its qualification. Raises as `state_own`, Forbidden for one about a teacher."""
    found = await case(unit, unit.actor, case_id)
    if seen is not None:
        rules.steps_of(found.subject).require_seen(seen, found.history)
    return await _state(unit, found, draft.text)


async def _state(unit: UnitOfWork, found: Case, text: str) -> Case:
    rules.steps_of(found.subject).require_right(Action.STATE, unit.actor.roles)
    if any(one.text == text for one in found.statements):
        unit.nothing_written()
        return found
    rules.steps_of(found.subject).after(found.state, Action.STATE, unit.actor.roles)
    rules.check_statement_day(found.state_until, beijing_date(unit.now))
    if len(found.statements) >= MOST_STATEMENTS:
        raise TooManyStatements()
    said = Statement(text=text, by=unit.actor.name, at=unit.now)
    return await move(unit, found, Action.STATE, statements=[*found.statements, said])


# ---- deciding


@transactional
async def decide(unit: UnitOfWork, case_id: str, wanted: DecisionDraft, *, seen: int | None = None) -> Case:
    """The centre decides on a teacher (article 9.1) or a 师资研修中心 (article 5.1): keeps, warns or cancels from `effective_on` on.

    Raises CaseSettled, TooEarly for what burdens somebody who may still state the case, Invalid for a day that has passed, and what
    the pool or the qualification refuses (StatusNotPossible, QualificationFixed).
    """
    found = await case(unit, unit.actor, case_id)
    rules.steps_of(found.subject).after(found.state, Action.DECIDE, unit.actor.roles)
    if wanted.outcome not in (possible := rules.outcomes_of(found.subject)):
        labels = "、".join(f"“{one.label}”" for one in possible)
        raise Invalid(fields=[FieldError("outcome", f"请选择{labels}之一。")])
    today = beijing_date(unit.now)
    rules.check_heard(wanted.outcome, found.hearing, today)
    rules.check_effective(wanted.effective_on, today)
    decided = await decision(unit, wanted.outcome, wanted.effective_on, wanted.reason)
    moved = await move(
        unit,
        found,
        Action.DECIDE,
        wanted.reason,
        seen=seen,
        name=await _name(unit, found),
        decisions=[*found.decisions, decided],
    )
    if wanted.outcome is Outcome.CANCELLED:
        await _cancel(unit, moved, decided)
    _tell(unit, moved, decided)
    return moved


async def _name(unit: UnitOfWork, found: Case) -> str:
    """The paper has the name of its day, corrected or not since the case was opened."""
    if found.subject is not Subject.TEACHER:
        return await institutions.name_of(unit, found.institution_code or "")
    member = await backbone.teacher_in_pool(unit, found.subject_id)
    assert member is not None, "nobody leaves the pool"
    return member.name


async def _cancel(unit: UnitOfWork, found: Case, decided: Decision) -> None:
    if found.subject is Subject.TEACHER:
        await _set_status(unit, found, PoolStatus.CANCELLED, decided)
        return
    await qualifications.carry_out(
        unit,
        found.institution_code or "",
        found.qualification_number or 0,
        QualificationAction.WITHDRAW,
        qualifications.Decision(effective_on=decided.effective_on, reason=decided.reason),
        hearing=found.hearing,
    )


@transactional
async def reverse(unit: UnitOfWork, case_id: str, wanted: ReversalDraft, *, seen: int | None = None) -> Case:
    """The centre takes a warning or a cancellation back by a new decision; a cancelled teacher is restored from `effective_on` on.

    Raises CaseSettled, Invalid for a day that has passed, StatusNotPossible.
    """
    found = await case(unit, unit.actor, case_id)
    rules.steps_of(found.subject).after(found.state, Action.REVERSE, unit.actor.roles)
    before = found.decision
    assert before is not None, "what is decided has a decision"
    rules.check_reversal(before.outcome)
    rules.check_effective(wanted.effective_on, beijing_date(unit.now))
    decided = await decision(
        unit, Outcome.REVERSED, wanted.effective_on, wanted.reason, reverses=before.number
    )
    moved = await move(
        unit, found, Action.REVERSE, wanted.reason, seen=seen, decisions=[*found.decisions, decided]
    )
    if before.outcome is Outcome.CANCELLED:
        await _set_status(unit, moved, PoolStatus.ACTIVE, decided)
    _tell(unit, moved, decided)
    return moved


@transactional
async def dismiss(unit: UnitOfWork, case_id: str, reason: Reason, *, seen: int | None = None) -> Case:
    """Ends a case with a reason and without a decision: the province about a base, else the centre. Raises CaseSettled."""
    found = await case(unit, unit.actor, case_id)
    moved = await move(unit, found, Action.DISMISS, reason, seen=seen)
    if moved.subject is Subject.TEACHER:
        unit.notify(
            moved.subject_id,
            "qualification-decided",
            outcome="终止，保留资格",
            effective_on=beijing_date(unit.now).isoformat(),
            reason=reason,
            case_id=moved.id,
        )
    return moved


async def _set_status(unit: UnitOfWork, found: Case, status: PoolStatus, decided: Decision) -> None:
    await backbone.change_status(
        unit,
        found.subject_id,
        status,
        decided.effective_on,
        f"动态管理决定 {decided.number}：{decided.reason}",
        case_id=found.id,
        hearing=found.hearing,
    )


def _tell(unit: UnitOfWork, found: Case, decided: Decision) -> None:
    """An institution has a list of its cases instead of a phone."""
    if found.subject is not Subject.TEACHER:
        return
    unit.notify(
        found.subject_id,
        "qualification-decided",
        outcome=decided.outcome.label,
        effective_on=decided.effective_on.isoformat(),
        reason=decided.reason,
        case_id=found.id,
    )


# ---- parts of a use case, also of those about a province's request (base_requests)


async def decision(
    unit: UnitOfWork, outcome: Outcome, effective_on: date, reason: str, *, reverses: str | None = None
) -> Decision:
    """A new decision with the next number of the year."""
    year = beijing_date(unit.now).year
    order = await sequences.take(unit, f"qualification-decisions:{year}", 1, last=LAST_DECISION)
    return Decision(
        number=f"{year}-{order:04}",
        outcome=outcome,
        reason=reason,
        effective_on=effective_on,
        decided_at=unit.now,
        decided_by=unit.actor.name,
        reverses=reverses,
    )


async def move(
    unit: UnitOfWork,
    found: Case,
    action: Action,
    reason: str = "",
    *,
    seen: int | None = None,
    **changes: object,
) -> Case:
    """Takes a step of the table. Raises Forbidden, CaseSettled."""
    steps = rules.steps_of(found.subject)
    state = steps.after(found.state, action, unit.actor.roles)
    settled = {"open": state.open, "settled_on": None if state.open else beijing_date(unit.now)}
    moved = await take(unit, steps, found, action, reason, seen=seen, changes={**changes, **settled})
    unit.audit(
        f"qualification:{action.lower().replace('_', '-')}",
        found.id,
        about=found.subject_id,
        rule=found.rule.label,
        reason=reason,
    )
    return moved


# ---- reading


async def case(scope: Scope, actor: Actor, case_id: str) -> Case:
    """A case in the actor's jurisdiction. Raises NotFound."""
    found = await store.in_reach(scope, actor.jurisdiction, case_id)
    if found is None:
        raise NotFound("没有这件动态管理事项，或不在您的管理范围内。")
    return found


async def decision_paper(platform: Platform, actor: Actor, case_id: str, decision_number: str) -> Download:
    """The paper of a decision on a case in the actor's jurisdiction. Raises NotFound, paper.PaperFailed."""
    content = await paper.pdf(await case(platform, actor, case_id), decision_number)
    return Download.of(f"动态管理决定书-{decision_number}.pdf", "application/pdf", content)


async def my_case(scope: Scope, actor: Actor, case_id: str) -> Case:
    """A case about the teacher who asks. Raises NotFound."""
    found = await store.of_subject(scope, actor.person_id, case_id) if actor.reach.everywhere else None
    if found is None:
        raise NotFound("没有这件与您有关的动态管理事项。")
    return found


async def list_cases(
    platform: Platform,
    actor: Actor,
    narrowed: CaseFilter,
    *,
    todo: bool = False,
    before: str | None = None,
    limit: int = 20,
) -> list[Case]:
    """The cases in the actor's jurisdiction, newest first; `todo`: only what waits for this actor (see `pending`)."""
    today = beijing_date(platform.clock.now())
    condition = next((dict(one.condition) for one in pending(today) if todo and one.who & actor.roles), {})
    return await store.cases(platform, actor.jurisdiction, narrowed, condition, before=before, limit=limit)


async def list_warnings(
    platform: Platform, actor: Actor, narrowed: WarningFilter, *, before: str | None = None, limit: int = 20
) -> list[EarlyWarning]:
    """The warnings in the actor's jurisdiction, newest first."""
    return await store.warnings(platform, actor.jurisdiction, narrowed, before=before, limit=limit)


@dataclass(frozen=True)
class Running:
    """What is to be brought to an orderly end when a title is cancelled."""

    tasks: list[Invitation]
    """Of a teacher."""
    classes: list[TrainingClass]
    """Of an institution, by virtue of the qualification."""


async def running(platform: Platform, actor: Actor, found: Case) -> Running:
    """The running and future classes of the teacher or the institution, the first to begin first."""
    if found.subject is Subject.TEACHER:
        tasks = await engagements.unfinished_tasks(platform, found.subject_id)
        return Running(sorted(tasks, key=lambda one: one.starts_on), [])
    code, number = found.institution_code or "", found.qualification_number or 0
    _, held = await qualifications.qualification(platform, actor, code, number)
    return Running([], await class_facts.classes_under(platform, actor, code, held))


async def still_holding(platform: Platform, given: Sequence[EarlyWarning]) -> set[str]:
    """The ids of those warnings that the rules would give today too: nothing has happened since that answers them."""
    today = beijing_date(platform.clock.now())
    found = await _examined(platform, {(one.subject, one.subject_id) for one in given}, today)
    holds = {(verdict.subject, verdict.rule, verdict.key) for one in found for verdict in one.verdicts}
    return {one.id for one in given if (one.subject_id, one.rule, one.key) in holds}


async def _examined(platform: Platform, subjects: set[tuple[Subject, str]], today: date) -> list[Examined]:
    bad_years = (await policies.on(platform, today)).satisfaction_bad_years
    members = [
        member
        for subject, subject_id in subjects
        if subject is Subject.TEACHER and (member := await backbone.active_teacher(platform, subject_id))
    ]
    codes = {subject_id.partition("-")[0] for subject, subject_id in subjects if subject is Subject.BASE}
    schools = [await institutions.institution(platform, LOOK_UP, code) for code in sorted(codes)]
    return [
        *await examination.teachers(platform, members, today, bad_years=bad_years),
        *await examination.bases(platform, schools, today),
    ]


@dataclass(frozen=True)
class Standing:
    """How a teacher stands today by the rules of article 9.1, and what there was."""

    member: PoolMember
    examined: Examined
    idle_since: date
    full_on: date | None
    """The last day of the two years; None while a suspension has no end."""
    warnings: list[EarlyWarning]
    holding: set[str]
    """Ids of the warnings that hold today."""
    coming: dict[str, Coming]
    """By id of the warning: the task that answers it once it begins."""
    cases: list[Case]


async def my_standing(platform: Platform, actor: Actor) -> Standing:
    """Of the teacher who asks, whatever the status is. Raises NotFound for whoever was never registered."""
    member = await backbone.teacher_in_pool(platform, actor.person_id) if actor.reach.everywhere else None
    if member is None:
        raise NotFound("您尚未登记入骨干教师库，或本机的骨干教师身份待确认（见“我的”）。")
    today = beijing_date(platform.clock.now())
    bad_years = (await policies.on(platform, today)).satisfaction_bad_years
    [examined] = await examination.teachers(platform, [member], today, bad_years=bad_years)
    since = rules.idle_since(examined.history, today)
    given = await store.warnings_of(platform, member.id)
    holds = {(verdict.rule, verdict.key) for verdict in examined.verdicts} if member.active else set()
    return Standing(
        member,
        examined,
        since,
        rules.full_on(since, examined.history.suspensions),
        given,
        {one.id for one in given if (one.rule, one.key) in holds},
        await coming(platform, given),
        await store.cases_of(platform, member.id),
    )


async def waiting(platform: Platform, actor: Actor) -> list[Waiting]:
    """For an institution, of what it is warned: until when it has to hold a class."""
    warned = await warned_bases(platform, actor) if actor.roles & INSTITUTION_ROLES else []
    if not warned:
        return []
    since, last = min(one.given_on for one in warned), min(one.last for one in warned)
    late = beijing_date(platform.clock.now()) > last
    href = "/admin/qualification/warnings"
    return [Waiting("两年内须开展培训的预警", href, len(warned), late, since=since, due=last)]


def pending(today: date) -> tuple[Pending, ...]:
    """The cases that wait: for the centre what it decides by itself, for a province bases to apply for or to dismiss, for an institution
    what it may state. The province hears the base first, as the centre does."""
    page, reads = "/admin/qualification", Permission.QUALIFICATION_READ
    deciding = Pending(Case, CENTRE, store.to_decide(today), "待决定的动态管理事项", page, reads)
    filing = Pending(Case, PROVINCE, store.to_file(), "待处理的教师培训基地动态管理事项", page, reads)
    stating = Pending(
        Case, INSTITUTION_ROLES, store.to_state(today), "可以陈述情况的动态管理事项", page, reads, told=False
    )
    return (
        replace(deciding, dated=lambda case, in_force: (case.heard_on, _reviewed(case, in_force))),
        replace(filing, dated=lambda case, in_force: (case.opened_on, _reviewed(case, in_force))),
        replace(stating, dated=lambda case, _: (case.opened_on, case.state_until)),
    )


def _reviewed(found: Case, in_force: Policies) -> date:
    return found.heard_on + timedelta(days=in_force.review_days)


async def warned_bases(platform: Platform, actor: Actor, code: str = "") -> list[EarlyWarning]:
    """The warnings of an institution in the actor's jurisdiction (of the actor's own without a code) that hold today, newest first."""
    narrowed = WarningFilter(rule=Rule.NO_CLASS, institution_code=code)
    given = await store.warnings(platform, actor.jurisdiction, narrowed, before=None, limit=20)
    holds = await still_holding(platform, given)
    latest = {one.subject_id: one for one in reversed(given) if one.id in holds}
    return list(latest.values())


async def statements_waiting(platform: Platform, actor: Actor) -> int:
    """How many cases about the teacher who asks have no statement yet and still may."""
    return len(await to_state(platform, actor))


async def to_state(platform: Platform, actor: Actor) -> list[Case]:
    """These cases."""
    found = await store.cases_of(platform, actor.person_id) if actor.reach.everywhere else []
    today = beijing_date(platform.clock.now())
    return [one for one in found if one.state is State.OPEN and may_state(actor, one, today)]


def may_state(actor: Actor, found: Case, today: date) -> bool:
    """Whether this actor's form for a statement is shown."""
    steps = rules.steps_of(found.subject)
    mine = actor.roles & steps.may_act(Action.STATE)
    return bool(mine) and steps.has(found.state, Action.STATE) and today <= found.state_until


async def relocate(unit: UnitOfWork, person_id: str, work_unit: str, province_code: str, since: date) -> None:
    """Part of a move (moves): what is open about a teacher is overseen by the new province from now on."""
    await store.relocate(unit, person_id, work_unit, province_code, since)
