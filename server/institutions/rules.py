"""Who may train and certify whom: levels, professional categories and the qualifications of institutions.

Articles 3 to 5 and 16 of the guide. A qualification is data that the ministry grants, for some 专业大类 and some time; it is
never derived from the star in annex 1. Everything is pure: the day a qualification is asked for is an argument.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from server.kernel.errors import Forbidden


class Level(StrEnum):
    """培训级别; the value is the level's character in a certificate number (article 17)."""

    BACKBONE = "G"
    ONE = "1"
    TWO = "2"
    THREE = "3"

    @property
    def title(self) -> str:  # type: ignore[override]  # a level is never title-cased; templates read the Chinese name here
        return _LEVEL_TITLES[self]

    @property
    def training(self) -> str:
        """The training's name as article 16 writes it: 工学一体化骨干教师培训, 工学一体化一级教师培训 …"""
        return f"工学一体化{self.title.removesuffix('教师')}教师培训"


_LEVEL_TITLES = {Level.BACKBONE: "骨干教师", Level.ONE: "一级", Level.TWO: "二级", Level.THREE: "三级"}


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


class QualificationKind(StrEnum):
    """The two kinds of 培训机构 (article 3)."""

    TRAINING_CENTRE = "TRAINING_CENTRE"
    TRAINING_BASE = "TRAINING_BASE"

    @property
    def title(self) -> str:  # type: ignore[override]  # as Level.title
        return "师资研修中心" if self is QualificationKind.TRAINING_CENTRE else "教师培训基地"


class QualificationStatus(StrEnum):
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    WITHDRAWN = "WITHDRAWN"

    @property
    def title(self) -> str:  # type: ignore[override]  # as Level.title
        return _STATUS_TITLES[self]


_STATUS_TITLES = {
    QualificationStatus.ACTIVE: "有效",
    QualificationStatus.SUSPENDED: "暂停",
    QualificationStatus.WITHDRAWN: "已取消",
}


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
        return self.status is QualificationStatus.ACTIVE and begun and not ended


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
            f"按《管理指南》第四条、第十六条，{level.training}由{kind.title}承担。"
            f"{_what_is_missing(held, kind, major, on)}如需办理，请联系省级管理部门。"
        )


def _what_is_missing(held: list[Qualification], kind: QualificationKind, major: str, on: date) -> str:
    of_kind = [qualification for qualification in held if qualification.kind is kind]
    if not of_kind:
        return f"本机构没有{kind.title}资格。"
    of_major = [qualification for qualification in of_kind if major in qualification.majors]
    if not of_major:
        name = MAJORS[major].name if major in MAJORS else major
        return f"本机构的{kind.title}资格未获批“{name}”专业大类。"
    # What is in force but out of its time says more than an older one that was withdrawn.
    latest = max(of_major, key=lambda each: (each.status is QualificationStatus.ACTIVE, each.valid_from))
    if latest.status is not QualificationStatus.ACTIVE:
        return f"本机构的{kind.title}资格状态为“{latest.status.title}”。"
    until = latest.valid_to.isoformat() if latest.valid_to else "长期"
    return f"本机构的{kind.title}资格有效期为{latest.valid_from}至{until}，不含{on}。"
