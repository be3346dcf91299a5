"""Issuing (核发): who gets a certificate, and its codes, in one transaction (articles 4.6, 16 to 18).

What is written here waits to be signed (待签): see `signing`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.accounts import people
from server.assessment import service as assessment
from server.attendance import service as attendance
from server.attendance import work
from server.certificates import agreement, proof, rules, sealed, store
from server.certificates.documents import (
    Certificate,
    CertificateStatus,
    SealedSnapshot,
)
from server.certificates.press import new_token, press
from server.certificates.render import TEMPLATE_VERSION, FontsMissing
from server.certificates.rules import Asked
from server.classes import service as classes
from server.classes.documents import Enrolment, TrainingClass
from server.institutions import rules as institution_rules
from server.institutions import service as institutions
from server.institutions.rules import NotQualified
from server.kernel import policies, sequences
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, Unavailable
from server.kernel.folding import folded
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reasons import Reason
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.layouts import service as layouts
from server.seals import service as seals
from server.surveys import opening as survey_opening
from server.surveys import service as surveys
from server.surveys.rules import SurveyState
from server.surveys.standing import Standing


class AlreadyRevoked(Conflict):
    slug = "certificate-already-revoked"
    title = "证书已经撤销"
    default_detail = "这张证书此前已经撤销，无需重复办理。"


class BeingMade(Conflict):
    slug = "certificate-being-made"
    title = "证书正在制作"
    default_detail = "这张证书，或代替它的新证书，还没有制作完成，现在不能撤销。请稍候；制作失败的请先在培训班的证书页上处理。"


class NotToBeReplaced(Conflict):
    slug = "certificate-not-to-be-replaced"
    title = "这张证书不能补发或换发"
    default_detail = "这张证书还没有制作完成，或已由另一张证书代替。请从学员现行的证书办理。"


class BeingReplaced(Conflict):
    slug = "certificate-being-replaced"
    title = "已在补发或换发"
    default_detail = "代替这张证书的新证书已经取号，正在制作，无需重复办理。"


class Revocation(BaseModel):
    reason: Annotated[Reason, Field(title="撤销理由")]
    typed: Annotated[str, Field(title="证书编号", max_length=40)] = ""
    """The number of the certificate, typed by whoever revokes it."""


@dataclass(frozen=True)
class Candidate:
    """A trainee on the way to a certificate."""

    trainee: Enrolment
    asked: tuple[Asked, ...]
    certificate: Certificate | None

    @property
    def obstacles(self) -> tuple[str, ...]:
        """What is missing, in Chinese."""
        return rules.obstacles(self.asked)

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
    left: int
    """How many more numbers there are for certificates like these, and serials: the fewer of the two."""
    replacing: Sequence[Certificate] = ()
    """That wait to be signed and are to take the place of others (补发, 换发, 重新核发)."""

    @property
    def due(self) -> int:
        return sum(one.due for one in self.candidates)

    @property
    def issued(self) -> int:
        """To how many people, with those that wait to be signed."""
        return len(self._certificates)

    @property
    def made(self) -> int:
        return sum(not one.pending for one in self._certificates)

    @property
    def waiting(self) -> int:
        """To how many people none may be issued yet."""
        being_made = {one.person_id for one in self._waiting}
        return sum(
            not one.due
            and not (one.certificate and one.certificate.current)
            and one.trainee.person_id not in being_made
            for one in self.candidates
        )

    @property
    def valid(self) -> int:
        return sum(one.valid for one in self._certificates)

    @property
    def pending(self) -> int:
        return len(self._waiting)

    @property
    def being_made(self) -> int:
        """Those that wait for nobody: they are drawn and signed within seconds."""
        return sum(not one.given_up for one in self._waiting)

    @property
    def failed(self) -> list[Certificate]:
        return [one for one in self._waiting if one.failure]

    @property
    def _certificates(self) -> list[Certificate]:
        return [one.certificate for one in self.candidates if one.certificate and one.certificate.current]

    @property
    def _waiting(self) -> list[Certificate]:
        return [*(one for one in self._certificates if one.pending), *self.replacing]


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
    candidates = await _candidates(platform, training_class)
    if due := [one.trainee.name for one in candidates if one.due]:
        with suppress(Unavailable, FontsMissing):  # the page does not wait for what issuing asks again
            if lacking := await press().missing(due):
                candidates = await _candidates(platform, training_class, lacking)
    return ClassCertificates(
        training_class,
        candidates,
        hindrance,
        await _left(platform, training_class),
        await store.replacing(platform, class_id),
    )


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


@dataclass(frozen=True)
class Begun:
    """How many certificates have got their numbers, and which."""

    count: int = 0
    first: str = ""
    last: str = ""


async def issue_certificates(platform: Platform, actor: Actor, class_id: str) -> int:
    """Gives everybody of a class who may have a certificate and has none the number of one, which is signed within seconds; returns how
    many. Again, it issues what is missing.

    Raises NotQualified (article 16, on this day), SchemeNotApproved (article 4.3), TrainingNotOver before the last day, HoursNotHeld,
    DaysNotTrue, SurveyNotYetOpened, OrderExhausted when a serial or a number would run out, TextTooLong when the class's words do not fit
    on the page, KeyUnusable when nothing can be signed: each before anything is written.
    """
    training_class = await classes.get_class(platform, actor, class_id)
    await survey_opening.open_if_due(platform, [class_id])
    await proof.prove_layout(platform, training_class)
    await seals.material(platform, training_class.institution_code)
    names = [one.name for one in await classes.trainees(platform, class_id)]
    lacking = await press().missing(names) if names else ""
    return (await begin(platform, actor, class_id, lacking)).count


@transactional
async def begin(unit: UnitOfWork, class_id: str, lacking: str = "") -> Begun:
    """The numbers and the rows that wait to be signed. The orders, for which others wait, are taken last. `lacking`: characters that
    cannot be printed; whose name has one gets no number.

    Raises as `issue_certificates`."""
    training_class = await classes.get_class(unit, unit.actor, class_id)
    today = beijing_date(unit.now)
    classes.require_not_ended(training_class)
    await _require_qualified(unit, unit.actor, training_class, today)
    rules.require_scheme(training_class.application_id, training_class.scheme_version)
    rules.require_over(training_class.ends_on, today)
    await _require_held(unit, training_class)
    await _require_survey(unit, class_id, today)
    due = [one.trainee for one in await _candidates(unit, training_class, lacking) if one.due]
    if not due:
        unit.nothing_written()
        return Begun()
    await classes.take_turn(unit, class_id)  # a release is not opened again while certificates come of it
    held = await work.trained_days(unit, class_id)
    last_day = rules.last_day(training_class.ends_on, held, put_off=training_class.put_off)
    persons = await people.persons(unit, [one.person_id for one in due])
    layout, seal = await proof.look_of(unit, training_class, today)
    codes = await _take_codes(unit, training_class, len(due))
    new = [
        sealed.numbered(
            unit.platform,
            Certificate(
                class_id=class_id,
                person_id=trainee.person_id,
                institution_code=training_class.institution_code,
                province_code=training_class.province_code,
                printed=SealedSnapshot(
                    **proof.words(training_class, last_day, today),
                    layout=layout.id if layout else None,
                    seal=seal.id if seal else None,
                    look=sealed.look_of(layout, seal),
                    name=persons[trainee.person_id].name,
                    id_number=persons[trainee.person_id].id_number,
                    id_number_masked=persons[trainee.person_id].id_number_masked,
                    serial=serial,
                    number=number,
                ),
                folded_name=folded(persons[trainee.person_id].name),
                token=new_token(),
                status=CertificateStatus.PENDING,
                issued_at=unit.now,
                issued_by=unit.actor.name,
            ),
        )
        for trainee, (serial, number) in zip(due, codes, strict=True)
    ]
    await store.insert(unit, new)
    begun = Begun(len(new), codes[0][1], codes[-1][1])
    unit.audit("certificates:issue", class_id, issued=begun.count, first=begun.first, last=begun.last)
    return begun


async def issue_in_place_of(
    unit: UnitOfWork,
    old: Certificate,
    *,
    mark: str,
    keep_number: bool,
    printed: Mapping[str, Any] | None = None,
) -> Certificate:
    """Part of 补发, 换发, and of issuing anew after a revocation: one that waits to be signed, with a serial of its own, and with the
    number of `old` or the next one. It says what `old` says, but for `printed` and `mark`. `old` stays as it is until the new one is valid.

    Raises BeingReplaced where one takes its place already, KeyUnusable, OrderExhausted; CertificateInDoubt where `old` does not say what
    was issued.
    """
    ended = old.status in (CertificateStatus.REVOKED, CertificateStatus.VOID)
    if not (old.current or ended) or old.pending or old.replaced_by:
        raise NotToBeReplaced()
    await seals.material(unit.platform, old.institution_code)  # no number for what could not be signed
    if await agreement.in_doubt(unit, [old]):
        raise agreement.CertificateInDoubt()
    today = beijing_date(unit.now)
    layout = await layouts.in_force(unit, old.printed.level, today)
    seal = await seals.seal_in_force(unit, old.institution_code)
    said = old.printed.model_dump() | {
        "mark": mark,
        "template_version": TEMPLATE_VERSION,
        "layout": layout.id if layout else None,
        "seal": seal.id if seal else None,
        "look": sealed.look_of(layout, seal),
        **(printed or {}),
    }
    level = old.printed.level
    place = (old.province_code, old.institution_code)
    month = rules.parse_number(old.printed.number).year_month
    serials = await sequences.take(unit, rules.serial_sequence(*place), 1, last=rules.SERIAL_LAST)
    said["serial"] = rules.serial(*place, serials)
    if not keep_number:
        orders = rules.number_sequence(*place, month, level)
        order = await sequences.take(unit, orders, 1, last=rules.NUMBER_LAST)
        said["number"] = rules.number(*place, month, level, order)
    words = SealedSnapshot.model_validate(said)
    waiting = Certificate(
        class_id=old.class_id,
        person_id=old.person_id,
        institution_code=old.institution_code,
        province_code=old.province_code,
        printed=words,
        folded_name=folded(words.name),
        token=new_token(),
        status=CertificateStatus.PENDING,
        current=False,
        issued_at=unit.now,
        issued_by=unit.actor.name,
        replaces=old.id,
    )
    new = sealed.numbered(unit.platform, waiting)
    try:
        await store.insert(unit, [new])
    except DuplicateKeyError:
        raise BeingReplaced() from None
    unit.audit(
        "certificates:issue", old.class_id, issued=1, first=words.number, last=words.number, replaces=old.id
    )
    return new


@transactional
async def try_again(unit: UnitOfWork, class_id: str) -> int:
    """Has those of a class that could not be made tried again at once, under their numbers; how many. Raises NotFound."""
    await classes.get_class(unit, unit.actor, class_id)
    count = await store.try_again(unit, class_id)
    if not count:
        unit.nothing_written()
        return 0
    unit.audit("certificates:try-again", class_id, certificates=count)
    return count


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


async def given_up(scope: Scope, class_ids: Sequence[str]) -> dict[str, int]:
    """By class id how many certificates could not be made, and wait for somebody."""
    return await store.given_up_by_class(scope, class_ids)


async def any_issued(scope: Scope, class_id: str) -> bool:
    """Whether a certificate was ever issued in a class that the caller has fetched already, revoked ones included."""
    return bool(await store.of_class(scope, class_id))


async def _candidates(scope: Scope, training_class: TrainingClass, lacking: str = "") -> list[Candidate]:
    results = await assessment.released_results(scope, training_class.id)
    answered = await surveys.respondents(scope, training_class.id)
    survey_required = await _survey_required(scope, training_class.id)
    certificates = await store.of_class(scope, training_class.id)
    candidates = []
    for trainee in await classes.trainees(scope, training_class.id):
        result = results.get(trainee.person_id)
        asked = rules.asked(
            arrived=not trainee.awaits_arrival if trainee.arrival_required else None,
            passed=result.passed if result else None,
            attended_enough=result.attendance_ok if result else True,
            hours=f"{result.hours_attended} / {result.hours_total} 课时" if result else "",
            total=f"总评 {result.total:g} 分" if result else "",
            survey_done=trainee.person_id in answered,
            survey_required=survey_required,
            lacking="".join(one for one in dict.fromkeys(trainee.name) if one in lacking),
        )
        candidates.append(Candidate(trainee, asked, certificates.get(trainee.person_id)))
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


async def _left(scope: Scope, training_class: TrainingClass) -> int:
    place = (training_class.province_code, training_class.institution_code)
    month = rules.year_month(training_class.planned_first_day)
    lasts = {
        rules.serial_sequence(*place): rules.SERIAL_LAST,
        rules.number_sequence(*place, month, training_class.level): rules.NUMBER_LAST,
    }
    taken = await sequences.taken(scope, list(lasts))
    return min(last - taken.get(name, 0) for name, last in lasts.items())


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
