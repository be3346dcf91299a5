"""The paper of a decision (决定书): what it was about, what was found and heard, what is decided, and from when on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from server.kernel import paper
from server.kernel.clock import beijing_date
from server.kernel.errors import NotFound
from server.qualification.documents import Case, Decision
from server.qualification.rules import Outcome, Subject

TEMPLATE = Path(__file__).with_name("decision.typ")
ISSUER = "中国就业培训技术指导中心"
"""部指导中心 in full (article 7)."""
WHO = {Subject.TEACHER: "本人", Subject.BASE: "该基地", Subject.CENTRE: "该中心"}


@dataclass(frozen=True)
class Paper:
    """Part by part, each ready to print."""

    title: str
    number: str
    salutation: str
    opening: str
    facts: tuple[tuple[str, str], ...]
    heard: str
    decided: str
    reason: str
    closing: str
    issuer: str
    issued_on: str
    reference: str


def paper_of(case: Case, number: str) -> Paper:
    """Raises NotFound when the case has no decision of this number."""
    decision = next((one for one in case.decisions if one.number == number), None)
    if decision is None:
        raise NotFound("没有这份决定。")
    teacher = case.subject is Subject.TEACHER
    whom = f"{case.name}老师" if teacher else case.name
    until = decision.decided_at
    said = [one for one in case.statements if one.at <= until]
    return Paper(
        title=_title(case, decision),
        number=decision.number,
        salutation=f"{whom}{f'（{case.unit_name}）' if case.unit_name else ''}：",
        opening=(
            f"依据《技工院校工学一体化教师培训管理指南（试行）》{case.rule.article}，"
            f"因“{case.rule.label}”，于{_day(case.opened_on)}对你{'' if teacher else '单位'}的"
            f"{case.subject.label}资格立案核查，查明："
        ),
        facts=tuple((fact.title, fact.value) for fact in case.facts),
        heard=(
            f"{WHO[case.subject]}陈述情况 {len(said)} 次，已予核实。"
            if said
            else f"陈述期限为{_day(case.state_until)}，作出本决定时没有收到陈述。"
        ),
        decided=_decided(case, decision),
        reason=decision.reason,
        closing=_closing(decision),
        issuer=ISSUER,
        issued_on=_day(beijing_date(decision.decided_at)),
        reference=case.id,
    )


def _title(case: Case, decision: Decision) -> str:
    match decision.outcome:
        case Outcome.CANCELLED:
            return f"取消{case.subject.label}资格决定书"
        case Outcome.REVERSED:
            return "撤销动态管理决定的决定书"
        case Outcome.KEPT | Outcome.WARNED:
            return f"{case.subject.label}动态管理决定书"


def _decided(case: Case, decision: Decision) -> str:
    since = f"自{_day(decision.effective_on)}起"
    match decision.outcome:
        case Outcome.CANCELLED:
            asked = "，根据省级管理部门的申请" if case.subject is Subject.BASE else ""
            return f"经研究{asked}，决定{since}取消{case.subject.label}资格。"
        case Outcome.WARNED:
            return f"经研究，决定予以提醒警示，{since}保留{case.subject.label}资格，请认真履行职责。"
        case Outcome.KEPT:
            return f"经研究，决定保留{case.subject.label}资格。"
        case Outcome.REVERSED:
            before = next(one for one in case.decisions if one.number == decision.reverses)
            restored = f"，恢复{case.subject.label}资格" if before.outcome is Outcome.CANCELLED else ""
            return f"经复核，决定{since}撤销编号为 {decision.reverses} 的“{before.outcome.label}”决定{restored}。"


def _closing(decision: Decision) -> str:
    if decision.outcome is Outcome.CANCELLED:
        return "正在进行的培训班，由培训机构会同省级管理部门妥善安排，确保有序结束；已核发的证书不受影响。"
    return "特此决定。"


async def pdf(case: Case, number: str) -> bytes:
    """The paper on A4, as PDF/A. Raises NotFound, paper.PaperFailed."""
    one = paper_of(case, number)
    decision = next(each for each in case.decisions if each.number == number)
    on = beijing_date(decision.decided_at)
    words: dict[str, Any] = asdict(one)
    return await paper.render(
        TEMPLATE, words | {"document_date": {"year": on.year, "month": on.month, "day": on.day}}
    )


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
