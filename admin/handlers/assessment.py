"""Assessment of a class: its tasks, who handed in what, and the results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from admin.downloads import download, file_of
from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.lists import EXPORT_RATE, Filter, Query, named
from admin.moments import BeijingMoment, as_typed
from admin.steps import Done, shows, step
from server.assessment import remarks, service, submissions, tasks
from server.assessment.documents import Task
from server.assessment.rules import CRITERIA_MOST, POINTS_MOST, TaskKind
from server.assessment.submissions import TraineeRecord
from server.assessment.table import Only, ResultRow
from server.assessment.tasks import DeadlineExtension, TaskDraft
from server.attendance import service as attendance
from server.classes import service as classes
from server.kernel.downloads import Download
from server.kernel.errors import FieldError, Invalid, Problem
from server.kernel.permissions import Permission, holds
from server.kernel.seen import Saving
from server.kernel.web import Route, allow, field_errors
from server.reopenings import service as reopenings
from server.reopenings.service import Asked
from server.surveys import service as surveys

SPARE_ROWS = 2
"""Empty rows of the criteria editor, for who has no JavaScript."""
KINDS = named(TaskKind)
TITLES = {"title": "名称", "kind": "类型", "deadline": "截止时间", "instructions": "要求"}
COLUMNS = {"title": "名称", "points": "分值"}
BANDS = (("60 以下", 0, 60), ("60–69", 60, 70), ("70–79", 70, 80), ("80–89", 80, 90), ("90 以上", 90, 101))


class TaskForm(TaskDraft):
    deadline: BeijingMoment


class ExtensionForm(DeadlineExtension):
    deadline: BeijingMoment


class VersionQuery(BaseModel):
    version: Annotated[int | None, Field(ge=1)] = None


# ---- tasks


class ClassTasks(PageHandler):
    @allow(Permission.ASSESSMENT_READ)
    async def get(self, class_id: str) -> None:
        work = await submissions.class_work(self.platform, self.actor, class_id)
        self.render_page(
            "assessment/tasks.html",
            training_class=work.training_class,
            work=work,
        )


class TaskEditor(PageHandler):
    """The form of a task, new or not yet used."""

    address = "/admin/classes/{class_id}/tasks"
    get = shows(Permission.ASSESSMENT_MANAGE)

    async def show(self, class_id: str, task_id: str | None = None, outcome: Outcome = NO_ERRORS) -> None:
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        task = None
        if task_id:
            task, _ = await tasks.task_in_reach(self.platform, self.actor, class_id, task_id)
        problem = outcome["problem"]
        if problem is None:
            outcome = outcome | {"values": values_of(task)}
            rows = [] if task is None else [one.model_dump() for one in task.criteria]
        else:
            rows = self.typed_rows()
        self.render_page(
            "assessment/task_form.html",
            training_class=training_class,
            task=task,
            rows=rows,
            row_errors=row_errors(problem),
            spare_rows=min(max(SPARE_ROWS, 4 - len(rows)), CRITERIA_MOST - len(rows)),
            kinds=KINDS,
            points_most=POINTS_MOST,
            criteria_most=CRITERIA_MOST,
            **outcome,
        )

    def draft(self) -> TaskForm:
        """The posted form. Raises Invalid with each field's place; a row's is `criteria.0.title`."""
        values: dict[str, Any] = {
            name: typed for name in TITLES if (typed := self.get_body_argument(name, ""))
        }
        try:
            return TaskForm.model_validate(values | {"criteria": self.typed_rows()})
        except ValidationError as error:
            raise Invalid(fields=[in_words(wrong) for wrong in field_errors(error)]) from None

    def typed_rows(self) -> list[dict[str, str]]:
        return self.rows("criterion", tuple(COLUMNS))


def values_of(task: Task | None) -> dict[str, Any]:
    if task is None:
        return {}
    return {
        "title": task.title,
        "instructions": task.instructions,
        "kind": task.kind.value,
        "deadline": as_typed(task.deadline),
    }


def in_words(wrong: FieldError) -> FieldError:
    """The message after the title of its field: in a list of messages each says which is meant."""
    match wrong.place.split("."):
        case ["criteria", number, column]:
            title = f"第 {int(number) + 1} 个评分项{COLUMNS[column]}"
        case ["criteria"]:
            return FieldError(wrong.place, "请至少填写一个评分项。")
        case [name, *_]:
            title = TITLES.get(name, "")
        case _:
            title = ""
    return FieldError(wrong.place, f"{title}：{wrong.message}")


def row_errors(problem: Problem | None) -> dict[int, str]:
    """Row of the criteria editor → what is wrong with it."""
    places = ((field, field.place.split(".")) for field in (problem.fields if problem else ()))
    return {int(path[1]): field.message for field, path in places if path[0] == "criteria" and len(path) > 1}


@step(TaskEditor, Permission.ASSESSMENT_MANAGE)
async def create_task(page: TaskEditor, class_id: str) -> str:
    task = await tasks.create_task(page.platform, page.actor, class_id, page.draft())
    return f"任务“{task.title}”已发布，本班学员可以提交。"


@step(TaskEditor, Permission.ASSESSMENT_MANAGE)
async def change_task(page: TaskEditor, class_id: str, task_id: str) -> Done:
    seen = page.form(Saving).seen
    task = await tasks.change_task(page.platform, page.actor, class_id, task_id, page.draft(), seen)
    return Done(f"任务“{task.title}”已修改。", f"/admin/classes/{class_id}/tasks/{task_id}")


class OneTask(PageHandler):
    """Who handed in what, and the two things that may still be done to a task."""

    address = "/admin/classes/{class_id}/tasks/{task_id}"
    get = shows(Permission.ASSESSMENT_READ)

    async def show(self, class_id: str, task_id: str, outcome: Outcome = NO_ERRORS) -> None:
        work = await submissions.work_in_reach(self.platform, self.actor, class_id, task_id)
        self.render_page(
            "assessment/task.html",
            training_class=work.training_class,
            task=work.task,
            rows=work.rows,
            proposed=as_typed(work.task.deadline),
            may_manage=holds(self.actor, Permission.ASSESSMENT_MANAGE) and not work.training_class.frozen,
            **outcome,
        )


@step(OneTask, Permission.ASSESSMENT_MANAGE)
async def extend_deadline(page: OneTask, class_id: str, task_id: str) -> str:
    seen, wanted = page.form(Saving).seen, page.form(ExtensionForm)
    await tasks.extend_deadline(page.platform, page.actor, class_id, task_id, wanted, seen)
    return "截止时间已延长。"


@step(OneTask, Permission.ASSESSMENT_MANAGE)
async def withdraw_task(page: OneTask, class_id: str, task_id: str) -> Done:
    await tasks.withdraw_task(page.platform, page.actor, class_id, task_id)
    return Done("任务已撤回，不计入成绩。", f"/admin/classes/{class_id}/tasks")


# ---- one trainee's work


class TraineeWork(PageHandler):
    @allow(Permission.ASSESSMENT_READ)
    async def get(self, class_id: str, task_id: str, person_id: str) -> None:
        record = await submissions.trainee_record(self.platform, self.actor, class_id, task_id, person_id)
        wanted = self.query(VersionQuery).version
        shown = next((one for one in record.versions if wanted in (None, one.version)), None)
        marks = await submissions.marks(self.platform, [shown.id]) if shown else {}
        said = await remarks.remarks_of(self.platform, [shown] if shown else [])
        self.render_page(
            "assessment/work.html",
            training_class=record.training_class,
            record=record,
            shown=shown,
            marks=marks.get(shown.id, {}) if shown else {},
            remarks=said.get(shown.id, []) if shown else [],
            history=history_of(record),
        )


def history_of(record: TraineeRecord) -> list[tuple[Any, str, str, str]]:
    """The grades for `states.timeline`, newest first: moment, title, detail, tone."""
    marks = [] if record.grade is None else record.grade.marks
    found = []
    for number, mark in enumerate(marks):
        about = "现场考核" if mark.version is None else f"第 {mark.version} 版"
        changed = f"{marks[number - 1].points} → {mark.points} 分" if number else f"{mark.points} 分"
        scores = "，".join(f"{one.title} {mark.scores[one.key]}" for one in record.task.criteria)
        reason = f"修改理由：{mark.reason}。" if mark.reason else ""
        comment = f"评语：{mark.comment}" if mark.comment else ""
        found.append(
            (
                mark.at,
                f"{mark.grader_name} 评阅{about}：{changed}",
                f"{scores}。{reason}{comment}",
                "warning" if mark.reason else "info",
            )
        )
    return found[::-1]


# ---- results


class ResultQuery(Query):
    only: Annotated[Only | None, Filter("只看")] = None


class Results(PageHandler):
    address = "/admin/classes/{class_id}/results"
    get = shows(Permission.ASSESSMENT_READ)

    async def show(self, class_id: str, outcome: Outcome = NO_ERRORS) -> None:
        seen = await service.class_results(self.platform, self.actor, class_id)
        query = self.query(ResultQuery)
        class_ = seen.training_class
        may_reopen = (
            holds(self.actor, Permission.REOPENINGS_REQUEST) and class_.results_released_at is not None
        )
        self.render_page(
            "assessment/results.html",
            training_class=seen.training_class,
            seen=seen,
            rows=seen.rows,
            shown=[row for row in seen.rows if row.is_among(query.only)],
            filters=query.filters(self),
            bands=bands_of(seen.rows),
            unscheduled=(await attendance.unscheduled(self.platform, [class_])).get(class_id, 0),
            survey=await surveys.survey_in_short(self.platform, class_),
            earlier=await service.earlier_results(self.platform, class_id),
            reopening=await reopenings.latest_of(self.platform, self.actor, class_id),
            hindrance=await reopenings.hindrance(self.platform, class_) if may_reopen else "",
            may_reopen=may_reopen,
            **outcome,
        )


def bands_of(rows: Sequence[ResultRow]) -> list[tuple[str, int]]:
    totals = [row.total // 10 for row in rows if row.total is not None]
    return [(title, sum(low <= total < high for total in totals)) for title, low, high in BANDS]


@download(Permission.ASSESSMENT_READ, rate=EXPORT_RATE)
async def grade_sheet(page: PageHandler, class_id: str) -> Download:
    return await service.export_results(page.platform, page.actor, class_id, page.query(ResultQuery).only)


class TypedName(BaseModel):
    typed: Annotated[str, Field(title="培训班名称")]


@step(Results, Permission.ASSESSMENT_RELEASE)
async def release(page: Results, class_id: str) -> str:
    await classes.require_name_typed(page.platform, page.actor, class_id, page.form(TypedName).typed)
    results = await service.release(page.platform, page.actor, class_id)
    passed = sum(one.passed for one in results)
    return f"成绩已公布：{len(results)} 人，合格 {passed} 人。已通知本班学员。"


@step(Results, Permission.REOPENINGS_REQUEST)
async def reopen(page: Results, class_id: str) -> Done:
    asked = await reopenings.request(page.platform, page.actor, class_id, page.form(Asked))
    return Done(
        "重新开放成绩的申请已报省级管理部门审核，同意前成绩仍然有效。", f"/admin/reopenings/{asked.id}"
    )


_ID = "[0-9a-f]{24}"
_CLASS = rf"/admin/classes/(?P<class_id>{_ID})"
_TASK = rf"{_CLASS}/tasks/(?P<task_id>{_ID})"
ROUTES: list[Route] = [
    (rf"{_CLASS}/tasks", ClassTasks),
    (rf"{_CLASS}/tasks/new", create_task),
    (_TASK, OneTask),
    (rf"{_TASK}/edit", change_task),
    (rf"{_TASK}/extend", extend_deadline),
    (rf"{_TASK}/withdraw", withdraw_task),
    (rf"{_TASK}/trainees/(?P<person_id>{_ID})", TraineeWork),
    (
        rf"{_CLASS}/submissions/(?P<submission_id>{_ID})/files/(?P<file_id>{_ID})",
        file_of(submissions.file_in_reach, Permission.ASSESSMENT_READ),
    ),
    (rf"{_CLASS}/results", Results),
    (rf"{_CLASS}/results/release", release),
    (rf"{_CLASS}/results/reopen", reopen),
    (rf"{_CLASS}/results/grade-sheet", grade_sheet),
]
