"""Nobody loses a title unheard: the rule, named once, and asked by whatever takes a title at the moment in which it takes it.

A base, a 师资研修中心 and a 骨干教师 lose theirs in different chapters and on different paths. Each chapter gives a title up only against a
`Hearing`, which a case of dynamic management has, so that a path which forgets to ask is refused like one which asks too early.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from server.kernel.errors import Conflict


class Unheard(Conflict):
    slug = "nobody-was-heard"
    title = "尚未听取陈述"
    default_detail = (
        "资格不能未经陈述就被取消。请等动态管理立案，在对方陈述或陈述期满后再办理"
        "（省级管理部门的取消申请，尚未立案的由平台在次日凌晨立案）。"
    )


class TooEarly(Conflict):
    slug = "statement-still-open"
    title = "陈述期限未满"


@dataclass(frozen=True)
class Hearing:
    """Whoever is to lose a title was asked what speaks against it: the last day to answer, and whether they did."""

    until: date
    answered: bool


def check_heard(hearing: Hearing | None, today: date, what: str = "取消资格") -> None:
    """Raises Unheard where nobody was asked, TooEarly before they have answered or their days for it are over."""
    if hearing is None:
        raise Unheard()
    if not hearing.answered and today <= hearing.until:
        raise TooEarly(
            f"对方还没有陈述，陈述期限到{hearing.until}。请在收到陈述或期满以后再作出“{what}”的决定。"
        )
