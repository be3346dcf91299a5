"""名单报送 and 登记入库: a 师资研修中心 reports who passed, the centre registers them with one decision (articles 7 and 9.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.accounts import people
from server.assessment import service as assessment
from server.backbone import service as backbone
from server.backbone.service import Entry
from server.certificates import service as certificates
from server.certificates.documents import Certificate, CertificateStatus
from server.classes import service as classes
from server.classes.documents import Enrolment, TrainingClass
from server.institutions.annex1 import PROVINCES
from server.kernel.clock import beijing_date
from server.kernel.downloads import Download
from server.kernel.errors import Conflict, FieldError, Invalid, NotFound
from server.kernel.history import step
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reviewed import take
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.selection import decision as papers
from server.selection import rules, store
from server.selection.documents import Decision, Nominee, Passed, PassList, Registered
from server.selection.rules import Action, ListAction, ListState, State
from server.selection.service import Return, move

PROVINCE_CODES = frozenset(province.code for province in PROVINCES)


class NobodyToReport(Conflict):
    slug = "nobody-to-report"
    title = "没有可报送的合格教师"
    default_detail = "名单只列考核合格并已核发骨干教师培训合格证书的教师。请先公布成绩、核发证书。"


class NobodyFailed(Conflict):
    slug = "nobody-failed"
    title = "没有未通过的候选人"
    default_detail = "成绩公布后，才能记录未通过选拔的候选人；目前没有需要记录的。"


class ListOpen(Conflict):
    slug = "list-open"
    title = "本班已有待登记的名单"
    default_detail = "本班的名单已报送，请等部指导中心登记；被退回的，请在原名单上核对后重新报送。"


class ListOutdated(Conflict):
    slug = "list-outdated"
    title = "名单与证书台账不符"


class DecisionNumberTaken(Conflict):
    slug = "decision-number-taken"
    title = "文号已使用"
    default_detail = "这个文号的决定已经有了，请核对文号。"


class RegisteredMeanwhile(Conflict):
    slug = "registered-meanwhile"
    title = "名单中有人刚刚登记入库"
    default_detail = "名单中有教师在同一时刻被登记入库，本次没有登记任何人。请刷新后再登记。"


class Report(BaseModel):
    """`person_ids` and `province_codes` belong together: the provinces of those who came without a recommendation."""

    note: Annotated[str, Field(title="说明", max_length=500)] = ""
    person_ids: Annotated[list[str], Field(title="教师", max_length=500)] = Field(default_factory=list)
    province_codes: Annotated[list[str], Field(title="省份", max_length=500)] = Field(default_factory=list)

    @property
    def provinces(self) -> dict[str, str]:
        """Raises Invalid unless each of these teachers has a province."""
        if len(self.person_ids) != len(self.province_codes) or not set(self.province_codes) <= PROVINCE_CODES:
            raise Invalid(fields=[FieldError("province_codes", "请为每位未经平台推荐的教师选择省份。")])
        return dict(zip(self.person_ids, self.province_codes, strict=True))


class DecisionDraft(BaseModel):
    number: Annotated[str, Field(title="文号", min_length=4, max_length=40)]
    decided_on: Annotated[date, Field(title="决定日期")]
    seen: Annotated[int, Field(title="页面", ge=0)]


@dataclass(frozen=True)
class Standing:
    """Somebody of a 骨干 class on the way into the list."""

    trainee: Enrolment
    nominee: Nominee | None
    passed: bool
    """By the released results."""
    certificate: Certificate | None
    """The valid one of this class."""
    listed: bool
    """On a registered list of this class already."""

    @property
    def reportable(self) -> bool:
        return self.certificate is not None and not self.listed


@dataclass(frozen=True)
class ClassSelection:
    """A 骨干 class as its 师资研修中心 reports on it."""

    training_class: TrainingClass
    standings: list[Standing]
    lists: list[PassList]
    """Newest first."""

    @property
    def open_list(self) -> PassList | None:
        return next((one for one in self.lists if one.open), None)

    @property
    def reportable(self) -> list[Standing]:
        return [one for one in self.standings if one.reportable]

    @property
    def failing(self) -> list[Nominee]:
        """The candidates who did not pass by the released results, and of whom that is not noted yet."""
        if self.training_class.results_released_at is None:
            return []
        failed = [one.nominee for one in self.standings if one.nominee and not one.passed]
        return [one for one in failed if one.state is State.ENROLLED]


# ---- the 师资研修中心


async def class_selection(scope: Scope, actor: Actor, class_id: str) -> ClassSelection:
    """Raises NotFound for another's class, NotABackboneClass."""
    training_class = await classes.get_class(scope, actor, class_id)
    rules.require_backbone_class(training_class.level)
    lists = await store.lists_of_class(scope, class_id)
    nominees = {one.person_id: one for one in await store.of_class(scope, class_id)}
    results = await assessment.released_results(scope, class_id)
    issued = await certificates.of_class(scope, class_id)
    listed = {one.person_id for each in lists if each.state is ListState.REGISTERED for one in each.passed}
    standings = []
    for trainee in await classes.trainees(scope, class_id):
        result, certificate = results.get(trainee.person_id), issued.get(trainee.person_id)
        valid = certificate is not None and certificate.status is CertificateStatus.VALID
        standings.append(
            Standing(
                trainee,
                nominees.get(trainee.person_id),
                passed=result is not None and result.passed,
                certificate=certificate if valid else None,
                listed=trainee.person_id in listed,
            )
        )
    return ClassSelection(training_class, standings, lists)


async def report(platform: Platform, actor: Actor, class_id: str, wanted: Report) -> PassList:
    """Reports everybody who passed and holds the certificate of the class; who did not pass is noted as such.

    Raises NobodyToReport, ListOpen, Invalid without a province for somebody, NotABackboneClass, NotFound.
    """
    try:
        return await _report(platform, actor, class_id, wanted)
    except DuplicateKeyError:
        raise ListOpen() from None


@transactional
async def _report(unit: UnitOfWork, class_id: str, wanted: Report) -> PassList:
    rules.LIST_STEPS.require_right(ListAction.REPORT, unit.actor.roles)
    seen = await class_selection(unit, unit.actor, class_id)
    if seen.open_list:
        raise ListOpen()
    held = seen.training_class
    new = PassList(
        class_id=class_id,
        class_name=held.name,
        institution_code=held.institution_code,
        institution_name=held.institution_name,
        province_code=held.province_code,
        major=held.major,
        training_from=held.starts_on,
        training_to=held.ends_on,
        passed=_lines(seen, wanted.provinces),
        note=wanted.note.strip(),
        submitted_at=unit.now,
        history=[step(unit, ListAction.REPORT, wanted.note.strip())],
    )
    await store.insert_list(unit, new)
    await _follow(unit, seen, new)
    unit.audit("selection:report-list", new.id, class_id=class_id, passed=len(new.passed))
    return new


@transactional
async def resubmit(unit: UnitOfWork, list_id: str, wanted: Report) -> PassList:
    """Reports a returned list again, with whoever holds the certificate now. Raises as `report`, and NotInThisState."""
    found = await pass_list(unit, unit.actor, list_id)
    rules.LIST_STEPS.after(found.state, ListAction.RESUBMIT, unit.actor.roles)
    seen = await class_selection(unit, unit.actor, found.class_id)
    provinces = {one.person_id: one.province_code for one in found.passed} | wanted.provinces
    changes = {
        "passed": _lines(seen, provinces),
        "note": wanted.note.strip(),
        "submitted_at": unit.now,
    }
    changed = await _move_list(unit, found, ListAction.RESUBMIT, wanted.note.strip(), changes)
    await _follow(unit, seen, changed)
    return changed


@transactional
async def conclude(unit: UnitOfWork, class_id: str) -> int:
    """Notes who did not pass by the released results, where there is nobody to report; returns how many there are.

    Raises NotYours, NotABackboneClass, NotFound, NobodyFailed.
    """
    rules.LIST_STEPS.require_right(ListAction.REPORT, unit.actor.roles)
    seen = await class_selection(unit, unit.actor, class_id)
    if not seen.failing:
        raise NobodyFailed()
    for one in seen.failing:
        await move(unit, one, Action.FAIL)
    return len(seen.failing)


def _lines(seen: ClassSelection, provinces: Mapping[str, str]) -> list[Passed]:
    lines = []
    for one in seen.reportable:
        assert one.certificate is not None
        person_id = one.trainee.person_id
        province = one.nominee.province_code if one.nominee else provinces.get(person_id)
        if province is None:
            message = f"{one.trainee.name}未经平台推荐，请选择其所在省份。"
            raise Invalid(fields=[FieldError("province_codes", message)])
        lines.append(
            Passed(
                person_id=person_id,
                name=one.trainee.name,
                id_number_masked=one.trainee.id_number_masked,
                province_code=province,
                work_unit=one.trainee.work_unit,
                certificate_number=one.certificate.printed.number,
                nominee_id=one.nominee.id if one.nominee else None,
            )
        )
    if not lines:
        raise NobodyToReport()
    return lines


async def _follow(unit: UnitOfWork, seen: ClassSelection, reported: PassList) -> None:
    """What the list makes of the recommendations: on it, off it again, or not passed by the released results."""
    on_it = {one.nominee_id for one in reported.passed}
    for nominee in [one.nominee for one in seen.standings if one.nominee]:
        if nominee.id in on_it and nominee.state is State.ENROLLED:
            await move(unit, nominee, Action.REPORT)
        elif nominee.id not in on_it and nominee.state is State.REPORTED:
            await move(unit, nominee, Action.DROP)
    for nominee in seen.failing:
        await move(unit, nominee, Action.FAIL)


# ---- the centre


@transactional
async def send_back(unit: UnitOfWork, list_id: str, wanted: Return) -> PassList:
    """Returns a list with a reason. Raises NotInThisState, Overtaken."""
    found = await pass_list(unit, unit.actor, list_id)
    rules.LIST_STEPS.after(found.state, ListAction.RETURN, unit.actor.roles)
    rules.LIST_STEPS.require_seen(wanted.seen, found.history)
    return await _move_list(unit, found, ListAction.RETURN, wanted.reason)


async def register(platform: Platform, actor: Actor, list_id: str, draft: DecisionDraft) -> Decision:
    """Registers everybody on the list with one decision, in one transaction: each is a member of the pool from now on.

    Who was in the pool already stays as they are, and the decision says so. Raises NotInThisState, Overtaken, Invalid
    for a date to come or before the report, DecisionNumberTaken, ListOutdated when a certificate was revoked since, RegisteredMeanwhile.
    """
    try:
        return await _register(platform, actor, list_id, draft)
    except DuplicateKeyError as error:
        key = (error.details or {}).get("keyPattern", {})
        if "number" in key:
            taken = FieldError("number", DecisionNumberTaken.default_detail)
            raise DecisionNumberTaken(fields=[taken]) from None
        if "certificate_number" in key:
            raise ListOutdated(
                "名单中有证书编号已登记在另一位骨干教师名下，请在骨干教师库按证书编号查询核对。"
            ) from None
        raise RegisteredMeanwhile() from None


@transactional
async def _register(unit: UnitOfWork, list_id: str, draft: DecisionDraft) -> Decision:
    found = await pass_list(unit, unit.actor, list_id)
    rules.LIST_STEPS.after(found.state, ListAction.REGISTER, unit.actor.roles)
    rules.LIST_STEPS.require_seen(draft.seen, found.history)
    _check_date(draft.decided_on, found, beijing_date(unit.now))
    await _require_valid(unit, found)
    passed = await _as_named_now(unit, found.passed)
    there = await backbone.members(unit, [one.person_id for one in passed])
    decision = Decision(
        number=_tidy(draft.number),
        decided_on=draft.decided_on,
        list_id=found.id,
        class_name=found.class_name,
        institution_name=found.institution_name,
        major=found.major,
        training_from=found.training_from,
        training_to=found.training_to,
        registered=[
            Registered(
                **one.model_dump(),
                already=there[one.person_id].status.label if one.person_id in there else "",
            )
            for one in passed
        ],
        made_at=unit.now,
        made_by=unit.actor.name,
    )
    await store.insert_decision(unit, decision)
    newcomers = [_entry(found, one) for one in passed if one.person_id not in there]
    if newcomers:
        await backbone.enter(unit, newcomers, decision_id=decision.id)
    for nominee in await store.by_ids(unit, [one.nominee_id for one in passed if one.nominee_id]):
        await move(unit, nominee, Action.REGISTER, decision.number)
    await _move_list(
        unit, found, ListAction.REGISTER, decision.number, {"decision_id": decision.id, "open": False}
    )
    return decision


async def _as_named_now(scope: Scope, passed: Sequence[Passed]) -> list[Passed]:
    """A name that was corrected since the report is registered as it reads now (article 25.4)."""
    known = await people.persons(scope, [one.person_id for one in passed])
    return [one.model_copy(update={"name": known[one.person_id].name}) for one in passed]


def _entry(found: PassList, one: Passed) -> Entry:
    return Entry(
        person_id=one.person_id,
        name=one.name,
        id_number_masked=one.id_number_masked,
        province_code=one.province_code,
        work_unit=one.work_unit,
        majors=(found.major,),
        certificate_number=one.certificate_number,
    )


def _check_date(decided_on: date, found: PassList, today: date) -> None:
    reported_on = beijing_date(found.submitted_at)
    if not reported_on <= decided_on <= today:
        message = f"决定日期应在名单报送（{reported_on}）之后，且不晚于今天。"
        raise Invalid(fields=[FieldError("decided_on", message)])


async def _require_valid(scope: Scope, found: PassList) -> None:
    """Raises ListOutdated when somebody's certificate does not count any more."""
    issued = await certificates.of_class(scope, found.class_id)
    gone = [
        one.name
        for one in found.passed
        if one.person_id not in issued or not _stands(issued[one.person_id], one.certificate_number)
    ]
    if gone:
        raise ListOutdated(
            f"{'、'.join(gone)}的证书已撤销或换发，不能登记。请退回名单，由师资研修中心核对后重新报送。"
        )


def _stands(certificate: Certificate, number: str) -> bool:
    return certificate.status is CertificateStatus.VALID and certificate.printed.number == number


def _tidy(number: str) -> str:
    return "".join(number.split())


async def _move_list(
    unit: UnitOfWork,
    found: PassList,
    action: ListAction,
    reason: str,
    changes: Mapping[str, object] | None = None,
) -> PassList:
    changed = await take(unit, rules.LIST_STEPS, found, action, reason, changes=changes)
    unit.audit(f"selection:{action.lower()}-list", found.id, class_id=found.class_id, reason=reason)
    return changed


# ---- reading


async def pass_list(scope: Scope, actor: Actor, list_id: str) -> PassList:
    """A list in the actor's jurisdiction. Raises NotFound."""
    found = await store.pass_list(scope, actor.jurisdiction, list_id)
    if found is None:
        raise NotFound("没有这份名单，或不在您的管理范围内。")
    return found


async def list_lists(
    platform: Platform,
    actor: Actor,
    *,
    state: ListState | None = None,
    before: str | None = None,
    limit: int = 20,
) -> list[PassList]:
    """The lists in the actor's jurisdiction, newest first."""
    return await store.lists(platform, actor.jurisdiction, state=state, before=before, limit=limit)


async def in_pool_already(scope: Scope, passed: Sequence[Passed]) -> dict[str, str]:
    """By person: the status in Chinese of those on a list who are in the pool."""
    there = await backbone.members(scope, [one.person_id for one in passed])
    return {person_id: member.status.label for person_id, member in there.items()}


async def decision_of_list(scope: Scope, actor: Actor, list_id: str) -> tuple[PassList, Decision]:
    """The decision that registered a list in the actor's jurisdiction. Raises NotFound."""
    found = await pass_list(scope, actor, list_id)
    decision = await store.decision(scope, found.decision_id or "")
    if decision is None:
        raise NotFound("这份名单还没有登记决定。")
    return found, decision


async def decision_paper(platform: Platform, actor: Actor, list_id: str) -> Download:
    """That decision as PDF/A. Raises NotFound, paper.PaperFailed."""
    _, decision = await decision_of_list(platform, actor, list_id)
    return Download.of(f"登记决定-{decision.number}.pdf", "application/pdf", await papers.pdf(decision))


async def decision(scope: Scope, decision_id: str) -> Decision | None:
    """The decision that a member of the pool names."""
    return await store.decision(scope, decision_id)
