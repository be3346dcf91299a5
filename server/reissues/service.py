"""补发 and 换发: the holder or the issuer asks, who answers for it decides, and another certificate takes the place of the first.

Revoking, with its hearing, is `revoking`; what a page or a phone shows of all of it is `history`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.certificates import issue, sealed
from server.certificates import rules as certificate_rules
from server.certificates import service as certificates
from server.certificates import store as certificate_store
from server.certificates.documents import Certificate
from server.kernel import policies, sequences
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, NotFound, require_same
from server.kernel.history import step
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reasons import Reason
from server.kernel.reviewed import take
from server.kernel.reviews import Return, Review, Withdrawal
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.ledger import service as ledger
from server.ledger.documents import EntryKind
from server.reissues import printing, rules, store
from server.reissues.documents import Reissue, ReissueFilter
from server.reissues.printing import Wanted
from server.reissues.rules import Action, Kind, State
from server.wechat import content
from server.wechat.content import Scene, Screened, Subject

PAGE = "/admin/reissues"
MARK = "补发"
Asking = Literal[Kind.LOST, Kind.DAMAGED, Kind.CORRECTED]


class HoldersRequest(BaseModel):
    """What the phone sends. `nonce` makes the same request, sent again over a bad network, one."""

    kind: Annotated[Asking, Field(title="事由")]
    reason: Reason
    nonce: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{8,64}$")]


class ReissueRequest(BaseModel):
    """What the issuer writes down of a loss or a damage."""

    kind: Annotated[Literal[Kind.LOST, Kind.DAMAGED], Field(title="事由")]
    reason: Reason


class FiledAgain(Review, Wanted):
    """The same of a request that is there."""


class RegisteredOtherwise(Conflict):
    slug = "certificate-registered-otherwise"
    title = "请改为申请换发"
    default_detail = (
        "持证人登记的姓名或身份证号在发证以后更正过，补发会再印出原来的内容。"
        "请申请换发（信息更正），经省级管理部门同意后按现在登记的内容签发。"
    )


# ---- asking


async def ask_as_holder(
    platform: Platform, actor: Actor, certificate_id: str, wanted: HoldersRequest
) -> tuple[Reissue, bool]:
    """The holder asks the issuer. True with what is new; False, and nothing written, for a nonce that was sent before.

    Raises NotFound, CertificateNotValid, MatterOpen, BeingSigned, NumbersUsedUp, RegisteredOtherwise, ContentRefused.
    """
    try:
        given = platform, actor, certificate_id, wanted
        texts = await content.kept_by({"reason": wanted.reason}, _ask_as_holder, *given, content.UNASKED)
        screened = await content.screen(platform, actor, Scene.COMMENT, texts)
        return await _ask_as_holder(*given, screened)
    except DuplicateKeyError:  # twice at once, or at the same moment as the office
        there = await store.by_nonce(platform, actor.person_id, wanted.nonce)
        if there is None:
            raise rules.MatterOpen(
                "这张证书刚刚有了一件在办的申请。请刷新后查看，等办结或撤回以后再申请。"
            ) from None
        _require_same(there, certificate_id, wanted)
        return there, False


@transactional
async def _ask_as_holder(
    unit: UnitOfWork, certificate_id: str, wanted: HoldersRequest, screened: Screened
) -> tuple[Reissue, bool]:
    there = await store.by_nonce(unit, unit.actor.person_id, wanted.nonce)
    if there is not None:
        _require_same(there, certificate_id, wanted)
        unit.nothing_written()
        return there, False
    found = await own(unit, certificate_id)
    new = await begin(unit, found, wanted.kind, Action.ASK, wanted.reason, nonce=wanted.nonce, by_holder=True)
    await content.note(unit, screened, subject(new, "证书申请的理由"))
    unit.tell(new.said(f"{new.name}申请证书{new.kind.label}（{new.certificate_number}）"))
    return new, True


def _require_same(there: Reissue, certificate_id: str, wanted: HoldersRequest) -> None:
    said = there.certificate_id, there.kind, there.history[0].reason
    require_same(said == (certificate_id, wanted.kind, wanted.reason))


def subject(found: Reissue, title: str) -> Subject:
    """What a text from the phone belongs to, for whoever looks at it (0007)."""
    return Subject(
        f"reissues:{found.id}",
        title,
        found.class_id,
        found.class_name,
        found.institution_code,
        found.province_code,
    )


async def ask(platform: Platform, actor: Actor, certificate_id: str, wanted: ReissueRequest) -> Reissue:
    """The issuer writes down what its holder has told it. Raises as `ask_as_holder`."""
    return await once(_ask, platform, actor, certificate_id, wanted)


@transactional
async def _ask(unit: UnitOfWork, certificate_id: str, wanted: ReissueRequest) -> Reissue:
    found = await certificates.certificate(unit, unit.actor, certificate_id)
    return await begin(unit, found, wanted.kind, Action.ASK, wanted.reason)


async def file_new(platform: Platform, actor: Actor, certificate_id: str, wanted: Wanted) -> Reissue:
    """The issuer asks its province for a 换发. Raises as `ask_as_holder`, NothingToReplace, Invalid, CharacterMissing, TextTooLong."""
    found = await certificates.certificate(platform, actor, certificate_id)
    await printing.prove(platform, found, wanted)
    return await once(_file_new, platform, actor, certificate_id, wanted)


@transactional
async def _file_new(unit: UnitOfWork, certificate_id: str, wanted: Wanted) -> Reissue:
    found = await certificates.certificate(unit, unit.actor, certificate_id)
    rules.REPLACEMENT.require_right(Action.FILE, unit.actor.roles)
    words = await printing.to_file(unit, found, wanted)
    return await begin(unit, found, Kind.CORRECTED, Action.FILE, wanted.reason, **words)


async def once(act: Any, platform: Platform, actor: Actor, *given: Any) -> Reissue:
    """One matter a certificate, also of two at once. Raises MatterOpen."""
    try:
        made: Reissue = await act(platform, actor, *given)
    except DuplicateKeyError:
        raise rules.MatterOpen(
            "这张证书刚刚有了一件在办的事项。请刷新后查看，等办结或撤回以后再办理。"
        ) from None
    return made


async def begin(
    unit: UnitOfWork, found: Certificate, kind: Kind, action: Action, reason: str, **more: Any
) -> Reissue:
    """A new matter about a certificate that the caller has fetched. Raises what stands in its way."""
    rules.steps_of(kind).require_right(action, unit.actor.roles)
    await require_free(unit, found)
    if kind is not Kind.REVOKED:
        await _require_papers(unit, found, kind)
    new = Reissue(
        kind=kind,
        certificate_id=found.id,
        person_id=found.person_id,
        class_id=found.class_id,
        class_name=found.printed.class_name,
        name=found.printed.name,
        id_number_masked=found.printed.id_number_masked,
        certificate_number=found.printed.number,
        institution_code=found.institution_code,
        institution_name=found.printed.issuer,
        province_code=found.province_code,
        reason=reason,
        state=rules.BEGINS[action],
        history=[step(unit, action, reason)],
        **{"by_holder": False} | more,
    )
    await store.insert(unit, new)
    unit.audit(
        f"reissues:{action.lower()}", new.id, certificate=found.id, kind=kind, number=new.certificate_number
    )
    return new


async def require_free(unit: UnitOfWork, found: Certificate, *, but: str = "") -> None:
    """Raises CertificateNotValid, MatterOpen for another one than `but`, BeingSigned."""
    rules.require_valid(valid=found.valid, called=found.status.label)
    there = await store.open_of(unit, found.id)
    rules.require_no_other(there.kind if there and there.id != but else None)
    if await certificate_store.pending_instead_of(unit, found.id):
        raise rules.BeingSigned()


async def _require_papers(unit: UnitOfWork, found: Certificate, kind: Kind) -> None:
    """That a number is left, and that what would be printed is not known to be wrong. Raises NumbersUsedUp, RegisteredOtherwise."""
    keeps = kind.reissue and await keeps_number(unit)
    rules.require_left(*await orders_left(unit, found), keeps_number=keeps)
    if kind.reissue and printing.registered_otherwise(found, await printing.person_of(unit, found)):
        raise RegisteredOtherwise()


async def keeps_number(scope: Scope) -> bool:
    """Policy `reissue_keeps_number` (待核)."""
    return (await policies.on(scope, beijing_date(scope.platform.clock.now()))).reissue_keeps_number


async def orders_left(scope: Scope, found: Certificate) -> tuple[int, int]:
    """How many serials and numbers may still be given for a certificate such as this one (article 17)."""
    of = certificate_rules.parse_number(found.printed.number)
    serials = certificate_rules.serial_sequence(of.province_code, of.institution_code)
    numbers = certificate_rules.number_sequence(*of[:4])
    taken = await sequences.taken(scope, [serials, numbers])
    return rules.left(taken.get(serials, 0), taken.get(numbers, 0))


# ---- deciding


async def grant(platform: Platform, actor: Actor, reissue_id: str, wanted: Review) -> Reissue:
    """补发: the issuer agrees, and a certificate with the same words and a new serial is made, marked 补发 (article 18 (1)).

    The first one stays valid until the second is signed. Raises what the procedure says, CertificateNotValid, BeingSigned,
    RegisteredOtherwise, NumbersUsedUp, and what `printing.prove_issuable` does.
    """
    found, old = await _about_to(platform, actor, reissue_id, Action.GRANT)
    await printing.prove_issuable(platform, old)
    return await _grant(platform, actor, found.id, wanted)


async def _about_to(
    platform: Platform, actor: Actor, reissue_id: str, action: Action
) -> tuple[Reissue, Certificate]:
    found = await reissue(platform, actor, reissue_id)
    rules.may_step(found.kind, found.state, action, actor.roles)
    return found, await certificates.certificate(platform, actor, found.certificate_id)


@transactional
async def _grant(unit: UnitOfWork, reissue_id: str, wanted: Review) -> Reissue:
    found = await reissue(unit, unit.actor, reissue_id)
    keeps = await keeps_number(unit)
    return await _issue(
        unit, found, Action.GRANT, wanted.comment, wanted.seen, mark=MARK, keep_number=keeps, printed={}
    )


async def approve(platform: Platform, actor: Actor, reissue_id: str, wanted: Review) -> Reissue:
    """换发: the province agrees, and a certificate with a new number is made that says what is right. Raises as `grant`,
    ChangedMeanwhile."""
    found, old = await _about_to(platform, actor, reissue_id, Action.APPROVE)
    person = await printing.person_of(platform, old)
    await printing.prove_issuable(platform, old, name=person.name, courses=found.courses, major=found.major)
    return await _approve(platform, actor, found.id, wanted)


@transactional
async def _approve(unit: UnitOfWork, reissue_id: str, wanted: Review) -> Reissue:
    found = await reissue(unit, unit.actor, reissue_id)
    rules.may_step(found.kind, found.state, Action.APPROVE, unit.actor.roles)
    old = await certificates.certificate(unit, unit.actor, found.certificate_id)
    words = await printing.approved_words(unit, found, old)
    return await _issue(
        unit, found, Action.APPROVE, wanted.comment, wanted.seen, mark="", keep_number=False, printed=words
    )


async def _issue(
    unit: UnitOfWork,
    found: Reissue,
    action: Action,
    comment: str,
    seen: int,
    *,
    mark: str,
    keep_number: bool,
    printed: Mapping[str, Any],
) -> Reissue:
    steps = rules.may_step(found.kind, found.state, action, unit.actor.roles)
    steps.require_seen(seen, found.history)
    old = await certificates.certificate(unit, unit.actor, found.certificate_id)
    await require_free(unit, old, but=found.id)
    await _require_papers(unit, old, found.kind)
    new = await issue.issue_in_place_of(unit, old, mark=mark, keep_number=keep_number, printed=dict(printed))
    if found.kind is Kind.LOST:
        await ledger.record(unit, EntryKind.LOST, await sealed.subject_of(unit, old))
    outcome = "已同意补发" if found.kind.reissue else "已同意换发"
    return await settle(unit, found, action, comment, f"{outcome}，新证书签发后会通知您", made=new.id)


async def settle(
    unit: UnitOfWork,
    found: Reissue,
    action: Action,
    reason: str,
    outcome: str = "",
    *,
    seen: int | None = None,
    **changes: Any,
) -> Reissue:
    """Takes a step, notes it, and tells the holder its `outcome`, if any."""
    steps = rules.may_step(found.kind, found.state, action, unit.actor.roles)
    state = steps.after(found.state, action, unit.actor.roles)
    moved = await take(unit, steps, found, action, reason, seen=seen, changes={**changes, "open": state.open})
    unit.audit(f"reissues:{action.lower()}", found.id, certificate=found.certificate_id, kind=found.kind)
    if outcome:
        unit.notify(
            found.person_id,
            "certificate-request",
            certificate_id=found.certificate_id,
            number=found.certificate_number,
            outcome=outcome,
            reason=reason,
        )
    return moved


async def file(platform: Platform, actor: Actor, reissue_id: str, wanted: FiledAgain) -> Reissue:
    """The issuer has looked at what the holder asks, or at what was returned, and asks its province. Raises as `file_new`, and what the
    procedure says."""
    found = await reissue(platform, actor, reissue_id)
    rules.may_step(found.kind, found.state, Action.FILE, actor.roles)
    await printing.prove(
        platform, await certificates.certificate(platform, actor, found.certificate_id), wanted
    )
    return await _file(platform, actor, reissue_id, wanted)


@transactional
async def _file(unit: UnitOfWork, reissue_id: str, wanted: FiledAgain) -> Reissue:
    found = await reissue(unit, unit.actor, reissue_id)
    rules.may_step(found.kind, found.state, Action.FILE, unit.actor.roles)
    old = await certificates.certificate(unit, unit.actor, found.certificate_id)
    await require_free(unit, old, but=found.id)
    words = await printing.to_file(unit, old, wanted)
    said = "已报省级管理部门审核" if found.by_holder else ""
    return await settle(unit, found, Action.FILE, wanted.reason, said, seen=wanted.seen, **words)


@transactional
async def return_(unit: UnitOfWork, reissue_id: str, wanted: Return) -> Reissue:
    """The province sends it back to the issuer with a reason."""
    found = await reissue(unit, unit.actor, reissue_id)
    return await settle(unit, found, Action.RETURN, wanted.reason, seen=wanted.seen)


@transactional
async def decline(unit: UnitOfWork, reissue_id: str, wanted: Return) -> Reissue:
    """The issuer says no, and why; the holder may ask again."""
    found = await reissue(unit, unit.actor, reissue_id)
    return await settle(
        unit, found, Action.DECLINE, wanted.reason, "不予办理，证书继续有效", seen=wanted.seen
    )


@transactional
async def withdraw(unit: UnitOfWork, reissue_id: str, wanted: Withdrawal) -> Reissue:
    """The issuer takes back what it has asked for, or will not revoke: of a hearing the holder is told. Raises NotWithdrawnByYou."""
    found = await reissue(unit, unit.actor, reissue_id)
    rules.require_own(asked_by_holder=found.by_holder, by_holder=False)
    said = "不再撤销，证书继续有效" if found.kind is Kind.REVOKED else ""
    return await settle(unit, found, Action.WITHDRAW, wanted.reason, said, seen=wanted.seen)


@transactional
async def withdraw_own(unit: UnitOfWork, reissue_id: str) -> Reissue:
    """The holder takes the own request back; sent again, it answers the same. Raises NotFound, NotInThisState, NotWithdrawnByYou."""
    found = await my_reissue(unit, unit.actor, reissue_id)
    rules.require_own(asked_by_holder=found.by_holder, by_holder=True)
    if found.state is State.WITHDRAWN:
        unit.nothing_written()
        return found
    return await settle(unit, found, Action.WITHDRAW, "")


async def overtake(unit: UnitOfWork, certificate_id: str, why: str) -> None:
    """What is asked about a certificate that is revoked, or to be, leads nowhere: it is ended, and its holder told."""
    found = await store.open_of(unit, certificate_id)
    if found is not None and found.kind is not Kind.REVOKED:
        await settle(unit, found, Action.OVERTAKE, why, "申请已终止")


async def not_made(unit: UnitOfWork, given_up: Certificate, why: str) -> None:
    """The request that led to a number which was given up is ended, and its holder told that the first one stays valid."""
    for found in await store.of_person_in_class(unit, given_up.class_id, given_up.person_id):
        if found.made == given_up.id:
            said = "新证书没有制成，原证书继续有效，需要的可以重新申请"
            await settle(unit, found, Action.FAIL, why, said)


# ---- reading


def first_issued_on(papers: Sequence[Certificate], found: Certificate) -> date:
    """The day on which the first one was issued in whose place, and in whose own turn, this one stands. `papers`: all that its person
    ever had of its class."""
    by_id, first = {one.id: one for one in papers}, found
    while (before := by_id.get(first.replaces or "")) and before.id < first.id:  # whatever a row may say
        first = before
    return beijing_date(first.issued_at)


async def reissue(scope: Scope, actor: Actor, reissue_id: str) -> Reissue:
    """A matter in the actor's jurisdiction. Raises NotFound."""
    found = await store.in_reach(scope, actor.jurisdiction, reissue_id)
    if found is None:
        raise NotFound("没有这件证书事项，或不在您的管理范围内。")
    return found


async def list_reissues(
    platform: Platform, actor: Actor, narrowed: ReissueFilter, *, before: str | None = None, limit: int = 20
) -> list[Reissue]:
    """The matters in the actor's jurisdiction, newest first."""
    return await store.reissues(platform, actor.jurisdiction, narrowed, before=before, limit=limit)


async def own(unit: UnitOfWork, certificate_id: str) -> Certificate:
    """The certificate of whoever asks by phone. Raises NotFound."""
    reach = unit.actor.reach.filter()
    found = await certificate_store.one_of_person(unit, unit.actor.person_id, reach, certificate_id)
    if found is None:
        raise NotFound("没有这张证书。")
    return found


async def my_reissue(scope: Scope, actor: Actor, reissue_id: str) -> Reissue:
    """Raises NotFound for anybody else's."""
    found = await store.of_holder(scope, actor.person_id, actor.reach.filter(), reissue_id)
    if found is None:
        raise NotFound("没有这件申请。")
    return found


async def my_reissues(
    platform: Platform, actor: Actor, *, before: str | None = None, limit: int = 20
) -> list[Reissue]:
    """What was asked about the actor's own certificates, by whomever, newest first."""
    return await store.of_person(platform, actor.person_id, actor.reach.filter(), before=before, limit=limit)
