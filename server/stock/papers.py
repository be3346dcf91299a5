"""Blank certificate paper: received, given, used, spoiled, lost, counted (article 18: 印制 保存 申领 打印, 账实相符)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field
from pymongo.errors import DuplicateKeyError

from server.certificates import service as certificates
from server.certificates.documents import Certificate
from server.classes import service as classes
from server.institutions import service as institutions
from server.kernel.clock import BEIJING, beijing_date
from server.kernel.errors import FieldError, Invalid, NotFound
from server.kernel.folding import bare_number
from server.kernel.history import step
from server.kernel.identity import Actor
from server.kernel.mongo import new_id
from server.kernel.numbers import without_whole_numbers
from server.kernel.platform import Platform
from server.kernel.reasons import OptionalReason, Reason, readable
from server.kernel.reviewed import take
from server.kernel.reviews import Return, Review, Withdrawal
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.stock import paper_rules as rules
from server.stock import paper_store as store
from server.stock import store as handovers
from server.stock.documents import Handover
from server.stock.paper_documents import BlankPaper, PaperCount, PaperMovement, PaperRequest
from server.stock.paper_rules import Action, Book, Fate, Movement, State

PAGE = "/admin/stock"
Line = Annotated[str, Field(max_length=60), BeforeValidator(readable), AfterValidator(without_whole_numbers)]
Number = Annotated[str, Field(title="起始号码", min_length=1, max_length=22), AfterValidator(bare_number)]
Quantity = Annotated[int, Field(title="数量", ge=1, le=rules.MOST_AT_ONCE)]


class Batch(BaseModel):
    first: Number
    quantity: Quantity
    on: Annotated[date, Field(title="日期")]
    origin: Annotated[Line, Field(title="印制或来源单位", min_length=2)]
    document: Annotated[Line, Field(title="单据号")] = ""


class Asking(BaseModel):
    quantity: Quantity
    reason: Reason


class Giving(Review):
    first: Number
    quantity: Quantity


class WritingOff(BaseModel):
    fate: Annotated[Literal[Fate.SPOILED, Fate.LOST], Field(title="情况")]
    first: Number
    quantity: Quantity
    reason: Reason


class Counting(BaseModel):
    counted: Annotated[int, Field(title="实有数量", ge=0, le=10_000_000)]
    reason: Annotated[OptionalReason, Field(title="差异说明")] = ""


class Because(BaseModel):
    reason: Reason


@dataclass(frozen=True)
class Stock:
    """What an office has, this year, and what goes on."""

    book: Book
    first_left: str
    moved: list[PaperMovement]
    counts: list[PaperCount]
    requests: list[PaperRequest]
    """In the reader's reach, newest first."""


async def stock(platform: Platform, actor: Actor) -> Stock:
    today = beijing_date(platform.clock.now())
    since = datetime(today.year, 1, 1, tzinfo=BEIJING)
    opening, moved = await store.sums(platform, actor.office, since)
    return Stock(
        rules.book(opening, moved, await store.left(platform, actor.office)),
        await store.first_left(platform, actor.office),
        await store.movements(platform, actor.office, limit=50),
        await store.counts(platform, actor.office, limit=5),
        await store.requests(platform, actor.jurisdiction, limit=50),
    )


@dataclass(frozen=True)
class Pile:
    """Sheets without a gap that lie with an institution."""

    institution: str
    first: str
    last: str
    count: int


async def piles(platform: Platform, actor: Actor, institution: str = "", province: str = "") -> list[Pile]:
    """The blank sheets that the institutions of the actor's jurisdiction have today, by institution and number."""
    given = {"institution_code": institution, "province_code": province}
    narrowed = {name: one for name, one in given.items() if one}
    found: dict[str, list[str]] = {}
    for row in await store.left_numbers(platform, actor.jurisdiction, narrowed):
        found.setdefault(row["institution_code"], []).append(row["number"])
    named = await institutions.by_codes(platform, list(found))
    return [
        Pile(named[code].name if code in named else code, *run)
        for code in sorted(found)
        for run in rules.runs(found[code])
    ]


@dataclass(frozen=True)
class Whereabouts:
    """What became of a sheet."""

    sheet: BlankPaper
    institution: str
    """Where it lies or was used; empty with a province or the centre."""
    certificate: Certificate | None
    handed: Handover | None


async def whereabouts(platform: Platform, actor: Actor, number: str) -> list[Whereabouts]:
    """Of the sheets with this number in the actor's jurisdiction."""
    found = await store.numbered(platform, actor.jurisdiction, number.strip().upper())
    printed = await certificates.printed_on(
        platform, [one.certificate_id for one in found if one.certificate_id]
    )
    named = await institutions.by_codes(platform, [one.institution_code for one in found])
    told = []
    for one in found:
        handed = await handovers.standing(platform, one.certificate_id) if one.certificate_id else None
        at = named[one.institution_code].name if one.institution_code in named else ""
        told.append(Whereabouts(one, at, printed.get(one.certificate_id or ""), handed))
    return told


async def movements(
    platform: Platform, actor: Actor, *, before: str | None = None, limit: int = 50
) -> list[PaperMovement]:
    """The whole book of the actor's own office, newest first."""
    return await store.movements(platform, actor.office, before=before, limit=limit)


def _source(unit: UnitOfWork) -> str:
    """Whose numbers these are: each province has its own, and prints or has printed under them."""
    return unit.actor.province_code or ""


def _line(
    unit: UnitOfWork,
    kind: Movement,
    taken: tuple[str, str, int],
    delta: int,
    *,
    office: tuple[str, str, str] | None = None,
    **more: str,
) -> PaperMovement:
    first, last, quantity = taken
    actor = unit.actor
    mine = actor.office, actor.institution_code or "", actor.province_code or ""
    where, institution, province = office or mine
    said = {"source": _source(unit), "first": first, "last": last, "quantity": quantity, "delta": delta}
    day = beijing_date(unit.now)
    whose = {"office": where, "institution_code": institution, "province_code": province}
    return PaperMovement.model_validate(
        {"id": new_id(), "kind": kind, "on": day, "at": unit.now, "by": actor.name, **whose, **said, **more}
    )


# ---- 印制, 保存


async def receive(platform: Platform, actor: Actor, wanted: Batch) -> int:
    """Enters a delivery from the printer; how many sheets. Raises Invalid, also where one of the numbers was entered before."""
    try:
        return await _receive(platform, actor, wanted)
    except DuplicateKeyError:
        words = "这些号码中有的已经登记过，同一号码不能登记两次。请核对起始号码和数量。"
        raise Invalid(fields=[FieldError("first", words)]) from None


@transactional
async def _receive(unit: UnitOfWork, wanted: Batch) -> int:
    rules.require_past(wanted.on, beijing_date(unit.now))
    pile = rules.numbers(wanted.first, wanted.quantity)
    line = _line(
        unit,
        Movement.PRINTED,
        (pile[0], pile[-1], len(pile)),
        len(pile),
        other=wanted.origin,
        document=wanted.document,
    ).model_copy(update={"on": wanted.on})
    sheets = [
        BlankPaper(
            number=number,
            source=line.source,
            office=line.office,
            institution_code=line.institution_code,
            province_code=line.province_code,
            at=unit.now,
            by=unit.actor.name,
        )
        for number in pile
    ]
    await store.insert(unit, sheets)
    await store.note(unit, [line])
    unit.audit("stock:receive", line.id, number=line.first, documents=len(pile))
    return len(pile)


@transactional
async def write_off(unit: UnitOfWork, wanted: WritingOff) -> int:
    """Sheets that were never used are spoiled or lost. Raises Invalid, PaperMissing."""
    pile = rules.numbers(wanted.first, wanted.quantity)
    changes: dict[str, object] = {"state": wanted.fate, "reason": wanted.reason}
    await _change(unit, pile, changes)
    kind = Movement(wanted.fate.value)
    line = _line(unit, kind, (pile[0], pile[-1], len(pile)), -len(pile), reason=wanted.reason)
    await store.note(unit, [line])
    unit.audit("stock:write-off", line.id, number=line.first, documents=len(pile), reason=wanted.reason)
    return len(pile)


async def _change(unit: UnitOfWork, pile: Sequence[str], changes: dict[str, object]) -> None:
    """Of sheets that are left here, all or none. Raises PaperMissing."""
    changed = await store.change_left(
        unit, unit.actor.office, _source(unit), pile, changes | {"at": unit.now, "by": unit.actor.name}
    )
    if changed != len(pile):
        raise rules.PaperMissing(
            f"从 {pile[0]} 到 {pile[-1]} 的 {len(pile)} 张中，只有 {changed} 张在本单位结存。请核对号码和数量。"
        )


async def delivery(scope: Scope, actor: Actor, movement_id: str) -> PaperMovement:
    """That the actor's own office has entered. Raises NotFound."""
    found = await store.movement(scope, actor.office, movement_id)
    if found is None or found.kind is not Movement.PRINTED or found.delta < 0:
        raise NotFound("没有这笔入库登记，或不是本单位登记的。")
    return found


@transactional
async def take_back(unit: UnitOfWork, movement_id: str, wanted: Because) -> None:
    """A delivery was entered wrongly: its numbers are free again, and the line stays with its opposite. Raises NotFound, Counted, Moved."""
    found = await delivery(unit, unit.actor, movement_id)
    await _require_uncounted(unit, found.at)
    pile = rules.numbers(found.first, found.quantity)
    if found.taken_back or await store.remove_left(unit, found.office, found.source, pile) != len(pile):
        raise rules.Moved()
    await store.mark_taken_back(unit, found.id)
    opposite = (found.first, found.last, found.quantity)
    line = _line(
        unit, Movement.PRINTED, opposite, -found.quantity, reason=wanted.reason, other="撤回入库登记"
    )
    await store.note(unit, [line])
    unit.audit("stock:take-back", found.id, reason=wanted.reason)


async def _require_uncounted(unit: UnitOfWork, at: datetime) -> None:
    counted = await store.counts(unit, unit.actor.office, limit=1)
    if counted and counted[0].at >= at:
        raise rules.Counted()


@transactional
async def count(unit: UnitOfWork, wanted: Counting) -> PaperCount:
    """盘点: what lies there against the book. Raises Invalid for a difference without a word."""
    book = await store.left(unit, unit.actor.office)
    rules.require_explained(book, wanted.counted, wanted.reason)
    new = PaperCount(
        office=unit.actor.office,
        institution_code=unit.actor.institution_code or "",
        province_code=unit.actor.province_code or "",
        at=unit.now,
        by=unit.actor.name,
        book=book,
        counted=wanted.counted,
        explanation=wanted.reason,
    )
    await store.add_count(unit, new)
    unit.audit("stock:count", new.id, documents=wanted.counted, reason=wanted.reason)
    return new


# ---- 申领


@transactional
async def ask(unit: UnitOfWork, wanted: Asking) -> PaperRequest:
    rules.STEPS.require_right(Action.ASK, unit.actor.roles)
    mine = await institutions.institution(unit, unit.actor, unit.actor.institution_code or "")
    new = PaperRequest(
        institution_code=mine.id,
        institution_name=mine.name,
        province_code=mine.province_code,
        quantity=wanted.quantity,
        reason=wanted.reason,
        state=State.ASKED,
        history=[step(unit, Action.ASK, wanted.reason)],
    )
    await store.add_request(unit, new)
    for said in new.tells(new.history[-1]):
        unit.tell(said)
    unit.audit("stock:ask", new.id, documents=wanted.quantity)
    return new


async def request(scope: Scope, actor: Actor, request_id: str) -> PaperRequest:
    """Raises NotFound."""
    found = await store.request(scope, actor.jurisdiction, request_id)
    if found is None:
        raise NotFound("没有这份申领，或不在您的管理范围内。")
    return found


@transactional
async def give(unit: UnitOfWork, request_id: str, wanted: Giving) -> PaperRequest:
    """From what the province has, in a stretch of numbers. Raises what the procedure says, Invalid, PaperMissing."""
    found = await request(unit, unit.actor, request_id)
    rules.STEPS.require_right(Action.GIVE, unit.actor.roles)
    pile = rules.numbers(wanted.first, wanted.quantity)
    there = f"institution:{found.institution_code}"
    await _change(unit, pile, {"office": there, "institution_code": found.institution_code})
    taken = pile[0], pile[-1], len(pile)
    receiver = there, found.institution_code, found.province_code
    await store.note(
        unit,
        [
            _line(unit, Movement.SENT, taken, -len(pile), other=found.institution_name),
            _line(unit, Movement.RECEIVED, taken, len(pile), office=receiver, other=unit.actor.name),
        ],
    )
    words = f"{pile[0]} 至 {pile[-1]}，共 {len(pile)} 张"
    done = await take(unit, rules.STEPS, found, Action.GIVE, words, seen=wanted.seen)
    unit.audit("stock:give", found.id, number=pile[0], documents=len(pile))
    return done


@transactional
async def decline(unit: UnitOfWork, request_id: str, wanted: Return) -> PaperRequest:
    found = await request(unit, unit.actor, request_id)
    done = await take(unit, rules.STEPS, found, Action.DECLINE, wanted.reason, seen=wanted.seen)
    unit.audit("stock:decline", found.id, reason=wanted.reason)
    return done


@transactional
async def withdraw(unit: UnitOfWork, request_id: str, wanted: Withdrawal) -> PaperRequest:
    found = await request(unit, unit.actor, request_id)
    done = await take(unit, rules.STEPS, found, Action.WITHDRAW, wanted.reason, seen=wanted.seen)
    unit.audit("stock:withdraw", found.id)
    return done


# ---- 打印


async def of_class(platform: Platform, certificate_ids: Sequence[str]) -> dict[str, BlankPaper]:
    """On which sheet each is printed, by certificate. The caller has fetched them in its reader's reach."""
    return await store.of_certificates(platform, certificate_ids)


@transactional
async def assign(unit: UnitOfWork, class_id: str) -> int:
    """Before a class is overprinted: to each valid certificate without a sheet the next number, in the order of the serials. What was
    handed over is printed on something already.

    Raises NotFound, PaperMissing.
    """
    await classes.get_class(unit, unit.actor, class_id)
    found = (await certificates.of_class(unit, class_id)).values()
    valid = sorted((one for one in found if one.valid), key=lambda one: one.printed.serial)
    printed = await store.of_certificates(unit, [one.id for one in valid])
    handed = await handovers.of_class(unit, class_id)
    due = [one.id for one in valid if one.id not in printed and one.id not in handed]
    if not due:
        unit.nothing_written()
        return 0
    pile = await _use(unit, due)
    unit.audit("stock:assign", class_id, number=pile[0], documents=len(pile))
    return len(pile)


async def _use(unit: UnitOfWork, certificate_ids: Sequence[str]) -> list[str]:
    pile = await store.next_left(unit, unit.actor.office, _source(unit), len(certificate_ids))
    if len(pile) < len(certificate_ids):
        raise rules.PaperMissing(
            f"需要 {len(certificate_ids)} 张空白证书，本单位只结存 {len(pile)} 张。请先登记入库或申领。"
        )
    for number, certificate_id in zip(pile, certificate_ids, strict=True):
        await _change(unit, [number], {"state": Fate.USED, "certificate_id": certificate_id, "reason": ""})
    await store.note(unit, [_line(unit, Movement.USED, run, -run[2]) for run in rules.runs(pile)])
    return pile


async def _sheet_of(unit: UnitOfWork, certificate_id: str) -> BlankPaper:
    found = await certificates.certificate(unit, unit.actor, certificate_id)
    sheet = (await store.of_certificates(unit, [found.id])).get(found.id)
    if sheet is None or sheet.office != unit.actor.office:
        raise NotFound("这张证书还没有登记用纸。")
    if await handovers.standing(unit, found.id):
        raise rules.PaperHandedOut()
    return sheet


@transactional
async def spoil(unit: UnitOfWork, certificate_id: str, wanted: Because) -> str:
    """打坏作废: the sheet is spoiled, and the next one takes its place; its number. Raises NotFound, PaperMissing, PaperHandedOut, and what
    says that the certificate is not valid."""
    certificates.require_valid(await certificates.certificate(unit, unit.actor, certificate_id))
    sheet = await _sheet_of(unit, certificate_id)
    await store.change_used(
        unit, sheet, {"state": Fate.SPOILED, "certificate_id": None, "reason": wanted.reason, "at": unit.now}
    )
    one = (sheet.number, sheet.number, 1)
    lines = [
        _line(unit, Movement.USED, one, 1, reason="打坏，不计使用"),
        _line(unit, Movement.SPOILED, one, -1, reason=wanted.reason),
    ]
    await store.note(unit, lines)
    [following] = await _use(unit, [certificate_id])
    unit.audit("stock:spoil", certificate_id, number=sheet.number, reason=wanted.reason)
    return following


@transactional
async def release(unit: UnitOfWork, certificate_id: str, wanted: Because) -> None:
    """The sheet was assigned wrongly and is still blank. Raises NotFound, Counted, PaperHandedOut."""
    sheet = await _sheet_of(unit, certificate_id)
    await _require_uncounted(unit, sheet.at)
    await store.change_used(unit, sheet, {"state": Fate.LEFT, "certificate_id": None, "at": unit.now})
    line = _line(unit, Movement.USED, (sheet.number, sheet.number, 1), 1, reason=wanted.reason)
    await store.note(unit, [line])
    unit.audit("stock:release", certificate_id, number=sheet.number, reason=wanted.reason)
