"""The paper of a decision: each kind, the longest that the platform takes, on one page."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime

import pypdf
import pytest

from server.kernel.errors import NotFound
from server.qualification import paper
from server.qualification.documents import Case, Decision, Fact, Statement
from server.qualification.rules import Outcome, Rule, State, Subject
from tests.printed import text_of

AT = datetime(2026, 3, 16, 4, tzinfo=UTC)
DAY = date(2026, 3, 16)


def a_decision(outcome: Outcome, number: str = "2026-0001", **changes: object) -> Decision:
    fields: dict[str, object] = {
        "number": number,
        "outcome": outcome,
        "reason": "经研究决定。",
        "effective_on": DAY,
        "decided_at": AT,
        "decided_by": "部试甲",
    }
    return Decision.model_validate(fields | changes)


def a_case(*decisions: Decision, **changes: object) -> Case:
    fields: dict[str, object] = {
        "subject": Subject.TEACHER,
        "subject_id": "9" * 24,
        "name": "师试甲",
        "unit_name": "示例市技师学院",
        "province_code": "13",
        "institution_code": None,
        "qualification_number": None,
        "rule": Rule.NO_TASK,
        "key": "2024-01-10",
        "first": date(2024, 1, 10),
        "last": date(2026, 1, 10),
        "facts": [Fact(title="登记入库", value="2023-03-01")],
        "opened_on": date(2026, 1, 11),
        "state_until": date(2026, 1, 26),
        "state": State.DECIDED,
        "open": False,
        "settled_on": DAY,
        "decisions": list(decisions),
        "history": [],
    }
    return Case.model_validate(fields | changes)


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome.KEPT, "决定保留骨干教师资格"),
        (Outcome.WARNED, "决定予以提醒警示"),
        (Outcome.CANCELLED, "起取消骨干教师资格"),
    ],
)
async def test_each_decision_says_what_it_decides(outcome: Outcome, said: str) -> None:
    words = text_of(await paper.pdf(a_case(a_decision(outcome)), "2026-0001"))
    assert said in words and "没有收到陈述" in words and "2026-0001" in words


async def test_a_reversal_names_the_decision_that_it_takes_back() -> None:
    first = a_decision(Outcome.CANCELLED)
    second = a_decision(Outcome.REVERSED, "2026-0002", reverses="2026-0001")
    case = a_case(first, second)
    assert "恢复骨干教师资格" in text_of(await paper.pdf(case, "2026-0002"))
    assert "起取消骨干教师资格" in text_of(await paper.pdf(case, "2026-0001")), "the first stays as it was"


async def test_the_paper_of_a_base_names_the_request_of_its_province() -> None:
    base = a_case(
        a_decision(Outcome.CANCELLED),
        subject=Subject.BASE,
        rule=Rule.NO_CLASS,
        name="邢台技师学院",
        unit_name="",
        statements=[Statement(text="已在筹备。", by="邢试丁", at=AT)],
    )
    words = text_of(await paper.pdf(base, "2026-0001"))
    assert "根据省级管理部门的申请" in words and "该基地陈述情况 1 次" in words


@pytest.mark.parametrize(("length", "pages"), [(8, 1), (12, 1), (96, 2)])
async def test_a_paper_is_one_page_unless_it_has_too_much_to_say(length: int, pages: int) -> None:
    """The longest reason that the platform takes, and facts up to what a teacher who was suspended often has."""
    facts = [Fact(title="最近一次任务", value="培训班的名称" * (length // 6 + 1)) for _ in range(6)]
    case = a_case(a_decision(Outcome.CANCELLED, reason="理由充分。" * 100), facts=facts)
    printed = pypdf.PdfReader(io.BytesIO(await paper.pdf(case, "2026-0001"))).pages
    assert len(printed) == pages
    assert "妥善安排" in printed[-1].extract_text()


async def test_the_same_decision_gives_the_same_bytes_and_an_unknown_one_none() -> None:
    case = a_case(a_decision(Outcome.KEPT))
    assert await paper.pdf(case, "2026-0001") == await paper.pdf(case, "2026-0001")
    with pytest.raises(NotFound):
        await paper.pdf(case, "2026-0009")
