"""The pages of certificates in a real browser, on an office screen and on a phone: what staff confirm, and what the public sees."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from bson.binary import Binary
from playwright.sync_api import Page, expect

from admin.handlers.certificates import LedgerQuery
from server.accounts.fictional import make_person
from server.accounts.rules import mask_id_number
from server.certificates.documents import Certificate, SealedSnapshot
from server.certificates.issue import Candidate, ClassCertificates
from server.certificates.rules import Asked
from server.certificates.verify import paper
from server.classes.documents import Enrolment, TrainingClass
from server.institutions.rules import Level
from server.kernel.folding import folded
from server.reissues.history import AfterIssue, Event
from tests.admin.front_end import allowed, layout_context, list_context, show, signed_out_context
from tests.browser.conftest import assert_accessible, assert_fits
from tests.printed import a_snapshot

pytestmark = pytest.mark.browser

NOON = datetime(2026, 12, 2, 4, 0, tzinfo=UTC)
NO_ERRORS: dict[str, Any] = {"problem": None, "errors": {}, "values": {}, "wrong": ""}
CLASS = TrainingClass(
    institution_code="009",
    institution_name="邢台技师学院",
    province_code="13",
    name="2026年11月三级教师培训班",
    level=Level.THREE,
    major="03",
    courses=["工学一体化课程教学实施", "教学场所使用管理"],
    class_hours=80,
    starts_on=date(2026, 11, 20),
    ends_on=date(2026, 11, 30),
    place="实训楼 301",
    opened_at=NOON,
    results_released_at=NOON,
)


def certificate(order: int = 1, **changes: Any) -> Certificate:
    snapshot = a_snapshot(order=order)
    printed = SealedSnapshot(
        **snapshot.model_dump(exclude={"id_number"}),
        id_number=Binary(b"sealed", 6),  # never opened here
        id_number_masked=mask_id_number(snapshot.id_number),
    )
    fields: dict[str, Any] = {
        "class_id": CLASS.id,
        "person_id": "0" * 24,
        "institution_code": "009",
        "province_code": "13",
        "printed": printed,
        "folded_name": folded(printed.name),
        "token": "8sK2mQ0vX4bTn7Yw3ZcLpA",
        "issued_at": NOON,
        "issued_by": "邢试丁",
    }
    return Certificate(**(fields | changes))


REVOKED = certificate(
    2, status="REVOKED", revoked_at=NOON, revoked_by="邢试丁", revoke_reason="姓名登记有误，按本人申请撤销"
)


def candidate(seed: int, *obstacles: str, holds: Certificate | None = None) -> Candidate:
    person = make_person(seed)
    enrolled = Enrolment(
        class_id=CLASS.id,
        institution_code="009",
        province_code="13",
        person_id=f"{seed:024}",
        name=person.name,
        id_number_masked=mask_id_number(person.id_number),
        work_unit="示例市技师学院",
        post="讲师",
        major_taught="数控加工",
        enrolled_at=NOON,
    )
    return Candidate(enrolled, tuple(Asked(False, one) for one in obstacles), holds)


def class_page(page: Page, **changes: Any) -> None:
    seen = ClassCertificates(
        CLASS,
        [
            candidate(1, holds=certificate()),
            candidate(2, holds=REVOKED),
            candidate(3),
            candidate(4, "未通过考核", "出勤不足"),
        ],
        changes.pop("hindrance", ""),
        left=999,
    )
    context = {
        "training_class": CLASS,
        "tab": "certificates",
        "seen": seen,
        "may": allowed("certificates:issue"),
    }
    show(
        page,
        "certificates/class.html",
        layout_context(today=date(2026, 12, 2), **(context | NO_ERRORS | changes)),
    )


def test_the_way_through_the_class_is_folded_on_a_phone_and_opens_by_keyboard(phone_page: Page) -> None:
    class_page(phone_page)
    page = phone_page.get_by_role("navigation", name="培训班的环节").get_by_role("link", name="证书")
    expect(page).to_have_count(0)
    phone_page.locator(".rail-fold > summary").press("Enter")
    expect(page).to_have_attribute("aria-current", "page")
    assert_accessible(phone_page)
    assert_fits(phone_page)


def after_issue(shown: Certificate) -> AfterIssue:
    issued = Event(NOON, f"核发，序列号 {shown.printed.serial}", shown.printed.number, shown.issued_by)
    return AfterIssue(
        [issued],
        None,
        None,
        None,
        False,
        True,
        99_990,
        12,
        True,
        date(2026, 12, 9),
        ["机械类", "信息类"],
    )


def one_page(page: Page, shown: Certificate, **changes: Any) -> None:
    context = {
        "certificate": shown,
        "paper": paper(shown),
        "verify_url": f"https://platform.test/verify/{shown.token}",
        "entries": [],
        "sheet": None,
        "handover": None,
        "doubts": {},
        "after": after_issue(shown),
        "may": allowed("certificates:issue", "certificates:revoke", "reissues:manage"),
    }
    show(page, "certificates/one.html", layout_context(**(context | NO_ERRORS | changes)))


def test_issuing_is_confirmed_with_what_will_be_printed(page: Page) -> None:
    class_page(page)
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("button", name="核发 1 张证书").click()
    dialog = page.get_by_role("alertdialog", name="核发 1 张证书？")
    expect(dialog).to_be_visible()
    for words in ("工学一体化三级教师培训", "2026年11月20日至2026年11月30日", "邢台技师学院", "不能收回"):
        expect(dialog).to_contain_text(words)
    assert_accessible(page)


def test_without_the_qualification_the_page_says_so_and_offers_nothing(wide_page: Page) -> None:
    class_page(wide_page, hindrance="本机构的教师培训基地资格状态为“暂停”。")
    expect(wide_page.get_by_text("现在不能核发本班证书")).to_be_visible()
    expect(wide_page.get_by_role("button", name="核发")).to_have_count(0)


def test_revoking_waits_for_the_number_and_the_reason(page: Page) -> None:
    shown = certificate()
    one_page(page, shown)
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("button", name="撤销证书").click()
    dialog = page.get_by_role("alertdialog")
    submit = dialog.get_by_role("button", name="撤销证书")
    expect(submit).to_be_disabled()
    assert_accessible(page)
    dialog.get_by_label("请输入").fill(shown.printed.number)
    expect(submit).to_be_enabled()
    expect(dialog.get_by_label("撤销理由")).to_have_attribute("required", "")


def test_a_revoked_certificate_is_shown_with_its_reason_and_no_buttons(page: Page) -> None:
    one_page(page, REVOKED)
    assert_accessible(page)
    assert_fits(page)
    expect(page.get_by_text("姓名登记有误，按本人申请撤销").first).to_be_visible()
    expect(page.get_by_role("link", name="下载 PDF")).to_have_count(0)


def test_the_ledger_is_accessible_and_fits(page: Page) -> None:
    context = list_context(
        [REVOKED, certificate()],
        LedgerQuery(),
        NOON,
        next="/admin/certificates?way=" + "0" * 24,
        institutions=[("009", "009 邢台技师学院")],
    )
    show(page, "certificates/ledger.html", layout_context(**context))
    assert_accessible(page)
    assert_fits(page)
    expect(page.get_by_text("已撤销")).to_be_visible()


@pytest.mark.parametrize("missed", [True, False])
def test_the_public_query_is_accessible_and_tells_what_to_do(page: Page, missed: bool) -> None:
    context = signed_out_context(found=[], missed=missed, ticket=None, level=0, **NO_ERRORS)
    show(page, "certificates/query.html", context)
    assert_accessible(page)
    assert_fits(page)
    for label in ("姓名", "身份证号", "证书编号"):
        expect(page.get_by_label(label, exact=True)).to_be_visible()
    expect(page.get_by_text("没有查到相符的证书")).to_have_count(1 if missed else 0)


def test_several_certificates_of_one_person_are_listed(page: Page) -> None:
    found = [paper(certificate()), paper(REVOKED)]
    show(
        page,
        "certificates/query.html",
        signed_out_context(found=found, missed=False, ticket=None, level=0, **NO_ERRORS),
    )
    assert_accessible(page)
    assert_fits(page)
    expect(page.get_by_text("共查到 2 张证书")).to_be_visible()
    expect(page.get_by_role("region", name="证书内容")).to_have_count(2)


@pytest.mark.parametrize("shown", [certificate(), REVOKED, None], ids=["valid", "revoked", "missing"])
def test_the_verification_page_says_its_verdict_first(page: Page, shown: Certificate | None) -> None:
    found = paper(shown) if shown else None
    show(page, "certificates/verify.html", signed_out_context(certificate=found, checked_at=NOON))
    assert_accessible(page)
    assert_fits(page)
    verdict = {"VALID": "证书有效", "REVOKED": "证书已撤销", None: "查无此证"}[
        found.status if found else None
    ]
    expect(page.get_by_role("heading", level=1)).to_have_text(verdict)
    if found:
        for words in (found.name, found.id_number_masked, found.number, found.serial, *found.courses):
            expect(page.get_by_role("region", name="证书内容")).to_contain_text(words)
