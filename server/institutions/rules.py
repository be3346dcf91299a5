"""Who may train and certify whom: levels, professional categories and the qualifications of institutions.

Articles 3 to 5 and 16 of the guide. A qualification is data that the ministry grants, for some 专业大类 and some time; it is
never derived from the star in annex 1. Everything is pure: the day a qualification is asked for is an argument.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from server.kernel import reviews
from server.kernel.errors import Conflict, FieldError, Forbidden, Invalid
from server.kernel.identity import Role
from server.kernel.reviews import CENTRE, PROVINCE, By, Procedure
from server.kernel.titled import Titled


class Level(Titled):
    """培训级别; the value is the level's character in a certificate number (article 17)."""

    BACKBONE = "G", "骨干教师"
    ONE = "1", "一级"
    TWO = "2", "二级"
    THREE = "3", "三级"

    @property
    def training(self) -> str:
        """The training's name as article 16 writes it: 工学一体化骨干教师培训, 工学一体化一级教师培训 …"""
        return f"工学一体化{self.label.removesuffix('教师')}教师培训"


@dataclass(frozen=True)
class Major:
    """A 专业大类. `confirmed` is False where the name is not in the guide's sources yet: show it with 待核."""

    code: str
    name: str
    confirmed: bool = True


MAJORS: dict[str, Major] = {
    major.code: major
    for major in (
        Major("01", "机械类"),
        Major("02", "电工电子类"),
        Major("03", "信息类"),
        Major("04", "交通类"),
        Major("05", "服务类"),
        Major("06", "财经商贸类"),
        Major("07", "农业类", confirmed=False),
        Major("08", "能源类", confirmed=False),
        Major("09", "化工类", confirmed=False),
        Major("10", "冶金类", confirmed=False),
        Major("11", "建筑类", confirmed=False),
        Major("12", "轻工类", confirmed=False),
        Major("13", "医药类", confirmed=False),
        Major("14", "文化艺术类", confirmed=False),
        Major("15", "其他", confirmed=False),
    )
}


class QualificationKind(Titled):
    """The two kinds of 培训机构 (article 3)."""

    TRAINING_CENTRE = "TRAINING_CENTRE", "师资研修中心"
    TRAINING_BASE = "TRAINING_BASE", "教师培训基地"


class QualificationStatus(Titled):
    ACTIVE = "ACTIVE", "有效"
    SUSPENDED = "SUSPENDED", "暂停"
    WITHDRAWN = "WITHDRAWN", "已取消"


class Qualification(BaseModel):
    """What one institution may do, from `valid_from` to `valid_to` (both days count; None: until further notice).

    `majors` are codes of MAJORS. One institution may hold several, also of different kinds (article 3, annex 1).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: QualificationKind
    majors: tuple[str, ...]
    valid_from: date
    valid_to: date | None = None
    status: QualificationStatus = QualificationStatus.ACTIVE
    status_since: date | None = None
    """The first day of a suspension or withdrawal; before it the qualification stands. None: the status holds for every day."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if unknown := [code for code in self.majors if code not in MAJORS]:
            raise ValueError(f"没有这样的专业大类：{'、'.join(unknown)}")
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError("资格的截止日期不能早于起始日期")
        return self

    def is_valid(self, on: date) -> bool:
        begun = self.valid_from <= on
        ended = self.valid_to is not None and self.valid_to < on
        return self.stands(on) and begun and not ended

    def stands(self, on: date) -> bool:
        """Whether it was neither suspended nor withdrawn on that day; whether the day is within its validity is another question."""
        before = self.status_since is not None and on < self.status_since
        return self.status is QualificationStatus.ACTIVE or before

    @property
    def in_words(self) -> str:
        names = "、".join(MAJORS[code].name for code in self.majors)
        until = self.valid_to or "长期"
        return f"{self.kind.label}（{self.valid_from} 至 {until}，{self.status.label}）：{names}"


class NotQualified(Forbidden):
    """The institution may not train or certify this level in this 专业大类 on that day (articles 4 and 16)."""

    slug = "not-qualified"
    title = "培训机构不具备该项培训资格"


def levels_of(kind: QualificationKind) -> frozenset[Level]:
    """The levels a kind of institution trains and certifies (articles 4 and 16)."""
    if kind is QualificationKind.TRAINING_CENTRE:
        return frozenset({Level.BACKBONE, Level.ONE})
    return frozenset({Level.TWO, Level.THREE})


def kind_for(level: Level) -> QualificationKind:
    """The kind of institution that trains and certifies a level: the inverse of `levels_of`."""
    return next(kind for kind in QualificationKind if level in levels_of(kind))


def levels_held(qualifications: Iterable[Qualification], on: date) -> list[Level]:
    """The levels that valid qualifications allow on that day, in some 专业大类, the highest first."""
    kinds = {qualification.kind for qualification in qualifications if qualification.is_valid(on)}
    return [level for level in Level if kind_for(level) in kinds]


def qualified(qualifications: Iterable[Qualification], level: Level, major: str, on: date) -> bool:
    """Whether one of the qualifications covers the level and the 专业大类 on that day (articles 4 and 16)."""
    return any(
        qualification.kind is kind_for(level) and major in qualification.majors and qualification.is_valid(on)
        for qualification in qualifications
    )


def require_qualified(qualifications: Iterable[Qualification], level: Level, major: str, on: date) -> None:
    """Raises NotQualified, saying what is missing, unless `qualified`."""
    held = list(qualifications)
    if not qualified(held, level, major, on):
        kind = kind_for(level)
        raise NotQualified(
            f"按《管理指南》第四条、第十六条，{level.training}由{kind.label}承担。"
            f"{_what_is_missing(held, kind, major, on)}如需办理，请联系省级管理部门。"
        )


def _what_is_missing(held: list[Qualification], kind: QualificationKind, major: str, on: date) -> str:
    of_kind = [qualification for qualification in held if qualification.kind is kind]
    if not of_kind:
        return f"本机构没有{kind.label}资格。"
    of_major = [qualification for qualification in of_kind if major in qualification.majors]
    if not of_major:
        name = MAJORS[major].name if major in MAJORS else major
        return f"本机构的{kind.label}资格未获批“{name}”专业大类。"
    # What is in force but out of its time says more than an older one that was withdrawn.
    latest = max(of_major, key=lambda each: (each.status is QualificationStatus.ACTIVE, each.valid_from))
    if not latest.stands(on):
        return f"本机构的{kind.label}资格状态为“{latest.status.label}”。"
    until = latest.valid_to.isoformat() if latest.valid_to else "长期"
    return f"本机构的{kind.label}资格有效期为{latest.valid_from}至{until}，不含{on}。"


# ---- Management (article 5): what the centre does to a qualification, and what a province asks of it


class QualificationAction(Titled):
    """What happens to a qualification; ENTER and PUBLISH make it."""

    ENTER = "ENTER", "按附件 1 录入"
    PUBLISH = "PUBLISH", "公布资格"
    CONFIRM = "CONFIRM", "核定资格"
    SUSPEND = "SUSPEND", "暂停资格"
    RESUME = "RESUME", "恢复资格"
    WITHDRAW = "WITHDRAW", "取消资格"


ON_REQUEST_OF_THE_PROVINCE = frozenset(
    {QualificationAction.SUSPEND, QualificationAction.RESUME, QualificationAction.WITHDRAW}
)
"""For a 教师培训基地 these need the province's request (article 5.3); a 师资研修中心 is the ministry's own affair (article 5.1)."""


class QualificationFixed(Conflict):
    slug = "qualification-fixed"
    title = "资格当前不能这样办理"


QUALIFICATION_STEPS: Procedure[QualificationStatus, QualificationAction] = Procedure(
    {
        QualificationAction.ENTER: By(CENTRE),
        QualificationAction.PUBLISH: By(CENTRE),
        QualificationAction.CONFIRM: By(CENTRE, {QualificationStatus.ACTIVE: QualificationStatus.ACTIVE}),
        QualificationAction.SUSPEND: By(CENTRE, {QualificationStatus.ACTIVE: QualificationStatus.SUSPENDED}),
        QualificationAction.RESUME: By(CENTRE, {QualificationStatus.SUSPENDED: QualificationStatus.ACTIVE}),
        QualificationAction.WITHDRAW: By(
            CENTRE,
            {
                QualificationStatus.ACTIVE: QualificationStatus.WITHDRAWN,
                QualificationStatus.SUSPENDED: QualificationStatus.WITHDRAWN,
            },
        ),
    },
    lambda action: Forbidden("培训机构资格由部指导中心办理（指南第五条）。"),
    reviews.refused(QualificationFixed, "该资格目前为“{state}”，不能{action}。请返回培训机构页面核对。"),
)
"""A withdrawn qualification never comes back: the school is recommended again."""


def act_on_qualification(
    held: Qualification, action: QualificationAction, roles: frozenset[Role], *, requested: bool
) -> QualificationStatus:
    """The status after `action`. `requested`: the province has asked for it.

    Raises Forbidden unless the centre acts, QualificationFixed when the table has no such step or when the province must ask first.
    """
    status = QUALIFICATION_STEPS.after(held.status, action, roles)
    base = held.kind is QualificationKind.TRAINING_BASE
    if base and action in ON_REQUEST_OF_THE_PROVINCE and not requested:
        raise QualificationFixed(
            f"按《管理指南》第五条（三），{action.label}须由省级管理部门提出申请。请等待该省提交申请后审核。"
        )
    return status


class RequestPurpose(Titled):
    """What a province asks of the centre (articles 5.2 and 5.3)."""

    NEW_BASE = "NEW_BASE", "推荐教师培训基地"
    ADDITION = "ADDITION", "申请增补资格"
    SUSPENSION = "SUSPENSION", "申请暂停资格"
    RESUMPTION = "RESUMPTION", "申请恢复资格"
    WITHDRAWAL = "WITHDRAWAL", "申请取消资格"

    @property
    def grants(self) -> bool:
        """Whether an approval makes a new qualification."""
        return self in (RequestPurpose.NEW_BASE, RequestPurpose.ADDITION)

    @property
    def action(self) -> QualificationAction:
        """What an approval does to the qualification."""
        return _PURPOSE_ACTIONS.get(self, QualificationAction.PUBLISH)


_PURPOSE_ACTIONS = {
    RequestPurpose.SUSPENSION: QualificationAction.SUSPEND,
    RequestPurpose.RESUMPTION: QualificationAction.RESUME,
    RequestPurpose.WITHDRAWAL: QualificationAction.WITHDRAW,
}


class RequestState(Titled):
    SUBMITTED = "SUBMITTED", "待审核"
    APPROVED = "APPROVED", "已核准"
    DECLINED = "DECLINED", "未核准"
    RETRACTED = "RETRACTED", "已撤回"

    @property
    def open(self) -> bool:
        """Whether somebody still has to act: the centre on what is submitted, the province on what is declined."""
        return self in (RequestState.SUBMITTED, RequestState.DECLINED)


class RequestAction(Titled):
    SUBMIT = "SUBMIT", "提交"
    APPROVE = "APPROVE", "核准"
    DECLINE = "DECLINE", "不予核准"
    RESUBMIT = "RESUBMIT", "修改后重新提交"
    RETRACT = "RETRACT", "撤回"


REQUEST_STEPS: Procedure[RequestState, RequestAction] = Procedure(
    {
        RequestAction.SUBMIT: By(PROVINCE),
        RequestAction.APPROVE: By(CENTRE, {RequestState.SUBMITTED: RequestState.APPROVED}),
        RequestAction.DECLINE: By(CENTRE, {RequestState.SUBMITTED: RequestState.DECLINED}),
        RequestAction.RESUBMIT: By(PROVINCE, {RequestState.DECLINED: RequestState.SUBMITTED}),
        RequestAction.RETRACT: By(
            PROVINCE,
            {RequestState.SUBMITTED: RequestState.RETRACTED, RequestState.DECLINED: RequestState.RETRACTED},
        ),
    },
    lambda action: Forbidden(f"“{action.label}”由{_whose(action)}办理（指南第五条）。"),
    reviews.not_now(
        "request-settled", "申请当前不能这样办理", "该申请目前为“{state}”", "请刷新后查看最新状态。"
    ),
)
"""推荐 and 申请 by the province, 审核和公布 by the centre (articles 5.2, 5.3)."""


def _whose(action: RequestAction) -> str:
    return "、".join(role.label for role in REQUEST_STEPS.may_act(action))


def base_valid_to(valid_from: date, years: int) -> date:
    """The last day of a validity of whole years (policy `base_validity_years`) that begins on `valid_from`."""
    try:
        return valid_from.replace(year=valid_from.year + years) - timedelta(days=1)
    except ValueError:  # 29 February
        return date(valid_from.year + years, 2, 28)


CODE = re.compile(r"(?!000)[0-9]{3}")


def next_code(taken: Iterable[str]) -> str:
    """The 培训机构号 after the highest ever given (article 17, annex 1): codes of withdrawn institutions count, and gaps stay gaps.

    Raises QualificationFixed when 999 is taken.
    """
    highest = max((int(code) for code in taken), default=0)
    if highest >= 999:
        raise QualificationFixed("三位培训机构号已用到 999，请部指导中心先确定新的编码规则。")
    return f"{highest + 1:03}"


def check_majors(majors: Iterable[str], *, within: Iterable[str] | None = None) -> None:
    """Raises Invalid unless there is a 专业大类 and each exists and, given `within`, was asked for."""
    named = list(majors)
    if not named or not set(named) <= MAJORS.keys():
        raise Invalid(fields=[FieldError("majors", "请至少选择一个专业大类。")])
    if within is not None and (more := set(named) - set(within)):
        names = "、".join(MAJORS[code].name for code in sorted(more))
        raise Invalid(
            fields=[FieldError("majors", f"省级管理部门没有推荐{names}，只能在推荐的专业大类内核准。")]
        )


def check_not_held_yet(
    held: Iterable[Qualification], majors: Iterable[str], on: date, level: Level = Level.THREE
) -> None:
    """Raises Invalid when the institution is qualified already, on that day, for one of the 专业大类 to be added.

    `level` is any of the kind in question: 三级 for a base, 一级 for a 师资研修中心.
    """
    again = [major for major in majors if qualified(held, level, major, on)]
    if again:
        names = "、".join(MAJORS[code].name for code in again)
        raise Invalid(
            fields=[FieldError("majors", f"{names}在 {on} 已有有效资格，请去掉，或等原资格到期后再办。")]
        )


def check_validity(valid_from: date, valid_to: date | None) -> None:
    """Raises Invalid unless the validity ends on or after its first day."""
    if valid_to is not None and valid_to < valid_from:
        raise Invalid(fields=[FieldError("valid_to", "截止日期不能早于起始日期。")])


def check_still_valid(valid_to: date | None, today: date) -> None:
    """Raises Invalid for a qualification that would be over by being confirmed: a title falls by a withdrawal, which is heard."""
    if valid_to is not None and valid_to < today:
        raise Invalid(
            fields=[FieldError("valid_to", "截止日期不能早于今天。不再保留的资格，请按取消资格的程序办理。")]
        )


def check_not_past(place: str, day: date, today: date) -> None:
    """Raises Invalid for a day that has passed: what was done under the old status stays as it was done."""
    if day < today:
        raise Invalid(fields=[FieldError(place, "不能早于今天，已经办结的事项不受影响。")])


def check_effective(action: QualificationAction, day: date, today: date) -> None:
    """Raises Invalid for the day of a decision: not in the past, and a resumption takes effect on the day it is decided."""
    check_not_past("effective_on", day, today)
    if action is QualificationAction.RESUME and day != today:
        raise Invalid(fields=[FieldError("effective_on", "恢复资格自办理当天起生效，请填写今天的日期。")])


def possible_actions(held: Qualification) -> list[QualificationAction]:
    """What may be done or asked next, by the table."""
    return [
        action
        for action in QualificationAction
        if QUALIFICATION_STEPS.has(held.status, action) and action is not QualificationAction.CONFIRM
    ]
