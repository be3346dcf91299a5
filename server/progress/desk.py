"""工作台: what waits for an office, what waits for others in its reach, and what is so long overdue that it is told to the superior.

Steps of classes come from `rules`, documents under review from their procedures: each thing stands in one place and is reckoned once.
How much is read does not grow with the classes that are over: those that are not released are found by an index, the first to end first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from server.applications import rules as applications
from server.applications import service as applying
from server.applications.documents import Application
from server.certificates import reconcile
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.corrections.documents import Correction
from server.corrections.rules import State as Correcting
from server.corrections.rules import Subject
from server.identities import service as identities
from server.institutions.documents import BaseRequest
from server.institutions.rules import RequestState
from server.interruptions import rules as interruptions
from server.interruptions import service as interrupting
from server.interruptions.documents import ClassChange
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.errors import NotFound
from server.kernel.identity import INSTITUTION_ROLES, Actor, Role
from server.kernel.permissions import Permission, holds
from server.kernel.platform import Platform
from server.kernel.policies import Policies
from server.kernel.reviewed import Pending, pending
from server.kernel.reviews import CENTRE, PROVINCE
from server.kernel.unit_of_work import Scope
from server.kernel.waiting import Item, Waiting
from server.messages import delivery as messages
from server.moves import service as moves
from server.plans import rules as plans
from server.plans import service as planning
from server.plans import windows
from server.plans.documents import Plan
from server.progress import facts, rules, service, store
from server.progress.rules import Owner, Step
from server.qualification import service as qualification
from server.reopenings import rules as reopenings
from server.reopenings.documents import Reopening
from server.schemes.documents import SchemeVersion
from server.schemes.rules import State as Scheming
from server.selection import rules as selection
from server.selection.documents import Nominee, PassList
from server.venues import rules as venues
from server.venues.documents import PlaceCheck
from server.wechat import content

LISTED_OF_A_KIND = 10
LISTED_ELSEWHERE = 50
CLASSES_READ = 100

PENDING: tuple[Pending, ...] = (
    *(
        one if one.told else replace(one, last_days=windows.last_days)
        for one in pending(Plan, plans.STEPS, "/admin/plans", Permission.PLANS_READ)
    ),
    *pending(Application, applications.STEPS, "/admin/applications", Permission.APPLICATIONS_READ),
    *pending(PlaceCheck, venues.STEPS, "/admin/places", Permission.VENUES_READ),
    *pending(ClassChange, interruptions.STEPS, "/admin/changes", Permission.INTERRUPTIONS_READ),
    *pending(Reopening, reopenings.STEPS, "/admin/reopenings", Permission.REOPENINGS_READ),
    *pending(Nominee, selection.STEPS, "/admin/selection", Permission.SELECTION_READ),
    *pending(PassList, selection.LIST_STEPS, "/admin/selection/lists", Permission.SELECTION_READ_LISTS),
    Pending(
        SchemeVersion,
        PROVINCE,
        {"newest": True, "state": Scheming.SUBMITTED},
        "待审核的培训方案",
        "/admin/schemes",
        Permission.SCHEMES_READ,
    ),
    *(
        Pending(
            Correction,
            frozenset({role}),
            {
                "state": Correcting.SUBMITTED,
                "subject": {"$in": [one.value for one in Subject if one.reviewer is role]},
            },
            "待审核的更正申请",
            "/admin/corrections",
            Permission.CORRECTIONS_READ,
        )
        for role in (Role.PROVINCE, Role.NATIONAL_CENTRE)
    ),
    Pending(
        Correction,
        INSTITUTION_ROLES,
        {"state": Correcting.RETURNED},
        "被退回的更正申请",
        "/admin/corrections",
        Permission.CORRECTIONS_READ,
    ),
    Pending(
        BaseRequest,
        CENTRE,
        {"state": RequestState.SUBMITTED},
        "待审核的基地推荐和资格申请",
        "/admin/recommendations",
        Permission.INSTITUTIONS_READ_REQUESTS,
    ),
    Pending(
        BaseRequest,
        PROVINCE,
        {"state": RequestState.DECLINED},
        "未核准的基地推荐和资格申请，请修改或撤回",
        "/admin/recommendations",
        Permission.INSTITUTIONS_READ_REQUESTS,
    ),
)
"""Everything that is reviewed, and for whom it waits."""

UNDER_REVIEW = frozenset(
    {"scheme-review", "change-review", "change-revise", "place-review", "reopening-review"}
)
"""Steps of a class that are documents under review: they stand here as those, also of classes that are not read."""

Counts = Callable[[Platform, Actor], Awaitable[list[Waiting]]]
COUNTED: tuple[Counts, ...] = (
    windows.waiting,
    identities.waiting,
    moves.waiting,
    interrupting.waiting,
    qualification.waiting,
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
    owner: Owner
    who: str
    since: date | None
    due: date | None
    overdue: bool
    blocked_by: str = ""
    key: str = ""
    """Names it for 催办; empty for what nobody can be asked for."""
    institution_code: str | None = None
    province_code: str | None = None
    urged: Urged | None = None
    may_be_urged: bool = False


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
    """Of those below, overdue for longer than the policy `overdue_days`: their superior's business too."""
    elsewhere: list[Line]
    elsewhere_more: int
    classes_cut: bool
    """There are more classes under way than were read."""


async def desk(platform: Platform, actor: Actor, also: Sequence[Counts] = ()) -> Desk:
    """`also`: what else waits as a number, of chapters above this one."""
    today = beijing_date(platform.clock.now())
    in_force = await policies.on(platform, today)
    mine: list[Line] = []
    elsewhere: list[Line] = []
    more: list[More] = []
    for one in PENDING:
        own = bool(one.who & actor.roles)
        if not own and not (one.told and holds(actor, one.reads)):
            continue
        found = await one.within(platform, actor, LISTED_OF_A_KIND, in_force, today)
        if found is None:
            continue
        (mine if own else elsewhere).extend(_of_item(one, item, today) for item in found.items)
        if found.count > len(found.items):
            more.append(More(found.title, found.count - len(found.items), found.href, not own))
    steps, cut = await _of_classes(platform, actor, today)
    office = service.office_of(actor)
    for line in steps:
        (mine if _is_own(line, office) else elsewhere).append(line)
    mine += await _to_apply_for(platform, actor, today, in_force)
    mine += [_counted(one, office) for ask in (*COUNTED, *also) for one in await ask(platform, actor)]
    told = await _urged(platform, [one.key for one in (*mine, *elsewhere) if one.key])
    mine = sorted((replace(one, urged=told.get(one.key)) for one in mine), key=_urgency)
    late: list[Line] = []
    others: list[Line] = []
    for line in sorted(elsewhere, key=_urgency):
        urged = told.get(line.key)
        may = bool(line.key) and rules.may_be_urged(
            line.since, today, in_force.urge_after_days, urged.last if urged else None
        )
        (late if _is_late(line, office, today, in_force) else others).append(
            replace(line, urged=urged, may_be_urged=may)
        )
    shown = others[:LISTED_ELSEWHERE]
    return Desk(mine, more, late, shown, len(others) - len(shown), cut)


async def line_of(scope: Scope, actor: Actor, key: str) -> Line | None:
    """The line of this key as it stands now; None once it is done. Raises NotFound for what is outside the actor's reach."""
    today = beijing_date(scope.platform.clock.now())
    kind, _, rest = key.partition(":")
    if kind == "class":
        class_id, _, step = rest.partition(":")
        training_class = await classes.get_class(scope, actor, class_id)
        found = await service.steps_of_class(scope, actor, training_class)
        return next((_of_step(training_class, one, today) for one in found if one.key == step), None)
    of_kind = [one for one in PENDING if one.kind.collection == kind and holds(actor, one.reads)]
    row = None
    if of_kind:
        condition = {"$and": [actor.jurisdiction.filter(), {"_id": rest}]}
        row = await scope[kind].find_one(condition, session=scope.session)
    if row is None:
        raise NotFound("没有这件事，或不在您的管理范围内。")
    in_force = await policies.on(scope, today)
    for one in of_kind:
        if await scope[kind].find_one({"$and": [{"_id": rest}, dict(one.condition)]}, session=scope.session):
            return _of_item(one, one.item(one.kind.from_mongo(row), in_force), today)
    return None


def is_own(line: Line, actor: Actor) -> bool:
    """Whether it waits for the actor's own office."""
    return _is_own(line, service.office_of(actor))


async def _of_classes(platform: Platform, actor: Actor, today: date) -> tuple[list[Line], bool]:
    going = await classes.unreleased_in(platform, actor, CLASSES_READ)
    found = {one.id: one for one in (*going, *await classes.released_lately(platform, actor, CLASSES_READ))}
    steps = await service.steps_of(platform, actor, list(found.values()))
    lines = [
        _of_step(found[class_id], one, today)
        for class_id, each in steps.items()
        for one in each
        if one.key not in UNDER_REVIEW
    ]
    return lines, len(going) == CLASSES_READ


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
        training_class.province_code,
    )


def _of_item(one: Pending, item: Item, today: date) -> Line:
    province = facts.PROVINCE_NAMES.get(item.province_code or "", "")
    owner, who = Owner.INSTITUTION, item.institution_name
    if Role.NATIONAL_CENTRE in one.who:
        owner, who = Owner.CENTRE, Owner.CENTRE.label
    elif Role.PROVINCE in one.who:
        owner, who = Owner.PROVINCE, rules.province_office(province)
    title = f"{one.title.split('，')[0]}：{item.title}"
    return Line(
        title,
        item.institution_name or province,
        item.href,
        owner,
        who,
        item.since,
        item.due,
        item.due is not None and today > item.due,
        "",
        item.key,
        item.institution_code,
        item.province_code,
    )


def _counted(one: Waiting, office: Owner) -> Line:
    words = one.title if one.due and one.count == 1 else f"{one.title}（{one.count}）"
    return Line(words, "", one.href, office, "", one.since, one.due, one.overdue)


def _is_own(line: Line, office: Owner) -> bool:
    """A change that another institution is asked to take people in for (no key) is that institution's."""
    return line.owner is office and (office is not Owner.INSTITUTION or bool(line.key))


def _urgency(line: Line) -> tuple[bool, bool, date]:
    return bool(line.blocked_by), not line.overdue, line.due or date.max


def _is_late(line: Line, office: Owner, today: date, in_force: Policies) -> bool:
    below = {Owner.CENTRE: {Owner.PROVINCE}, Owner.PROVINCE: {Owner.INSTITUTION}}
    days = timedelta(days=in_force.overdue_days)
    return line.owner in below.get(office, ()) and line.due is not None and today > line.due + days


async def _to_apply_for(platform: Platform, actor: Actor, today: date, in_force: Policies) -> list[Line]:
    """The classes of an approved plan that nobody has applied for (articles 4.1 and 4.2)."""
    if not holds(actor, Permission.APPLICATIONS_MANAGE) or actor.institution_code is None:
        return []
    plan = await planning.plan_in_force(platform, actor.institution_code, today.year)
    if plan is None:
        return []
    taken = await applying.applications_of(platform, plan)
    lines = []
    for item in plan.items:
        if item.id not in taken:
            due = date(plan.year, item.month, 1) - timedelta(days=in_force.application_lead_days)
            since = beijing_date(plan.history[-1].at)
            lines.append(
                Line(
                    f"计划 {item.month} 月举办，还没有申请开班：{item.title}",
                    plan.name,
                    f"/admin/plans/{plan.id}",
                    Owner.INSTITUTION,
                    plan.institution_name,
                    since,
                    max(due, since),
                    today > max(due, since),
                )
            )
    return sorted(lines, key=_urgency)[:LISTED_OF_A_KIND]


async def _urged(scope: Scope, keys: Sequence[str]) -> dict[str, Urged]:
    found: dict[str, Urged] = {}
    for one in await store.of_items(scope, keys) if keys else ():
        before = found.get(one.item)
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
    told = await _urged(platform, [one.key for one in lines if one.key])
    found = []
    for line in lines:
        own, urged = is_own(line, actor), told.get(line.key)
        may = bool(line.key) and not own
        may = may and rules.may_be_urged(line.since, today, after, urged.last if urged else None)
        found.append(Next(replace(line, urged=urged, may_be_urged=may), own))
    return found
