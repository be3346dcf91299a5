"""The invitations of a class and the letter in a real browser."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from admin.handlers.invitations import PoolQuery
from server.classes.documents import TrainingClass
from server.classes.rules import Kind
from server.institutions.rules import Level
from server.invitations import letter, rules
from server.invitations.documents import Invitation
from server.invitations.recommendation import Candidate
from server.invitations.rules import Action, Engagement, State
from server.kernel.history import Step
from tests.admin.front_end import layout_context, list_context, show
from tests.browser.conftest import assert_accessible, assert_fits

pytestmark = pytest.mark.browser

NOON = datetime(2026, 3, 18, 4, tzinfo=UTC)
CLASS = TrainingClass(
    institution_code="009",
    institution_name="邢台技师学院",
    province_code="13",
    name="2026年4月三级教师培训班",
    level=Level.THREE,
    major="01",
    courses=["工学一体化课程教学实施"],
    class_hours=80,
    starts_on=date(2026, 4, 13),
    ends_on=date(2026, 4, 24),
    place="邢台技师学院实训楼 301",
    opened_at=NOON,
)
OTHER_CLASS = Engagement(
    "c" * 24, "机械类二级教师培训班（第三期）", Kind.TEACHING, date(2026, 4, 20), date(2026, 4, 30)
)


def invitation(
    number: int, name: str, kind: Kind, state: State, action: Action, reason: str = ""
) -> Invitation:
    sent = NOON - timedelta(days=2)
    history = [Step(at=sent, actor_id="a", actor_name="邢试丁", action=Action.SEND)]
    if action is not Action.SEND:
        history.append(Step(at=NOON, actor_id="b", actor_name=name, action=action, reason=reason))
    return Invitation(
        id=f"{number:024x}",
        class_id=CLASS.id,
        class_name=CLASS.name,
        institution_code="009",
        institution_name="邢台技师学院",
        province_code="13",
        level=CLASS.level,
        major=CLASS.major,
        starts_on=CLASS.starts_on,
        ends_on=CLASS.ends_on,
        class_hours=80,
        place=CLASS.place,
        teacher_id=f"b{number:023x}",
        teacher_name=name,
        teacher_unit="承德市高级技工学校",
        kind=kind,
        message="希望您承担《工学一体化课程考核实施》部分，食宿由我院统一安排。",
        state=state,
        sent_at=sent,
        reply_by=rules.end_of(date(2026, 3, 23)),
        remind_at=None,
        history=history,
    )


INVITATIONS = [
    invitation(1, "钱试乙", Kind.TEACHING, State.SENT, Action.SEND),
    invitation(2, "孙试丙", Kind.ASSESSMENT, State.ACCEPTED, Action.ACCEPT),
    invitation(
        3, "李试丁", Kind.TEACHING, State.DECLINED, Action.DECLINE, "四月在外省学习，不能到校，十分抱歉。"
    ),
]


def candidate(number: int, name: str, teaching: int, clashing: list[Engagement], **more: Any) -> Candidate:
    same_province = more.pop("same_province", True)
    reasons = rules.reasons(
        year=2026,
        begun=True,
        required=2,
        teaching=(teaching, 0),
        assessment=(1, 0),
        major="机械类",
        same_province=same_province,
        wished=number == 1,
        cancelled=False,
        clashing=clashing,
    )
    return Candidate(
        person_id=f"{number:024x}",
        name=name,
        work_unit="河北省示例市工业机械高级技工学校" if number % 2 else "示例市技师学院",
        id_number_masked="132***********4321",
        province_code="13" if same_province else "32",
        teaching=teaching,
        assessment=1,
        clashing=clashing,
        invited=more.pop("invited", []),
        reasons=reasons,
    )


CANDIDATES = [
    candidate(1, "周试戊", 0, []),
    candidate(2, "吴试己", 1, [], same_province=False, invited=[Kind.TEACHING]),
    candidate(3, "郑试庚", 2, []),
    candidate(4, "王试辛", 0, [OTHER_CLASS]),
]


def show_tab(page: Page, **changes: Any) -> None:
    context: dict[str, Any] = {
        "training_class": CLASS,
        "tab": "invitations",
        "today": date(2026, 3, 18),
        "invitations": INVITATIONS,
        "called": {one.teacher_id: one.teacher_name for one in INVITATIONS},
        "now": NOON,
        "may_send": True,
        "candidates": CANDIDATES,
        "most": 30,
        "query": PoolQuery(),
        "filters": list_context([], PoolQuery(), NOON)["filters"],
        "kinds": [(kind.value, kind.label) for kind in Kind],
        "wrong": "",
        "problem": None,
        "errors": {},
        "values": {},
    }
    show(page, "invitations/class.html", layout_context(**(context | changes)))


def test_the_tab_shows_who_was_invited_and_whom_to_ask_next(page: Page) -> None:
    show_tab(page)
    expect(page.get_by_text("四月在外省学习")).to_be_visible()
    expect(
        page.get_by_text("与已接受的“机械类二级教师培训班（第三期）”（4月20日至4月30日）时间冲突")
    ).to_be_visible()
    expect(page.get_by_label("王试辛")).to_be_disabled()
    assert_accessible(page)
    assert_fits(page)


def test_the_form_names_those_who_were_ticked_and_waits_until_somebody_is(page: Page) -> None:
    show_tab(page)
    form = page.get_by_role("form", name="发邀请函")
    expect(form).to_contain_text("还没有勾选教师")
    expect(form.get_by_role("button", name="发出邀请函")).to_be_disabled()
    page.get_by_label("周试戊").check()
    page.get_by_label("郑试庚").check()
    expect(form).to_contain_text("向 2 位教师发出邀请函：周试戊、郑试庚")
    expect(form.get_by_role("button", name="发出邀请函")).to_be_enabled()
    sent = page.evaluate(
        "(form => [form.getAll('teacher_ids'), form.getAll('kinds')])(new FormData(document.getElementById('invite')))"
    )
    both = [kind.value for kind in Kind]
    assert sent == [[CANDIDATES[0].person_id, CANDIDATES[2].person_id], both]


def test_withdrawing_is_confirmed_with_a_reason(page: Page) -> None:
    show_tab(page)
    page.locator("summary[aria-label$=更多操作]").first.click()
    page.get_by_role("button", name="撤回").first.click()
    dialog = page.get_by_role("alertdialog", name="撤回给钱试乙老师的邀请？")
    expect(dialog).to_contain_text("对方会看到理由")
    assert_accessible(page)


@pytest.mark.parametrize("words", ["还没有邀请骨干教师", "没有符合条件的骨干教师"])
def test_an_empty_tab_says_what_to_do(page: Page, words: str) -> None:
    show_tab(page, invitations=[], candidates=[])
    expect(page.get_by_text(words)).to_be_visible()
    assert_accessible(page)
    assert_fits(page)


def show_letter(page: Page, one: Invitation) -> None:
    context = {
        "training_class": CLASS,
        "tab": "invitations",
        "today": date(2026, 3, 18),
        "invitation": one,
        "state": one.state,
        "letter": letter.letter_of(one),
    }
    show(page, "invitations/letter.html", layout_context(**context))


def test_the_letter_reads_as_a_letter_and_fits_its_screen(page: Page) -> None:
    show_letter(page, INVITATIONS[0])
    paper = page.get_by_role("article", name="邀请函")
    expect(paper).to_contain_text("尊敬的钱试乙老师")
    expect(paper).to_contain_text("最迟于2026年3月23日")
    expect(page.get_by_role("link", name="下载 PDF")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)


def test_printed_the_letter_stands_alone(wide_page: Page) -> None:
    show_letter(wide_page, INVITATIONS[0])
    wide_page.emulate_media(media="print")
    expect(wide_page.get_by_role("article", name="邀请函")).to_be_visible()
    for chrome in ("header.topbar", "nav.sidebar", ".page-head", ".page-foot", ".rail"):
        expect(wide_page.locator(chrome).first).to_be_hidden()
