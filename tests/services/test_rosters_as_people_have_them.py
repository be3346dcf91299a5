"""Rosters as offices keep them: rows hidden or crossed out, formulas that nobody reckoned, footers, characters out of a PDF.

Articles 4.7 (全实名) and 25.3: nobody is imported unseen, and nobody is left out unseen. Each is a real xlsx file.
"""

import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import xlsxwriter
from openpyxl.styles import Font

from server.classes.roster import Column, RosterPreview
from tests import cast
from tests.services.test_roster_reading import (
    HEADER,
    archive,
    line,
    read,
    read_rows,
    rows_of,
    the_problem,
    why_unreadable,
    with_sheet,
    workbook,
)

A, B, C = cast.people(3)
CROSSED_OUT = Font(strike=True)


def changed(change: Callable[[Any], None], *rows: Sequence[Any]) -> RosterPreview:
    return read(workbook(rows, lambda book: change(book.worksheets[0])))


def written(write: Callable[[xlsxwriter.Workbook, xlsxwriter.worksheet.Worksheet], None]) -> RosterPreview:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        write(book, sheet)
    return read(content.getvalue())


# ---- Hidden rows


def hide(*rows: int) -> Callable[[Any], None]:
    def change(sheet: Any) -> None:
        for row in rows:
            sheet.row_dimensions[row].hidden = True

    return change


def test_a_hidden_person_is_named_and_neither_imported_nor_left_out_unseen() -> None:
    preview = changed(hide(3), HEADER, line(A), line(B), line(C))
    problem = the_problem(preview)
    assert str(problem).startswith("第 3 行 姓名（A 列）：这一行是隐藏的")
    assert problem.name == B.name
    assert [row.name for row in preview.rows] == [A.name, C.name]


def test_a_row_that_a_filter_hides_is_hidden() -> None:
    def write(book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.write_row(1, 0, line(A))
        sheet.write_row(2, 0, line(B))
        sheet.autofilter(0, 0, 2, len(HEADER) - 1)
        sheet.filter_column(0, f"x == {A.name}")
        sheet.set_row(2, None, None, {"hidden": True})

    assert the_problem(written(write)).row == 3


def test_a_row_of_no_height_is_hidden() -> None:
    sheet = rows_of(HEADER, line(A), line(B)).decode().replace("<row>", '<row r="1">', 1)
    sheet = sheet.replace("<row>", '<row r="2" ht="0" customHeight="1">', 1)
    assert the_problem(read(with_sheet(sheet.encode()))).row == 2


def test_a_hidden_row_without_anybody_and_a_hidden_footer_are_no_problem() -> None:
    preview = changed(hide(1, 4, 5), ["名册"], HEADER, line(A), [None] * 7 + ["备注"], ["合计", 1])
    assert preview.importable and len(preview.rows) == 1


def test_the_same_person_hidden_and_shown_is_asked_about_once() -> None:
    assert the_problem(changed(hide(2), HEADER, line(A), line(A))).row == 2


# ---- Crossed out


def cross_out(*places: str) -> Callable[[Any], None]:
    def change(sheet: Any) -> None:
        for place in places:
            sheet[place].font = CROSSED_OUT

    return change


def test_a_crossed_out_row_is_named_once_with_its_person() -> None:
    preview = changed(cross_out(*(f"{letter}3" for letter in "ABCDEF")), HEADER, line(A), line(B))
    problem = the_problem(preview)
    assert str(problem).startswith("第 3 行 姓名（A 列）：这一行画了删除线")
    assert problem.name == B.name
    assert [row.name for row in preview.rows] == [A.name]


@pytest.mark.parametrize(
    ("place", "column"), [("A2", Column.NAME), ("B2", Column.ID_NUMBER), ("F2", Column.PHONE)]
)
def test_a_single_cell_that_is_crossed_out_is_named(place: str, column: Column) -> None:
    problem = the_problem(changed(cross_out(place), HEADER, line(A)))
    assert (problem.column, problem.letters) == (column, place[0])
    assert "删除线" in problem.message


@pytest.mark.parametrize("constant_memory", [False, True])
def test_a_part_of_a_text_that_is_crossed_out_is_named(constant_memory: bool) -> None:
    """张三 crossed out and 李四 beside it: read as one text it would be a third person."""
    content = (
        io.BytesIO()
    )  # constant_memory writes the text into the cell, else it stands among the shared ones
    with xlsxwriter.Workbook(content, {"constant_memory": constant_memory}) as book:
        sheet, crossed_out = book.add_worksheet(), book.add_format({"font_strikeout": True})
        sheet.write_row(0, 0, HEADER)
        sheet.write_rich_string(1, 0, crossed_out, B.name, A.name)
        sheet.write_row(1, 1, line(A)[1:])
        sheet.write_row(2, 0, line(C))
    preview = read(content.getvalue())
    problem = the_problem(preview)
    assert (problem.row, problem.column) == (2, Column.NAME) and "删除线" in problem.message
    assert [row.name for row in preview.rows] == [C.name]


def test_other_fonts_a_mark_that_is_off_and_a_crossed_out_title_are_no_problem() -> None:
    def change(sheet: Any) -> None:
        sheet["A1"].font = CROSSED_OUT
        sheet["A3"].font = Font(bold=True, strike=False, underline="single")

    assert changed(change, ["去年的名册"], HEADER, line(A)).importable


# ---- Formulas


@pytest.mark.parametrize("column", [Column.WORK_UNIT, Column.POST, Column.MAJOR, Column.PHONE])
def test_a_formula_without_a_result_is_named_in_any_column(column: Column) -> None:
    row: list[Any] = line(A)
    row[list(Column).index(column)] = "=Z9"  # openpyxl writes no result
    problem = the_problem(read_rows(HEADER, row))
    assert problem.column is column and "公式没有结果" in problem.message


def test_a_formula_that_a_program_wrote_with_nought_for_a_result_is_named() -> None:
    def write(book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.write_row(1, 0, line(A)[:2])
        sheet.write_formula(1, 2, "=VLOOKUP(A2,Z:Z,1,0)")

    problem = the_problem(written(write))
    assert problem.column is Column.WORK_UNIT and "公式没有结果" in problem.message


def test_a_formula_whose_result_is_the_empty_text_is_a_blank_cell() -> None:
    """As Excel and WPS save it: drawn down below the last person."""
    formula = '<c r="C{0}" t="str"><f>IF(Z{0}="","",Z{0})</f><v></v></c>'
    person = "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in line(A)[:2])
    rows = f'<row r="2">{person}{formula.format(2)}</row>'
    rows += "".join(f'<row r="{row}">{formula.format(row)}</row>' for row in range(3, 30))
    header = rows_of(HEADER).decode()
    preview = read(with_sheet(header.replace("</sheetData>", f"{rows}</sheetData>").encode()))
    assert preview.importable
    assert [(row.name, row.work_unit) for row in preview.rows] == [(A.name, "")]


# ---- Footers


@pytest.mark.parametrize(
    "footer",
    [
        ["以下空白"],
        ["（以下空白）"],
        ["—— 以 下 空 白 ——"],
        ["以下无正文"],
        ["（以下⽆正⽂）"],
        [None, "以下空白"],
        ["合计", 30],
        ["合计", "30人"],
        ["合计：30 人"],
        ["合　计", None, None, None, None, 30.0],
        ["总计", None, "2人"],
        ["合计30人"],
        ["共 30 人"],
        ["小计", 2, "/", "-"],
        ["填表人：某某", "审核人：某某", None, None, None, "2026年3月1日"],
    ],
)
def test_a_footer_is_nobody_and_is_shown_as_skipped(footer: list[Any]) -> None:
    preview = read_rows(HEADER, line(A), footer)
    assert preview.importable
    assert [row.name for row in preview.rows] == [A.name]
    assert [skipped.row for skipped in preview.skipped] == [3]


def test_a_footer_beside_a_running_number_or_in_its_column_is_nobody() -> None:
    preview = read_rows(["序号", *HEADER], [1, *line(A)], [2, "以下空白"], ["合计", 1, None, "1人"])
    assert preview.importable
    assert [skipped.text for skipped in preview.skipped] == ["2 以下空白", "合计 1 1人"]


@pytest.mark.parametrize(
    "person",
    [
        ["合计", A.id_number],
        ["以下空白", None, A.unit],
        [None, 30],
        [A.name, "以下空白"],
    ],
)
def test_what_may_be_a_person_is_never_taken_for_a_footer(person: list[Any]) -> None:
    preview = read_rows(HEADER, line(B), person)
    assert not preview.skipped
    assert 3 in {row.row for row in preview.rows} | {problem.row for problem in preview.problems}


def test_a_number_in_a_footer_is_not_repeated() -> None:
    preview = read_rows(
        [*HEADER, "备注"], line(A), ["合计", 1, None, None, None, None, f"负责人：某某 {B.phone}"]
    )
    assert [skipped.text for skipped in preview.skipped] == ["合计 1 负责人：某某 ******"]


# ---- Characters


def test_characters_from_a_pdf_become_those_that_they_look_like() -> None:
    preview = read_rows(
        ["姓名", "⾝份证号", "⼯作单位"],
        ["⻩⻢", A.id_number, "⻩河⻓江⼤学"],
        ["⻰⻘·⻓⼭", B.id_number, "⻓春⻋辆学校①"],
    )
    assert preview.importable
    assert [(row.name, row.work_unit) for row in preview.rows] == [
        ("黄马", "黄河长江大学"),
        ("龙青·长山", "长春车辆学校①"),
    ]


@pytest.mark.parametrize(
    ("place", "value", "shown"),
    [
        (0, "张三（组长）", "“(”"),
        (0, "张\u3164三", "U+1160"),
        (0, "张\ue863", "U+E863"),
        (1, A.id_number[:6] + "O" + A.id_number[7:], "第 7 位不对，是“O”"),
        (5, "138转8001", "“转”"),
        (5, f"{A.phone}/{B.phone}", "“/”"),
    ],
)
def test_the_character_that_is_refused_is_shown(place: int, value: str, shown: str) -> None:
    row: list[Any] = line(A)
    row[place] = value
    assert shown in the_problem(read_rows(HEADER, row)).message


# ---- Files of strangers


def test_a_workbook_with_broken_or_huge_styles_is_refused_in_words() -> None:
    with zipfile.ZipFile(io.BytesIO(workbook([HEADER, line(A)]))) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    assert "损坏" in why_unreadable(archive(parts | {"xl/styles.xml": b"<styleSheet><fonts>"}))
    assert "太大" in why_unreadable(archive(parts | {"xl/styles.xml": b" " * 2**24}))
    assert read(archive(parts | {"xl/styles.xml": b"<styleSheet/>"})).importable


def test_a_style_that_does_not_exist_crosses_nothing_out() -> None:
    sheet = rows_of(HEADER, line(A)).replace(b"<c ", b'<c s="99" ')
    assert read(with_sheet(sheet)).importable
