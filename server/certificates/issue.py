"""Issuing (核发) and revoking: who gets a certificate, and its codes, in one transaction (articles 4.6, 16 to 18)."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, Field

from server.accounts import people
from server.assessment import service as assessment
from server.attendance import service as attendance
from server.attendance import work
from server.certificates import rules, sealed, store
from server.certificates.documents import Certificate, CertificateSnapshot, SealedSnapshot
from server.certificates.press import press, verify_url
from server.certificates.render import TEMPLATE_VERSION, Sheet
from server.classes import service as classes
from server.classes.documents import Enrolment, TrainingClass
from server.institutions import rules as institution_rules
from server.institutions import service as institutions
from server.institutions.rules import NotQualified
from server.kernel import policies, sequences
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, NotFound
from server.kernel.folding import folded
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reasons import Reason
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.ledger import service as ledger
from server.ledger.documents import EntryKind
from server.surveys import opening as survey_opening
from server.surveys import service as surveys
from server.surveys.rules import SurveyState
from server.surveys.standing import Standing

TOKEN_BYTES = 16
PASSED = "合格"


class AlreadyRevoked(Conflict):
    slug = "certificate-already-revoked"
    title = "证书已经撤销"
    default_detail = "这张证书此前已经撤销，无需重复办理。"


class Revocation(BaseModel):
    reason: Annotated[Reason, Field(title="撤销理由")]
    typed: Annotated[str, Field(title="证书编号", max_length=40)] = ""
    """The number of the certificate, typed by whoever revokes it."""


@dataclass(frozen=True)
class Candidate:
    """A trainee on the way to a certificate. `obstacles` say what is missing, in Chinese."""

    trainee: Enrolment
    obstacles: tuple[str, ...]
    certificate: Certificate | None

    @property
    def due(self) -> bool:
        return self.certificate is None and not self.obstacles


@dataclass(frozen=True)
class ClassCertificates:
    """The certificates of a class, trainees in the order of the roster."""

    training_class: TrainingClass
    candidates: list[Candidate]
    hindrance: str
    """Why nothing may be issued for this class today (articles 16 and 17); empty when it may."""

    @property
    def due(self) -> int:
        return sum(one.due for one in self.candidates)

    @property
    def issued(self) -> int:
        return sum(one.certificate is not None for one in self.candidates)


async def class_certificates(platform: Platform, actor: Actor, class_id: str) -> ClassCertificates:
    """The certificates of a class in the actor's jurisdiction: issued, due, and what stands in the way of the others."""
    training_class = await classes.get_class(platform, actor, class_id)
    today = beijing_date(platform.clock.now())
    try:
        classes.require_not_ended(training_class)
        await _require_qualified(platform, actor, training_class, today)
        rules.require_scheme(training_class.application_id, training_class.scheme_version)
        rules.require_over(training_class.ends_on, today)
        await _require_held(platform, training_class)
        await _require_survey(platform, class_id, today)
        hindrance = ""
    except (
        classes.ClassEnded,
        NotQualified,
        rules.SchemeNotApproved,
        rules.SurveyNotYetOpened,
        rules.TrainingNotOver,
        rules.HoursNotHeld,
        rules.DaysNotTrue,
    ) as refusal:
        hindrance = refusal.detail
    return ClassCertificates(training_class, await _candidates(platform, training_class), hindrance)


async def due_in(
    scope: Scope,
    found: Sequence[TrainingClass],
    people: Mapping[str, Collection[str]],
    asked: Mapping[str, Standing],
) -> dict[str, int]:
    """By class id how many certificates wait to be issued: of released classes that the caller has fetched already, with who is of them
    and how their surveys stand; a class without any is left out. What stands in the way of the class itself its page says."""
    now = scope.platform.clock.now()
    today = beijing_date(now)
    required = (await policies.on(scope, today)).survey_required
    over = [one.id for one in found if one.results_released_at is not None and one.ends_on <= today]
    most = await assessment.count_passed(scope, over)
    issued = await store.count_by_class(scope, list(most))
    missing = [class_id for class_id, count in most.items() if count > issued.get(class_id, 0)]
    passed = await assessment.passed_with_hours(scope, missing)
    held = await store.holders_of(scope, missing)
    due = {}
    for class_id, who in passed.items():
        survey = asked.get(class_id)
        may = who & set(people.get(class_id, ())) - held.get(class_id, set())
        if required and (survey is None or survey.own.state_at(now) is not SurveyState.CLOSED):
            may &= survey.own_answered if survey else frozenset()
        if may:
            due[class_id] = len(may)
    return due


async def issue_certificates(platform: Platform, actor: Actor, class_id: str) -> int:
    """Issues a certificate to everybody of a class who may have one and has none; returns how many. Again, it issues what is missing.

    Raises NotQualified (article 16, on this day), SchemeNotApproved (article 4.3), TrainingNotOver before the last day, HoursNotHeld,
    DaysNotTrue, SurveyNotYetOpened, OrderExhausted when a serial or a number would run out, TextTooLong when the class's words do not fit
    on the page: each before anything is written.
    """
    training_class = await classes.get_class(platform, actor, class_id)
    await survey_opening.open_if_due(platform, [class_id])
    await _prove_layout(platform, training_class)
    return await _issue(platform, actor, class_id)


@transactional
async def _issue(unit: UnitOfWork, class_id: str) -> int:
    training_class = await classes.get_class(unit, unit.actor, class_id)
    today = beijing_date(unit.now)
    classes.require_not_ended(training_class)
    await _require_qualified(unit, unit.actor, training_class, today)
    rules.require_scheme(training_class.application_id, training_class.scheme_version)
    rules.require_over(training_class.ends_on, today)
    await _require_held(unit, training_class)
    await _require_survey(unit, class_id, today)
    due = [one.trainee for one in await _candidates(unit, training_class) if one.due]
    if not due:
        unit.nothing_written()
        return 0
    await classes.take_turn(unit, class_id)  # a release is not opened again while certificates come of it
    held = await work.trained_days(unit, class_id)
    last_day = rules.last_day(training_class.ends_on, held, put_off=training_class.put_off)
    persons = await people.persons(unit, [one.person_id for one in due])
    codes = await _take_codes(unit, training_class, len(due))
    new = [
        Certificate(
            class_id=class_id,
            person_id=trainee.person_id,
            institution_code=training_class.institution_code,
            province_code=training_class.province_code,
            printed=SealedSnapshot(
                **_words(training_class, last_day, today),
                name=persons[trainee.person_id].name,
                id_number=persons[trainee.person_id].id_number,
                id_number_masked=persons[trainee.person_id].id_number_masked,
                serial=serial,
                number=number,
            ),
            folded_name=folded(persons[trainee.person_id].name),
            token=secrets.token_urlsafe(TOKEN_BYTES),
            issued_at=unit.now,
            issued_by=unit.actor.name,
        )
        for trainee, (serial, number) in zip(due, codes, strict=True)
    ]
    await store.insert(unit, new)
    subjects = await sealed.subjects_of(unit, new)
    await ledger.record_several(unit, EntryKind.ISSUED, [(one, {}) for one in subjects])
    for one in new:
        unit.notify(
            one.person_id,
            "certificate-issued",
            class_name=training_class.name,
            number=one.printed.number,
            issuer=training_class.institution_name,
        )
    unit.audit("certificates:issue", class_id, issued=len(new), first=codes[0][1], last=codes[-1][1])
    return len(new)


@transactional
async def revoke_certificate(unit: UnitOfWork, certificate_id: str, wanted: Revocation) -> Certificate:
    """Revokes a certificate of the actor's institution (谁发证、谁负责, article 18). The row stays, and verification says so.

    Raises NotFound outside the jurisdiction, NumberDiffers, AlreadyRevoked.
    """
    found = await store.in_reach(unit, unit.actor.jurisdiction, certificate_id)
    if found is None:
        raise NotFound("没有这张证书，或不在您的管理范围内。")
    rules.check_typed(wanted.typed, found.printed.number)
    revoked = await store.revoke(unit, certificate_id, at=unit.now, by=unit.actor.name, reason=wanted.reason)
    if revoked is None:
        raise AlreadyRevoked()
    await ledger.record(unit, EntryKind.REVOKED, await sealed.subject_of(unit, revoked), reason=wanted.reason)
    unit.notify(found.person_id, "certificate-revoked", number=found.printed.number, reason=wanted.reason)
    unit.audit("certificates:revoke", certificate_id, number=found.printed.number, reason=wanted.reason)
    return revoked


async def _require_qualified(scope: Scope, actor: Actor, training_class: TrainingClass, on: date) -> None:
    institution = await institutions.institution(scope, actor, training_class.institution_code)
    institution_rules.require_qualified(
        institution.qualifications, training_class.level, training_class.major, on
    )


async def _require_held(scope: Scope, training_class: TrainingClass) -> None:
    """The release has asked for the hours already; this holds whatever brought a class here. Raises HoursNotHeld, and DaysNotTrue for a
    class whose days do not span what was held, once there is a result to certify."""
    if training_class.results_released_at is not None:
        hours = await attendance.hours_of_class(scope, training_class)
        rules.require_held(training_class.class_hours, hours.held)
        held = await work.trained_days(scope, training_class.id)
        rules.require_spanned(training_class.starts_on, training_class.ends_on, held)


async def any_issued(scope: Scope, class_id: str) -> bool:
    """Whether a certificate was ever issued in a class that the caller has fetched already, revoked ones included."""
    return bool(await store.of_class(scope, class_id))


async def _candidates(scope: Scope, training_class: TrainingClass) -> list[Candidate]:
    results = await assessment.released_results(scope, training_class.id)
    answered = await surveys.respondents(scope, training_class.id)
    survey_required = await _survey_required(scope, training_class.id)
    certificates = await store.of_class(scope, training_class.id)
    candidates = []
    for trainee in await classes.trainees(scope, training_class.id):
        result = results.get(trainee.person_id)
        obstacles = rules.obstacles(
            passed=result.passed if result else None,
            attended_enough=result.attendance_ok if result else True,
            survey_done=trainee.person_id in answered,
            survey_required=survey_required,
        )
        candidates.append(Candidate(trainee, obstacles, certificates.get(trainee.person_id)))
    return candidates


async def _require_survey(scope: Scope, class_id: str, today: date) -> None:
    required = (await policies.on(scope, today)).survey_required
    opened = await surveys.survey_of_class(scope, class_id) is not None
    rules.require_survey(required=required, opened=opened)


async def _survey_required(scope: Scope, class_id: str) -> bool:
    """Policy `survey_required`, for a class that has a survey, and as long as it can still be answered.

    Article 4.6 gives a certificate to whoever passed; a policy may ask for something first, but not for what has become impossible.
    """
    now = scope.platform.clock.now()
    survey = await surveys.survey_of_class(scope, class_id)
    if survey is None or survey.state_at(now) is SurveyState.CLOSED:
        return False
    return (await policies.on(scope, beijing_date(now))).survey_required


async def _take_codes(
    unit: UnitOfWork, training_class: TrainingClass, count: int
) -> Sequence[tuple[str, str]]:
    """Serial and number for each of `count` certificates, in order (article 17). Raises OrderExhausted."""
    place = (training_class.province_code, training_class.institution_code)
    month = rules.year_month(training_class.planned_first_day)
    level = training_class.level
    first_serial = await sequences.take(unit, rules.serial_sequence(*place), count, last=rules.SERIAL_LAST)
    first_number = await sequences.take(
        unit, rules.number_sequence(*place, month, level), count, last=rules.NUMBER_LAST
    )
    return [
        (rules.serial(*place, first_serial + n), rules.number(*place, month, level, first_number + n))
        for n in range(count)
    ]


def _words(training_class: TrainingClass, last_day: date, issued_on: date) -> dict[str, Any]:
    """What all certificates of a class say alike."""
    return {
        "training_from": training_class.starts_on,
        "training_to": last_day,
        "level": training_class.level,
        "major": training_class.major_name,
        "courses": tuple(training_class.courses),
        "class_hours": training_class.class_hours,
        "result": PASSED,
        "issuer": training_class.institution_name,
        "issued_on": issued_on,
        "class_name": training_class.name,
        "template_version": TEMPLATE_VERSION,
    }


async def _prove_layout(platform: Platform, training_class: TrainingClass) -> None:
    """Draws a sheet with the longest name of the class. Raises TextTooLong: better before a number is spent than on paper."""
    names = [one.name for one in await classes.trainees(platform, training_class.id)]
    if not names:
        return
    place = (training_class.province_code, training_class.institution_code)
    month = rules.year_month(training_class.planned_first_day)
    proof = CertificateSnapshot(
        **_words(training_class, training_class.ends_on, beijing_date(platform.clock.now())),
        name="示" * max(map(len, names)),
        id_number="0" * 18,
        serial=rules.serial(*place, rules.SERIAL_LAST),
        number=rules.number(*place, month, training_class.level, rules.NUMBER_LAST),
    )
    await press().pdf(Sheet(proof, verify_url(platform, "0" * 22)))
