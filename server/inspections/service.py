"""A province checks its institutions once a year, orders what falls short to be mended, and looks at what was mended (article 18)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.certificates import reconcile
from server.certificates.documents import CertificateStatus
from server.inspections import rules, store
from server.inspections.documents import Figure, Inspection, InspectionFilter
from server.inspections.rules import NOTE_LONGEST, Action, Answer, Duty, Item, State
from server.institutions import service as institutions
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, NotFound
from server.kernel.history import step
from server.kernel.identity import Actor
from server.kernel.numbers import without_whole_numbers
from server.kernel.platform import Platform
from server.kernel.reasons import Reason
from server.kernel.reviewed import take
from server.kernel.reviews import Return, Review
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.stock import papers
from server.stock.statistics import By, statistics

PAGE = "/admin/inspections"


class CheckedAlready(Conflict):
    slug = "inspection-there"
    title = "这个机构本年度已经检查"
    default_detail = "一个机构一年一次检查，已经有了。请打开那次检查；开错的先撤销。"


class Beginning(BaseModel):
    institution: Annotated[str, Field(title="培训机构", pattern=r"^[0-9]{3}$")]
    year: Annotated[int, Field(title="年度", ge=2000, le=2100)]


class Found(BaseModel):
    """What was found of one duty, as it was typed."""

    duty: Duty
    answer: Answer | None = None
    note: Annotated[
        str, Field(title="情况", max_length=NOTE_LONGEST), AfterValidator(without_whole_numbers)
    ] = ""


class Record(Review):
    items: list[Found]


class Passing(Review):
    pass


class Ordering(Review):
    mend_by: Annotated[date, Field(title="整改期限")]
    reason: Annotated[Reason, Field(title="整改要求"), AfterValidator(without_whole_numbers)]


class Reply(Review):
    reason: Annotated[Reason, Field(title="整改情况"), AfterValidator(without_whole_numbers)]


class SentBack(Return):
    mend_by: Annotated[date, Field(title="整改期限")]


@transactional
async def _begin(unit: UnitOfWork, wanted: Beginning) -> Inspection:
    rules.STEPS.require_right(Action.BEGIN, unit.actor.roles)
    rules.require_year(wanted.year, beijing_date(unit.now))
    found = await institutions.institution(unit, unit.actor, wanted.institution)
    new = Inspection(
        institution_code=found.id,
        institution_name=found.name,
        province_code=found.province_code,
        year=wanted.year,
        history=[step(unit, Action.BEGIN)],
    )
    await store.insert(unit, new)
    unit.audit("inspections:begin", new.id, institution=found.id, year=new.year)
    return new


async def begin(platform: Platform, actor: Actor, wanted: Beginning) -> Inspection:
    """Raises CheckedAlready, NotFound, Invalid."""
    try:
        return await _begin(platform, actor, wanted)
    except DuplicateKeyError:
        raise CheckedAlready() from None


@transactional
async def record(unit: UnitOfWork, inspection_id: str, wanted: Record) -> Inspection:
    """Keeps what was found so far; nothing is concluded by it."""
    found = await inspection(unit, unit.actor, inspection_id)
    said = {one.duty: one for one in wanted.items}
    items = [
        Item(duty=one.duty, answer=given.answer, note=given.note.strip())
        if (given := said.get(one.duty))
        else one
        for one in found.items
    ]
    rules.require_noted(items)
    done = await take(unit, rules.STEPS, found, Action.RECORD, seen=wanted.seen, changes={"items": items})
    unit.audit("inspections:record", found.id)
    return done


@transactional
async def pass_(unit: UnitOfWork, inspection_id: str, wanted: Passing) -> Inspection:
    """合格; the figures of the day stay with it."""
    found = await inspection(unit, unit.actor, inspection_id)
    rules.STEPS.after(found.state, Action.PASS, unit.actor.roles)
    rules.require_passed(found.items)
    changes = {**await _concluded(unit, found, wanted.comment), "open": False}
    done = await take(
        unit, rules.STEPS, found, Action.PASS, wanted.comment, seen=wanted.seen, changes=changes
    )
    unit.audit("inspections:pass", found.id)
    return done


@transactional
async def order(unit: UnitOfWork, inspection_id: str, wanted: Ordering) -> Inspection:
    """限期整改: what falls short, until when."""
    found = await inspection(unit, unit.actor, inspection_id)
    rules.STEPS.after(found.state, Action.ORDER, unit.actor.roles)
    rules.require_ordered(found.items, wanted.mend_by, beijing_date(unit.now))
    changes = {**await _concluded(unit, found, wanted.reason), "mend_by": wanted.mend_by, "reply": ""}
    done = await take(
        unit, rules.STEPS, found, Action.ORDER, wanted.reason, seen=wanted.seen, changes=changes
    )
    unit.audit("inspections:order", found.id, until=wanted.mend_by.isoformat(), reason=wanted.reason)
    return done


async def _concluded(unit: UnitOfWork, found: Inspection, words: str) -> dict[str, object]:
    figures = await figures_of(unit.platform, unit.actor, found)
    return {"figures": figures, "counted_on": beijing_date(unit.now), "conclusion": words}


@transactional
async def answer(unit: UnitOfWork, inspection_id: str, wanted: Reply) -> Inspection:
    """What the institution has mended; late is better than never, and the history says so."""
    found = await inspection(unit, unit.actor, inspection_id)
    changes = {"reply": wanted.reason}
    done = await take(
        unit, rules.STEPS, found, Action.ANSWER, wanted.reason, seen=wanted.seen, changes=changes
    )
    unit.audit("inspections:answer", found.id)
    return done


@transactional
async def accept(unit: UnitOfWork, inspection_id: str, wanted: Review) -> Inspection:
    found = await inspection(unit, unit.actor, inspection_id)
    done = await take(
        unit, rules.STEPS, found, Action.ACCEPT, wanted.comment, seen=wanted.seen, changes={"open": False}
    )
    unit.audit("inspections:accept", found.id)
    return done


@transactional
async def send_back(unit: UnitOfWork, inspection_id: str, wanted: SentBack) -> Inspection:
    """It is not mended yet: another last day."""
    found = await inspection(unit, unit.actor, inspection_id)
    rules.STEPS.after(found.state, Action.RETURN, unit.actor.roles)
    rules.require_time(wanted.mend_by, beijing_date(unit.now))
    changes = {"mend_by": wanted.mend_by}
    done = await take(
        unit, rules.STEPS, found, Action.RETURN, wanted.reason, seen=wanted.seen, changes=changes
    )
    unit.audit("inspections:return", found.id, until=wanted.mend_by.isoformat(), reason=wanted.reason)
    return done


@transactional
async def reopen(unit: UnitOfWork, inspection_id: str, wanted: Return) -> Inspection:
    """The conclusion was wrong: the province looks again, and the figures are counted anew."""
    found = await inspection(unit, unit.actor, inspection_id)
    changes = {
        "open": True,
        "figures": [],
        "counted_on": None,
        "conclusion": "",
        "mend_by": None,
        "reply": "",
    }
    done = await take(
        unit, rules.STEPS, found, Action.REOPEN, wanted.reason, seen=wanted.seen, changes=changes
    )
    unit.audit("inspections:reopen", found.id, reason=wanted.reason)
    return done


@transactional
async def drop(unit: UnitOfWork, inspection_id: str, wanted: Return) -> Inspection:
    """It was begun by mistake; another may be begun."""
    found = await inspection(unit, unit.actor, inspection_id)
    changes = {"open": False, "counts": False}
    done = await take(unit, rules.STEPS, found, Action.DROP, wanted.reason, seen=wanted.seen, changes=changes)
    unit.audit("inspections:drop", found.id, reason=wanted.reason)
    return done


# ---- reading


async def inspection(scope: Scope, actor: Actor, inspection_id: str) -> Inspection:
    """Raises NotFound outside the actor's jurisdiction."""
    found = await store.in_reach(scope, actor.jurisdiction, inspection_id)
    if found is None:
        raise NotFound("没有这次检查，或不在您的管理范围内。")
    return _as_told_to(actor, found)


async def list_inspections(
    platform: Platform,
    actor: Actor,
    narrowed: InspectionFilter,
    *,
    before: str | None = None,
    limit: int = 20,
) -> list[Inspection]:
    """The checks in the actor's jurisdiction, newest first."""
    found = await store.inspections(platform, actor.jurisdiction, narrowed, before=before, limit=limit)
    return [_as_told_to(actor, one) for one in found]


def _as_told_to(actor: Actor, found: Inspection) -> Inspection:
    """What is found while a check is under way is the province's own: an institution reads it with the conclusion."""
    if actor.institution_code and found.state in (State.CHECKING, State.DROPPED):
        return found.model_copy(update={"items": rules.blank()})
    return found


async def figures_of(platform: Platform, actor: Actor, found: Inspection) -> list[Figure]:
    """The year's figures of an institution as they are now, each with its list."""
    lines = await statistics(platform, actor, found.year, By.INSTITUTION)
    line = next((one for one in lines if one.key == found.institution_code), None)
    href = line.issued_href if line else ""
    figures = [Figure(title="核发", count=line.issued if line else 0, href=href)]
    figures += [
        Figure(
            title=status.label,
            count=line.count(status) if line else 0,
            href=line.list_of(status) if line else "",
        )
        for status in CertificateStatus
        if status.issued
    ]
    figures += [
        Figure(
            title="打印（次）",
            count=(line.printed or 0) if line else 0,
            href=line.printed_href if line else "",
        ),
        Figure(title="领取", count=(line.handed or 0) if line else 0, href=line.handed_href if line else ""),
    ]
    blank = sum(one.count for one in await papers.piles(platform, actor, found.institution_code))
    lies_at = f"{papers.PAGE}/left?institution={found.institution_code}"
    differ = await reconcile.open_of(platform, found.institution_code)
    return [
        *figures,
        Figure(title="空白结存（现在）", count=blank, href=lies_at),
        Figure(title="台账不符（现在）", count=differ, href=reconcile.PAGE),
    ]


@dataclass(frozen=True)
class Progress:
    """How far a province has come with the checks of a year."""

    province_code: str
    institutions: int
    states: Counter[State]

    @property
    def begun(self) -> int:
        return self.states.total()


async def progress(platform: Platform, actor: Actor, year: int) -> list[Progress]:
    """Of the provinces in the actor's jurisdiction that have institutions."""
    there = Counter(one.province_code for one in await institutions.list_institutions(platform, actor))
    states: dict[str, Counter[State]] = {code: Counter() for code in there}
    for row in await store.of_year(platform, actor.jurisdiction, year):
        states.setdefault(row["province_code"], Counter())[State(row["state"])] += 1
    return [Progress(code, there[code], states[code]) for code in sorted(states)]


async def unchecked(platform: Platform, actor: Actor, year: int) -> list[tuple[str, str]]:
    """Code and name of the institutions of which no check of this year is there."""
    begun = {row["institution_code"] for row in await store.of_year(platform, actor.jurisdiction, year)}
    listed = await institutions.list_institutions(platform, actor)
    return [(one.id, one.name) for one in listed if one.id not in begun]
