"""Who gets a place of a class (article 4.4).

Whoever has both agreements waits for a place and takes it at once where there is one; a place that is given back goes to the first on
the waiting list in the same transaction.
"""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

from server.accounts import binding, people
from server.admissions import rules, store
from server.admissions.documents import Applicant
from server.admissions.rules import Action, State
from server.classes import enrolment
from server.classes import service as classes
from server.classes.documents import Enrolment, EnrolmentSource, TrainingClass
from server.kernel.history import Step, step
from server.kernel.unit_of_work import UnitOfWork

PLATFORM = "平台"
_TURNS: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
_BY_THE_PLATFORM = (Action.ADMIT, Action.SKIP, Action.CLOSE)
_NEWS = {
    State.WAITING: "application-waiting",
    State.REJECTED: "application-rejected",
    State.CLOSED: "application-closed",
}
"""Who is admitted is told by the enrolment itself."""


def turn(class_id: str) -> asyncio.Lock:
    """Who changes the people of one class in this process waits for the one before: their transactions would only collide.

    Between processes the transactions themselves decide.
    """
    return _TURNS.setdefault(class_id, asyncio.Lock())


async def fill_places(unit: UnitOfWork, class_id: str) -> None:
    """Moves the waiting list up as far as there are places, first come first served; the class is held by this transaction."""
    training_class = (await classes.classes_of(unit, [class_id]))[class_id]
    free = (training_class.places or 0) - training_class.admitted
    while free > 0 and (first := await store.first_waiting(unit, class_id)):
        known = (await people.known_as(unit, [first.person_id]))[first.person_id]
        if await classes.is_enrolled(unit, class_id, known):  # by a roster, meanwhile
            await move(unit, first, Action.ADMIT)
            if known != first.person_id:
                await recognise(unit, class_id, first.person_id, known)
            continue
        try:
            await enrolment.require_no_clash(unit, training_class, {known: first.name})
            await enrolment.enrol(unit, training_class, [_enrolment(unit, training_class, first)])
        except enrolment.DatesClash as clash:
            await move(unit, first, Action.SKIP, clash.detail)
        else:
            await move(unit, first, Action.ADMIT)
            free -= 1


async def recognise(unit: UnitOfWork, class_id: str, claim_id: str, person_id: str) -> None:
    """Who applied is somebody known already: application and pledge are theirs, and the phone that claimed to be them waits for a proof."""
    await store.give_to(unit, class_id, claim_id, person_id)
    await binding.claim_became(unit, claim_id, person_id)
    unit.audit("admissions:recognise", class_id, person_id=person_id, was=claim_id)


async def close_all(unit: UnitOfWork, class_id: str, reason: str, *, admitted: bool = False) -> int:
    """Part of a use case that ends a class: nobody's application waits for it any more, and their teachers are told; with `admitted`
    the applications that had led into it are closed as well. Returns how many."""
    states = (*rules.UNDER_REVIEW, *([State.ADMITTED] if admitted else []))
    waiting = [one for one in await store.applicants(unit, class_id) if one.state in states]
    for one in waiting:
        await move(unit, one, Action.CLOSE, reason)
    return len(waiting)


def _enrolment(unit: UnitOfWork, training_class: TrainingClass, admitted: Applicant) -> Enrolment:
    return Enrolment(
        class_id=training_class.id,
        institution_code=training_class.institution_code,
        province_code=training_class.province_code,
        person_id=admitted.person_id,
        name=admitted.name,
        id_number_masked=admitted.id_number_masked,
        work_unit=admitted.work_unit,
        post=admitted.post,
        major_taught=admitted.major_taught,
        enrolled_at=unit.now,
        source=EnrolmentSource.APPLICATION,
        arrival_required=training_class.arrival_required,
    )


async def move(unit: UnitOfWork, found: Applicant, action: Action, reason: str = "") -> Applicant:
    """Takes an application along the table, with its step, its entry in the trail and the news to its teacher."""
    by_the_platform = action in _BY_THE_PLATFORM
    who = rules.STEPS.may_act(action) if by_the_platform else unit.actor.roles
    state = rules.STEPS.after(found.state, action, who)
    taken = (
        Step(at=unit.now, actor_id="platform", actor_name=PLATFORM, action=action, reason=reason)
        if by_the_platform
        else step(unit, action, reason)
    )
    moved = found.model_copy(
        update={
            "state": state,
            "open": state.open,
            "waiting_since": unit.now if state is State.WAITING else found.waiting_since,
            "history": [*found.history, taken],
        }
    )
    await store.replace_applicant(unit, moved)
    unit.audit(
        "admissions:" + action.lower().replace("_", "-"),
        found.id,
        class_id=found.class_id,
        person_id=found.person_id,
        reason=reason,
    )
    if (template := _NEWS.get(state)) and found.state is not State.ADMITTED:
        unit.notify(found.person_id, template, class_name=found.class_name, reason=reason)
    return moved
