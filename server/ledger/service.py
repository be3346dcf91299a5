"""The ledger of certificates: what is entered, and what is shown and proven of it (article 18 (2): 建立专门台账……流向清晰)."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from server.kernel import chain
from server.kernel.clock import BEIJING, beijing_date
from server.kernel.folding import bare_number
from server.kernel.identity import Actor
from server.kernel.mongo import Row, first_id, new_id
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope, UnitOfWork
from server.ledger import roots, store
from server.ledger.documents import CHAIN, EntryKind, InclusionProof, LedgerEntry, Subject

Facts = Mapping[str, str | int]


async def record(unit: UnitOfWork, kind: EntryKind, subject: Subject, **facts: str | int) -> None:
    """Enters what `unit.actor` did with a certificate, in the same transaction. Facts hold no personal data in clear.

    Raises DuplicateKeyError for a second 核发 of one certificate.
    """
    await record_several(unit, kind, [(subject, facts)])


async def record_several(unit: UnitOfWork, kind: EntryKind, about: Sequence[tuple[Subject, Facts]]) -> None:
    rows = [row_of(unit.platform, unit.actor, unit.now, kind, subject, facts) for subject, facts in about]
    if rows:
        await store.insert(unit, rows)


async def record_fetched(unit: UnitOfWork, subject: Subject) -> None:
    """That its holder fetched it, once a day: each look is in the trail. Raises DuplicateKeyError for two at once."""
    day = beijing_date(unit.now).isoformat()
    if not await store.fetched_on(unit, subject.certificate_id, day):
        await record(unit, EntryKind.FETCHED, subject, day=day)


def row_of(
    platform: Platform,
    actor: Actor,
    at: datetime,
    kind: EntryKind,
    subject: Subject,
    facts: Facts,
    *,
    late: bool = False,
) -> Row:
    """An entry as it is written, with its mark; the sealer gives it its place."""
    row: Row = {
        "_id": new_id(),
        "at": at,
        "kind": kind.value,
        "actor_id": actor.id,
        "actor_name": actor.name,
        "actor_kind": actor.kind,
        **vars(subject),
        "facts": dict(facts) | ({"on_behalf_of": actor.stands_for} if actor.stands_for else {}),
        "late": late,
        "sealed": False,
    }
    return row | {"mark": CHAIN.mark_of(platform, row)}


async def entries_of(scope: Scope, certificate_id: str) -> list[LedgerEntry]:
    """Oldest first. The caller has established that its reader may see the certificate."""
    return await store.of_certificate(scope, certificate_id)


@dataclass(frozen=True)
class EntryFilter:
    """What is empty matches everything."""

    number: str = ""
    kind: EntryKind | None = None
    year: int | None = None
    """In which it was entered."""
    institution_code: str = ""
    province_code: str = ""


async def entries(
    platform: Platform, actor: Actor, narrowed: EntryFilter, *, before: str | None = None, limit: int = 30
) -> list[LedgerEntry]:
    """What happened to the certificates of the actor's jurisdiction, newest first."""
    given: Row = {
        "number": bare_number(narrowed.number),
        "kind": narrowed.kind,
        "institution_code": narrowed.institution_code,
        "province_code": narrowed.province_code,
    }
    conditions: list[Row] = [actor.jurisdiction.filter(), {name: one for name, one in given.items() if one}]
    if narrowed.year:
        first, last = _ids_of(narrowed.year)
        conditions.append({"_id": {"$gte": first, "$lt": last}})
    return await store.entries(platform, conditions, before=before, limit=limit)


def _ids_of(year: int) -> tuple[str, str]:
    """Between which ids entries of a year are, as Beijing reckons it."""
    first, last = (first_id(datetime(one, 1, 1, tzinfo=BEIJING)) for one in (year, year + 1))
    return first, last


async def entries_in(platform: Platform, actor: Actor, kind: EntryKind, year: int) -> dict[str, int]:
    """By institution of the actor's jurisdiction, how many entries of a kind there are of a year: as many as the list of them shows."""
    return await store.entries_in(platform, actor.jurisdiction, kind, *_ids_of(year))


def is_ours(platform: Platform, row: Row) -> bool:
    """Whether an entry says what the platform wrote, by its mark."""
    try:
        return hmac.compare_digest(str(row.get("mark")).encode(), CHAIN.mark_of(platform, row).encode())
    except (KeyError, TypeError, AttributeError):
        return False


async def rows_of(
    scope: Scope, certificate_ids: Sequence[str], kinds: Collection[EntryKind] | None = None
) -> list[Row]:
    """The entries of several certificates as they are, oldest first, for whoever checks them: all, or those of some kinds."""
    return await store.rows_of(scope, certificate_ids, kinds)


def issued_in(scope: Scope, institution_code: str) -> AsyncIterator[Row]:
    """Which certificates an institution has issued, by its ledger."""
    return store.issued_in(scope, institution_code)


async def proof_of(platform: Platform, certificate_id: str) -> InclusionProof | None:
    """For whoever verifies a certificate: see `roots.proof_of`."""
    return await roots.proof_of(platform, certificate_id)


async def seal(platform: Platform) -> int:
    """Links what was entered; returns how many. Scheduled."""
    return await chain.seal(platform, CHAIN)
