"""Results of a class: reckoned at any time, frozen by the release, reported (articles 4.6, 13, 16, 23).

Tasks, submissions and grading have modules of their own beside this one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property

from server.admissions import places
from server.assessment import rules, store
from server.assessment.documents import (
    EarlierResult,
    Grade,
    LatestVersion,
    PersonTask,
    Result,
    ResultMark,
    ResultPolicy,
    Task,
    is_graded,
)
from server.assessment.grade_sheet import grade_sheet
from server.assessment.rules import AssessmentPolicy, Outcome, TaskKind, Verdict, Work
from server.assessment.table import Cell, CellState, Only, ResultRow, decided
from server.attendance import service as attendance
from server.attendance import work
from server.attendance.hours import ClassHours
from server.classes import service as classes
from server.classes.documents import Enrolment, TrainingClass
from server.classes.rules import Kind, Stage
from server.invitations import engagements
from server.kernel import policies
from server.kernel.clock import BEIJING, beijing_date
from server.kernel.downloads import Download
from server.kernel.errors import Conflict
from server.kernel.identity import Actor
from server.kernel.life import LifeStep, State
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.kernel.spreadsheets import XLSX
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional


class ResultsNotReady(Conflict):
    slug = "results-not-ready"
    title = "成绩还不能公布"


class ResultsNotReleased(Conflict):
    slug = "results-not-released"
    title = "成绩尚未公布"
    default_detail = "本班成绩待评定，尚未公布，公布后会通知您。"


@dataclass(frozen=True)
class Standing:
    """Where one trainee stands."""

    trainee: Enrolment
    marks: list[ResultMark]
    hours_attended: int
    outcome: Outcome
    ungraded: list[Task]
    """Handed in, but the newest version is not graded."""
    missing: list[Task]
    """Neither handed in nor graded: counts as 0 once its deadline has passed."""


@dataclass(frozen=True)
class ClassAssessment:
    """The assessment of a class as it stands at `now`, trainees in the order of the roster."""

    training_class: TrainingClass
    tasks: list[Task]
    policy: AssessmentPolicy
    hours: ClassHours
    standings: list[Standing]
    now: datetime

    @property
    def ungraded(self) -> list[tuple[Standing, Task]]:
        return [(one, task) for one in self.standings for task in one.ungraded]

    @property
    def early(self) -> int:
        """How many of those that are not graded are for tasks whose day has not come: nobody is late with them."""
        last_day = self.training_class.ends_on
        return sum(
            not rules.grading_is_late(task.deadline, last_day, self.now, 0) for _, task in self.ungraded
        )

    @property
    def missing(self) -> list[tuple[Standing, Task]]:
        """What was due and has not come: it counts as 0."""
        return [pair for pair in self._not_there if not rules.is_open(pair[1].deadline, self.now)]

    @property
    def awaited(self) -> list[tuple[Standing, Task]]:
        """What has not come and may still come in time."""
        return [pair for pair in self._not_there if rules.is_open(pair[1].deadline, self.now)]

    @property
    def _not_there(self) -> list[tuple[Standing, Task]]:
        return [(one, task) for one in self.standings for task in one.missing]

    @property
    def due(self) -> bool:
        """Whether all that the class owed has been held, and all work is in or late: before that nobody has failed."""
        return self.hours.complete and not self.awaited

    def verdict_of(self, standing: Standing) -> Verdict:
        return rules.verdict(standing.outcome, due=self.due and not standing.ungraded)

    @property
    def obstacles(self) -> list[str]:
        """Why the results cannot be released yet, in Chinese; empty when they can."""
        found = []
        if not self.standings:
            found.append("本班名册中还没有学员。")
        kinds = {task.kind for task in self.tasks}
        found += [
            f"还没有设置{kind.label}任务。" for kind in rules.kinds_needed(self.policy) if kind not in kinds
        ]
        if self.policy.attendance_needed and not self.hours.held:
            found.append("还没有上过课（已结束并有人签到的课次），无法核算出勤。")
        found += rules.hours_obstacles(
            held=self.hours.held,
            owed=self.hours.owed,
            unfinished=self.hours.unfinished,
            empty=self.hours.empty,
        )
        for task in self.tasks:
            if count := sum(one is task for _, one in self.awaited):
                found.append(
                    f"《{task.title}》{task.deadline.astimezone(BEIJING):%Y-%m-%d\u00a0%H:%M} 截止，"
                    f"还有 {count} 人没有提交。"
                )
        if self.ungraded:
            early = f"（其中 {self.early} 份未到截止）" if self.early else ""
            found.append(f"有 {len(self.ungraded)} 份提交待批阅{early}：{_named(self.ungraded)}。")
        return found


def _named(pairs: list[tuple[Standing, Task]]) -> str:
    return rules.listed([f"{one.trainee.name}《{task.title}》" for one, task in pairs])


def _row(assessment: ClassAssessment, one: Standing) -> ResultRow:
    cells = [Cell(mark, _state(assessment, one, mark)) for mark in one.marks]
    trainee, outcome, verdict = one.trainee, one.outcome, assessment.verdict_of(one)
    return ResultRow(
        trainee.person_id, trainee.name, trainee.id_number_masked, trainee.work_unit,
        cells,
        outcome.formative if decided(cells, TaskKind.FORMATIVE) else None,
        outcome.summative if decided(cells, TaskKind.SUMMATIVE) else None,
        None if verdict is Verdict.PENDING else outcome.total,
        one.hours_attended, assessment.hours.owed,
        verdict, outcome.reason if verdict is Verdict.FAILED else "",
    )  # fmt: skip


def _state(assessment: ClassAssessment, one: Standing, mark: ResultMark) -> CellState:
    if mark.points is not None:
        return CellState.GRADED
    if any(task.id == mark.task_id for task in one.ungraded):
        return CellState.WAITING
    open_ = any(
        task.id == mark.task_id and rules.is_open(task.deadline, assessment.now) for task in one.missing
    )
    return CellState.OPEN if open_ else CellState.MISSING


@dataclass(frozen=True)
class ClassResults:
    """A class with its frozen results or, until the release, its assessment as it stands."""

    training_class: TrainingClass
    assessment: ClassAssessment | None
    """None once the results are released."""
    released: list[Result]

    @cached_property
    def rows(self) -> list[ResultRow]:
        if self.assessment is None:
            return [ResultRow.frozen(one) for one in self.released]
        return [_row(self.assessment, one) for one in self.assessment.standings]

    @property
    def columns(self) -> list[ResultMark]:
        """The tasks, as the marks of anybody name them."""
        return [cell.mark for cell in self.rows[0].cells] if self.rows else []

    @property
    def policy(self) -> AssessmentPolicy | ResultPolicy:
        return self.released[0].policy if self.assessment is None else self.assessment.policy


async def class_results(platform: Platform, actor: Actor, class_id: str) -> ClassResults:
    """For staff. Raises NotFound outside their jurisdiction."""
    training_class = await classes.get_class(platform, actor, class_id)
    if training_class.results_released_at is not None:
        return ClassResults(training_class, None, await store.results(platform, class_id))
    return ClassResults(training_class, await _assess(platform, training_class), [])


async def _assess(scope: Scope, training_class: TrainingClass) -> ClassAssessment:
    in_force = await policies.on(scope, training_class.starts_on)
    policy = AssessmentPolicy(
        formative_weight=in_force.formative_weight,
        pass_mark=in_force.pass_mark,
        attendance_needed=in_force.attendance_needed,
    )
    tasks = await store.tasks(scope, training_class.id)
    latest = await store.latest_of_class(scope, training_class.id)
    grades = await store.grades_of_class(scope, training_class.id)
    hours = await attendance.hours_of_class(scope, training_class)
    standings = [
        _standing(
            one,
            tasks,
            latest,
            grades,
            hours,
            policy,
        )
        for one in await classes.trainees(scope, training_class.id)
    ]
    return ClassAssessment(training_class, tasks, policy, hours, standings, scope.platform.clock.now())


def _standing(
    trainee: Enrolment,
    tasks: list[Task],
    latest: dict[PersonTask, LatestVersion],
    grades: dict[PersonTask, Grade],
    hours: ClassHours,
    policy: AssessmentPolicy,
) -> Standing:
    marks: list[ResultMark] = []
    ungraded: list[Task] = []
    missing: list[Task] = []
    for task in tasks:
        key = (trainee.person_id, task.id)
        version, grade = latest.get(key), grades.get(key)
        graded = is_graded(version, grade)
        if not graded:
            (ungraded if version else missing).append(task)
        marks.append(
            ResultMark(
                task_id=task.id,
                title=task.title,
                kind=task.kind,
                points=grade.current.points if grade and graded else None,
                maximum=task.maximum,
            )
        )
    works = [Work(kind=mark.kind, maximum=mark.maximum, points=mark.points or 0) for mark in marks]
    attended = hours.attended.get(trainee.person_id, 0)
    outcome = rules.outcome(works, hours_attended=attended, hours_total=hours.owed, policy=policy)
    return Standing(trainee, marks, attended, outcome, ungraded, missing)


@transactional
async def release(unit: UnitOfWork, class_id: str) -> list[Result]:
    """Freezes a class with its results, tells its trainees, and closes the applications that still wait for a place.

    Raises ResultsReleased the second time, ResultsNotReady with every obstacle, names included. Nothing of the class can change in
    between or afterwards: whatever does and this write the class in their transaction (classes.exclude_release). A check-in, which is
    outside transactions, ends with its session, and that has ended a minute ago.
    """
    training_class = await classes.get_class(unit, unit.actor, class_id)
    await classes.release_results(unit, class_id)
    assessment = await _assess(unit, training_class)
    if assessment.obstacles:
        raise ResultsNotReady("".join(assessment.obstacles))
    results = [_frozen(unit, assessment, standing) for standing in assessment.standings]
    await store.insert_results(unit, results)
    await classes.note_training(unit, class_id, await work.trained_days(unit, class_id))
    await work.follow_timetable(unit, class_id)  # who taught an empty room has taught nothing
    await engagements.close(unit, class_id)
    for one in results:
        unit.notify(one.person_id, "results-released", class_name=training_class.name, class_id=class_id)
    closed = await places.close_all(unit, class_id, "培训已经结束，成绩已公布。")
    unit.audit(
        "assessment:release",
        class_id,
        results=len(results),
        passed=sum(one.passed for one in results),
        missing=len(assessment.missing),
        hours_held=assessment.hours.held,
        applications_closed=closed,
    )
    return results


async def withdraw_release(unit: UnitOfWork, training_class: TrainingClass) -> list[Result]:
    """Part of an approval (reopenings): the class is as it was before its release, and what was released is kept as history."""
    results = await store.results(unit, training_class.id)
    await classes.reopen_results(unit, training_class.id)
    await classes.note_training(unit, training_class.id, None)
    await engagements.reopen(unit, training_class.id)
    await store.keep_earlier(unit, results, unit.now)
    return results


async def earlier_results(platform: Platform, class_id: str) -> list[EarlierResult]:
    """What had been released of a class that the caller has fetched already, before it was opened again; latest first."""
    return await store.earlier_results(platform, class_id)


def _frozen(unit: UnitOfWork, assessment: ClassAssessment, standing: Standing) -> Result:
    trainee, outcome, policy = standing.trainee, standing.outcome, assessment.policy
    return Result(
        class_id=trainee.class_id,
        institution_code=trainee.institution_code,
        province_code=trainee.province_code,
        person_id=trainee.person_id,
        name=trainee.name,
        id_number_masked=trainee.id_number_masked,
        work_unit=trainee.work_unit,
        marks=standing.marks,
        formative_tenths=outcome.formative,
        summative_tenths=outcome.summative,
        total_tenths=outcome.total,
        hours_attended=standing.hours_attended,
        hours_total=assessment.hours.owed,
        attendance_ok=outcome.attendance_ok,
        passed=outcome.passed,
        reason=outcome.reason,
        policy=ResultPolicy(
            formative_weight=policy.formative_weight,
            pass_mark=policy.pass_mark,
            attendance_needed=policy.attendance_needed,
        ),
        released_at=unit.now,
        released_by=unit.actor.name,
    )


async def released_results(scope: Scope, class_id: str) -> dict[str, Result]:
    """Person → frozen result of a class that the caller has fetched already; empty when the results are not released."""
    return {one.person_id: one for one in await store.results(scope, class_id)}


async def result_rows(scope: Scope, class_id: str) -> dict[str, Row]:
    """The same as it is stored, for whoever seals or checks it."""
    return {str(row.get("person_id")): row for row in await store.result_rows(scope, class_id)}


async def my_result(platform: Platform, actor: Actor, class_id: str) -> Result:
    """The actor's own result. Raises NotFound, ResultsNotReleased."""
    await classes.attended_class(platform, actor, class_id)
    result = await store.result(platform, class_id, actor.person_id)
    if result is None:
        raise ResultsNotReleased()
    return result


async def export_results(
    platform: Platform, actor: Actor, class_id: str, only: Only | None = None
) -> Download:
    """The grade sheet of a class in a staff actor's jurisdiction (培训成绩报送, article 23); before the release it says so.

    Raises NotFound.
    """
    seen = await class_results(platform, actor, class_id)
    training_class = seen.training_class
    rows = [row for row in seen.rows if row.is_among(only)]
    content = await asyncio.to_thread(grade_sheet, training_class, seen.columns, rows, seen.policy)
    title = "成绩单" if training_class.results_released_at else "成绩（未公布）"
    return Download.of(f"{training_class.name}{title}.xlsx", XLSX, content)


async def count_passed(scope: Scope, class_ids: Sequence[str]) -> dict[str, int]:
    """By class id how many have passed by released results."""
    return await store.count_passed(scope, class_ids)


async def passed_with_hours(scope: Scope, class_ids: Sequence[str]) -> dict[str, set[str]]:
    """By class id who has passed by released results."""
    return await store.passed_with_hours(scope, class_ids)


async def releasable(scope: Scope, found: Sequence[TrainingClass]) -> set[str]:
    """Ids of those whose results may be released now, of classes that the caller has fetched already. One after the other: the caller
    gives the few whose sessions are over and whose days are not."""
    return {one.id for one in found if not (await _assess(scope, one)).obstacles}


async def with_tasks(scope: Scope, class_ids: Sequence[str]) -> set[str]:
    """Those of these classes in which there is anything to be assessed by."""
    return {row["class_id"] for row in await store.tasks_of_classes(scope, class_ids)}


@dataclass(frozen=True)
class Ungraded:
    """Works of a class that wait for a grade."""

    number: int = 0
    """Of tasks whose day has come, and was so many days ago."""
    since: date = date.max
    """Since when the first of these waits."""
    early: int = 0
    """Of other tasks."""


async def ungraded(
    scope: Scope, found: Sequence[TrainingClass], people: Mapping[str, Collection[str]], days: int = 0
) -> dict[str, Ungraded]:
    """By class id what of its people (id → who) is not graded: apart what is of tasks whose day has come, and was `days` ago. Of classes
    that the caller has fetched already; one of which everything is graded is left out."""
    now, last_days = scope.platform.clock.now(), {one.id: one.ends_on for one in found}
    rows = await store.tasks_of_classes(scope, list(last_days)) if last_days else []
    tasks = {row["_id"]: (row["class_id"], row["deadline"]) for row in rows}
    waiting: dict[str, Ungraded] = {}
    for task_id, person_id in await store.ungraded(scope, list(last_days), list(tasks)) if tasks else ():
        class_id, deadline = tasks[task_id]
        if person_id not in people.get(class_id, ()):
            continue
        before = waiting.get(class_id, Ungraded())
        if rules.grading_is_late(deadline, last_days[class_id], now, days):
            at = beijing_date(rules.grading_from(deadline, last_days[class_id]))
            waiting[class_id] = Ungraded(before.number + 1, min(before.since, at), before.early)
        else:
            waiting[class_id] = replace(before, early=before.early + 1)
    return waiting


async def life(platform: Platform, actor: Actor, training_class: TrainingClass) -> list[LifeStep]:
    """考核, from the first task to the release, and 成绩, once it is released (article 4.6)."""
    home = f"/admin/classes/{training_class.id}"
    tasks = await store.tasks(platform, training_class.id)
    results = await store.results(platform, training_class.id)
    released_at = training_class.results_released_at
    stage = training_class.stage_on(beijing_date(platform.clock.now()))
    begun: State = (
        "done" if released_at else "current" if tasks and stage is not Stage.NOT_STARTED else "todo"
    )
    over = stage is Stage.FINISHED
    waits: State = "current" if over and tasks else "todo"
    passed = sum(1 for one in results if one.passed)
    return [
        LifeStep(
            "考核",
            begun,
            tasks[0].created_by if tasks else "",
            tasks[0].created_at if tasks else None,
            f"{home}/tasks",
            f"{len(tasks)} 项任务" if tasks else "",
        ),
        LifeStep(
            "成绩",
            "done" if released_at else waits,
            results[0].released_by if results else "",
            released_at,
            f"{home}/results",
            f"合格 {passed} / {len(results)} 人" if results else "",
        ),
    ]


async def tasks_waiting(platform: Platform, actor: Actor) -> int:
    """How many tasks of the actor's latest classes can still be handed in on time and have not been."""
    now = platform.clock.now()
    waiting = 0
    for training_class in (await classes.my_classes(platform, actor))[0]:
        if training_class.results_released_at is None:
            due = [one.id for one in await store.tasks(platform, training_class.id) if now <= one.deadline]
            waiting += len(due) - len(await store.latest_of_person(platform, due, actor.person_id))
    return waiting


async def grades_waiting(platform: Platform, actor: Actor) -> tuple[int, int]:
    """How many submissions in the classes that the actor assesses wait for a grade, and of how many of them the day has not come."""
    mine = [
        one
        for one in await classes.my_teaching(platform, actor)
        if Kind.ASSESSMENT in one.kinds_of(actor.person_id) and not one.frozen
    ]
    people = await classes.enrolled_of(platform, [one.id for one in mine])
    found = (await ungraded(platform, mine, people)).values()
    return sum(one.number + one.early for one in found), sum(one.early for one in found)
