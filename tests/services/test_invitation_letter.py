"""The words and the paper of an 邀请函."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from server.classes.rules import Kind
from server.institutions.rules import Level
from server.invitations import letter, rules
from server.invitations.documents import Invitation
from server.kernel import paper
from server.kernel.paper import PaperFailed, PaperLacksCharacter
from tests.printed import open_pdf, text_of

SENT = datetime(2026, 3, 16, 4, tzinfo=UTC)


def an_invitation(**changes: Any) -> Invitation:
    fields: dict[str, Any] = {
        "class_id": "a" * 24,
        "class_name": "2026年4月三级教师培训班",
        "institution_code": "009",
        "institution_name": "邢台技师学院",
        "province_code": "13",
        "level": Level.THREE,
        "major": "01",
        "starts_on": date(2026, 4, 13),
        "ends_on": date(2026, 4, 24),
        "class_hours": 80,
        "place": "实训楼 301",
        "teacher_id": "b" * 24,
        "teacher_name": "钱试乙",
        "teacher_unit": "示例市技师学院",
        "kind": Kind.TEACHING,
        "message": "",
        "sent_at": SENT,
        "reply_by": rules.end_of(date(2026, 3, 23)),
        "remind_at": None,
        "history": [],
    }
    return Invitation(**(fields | changes))


async def test_the_letter_says_who_asks_whom_for_what_when_where_and_until_when() -> None:
    printed = text_of(await letter.pdf(an_invitation(message="食宿由我院统一安排。")))
    for words in (
        "尊敬的钱试乙老师",
        "“2026年4月三级教师培训班”",
        "工学一体化三级教师培训",
        "机械类",
        "2026年4月13日至2026年4月24日",
        "80 课时",
        "实训楼 301",
        "授课教师",
        "共同设计制订培训方案",
        "食宿由我院统一安排。",
        "最迟于2026年3月23日",
        "邢台技师学院",
        "2026年3月16日",
    ):
        assert words in printed.replace("\n", ""), words
    assert printed.index("尊敬的") < printed.index("专此函邀") < printed.rindex("邢台技师学院")


async def test_an_assessor_is_asked_to_be_fair_and_not_to_teach() -> None:
    printed = text_of(await letter.pdf(an_invitation(kind=Kind.ASSESSMENT)))
    assert "考核教师" in printed and "公平公正" in printed and "承担教学准备与授课" not in printed


async def test_a_class_of_one_day_names_the_day_once() -> None:
    day = date(2026, 4, 13)
    assert letter.letter_of(an_invitation(ends_on=day)).facts[2] == ("培训时间", "2026年4月13日")


async def test_it_is_one_page_of_a4_kept_as_pdf_a_and_the_same_each_time() -> None:
    one = an_invitation(
        message="请承担课程考核实施部分。" * 25, class_name="名称很长的培训班" * 7, place="实训楼" * 33
    )
    assert len(one.message) == 300
    printed = await letter.pdf(one)
    [page] = open_pdf(printed).pages
    assert (round(page.mediabox.width), round(page.mediabox.height)) == (595, 842)
    assert b"pdfaid" in printed and printed == await letter.pdf(one)


async def test_what_is_typed_into_it_is_text_and_never_typst() -> None:
    printed = text_of(await letter.pdf(an_invitation(message="#panic() *粗* $x$ \\ @a <b>")))
    assert "#panic() *粗* $x$ \\ @a <b>" in printed


async def test_a_character_that_no_font_has_is_named_and_not_printed_as_a_box() -> None:
    with pytest.raises(PaperLacksCharacter):
        await letter.pdf(an_invitation(teacher_name="钱\U000f0000乙"))


async def test_a_template_that_typst_refuses_is_a_failure_of_ours(tmp_path: Any) -> None:
    broken = tmp_path / "broken.typ"
    broken.write_text("#unknown-thing")
    with pytest.raises(PaperFailed) as failed:
        await paper.render(broken, {})
    assert failed.value.status == 500
