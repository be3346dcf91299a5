"""Whoever teaches or assesses only after the survey of a class has opened is asked about in a survey of their own (补充评价).

A class gets further sessions by 延期 or a new scheme, and a grade may come from somebody who accepted late. The first survey stays as it
is, for some have answered it; what is asked of all of them again is only what is new (server/decisions/0023-later-teachers.md).
"""

from __future__ import annotations

from pymongo.errors import DuplicateKeyError

from server.attendance import work
from server.classes import service as classes
from server.kernel.envelopes import Box
from server.kernel.identity import system
from server.kernel.platform import Platform
from server.kernel.schedule import Counts
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.surveys import opening, rules, store

JOB = system("surveys")


async def follow_classes(platform: Platform) -> Counts:
    """The scheduled work over the classes of the last weeks: a survey that is open waits for the last session, and who is not asked about
    yet gets a supplement once it has ended."""
    now = platform.clock.now()
    running = await store.closing_between(platform, now, now + rules.LONGEST)
    kept = [await _keep_open(platform, JOB, one.class_id) for one in running if not one.supplement]
    taught = sorted(await work.classes_taught_since(platform, now - opening.LOOKED_BACK))
    asked = [await _open_by_itself(platform, class_id) for class_id in taught]
    return {"顺延": sum(kept), "补充评价": sum(asked)}


@transactional
async def _keep_open(unit: UnitOfWork, class_id: str) -> bool:
    if not await opening.keep_open(unit, class_id):
        unit.nothing_written()
        return False
    return True


async def _open_by_itself(platform: Platform, class_id: str) -> bool:
    if not await _not_asked_about(platform, class_id):
        return False
    try:
        return await opening.in_new_box(platform, lambda box: _open(platform, JOB, class_id, box))
    except DuplicateKeyError:  # another scheduler was first
        return False


async def _not_asked_about(scope: Scope, class_id: str) -> dict[str, str]:
    """Id → name of who taught or assessed after the survey had opened; nobody before the class is taught out."""
    surveys = (await store.surveys_of_classes(scope, [class_id])).get(class_id)
    training_class = (await classes.classes_of(scope, [class_id]))[class_id]
    if not surveys or not await opening.taught_out(scope, training_class):
        return {}
    asked = {teacher_id for one in surveys for teacher_id in one.teacher_ids}
    later = await opening.who_worked(scope, training_class, after=surveys[0].opens_at) - asked
    return await opening.named(scope, training_class, later)


@transactional
async def _open(unit: UnitOfWork, class_id: str, box: Box) -> bool:
    teachers = await _not_asked_about(unit, class_id)
    if not teachers:
        unit.nothing_written()
        return False
    training_class = (await classes.classes_of(unit, [class_id]))[class_id]
    part = (await store.surveys_of_classes(unit, [class_id]))[class_id][-1].part + 1
    wanted = opening.SurveyDraft(opens_at=unit.now, closes_at=unit.now + rules.USUAL)
    new = await opening.set_up(unit, training_class, teachers, wanted, box, part)
    for trainee in await classes.arrived_trainees(unit, class_id):
        unit.notify(
            trainee.person_id,
            "survey-supplemented",
            class_name=new.class_name,
            teacher_name="、".join(teachers.values()),
            closes_at=rules.clock_words(new.closes_at),
        )
    return True
