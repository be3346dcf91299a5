"""Grading by the backbone teachers of a class (articles 6, 8.4.2, 13): nobody's own work, nothing changed in silence."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictInt

from server.accounts import binding
from server.assessment import rules, store
from server.assessment.documents import Grade, Mark, Task
from server.assessment.rules import CRITERIA_MOST, TaskKind
from server.assessment.tasks import taught_task
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.rules import Kind
from server.invitations import engagements
from server.kernel.errors import Conflict, NotFound
from server.kernel.reasons import OptionalReason
from server.kernel.unit_of_work import UnitOfWork, transactional

COMMENT_LONGEST = 2000
Key = Annotated[str, Field(max_length=20)]


class NewerVersion(Conflict):
    slug = "newer-version"
    title = "已有更新的版本"
    default_detail = "学员已提交更新的版本，请刷新后评阅最新版本。"


class NothingSubmitted(Conflict):
    slug = "nothing-submitted"
    title = "还没有提交"
    default_detail = "过程性考核须有提交才能评分；只有终结性考核可以现场评分。"


class GradeRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    scores: Annotated[dict[Key, StrictInt], Field(max_length=CRITERIA_MOST)]
    """Criterion → whole points."""
    comment: Annotated[str, Field(max_length=COMMENT_LONGEST)] = ""
    reason: OptionalReason = ""
    """Needed when a grade is changed."""


@transactional
async def grade_submission(unit: UnitOfWork, submission_id: str, draft: GradeRequest) -> Grade:
    """Grades the newest version of somebody's work; given again, the same grade changes nothing.

    A grade for the same version is changed only with a reason. Raises NotFound for whoever is no teacher of the class, NotYourPart for who
    only teaches it, NewerVersion for an older version, GradingOneself, Invalid by criterion, ResultsReleased.
    """
    submission = await store.submission(unit, submission_id)
    if submission is None:
        raise NotFound("没有这份提交，或您不是该班的考核教师。")
    task, training_class = await taught_task(unit, unit.actor, submission.task_id, Kind.ASSESSMENT)
    [newest] = await store.versions(unit, task.id, submission.person_id, limit=1)
    if newest.id != submission.id:
        raise NewerVersion(f"学员已提交第 {newest.version} 版，请评阅最新版本。", submission_id=newest.id)
    return await _grade(unit, task, training_class, submission.person_id, submission.version, draft)


@transactional
async def grade_trainee(unit: UnitOfWork, task_id: str, person_id: str, draft: GradeRequest) -> Grade:
    """Grades what a trainee showed on site (现场考核), without any submission: for summative tasks only.

    Raises NotFound, NotArrived, NothingSubmitted for a formative task, NewerVersion when there is a submission, and as `grade_submission`.
    """
    task, training_class = await taught_task(unit, unit.actor, task_id, Kind.ASSESSMENT)
    await classes.require_arrived(
        unit, task.class_id, person_id, "该学员还没有报到，不能评分。请先由培训机构办理报到。"
    )
    if newest := await store.versions(unit, task_id, person_id, limit=1):
        raise NewerVersion(f"学员已提交第 {newest[0].version} 版，请评阅该提交。", submission_id=newest[0].id)
    if task.kind is not TaskKind.SUMMATIVE:
        raise NothingSubmitted()
    return await _grade(unit, task, training_class, person_id, None, draft)


async def _grade(
    unit: UnitOfWork,
    task: Task,
    training_class: TrainingClass,
    person_id: str,
    version: int | None,
    draft: GradeRequest,
) -> Grade:
    binding.require_rested(unit)
    rules.check_not_oneself(unit.actor.person_id, person_id)
    await classes.exclude_release(unit, training_class)
    rules.check_scores(task.criteria, draft.scores)
    known = await store.grade(unit, task.id, person_id)
    changes = known is not None and known.current.version == version
    mark = Mark(
        scores={criterion.key: draft.scores[criterion.key] for criterion in task.criteria},
        points=sum(draft.scores.values()),
        comment=draft.comment.strip(),
        version=version,
        grader_id=unit.actor.person_id,
        grader_name=unit.actor.name,
        at=unit.now,
        reason=draft.reason if changes else "",
    )
    if known is not None and mark.says_the_same(known.current):
        unit.nothing_written()
        return known
    if changes:
        rules.check_change_reason(draft.reason)
    unit.audit("assessment:grade", task.id, **_facts(person_id, known, mark))
    await engagements.note_assessed(unit, task.class_id, unit.actor.person_id)
    if known is None:
        grade = Grade(
            task_id=task.id,
            class_id=task.class_id,
            institution_code=task.institution_code,
            province_code=task.province_code,
            person_id=person_id,
            marks=[mark],
        )
        await store.insert_grade(unit, grade)
        await store.set_task_in_use(unit, task.id)
        return grade
    await store.add_mark(unit, known.id, mark)
    return known.model_copy(update={"marks": [*known.marks, mark]})


def _facts(person_id: str, known: Grade | None, mark: Mark) -> dict[str, JsonValue]:
    """What the trail keeps of a grade: before, after and why (article 13)."""
    facts: dict[str, JsonValue] = {
        "person_id": person_id,
        "points": mark.points,
        "scores": {**mark.scores},
    }
    if mark.reason:
        facts["reason"] = mark.reason
    if mark.version is not None:
        facts["version"] = mark.version
    if known is not None:
        facts |= {"points_before": known.current.points, "scores_before": {**known.current.scores}}
    return facts
