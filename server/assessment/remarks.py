"""What the teachers of a class say about work that was handed in (article 6): no grade, so that who only teaches says it too.

The trainee reads it at once, with the version that it is about, and who assesses beside the work; a comment of a grade waits for the
release. It may be taken back by who said it, and either way ends with the release.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from server.assessment import rules, store
from server.assessment.documents import Submission, WorkRemark
from server.assessment.tasks import taught_task
from server.classes import service as classes
from server.kernel.errors import Conflict, NotFound, require_same
from server.kernel.reasons import Reason
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional

MOST = 50
"""Of one version; more is a conversation that belongs elsewhere."""


class TooManyRemarks(Conflict):
    slug = "too-many-remarks"
    title = "意见已满"
    default_detail = f"同一份学习成果最多 {MOST} 条意见。如仍有补充，请当面沟通。"


class RemarkDraft(BaseModel):
    text: Annotated[
        str, StringConstraints(strip_whitespace=True), Field(title="意见", min_length=2, max_length=1000)
    ]
    nonce: Annotated[str | None, Field(min_length=8, max_length=64)] = None


class TakingBack(BaseModel):
    reason: Reason


@transactional
async def remark(unit: UnitOfWork, submission_id: str, said: RemarkDraft) -> tuple[WorkRemark, bool]:
    """Says something about a version, and whether it is new: sent twice with one nonce it is one remark.

    Raises NotFound for whoever is no teacher of the class, GradingOneself for one's own work, TooManyRemarks, ResultsReleased.
    """
    submission = await store.submission(unit, submission_id)
    if submission is None:
        raise NotFound("没有这份提交，或您不是该班的授课、考核教师。")
    task, training_class = await taught_task(unit, unit.actor, submission.task_id)
    there = await store.remarks(unit, task.id, [submission_id])
    mine = [one for one in there if one.author_id == unit.actor.person_id]
    if said.nonce and (known := next((one for one in mine if one.nonce == said.nonce), None)):
        require_same(known.text == said.text)
        unit.nothing_written()
        return known, False
    rules.check_not_oneself(unit.actor.person_id, submission.person_id)
    await classes.exclude_release(unit, training_class)
    if len(there) >= MOST:
        raise TooManyRemarks()
    new = WorkRemark(
        task_id=task.id,
        class_id=task.class_id,
        institution_code=task.institution_code,
        province_code=task.province_code,
        submission_id=submission_id,
        person_id=submission.person_id,
        version=submission.version,
        text=said.text,
        author_id=unit.actor.person_id,
        author_name=unit.actor.name,
        said_at=unit.now,
        nonce=said.nonce,
    )
    await store.insert_remark(unit, new)
    unit.audit("assessment:remark", task.id, person_id=new.person_id, version=new.version, remark_id=new.id)
    unit.notify(
        new.person_id,
        "work-remark",
        teacher_name=new.author_name,
        task_title=task.title,
        class_id=task.class_id,
        task_id=task.id,
    )
    return new, True


@transactional
async def take_back(unit: UnitOfWork, remark_id: str, wanted: TakingBack) -> WorkRemark:
    """Takes one's own remark back: nobody of the class reads it any more, and the record keeps it; once again it changes nothing.

    Raises NotFound for the remark of somebody else, ResultsReleased.
    """
    found = await store.remark(unit, remark_id)
    if found is None or found.author_id != unit.actor.person_id:
        raise NotFound("没有这条意见，或不是您提出的。")
    task, training_class = await taught_task(unit, unit.actor, found.task_id)
    if found.taken_back_at is not None:
        unit.nothing_written()
        return found
    await classes.exclude_release(unit, training_class)
    changed = found.model_copy(update={"taken_back_at": unit.now, "taken_back_reason": wanted.reason})
    await store.replace_remark(unit, changed)
    unit.audit(
        "assessment:take-back-remark",
        task.id,
        person_id=found.person_id,
        version=found.version,
        remark_id=found.id,
        reason=wanted.reason,
    )
    unit.notify(
        found.person_id,
        "work-remark-taken-back",
        teacher_name=found.author_name,
        task_title=task.title,
        reason=wanted.reason,
        class_id=task.class_id,
        task_id=task.id,
    )
    return changed


async def remarks_of(scope: Scope, work: Iterable[Submission]) -> dict[str, list[WorkRemark]]:
    """By id of the submission, which the caller has fetched already, oldest first; also what was taken back. Namesakes are told apart."""
    ids: dict[str, list[str]] = {}
    for one in work:
        ids.setdefault(one.task_id, []).append(one.id)
    said = [one for task_id, of_task in ids.items() for one in await store.remarks(scope, task_id, of_task)]
    held = await classes.classes_of(scope, sorted({one.class_id for one in said}))
    called = {key: await classes.teachers_called(scope, one) for key, one in held.items()}
    found: dict[str, list[WorkRemark]] = {}
    for remark_ in said:
        name = called[remark_.class_id].get(remark_.author_id, remark_.author_name)
        found.setdefault(remark_.submission_id, []).append(remark_.model_copy(update={"author_name": name}))
    return found


async def shown(scope: Scope, work: Iterable[Submission]) -> dict[str, list[WorkRemark]]:
    """The same as trainees and teachers read it: without what was taken back."""
    found = await remarks_of(scope, work)
    return {key: [one for one in said if one.taken_back_at is None] for key, said in found.items()}
