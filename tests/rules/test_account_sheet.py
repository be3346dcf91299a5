"""The sheet of accounts that the centre uploads: each wrong cell is named, and nothing but the right rows is offered."""

import io
from collections.abc import Sequence
from datetime import date

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from server.institutions.account_sheet import (
    ROWS_MOST,
    AccountSheet,
    Column,
    SheetUnreadable,
    read_accounts,
    template,
)
from server.institutions.annex1 import INSTITUTIONS
from server.institutions.documents import Institution
from server.institutions.rules import Qualification, QualificationStatus
from server.kernel.identity import Role
from server.kernel.spreadsheets import workbook

TODAY = date(2026, 3, 16)
HEADER = tuple(column.title for column in Column)
GOOD = ("xingtai-a", "邢试甲", "教师培训基地", "河北", "009")
KNOWN = [
    Institution(
        id=one.code,
        institution_code=one.code,
        province_code=one.province_code,
        name=one.name,
        qualifications=[
            Qualification(
                kind=one.kind,
                majors=["01"],
                valid_from=date(2025, 1, 1),
                valid_to=date(2027, 12, 31),
                status=QualificationStatus.ACTIVE,
            )
        ],
    )
    for one in INSTITUTIONS
]


def sheet(rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER) -> bytes:
    return workbook("账号", [(words, 20) for words in header], rows)


def read(*rows: Sequence[str]) -> AccountSheet:
    return read_accounts(sheet(rows), KNOWN, TODAY)


@pytest.mark.parametrize(
    ("row", "role", "province", "institution"),
    [
        (GOOD, Role.TRAINING_BASE, "13", "009"),
        (("a-1", "邢试乙", "教师培训基地", "", "9"), Role.TRAINING_BASE, "13", "009"),
        (("a-2", "邢试丙", "教师培训基地", "13", "邢台技师学院"), Role.TRAINING_BASE, "13", "009"),
        (("a-3", "邢试丁", "教师培训基地", "", "009 邢台技师学院"), Role.TRAINING_BASE, "13", "009"),
        (("a-4", "常试己", "师资研修中心", "江苏", "017"), Role.TRAINING_CENTRE, "32", "017"),
        (("a-5", "冀试乙", "省级管理部门", "河北", ""), Role.PROVINCE, "13", None),
        (("a-6", "部试甲", "部指导中心", "", ""), Role.NATIONAL_CENTRE, None, None),
    ],
)
def test_a_right_row_is_an_account_of_its_office(
    row: Sequence[str], role: Role, province: str | None, institution: str | None
) -> None:
    found = read(row)
    assert found.problems == ()
    [account] = found.rows
    assert (account.row, account.username, account.name) == (2, row[0], row[1])
    assert (account.role, account.province_code, account.institution_code) == (role, province, institution)


@pytest.mark.parametrize(
    ("change", "column", "words"),
    [
        ({0: ""}, Column.USERNAME, "没有填写用户名"),
        ({0: "ab"}, Column.USERNAME, "3 至 32 位"),
        ({0: "邢台"}, Column.USERNAME, "3 至 32 位"),
        ({0: "xing台"}, Column.USERNAME, "“台”不能用"),
        ({0: "xing\u3164tai"}, Column.USERNAME, "U+1160（看不见"),
        ({1: ""}, Column.NAME, "没有填写使用人姓名"),
        ({1: "甲"}, Column.NAME, "2 至 40 个字"),
        ({2: ""}, Column.ROLE, "没有填写用户类别"),
        ({2: "班主任"}, Column.ROLE, "用户类别应为"),
        ({2: "参训教师"}, Column.ROLE, "用户类别应为"),
        ({2: "师资研修中心"}, Column.ROLE, "没有有效的师资研修中心资格"),
        ({3: "河北岸"}, Column.PROVINCE, "没有“河北岸”这个省份"),
        ({3: "江苏"}, Column.PROVINCE, "不在这个省份"),
        ({4: ""}, Column.INSTITUTION, "须填写培训机构"),
        ({4: "999"}, Column.INSTITUTION, "没有“999”这个培训机构"),
        ({4: "邢台学院"}, Column.INSTITUTION, "没有“邢台学院”"),
        ({4: "009 扬州"}, Column.INSTITUTION, "没有“009 扬州”"),
        ({2: "省级管理部门"}, Column.INSTITUTION, "不属于培训机构"),
        ({2: "省级管理部门", 3: "", 4: ""}, Column.PROVINCE, "须填写省份"),
        ({2: "部指导中心", 4: ""}, Column.PROVINCE, "不属于省份"),
    ],
)
def test_a_wrong_cell_is_named_with_what_to_do(change: dict[int, str], column: Column, words: str) -> None:
    row = [change.get(place, value) for place, value in enumerate(GOOD)]
    found = read(("first-one", *GOOD[1:]), row)
    [problem] = found.problems
    assert (problem.row, problem.column) == (3, column.title) and words in problem.message
    assert problem.letters == "ABCDE"[list(Column).index(column)]
    assert [one.username for one in found.rows] == ["first-one"]


def test_a_username_that_stands_twice_is_refused_the_second_time_whatever_its_case() -> None:
    found = read(GOOD, ("Xingtai-A", *GOOD[1:]))
    [problem] = found.problems
    assert (problem.row, problem.column) == (3, "用户名") and "与第 2 行" in problem.message


def test_a_formula_is_refused_and_a_number_is_read_as_written() -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        page = book.add_worksheet("账号")
        page.write_row(2, 0, HEADER)
        page.write_row(3, 0, ["", *GOOD[1:]])
        page.write_formula(3, 0, '="xing"&"tai"', value="xingtai")
        page.write_row(4, 0, [20260316, "邢试乙", "教师培训基地", "", 9])
    found = read_accounts(file.getvalue(), KNOWN, TODAY)
    [problem] = found.problems
    assert problem.row == 4 and "公式" in problem.message
    assert [(one.username, one.institution_code) for one in found.rows] == [("20260316", "009")]


def test_rows_that_are_hidden_or_crossed_out_are_named_and_footers_are_nobody() -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        page, crossed_out = book.add_worksheet("账号"), book.add_format({"font_strikeout": True})
        page.write_row(0, 0, HEADER)
        page.write_row(1, 0, GOOD)
        page.write_row(2, 0, ["hidden-one", *GOOD[1:]])
        page.set_row(2, None, None, {"hidden": True})
        page.write_row(3, 0, ["struck-one", *GOOD[1:]], crossed_out)
        page.write_row(4, 0, ["half-struck", *GOOD[1:4]])
        page.write_string(4, 4, "010", crossed_out)
        page.write_row(5, 0, ["以下空白"])
        page.write_row(6, 0, ["合计", 4])
    found = read_accounts(file.getvalue(), KNOWN, TODAY)
    assert [one.username for one in found.rows] == [GOOD[0]]
    assert [(one.row, one.letters, one.message[:6]) for one in found.problems] == [
        (3, "A", "这一行是隐藏"),
        (4, "A", "这一行画了删"),
        (5, "E", "单元格里有画"),
    ]


def test_characters_from_a_pdf_are_read_as_they_look() -> None:
    [account] = read(("xing-1", "⻩⻢", "教师培训基地", "河北", "009"), ("以下⽆正⽂", "", "", "", "")).rows
    assert account.name == "黄马"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "空的"),
        (b"a,b,c", "文本文件"),
        (sheet([GOOD], HEADER[1:]), "没有找到表头"),
        (sheet([]), "没有账号"),
        (sheet([(f"user-{n:03d}", *GOOD[1:]) for n in range(ROWS_MOST + 1)]), f"最多分配 {ROWS_MOST} 个"),
    ],
)
def test_a_file_that_is_no_sheet_of_accounts_says_so(content: bytes, words: str) -> None:
    with pytest.raises(SheetUnreadable, match=words):
        read_accounts(content, KNOWN, TODAY)


def test_the_template_is_read_once_it_is_filled_in() -> None:
    book = load_workbook(io.BytesIO(template(KNOWN)))
    for place, value in enumerate(GOOD, start=1):
        book["账号"].cell(2, place, value)
    file = io.BytesIO()
    book.save(file)
    assert [one.username for one in read_accounts(file.getvalue(), KNOWN, TODAY).rows] == ["xingtai-a"]


CELLS = st.sampled_from(
    ["", "009", "河北", "教师培训基地", "部指导中心", "省级管理部门", "邢试甲", "user-one", "用户名"]
)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS, CELLS), min_size=1, max_size=6))
def test_a_line_is_an_account_or_has_a_problem_and_usernames_are_unique(rows: list[tuple[str, ...]]) -> None:
    filled = [row for row in rows if any(row)]
    if not filled:
        return
    found = read(*filled)
    assert {one.row for one in found.rows} | {one.row for one in found.problems} == set(
        range(2, len(filled) + 2)
    )
    assert not {one.row for one in found.rows} & {one.row for one in found.problems}
    usernames = [one.username for one in found.rows]
    assert len(set(usernames)) == len(usernames)
