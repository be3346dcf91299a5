"""The decision on registration as a page to print (article 9.1: 登记入库)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pydantic import JsonValue

from server.institutions.annex1 import PROVINCES
from server.kernel import paper
from server.selection.documents import Decision, Registered

TEMPLATE = Path(__file__).with_name("decision.typ")
_PROVINCE_NAMES = {province.code: province.name for province in PROVINCES}


async def pdf(decision: Decision) -> bytes:
    """The decision with its list on A4, as PDF/A; ID numbers are masked. Raises paper.PaperFailed."""
    return await paper.render(TEMPLATE, words_of(decision))


def words_of(decision: Decision) -> dict[str, JsonValue]:
    """Every part, ready to print."""
    new = [one for one in decision.registered if not one.already]
    before = [one for one in decision.registered if one.already]
    said = (
        f"{decision.institution_name}举办的“{decision.class_name}”"
        f"（{decision.major_name}，{_day(decision.training_from)}至{_day(decision.training_to)}）"
        f"已完成培训和考核，合格教师名单已报送。经审核，现将{len(new)}名合格教师登记入骨干教师库。"
    )
    if before:
        said += f"名单中{len(before)}名教师此前已登记入库，不重复登记，原登记不变。"
    decided = decision.decided_on
    return {
        "title": "关于骨干教师登记入库的决定",
        "number": decision.number,
        "opening": "根据《技工院校工学一体化教师培训管理指南（试行）》第七条、第九条，" + said,
        "columns": ["序号", "姓名", "身份证号", "省份", "工作单位", "证书编号", "备注"],
        "rows": [_row(number, one) for number, one in enumerate(decision.registered, start=1)],
        "issuer": "中国就业培训技术指导中心",
        "decided_on": _day(decided),
        "document_date": {"year": decided.year, "month": decided.month, "day": decided.day},
        "reference": decision.id,
    }


def _row(number: int, one: Registered) -> list[JsonValue]:
    return [
        str(number),
        one.name,
        one.id_number_masked,
        _PROVINCE_NAMES[one.province_code],
        one.work_unit,
        one.certificate_number,
        f"此前已入库（{one.already}）" if one.already else "",
    ]


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
