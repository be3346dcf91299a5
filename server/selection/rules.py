"""Rules of the selection of backbone teachers (articles 7, 9.2 and 4.2): a recommendation, the list of those who passed, their states.

第七条: 组织省级管理部门按照要求推荐符合条件的技工院校教师参加由师资研修中心举办的骨干教师培训选拔 … 考核合格即为通过选拔 …
并将合格教师名单等报送部指导中心.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from server.institutions.rules import Level
from server.kernel import reviews
from server.kernel.errors import Conflict, FieldError, Invalid
from server.kernel.identity import Role
from server.kernel.reviews import CENTRE, PROVINCE, By, Procedure, Waits
from server.kernel.titled import Titled

PAPERS_MOST = 5


class State(Titled):
    """Where a recommendation stands."""

    DRAFT = "DRAFT", "草稿"
    SUBMITTED = "SUBMITTED", "待审核"
    RETURNED = "RETURNED", "已退回"
    ACCEPTED = "ACCEPTED", "已列为候选"
    ENROLLED = "ENROLLED", "已编入骨干班"
    REPORTED = "REPORTED", "合格，已报送"
    REGISTERED = "REGISTERED", "已登记入库"
    FAILED = "FAILED", "未通过选拔"
    WITHDRAWN = "WITHDRAWN", "已撤回"

    @property
    def open(self) -> bool:
        """Whether the teacher is on the way: nobody recommends them a second time."""
        return self not in (State.REGISTERED, State.FAILED, State.WITHDRAWN)


NOT_IN_A_CLASS = (State.DRAFT, State.SUBMITTED, State.RETURNED, State.ACCEPTED)


class Action(Titled):
    BEGIN = "BEGIN", "起草推荐"
    AMEND = "AMEND", "修改推荐"
    SUBMIT = "SUBMIT", "报送推荐"
    ACCEPT = "ACCEPT", "列为候选"
    RETURN = "RETURN", "退回修改"
    WITHDRAW = "WITHDRAW", "撤回推荐"
    ENROL = "ENROL", "编入骨干班"
    RELEASE = "RELEASE", "退出骨干班"
    REPORT = "REPORT", "列入合格名单"
    DROP = "DROP", "移出合格名单"
    FAIL = "FAIL", "未通过选拔"
    REGISTER = "REGISTER", "登记入库"


_NOT_YOURS = reviews.not_yours(
    "selection-not-yours",
    "骨干教师选拔由省级管理部门推荐、部指导中心审核和登记、师资研修中心培训和报送名单（指南第七条、第九条）。",
)
_OVERTAKEN = "您打开页面以后，{what}又有了新的办理，请看过现在的内容再办理。"
_TRAINING_CENTRE = frozenset({Role.TRAINING_CENTRE})

STEPS: Procedure[State, Action] = Procedure(
    {
        Action.BEGIN: By(PROVINCE),
        Action.AMEND: By(PROVINCE, {State.DRAFT: State.DRAFT, State.RETURNED: State.RETURNED}),
        Action.SUBMIT: By(PROVINCE, {State.DRAFT: State.SUBMITTED, State.RETURNED: State.SUBMITTED}),
        Action.WITHDRAW: By(PROVINCE, dict.fromkeys(NOT_IN_A_CLASS, State.WITHDRAWN)),
        Action.ACCEPT: By(CENTRE, {State.SUBMITTED: State.ACCEPTED}),
        Action.RETURN: By(CENTRE, {State.SUBMITTED: State.RETURNED}),
        Action.ENROL: By(_TRAINING_CENTRE, {State.ACCEPTED: State.ENROLLED}),
        Action.RELEASE: By(_TRAINING_CENTRE, {State.ENROLLED: State.ACCEPTED}),
        Action.REPORT: By(_TRAINING_CENTRE, {State.ENROLLED: State.REPORTED}),
        Action.DROP: By(_TRAINING_CENTRE, {State.REPORTED: State.ENROLLED}),
        Action.FAIL: By(_TRAINING_CENTRE, {State.ENROLLED: State.FAILED}),
        Action.REGISTER: By(CENTRE, {State.REPORTED: State.REGISTERED}),
    },
    _NOT_YOURS,
    reviews.not_now("selection-state", "推荐现在不能这样办理", "这份推荐目前为“{state}”"),
    reviews.overtaken("changed-meanwhile", "推荐已有变化", "这份推荐", _OVERTAKEN),
    waits=(
        Waits(CENTRE, State.SUBMITTED, "待审核的骨干教师选拔推荐"),
        Waits(PROVINCE, State.RETURNED, "被退回的骨干教师选拔推荐"),
    ),
)
"""The province recommends (article 9.2), the centre decides, a 师资研修中心 trains and reports (article 7)."""


# ---- the list of those who passed (名单报送)


class ListState(Titled):
    SUBMITTED = "SUBMITTED", "待登记"
    RETURNED = "RETURNED", "已退回"
    REGISTERED = "REGISTERED", "已登记入库"


class ListAction(Titled):
    REPORT = "REPORT", "报送名单"
    RETURN = "RETURN", "退回"
    RESUBMIT = "RESUBMIT", "核对后重新报送"
    REGISTER = "REGISTER", "登记入库"


LIST_STEPS: Procedure[ListState, ListAction] = Procedure(
    {
        ListAction.REPORT: By(_TRAINING_CENTRE),
        ListAction.RESUBMIT: By(_TRAINING_CENTRE, {ListState.RETURNED: ListState.SUBMITTED}),
        ListAction.RETURN: By(CENTRE, {ListState.SUBMITTED: ListState.RETURNED}),
        ListAction.REGISTER: By(CENTRE, {ListState.SUBMITTED: ListState.REGISTERED}),
    },
    _NOT_YOURS,
    reviews.not_now("selection-state", "推荐现在不能这样办理", "这份名单目前为“{state}”"),
    reviews.overtaken("changed-meanwhile", "推荐已有变化", "这份名单", _OVERTAKEN),
    waits=(
        Waits(CENTRE, ListState.SUBMITTED, "待登记入库的合格教师名单"),
        Waits(_TRAINING_CENTRE, ListState.RETURNED, "被退回的合格教师名单"),
    ),
)


# ---- conditions (符合条件, article 7): the guide names none, so each is a policy


class NotEligible(Invalid):
    slug = "selection-not-eligible"
    title = "不符合推荐条件"


@dataclass(frozen=True)
class Conditions:
    """What somebody must have to be recommended, as the policies of the day say."""

    years_least: int
    """Of teaching."""
    age_most: int
    """In full years (周岁)."""
    certificate: int
    """0: none is asked for; else the lowest 培训级别 (3, 2 or 1) of which a certificate must be held."""


@dataclass(frozen=True)
class Merits:
    """What a recommendation says of a teacher, as far as the conditions ask."""

    born_on: date
    years_of_teaching: int
    held_level: Level | None
    papers: int


def age_on(born_on: date, day: date) -> int:
    """Full years (周岁): a year more on each birthday; who is born on 29 February has it on 1 March of other years."""
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


def born_on(id_number: str) -> date:
    """The date of birth in a checked ID number (GB 11643-1999, characters 7 to 14)."""
    return date(int(id_number[6:10]), int(id_number[10:12]), int(id_number[12:14]))


def holds_level(held: Level | None, needed: int) -> bool:
    """Level one is the highest (article 16); the certificate of a backbone teacher counts above it."""
    if needed == 0:
        return True
    if held is None:
        return False
    return held is Level.BACKBONE or int(held.value) <= needed


def unmet(merits: Merits, conditions: Conditions, today: date) -> list[FieldError]:
    """Each condition that is not met, at its field."""
    found = []
    if merits.years_of_teaching < conditions.years_least:
        found.append(
            FieldError("years_of_teaching", f"教龄应不少于 {conditions.years_least} 年（平台政策，待核）。")
        )
    if (age := age_on(merits.born_on, today)) > conditions.age_most:
        found.append(
            FieldError("id_number", f"年满 {age} 周岁，超过 {conditions.age_most} 周岁（平台政策，待核）。")
        )
    if not holds_level(merits.held_level, conditions.certificate):
        lowest = Level(str(conditions.certificate)).label
        found.append(FieldError("held_level", f"应持有{lowest}及以上培训合格证书（平台政策，待核）。"))
    if merits.papers == 0:
        found.append(FieldError("paper", "请上传推荐材料（如盖章的推荐表）。"))
    return found


def require_eligible(merits: Merits, conditions: Conditions, today: date) -> None:
    """Raises NotEligible with every condition that is not met."""
    if wrong := unmet(merits, conditions, today):
        raise NotEligible("".join(one.message for one in wrong), fields=wrong)


# ---- the class


class NotABackboneClass(Conflict):
    slug = "not-a-backbone-class"
    title = "不是骨干教师培训班"
    default_detail = "候选人只能编入师资研修中心的骨干教师培训班（指南第四条、第七条）。"


class MajorDiffers(Conflict):
    slug = "major-differs"
    title = "专业大类不一致"


def require_backbone_class(level: Level) -> None:
    """Raises NotABackboneClass."""
    if level is not Level.BACKBONE:
        raise NotABackboneClass()


def require_same_major(name: str, major: str, class_major: str) -> None:
    """Raises MajorDiffers; both are names of a 专业大类."""
    if major != class_major:
        raise MajorDiffers(
            f"{name}推荐的专业大类是{major}，本班是{class_major}，请选择对应专业大类的骨干班。"
        )
