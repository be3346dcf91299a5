"""What became of a certificate, oldest first, and what may be done with it now: for its page, and for its holder's phone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from server.certificates import service as certificates
from server.certificates import store as certificate_store
from server.certificates.documents import Certificate, CertificateStatus
from server.institutions.rules import MAJORS
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict
from server.kernel.hearings import check_heard
from server.kernel.identity import INSTITUTION_ROLES, Actor
from server.kernel.permissions import Permission
from server.kernel.platform import Platform
from server.kernel.policies import Policies
from server.kernel.reviewed import Pending, pending
from server.reissues import printing, rules, service, store
from server.reissues.documents import Reissue
from server.reissues.rules import Action, Kind, State
from server.seals import service as seals


@dataclass(frozen=True)
class Event:
    """Something that happened to a certificate of somebody in a class, or to another in its place."""

    at: datetime
    title: str
    number: str
    who: str
    """By name, as staff see it."""
    reason: str = ""
    href: str = ""


@dataclass(frozen=True)
class AfterIssue:
    """One certificate as its page shows it."""

    events: list[Event]
    open: Reissue | None
    before: Certificate | None
    """In whose place this one was issued."""
    after: Certificate | None
    """That took the place of this one, or will once it is signed."""
    otherwise: bool
    """The person is registered under another name or number than this one prints."""
    keeps_number: bool
    serials: int
    numbers: int
    """That are left."""
    at_once: bool
    """It may be revoked without a hearing, today; or it could not be made."""
    until: date
    """Until when the holder could answer a hearing that began today."""
    majors: list[str]
    unusable: str = ""
    """Why nothing can be signed for its issuer now, in words."""
    holds: bool = False
    """Its person has a certificate of its class, or one that is being made."""

    @property
    def free(self) -> bool:
        """Nothing is going on that would have to end first."""
        return self.open is None and self.after is None

    @property
    def may_be_revoked(self) -> bool:
        """A request is in nobody's way: it ends with that."""
        return self.after is None and (self.open is None or self.open.kind is not Kind.REVOKED)

    def withheld(self, *, keeps_number: bool) -> str:
        """Why no other can be issued now, in Chinese; empty when one can. It may still be asked for where only the key is in the way."""
        return self.lacks(keeps_number=keeps_number) or self.unusable

    def lacks(self, *, keeps_number: bool) -> str:
        """Why no other can be issued, in Chinese; empty when one can."""
        try:
            rules.require_left(self.serials, self.numbers, keeps_number=keeps_number)
        except rules.NumbersUsedUp as refusal:
            return refusal.detail
        return ""


async def after_issue(platform: Platform, actor: Actor, found: Certificate) -> AfterIssue:
    """Of a certificate that the caller has fetched in the actor's jurisdiction."""
    today = beijing_date(platform.clock.now())
    in_force = await policies.on(platform, today)
    papers = await certificate_store.of_person_in_class(platform, found.class_id, found.person_id)
    matters = await store.of_person_in_class(platform, found.class_id, found.person_id)
    serials, numbers = await service.orders_left(platform, found)
    by_id = {one.id: one for one in papers}
    return AfterIssue(
        events=list(_events(papers, matters)),
        open=next((one for one in matters if one.open and one.certificate_id == found.id), None),
        before=by_id.get(found.replaces or ""),
        after=next((one for one in papers if one.replaces == found.id), None),
        otherwise=found.current
        and printing.registered_otherwise(found, await printing.person_of(platform, found)),
        keeps_number=in_force.reissue_keeps_number,
        serials=serials,
        numbers=numbers,
        at_once=found.given_up or rules.may_revoke_at_once(service.first_issued_on(papers, found), today),
        until=today + timedelta(days=in_force.revocation_statement_days),
        majors=[one.name for one in MAJORS.values()],
        unusable=await seals.unusable(platform, found.institution_code),
        holds=any(one.current or one.pending for one in papers),
    )


@dataclass(frozen=True)
class Matter:
    """A request as its page shows it, with what its reader may do."""

    certificate: Certificate
    may: frozenset[Action]
    after: AfterIssue
    keeps_number: bool
    """Of what would be issued."""
    decides_from: str
    """Why a hearing cannot be decided yet, in Chinese; empty when it can."""


async def matter(platform: Platform, actor: Actor, found: Reissue) -> Matter:
    """Of a request that the caller has fetched in the actor's jurisdiction."""
    certificate = await certificates.certificate(platform, actor, found.certificate_id)
    after = await after_issue(platform, actor, certificate)
    steps = rules.steps_of(found.kind)
    may = {one for one in Action if steps.may(found.state, one, actor.roles)} - {Action.OVERTAKE, Action.FAIL}
    if found.by_holder:
        may -= {Action.WITHDRAW}
    else:
        may -= {Action.DECLINE}
    waits = ""
    try:
        check_heard(found.hearing, beijing_date(platform.clock.now()), "撤销证书")
    except Conflict as refusal:
        waits = refusal.detail
    keeps = found.kind.reissue and after.keeps_number
    return Matter(certificate, frozenset(may), after, keeps, waits)


async def my_history(platform: Platform, actor: Actor, certificate_id: str) -> list[Event]:
    """What became of the actor's own certificate and of those before and after it. Raises NotFound."""
    found = await certificates.my_certificate(platform, actor, certificate_id)
    papers = await certificate_store.of_person_in_class(platform, found.class_id, found.person_id)
    matters = await store.of_person_in_class(platform, found.class_id, found.person_id)
    return list(_events(papers, matters))


def _events(papers: Sequence[Certificate], matters: Sequence[Reissue]) -> Iterator[Event]:
    def told() -> Iterator[Event]:
        for one in papers:
            number, home = one.printed.number, f"/admin/certificates/{one.id}"
            anew = f"（{one.printed.mark or '代替原证书'}）" if one.replaces or one.printed.mark else ""
            title = f"{'核发' if one.status.issued else '取号'}，序列号 {one.printed.serial}{anew}"
            yield Event(one.issued_at, title, number, one.issued_by, href=home)
            if one.revoked_at:
                ended = "没有制成，号码作废" if one.status is CertificateStatus.VOID else "撤销"
                yield Event(
                    one.revoked_at, ended, number, one.revoked_by or "", one.revoke_reason or "", home
                )
            if one.replaced_at and one.status in (CertificateStatus.REISSUED, CertificateStatus.REPLACED):
                yield Event(one.replaced_at, one.status.label, number, "", href=home)
        for matter in matters:
            for taken in matter.history:
                title = f"{matter.kind.label}：{matter.called(taken)}"
                yield Event(
                    taken.at, title, matter.certificate_number, taken.actor_name, taken.reason, matter.address
                )

    return iter(sorted(told(), key=lambda one: one.at))


# ---- what waits


def waiting(today: date) -> tuple[Pending, ...]:
    """What waits for the issuer and for its province; of a hearing, once it may be decided."""
    page, reads = service.PAGE, Permission.REISSUES_READ
    heard = {
        "kind": Kind.REVOKED,
        "state": State.HEARING,
        "$or": [{"agrees": {"$ne": None}}, {"until": {"$lt": today.isoformat()}}],
    }
    return (
        *pending(Reissue, rules.REISSUE, page, reads),
        *pending(Reissue, rules.REPLACEMENT, page, reads),
        Pending(Reissue, INSTITUTION_ROLES, heard, "陈述已满、待决定的证书撤销", page, reads, dated=_heard),
    )


def _heard(found: Reissue, in_force: Policies) -> tuple[date, date]:
    """Since the holder has answered, or since the last day for it has passed."""
    assert found.until is not None
    since = (
        beijing_date(found.history[-1].at) if found.agrees is not None else found.until + timedelta(days=1)
    )
    return since, since + timedelta(days=in_force.review_days)
