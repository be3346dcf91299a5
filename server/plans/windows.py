"""报送窗口: when annual plans are due, who has not reported, and 催办 (article 4.1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field
from pymongo.errors import DuplicateKeyError

from server.institutions import service as institutions
from server.institutions.annex1 import PROVINCES
from server.institutions.documents import InstitutionFilter
from server.kernel import offices, reminders
from server.kernel.clock import beijing_date
from server.kernel.errors import Forbidden, NotFound
from server.kernel.history import step
from server.kernel.identity import INSTITUTION_ROLES, Actor, Role, system
from server.kernel.offices import Said, Topic
from server.kernel.platform import Platform
from server.kernel.reasons import Reason
from server.kernel.reviews import Overtaken, Withdrawal
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.kernel.waiting import Waiting
from server.plans import store
from server.plans import window_rules as rules
from server.plans.documents import Plan, PlanWindow, Reported, ReportFilter, ReportRow, WindowVersion
from server.plans.rules import State
from server.plans.store import Standing
from server.plans.window_rules import Report, WindowAction, WindowStands

PAGE = "/admin/plans/windows"
PROVINCE_NAMES = {one.code: one.name for one in PROVINCES}


class WindowDraft(BaseModel):
    """`seen`: how many versions the page showed; none for what is announced for the first time, and only then no reason is due."""

    year: Annotated[int, Field(title="年度", ge=2000, le=2100)]
    opens_on: Annotated[date, Field(title="开始日期")]
    closes_on: Annotated[date, Field(title="截止日期")]
    words: Annotated[str, Field(title="报送要求", min_length=4, max_length=500)]
    seen: Annotated[int, Field(ge=0)] = 0


class WindowChange(WindowDraft):
    reason: Annotated[Reason, Field(title="调整理由")]


class WindowWithdrawal(Withdrawal):
    year: Annotated[int, Field(title="年度", ge=2000, le=2100)]


@dataclass(frozen=True)
class Windows:
    """What holds of a year for somebody's reach: the country's, and of a province its own; `own` is what the actor may change."""

    country: PlanWindow | None
    own: PlanWindow | None
    last: PlanWindow | None
    """The own one, also withdrawn: its versions."""

    @property
    def due_on(self) -> date | None:
        return rules.due_on(one.closes_on for one in (self.country, self.own) if one)


def _place(actor: Actor) -> str:
    """For where an actor announces. Raises Forbidden for who announces nowhere."""
    if Role.NATIONAL_CENTRE in actor.roles:
        return ""
    if Role.PROVINCE in actor.roles and actor.province_code:
        return actor.province_code
    raise Forbidden("计划的报送时间由部指导中心和省级管理部门公布。")


async def announce(platform: Platform, actor: Actor, draft: WindowDraft) -> PlanWindow:
    """Says when plans of a year are due, and tells whom it concerns. Raises Invalid, WindowStands, Overtaken, Forbidden."""
    try:
        return await _set(platform, actor, draft, WindowAction.ANNOUNCE, "")
    except DuplicateKeyError:
        raise WindowStands() from None


async def change(platform: Platform, actor: Actor, draft: WindowChange) -> PlanWindow:
    """A new version of a window, with its reason. Raises as `announce`, and NotFound."""
    return await _set(platform, actor, draft, WindowAction.CHANGE, draft.reason)


@transactional
async def _set(unit: UnitOfWork, draft: WindowDraft, action: WindowAction, reason: str) -> PlanWindow:
    place, today = _place(unit.actor), beijing_date(unit.now)
    country = await store.window(unit, "", draft.year)
    latest = country.closes_on if place and country and not country.withdrawn else None
    rules.check_days(draft.year, draft.opens_on, draft.closes_on, today, latest)
    before = await store.window(unit, place, draft.year)
    standing = before is not None and not before.withdrawn
    if action is WindowAction.ANNOUNCE and standing:
        raise WindowStands()
    if action is WindowAction.CHANGE and not standing:
        raise NotFound("这一年还没有公布报送时间。")
    return await _keep(unit, before, place, draft, action, reason)


async def _keep(
    unit: UnitOfWork,
    before: PlanWindow | None,
    place: str,
    draft: WindowDraft,
    action: WindowAction,
    reason: str,
) -> PlanWindow:
    said = {"opens_on": draft.opens_on, "closes_on": draft.closes_on, "words": draft.words}
    taken = WindowVersion(**step(unit, action, reason).model_dump(), **said)
    history = [*(before.history if before else []), taken]
    base = before or PlanWindow(province_code=place, year=draft.year, history=[], **said)
    withdrawn = action is WindowAction.WITHDRAW
    changed = base.model_copy(update={**said, "withdrawn": withdrawn, "history": history})
    if draft.seen != len(history) - 1 or not await store.keep_window(unit, changed, draft.seen):
        raise Overtaken("在您打开页面之后，报送时间又有了变动。请刷新页面，核对后再办理。")
    closes_on = draft.closes_on.isoformat()
    match action:
        case WindowAction.ANNOUNCE:
            unit.audit("plans:announce-window", changed.id, year=draft.year, closes_on=closes_on)
        case WindowAction.CHANGE:
            unit.audit("plans:change-window", changed.id, year=draft.year, closes_on=closes_on, reason=reason)
        case WindowAction.WITHDRAW:
            unit.audit("plans:withdraw-window", changed.id, year=draft.year, reason=reason)
    await _tell_all(unit, changed, action, reason)
    return changed


async def _tell_all(unit: UnitOfWork, window: PlanWindow, action: WindowAction, reason: str) -> None:
    """Every institution that it concerns, and of the centre's every province that has one."""
    days = f"{window.opens_on} 至 {window.closes_on}"
    words = {
        WindowAction.ANNOUNCE: f"{window.year} 年培训计划请于 {days} 报送。{window.words}",
        WindowAction.CHANGE: f"{window.year} 年培训计划的报送时间调整为 {days}，理由：{reason}",
        WindowAction.WITHDRAW: f"{window.year} 年培训计划的报送时间已撤回，理由：{reason}",
    }[action]
    concerned = await _reporting(unit, unit.actor, "")
    places = {offices.province(one.province_code) for one in concerned} if not window.province_code else set()
    here = [offices.institution(one.id) for one in concerned]
    for to in [*sorted(places), *here]:
        unit.tell(
            Said(to, Topic.WINDOW, words, "/admin/plans" if to in here else f"{PAGE}?year={window.year}")
        )


@transactional
async def withdraw(unit: UnitOfWork, wanted: WindowWithdrawal) -> PlanWindow:
    """Takes a window back until its last day: nothing is due any more. Raises NotFound, WindowOver, Overtaken, Forbidden."""
    place = _place(unit.actor)
    before = await store.window(unit, place, wanted.year)
    if before is None or before.withdrawn:
        raise NotFound("这一年还没有公布报送时间。")
    rules.check_withdrawal(before.closes_on, beijing_date(unit.now))
    as_it_was = WindowDraft(
        year=before.year,
        opens_on=before.opens_on,
        closes_on=before.closes_on,
        words=before.words,
        seen=wanted.seen,
    )
    return await _keep(unit, before, place, as_it_was, WindowAction.WITHDRAW, wanted.reason)


# ---- who has reported


async def _reporting(scope: Platform | UnitOfWork, actor: Actor, province_code: str) -> Sequence[ReportRow]:
    """The institutions in reach that hold a valid qualification, as if none had begun."""
    today = beijing_date(scope.platform.clock.now())
    narrowed = InstitutionFilter(province_code=province_code)
    found = await institutions.list_institutions(scope.platform, actor, narrowed)
    return [
        ReportRow(
            filed_on=None,
            due_on=None,
            late=False,
            id=one.id,
            name=one.name,
            province_code=one.province_code,
            report=Report.NONE,
            plan_id=None,
        )
        for one in found
        if any(held.is_valid(today) for held in one.qualifications)
    ]


async def windows_of(platform: Platform, actor: Actor, year: int) -> Windows:
    """What an actor sees of a year's windows."""
    place = "" if Role.NATIONAL_CENTRE in actor.roles else actor.province_code or ""
    country = await store.window(platform, "", year)
    last = await store.window(platform, place, year) if place else country
    in_force, own = (None if one is None or one.withdrawn else one for one in (country, last))
    return Windows(in_force, own, last)


async def reports(
    platform: Platform,
    actor: Actor,
    narrowed: ReportFilter,
    *,
    before: str | None = None,
    limit: int | None = None,
) -> list[ReportRow]:
    """Each institution in reach with how far it is, by code, after the code `before`. There are tens of them: read whole, with the
    versions of the year, in three queries."""
    today = beijing_date(platform.clock.now())
    closing = {one.province_code: one.closes_on for one in await store.windows(platform, [narrowed.year])}
    versions: dict[str, list[Standing]] = defaultdict(list)
    for one in await store.standing(platform, actor.jurisdiction, narrowed.year):
        versions[one.institution_code].append(one)
    rows = []
    for blank in await _reporting(platform, actor, narrowed.province_code):
        due = rules.due_on((closing.get(""), closing.get(blank.province_code)))
        row = _row(blank, versions[blank.id], due, today)
        fits = narrowed.report in (None, row.report) and (row.report.outstanding or not narrowed.outstanding)
        if fits and row.id > (before or ""):
            rows.append(row)
    return rows[:limit]


def _row(blank: ReportRow, versions: Sequence[Standing], due: date | None, today: date) -> ReportRow:
    filed = rules.filed_on(one.history for one in versions)
    return replace(
        blank,
        filed_on=filed,
        due_on=due,
        late=rules.is_late(filed, due, today),
        report=rules.report_of([one.state for one in versions]),
        plan_id=versions[-1].id if versions else None,
    )


async def report_of_plan(platform: Platform, plan: Plan) -> Reported:
    """Of a plan that its reader may see, by all its versions."""
    announced = await store.windows(platform, [plan.year], plan.province_code)
    due = rules.due_on(one.closes_on for one in announced)
    versions = await store.versions(platform, plan.institution_code, plan.year)
    filed = rules.filed_on(one.history for one in versions)
    return Reported(filed, due, rules.is_late(filed, due, beijing_date(platform.clock.now())))


async def last_days(scope: Scope, found: Sequence[Plan]) -> dict[str, date]:
    """By id of plans that their readers may see until when a draft is to be reported. Left out is what no window is announced for, and what
    changes a plan that was approved: that is due on no day."""
    drafts = [one for one in found if one.state is State.DRAFT]
    years = sorted({one.year for one in drafts})
    announced = await store.windows(scope, years) if years else []
    closing = {(one.year, one.province_code): one.closes_on for one in announced}
    done = (
        await store.ever_approved(scope, [one.institution_code for one in drafts], years) if closing else ()
    )
    days = {
        one.id: rules.due_on(closing.get((one.year, place)) for place in ("", one.province_code))
        for one in drafts
        if (one.institution_code, one.year) not in done
    }
    return {plan_id: day for plan_id, day in days.items() if day}


async def my_reports(platform: Platform, actor: Actor) -> list[tuple[int, ReportRow]]:
    """For an institution: its own row of this year and of the next, where a window is in force."""
    if not actor.roles & INSTITUTION_ROLES:
        return []
    year = beijing_date(platform.clock.now()).year
    announced = await store.windows(platform, [year, year + 1], actor.province_code or "")
    found = []
    for one in sorted({window.year for window in announced}):
        found += [(one, row) for row in await reports(platform, actor, ReportFilter(one))]
    return found


@transactional
async def urge(unit: UnitOfWork, year: int, institution_code: str = "") -> int:
    """催办: tells those in reach that still owe the plan of a year, or this one; each once a day, whoever asks. Returns how many were
    told.

    Raises NotFound where no window is in force or the one that is named owes nothing, Forbidden.
    """
    _place(unit.actor)
    today = beijing_date(unit.now)
    owing = await reports(unit.platform, unit.actor, ReportFilter(year, outstanding=True))
    named = [one for one in owing if one.due_on and institution_code in ("", one.id)]
    if not named:
        raise NotFound("没有要催办的培训机构：都已报送，或没有公布报送时间。")
    key = f"urge-plan:{year}:{today}"
    new = await reminders.tell_once(unit, key, [one.id for one in named])
    if not new:
        unit.nothing_written()
        return 0
    place = _place(unit.actor)
    by = f"{PROVINCE_NAMES[place]}省级管理部门" if place else "部指导中心"
    for one in named:
        if one.id in new:
            late = "，现已逾期" if one.late else ""
            words = f"{by}催办：请尽快报送 {year} 年培训计划，截止 {one.due_on}{late}"
            unit.tell(Said(offices.institution(one.id), Topic.URGED, words, "/admin/plans"))
    unit.audit("plans:urge", str(year), institutions=len(new))
    return len(new)


async def waiting(platform: Platform, actor: Actor) -> list[Waiting]:
    """For an institution the plan that it has not begun; for province and centre how many of theirs owe it, from the first day on."""
    today = beijing_date(platform.clock.now())
    institution = bool(actor.roles & INSTITUTION_ROLES)
    place = "" if Role.NATIONAL_CENTRE in actor.roles else actor.province_code or ""
    announced = await store.windows(platform, [today.year, today.year + 1], place)
    found = []
    for year in sorted({one.year for one in announced}):
        since = min(one.opens_on for one in announced if one.year == year)
        owing = await reports(platform, actor, ReportFilter(year, outstanding=True))
        if not owing or (since > today and not institution):
            continue
        if institution and owing[0].report is not Report.NONE:
            continue  # the plan itself waits
        title, href = f"没有报送 {year} 年培训计划的培训机构", f"{PAGE}?year={year}&outstanding=true"
        if institution:
            title, href = f"报送 {year} 年培训计划（{owing[0].report.label}）", "/admin/plans"
        due = min(one.due_on or date.max for one in owing)
        late = any(one.late for one in owing)
        found.append(Waiting(title, href, len(owing), late, since=min(since, today), due=due))
    return found


async def tell_overdue(platform: Platform) -> int:
    """The daily work: institutions whose last day has passed without a plan hear of it, once for each last day; returns how many."""
    year = beijing_date(platform.clock.now()).year
    announced = await store.windows(platform, [year, year + 1])
    years = sorted({one.year for one in announced})
    return sum([await _tell_overdue(platform, system("tell-overdue-plans"), one) for one in years])


@transactional
async def _tell_overdue(unit: UnitOfWork, year: int) -> int:
    late = [one for one in await reports(unit.platform, unit.actor, ReportFilter(year)) if one.late]
    keys = {f"{one.id}:{one.due_on}": one for one in late if one.report.outstanding}
    new = await reminders.tell_once(unit, f"overdue-plan:{year}", list(keys))
    if not new:
        unit.nothing_written()
        return 0
    for one in (keys[key] for key in new):
        words = f"{year} 年培训计划{one.report.label}，已过截止日期 {one.due_on}，请尽快报送，会标明逾期报送"
        unit.tell(Said(offices.institution(one.id), Topic.OVERDUE, words, "/admin/plans"))
    unit.audit("plans:tell-overdue", "plans", year=year, institutions=len(new))
    return len(new)
