"""One list of everything that is or will be a class: from the item of a plan to the certificates, with what each waits for (指南第四条).

What is in hand lies in several collections. They are walked one after the other, each on an index of its own and each thing in one of
them only: an application stands for its item of the plan, a class for its application. Where one has got to is in the cursor of a line.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial

from server.applications import rules as application_rules
from server.applications import service as applications
from server.applications.documents import Application, ApplicationFilter
from server.classes import service as classes
from server.classes.documents import ClassFilter, TrainingClass
from server.classes.rules import Condition, Stage, Standing
from server.institutions.rules import Level
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.queries import Part
from server.kernel.titled import Titled
from server.plans import rules as plan_rules
from server.plans import service as plans
from server.plans import windows
from server.plans.documents import Plan, PlanFilter
from server.progress import facts, known, rules, service, to_apply
from server.progress.known import Days, Owner, Phase, Step, province_office
from server.progress.to_apply import ToApply

BATCH = 100
"""Things looked at together where the lines are narrowed to what only their steps say."""
LOOKED_AT_MOST = 400
"""For one page; after that it says how far it has looked, and goes on from there."""


class Place(Titled):
    """环节: where something stands on the way from the plan to the certificate, and what a list of it shows."""

    PLAN = "PLAN", "计划"
    APPLICATION = "APPLICATION", "申请"
    PREPARE = "PREPARE", "筹备"
    ENROL = "ENROL", "招生"
    TEACH = "TEACH", "教学"
    ASSESS = "ASSESS", "考核"
    NOT_HELD = "NOT_HELD", known.NOT_HELD
    CLOSE = "CLOSE", "结业"
    ALL = "ALL", "全部培训班（含已办结）"


OVER = "已办结"
RELEASED = "r"
"""The letter of the classes that are released: few of them wait for anything."""


@dataclass(frozen=True)
class LineFilter:
    """What the list is narrowed to; what is empty matches everything that is in hand."""

    words: str = ""
    place: Place | None = None
    owner: Owner | None = None
    overdue: str = ""
    year: int | None = None
    level: str = ""
    major: str = ""
    province_code: str = ""
    stage: Stage | None = None
    """Classes by their calendar alone, also those that are done with."""


@dataclass(frozen=True)
class Line:
    """Something on its way to a certificate, and the step that it waits for, if any."""

    id: str
    """The cursor: which collection it lies in, and where."""
    href: str
    name: str
    institution_name: str
    place: str
    """环节, or what became of the class."""
    when: str
    step: Step | None
    today: date
    level: Level | None = None
    """None of a whole plan."""
    major: str = ""
    major_name: str = ""
    trainees: int | None = None
    """None before there is a class."""
    training_class: TrainingClass | None = None
    steps: tuple[Step, ...] = ()

    @property
    def overdue(self) -> bool:
        return self.step is not None and self.step.overdue_on(self.today)

    @property
    def waited(self) -> int | None:
        """How many days its step has waited."""
        return None if self.step is None or self.step.since is None else (self.today - self.step.since).days


Look = Callable[[str | None, int], Awaitable[tuple[list[Line], str | None]]]
"""The lines after a place, of at most so many things, and the place from which to look on; None when there is nothing more."""


async def lines(
    platform: Platform, actor: Actor, narrowed: LineFilter, *, before: str | None = None, limit: int = 20
) -> Part[Line]:
    """What is in hand in the actor's jurisdiction, in the order of its way to be decided: what waits to be reviewed, then the classes, the
    first to begin first, then those that lack certificates, and what nobody has applied for yet; after the line `before`."""
    walk = _walk(platform, actor, narrowed, await _days(platform))
    asks = narrowed.owner is not None or narrowed.overdue
    found, looked = Part[Line](), 0
    found.full_pages = not asks
    letters = [letter for letter, _ in walk]
    here, at = (before[0], before[1:]) if before and before[0] in letters else ("", None)
    for letter, look in walk[letters.index(here) if here else 0 :]:
        place = at if letter == here else None
        many = asks or letter == RELEASED
        size = BATCH if letter == RELEASED else limit  # what waits first mostly fits
        while True:
            shown, onward = await look(place, size)
            found += [one for one in (_fitting(each, narrowed) for each in shown) if one]
            if len(found) >= limit:
                found[limit:] = []
                return found
            if onward is None:
                break
            place, looked, size = onward, looked + size, BATCH if many else limit
            if looked >= LOOKED_AT_MOST and limit <= BATCH:
                found.goes_on = f"{letter}{onward}"
                return found
    return found


def _fitting(line: Line, narrowed: LineFilter) -> Line | None:
    """The line with the step that was asked for, of those on which it hangs; None where it has none such."""
    if narrowed.major and line.major not in ("", narrowed.major):
        return None
    asked = narrowed.owner is not None or narrowed.overdue
    steps = [
        one
        for one in (rules.holding(line.steps) if asked else line.steps)
        if (narrowed.owner is None or one.owner is narrowed.owner)
        and (not narrowed.overdue or one.overdue_on(line.today))
    ]
    if not steps and asked:
        return None
    return replace(line, step=steps[0] if steps else None)


def _walk(platform: Platform, actor: Actor, narrowed: LineFilter, days: Days) -> list[tuple[str, Look]]:
    """The collections in which the lines of this list lie, in the order in which they are shown, each by its letter."""
    sought = (platform, actor, narrowed, days)
    plan_walk: list[tuple[str, Look]] = [("p", partial(_plans, *sought)), ("i", partial(_items, *sought))]
    application_walk: list[tuple[str, Look]] = [("a", partial(_applications, *sought))]
    class_walk: list[tuple[str, Look]] = [
        ("c", partial(_unreleased, *sought)),
        (RELEASED, partial(_released, *sought)),
    ]
    every_class: list[tuple[str, Look]] = [("e", partial(_every_class, *sought))]
    match narrowed.place:
        case _ if narrowed.stage:
            return every_class
        case None:
            return [application_walk[0], plan_walk[0], *class_walk, plan_walk[1]]
        case Place.PLAN:
            return plan_walk
        case Place.APPLICATION:
            return application_walk
        case Place.CLOSE:
            return class_walk[1:]
        case Place.ALL:
            return every_class
        case _:
            return class_walk[:1]


async def _days(platform: Platform) -> Days:
    return facts.days_of(await policies.on(platform, beijing_date(platform.clock.now())))


# ---- before there is a class


def _reviewed(days: Days, owner: Owner, who: str, title: str, since: date, url: str) -> Step:
    """A step of something that is written and reviewed. Nobody waits for a draft."""
    took = {Owner.PROVINCE: days.review, Owner.INSTITUTION: days.revision}[owner]
    return Step(title, owner, who, since, since + timedelta(days=took), url, Phase.PREPARE)


async def _plans(
    platform: Platform, actor: Actor, narrowed: LineFilter, days: Days, after: str | None, limit: int
) -> tuple[list[Line], str | None]:
    found = await plans.on_their_way(platform, actor, _plan_filter(narrowed), after=after, limit=limit)
    today = beijing_date(platform.clock.now())
    last = await windows.last_days(platform, found)
    shown = [_of_plan(one, days, last.get(one.id), today) for one in found]
    return shown, found[-1].id if len(found) == limit else None


def _of_plan(plan: Plan, days: Days, last: date | None, today: date) -> Line:
    """`last`: until when a draft is to be reported, where a window says so."""
    href, since = f"/admin/plans/{plan.id}", beijing_date(plan.history[-1].at)
    match plan.state:
        case plan_rules.State.SUBMITTED:
            office = province_office(facts.PROVINCE_NAMES[plan.province_code])
            step = _reviewed(days, Owner.PROVINCE, office, "审核培训计划", since, href)
        case plan_rules.State.RETURNED:
            said = "培训计划被退回：修改后重新报送"
            step = _reviewed(days, Owner.INSTITUTION, plan.institution_name, said, since, href)
        case _:
            name = plan.institution_name
            step = Step(plan_rules.TO_FILE, Owner.INSTITUTION, name, since, last, href, Phase.PREPARE)
    return Line(
        f"p{plan.id}",
        href,
        f"{plan.year} 年培训计划第 {plan.version} 版（{len(plan.items)} 个班）",
        plan.institution_name,
        Place.PLAN.label,
        f"{plan.year} 年",
        step,
        today,
        steps=(step,),
    )


async def _items(
    platform: Platform, actor: Actor, narrowed: LineFilter, days: Days, after: str | None, limit: int
) -> tuple[list[Line], str | None]:
    """`after` is the id of a plan and, behind it, the number of the item that was shown last."""
    begin = after[:24] if after else None
    found = await plans.with_items_to_apply(
        platform, actor, _plan_filter(narrowed), begin=begin, limit=limit + 1
    )
    now = beijing_date(platform.clock.now())
    lead = (await policies.on(platform, now)).application_lead_days
    shown = [
        _of_item(one, now)
        for plan in found
        for one in to_apply.of_plan(plan, lead)
        if narrowed.level in ("", one.item.level)
    ]
    left = [one for one in shown if after is None or one.id > f"i{after}"]
    return left, f"{found[-1].id}99" if len(found) > limit else None


def _of_item(one: ToApply, today: date) -> Line:
    plan, item = one.plan, one.item
    step = Step(
        f"申请开班（计划 {item.month} 月举办）",
        Owner.INSTITUTION,
        plan.institution_name,
        one.since,
        one.due,
        one.form,
        Phase.PREPARE,
    )
    return Line(
        f"i{plan.id}{one.number:02}",
        plan.address,
        item.title,
        plan.institution_name,
        Place.PLAN.label,
        f"{plan.year} 年 {item.month} 月",
        step,
        today,
        item.level,
        item.major,
        item.major_name,
        steps=(step,),
    )


def _plan_filter(narrowed: LineFilter) -> PlanFilter:
    return PlanFilter(
        words=narrowed.words,
        year=narrowed.year,
        level=narrowed.level,
        province_code=narrowed.province_code,
    )


async def _applications(
    platform: Platform, actor: Actor, narrowed: LineFilter, days: Days, after: str | None, limit: int
) -> tuple[list[Line], str | None]:
    wanted = ApplicationFilter(
        words=narrowed.words,
        year=narrowed.year,
        level=narrowed.level,
        province_code=narrowed.province_code,
    )
    found = await applications.undecided(platform, actor, wanted, after=after, limit=limit)
    today = beijing_date(platform.clock.now())
    return [_of_application(one, days, today) for one in found], found[-1].id if len(found) == limit else None


def _of_application(one: Application, days: Days, today: date) -> Line:
    href, since = f"/admin/applications/{one.id}", beijing_date(one.history[-1].at)
    if one.state is application_rules.State.SUBMITTED:
        office = province_office(facts.PROVINCE_NAMES[one.province_code])
        step = _reviewed(days, Owner.PROVINCE, office, "审核开班申请", since, href)
    else:
        said = "开班申请被退回：修改后重新报送"
        step = _reviewed(days, Owner.INSTITUTION, one.institution_name, said, since, href)
    return Line(
        f"a{one.id}",
        href,
        one.name,
        one.institution_name,
        Place.APPLICATION.label,
        f"{one.starts_on} 至 {one.ends_on}",
        step,
        today,
        one.level,
        one.major,
        one.major_name,
        steps=(step,),
    )


# ---- classes


STANDING: dict[Place | None, Standing] = {
    Place.PREPARE: "before",
    Place.ENROL: "before",
    Place.TEACH: "under way",
    Place.ASSESS: "after",
    Place.NOT_HELD: "after",
}


async def _unreleased(
    platform: Platform, actor: Actor, narrowed: LineFilter, days: Days, after: str | None, limit: int
) -> tuple[list[Line], str | None]:
    found = await classes.unreleased_in_reach(
        platform, actor, _class_filter(narrowed), STANDING.get(narrowed.place), after=after, limit=limit
    )
    shown = await _of_classes(platform, actor, "c", found)
    fitting = [one for one in shown if narrowed.place is None or one.place == narrowed.place.label]
    return fitting, found[-1].id if len(found) == limit else None


async def _released(
    platform: Platform, actor: Actor, narrowed: LineFilter, days: Days, after: str | None, limit: int
) -> tuple[list[Line], str | None]:
    """Those that something still waits for; what is done with is no more in hand."""
    found = await classes.released_in_reach(
        platform, actor, _class_filter(narrowed), after=after, limit=limit
    )
    shown = await _of_classes(platform, actor, RELEASED, found)
    return [one for one in shown if one.steps], found[-1].id if len(found) == limit else None


async def _every_class(
    platform: Platform, actor: Actor, narrowed: LineFilter, days: Days, after: str | None, limit: int
) -> tuple[list[Line], str | None]:
    found = await classes.list_classes(platform, actor, _class_filter(narrowed), before=after, limit=limit)
    shown = await _of_classes(platform, actor, "e", [one.item for one in found])
    return shown, found[-1].item.id if len(found) == limit else None


def _class_filter(narrowed: LineFilter) -> ClassFilter:
    return ClassFilter(
        words=narrowed.words,
        level=narrowed.level,
        major=narrowed.major,
        province_code=narrowed.province_code,
        year=narrowed.year,
        stage=narrowed.stage,
    )


async def _of_classes(
    platform: Platform, actor: Actor, letter: str, found: Sequence[TrainingClass]
) -> list[Line]:
    today = beijing_date(platform.clock.now())
    waits = await service.steps_of(platform, actor, found)
    counts = await classes.count_trainees(platform, [one.id for one in found])
    return [
        Line(
            f"{letter}{one.id}",
            f"/admin/classes/{one.id}",
            one.name,
            one.institution_name,
            _said(one, waits[one.id], today),
            f"{one.starts_on} 至 {one.ends_on}",
            None,
            today,
            one.level,
            one.major,
            one.major_name,
            counts.get(one.id, 0),
            one,
            tuple(waits[one.id]),
        )
        for one in found
    ]


def _said(one: TrainingClass, waits: Sequence[Step], today: date) -> str:
    """Its phase, or what befell it; a class of which nothing is left to do is over."""
    if one.condition.ended:
        return one.condition.label
    if one.results_released_at and not waits:
        return OVER
    died = any(each.key == known.NOT_HELD_STEP for each in waits)
    place = known.NOT_HELD if died else known.phase_of(facts.itself(one), today).label
    return (
        f"{place}（{Condition.SUSPENDED.label}）" if one.condition_on(today) is Condition.SUSPENDED else place
    )
