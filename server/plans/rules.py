"""Rules of an institution's annual training plan: its states, what an item may say, and what a new version changes.

Article 4.1: 培训机构应在省级管理部门指导下，制定本机构培训计划，按要求报送省级管理部门审核. Article 25.4: what is published is
changed only by the procedure, so an approved plan gives way to a new version that was reviewed like the first.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from pydantic import BaseModel, ConfigDict

from server.institutions.rules import MAJORS, Level, NotQualified, Qualification, require_qualified
from server.kernel import money, reviews
from server.kernel.errors import FieldError, Invalid
from server.kernel.identity import INSTITUTION_ROLES
from server.kernel.reviews import PROVINCE, By, Procedure, Waits
from server.kernel.titled import Titled

ITEMS_MOST = 60
"""Of a plan: five classes a month."""


class State(Titled):
    DRAFT = "DRAFT", "编制中"
    SUBMITTED = "SUBMITTED", "待审核"
    RETURNED = "RETURNED", "已退回"
    APPROVED = "APPROVED", "已批准"
    SUPERSEDED = "SUPERSEDED", "已被新版代替"
    DISCARDED = "DISCARDED", "已废弃"


TO_FILE = "编好并报送培训计划"
"""What a draft waits for, wherever it is listed."""
OPEN = frozenset({State.DRAFT, State.SUBMITTED, State.RETURNED})
"""The states of a version that is still on its way: an institution has at most one a year."""


class Action(Titled):
    BEGIN = "BEGIN", "开始编制"
    AMEND = "AMEND", "修改"
    SUBMIT = "SUBMIT", "报送审核"
    APPROVE = "APPROVE", "批准"
    RETURN = "RETURN", "退回修改"
    SUPERSEDE = "SUPERSEDE", "被新版代替"
    WITHDRAW = "WITHDRAW", "撤回报送"
    DISCARD = "DISCARD", "废弃"


STEPS: Procedure[State, Action] = Procedure(
    {
        Action.BEGIN: By(INSTITUTION_ROLES),
        Action.AMEND: By(INSTITUTION_ROLES, {State.DRAFT: State.DRAFT, State.RETURNED: State.RETURNED}),
        Action.SUBMIT: By(INSTITUTION_ROLES, {State.DRAFT: State.SUBMITTED, State.RETURNED: State.SUBMITTED}),
        Action.APPROVE: By(PROVINCE, {State.SUBMITTED: State.APPROVED}),
        Action.RETURN: By(PROVINCE, {State.SUBMITTED: State.RETURNED}),
        Action.SUPERSEDE: By(PROVINCE, {State.APPROVED: State.SUPERSEDED}),
        Action.WITHDRAW: By(INSTITUTION_ROLES, {State.SUBMITTED: State.DRAFT}),
        Action.DISCARD: By(
            INSTITUTION_ROLES, {State.DRAFT: State.DISCARDED, State.RETURNED: State.DISCARDED}
        ),
    },
    reviews.not_yours(
        "plan-not-yours", "培训计划由培训机构编制和报送，由省级管理部门审核（指南第四条、第二十五条）。"
    ),
    reviews.not_now("plan-state", "计划现在不能这样办理", "这一版计划{state}"),
    reviews.overtaken("plan-overtaken", "计划已有变动", "这一版计划"),
    waits=(
        Waits(INSTITUTION_ROLES, State.DRAFT, TO_FILE, told=False),
        Waits(INSTITUTION_ROLES, State.RETURNED, "被退回的培训计划，修改后重新报送"),
        Waits(PROVINCE, State.SUBMITTED, "待审核的培训计划"),
    ),
)
"""Every version begins as a draft. An approved one is superseded by the approval of the next, and by nothing else; what was given up
counts for nothing, and the next version begins where the one before it stood."""


class PlanItem(BaseModel):
    """One class that an institution means to hold. Its id stays the same from version to version."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    level: Level
    major: str
    title: str
    month: int
    places: int
    class_hours: int
    budget_fen: int

    @property
    def major_name(self) -> str:
        return MAJORS[self.major].name

    def told(self) -> dict[str, str]:
        """What the item says, in words, by the title of each column."""
        return {
            "名称": self.title,
            "级别": self.level.label,
            "专业大类": self.major_name,
            "月份": f"{self.month} 月",
            "人数": f"{self.places} 人",
            "课时": f"{self.class_hours} 课时",
            "预算": money.yuan(self.budget_fen),
        }


def check_year(year: int, today: date) -> None:
    """Raises Invalid unless a plan is for this year or the next."""
    if not today.year <= year <= today.year + 1:
        raise Invalid(fields=[FieldError("year", f"只能编制 {today.year} 年或 {today.year + 1} 年的计划。")])


def check_items(items: Sequence[PlanItem], qualifications: Sequence[Qualification], year: int) -> None:
    """Raises Invalid with `items.<n>` for each that names no 专业大类, that the institution is not qualified for on the first day
    of its month (articles 4 and 16), or whose title another item has."""
    wrong: list[FieldError] = []
    titles: set[str] = set()
    for number, item in enumerate(items):
        if item.title in titles:
            wrong.append(FieldError(f"items.{number}.title", "名称与前面的项目相同，请加以区别。"))
        titles.add(item.title)
        if item.major not in MAJORS:
            wrong.append(FieldError(f"items.{number}.major", "请选择列表中的专业大类。"))
            continue
        try:
            require_qualified(qualifications, item.level, item.major, date(year, item.month, 1))
        except NotQualified as refused:
            wrong.append(FieldError(f"items.{number}.level", refused.detail))
    if wrong:
        raise Invalid(fields=wrong)


def check_complete(items: Sequence[object]) -> None:
    """Raises Invalid for a plan that says nothing."""
    if not items:
        raise Invalid("计划中还没有项目。请先填写至少一个培训班，再报送审核。")


def to_apply(before: Sequence[PlanItem], left: Collection[str], after: Sequence[PlanItem]) -> list[str]:
    """For which items of a new version somebody has still to apply: those that are new in it, and those that were `left` of the one
    before it. An item keeps its id from version to version, and what was applied for stays so."""
    known = {item.id for item in before}
    return sorted(item.id for item in after if item.id not in known or item.id in left)


class ChangeKind(Titled):
    ADDED = "ADDED", "新增"
    CHANGED = "CHANGED", "修改"
    REMOVED = "REMOVED", "删去"


@dataclass(frozen=True)
class Change:
    """What became of one item: `before` and `after` by column, for CHANGED only of the columns that differ."""

    kind: ChangeKind
    title: str
    before: dict[str, str]
    after: dict[str, str]


def difference(before: Sequence[PlanItem], after: Sequence[PlanItem]) -> list[Change]:
    """What a version changes of the one before it: in the order of the new version, then what it leaves out (article 25.4)."""
    known = {item.id: item for item in before}
    kept = {item.id for item in after}
    changes = []
    for item in after:
        now = item.told()
        if item.id not in known:
            changes.append(Change(ChangeKind.ADDED, item.title, {}, now))
        elif known[item.id] != item:
            was = known[item.id].told()
            changed = [column for column in now if now[column] != was[column]]
            changes.append(
                Change(
                    ChangeKind.CHANGED,
                    item.title,
                    {column: was[column] for column in changed},
                    {column: now[column] for column in changed},
                )
            )
    gone = [item for item in before if item.id not in kept]
    return changes + [Change(ChangeKind.REMOVED, item.title, item.told(), {}) for item in gone]
