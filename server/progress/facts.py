"""What the chapters know of many classes, gathered with a fixed number of queries however many they are: `rules` reckons from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from server.accounts import people
from server.admissions import service as admissions
from server.admissions.rules import State as Applied
from server.assessment import service as assessment
from server.attendance import naming
from server.attendance import service as attendance
from server.attendance.hours import Taught
from server.certificates import issue as certificates
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.rules import Kind
from server.institutions.annex1 import PROVINCES
from server.interruptions import facts as interruptions
from server.interruptions.documents import ClassChange
from server.interruptions.rules import State as Changing
from server.invitations import standing as invitations
from server.invitations.standing import Asked
from server.kernel import policies
from server.kernel.clock import beijing_date, span
from server.kernel.reviewed import Reviewed
from server.kernel.unit_of_work import Scope
from server.progress.known import (
    SOON,
    ChangeFacts,
    ClassFacts,
    Count,
    Days,
    Letters,
    NotHeld,
    Owner,
    SchemeFacts,
    SessionFacts,
    SurveyFacts,
)
from server.reopenings import service as reopenings
from server.reopenings.documents import Reopening
from server.schemes import standing as schemes
from server.surveys import standing as surveys
from server.surveys.rules import SurveyState
from server.surveys.standing import Standing
from server.venues import service as venues

PROVINCE_NAMES = {one.code: one.name for one in PROVINCES}


def days_of(in_force: policies.Policies) -> Days:
    return Days(
        review=in_force.review_days,
        revision=in_force.revision_days,
        grading=in_force.grading_days,
        release=in_force.release_days,
        issue=in_force.certificate_days,
    )


async def gather(scope: Scope, found: Sequence[TrainingClass]) -> dict[str, ClassFacts]:
    """By class id, of classes that the caller has fetched already."""
    if not found:
        return {}
    now = scope.platform.clock.now()
    today = beijing_date(now)
    going = [one for one in found if not one.condition.ended]
    ids = [one.id for one in going]
    open_ids = [one.id for one in going if not one.frozen]
    open_classes = [one for one in going if not one.frozen]
    in_force = await policies.on(scope, today)
    days = days_of(in_force)
    enrolled = await classes.enrolled_of(scope, ids)
    rosters = await classes.waiting_rosters(scope, open_ids)
    asked = await invitations.of_classes(scope, open_ids)
    newest = await schemes.of_classes(scope, open_classes)
    for_institution = await admissions.to_review(scope, open_ids, admissions.INSTITUTION_REVIEWS)
    for_teachers = await admissions.to_review(scope, open_ids, [Applied.INSTITUTION_AGREED])
    phones = await _bound(scope, [one for one in open_classes if _is_near(one, today)], enrolled)
    sessions = await attendance.count_sessions(scope, ids)
    of_today: dict[str, list[SessionFacts]] = {}
    for each in await attendance.left_of_today(scope, open_ids):
        facts = SessionFacts(each.id, each.title, span(each.starts_at, each.ends_at).split(" ", 2)[2])
        of_today.setdefault(each.class_id, []).append(facts)
    nobodys = await naming.nobodys(scope, open_classes)
    unscheduled = await attendance.unscheduled(scope, open_classes)
    taught = await attendance.taught_in(scope, open_classes)
    tasks = await assessment.with_tasks(scope, open_ids)
    early = [
        one for one in open_classes if one.id in tasks and today <= one.ends_on and taught[one.id].over_since
    ]
    releasable = await assessment.releasable(scope, early)
    changes = await interruptions.unsettled(scope, ids)
    places = await venues.waiting_of(scope, open_ids)
    reopened = await reopenings.reopened(scope, open_ids)
    reopening = await reopenings.waiting_of(scope, ids)
    ungraded = await assessment.ungraded(scope, open_classes, enrolled)
    there = {one: [who for who, awaited in enrolled.get(one, {}).items() if not awaited] for one in ids}
    surveyed = await surveys.of_classes(scope, there)
    due = await certificates.due_in(scope, going, enrolled, surveyed)
    failed = await certificates.given_up(scope, ids)
    names = {one.person_id: one.name for each in found for one in each.teachers}
    letters = [one for kinds in asked.values() for each in kinds.values() for one in each.open]
    called = await people.called(scope, names | {one.teacher_id: one.teacher_name for one in letters})

    def of_class(one: TrainingClass) -> ClassFacts:
        unbound_teachers, unbound_trainees = phones.get(one.id, ((), 0))
        return replace(
            itself(one),
            days=days,
            letters={kind: _letters(each, called) for kind, each in asked.get(one.id, {}).items()},
            unanswered=_unanswered(one, asked.get(one.id, {})),
            scheme=_scheme(newest.get(one.id), called),
            trainees=len(enrolled.get(one.id, ())),
            roster_since=beijing_date(rosters[one.id].created_at) if one.id in rosters else None,
            enrolment_opens=beijing_date(one.enrolment_opens) if one.enrolment_opens else None,
            enrolment_closes=beijing_date(one.enrolment_closes) if one.enrolment_closes else None,
            applicants=_count(for_institution.get(one.id)),
            applicants_of_teachers=_count(for_teachers.get(one.id)),
            teachers_unbound=tuple(called[each] for each in unbound_teachers),
            trainees_unbound=unbound_trainees,
            not_arrived=sum(enrolled.get(one.id, {}).values()),
            sessions=sessions.get(one.id, 0),
            sessions_today=tuple(of_today.get(one.id, ())),
            nobodys=(
                Count(len(nobodys[one.id]), beijing_date(nobodys[one.id][0].starts_at))
                if one.id in nobodys
                else None
            ),
            unscheduled=unscheduled.get(one.id, 0),
            held=taught[one.id].held if one.id in taught else 0,
            missing=taught[one.id].missing if one.id in taught else 0,
            not_held=_not_held(taught.get(one.id)),
            tasks=one.id in tasks,
            releasable_since=_day(taught[one.id].over_since) if one.id in releasable else None,
            change=_change(changes.get(one.id)),
            place=_waits(places.get(one.id)),
            ungraded=_ungraded(ungraded.get(one.id)),
            ungraded_early=ungraded[one.id].early if one.id in ungraded else 0,
            teaching_names=tuple(called[each.person_id] for each in one.who(Kind.TEACHING)),
            assessing_names=tuple(called[each.person_id] for each in one.who(Kind.ASSESSMENT)),
            reopened=_reopened(reopened.get(one.id)),
            reopening=_waits(reopening.get(one.id)),
            survey=_survey(surveyed.get(one.id)),
            surveyed=one.id in surveyed,
            survey_closed_on=_closed(surveyed.get(one.id), now) if in_force.survey_required else None,
            certificates_due=due.get(one.id, 0),
            certificates_failed=failed.get(one.id, 0),
        )

    return {one.id: of_class(one) for one in found}


def itself(one: TrainingClass) -> ClassFacts:
    """What a class says of itself: of its sessions nothing, and so there may be some."""
    return ClassFacts(
        class_id=one.id,
        institution_name=one.institution_name,
        province_name=PROVINCE_NAMES[one.province_code],
        opened_on=beijing_date(one.opened_at),
        starts_on=one.starts_on,
        ends_on=one.ends_on,
        ended=one.condition.ended,
        released_on=beijing_date(one.results_released_at) if one.results_released_at else None,
        applied=one.application_id is not None,
        kinds=frozenset(kind for teacher in one.teachers for kind in teacher.kinds),
        governed=one.scheme_version is not None,
        trainees=one.admitted,
        sessions=1,
    )


def _is_near(one: TrainingClass, today: date) -> bool:
    return one.starts_on - SOON <= today <= one.ends_on


async def _bound(
    scope: Scope, near: Sequence[TrainingClass], enrolled: Mapping[str, Collection[str]]
) -> dict[str, tuple[tuple[str, ...], int]]:
    """By class id: the ids of its teachers for whom no phone speaks, and how many of its trainees have none that does in it."""
    ids = {one.person_id for each in near for one in each.teachers}
    ids.update(person_id for each in near for person_id in enrolled.get(each.id, ()))
    phones = await people.phones_of(scope, sorted(ids)) if ids else {}
    found = {}
    for one in near:
        missing = tuple(
            each.person_id
            for each in one.teachers
            if each.person_id not in phones or not phones[each.person_id].everywhere
        )
        silent = sum(
            each not in phones or not phones[each].opens(one.institution_code)
            for each in enrolled.get(one.id, ())
        )
        found[one.id] = (missing, silent)
    return found


def _letters(asked: Asked, called: Mapping[str, str]) -> Letters:
    if not asked.open:
        return Letters(lost=asked.lost, lapsed_on=asked.lapsed_on)
    return Letters(
        tuple(called[one.teacher_id] for one in asked.open),
        beijing_date(min(one.sent_at for one in asked.open)),
        min(one.reply_until for one in asked.open),
    )


def _unanswered(one: TrainingClass, asked: Mapping[Kind, Asked]) -> Count | None:
    """Once somebody has accepted, nobody else need be asked."""
    lost = [letter for kind, each in asked.items() if not one.who(kind) for letter in each.unanswered]
    return Count(len(lost), beijing_date(min(letter.reply_by for letter in lost))) if lost else None


def _scheme(newest: schemes.Newest | None, called: Mapping[str, str]) -> SchemeFacts | None:
    if newest is None:
        return None
    return SchemeFacts(
        newest.state,
        newest.since,
        newest.id,
        newest.by_teacher,
        tuple(called[one.person_id] for one in newest.unsigned),
        newest.signed_on,
    )


def _day(moment: datetime | None) -> date | None:
    return beijing_date(moment) if moment else None


def _count(found: tuple[int, date] | None) -> Count | None:
    return Count(*found) if found else None


def _ungraded(found: assessment.Ungraded | None) -> Count | None:
    return Count(found.number, found.since) if found and found.number else None


def _waits(found: Reviewed | None) -> tuple[str, date] | None:
    """Its id, and since when it waits."""
    return (found.id, beijing_date(found.history[-1].at)) if found else None


def _not_held(found: Taught | None) -> NotHeld | None:
    if found is None or found.since is None:
        return None
    return NotHeld(found.empty, found.not_held, beijing_date(found.since))


def _reopened(found: Reopening | None) -> tuple[str, date] | None:
    return (found.reason, beijing_date(found.history[-1].at)) if found else None


def _change(change: ClassChange | None) -> ChangeFacts | None:
    if change is None:
        return None
    since = beijing_date(change.history[-1].at if change.history else change.filed_at)
    if change.state is Changing.SUBMITTED:
        return ChangeFacts(change.id, change.kind.label, since, Owner.PROVINCE, "")
    asked = change.later.institution_name if change.state is Changing.ASKED and change.later else ""
    return ChangeFacts(change.id, change.kind.label, since, Owner.INSTITUTION, asked)


def _closed(standing: Standing | None, now: datetime) -> date | None:
    over = standing is not None and standing.own.state_at(now) is SurveyState.CLOSED
    return beijing_date(standing.own.closes_at) if standing and over else None


def _survey(standing: Standing | None) -> SurveyFacts | None:
    if standing is None or standing.open is None:
        return None
    opens, closes = beijing_date(standing.open.opens_at), beijing_date(standing.open.closes_at)
    return SurveyFacts(opens, closes, len(standing.silent), standing.few.words if standing.few else "")
