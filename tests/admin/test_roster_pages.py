"""The roster of a class over HTTP: template, upload, preview, confirmation, and the phones of who is on it."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from server.accounts.fictional import roster_of
from server.accounts.speakers import digits_of
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.roster import Column
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admin.browserless import Browser, sign_in
from tests.cast import Person
from tests.examples import examples

XINGTAI = stage.actor(cast.XINGTAI_OFFICER)


@pytest.fixture
async def opened(platform: Platform) -> TrainingClass:
    return await stage.open_class(platform, XINGTAI, stage.class_draft())


@pytest.fixture
async def browser(platform: Platform, site: str) -> Browser:
    return await sign_in(platform, site, cast.XINGTAI_OFFICER)


def roster_page(opened: TrainingClass) -> str:
    return f"/admin/classes/{opened.id}/roster"


def sheet(content: bytes) -> list[tuple[Any, ...]]:
    return list(openpyxl.load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(values_only=True))


async def test_a_roster_goes_from_the_template_over_the_preview_into_the_class(
    browser: Browser, opened: TrainingClass
) -> None:
    home = roster_page(opened)
    template = openpyxl.load_workbook(io.BytesIO((await browser.get(f"{home}/template")).body))
    for row, one in enumerate([cast.TRAINEE, cast.SECOND_TRAINEE, cast.TRAINEE_WITH_A_DOT], start=2):
        template["名册"].cell(row, 1, one.name)
        template["名册"].cell(row, 2, one.id_number)
    filled = io.BytesIO()
    template.save(filled)
    answer = await browser.upload(home, "file", "三级班名册.xlsx", filled.getvalue())
    assert answer.status == 303
    preview = await browser.get(answer.location)
    assert "确认导入 3 人" in preview.text and "三级班名册.xlsx" in preview.text
    assert cast.TRAINEE.id_number not in preview.html
    assert "名册还是空的" in (await browser.get(home)).text
    assert "有一份名册还没有确认导入" in (await browser.get(home)).text
    done = await browser.post(answer.location)
    assert (done.status, done.location) == (303, home)
    listed = await browser.get(home)
    assert "已导入 3 名学员" in listed.text and "古丽·试例" in listed.text and "与名册一致" in listed.text
    assert cast.TRAINEE.id_number not in listed.html


async def test_each_problem_is_shown_at_its_row_and_the_roster_cannot_be_confirmed(
    browser: Browser, opened: TrainingClass
) -> None:
    wrong = Person("虚构人", cast.STRANGER.id_number[:17] + "*", "1380", "示例市技师学院")
    content = roster_of([cast.TRAINEE, wrong, cast.TRAINEE])
    answer = await browser.upload(roster_page(opened), "file", "名册.xlsx", content)
    preview = await browser.get(answer.location)
    assert "名册有问题，整份都没有导入" in preview.text and "确认导入" not in preview.text
    for words in ("第 3 行 B 列 身份证号 虚构人", "第 3 行 E 列 手机号", "与第 2 行是同一个身份证号"):
        assert words in preview.text
    refused = await browser.post(answer.location)
    assert refused.status == 409 and "整份名册未导入" in refused.text
    assert "名册还是空的" in (await browser.get(roster_page(opened))).text


async def test_a_confirmation_sent_twice_leads_to_the_roster_both_times(
    browser: Browser, opened: TrainingClass
) -> None:
    content = roster_of([cast.TRAINEE])
    preview = await browser.upload(roster_page(opened), "file", "名册.xlsx", content)
    for _ in range(2):
        answer = await browser.post(preview.location)
        assert (answer.status, answer.location) == (303, roster_page(opened))
    again = await browser.get(preview.location)
    assert (again.status, again.location) == (303, roster_page(opened))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "文件是空的"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "旧格式"),
        ("姓名,身份证号\n".encode(), "文本文件"),
        (b"PK\x03\x04 not a workbook", "已损坏"),
        (b"PK" + bytes(5 * 2**20), "太大"),
    ],
)
async def test_a_file_that_cannot_be_read_says_why_at_the_field(
    browser: Browser, opened: TrainingClass, content: bytes, words: str
) -> None:
    answer = await browser.upload(roster_page(opened), "file", "名册.xlsx", content)
    assert answer.status == 422 and words in answer.text
    assert 'id="field-file-error"' in answer.html


async def test_without_a_file_the_field_says_so(browser: Browser, opened: TrainingClass) -> None:
    answer = await browser.post(roster_page(opened))
    assert answer.status == 422 and "请先选择名册文件" in answer.text


async def test_a_neighbour_can_neither_see_nor_confirm_a_preview(
    platform: Platform, site: str, browser: Browser, opened: TrainingClass
) -> None:
    content = roster_of([cast.TRAINEE])
    preview = await browser.upload(roster_page(opened), "file", "名册.xlsx", content)
    neighbour = await sign_in(platform, site, cast.YANGZHOU_OFFICER)
    assert (await neighbour.get(preview.location)).status == 404
    assert (await neighbour.post(preview.location)).status == 404
    assert (await neighbour.upload(roster_page(opened), "file", "名册.xlsx", content)).status == 404
    assert await classes.trainees(platform, opened.id) == []


async def test_the_list_of_trainees_leaves_as_a_workbook_with_masked_numbers(
    platform: Platform, browser: Browser, opened: TrainingClass
) -> None:
    await stage.enrol(platform, cast.XINGTAI_OFFICER, opened.id, [cast.TRAINEE, cast.SECOND_TRAINEE])
    answer = await browser.get(f"{roster_page(opened)}/export")
    head, first, second = sheet(answer.body)
    assert head[:3] == ("序号", "姓名", "证件号") and first[:2] == (1, cast.TRAINEE.name)
    assert second[2] == f"{cast.SECOND_TRAINEE.id_number[:3]}***********{cast.SECOND_TRAINEE.id_number[-4:]}"
    assert first[6:] == ("与名册一致", "未绑定")


async def test_a_formula_in_a_name_stays_text_in_the_workbook(
    platform: Platform, browser: Browser, opened: TrainingClass
) -> None:
    nasty = Person(cast.TRAINEE.name, cast.TRAINEE.id_number, "", '=HYPERLINK("http://x.test","单位")')
    await stage.enrol(platform, cast.XINGTAI_OFFICER, opened.id, [nasty])
    answer = await browser.get(f"{roster_page(opened)}/export")
    book = openpyxl.load_workbook(io.BytesIO(answer.body))
    assert book.worksheets[0].cell(2, 4).data_type == "s"


async def test_the_release_of_a_phone_is_asked_for_and_decided_by_who_answers_for_the_person(
    platform: Platform, wechat: Simulator, site: str, browser: Browser, opened: TrainingClass
) -> None:
    [person_id] = await stage.enrol(platform, cast.XINGTAI_OFFICER, opened.id, [cast.TRAINEE])
    await stage.phone(platform, wechat, "openid-lost", cast.TRAINEE)
    home = roster_page(opened)
    dialog = await browser.get(f"{home}/{person_id}/phone/release")
    assert f"解除{cast.TRAINEE.name}的微信绑定" in dialog.text and cast.TRAINEE.id_number not in dialog.html
    without = await browser.post(f"{home}/{person_id}/phone/release")
    assert without.status == 422 and "必填" in without.text
    done = await browser.post(f"{home}/{person_id}/phone/release", {"reason": "核对身份证，学员更换手机"})
    assert done.status == 303
    asked = await browser.get(done.location)
    assert "待办理" in asked.text and f"{done.location}/release" not in asked.html
    assert (await browser.post(f"{done.location}/release", {"seen": "1"})).status == 403
    assert "已绑定" in (await browser.get(home)).text
    again = await browser.post(f"{home}/{person_id}/phone/release", {"reason": "再来一次"})
    assert again.status == 409 and "待办理" in again.text
    province = await sign_in(platform, site, cast.HEBEI_OFFICER)
    assert "解除微信绑定的申请" in (await province.get("/admin")).text
    decided = await province.post(f"{done.location}/release", {"seen": "1"})
    assert (decided.status, decided.location) == (303, done.location)
    assert "未绑定" in (await browser.get(home)).text
    assert (await browser.get(f"{home}/{'0' * 24}/phone/release")).status == 404
    assert "核对身份证，学员更换手机" in (await browser.get(f"/admin/classes/{opened.id}")).text


async def test_a_personal_code_is_shown_once_and_a_phone_is_confirmed_by_the_digits_that_it_shows(
    platform: Platform, wechat: Simulator, browser: Browser, opened: TrainingClass
) -> None:
    [person_id] = await stage.enrol(platform, cast.XINGTAI_OFFICER, opened.id, [cast.TRAINEE])
    home = f"{roster_page(opened)}/{person_id}/phone"
    shown = await browser.post(f"{home}/code")
    [code] = re.findall(r"[2-9A-Z]{4}-[2-9A-Z]{4}", shown.text)
    assert shown.status == 200 and code not in (await browser.get(f"{home}/code")).text
    assert code not in str(await platform["personal_codes"].find_one({}))
    phone = await stage.phone(platform, wechat, "openid-waits", cast.TRAINEE, proved=False)
    assert "待确认" in (await browser.get(roster_page(opened))).text
    wrong = await browser.post(home, {"phone_digits": "000000"})
    assert wrong.status == 422 and "没有" in wrong.text
    done = await browser.post(home, {"phone_digits": digits_of(platform, phone.openid)})
    assert (done.status, done.location) == (303, roster_page(opened))
    assert "已绑定" in (await browser.get(roster_page(opened))).text
    assert (await browser.post(f"{home}/take-back", {"reason": "看错了证件"})).status == 303
    assert "待确认" in (await browser.get(roster_page(opened))).text


# ---- one person on the roster


async def test_one_person_is_added_put_right_and_taken_off_on_the_page(
    platform: Platform, browser: Browser
) -> None:
    april = {"starts_on": "2026-04-13", "ends_on": "2026-04-24"}
    opened = await stage.open_class(platform, XINGTAI, stage.class_draft(**april))
    home = roster_page(opened)
    assert "添加一人" in (await browser.get(home)).text
    wrong = await browser.save(f"{home}/add", {"name": "王5", "id_number": cast.TRAINEE.id_number})
    assert wrong.status == 422 and "王5" in wrong.html and 'id="field-name-error"' in wrong.html
    typed = {"name": cast.TRAINEE.name, "id_number": cast.TRAINEE.id_number, "work_unit": "示例市技师学院"}
    done = await browser.save(f"{home}/add", typed)
    assert (done.status, done.location) == (303, home)
    [one] = await classes.trainees(platform, opened.id)
    listed = await browser.get(home)
    assert "已添加" in listed.text and "移出" in listed.text and "退训" not in listed.text
    form = await browser.get(f"{home}/{one.person_id}/edit")
    assert cast.TRAINEE.name in form.html and cast.TRAINEE.id_number not in form.html
    right = {"name": cast.TRAINEE.name, "work_unit": "示例县职业中学", "id_number": ""}
    assert (await browser.save(f"{home}/{one.person_id}/edit", right)).status == 303
    assert "示例县职业中学" in (await browser.get(home)).text
    dialog = await browser.get(f"{home}/{one.person_id}/remove")
    assert f"移出名册：{cast.TRAINEE.name}？" in dialog.text
    assert (await browser.save(f"{home}/{one.person_id}/remove")).status == 422
    several = await browser.post(f"{home}/remove", {"chosen": [one.person_id], "reason": "本人不来"})
    assert (several.status, several.location) == (303, home)
    assert "名册还是空的" in (await browser.get(home)).text


async def test_who_leaves_moves_to_the_list_below_and_can_be_taken_back(
    platform: Platform, browser: Browser, opened: TrainingClass
) -> None:
    first, _ = await stage.enrol(
        platform, cast.XINGTAI_OFFICER, opened.id, [cast.TRAINEE, cast.SECOND_TRAINEE]
    )
    home = roster_page(opened)
    refused = await browser.post(f"{home}/{first}/remove", {"reason": "本人不来"})
    assert refused.status == 409 and "办理退训" in refused.text
    several = await browser.post(f"{home}/remove", {"chosen": [first], "reason": "本人不来"})
    assert (
        several.status == 409 and f"{cast.TRAINEE.name}：" in several.text and "移出所选" not in several.text
    )
    future = {"left_on": "2026-03-20", "reason": "工作单位另有任务"}
    assert 'id="field-left_on-error"' in (await browser.post(f"{home}/{first}/leave", future)).html
    done = await browser.post(f"{home}/{first}/leave", future | {"left_on": "2026-03-16"})
    assert (done.status, done.location) == (303, home)
    listed = await browser.get(home)
    assert "已退训" in listed.text and "工作单位另有任务" in listed.text
    head, *rows = sheet((await browser.get(f"{home}/export")).body)
    assert head[-1] == "退训" and [row[-1] or "" for row in rows] == ["2026-03-16", ""]
    assert "撤销退训" in (await browser.get(f"{home}/{first}/return")).text
    assert (await browser.post(f"{home}/{first}/return", {"reason": "登记错了人"})).status == 303
    assert "已退训" not in (await browser.get(home)).text


async def test_somebody_known_elsewhere_leads_to_a_correction(
    platform: Platform, browser: Browser, opened: TrainingClass
) -> None:
    [person_id] = await stage.enrol(platform, cast.XINGTAI_OFFICER, opened.id, [cast.TRAINEE])
    form = await browser.get(f"{roster_page(opened)}/{person_id}/edit")
    assert 'name="id_number"' not in form.html and "不能直接修改" in form.text and "申请更正" in form.text
    renamed = {"name": "王试改", "work_unit": "示例市技师学院"}
    answer = await browser.save(f"{roster_page(opened)}/{person_id}/edit", renamed)
    assert answer.status == 409 and f"{person_id}/correct" in answer.html


# ---- Whatever is uploaded: an answer, never a fault of the server

HEADERS = [word for column in Column for word in column.words]
CELLS = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(10**18), 10**18),
    st.booleans(),
    st.sampled_from(
        [
            *HEADERS,
            "=1+1",
            "=A1",
            "注：",
            "合计",
            "110101199001011234",
            cast.TRAINEE.name,
            cast.TRAINEE.id_number,
        ]
    ),
)
ROWS = st.lists(st.lists(CELLS, max_size=8), max_size=8)


def workbook(rows: list[list[Any]], header: bool) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        page = book.add_worksheet()
        if header:
            page.write_row(0, 0, ["姓名", "身份证号", "手机号"])
        for number, row in enumerate(rows, start=header):
            for place, value in enumerate(row):
                page.write(number, place, value)
    return content.getvalue()


def with_part(name: str, part: bytes) -> bytes:
    """A valid roster in which one part of the package says something else."""
    content = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(roster_of([cast.TRAINEE]))) as valid,
        zipfile.ZipFile(content, "w") as changed,
    ):
        for member in valid.namelist():
            changed.writestr(member, part if member == name else valid.read(member))
    return content.getvalue()


def cut(content: bytes, at: int, with_bytes: bytes) -> bytes:
    return content[:at] + with_bytes + content[at + len(with_bytes) :]


XML = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"",
            b"<a/>",
            b'<!DOCTYPE x [<!ENTITY e "1">]><x>&e;</x>',
            b'<worksheet><sheetData><row r="9999999999"><c r="ZZZZ1" t="s"><v>99</v></c></row></sheetData></worksheet>',
            b'<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>-1</v></c></row></sheetData></worksheet>',
            b'<worksheet><sheetData/><mergeCells><mergeCell ref="B9:A1"/></mergeCells></worksheet>',
        ]
    ),
)
PARTS = st.sampled_from(
    ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/_rels/workbook.xml.rels"]
)
FILES = st.one_of(
    st.binary(max_size=400),
    st.builds(lambda tail: b"PK\x03\x04" + tail, st.binary(max_size=200)),
    st.builds(workbook, ROWS, st.booleans()),
    st.builds(with_part, PARTS, XML),
    st.builds(cut, st.just(roster_of([cast.TRAINEE])), st.integers(0, 5000), st.binary(max_size=20)),
)


@given(content=FILES, name=st.text(max_size=30))
@examples(25)
async def test_no_file_makes_the_server_fail(
    browser: Browser, opened: TrainingClass, content: bytes, name: str
) -> None:
    safe = "".join(letter for letter in name if letter.isprintable() and letter not in '"\\')
    answer = await browser.upload(roster_page(opened), "file", f"{safe}.xlsx", content)
    assert answer.status in (303, 422), answer.text
    if answer.status == 303:
        preview = await browser.get(answer.location)
        assert preview.status == 200 and cast.TRAINEE.id_number not in preview.html
