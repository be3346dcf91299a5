"""Recommendations, institutions, corrections and the life of a class in a real browser, on an office screen and on a phone."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from admin.handlers.corrections import CorrectionQuery
from admin.handlers.recommendations import PURPOSES, RequestQuery
from admin.lists import Query
from admin.options import MAJOR_OPTIONS
from server.audit_told import Told
from server.classes.documents import ClassTeacher, TrainingClass
from server.classes.rules import Stage
from server.classes.service import CurrentClass
from server.corrections.documents import Change, Correction
from server.corrections.rules import Action as CorrectionAction
from server.corrections.rules import Ground, Subject
from server.corrections.rules import State as CorrectionState
from server.institutions.documents import BaseRequest, Institution, QualificationVersion
from server.institutions.requests import Proposal
from server.institutions.rules import (
    Level,
    Qualification,
    QualificationAction,
    QualificationKind,
    RequestAction,
    RequestPurpose,
    RequestState,
    possible_actions,
)
from server.interruptions.service import ChangesOfClass
from server.kernel.history import Step
from server.kernel.life import LifeStep
from server.persons.service import Opens
from server.progress.desk import Line, Next, Urged
from server.progress.known import Owner, Phase
from tests.admin.front_end import allowed, layout_context, list_context, show
from tests.browser.conftest import assert_accessible, assert_looks_right

pytestmark = pytest.mark.browser

NOON = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
TODAY = date(2026, 11, 2)
NO_ERRORS: dict[str, Any] = {"problem": None, "errors": {}, "values": {}, "wrong": ""}
REASON = "该校现有数控加工、电气自动化等专业实训中心，近三年承担省级师资培训 12 期，骨干教师 6 名。" * 2


def taken(action: str, who: str, reason: str = "", days: int = 0) -> Step:
    return Step(at=NOON + timedelta(days=days), actor_id="x", actor_name=who, action=action, reason=reason)


CLASS = TrainingClass(
    institution_code="009",
    institution_name="邢台技师学院",
    province_code="13",
    name="2026年11月机械类三级教师培训班",
    level=Level.THREE,
    major="01",
    courses=["工学一体化课程教学实施", "工学一体化课程考核实施"],
    class_hours=80,
    starts_on=date(2026, 10, 20),
    ends_on=date(2026, 11, 30),
    place="实训楼 301",
    teachers=[ClassTeacher(person_id="a" * 24, name="钱试乙")],
    opened_at=NOON,
)


def request(purpose: RequestPurpose, state: RequestState = RequestState.SUBMITTED) -> BaseRequest:
    history = [taken(RequestAction.SUBMIT, "冀试乙")]
    if state is RequestState.DECLINED:
        history.append(taken(RequestAction.DECLINE, "部试甲", "请补充信息类专业的实训条件。", days=3))
    return BaseRequest(
        purpose=purpose,
        province_code="13",
        institution_code=None if purpose is RequestPurpose.NEW_BASE else "009",
        institution_name="河北示例技师学院" if purpose is RequestPurpose.NEW_BASE else "邢台技师学院",
        qualification_number=None if purpose.grants else 1,
        majors=["01", "02", "03"] if purpose.grants else [],
        reason=REASON,
        state=state,
        history=history,
        submitted_at=NOON,
    )


def review(found: BaseRequest, *, centre: bool) -> dict[str, Any]:
    submitted = found.state is RequestState.SUBMITTED
    return layout_context(
        request=found,
        case=None,
        held=""
        if found.purpose.grants
        else "教师培训基地（2026-01-01 至 2028-12-31，有效）：机械类、电工电子类",
        affected=[] if found.purpose.grants else [CLASS],
        proposal=Proposal("052", TODAY, date(2029, 11, 1)),
        majors=[(code, text) for code, text in MAJOR_OPTIONS if code in found.majors],
        may_review=submitted and centre,
        may_amend=not submitted and not centre,
        may_retract=not centre,
        today=TODAY,
        **NO_ERRORS,
    )


def list_page(rows: list[Any], query: Query, **more: Any) -> dict[str, Any]:
    return layout_context(**NO_ERRORS | list_context(rows, query, NOON) | more)


def institution() -> Institution:
    first = Qualification(
        kind=QualificationKind.TRAINING_BASE,
        majors=tuple(code for code, _ in MAJOR_OPTIONS),
        valid_from=date(2026, 1, 1),
        valid_to=date(2028, 12, 31),
    )
    confirmed = first.model_copy(update={"majors": ("01", "02")})
    star = Qualification(kind=QualificationKind.TRAINING_CENTRE, majors=("01",), valid_from=date(2026, 1, 1))

    def version(number: int, action: QualificationAction, after: Qualification) -> QualificationVersion:
        step = taken(action, "部试甲", "中心〔2026〕1 号")
        return QualificationVersion(
            **step.model_dump(), number=number, effective_on=date(2026, 1, 1), before=None, after=after
        )

    return Institution(
        id="009",
        institution_code="009",
        province_code="13",
        name="邢台技师学院",
        qualifications=[confirmed, star],
        to_confirm=True,
        versions=[
            version(1, QualificationAction.ENTER, first),
            version(1, QualificationAction.CONFIRM, confirmed),
            version(2, QualificationAction.PUBLISH, star),
        ],
    )


def correction(state: CorrectionState) -> Correction:
    history = [taken(CorrectionAction.REQUEST, "邢试丁")]
    if state is CorrectionState.RETURNED:
        history.append(taken(CorrectionAction.RETURN, "冀试乙", "请写明房间号。"))
    if state is CorrectionState.APPROVED:
        history.append(taken(CorrectionAction.APPROVE, "冀试乙"))
    return Correction(
        subject=Subject.CLASS,
        institution_code="009",
        institution_name=CLASS.institution_name,
        province_code="13",
        level=CLASS.level,
        class_id=CLASS.id,
        about=CLASS.name,
        thing=CLASS.id,
        changes=[
            Change(field="place", title="培训地点", before="实训楼 301", after="黄山风景区图书馆 201"),
            Change(field="ends_on", title="结束日期", before="2026-11-27", after="2026-11-30"),
        ],
        reason="实训楼检修，改到图书馆；课时顺延。",
        state=state,
        history=history,
        submitted_at=NOON,
    )


def correction_page(state: CorrectionState) -> dict[str, Any]:
    found = correction(state)
    return layout_context(
        correction=found,
        opens=Opens(the_class=True, person=True),
        outside=2 if state is CorrectionState.SUBMITTED else 0,
        may_review=state is CorrectionState.SUBMITTED,
        may_amend=state is CorrectionState.RETURNED,
        may_retract=state is CorrectionState.RETURNED,
        today=TODAY,
        **NO_ERRORS,
    )


HOME = f"/admin/classes/{CLASS.id}"
LIFE = {
    Phase.PREPARE: [
        LifeStep(
            "培训计划", "done", "冀试乙", NOON - timedelta(days=300), "/admin/plans/1", "2026 年第 1 版"
        ),
        LifeStep("邀请", "done", "钱试乙", NOON - timedelta(days=50), f"{HOME}/invitations"),
        LifeStep("培训方案", "done", "冀试乙", NOON - timedelta(days=40), f"{HOME}/scheme", "第 2 版"),
    ],
    Phase.ENROL: [LifeStep("名册", "done", "", NOON - timedelta(days=20), f"{HOME}/roster", "50 人")],
    Phase.TEACH: [
        LifeStep("开课", "current", "邢试丁", NOON - timedelta(days=13), f"{HOME}/sessions", "24 次课")
    ],
    Phase.ASSESS: [
        LifeStep("考核", "current", "钱试乙", NOON - timedelta(days=1), f"{HOME}/tasks", "3 项任务"),
        LifeStep("成绩", "todo", href=f"{HOME}/results"),
    ],
    Phase.CLOSE: [LifeStep("证书", "todo", href=f"{HOME}/certificates")],
}


def waiting(owner: Owner, title: str, due: date, path: str) -> Next:
    who = "邢台技师学院" if owner is Owner.INSTITUTION else "河北省（省级管理部门）"
    since, key = TODAY - timedelta(days=9), f"class:{CLASS.id}:step"
    line = Line(title, CLASS.name, f"{HOME}{path}", owner, who, since, due, due < TODAY, key=key)
    own = owner is Owner.INSTITUTION
    return Next(replace(line, may_be_urged=not own, urged=None if own else Urged(2, TODAY, "部试甲")), own)


def class_page() -> dict[str, Any]:
    return layout_context(
        training_class=CLASS,
        tab="overview",
        application=None,
        glance=CurrentClass(CLASS, 50, Stage.ONGOING, None),
        waits=[
            waiting(Owner.INSTITUTION, "3 次课的授课教师已不在本班", TODAY, "/sessions/teachers"),
            waiting(Owner.PROVINCE, "审核培训班变更：延期", TODAY - timedelta(days=4), "#changes"),
        ],
        sessions=[],
        teachers=[(CLASS.teachers[0], None)],
        life=LIFE,
        corrections=[correction(CorrectionState.APPROVED)],
        befell=ChangesOfClass(CLASS, [], []),
        may=allowed("corrections:request", "classes:manage", "attendance:manage"),
        history=[Told("1", NOON, "邢试丁", "确认导入名册", "导入 50 人", CLASS.id, True)],
        today=TODAY,
    )


def form_page(purpose: RequestPurpose) -> dict[str, Any]:
    return layout_context(
        purpose=purpose,
        purposes=PURPOSES,
        code="" if purpose.grants else "009",
        number=None if purpose.grants else 1,
        schools=[("009", "009 邢台技师学院")],
        bases=[(1, "教师培训基地（2026-01-01 至 2028-12-31，有效）：机械类、电工电子类")],
        majors=MAJOR_OPTIONS,
        amended=None,
        today=TODAY,
        **NO_ERRORS,
    )


INSTITUTION_PAGE: dict[str, Any] = {
    "institution": institution(),
    "levels": [Level.TWO, Level.THREE],
    "corrections": [],
    "cases": [],
    "warnings": [],
    "actions": possible_actions,
    "may": allowed("accounts:allocate", "institutions:decide"),
    "today": TODAY,
}
PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "review of a new base": (
        "recommendations/one.html",
        review(request(RequestPurpose.NEW_BASE), centre=True),
    ),
    "review of a withdrawal": (
        "recommendations/one.html",
        review(request(RequestPurpose.WITHDRAWAL), centre=True),
    ),
    "declined": (
        "recommendations/one.html",
        review(request(RequestPurpose.NEW_BASE, RequestState.DECLINED), centre=False),
    ),
    "recommendation": ("recommendations/form.html", form_page(RequestPurpose.NEW_BASE)),
    "request of a withdrawal": ("recommendations/form.html", form_page(RequestPurpose.WITHDRAWAL)),
    "list of requests": (
        "recommendations/list.html",
        list_page([request(purpose) for purpose in RequestPurpose], RequestQuery()),
    ),
    "institution": ("institutions/one.html", layout_context(**INSTITUTION_PAGE)),
    "institution by its province": (
        "institutions/one.html",
        layout_context(**INSTITUTION_PAGE | {"may": allowed("accounts:allocate", "institutions:recommend")}),
    ),
    "confirmation": (
        "institutions/confirm.html",
        layout_context(
            institution=institution(),
            held=institution().qualifications[0],
            number=1,
            majors=MAJOR_OPTIONS,
            today=TODAY,
            **NO_ERRORS,
        ),
    ),
    "publication": (
        "institutions/publish.html",
        layout_context(
            school="new",
            schools=[("009", "009 邢台技师学院")],
            proposal=Proposal("052", TODAY, date(2029, 11, 1)),
            provinces=[("13", "河北")],
            majors=MAJOR_OPTIONS,
            today=TODAY,
            **NO_ERRORS,
        ),
    ),
    "suspension": (
        "institutions/decide.html",
        layout_context(
            institution=institution(),
            held=institution().qualifications[1],
            number=2,
            action=QualificationAction.SUSPEND,
            classes=[CLASS],
            today=TODAY,
            **NO_ERRORS,
        ),
    ),
    "a hearing": (
        "institutions/decide.html",
        layout_context(
            institution=institution(),
            held=institution().qualifications[1],
            number=2,
            action=QualificationAction.WITHDRAW,
            classes=[CLASS],
            today=TODAY,
            **NO_ERRORS,
        ),
    ),
    "correction to review": ("corrections/one.html", correction_page(CorrectionState.SUBMITTED)),
    "correction returned": ("corrections/one.html", correction_page(CorrectionState.RETURNED)),
    "correction of a name": (
        "corrections/form.html",
        layout_context(
            subject=Subject.TRAINEE,
            about="赵试甲（130***********1234），2026年11月机械类三级教师培训班",
            wanted={"name": "赵试甲"},
            earlier=None,
            grounds=[(ground.value, ground.label) for ground in Ground],
            back="/a",
            today=TODAY,
            **NO_ERRORS,
        ),
    ),
    "list of corrections": (
        "corrections/list.html",
        list_page(
            [correction(state) for state in CorrectionState],
            CorrectionQuery(),
            may=allowed("corrections:request"),
            reviewable=set(),
        ),
    ),
    "life of a class": ("classes/overview.html", class_page()),
}


@pytest.mark.parametrize("name", PAGES)
def test_each_page_is_accessible_and_fits_its_screen(wide_page: Page, name: str) -> None:
    show(wide_page, *PAGES[name])
    assert_looks_right(wide_page)


def test_the_centre_declines_only_with_a_reason(page: Page) -> None:
    show(page, *PAGES["review of a new base"])
    page.get_by_role("button", name="不予核准").first.click()
    dialog = page.get_by_role("alertdialog", name="不予核准？")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_label("理由")).to_have_attribute("required", "")
    assert_accessible(page)


def test_the_phases_of_a_class_fold_out_by_keyboard_and_say_where_it_stands(page: Page) -> None:
    show(page, *PAGES["life of a class"])
    rail = page.get_by_role("navigation", name="培训班的环节")
    expect(rail.locator("summary[aria-current=step]")).to_contain_text("教学")
    expect(rail.get_by_role("link", name=re.compile(r"课次签到\s*：进行中"))).to_be_visible()
    closing = rail.get_by_role("link", name=re.compile(r"证书\s*：未开始"))
    expect(closing).to_be_hidden()
    rail.locator("summary").last.press("Enter")
    expect(closing).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(closing).to_be_focused()
    assert_accessible(page)
    expect(page.get_by_text("接下来由您办理")).to_be_visible()
    expect(page.get_by_role("link", name="去办理")).to_have_attribute("href", f"{HOME}/sessions/teachers")
    expect(page.get_by_text("已逾期")).to_be_visible()


def test_the_head_of_a_class_stays_in_view_and_hides_no_field(wide_page: Page) -> None:
    show(wide_page, *PAGES["life of a class"])
    wide_page.evaluate("scrollTo({top: 4000, behavior: 'instant'})")
    expect(wide_page.get_by_role("heading", level=1)).to_be_in_viewport(ratio=1)
    wide_page.locator(".rail").get_by_role("link", name="资料").click()
    head = wide_page.locator(".page-head").bounding_box()
    facts = wide_page.locator("#facts").bounding_box()
    assert head is not None and facts is not None and facts["y"] >= head["y"] + head["height"]


def test_before_and_after_stand_side_by_side(page: Page) -> None:
    show(page, *PAGES["correction to review"])
    row = page.get_by_role("row").filter(has_text="培训地点")
    expect(row).to_contain_text("实训楼 301")
    expect(row).to_contain_text("图书馆 201")
