"""入学通知, 承诺书 and 报到 (article 10): discipline is made clear with the notice, at the arrival and during the training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from server.accounts import binding, codes, people
from server.accounts.proofs import Voucher
from server.accounts.rules import Evidence
from server.admissions import places, rules, store
from server.admissions.documents import Arrival, ClassAdmission
from server.attendance import service as attendance
from server.classes import enrolment
from server.classes import service as classes
from server.classes.documents import Enrolment, TrainingClass
from server.kernel import paper
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict
from server.kernel.history import step
from server.kernel.identity import Actor
from server.kernel.life import LifeStep, State
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional

TEMPLATE = Path(__file__).with_name("notice.typ")
CONFIRM, UNDO, PAPER_PLEDGE = "CONFIRM", "UNDO", "PAPER_PLEDGE"
STEP_TITLES = {CONFIRM: "核对证件，办理报到", UNDO: "撤销报到", PAPER_PLEDGE: "收到纸质承诺书"}

OPENING = "经审核，您已被录取参加以下培训。请按下列时间和地点报到，报到时由工作人员核对身份证原件。"
NO_CHECK_IN = "没有办理报到的，不能签到。"


class ArrivalClosed(Conflict):
    slug = "arrival-closed"
    title = "不能再办理报到"
    default_detail = "本班成绩已公布，报到登记不能再更改。"


@dataclass(frozen=True)
class Notice:
    """The admission notice of one trainee, and whether they opened it and signed."""

    training_class: TrainingClass
    enrolment: Enrolment
    admission: ClassAdmission | None
    arrival: Arrival | None

    @property
    def to_bring(self) -> str:
        return self.admission.to_bring if self.admission else rules.USUAL_THINGS

    @property
    def reporting(self) -> str:
        if self.admission and self.admission.reporting:
            return self.admission.reporting
        return f"{self.training_class.starts_on} 到 {self.training_class.place} 报到。"


@dataclass(frozen=True)
class ArrivalRow:
    """One trainee of a class at the reception desk."""

    enrolment: Enrolment
    evidence: Evidence
    arrival: Arrival | None
    undoable: bool
    """Whether the arrival may be taken back today."""

    @property
    def called(self) -> tuple[str, str]:
        return self.enrolment.name, self.enrolment.id_number_masked

    @property
    def pledged(self) -> bool:
        return self.arrival is not None and (
            self.arrival.pledged_at is not None or self.arrival.pledge_on_paper
        )


# ---- the trainee's own


async def my_notice(platform: Platform, actor: Actor, class_id: str) -> Notice:
    """The actor's admission notice; reading it records nothing (open_notice). Raises NotFound."""
    return await _notice(platform, actor, class_id)


async def _notice(scope: Scope, actor: Actor, class_id: str) -> Notice:
    training_class = await classes.attended_class(scope, actor, class_id, applied=True)
    return Notice(
        training_class,
        await classes.trainee(scope, class_id, actor.person_id),
        await store.class_admission(scope, class_id),
        await store.arrival(scope, class_id, actor.person_id),
    )


@transactional
async def open_notice(unit: UnitOfWork, class_id: str) -> Notice:
    """The same, opened: the first time is recorded, and again it changes nothing. Raises NotFound."""
    notice = await _notice(unit, unit.actor, class_id)
    if notice.arrival is not None and notice.arrival.notice_opened_at is not None:
        unit.nothing_written()
        return notice
    await store.change_arrival(
        unit, class_id, unit.actor.person_id, _whose(notice.training_class), {"notice_opened_at": unit.now}
    )
    unit.audit("admissions:open-notice", class_id, person_id=unit.actor.person_id)
    return await _notice(unit, unit.actor, class_id)


async def mine_in(scope: Scope, person_id: str, class_ids: Sequence[str]) -> dict[str, Arrival]:
    """By class what is kept of notice, pledge and arrival of one person; a class whose notice was not opened has nothing."""
    return await store.arrivals_of(scope, person_id, class_ids)


async def my_notice_pdf(platform: Platform, actor: Actor, class_id: str) -> bytes:
    """The same as PDF. Raises NotFound, PaperLacksCharacter, PaperFailed, Unavailable."""
    return await paper.render(TEMPLATE, _words(await my_notice(platform, actor, class_id)))


def _words(notice: Notice) -> dict[str, JsonValue]:
    """What notice.typ prints, ready made."""
    training = notice.training_class
    admitted = beijing_date(notice.enrolment.enrolled_at)
    return {
        "document_title": f"{training.name}入学通知",
        "document_date": {"year": admitted.year, "month": admitted.month, "day": admitted.day},
        "name": notice.enrolment.name,
        "id_number": notice.enrolment.id_number_masked,
        "work_unit": notice.enrolment.work_unit,
        "opening": OPENING + (NO_CHECK_IN if notice.enrolment.arrival_required else ""),
        "facts": [
            ["培训班", training.name],
            ["培训级别", training.level.training],
            ["专业大类", training.major_name],
            ["培训时间", f"{training.starts_on} 至 {training.ends_on}，共 {training.class_hours} 课时"],
            ["培训地点", training.place],
            ["报到", notice.reporting],
            ["请携带", notice.to_bring],
        ],
        "discipline": [[article, words] for article, words in rules.DISCIPLINE],
        "version": str(rules.DISCIPLINE_VERSION),
        "pledge": rules.PLEDGE,
        "signed": _signed(notice.arrival),
        "institution": training.institution_name,
        "issued_on": f"{admitted.year}年{admitted.month}月{admitted.day}日",
    }


def _signed(arrival: Arrival | None) -> str:
    """Empty as long as the pledge is not signed: then the paper leaves room for a pen."""
    if arrival is None or arrival.pledged_at is None:
        return ""
    return f"已于 {beijing_date(arrival.pledged_at)} 在小程序中签署（第 {arrival.pledge_version} 版）。"


@transactional
async def sign_pledge(unit: UnitOfWork, class_id: str, text_version: int) -> Arrival:
    """Records that the actor signed the pledge, when, and which text; signed again, it answers the same.

    Raises NotFound, PledgeOutdated when the text has changed since it was read.
    """
    notice = await _notice(unit, unit.actor, class_id)
    rules.require_current_pledge(text_version)
    person_id = unit.actor.person_id
    if notice.arrival is not None and notice.arrival.pledge_version == text_version:
        unit.nothing_written()
        return notice.arrival
    change: Row = {"pledged_at": unit.now, "pledge_version": text_version}
    if notice.arrival is None or notice.arrival.notice_opened_at is None:
        change["notice_opened_at"] = unit.now  # who signs the text has it before them
    await store.change_arrival(unit, class_id, person_id, _whose(notice.training_class), change)
    unit.audit("admissions:sign-pledge", class_id, person_id=person_id, version=text_version)
    signed = await store.arrival(unit, class_id, person_id)
    assert signed is not None
    return signed


def _whose(training_class: TrainingClass) -> Row:
    return {
        "institution_code": training_class.institution_code,
        "province_code": training_class.province_code,
    }


async def life(platform: Platform, _: Actor, training_class: TrainingClass) -> list[LifeStep]:
    """报到 (article 10), of a class in which it comes before the first check-in."""
    if not training_class.arrival_required:
        return []
    enrolled = await classes.trainees(platform, training_class.id)
    arrived = sorted((one.arrived_at, one.arrival_by or "") for one in enrolled if one.arrived_at is not None)
    href = f"/admin/classes/{training_class.id}/arrivals"
    if not arrived:
        return [LifeStep("报到", "todo", href=href)]
    when, who = arrived[-1]
    state: State = "done" if len(arrived) == len(enrolled) else "current"
    return [LifeStep("报到", state, who, when, href, f"{len(arrived)} / {len(enrolled)} 人")]


# ---- the reception desk


async def class_arrivals(platform: Platform, class_id: str) -> list[ArrivalRow]:
    """Everybody of a class that the caller has fetched already, in the order of the roster."""
    enrolled = await classes.trainees(platform, class_id)
    known = await people.persons(platform, [one.person_id for one in enrolled])
    kept = await store.arrivals(platform, class_id)
    checked_in = await attendance.who_checked_in(platform, class_id)
    now = platform.clock.now()
    return [
        ArrivalRow(
            one,
            Evidence(known[one.person_id].evidence),
            kept.get(one.person_id),
            rules.may_undo(one.arrived_at, now, checked_in=one.person_id in checked_in),
        )
        for one in enrolled
    ]


@dataclass(frozen=True)
class Desk:
    """The reception desk of a class as somebody sits at it."""

    training_class: TrainingClass
    rows: list[ArrivalRow]
    found: list[ArrivalRow]
    """Whom was asked for: one, several of whom one is chosen (those first who are still to come), or nobody."""
    last: ArrivalRow | None
    """Whom the actor has just confirmed, as long as it may be taken back."""

    @property
    def arrived(self) -> int:
        return sum(one.enrolment.arrived_at is not None for one in self.rows)


async def desk(
    platform: Platform, actor: Actor, class_id: str, *, words: str = "", person_id: str = ""
) -> Desk:
    """Everybody of a class in the actor's reach, and whom `words` mean: part of a name, the last four of the number, a personal code of
    the institution; or the one with this id. Raises NotFound."""
    training_class = await classes.get_class(platform, actor, class_id)
    if person_id:
        await classes.trainee(platform, class_id, person_id)
    rows = await class_arrivals(platform, class_id)
    everybody = [one.enrolment.person_id for one in rows]
    if words and not person_id:
        person_id = await codes.whose(platform, everybody, training_class.institution_code, words) or ""
    found = [
        one
        for one in rows
        if (one.enrolment.person_id == person_id if person_id else rules.is_called(words, *one.called))
    ]
    found.sort(key=lambda one: one.enrolment.arrived_at is not None)
    mine = [one for one in rows if one.undoable and one.enrolment.arrival_by == actor.name]
    last = max(mine, key=lambda one: one.enrolment.arrived_at or platform.clock.now(), default=None)
    return Desk(training_class, rows, found, last)


@transactional
async def confirm_arrival(
    unit: UnitOfWork, class_id: str, person_id: str, *, pledge_on_paper: bool, phone_digits: str = ""
) -> None:
    """Staff have compared the person with the identity card: the arrival stands, the evidence is STAFF_CONFIRMED.

    `phone_digits`: what the person's phone shows, where it is to be confirmed too. Somebody who had only claimed to be becomes the
    person of the number. Confirmed again, it changes nothing. Raises NotFound, ArrivalClosed, PledgeMissing, NoSuchPhone, AlreadyBound,
    NameDiffers, DatesClash.
    """
    training_class = await _class_at_the_desk(unit, class_id)
    trainee = await classes.trainee(unit, class_id, person_id)
    if trainee.arrived_at is not None:
        return unit.nothing_written()
    kept = await store.arrival(unit, class_id, person_id)
    if not pledge_on_paper and (kept is None or kept.pledged_at is None):
        raise rules.PledgeMissing()
    confirmed = await people.confirm_identity(unit, person_id)
    if confirmed.person_id != person_id:
        await _become(unit, training_class, trainee, confirmed.person_id)
        person_id = confirmed.person_id
    await enrolment.set_arrival(unit, class_id, person_id, unit.now)
    change: Row = {"evidence_before": confirmed.before, "number_before": confirmed.number_before}
    if phone_digits.strip():
        voucher, who = Voucher.institution(training_class.institution_code), training_class.institution_name
        await binding.confirm_by_card(unit, person_id, phone_digits, voucher, who=who)
        unit.audit("identities:confirm-phone", class_id, person_id=person_id)
    if pledge_on_paper:
        change["pledge_on_paper"] = True
    reason = STEP_TITLES[PAPER_PLEDGE] if pledge_on_paper else ""
    await store.change_arrival(
        unit, class_id, person_id, _whose(training_class), change, step(unit, CONFIRM, reason).model_dump()
    )
    unit.audit("admissions:confirm-arrival", class_id, person_id=person_id, on_paper=pledge_on_paper)
    return None


async def _become(
    unit: UnitOfWork, training_class: TrainingClass, claimed: Enrolment, person_id: str
) -> None:
    """The card shows that who applied is somebody known already: application, row and pledge are theirs from now on."""
    class_id, claim_id = training_class.id, claimed.person_id
    if await enrolment.trainee_ever(unit, class_id, person_id):
        await enrolment.leave(unit, class_id, claim_id)
    else:
        person = (await people.persons(unit, [person_id]))[person_id]
        row = {"person_id": person_id, "name": person.name, "id_number_masked": person.id_number_masked}
        await enrolment.leave(unit, class_id, claim_id)
        await enrolment.enrol(unit, training_class, [claimed.model_copy(update=row)])
    await places.recognise(unit, class_id, claim_id, person_id)


@transactional
async def undo_arrival(unit: UnitOfWork, class_id: str, person_id: str, reason: str) -> None:
    """Takes a slip back on the day it was made and before the first check-in; the evidence is again what it was before.

    Raises NotFound, ArrivalClosed, ArrivalStands.
    """
    training_class = await _class_at_the_desk(unit, class_id)
    trainee = await classes.trainee(unit, class_id, person_id)
    checked_in = person_id in await attendance.who_checked_in(unit, class_id)
    rules.require_may_undo(trainee.arrived_at, unit.now, checked_in=checked_in)
    await enrolment.set_arrival(unit, class_id, person_id, None)
    kept = await store.arrival(unit, class_id, person_id)
    if kept is not None and kept.evidence_before:
        before = Evidence(kept.evidence_before)
        await people.take_back_confirmation(unit, person_id, before, kept.number_before)
    voucher, who = Voucher.institution(training_class.institution_code), training_class.institution_name
    await binding.take_back_card(unit, person_id, voucher, who=who, reason=reason)
    await store.change_arrival(
        unit,
        class_id,
        person_id,
        _whose(training_class),
        {"evidence_before": None, "number_before": None, "pledge_on_paper": False},
        step(unit, UNDO, reason).model_dump(),
    )
    unit.audit("admissions:undo-arrival", class_id, person_id=person_id, reason=reason)


async def _class_at_the_desk(unit: UnitOfWork, class_id: str) -> TrainingClass:
    training_class = await classes.get_class(unit, unit.actor, class_id)
    await classes.exclude_release(unit, training_class, ArrivalClosed)
    return training_class
