"""工作台: what waits for an office, what waits for others in its reach, and what is so long overdue that it is told to the superior.

Steps of classes come from `rules`, documents under review from their procedures: each thing stands in one place and is reckoned once.
How much is read does not grow with the classes that are over: those that are not released are found by an index, the first to end first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial

from server.certificates import reconcile
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.identities import service as identities
from server.interruptions import facts as interrupting
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.errors import NotFound
from server.kernel.identity import Actor, Role
from server.kernel.permissions import Permission, holds
from server.kernel.platform import Platform
from server.kernel.policies import Policies
from server.kernel.reviewed import Pending
from server.kernel.unit_of_work import Scope
from server.kernel.waiting import Item, Waiting
from server.messages import delivery as messages
from server.plans import service as planning
from server.plans import windows
from server.plans.documents import PlanFilter
from server.progress import below, facts, rules, service, store, to_apply, turns
from server.progress.below import Below
from server.progress.known import Owner, Step, province_office
from server.progress.to_apply import ToApply
from server.qualification import service as qualification
from server.seals import keys as signing_keys
from server.wechat import content

LISTED_OF_A_KIND = 10
LISTED_ELSEWHERE = 50
LATE_OF_A_KIND = 500
"""As many as are looked at for what is told to the superior, where more are late than are listed."""
CLASSES_READ = 100
PLANS_READ = 100
PLANS = "/admin/classes?place=PLAN"
"""The list of what is to be applied for."""

UNDER_REVIEW = frozenset(
    {
        "scheme-review",
        "change-accept",
        "change-review",
        "change-revise",
        "place-review",
        "reopening-review",
    }
)
"""Steps of a class that are documents under review: they stand here as those, also of classes that are not read."""

Counts = Callable[[Platform, Actor], Awaitable[list[Waiting]]]
COUNTED: tuple[Counts, ...] = (
    windows.waiting,
    identities.waiting,
    interrupting.waiting,
    qualification.waiting,
    signing_keys.waiting,
    reconcile.waiting,
    content.waiting,
    messages.waiting,
)
"""What waits as a number of things of one kind."""


@dataclass(frozen=True)
class Urged:
    """How often something was asked for again, and by whom last."""

    times: int
    last: date
    by: str


@dataclass(frozen=True)
class Line:
    """One thing that waits."""

    title: str
    about: str
    """The class or the institution that it is about; empty where the title says it."""
    url: str
    """Empty where the reader can open nothing."""
    owner: Owner
    who: str
    since: date | None
    due: date | None
    overdue: bool
    blocked_by: str = ""
    key: str = ""
    """Names it for 催办; empty for what nobody can be asked for."""
    institution_code: str | None = None
    provinces: tuple[str, ...] = ()
    """Codes: where it is, or whose turn it is."""
    form: str = ""
    """Where whoever it waits for does it, where that is not its page."""
    urged: Urged | None = None
    may_be_urged: bool = False

    @property
    def leads(self) -> str:
        """For whoever it waits for."""
        return self.form or self.url


@dataclass(frozen=True)
class More:
    """How many more there are of a kind than are listed, and where."""

    title: str
    count: int
    href: str
    elsewhere: bool


@dataclass(frozen=True)
class Desk:
    mine: list[Line]
    more: list[More]
    late: list[Line]
    """Of those below, overdue for longer than the policy `overdue_days`: their superior's business too, and all of it."""
    elsewhere: list[Line]
    elsewhere_more: int
    classes_cut: bool
    """There are more classes under way than were read."""


async def desk(
    platform: Platform, actor: Actor, also: Sequence[Counts] = (), *, classes_read: int = CLASSES_READ
) -> Desk:
    """`also`: what else waits as a number, of chapters above this one."""
    today = beijing_date(platform.clock.now())
    in_force = await policies.on(platform, today)
    mine: list[Line] = []
    elsewhere: list[Line] = []
    more: list[More] = []
    office = service.office_of(actor)
    is_late = partial(_is_late, actor=actor, today=today, in_force=in_force)
    for one in turns.in_turn(today):
        for own, share in one.shares(actor):
            read = partial(one.within, platform, actor, in_force=in_force, today=today, share=share)
            found = await read(limit=LISTED_OF_A_KIND)
            if found and found.count > len(found.items) and is_late(_of_item(one, found.items[-1], today)):
                found = await read(limit=LATE_OF_A_KIND)
            if found:
                lines = [_of_item(one, item, today) for item in found.items]
                (mine if own else elsewhere).extend(_kept(lines, found.count, found, own, more, is_late))
    for kind in below.KINDS.values():
        elsewhere += [_of_below(one, today) for one in await below.below(platform, actor, kind, in_force)]
    steps, cut = await _of_classes(platform, actor, today, classes_read)
    planned = await _to_apply_for(platform, actor, today, in_force)
    at_hand = office is Owner.INSTITUTION
    told_of = Waiting("计划中还没有申请开班的培训班", PLANS, len(planned))
    steps += _kept(planned, len(planned), told_of, at_hand, more, is_late)
    for line in steps:
        (mine if is_own(line, actor) else elsewhere).append(line)
    mine += [_counted(one, office) for ask in (*COUNTED, *also) for one in await ask(platform, actor)]
    told = await _urged(platform, (*mine, *elsewhere))
    mine = sorted((replace(one, urged=told.get(one.key)) for one in mine), key=_urgency)
    late: list[Line] = []
    others: list[Line] = []
    for line in sorted(elsewhere, key=_urgency):
        urged = told.get(line.key)
        may = bool(line.key) and rules.may_be_urged(
            line.since, today, in_force.urge_after_days, urged.last if urged else None
        )
        (late if is_late(line) else others).append(replace(line, urged=urged, may_be_urged=may))
    shown = others[:LISTED_ELSEWHERE]
    return Desk(mine, more, late, shown, len(others) - len(shown), cut)


def _kept(
    lines: Sequence[Line],
    count: int,
    found: Waiting,
    own: bool,
    more: list[More],
    is_late: Callable[[Line], bool],
) -> list[Line]:
    """What is listed of a kind: all that is late, and few of the others; how many there are beyond these is put into `more`."""
    late = [one for one in lines if is_late(one)]
    kept = [*late, *[one for one in lines if not is_late(one)][:LISTED_OF_A_KIND]]
    if count > len(kept):
        more.append(More(found.title, count - len(kept), found.href, not own))
    return kept


async def line_of(scope: Scope, actor: Actor, key: str) -> Line | None:
    """The line of this key as it stands now; None once it is done. Raises NotFound for what is outside the actor's reach."""
    today = beijing_date(scope.platform.clock.now())
    kind, _, rest = key.partition(":")
    in_force = await policies.on(scope, today)
    if kind == "plans" and ":" in rest:
        plan_id, _, item_id = rest.partition(":")
        waits = await to_apply.one(scope, actor, plan_id, item_id, in_force.application_lead_days)
        return _of_plan(actor, waits, today) if waits and waits.plan.year >= today.year else None
    if kind == "class":
        class_id, _, step = rest.partition(":")
        training_class = await classes.get_class(scope, actor, class_id)
        found = await service.steps_of_class(scope, actor, training_class)
        return next((_of_step(training_class, one, today) for one in found if one.key == step), None)
    if kind in below.KINDS:
        owed = await below.below(scope, actor, below.KINDS[kind], in_force)
        if line := next((_of_below(one, today) for one in owed if one.item.key == key), None):
            return line
    of_kind = [one for one in turns.in_turn(today) if one.kind.collection == kind and holds(actor, one.reads)]
    looks = [(one, *await one.still(scope, actor, rest)) for one in of_kind]
    if not any(reached for _, reached, _ in looks):
        raise NotFound("没有这件事，或不在您的管理范围内。")
    for one, _, waiting in looks:
        if waiting is not None:
            return _of_item(one, one.item(waiting, in_force), today)
    return None


def is_own(line: Line, actor: Actor) -> bool:
    """Whether it waits for the actor's own office. A change that another institution is asked to take people in for (no key) is that
    institution's, and what another province has to confirm is that one's."""
    if line.owner is not service.office_of(actor):
        return False
    match line.owner:
        case Owner.INSTITUTION:
            return bool(line.key)
        case Owner.PROVINCE:
            return actor.province_code in line.provinces
    return True


async def _of_classes(platform: Platform, actor: Actor, today: date, limit: int) -> tuple[list[Line], bool]:
    going = await classes.unreleased_in(platform, actor, limit)
    found = {one.id: one for one in (*going, *await classes.released_lately(platform, actor, CLASSES_READ))}
    steps = await service.steps_of(platform, actor, list(found.values()))
    lines = [
        _of_step(found[class_id], one, today)
        for class_id, each in steps.items()
        for one in each
        if one.key not in UNDER_REVIEW
    ]
    return lines, len(going) == limit


def _of_step(training_class: TrainingClass, step: Step, today: date) -> Line:
    return Line(
        step.title,
        training_class.name,
        step.url,
        step.owner,
        step.who,
        step.since,
        step.due,
        step.overdue_on(today),
        step.blocked_by,
        step.item,
        training_class.institution_code,
        (training_class.province_code,),
    )


def _of_item(one: Pending, item: Item, today: date) -> Line:
    provinces = [facts.PROVINCE_NAMES.get(code, "") for code in item.provinces]
    owner, who = Owner.INSTITUTION, item.institution_name
    if Role.NATIONAL_CENTRE in one.who:
        owner, who = Owner.CENTRE, Owner.CENTRE.label
    elif Role.PROVINCE in one.who:
        owner, who = Owner.PROVINCE, "、".join(province_office(name) for name in provinces)
    title = f"{one.title.split('，')[0]}：{item.title}"
    return _line(item, title, item.institution_name or "、".join(provinces), owner, who, today)


def _of_below(one: Below, today: date) -> Line:
    line = _line(one.item, one.item.title, "", one.owner, one.who, today)
    return line if one.opens else replace(line, url="", form=line.url)


def _line(item: Item, title: str, about: str, owner: Owner, who: str, today: date) -> Line:
    return Line(
        title,
        about,
        item.href,
        owner,
        who,
        item.since,
        item.due,
        item.due is not None and today > item.due,
        "",
        item.key,
        item.institution_code,
        item.provinces,
    )


def _counted(one: Waiting, office: Owner) -> Line:
    words = one.title if one.due and one.count == 1 else f"{one.title}（{one.count}）"
    return Line(words, "", one.href, office, "", one.since, one.due, one.overdue)


def _urgency(line: Line) -> tuple[bool, bool, date]:
    return bool(line.blocked_by), not line.overdue, line.due or date.max


_SUPERVISED = {Owner.CENTRE: {Owner.PROVINCE}, Owner.PROVINCE: {Owner.INSTITUTION, Owner.TEACHERS}}


def _is_late(line: Line, actor: Actor, today: date, in_force: Policies) -> bool:
    """A province supervises its institutions and who grades in their classes (article 25), the centre the provinces."""
    supervised = line.owner in _SUPERVISED.get(service.office_of(actor), ())
    supervised = supervised and actor.province_code in (None, *line.provinces)
    days = timedelta(days=in_force.overdue_days)
    return supervised and line.due is not None and today - line.due > days


async def _to_apply_for(platform: Platform, actor: Actor, today: date, in_force: Policies) -> list[Line]:
    """The classes of the plans in force in reach that nobody has applied for, the most urgent first."""
    found = await planning.with_items_to_apply(platform, actor, PlanFilter(), begin=None, limit=PLANS_READ)
    lead = in_force.application_lead_days
    lines = [_of_plan(actor, one, today) for plan in found for one in to_apply.of_plan(plan, lead)]
    return sorted(lines, key=_urgency)


def _of_plan(actor: Actor, waits: ToApply, today: date) -> Line:
    plan, item = waits.plan, waits.item
    return Line(
        f"计划 {item.month} 月举办，还没有申请开班：{item.title}",
        plan.name,
        waits.form if holds(actor, Permission.APPLICATIONS_MANAGE) else plan.address,
        Owner.INSTITUTION,
        plan.institution_name,
        waits.since,
        waits.due,
        today > waits.due,
        key=waits.key,
        institution_code=plan.institution_code,
        provinces=(plan.province_code,),
        form=waits.form,
    )


async def _urged(scope: Scope, lines: Iterable[Line]) -> dict[str, Urged]:
    """By key, how often each of these was asked for since it has waited for whom it waits now."""
    waits = {one.key: one for one in lines if one.key}
    found: dict[str, Urged] = {}
    for one in await store.of_items(scope, list(waits)) if waits else ():
        line, before = waits[one.item], found.get(one.item)
        if one.is_of(line.owner, line.since):
            found[one.item] = Urged(before.times + 1 if before else 1, one.day, one.office)
    return found


@dataclass(frozen=True)
class Next:
    """What waits in a class, as its page says it."""

    line: Line
    own: bool
    """Whether it waits for the reader's office."""


async def of_class(platform: Platform, actor: Actor, training_class: TrainingClass) -> list[Next]:
    """What waits, as lists say it (rules.in_order); of a class that the caller has fetched."""
    today = beijing_date(platform.clock.now())
    after = (await policies.on(platform, today)).urge_after_days
    steps = await service.steps_of_class(platform, actor, training_class)
    lines = [_of_step(training_class, one, today) for one in steps]
    told = await _urged(platform, lines)
    found = []
    for line in lines:
        own, urged = is_own(line, actor), told.get(line.key)
        may = bool(line.key) and not own
        may = may and rules.may_be_urged(line.since, today, after, urged.last if urged else None)
        found.append(Next(replace(line, urged=urged, may_be_urged=may), own))
    return found
