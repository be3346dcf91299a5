"""Recommendations for the selection of backbone teachers: a province drafts and submits, the centre accepts or returns (articles 7, 9.2).

What becomes of an accepted candidate is in `training` (the 骨干 class) and `registration` (the list and the decision).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated

from bson.binary import Binary
from pydantic import BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.accounts import people
from server.accounts import rules as identity_rules
from server.accounts.people import NameDiffers, SealedIdentity
from server.assessment import submissions
from server.backbone import service as backbone
from server.backbone.service import AlreadyInPool
from server.certificates import service as certificates
from server.institutions.rules import MAJORS, Level
from server.kernel import hostile, policies
from server.kernel.clock import beijing_date
from server.kernel.downloads import Download
from server.kernel.errors import Conflict, FieldError, Invalid, NotFound, TooLarge
from server.kernel.folding import same
from server.kernel.history import step
from server.kernel.identity import Actor
from server.kernel.numbers import AS_CERTIFICATE_NUMBER, AS_ID_NUMBER
from server.kernel.platform import Platform
from server.kernel.reasons import OptionalReason, Reason
from server.kernel.reviewed import take
from server.kernel.reviews import Review
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.selection import rules, store
from server.selection.documents import EVERY_NOMINEE, Nominee, NomineeFilter, Paper
from server.selection.rules import Action, Conditions, Merits, State
from server.uploads import service as uploads
from server.uploads.file_types import HEIC, JPEG, PDF, PNG, FileTypeRefused, Recogniser, safe_name

PAPER_LARGEST = 5 * 2**20
"""Bytes of a file: a scanned form of some pages. The whole request may have 8 MiB."""
PAPER_TYPES = (PDF, PNG, JPEG, HEIC)


class AlreadyRecommended(Conflict):
    slug = "already-recommended"
    title = "该教师已有未办结的推荐"
    default_detail = "同一位教师同时只能有一份推荐。请等原推荐办结，或由推荐的省级管理部门先撤回。"


class TooManyPapers(Conflict):
    slug = "too-many-papers"
    title = "材料太多"
    default_detail = f"一份推荐最多 {rules.PAPERS_MOST} 个文件，请合并后再上传。"


class NomineeDraft(BaseModel):
    name: Annotated[str, Field(title="姓名", min_length=1, max_length=60)]
    id_number: Annotated[str, Field(title="身份证号", min_length=1, max_length=60, repr=False), AS_ID_NUMBER]
    work_unit: Annotated[str, Field(title="工作单位", min_length=2, max_length=60)]
    major: Annotated[str, Field(title="专业大类", pattern=r"^[0-9]{2}$")]
    years_of_teaching: Annotated[int, Field(title="教龄", ge=0, le=60)]
    post: Annotated[str, Field(title="职称", min_length=2, max_length=40)]
    held_level: Annotated[Level | None, Field(title="已持培训证书级别")] = None
    held_number: Annotated[str, Field(title="已持培训证书编号", max_length=60), AS_CERTIFICATE_NUMBER] = ""
    opinion: Annotated[Reason, Field(title="推荐意见", min_length=10, max_length=1000)]


class Return(Review):
    reason: Annotated[Reason, Field(title="退回理由")]


class Withdrawal(BaseModel):
    reason: Annotated[OptionalReason, Field(title="撤回理由")] = ""


@dataclass(frozen=True)
class Checked:
    """A draft whose words are normalised and whose number is sealed."""

    draft: NomineeDraft
    sealed: SealedIdentity


@dataclass(frozen=True)
class ProvinceNumbers:
    """How many recommendations of a province are in each state."""

    province_code: str
    numbers: dict[State, int] = field(default_factory=dict)

    def of(self, *states: State) -> int:
        return sum(self.numbers.get(state, 0) for state in states)

    @property
    def total(self) -> int:
        """All that were submitted once and not withdrawn."""
        return sum(
            count for state, count in self.numbers.items() if state not in (State.DRAFT, State.WITHDRAWN)
        )


# ---- the province


async def begin(platform: Platform, actor: Actor, draft: NomineeDraft) -> Nominee:
    """Drafts a recommendation. Raises NameInvalid, IdNumberInvalid, NameDiffers, AlreadyInPool, AlreadyRecommended, Invalid."""
    checked = await _checked(platform, draft)
    try:
        return await _begin(platform, actor, checked)
    except DuplicateKeyError:
        raise AlreadyRecommended() from None


@transactional
async def _begin(unit: UnitOfWork, checked: Checked) -> Nominee:
    rules.STEPS.require_right(Action.BEGIN, unit.actor.roles)
    new = Nominee(
        **await _said(unit, checked),
        province_code=unit.actor.province_code or "",
        history=[step(unit, Action.BEGIN)],
    )
    await store.insert_nominee(unit, new)
    unit.audit("selection:begin", new.id, major=new.major)
    return new


async def amend(platform: Platform, actor: Actor, nominee_id: str, draft: NomineeDraft, seen: int) -> Nominee:
    """Changes what a draft or a returned recommendation says. Raises as `begin`, and NotInThisState, Overtaken."""
    checked = await _checked(platform, draft)
    try:
        return await _amend(platform, actor, nominee_id, checked, seen)
    except DuplicateKeyError:
        raise AlreadyRecommended() from None


@transactional
async def _amend(unit: UnitOfWork, nominee_id: str, checked: Checked, seen: int) -> Nominee:
    found = await nominee(unit, unit.actor, nominee_id)
    rules.STEPS.require_seen(seen, found.history)
    return await move(unit, found, Action.AMEND, changes=await _said(unit, checked))


async def _checked(platform: Platform, draft: NomineeDraft) -> Checked:
    """The words normalised and checked before anything is written, the number sealed."""
    name = identity_rules.normalise_name(draft.name)
    identity_rules.check_name(name)
    identity_rules.check_id_number(draft.id_number, today=beijing_date(platform.clock.now()))
    if draft.major not in MAJORS:
        raise Invalid(fields=[FieldError("major", "请选择列表中的专业大类。")])
    if draft.held_number and draft.held_level is None:
        raise Invalid(fields=[FieldError("held_level", "填写了证书编号，请同时选择证书级别。")])
    [sealed] = await people.seal(platform, [people.Identity(name, draft.id_number)])
    return Checked(draft, sealed)


async def _said(unit: UnitOfWork, checked: Checked) -> dict[str, object]:
    """What a draft says of a recommendation, checked against what the platform knows. Raises NameDiffers, AlreadyInPool."""
    draft, sealed = checked.draft, checked.sealed
    person = (await people.known(unit, [sealed])).get(sealed.id_number)
    if person is not None:
        if not same(person.name, sealed.name):
            raise NameDiffers(
                f"证件号 {sealed.id_number_masked} 已登记为其他姓名，请核对“{sealed.name}”的姓名和证件号。"
            )
        if member := await backbone.teacher_in_pool(unit, person.id):
            raise AlreadyInPool(f"{member.name}老师已在骨干教师库（{member.status.label}），无需再推荐选拔。")
    number = draft.held_number
    confirmed = bool(
        number
        and draft.held_level
        and await certificates.valid_one(unit, sealed.id_number, number, draft.held_level)
    )
    return {
        "name": sealed.name,
        "id_number": sealed.id_number,
        "id_number_masked": sealed.id_number_masked,
        "work_unit": draft.work_unit,
        "major": draft.major,
        "years_of_teaching": draft.years_of_teaching,
        "post": draft.post,
        "held_level": draft.held_level,
        "held_number": number,
        "held_confirmed": confirmed,
        "opinion": draft.opinion,
    }


async def add_paper(
    platform: Platform, actor: Actor, nominee_id: str, file_name: str, content: bytes
) -> Nominee:
    """Attaches a file to a draft or returned recommendation; what it is, is read from its content.

    Raises FileTypeRefused, TooLarge, TooManyPapers, NotInThisState. Unless it became a paper, nothing of it stays.
    """
    paper = await _recognised(platform, actor, file_name, content)
    await nominee(platform, actor, nominee_id)
    file = platform.files.create(paper.name, {"nominee_id": nominee_id})
    await submissions.note_begun(platform, file.id)
    await file.write(content)
    await file.close()
    try:
        return await _attach(platform, actor, nominee_id, paper.model_copy(update={"id": file.id}))
    except Conflict:
        await platform.files.delete(file.id)
        await submissions.note_kept(platform, [file.id])
        raise


async def _recognised(platform: Platform, actor: Actor, file_name: str, content: bytes) -> Paper:
    if len(content) > PAPER_LARGEST:
        raise TooLarge(f"单个文件不能超过 {PAPER_LARGEST // 2**20} MiB，请压缩或拆分后再上传。")
    recogniser = Recogniser()
    recogniser.feed(content)
    known = await uploads.recognised(platform, hostile.whose(actor), recogniser)
    if known not in PAPER_TYPES:
        raise FileTypeRefused("推荐材料请上传 PDF 或图片（png、jpg、heic）。")
    return Paper(id="", name=safe_name(file_name, known), media_type=known.media_type, size=len(content))


@transactional
async def _attach(unit: UnitOfWork, nominee_id: str, paper: Paper) -> Nominee:
    found = await nominee(unit, unit.actor, nominee_id)
    if len(found.papers) >= rules.PAPERS_MOST:
        raise TooManyPapers()
    await submissions.note_kept(unit, [paper.id])
    return await move(
        unit, found, Action.AMEND, f"上传材料：{paper.name}", {"papers": [*found.papers, paper]}
    )


@transactional
async def remove_paper(unit: UnitOfWork, nominee_id: str, paper_id: str) -> Nominee:
    """Takes a file off a draft or returned recommendation; the file itself is kept as long as the rest. Raises NotFound, NotInThisState."""
    found = await nominee(unit, unit.actor, nominee_id)
    removed = _paper_of(found, paper_id)
    changes = {
        "papers": [one for one in found.papers if one.id != paper_id],
        "removed_papers": [*found.removed_papers, paper_id],
    }
    return await move(unit, found, Action.AMEND, f"删去材料：{removed.name}", changes)


@transactional
async def submit(unit: UnitOfWork, nominee_id: str) -> Nominee:
    """Submits to the centre what fulfils the conditions of today. Raises NotEligible, NotInThisState."""
    found = await nominee(unit, unit.actor, nominee_id)
    rules.STEPS.after(found.state, Action.SUBMIT, unit.actor.roles)
    today = beijing_date(unit.now)
    rules.require_eligible(await _merits(unit, found), await _conditions_on(unit, today), today)
    return await move(unit, found, Action.SUBMIT, changes={"submitted_at": unit.now})


@transactional
async def withdraw(unit: UnitOfWork, nominee_id: str, wanted: Withdrawal) -> Nominee:
    """Takes back what is not in a class yet. Raises NotInThisState."""
    found = await nominee(unit, unit.actor, nominee_id)
    return await move(unit, found, Action.WITHDRAW, wanted.reason)


# ---- the centre


@transactional
async def accept(unit: UnitOfWork, nominee_id: str, review: Review) -> Nominee:
    """Makes the teacher a candidate (候选), whom every 师资研修中心 may take into its class. Raises NotInThisState, Overtaken."""
    found = await nominee(unit, unit.actor, nominee_id)
    rules.STEPS.require_seen(review.seen, found.history)
    accepted = await move(unit, found, Action.ACCEPT, review.comment)
    for person in (await people.known(unit, [sealed_identity(found)])).values():
        outcome = f"列为{found.major_name}候选人"
        unit.notify(person.id, "selection-decided", outcome=outcome, reason="")
    return accepted


@transactional
async def send_back(unit: UnitOfWork, nominee_id: str, wanted: Return) -> Nominee:
    """Returns a recommendation with a reason. Raises NotInThisState, Overtaken."""
    found = await nominee(unit, unit.actor, nominee_id)
    rules.STEPS.require_seen(wanted.seen, found.history)
    return await move(unit, found, Action.RETURN, wanted.reason)


# ---- reading


async def nominee(scope: Scope, actor: Actor, nominee_id: str) -> Nominee:
    """A recommendation in the actor's jurisdiction: what was never submitted is its province's alone. Raises NotFound."""
    found = await store.nominee(scope, actor.jurisdiction, nominee_id)
    if found is None or (found.submitted_at is None and actor.province_code is None):
        raise NotFound("没有这份推荐，或不在您的管理范围内。")
    return found


async def list_nominees(
    platform: Platform,
    actor: Actor,
    narrowed: NomineeFilter = EVERY_NOMINEE,
    *,
    before: str | None = None,
    limit: int = 20,
) -> list[Nominee]:
    """The recommendations in the actor's jurisdiction, newest first."""
    drafts_too = actor.province_code is not None
    return await store.nominees(
        platform, actor.jurisdiction, narrowed, drafts_too=drafts_too, before=before, limit=limit
    )


async def numbers(platform: Platform, actor: Actor) -> list[ProvinceNumbers]:
    """By province, those with most recommendations first."""
    by_province: dict[str, dict[State, int]] = {}
    for (province, state), count in (await store.count_by_province(platform, actor.jurisdiction)).items():
        by_province.setdefault(province, {})[state] = count
    found = [ProvinceNumbers(code, counts) for code, counts in by_province.items()]
    return sorted(found, key=lambda one: (-one.total, one.province_code))


async def conditions(platform: Platform) -> Conditions:
    """What the policies of today ask of whoever is recommended."""
    return await _conditions_on(platform, beijing_date(platform.clock.now()))


async def age(platform: Platform, found: Nominee) -> int | None:
    """Full years today; None once the person was forgotten."""
    if found.id_number is None:
        return None
    return rules.age_on((await _merits(platform, found)).born_on, beijing_date(platform.clock.now()))


async def paper(platform: Platform, actor: Actor, nominee_id: str, paper_id: str) -> Download:
    """A file of a recommendation in the actor's jurisdiction. Raises NotFound."""
    found = _paper_of(await nominee(platform, actor, nominee_id), paper_id)
    return Download(found.name, found.media_type, found.size, platform.files.read(found.id))


# ---- what the chapter shares


async def move(
    unit: UnitOfWork,
    found: Nominee,
    action: Action,
    reason: str = "",
    changes: Mapping[str, object] | None = None,
) -> Nominee:
    """Takes a recommendation along the table, with its step and its entry in the trail. Raises NotYours, NotInThisState."""
    state = rules.STEPS.after(found.state, action, unit.actor.roles)
    closed = {"open": state.open, "closed_at": None if state.open else unit.now}
    moved = await take(unit, rules.STEPS, found, action, reason, changes={**(changes or {}), **closed})
    # what an amendment says of itself names a file, and a file's name may name a person
    unit.audit(f"selection:{action.lower()}", found.id, reason="" if action is Action.AMEND else reason)
    return moved


async def _merits(scope: Scope, found: Nominee) -> Merits:
    """What the conditions ask; the date of birth is read off the number, in memory only."""
    assert found.id_number is not None, "nobody asks about what was forgotten"
    [number] = await scope.platform.vault.decrypt([found.id_number])
    return Merits(rules.born_on(number), found.years_of_teaching, found.held_level, len(found.papers))


def sealed_identity(found: Nominee) -> SealedIdentity:
    """Who is recommended, as accounts know people."""
    assert found.id_number is not None, "nobody acts on what was forgotten"
    return SealedIdentity(found.name, found.id_number, found.id_number_masked, None)


def _paper_of(found: Nominee, paper_id: str) -> Paper:
    for one in found.papers:
        if one.id == paper_id:
            return one
    raise NotFound("没有这个文件。")


async def _conditions_on(scope: Scope, day: date) -> Conditions:
    in_force = await policies.on(scope, day)
    return Conditions(
        in_force.selection_years_least, in_force.selection_age_most, in_force.selection_certificate
    )


async def relocate(unit: UnitOfWork, id_number: Binary, work_unit: str, province_code: str) -> None:
    """Part of a move (moves): the open recommendation of the person is that of the new province from now on."""
    await store.relocate(unit, id_number, work_unit, province_code)
