"""培训需求分析 (article 4.4): the centre's questionnaire, what applicants answered, and what was changed because of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.admissions import rules, store
from server.admissions.documents import ClassAdmission, NeedsTemplate, Note
from server.admissions.rules import Question
from server.classes import service as classes
from server.kernel.errors import Conflict, FieldError, Invalid, require_same
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reasons import Reason
from server.kernel.seen import require as require_seen
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional

VERSIONS_SHOWN = 50


class NoNeedsYet(Conflict):
    slug = "no-needs-yet"
    title = "还没有需求调查"
    default_detail = "本班还没有开放报名，没有需求调查可以分析。"


class TemplateDraft(BaseModel):
    questions: Annotated[str, Field(title="题目", min_length=2, max_length=5000)]
    """A line each: see rules.read_questions."""
    reason: Annotated[Reason, Field(title="修改说明")]


class NoteDraft(BaseModel):
    text: Annotated[str, Field(title="调整说明", min_length=5, max_length=2000)]
    nonce: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9_.:-]{8,64}$")] = None
    """The phone's: the same note, sent again over a bad network, is one."""


@dataclass(frozen=True)
class Answered:
    """One question and what was answered: how often each option, or the texts."""

    question: Question
    counts: list[tuple[str, int]]
    texts: list[str]


@dataclass(frozen=True)
class Needs:
    admission: ClassAdmission | None
    applicants: int
    """Whose answers are counted: those who have not withdrawn and were not refused."""
    answered: list[Answered]


async def current_template(scope: Scope) -> tuple[int, list[Question]]:
    """The version in force and its questions; version 0 is what the platform begins with."""
    latest = await store.templates(scope, 1)
    if latest:
        return latest[0].version, latest[0].questions
    return 0, rules.read_questions("\n".join(rules.FIRST_TEMPLATE), prefix="t")


async def templates(platform: Platform) -> list[NeedsTemplate]:
    """All that the centre has set, the latest first."""
    return await store.templates(platform, VERSIONS_SHOWN)


async def set_template(
    platform: Platform, actor: Actor, draft: TemplateDraft, seen: str = ""
) -> NeedsTemplate:
    """A new version for classes that open from now on; what was asked before stays as it was. Raises Invalid, Conflict."""
    try:
        return await _set_template(platform, actor, draft, seen)
    except DuplicateKeyError:
        raise Conflict("问卷刚刚被别人修改，请刷新后再改。") from None


@transactional
async def _set_template(unit: UnitOfWork, draft: TemplateDraft, seen: str) -> NeedsTemplate:
    latest = next(iter(await store.templates(unit, 1)), None)
    await require_seen(unit, latest, seen, what="需求问卷")
    questions = rules.read_questions(draft.questions, prefix="t")
    version, before = await current_template(unit)
    if questions == before:
        raise Invalid(fields=[FieldError("questions", "题目没有变化。")])
    new = NeedsTemplate(
        version=version + 1,
        questions=questions,
        reason=draft.reason,
        set_by=unit.actor.name,
        set_at=unit.now,
    )
    await store.insert_template(unit, new)
    unit.audit("admissions:set-needs-template", new.id, version=new.version, reason=draft.reason)
    return new


async def needs_of_class(platform: Platform, class_id: str) -> Needs:
    """What the applicants of a class answered; the caller has fetched the class already."""
    admission = await store.class_admission(platform, class_id)
    if admission is None:
        return Needs(None, 0, [])
    counted = [one for one in await store.applicants(platform, class_id) if one.open]
    answered = []
    for question in admission.questions:
        given = [one.answers[question.key] for one in reversed(counted) if question.key in one.answers]
        counts = Counter(given)
        answered.append(
            Answered(
                question,
                [(option, counts[option]) for option in question.options],
                [] if question.options else given,
            )
        )
    return Needs(admission, len(counted), answered)


@transactional
async def add_note(unit: UnitOfWork, class_id: str, draft: NoteDraft) -> Note:
    """What the institution or a teacher of the class changed because of the needs; kept with author and time.

    Raises NotFound, NoNeedsYet.
    """
    if unit.actor.kind == "person":
        await classes.taught_class(unit, unit.actor, class_id)
    else:
        await classes.get_class(unit, unit.actor, class_id)
    kept = await store.class_admission(unit, class_id)
    if kept is None:
        raise NoNeedsYet()
    text = draft.text.strip()
    for there in kept.notes if draft.nonce else ():
        if (there.author_id, there.nonce) == (unit.actor.id, draft.nonce):
            require_same(there.text == text)
            unit.nothing_written()
            return there
    note = Note(
        at=unit.now, author_id=unit.actor.id, author_name=unit.actor.name, text=text, nonce=draft.nonce
    )
    await store.push_note(unit, class_id, note)
    unit.audit("admissions:note-needs", class_id)
    return note
