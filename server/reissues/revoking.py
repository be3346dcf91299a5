"""Revoking (article 18 (2): 谁发证、谁负责): the holder is told and heard first, and then the issuer decides with a reason.

At once only what is found wrong on the day on which the first certificate was issued. Whoever agrees on the phone is heard, so that
what the holder wants oneself takes no days. After it, and after that alone, the same person may be given a certificate of the same class
anew.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.certificates import issue, sealed
from server.certificates import rules as certificate_rules
from server.certificates import service as certificates
from server.certificates import store as certificate_store
from server.certificates.documents import Certificate, CertificateStatus
from server.certificates.issue import AlreadyRevoked, BeingMade, Revocation
from server.classes import service as classes
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict
from server.kernel.hearings import check_heard
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.reasons import Reason
from server.kernel.reviews import Review
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.ledger import service as ledger
from server.ledger.documents import EntryKind
from server.reissues import printing, rules, service
from server.reissues.documents import Reissue
from server.reissues.rules import Action, Kind

STATEMENTS_MOST = 5


class Proposal(BaseModel):
    reason: Annotated[Reason, Field(title="拟撤销的理由")]


class Decision(Review):
    """With the number typed. The reason that the public reads is the one on which the holder was heard; what is said beside it is not
    published."""

    typed: Annotated[str, Field(title="证书编号", max_length=40)] = ""


class Renewal(BaseModel):
    reason: Reason


class HoldersStatement(BaseModel):
    """`agrees`: the holder agrees to the revocation, so that it need not wait for its last day; silence is none."""

    text: Annotated[Reason, Field(title="陈述")]
    agrees: Annotated[bool, Field(title="同意撤销")] = False


class TooManyStatements(Conflict):
    slug = "too-many-statements"
    title = "陈述次数已满"
    default_detail = f"同一事项最多陈述 {STATEMENTS_MOST} 次。如还有补充，请直接联系发证机构。"


# ---- at once, on the day of issue


@transactional
async def revoke(unit: UnitOfWork, certificate_id: str, wanted: Revocation) -> Certificate:
    """Revokes a certificate that was first issued today and is wrong, and verification says so; or gives up the number of one that could
    not be made, of which nobody has heard. The row stays.

    Raises NotFound outside the jurisdiction, NumberDiffers, AlreadyRevoked, BeingMade, HearingFirst from the next day on, BeingSigned.
    """
    found = await certificates.certificate(unit, unit.actor, certificate_id)
    certificate_rules.check_typed(wanted.typed, found.printed.number)
    if found.status in (CertificateStatus.REVOKED, CertificateStatus.VOID):
        raise AlreadyRevoked()
    if found.given_up:
        return await _give_up(unit, found, wanted.reason)
    if found.pending:
        raise BeingMade()
    rules.require_valid(valid=found.valid, called=found.status.label)
    papers = await certificate_store.of_person_in_class(unit, found.class_id, found.person_id)
    rules.require_at_once(service.first_issued_on(papers, found), beijing_date(unit.now))
    await service.overtake(unit, found.id, wanted.reason)
    await service.require_free(unit, found)
    return await _revoke(unit, found, wanted.reason)


async def _revoke(unit: UnitOfWork, found: Certificate, reason: str) -> Certificate:
    by, number = unit.actor.name, found.printed.number
    revoked = await certificate_store.revoke(unit, found.id, at=unit.now, by=by, reason=reason)
    if revoked is None:
        raise AlreadyRevoked()
    unit.notify(found.person_id, "certificate-revoked", certificate_id=found.id, number=number, reason=reason)
    unit.audit("certificates:revoke", found.id, number=number, reason=reason)
    await ledger.record(unit, EntryKind.REVOKED, await sealed.subject_of(unit, revoked), reason=reason)
    return revoked


async def _give_up(unit: UnitOfWork, found: Certificate, reason: str) -> Certificate:
    by = unit.actor.name
    void = await certificate_store.give_up(unit, found.id, at=unit.now, by=by, reason=reason)
    if void is None:
        raise BeingMade()
    await service.not_made(unit, void, reason)
    unit.audit("certificates:give-up", found.id, number=found.printed.number, reason=reason)
    await ledger.record(unit, EntryKind.VOID, await sealed.subject_of(unit, void), reason=reason)
    return void


# ---- after the holder was heard


async def propose(platform: Platform, actor: Actor, certificate_id: str, wanted: Proposal) -> Reissue:
    """Tells the holder that the certificate is to be revoked, why, and until when it may be answered; it stays valid meanwhile.

    What is asked about it ends. Raises NotFound, CertificateNotValid, MatterOpen, BeingSigned.
    """
    return await service.once(_propose, platform, actor, certificate_id, wanted)


@transactional
async def _propose(unit: UnitOfWork, certificate_id: str, wanted: Proposal) -> Reissue:
    found = await certificates.certificate(unit, unit.actor, certificate_id)
    rules.REVOCATION.require_right(Action.PROPOSE, unit.actor.roles)
    rules.require_valid(valid=found.valid, called=found.status.label)
    await service.overtake(unit, found.id, wanted.reason)
    days = (await policies.on(unit, beijing_date(unit.now))).revocation_statement_days
    until = beijing_date(unit.now) + timedelta(days=days)
    new = await service.begin(unit, found, Kind.REVOKED, Action.PROPOSE, wanted.reason, until=until)
    unit.notify(
        found.person_id,
        "certificate-to-be-revoked",
        request_id=new.id,
        number=new.certificate_number,
        issuer=new.institution_name,
        until=until.isoformat(),
        reason=wanted.reason,
    )
    return new


@transactional
async def state_own(unit: UnitOfWork, reissue_id: str, said: HoldersStatement) -> Reissue:
    """The holder states the case; the same again answers the same, and the last word counts.

    Raises NotFound, NotInThisState, StatementOver, TooManyStatements.
    """
    found = await service.my_reissue(unit, unit.actor, reissue_id)
    if (found.statement, found.agrees) == (said.text, said.agrees):
        unit.nothing_written()
        return found
    rules.may_step(found.kind, found.state, Action.STATE, unit.actor.roles)
    assert found.until is not None
    rules.require_in_time(found.until, beijing_date(unit.now))
    if sum(one.action == Action.STATE for one in found.history) >= STATEMENTS_MOST:
        raise TooManyStatements()
    words = f"{'同意撤销' if said.agrees else '不同意撤销'}：{said.text}"
    return await service.settle(unit, found, Action.STATE, words, statement=said.text, agrees=said.agrees)


@transactional
async def decide(unit: UnitOfWork, reissue_id: str, wanted: Decision) -> Reissue:
    """The issuer revokes, once the holder has answered or the days for it are over, for the reason that the holder was told: another one
    is another proposal.

    Raises what the procedure says, NumberDiffers, TooEarly, CertificateNotValid.
    """
    found = await service.reissue(unit, unit.actor, reissue_id)
    rules.may_step(found.kind, found.state, Action.DECIDE, unit.actor.roles)
    certificate_rules.check_typed(wanted.typed, found.certificate_number)
    check_heard(found.hearing, beijing_date(unit.now), "撤销证书")
    old = await certificates.certificate(unit, unit.actor, found.certificate_id)
    await service.require_free(unit, old, but=found.id)
    decided = await service.settle(unit, found, Action.DECIDE, wanted.comment, seen=wanted.seen)
    await _revoke(unit, old, found.reason)
    return decided


# ---- and then anew


async def renew(platform: Platform, actor: Actor, certificate_id: str, wanted: Renewal) -> Certificate:
    """A certificate anew for somebody whose first one was revoked: an act of its own, for all others of a class are issued together.

    It meets what every certificate has to meet today, and says what is registered today. Raises NotFound, NotRevoked, HoldsOne,
    MayNotHaveOne, NumbersUsedUp, KeyUnusable, CharacterMissing, TextTooLong.
    """
    found = await certificates.certificate(platform, actor, certificate_id)
    seen = await issue.class_certificates(platform, actor, found.class_id)
    of_person = [one for one in seen.candidates if one.trainee.person_id == found.person_id]
    rules.require_due(seen.hindrance, of_person[0].obstacles if of_person else ("已不在名册中",))
    said = {"courses": tuple(seen.training_class.courses), "major": seen.training_class.major_name}
    await printing.prove_issuable(platform, found, name=of_person[0].trainee.name, **said)
    try:
        return await _renew(platform, actor, certificate_id, wanted)
    except DuplicateKeyError:  # twice at once
        raise rules.NotRevoked() from None


@transactional
async def _renew(unit: UnitOfWork, certificate_id: str, wanted: Renewal) -> Certificate:
    found = await certificates.certificate(unit, unit.actor, certificate_id)
    taken = await certificate_store.in_place_of(unit, found.id)
    if found.status is not CertificateStatus.REVOKED or found.replaced_by or taken:
        raise rules.NotRevoked()
    papers = await certificate_store.of_person_in_class(unit, found.class_id, found.person_id)
    rules.require_none_held(held=any(one.current or one.pending for one in papers))
    rules.require_left(*await service.orders_left(unit, found), keeps_number=False)
    held_in = (await classes.classes_of(unit, [found.class_id]))[found.class_id]
    person = await printing.person_of(unit, found)
    words = {
        "name": person.name,
        "id_number": person.id_number,
        "id_number_masked": person.id_number_masked,
        "major": held_in.major_name,
        "courses": tuple(held_in.courses),
        "issued_on": beijing_date(unit.now),
    }
    new = await issue.issue_in_place_of(unit, found, mark="", keep_number=False, printed=words)
    unit.audit("certificates:renew", found.id, number=new.printed.number, reason=wanted.reason)
    return new
