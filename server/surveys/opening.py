"""The survey of a class is opened: by itself at the end of the last session, or by the institution (article 4.7).

A session is the last only when the timetable gives all hours of the scheme: see `taught_out`.

It asks about everybody who held a session or assesses, so that nobody is rated whom nobody saw, and nobody escapes it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from pydantic import BaseModel
from pymongo.errors import DuplicateKeyError

from server.attendance import service as attendance
from server.attendance import work
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.rules import Kind
from server.invitations import engagements
from server.kernel import envelopes, policies
from server.kernel.clock import beijing_date
from server.kernel.envelopes import Box
from server.kernel.errors import Conflict, Invalid, NotFound
from server.kernel.identity import Actor, system
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.surveys import rules, store
from server.surveys.documents import Survey

R = TypeVar("R")

OPENED_AT_ONCE = 100
LOOKED_BACK = timedelta(days=30)
"""How long ago a class may have ended of whose survey the scheduled work still thinks, should it have stood still."""


class SurveyExists(Conflict):
    slug = "survey-exists"
    title = "本班已有满意度评价"
    default_detail = "每个培训班只有一份满意度评价，无需重复发起。"


class ClassWithoutTeachers(Conflict):
    slug = "class-without-teachers"
    title = "本班还没有授课教师"
    default_detail = (
        "满意度评价要逐一评价上过课（有人签到）的骨干教师。请先在“概况”中安排授课教师，再发起评价；"
        "课已上、漏签到的，请先补签。"
    )


class SurveyDraft(BaseModel):
    opens_at: datetime
    closes_at: datetime


async def in_new_box(platform: Platform, make: Callable[[Box], Awaitable[R]]) -> R:
    """What `make` makes of a new box. A refusal leaves no key behind; where nobody knows whether it was written, the key stays."""
    box = await envelopes.new_box(platform.settings)
    try:
        made = await make(box)
    except (Conflict, Invalid, NotFound, DuplicateKeyError):
        await envelopes.destroy_key(platform.settings, box.id)
        raise
    if not made:
        await envelopes.destroy_key(platform.settings, box.id)
    return made


async def open_survey(platform: Platform, actor: Actor, class_id: str, wanted: SurveyDraft) -> Survey:
    """Sets up the one survey of a class by hand, where the institution does not wait for the platform or wants another end.

    Raises SurveyExists, SurveyTooEarly before the last session has ended, ClassWithoutTeachers, SurveyTooShort, or Invalid for a period
    that begins later than now, ends too early or lasts too long.
    """
    return await in_new_box(platform, lambda box: _open_by_hand(platform, actor, class_id, wanted, box))


@transactional
async def _open_by_hand(unit: UnitOfWork, class_id: str, wanted: SurveyDraft, box: Box) -> Survey:
    training_class = await classes.get_class(unit, unit.actor, class_id)
    classes.require_not_ended(training_class)
    if await store.survey_of_class(unit, class_id) is not None:
        raise SurveyExists()
    if not rules.is_due(await work.last_end(unit, class_id), training_class.ends_on, unit.now):
        raise rules.SurveyTooEarly()
    rules.check_opening(wanted.opens_at, unit.now)
    rules.check_period(wanted.opens_at, wanted.closes_at, unit.now)
    least = (await policies.on(unit, beijing_date(unit.now))).survey_days
    rules.check_long_enough(wanted.opens_at, wanted.closes_at, least, everybody=False)
    return await _set_up(unit, training_class, wanted, box)


async def open_due(platform: Platform) -> int:
    """The scheduled work: opens the survey of each class whose last session has ended; returns how many.

    One that no scheduler has met yet opens when a trainee looks for it (`my_surveys`).
    """
    since = platform.clock.now() - LOOKED_BACK
    ended = await work.classes_taught_since(platform, since)
    return sum([await open_if_due(platform, class_ids) for class_ids in _parts(sorted(ended))])


def _parts(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[at : at + OPENED_AT_ONCE] for at in range(0, len(ids), OPENED_AT_ONCE)]


async def open_if_due(platform: Platform, class_ids: Sequence[str]) -> int:
    """Opens the surveys of those of these classes that have none and are taught out."""
    known = await store.surveys_of_classes(platform, class_ids)
    found = await classes.classes_of(platform, [one for one in class_ids if one not in known])
    due = [class_id for class_id, one in found.items() if await taught_out(platform, one)]
    return sum([await _open_by_itself(platform, class_id) for class_id in due])


async def taught_out(scope: Scope, training_class: TrainingClass) -> bool:
    """Whether the last session has ended, and none is to follow that the scheme promised: hours which a 暂停 cancelled are given other
    days, and who is asked before that is asked in the middle of the class (server/decisions/0023-later-teachers.md)."""
    last = await work.last_end(scope, training_class.id)
    if last is None or last > scope.platform.clock.now():
        return False
    return not await attendance.unscheduled(scope, [training_class])


async def _open_by_itself(platform: Platform, class_id: str) -> bool:
    try:
        return await in_new_box(platform, lambda box: _open(platform, system("surveys"), class_id, box))
    except DuplicateKeyError:  # another scheduler, or the institution, was first
        return False


@transactional
async def _open(unit: UnitOfWork, class_id: str, box: Box) -> bool:
    training_class = (await classes.classes_of(unit, [class_id]))[class_id]
    if await store.survey_of_class(unit, class_id) or not await taught_out(unit, training_class):
        unit.nothing_written()
        return False
    try:
        wanted = SurveyDraft(opens_at=unit.now, closes_at=unit.now + rules.USUAL)
        await _set_up(unit, training_class, wanted, box)
    except ClassWithoutTeachers:
        unit.nothing_written()
        return False
    return True


async def _set_up(unit: UnitOfWork, training_class: TrainingClass, wanted: SurveyDraft, box: Box) -> Survey:
    teachers = await _to_be_rated(unit, training_class)
    if not teachers:
        raise ClassWithoutTeachers()
    new = await set_up(unit, training_class, teachers, wanted, box)
    for trainee in await classes.arrived_trainees(unit, training_class.id):
        unit.notify(
            trainee.person_id,
            "survey-opened",
            survey_id=new.id,
            class_name=new.class_name,
            opens_at=rules.clock_words(new.opens_at),
            closes_at=rules.clock_words(new.closes_at),
        )
    return new


async def set_up(
    unit: UnitOfWork,
    training_class: TrainingClass,
    teachers: Mapping[str, str],
    wanted: SurveyDraft,
    box: Box,
    part: int = 1,
) -> Survey:
    """Part of a use case: a survey about these teachers (person id → name). Raises DuplicateKeyError when somebody was first."""
    in_force = await policies.on(unit, beijing_date(unit.now))
    new = Survey(
        class_id=training_class.id,
        part=part,
        class_name=training_class.name,
        institution_code=training_class.institution_code,
        province_code=training_class.province_code,
        year=training_class.ends_on.year,
        teacher_ids=list(teachers),
        questions=rules.make_questions(teachers.items(), supplement=part > 1),
        opens_at=wanted.opens_at,
        closes_at=wanted.closes_at,
        box_id=box.id,
        public_key=box.public_key,
        smallest_group=in_force.smallest_group,
        created_at=unit.now,
        created_by=unit.actor.name,
    )
    await store.insert_survey(unit, new)
    unit.audit("surveys:open", new.id, class_id=new.class_id, part=part, smallest_group=new.smallest_group)
    return new


async def _to_be_rated(scope: Scope, training_class: TrainingClass) -> dict[str, str]:
    """Id → name of everybody who held a session, substitutes and those who have left included, and of everybody who assesses.

    Who assesses may grade after the survey has opened. Whoever never does is taken out when it is reckoned up: nobody saw them.
    """
    worked = await who_worked(scope, training_class)
    worked |= {one.person_id for one in training_class.who(Kind.ASSESSMENT)}
    return await named(scope, training_class, worked)


async def who_worked(
    scope: Scope, training_class: TrainingClass, *, after: datetime | None = None
) -> set[str]:
    """Who held a session (with `after`, one that ended, or came to be theirs, later) or gave a grade: of nobody else an answer counts."""
    taught = await work.who_taught(scope, training_class, after=after)
    return taught | await engagements.who_assessed(scope, training_class.id)


async def named(scope: Scope, training_class: TrainingClass, worked: Collection[str]) -> dict[str, str]:
    """Id → name of these people of the class, also of those who have left it."""
    names = await engagements.names(scope, training_class.id)
    names |= {one.person_id: one.name for one in training_class.teachers}
    return {person_id: name for person_id, name in names.items() if person_id in worked}


# ---- sessions that are planned after it has opened


async def keep_open(unit: UnitOfWork, class_id: str) -> bool:
    """Part of what gives a class further sessions (延期, a new scheme): its open survey ends no sooner than `survey_days` after the last of
    them, so that nobody's time to answer runs out in the middle of the class."""
    survey = await store.survey_of_class(unit, class_id)
    last = await work.last_end(unit, class_id)
    if survey is None or last is None or last <= survey.opens_at:
        return False
    least = (await policies.on(unit, beijing_date(unit.now))).survey_days
    until = rules.earliest_closing(last, least)
    if survey.closes_at >= until or await store.move_closing(unit, survey.id, until, now=unit.now) is None:
        return False
    unit.audit(
        "surveys:keep-open",
        survey.id,
        before=rules.clock_words(survey.closes_at),
        after=rules.clock_words(until),
    )
    return True
