"""The words of an 邀请函, and the letter as a page to print: institutions and phones show the same one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from server.classes.rules import Kind
from server.invitations.documents import Invitation
from server.kernel import paper
from server.kernel.clock import beijing_date

TEMPLATE = Path(__file__).with_name("letter.typ")

ASKED = {
    Kind.TEACHING: (
        "请您与我单位共同设计制订培训方案，参与审核报名教师信息和培训需求分析，承担教学准备与授课，指导参训教师完成学习成果，"
        "并做好培训过程监督和效果评估。"
    ),
    Kind.ASSESSMENT: (
        "请您按照报备的培训方案承担过程性考核和终结性考核，评阅参训教师的学习成果并评定成绩，确保考核公平公正。"
    ),
}
"""The tasks of articles 4 and 8.4, in our own words."""


@dataclass(frozen=True)
class Letter:
    """The letter part by part, each ready to print."""

    title: str
    salutation: str
    opening: str
    facts: tuple[tuple[str, str], ...]
    """What the class is: term and value."""
    asked: str
    message: str
    """The institution's own words; may be empty."""
    reply: str
    closing: str
    issuer: str
    issued_on: str
    reference: str


def letter_of(invitation: Invitation) -> Letter:
    role = "授课教师" if invitation.kind is Kind.TEACHING else "考核教师"
    return Letter(
        title="邀请函",
        salutation=f"尊敬的{invitation.teacher_name}老师：",
        opening=(
            f"我单位定于{_period(invitation.starts_on, invitation.ends_on)}举办“{invitation.class_name}”。"
            f"您已登记入骨干教师库，所授专业与本期培训对口，现诚邀您担任本期培训班的{role}。"
        ),
        facts=(
            ("培训级别", invitation.level.training),
            ("专业大类", invitation.major_name),
            ("培训时间", _period(invitation.starts_on, invitation.ends_on)),
            ("培训课时", f"{invitation.class_hours} 课时"),
            ("培训地点", invitation.place),
            ("邀请事项", invitation.kind.label),
        ),
        asked=ASKED[invitation.kind],
        message=invitation.message,
        reply=(
            f"请您最迟于{_day(invitation.reply_until)}在平台小程序的“授课邀请”中答复接受或谢绝。"
            "逾期未答复的，本函自动失效。"
        ),
        closing="专此函邀，盼复。",
        issuer=invitation.institution_name,
        issued_on=_day(beijing_date(invitation.sent_at)),
        reference=invitation.id,
    )


async def pdf(invitation: Invitation) -> bytes:
    """The letter on A4, as PDF/A. Raises paper.PaperFailed."""
    letter: dict[str, Any] = asdict(letter_of(invitation))
    sent = beijing_date(invitation.sent_at)
    return await paper.render(
        TEMPLATE, letter | {"document_date": {"year": sent.year, "month": sent.month, "day": sent.day}}
    )


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _period(first: date, last: date) -> str:
    return _day(first) if first == last else f"{_day(first)}至{_day(last)}"
