"""The roster of a class, read from real xlsx files: every mistake is named by row and column, and no file can do harm."""

import io
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from server.accounts.rules import mask_id_number
from server.classes.roster import (
    Column,
    RosterPreview,
    RosterUnreadable,
    RowProblem,
    read_roster,
    roster_template,
)
from tests import cast
from tests.examples import examples

TODAY = date(2026, 3, 1)
HEADER = ["姓名", "身份证号", "工作单位", "职务/职称", "任教专业", "手机号"]
A, B, C = cast.people(3)


def line(person: cast.Person) -> list[str]:
    return [person.name, person.id_number, person.unit, "讲师", "机械类", person.phone]


def workbook(
    rows: Iterable[Sequence[Any]],
    change: Callable[[openpyxl.Workbook], None] | None = None,
    title: str = "Sheet1",
) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    if change:
        change(book)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def read(content: bytes, rows_most: int = 500) -> RosterPreview:
    return read_roster(content, today=TODAY, rows_most=rows_most)


def read_rows(*rows: Sequence[Any]) -> RosterPreview:
    return read(workbook(rows))


def the_problem(preview: RosterPreview) -> RowProblem:
    assert len(preview.problems) == 1
    assert not preview.importable
    return preview.problems[0]


def why_unreadable(content: bytes, rows_most: int = 500) -> str:
    with pytest.raises(RosterUnreadable) as refused:
        read(content, rows_most)
    return refused.value.detail


# ---- What is right


def test_a_good_roster_is_read_as_it_stands() -> None:
    preview = read_rows(HEADER, line(A), line(B))
    assert preview.importable
    assert [row.name for row in preview.rows] == [A.name, B.name]
    assert [row.row for row in preview.rows] == [2, 3]
    first = preview.rows[0]
    assert (first.id_number, first.work_unit, first.post) == (A.id_number, A.unit, "讲师")
    assert (first.major, first.phone) == ("机械类", A.phone)
    assert first.id_number_masked == mask_id_number(A.id_number)


def test_only_the_name_and_the_number_are_needed() -> None:
    preview = read_rows(["身份证号", "姓名"], [A.id_number, A.name])
    assert preview.importable
    assert preview.rows[0].work_unit == preview.rows[0].phone == ""


@pytest.mark.parametrize(
    "number", [*Column.ID_NUMBER.words, "*身份证号（18位）", "身份证号码：", "身 份 证 号"]
)
def test_headers_have_many_names_and_any_order(number: str) -> None:
    preview = read_rows(
        ["序号", "联系电话", number, "所在院校", " 姓　名* "], [1, A.phone, A.id_number, A.unit, A.name]
    )
    assert preview.importable
    assert (preview.rows[0].phone, preview.rows[0].work_unit) == (A.phone, A.unit)
    assert preview.unused_columns == ("序号",)


def test_titles_above_blank_lines_notes_and_a_repeated_header_are_no_people() -> None:
    preview = read_rows(
        ["工学一体化三级教师培训班参训教师名册"],
        [],
        HEADER,
        line(A),
        [],
        HEADER,
        line(B),
        ["注：以上信息由本人填写"],
        ["填表人：某某 联系电话 0319 1234567"],
        ["合计"],
    )
    assert preview.importable
    assert [row.row for row in preview.rows] == [4, 7]
    assert [skipped.row for skipped in preview.skipped] == [8, 9, 10]
    assert preview.skipped[1].text == "填表人：某某 联系电话 ******"


def test_numbered_lines_without_anybody_are_blank() -> None:
    assert read_rows(["序号", *HEADER], [1, *line(A)], [2], [3]).importable


def test_a_work_unit_merged_over_several_rows_holds_for_each() -> None:
    def merge(book: openpyxl.Workbook) -> None:
        sheet = book.worksheets[0]
        sheet.merge_cells("A1:F1")
        sheet.merge_cells("C3:C4")  # this empties C4

    rows = [["名册"], HEADER, line(A), line(B), [C.name, C.id_number]]
    preview = read(workbook(rows, merge))
    assert [row.work_unit for row in preview.rows] == [A.unit, A.unit, ""]


def test_what_is_safe_is_normalised() -> None:
    full_width = "".join(chr(ord(digit) + 0xFEE0) for digit in B.id_number)
    preview = read_rows(
        HEADER,
        [" 张 试 ", f" {A.id_number[:6]} {A.id_number[6:].lower()}\u200b"],
        [
            "古丽．试例",
            f"'{full_width}",
            "  示例_x000D_\n学校 ",
            None,
            None,
            f"+86 {B.phone[:3]}-{B.phone[3:]}",
        ],
    )
    assert preview.importable
    assert [row.name for row in preview.rows] == ["张试", "古丽·试例"]
    assert [row.id_number for row in preview.rows] == [A.id_number, B.id_number]
    assert (preview.rows[1].work_unit, preview.rows[1].phone) == ("示例 学校", B.phone)


def test_a_phone_may_be_a_number_but_an_id_number_never() -> None:
    preview = read_rows(HEADER, [*line(A)[:5], int(A.phone)])
    assert preview.rows[0].phone == A.phone


def test_a_number_in_other_columns_is_written_out() -> None:
    assert read_rows(HEADER, [A.name, A.id_number, 404, 1.5]).rows[0].work_unit == "404"


def test_a_formula_in_a_column_that_is_not_required_gives_its_result() -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, [A.name, A.id_number])
        sheet.write_formula(1, 2, '="示例"&"学校"', value="示例学校")
    assert read(content.getvalue()).rows[0].work_unit == "示例学校"


def test_the_sheet_with_the_header_is_found_and_hidden_ones_are_not_read() -> None:
    def more(book: openpyxl.Workbook) -> None:
        book.create_sheet("说明", 0).append(["先读我"])
        hidden = book.create_sheet("旧名册")
        hidden.append(HEADER)
        hidden.append(line(C))
        hidden.sheet_state = "hidden"
        book.create_sheet("空名册").append(HEADER)

    preview = read(workbook([HEADER, line(A)], more, title="名册"))
    assert preview.sheet == "名册"
    assert [row.name for row in preview.rows] == [A.name]


# ---- What is wrong in a row


def test_a_wrong_check_character_names_row_and_column_and_hides_the_number() -> None:
    wrong = A.id_number[:-1] + ("1" if A.id_number[-1] != "1" else "2")
    problem = the_problem(read_rows(["名册"], HEADER, line(B), [A.name, wrong, A.unit]))
    assert (problem.row, problem.letters, problem.column) == (4, "B", Column.ID_NUMBER)
    assert problem.name == A.name
    assert str(problem).startswith("第 4 行 身份证号（B 列）：")
    assert "校验码" in str(problem)
    assert wrong not in str(problem)


@pytest.mark.parametrize(
    "as_stored", [float, int, lambda number: f"{float(number):.14E}", lambda number: f"{number[:15]}000"]
)
def test_an_id_number_that_lost_its_digits_is_said_to_have(as_stored: Callable[[str], Any]) -> None:
    someone = next(p for p in cast.people(50) if p.id_number[-1] != "X" and p.id_number[-3:] != "000")
    problem = the_problem(read_rows(HEADER, [someone.name, as_stored(someone.id_number)]))
    assert problem.column is Column.ID_NUMBER
    assert "丢失" in problem.message


def test_a_name_or_a_number_that_is_missing_is_named() -> None:
    preview = read_rows(HEADER, [None, A.id_number], [B.name], [None, None, C.unit], ["\u200b ", C.id_number])
    assert [(problem.row, problem.column) for problem in preview.problems] == [
        (2, Column.NAME),
        (3, Column.ID_NUMBER),
        (4, Column.NAME),
        (4, Column.ID_NUMBER),
        (5, Column.NAME),
    ]
    assert not preview.rows


def test_the_same_number_twice_in_the_file_names_the_first_row() -> None:
    problem = the_problem(read_rows(HEADER, line(A), line(B), line(A)))
    assert (problem.row, problem.column) == (4, Column.ID_NUMBER)
    assert "第 2 行" in problem.message
    assert "删除重复" in problem.message


def test_the_same_number_under_another_name_asks_to_look_at_both() -> None:
    assert "姓名却不同" in the_problem(read_rows(HEADER, line(A), [B.name, A.id_number])).message


def test_who_is_in_the_class_already_is_refused() -> None:
    preview = read_rows(HEADER, line(A), line(B))
    again = preview.refusing([B.id_number])
    assert the_problem(again).row == 3
    assert "已在本班名单" in the_problem(again).message
    assert [row.name for row in again.rows] == [A.name]
    assert preview.refusing([C.id_number]) == preview


def test_formulas_in_the_required_columns_are_refused_even_with_a_result() -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        sheet.write_formula(1, 0, '="张"&"试"', value="张试")
        sheet.write_string(1, 1, A.id_number)
        sheet.write_string(2, 0, B.name)
        sheet.write_formula(2, 1, "=B2", value=B.id_number)
        sheet.write_string(3, 0, C.name)
        sheet.write_formula(3, 1, "=B2")
    problems = read(content.getvalue()).problems
    assert [(problem.row, problem.column) for problem in problems] == [
        (2, Column.NAME),
        (3, Column.ID_NUMBER),
        (4, Column.ID_NUMBER),
    ]
    assert all("公式" in problem.message for problem in problems)


def test_an_error_value_is_named() -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, [A.name, A.id_number])
        sheet.write_formula(1, 2, "=NA()", value="#N/A")
    problem = the_problem(read(content.getvalue()))
    assert problem.column is Column.WORK_UNIT
    assert "错误值" in problem.message


@pytest.mark.parametrize(
    ("place", "value", "column"),
    [
        (0, "张三（组长）", Column.NAME),
        (0, 12345, Column.NAME),
        (0, True, Column.NAME),
        (1, datetime(1985, 4, 12, tzinfo=None), Column.ID_NUMBER),  # noqa: DTZ001 - a cell has no zone
        (1, "见附件", Column.ID_NUMBER),
        (2, "很" * 101, Column.WORK_UNIT),
        (5, "0319-1234567", Column.PHONE),
        (5, 1.5, Column.PHONE),
    ],
)
def test_other_content_that_cannot_be_right_is_refused(place: int, value: Any, column: Column) -> None:
    row: list[Any] = line(A)
    row[place] = value
    assert the_problem(read_rows(HEADER, row)).column is column


def test_columns_that_were_swapped_show_no_number_as_a_name() -> None:
    preview = read_rows(HEADER, [A.id_number, A.name])
    assert [problem.name for problem in preview.problems] == ["", ""]
    assert A.id_number not in repr(preview)


# ---- What is wrong with the file


def test_an_empty_file_is_named() -> None:
    assert "空的" in why_unreadable(b"")


def test_a_csv_is_asked_to_be_saved_as_xlsx() -> None:
    assert "csv" in why_unreadable("姓名,身份证号\n张试,".encode("gb18030"))
    assert "*.xlsx" in why_unreadable("姓名,身份证号".encode())


def test_an_old_or_encrypted_workbook_is_named() -> None:
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000)
    assert ".xls 或 .et" in why_unreadable(ole)
    assert "密码" in why_unreadable(ole + "EncryptedPackage".encode("utf-16-le"))


def test_another_archive_is_not_a_workbook() -> None:
    assert "不是 Excel 工作簿" in why_unreadable(archive({"word/document.xml": b"<w/>"}))


def test_a_truncated_workbook_is_damaged() -> None:
    content = workbook([HEADER, line(A)])
    assert "损坏" in why_unreadable(content[: len(content) // 2])


def test_a_sheet_without_the_header_is_named() -> None:
    assert "“课程表”里没有找到" in why_unreadable(
        workbook([["课程", "课时"], ["教学实施", 40]], title="课程表")
    )
    assert "没有“身份证号”列" in why_unreadable(workbook([["姓名", "单位"], [A.name, A.unit]]))
    assert "没有“姓名”列" in why_unreadable(workbook([["身份证号", "单位"]]))
    assert "没有内容" in why_unreadable(workbook([]))


def test_two_columns_of_one_meaning_are_not_guessed_at() -> None:
    detail = why_unreadable(workbook([["姓名", "证件号码", "身份证号"], [A.name, "1", A.id_number]]))
    assert "B 列和 C 列" in detail


def test_two_sheets_with_people_are_not_guessed_at() -> None:
    def more(book: openpyxl.Workbook) -> None:
        second = book.create_sheet("二班")
        second.append(HEADER)
        second.append(line(B))

    detail = why_unreadable(workbook([HEADER, line(A)], more, title="一班"))
    assert "“一班”、“二班”" in detail


def test_a_header_without_people_is_named() -> None:
    assert "没有人员" in why_unreadable(workbook([HEADER]))
    assert "没有人员" in why_unreadable(roster_template(500))


def test_more_people_than_the_policy_allows_are_refused() -> None:
    content = workbook([HEADER, *map(line, cast.people(6))])
    assert "有 6 行，一次最多导入 5 人" in why_unreadable(content, rows_most=5)
    assert read(content, rows_most=6).importable


# ---- Files of strangers

SHEET_NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def archive(parts: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as packed:
        for name, part in parts.items():
            packed.writestr(name, part)
    return content.getvalue()


def with_sheet(
    sheet: bytes, strings: bytes = b"<sst/>", compression: int = zipfile.ZIP_DEFLATED, sheets: int = 1
) -> bytes:
    """A workbook whose only worksheet is these bytes, also where it is listed several times."""
    formats = "http://schemas.openxmlformats.org"
    relationships = f"{formats}/officeDocument/2006/relationships"
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    listed = "".join(f'<sheet name="名册{n or ""}" sheetId="{n + 1}" r:id="rId1"/>' for n in range(sheets))
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{formats}/package/2006/content-types">'
        f'<Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{types}.sharedStrings+xml"/></Types>',
        "xl/workbook.xml": f'<workbook xmlns="{SHEET_NAMESPACE}" xmlns:r="{relationships}">'
        f"<sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{formats}/package/2006/relationships">'
        f'<Relationship Id="rId1" Target="worksheets/sheet1.xml" Type="{relationships}/worksheet"/>'
        "</Relationships>",
    }
    packed = {name: part.encode() for name, part in parts.items()}
    packed["xl/sharedStrings.xml"] = strings.replace(b"<sst", f'<sst xmlns="{SHEET_NAMESPACE}"'.encode(), 1)
    packed["xl/worksheets/sheet1.xml"] = sheet.replace(
        b"<worksheet>", f'<worksheet xmlns="{SHEET_NAMESPACE}">'.encode(), 1
    )
    return archive(packed, compression)


def rows_of(*rows: Sequence[str]) -> bytes:
    cells = "".join(
        "<row>" + "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in row) + "</row>"
        for row in rows
    )
    return f'<worksheet xmlns="{SHEET_NAMESPACE}"><sheetData>{cells}</sheetData></worksheet>'.encode()


def test_cells_need_not_say_where_they_stand() -> None:
    assert read(with_sheet(rows_of(HEADER, line(A)))).rows[0].id_number == A.id_number


def test_a_cell_in_the_last_corner_of_the_sheet_costs_nothing() -> None:
    def corner(book: openpyxl.Workbook) -> None:
        book.worksheets[0]["XFD1048576"] = "solver"

    assert read(workbook([HEADER, line(A)], corner)).importable


def test_a_sheet_may_be_wrong_about_its_size() -> None:
    sheet = rows_of(HEADER, line(A), line(B)).replace(b"<sheetData>", b'<dimension ref="A1:B2"/><sheetData>')
    preview = read(with_sheet(sheet))
    assert [(row.name, row.phone) for row in preview.rows] == [(A.name, A.phone), (B.name, B.phone)]


def test_an_archive_that_unpacks_to_gigabytes_is_refused() -> None:
    assert "太大" in why_unreadable(with_sheet(b" " * 2**25))


def test_an_archive_that_hides_how_much_it_unpacks_to_is_refused() -> None:
    """The size and the checksum in its directory are those of the beginning."""
    beginning = rows_of(HEADER, line(A))
    content = with_sheet(beginning + b" " * 2**25)
    info = zipfile.ZipFile(io.BytesIO(content)).getinfo("xl/worksheets/sheet1.xml")
    told, hidden = (
        struct.pack("<III", crc, info.compress_size, size)
        for crc, size in ((info.CRC, info.file_size), (zlib.crc32(beginning), len(beginning)))
    )
    tracemalloc.start()
    try:
        assert read(content.replace(told, hidden)).importable
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def test_a_worksheet_listed_again_and_again_is_refused() -> None:
    sheet = rows_of(HEADER, line(A)).replace(b"<sheetData>", b"<sheetData>" + b" " * 2**20)
    assert "太大" in why_unreadable(with_sheet(sheet, sheets=1000))


def test_formulas_of_any_length_take_no_time() -> None:
    formula = b"+".join([b"A1"] * 10_000)
    cells = b'<row><c r="A1"><f t="shared" si="0">' + formula + b"</f></c></row>"
    cells += b'<row><c r="A2"><f t="shared" si="0"/></c></row>' * 20_000
    assert "没有找到" in why_unreadable(with_sheet(b"<worksheet>" + cells + b"</worksheet>"))


def test_a_sheet_of_more_cells_than_a_roster_can_have_is_refused() -> None:
    cells = b"<row>" + b"<c><v>1</v></c>" * 250 + b"</row>"
    assert "太大" in why_unreadable(with_sheet(b"<worksheet>" + cells * 401 + b"</worksheet>"))
    assert "没有找到" in why_unreadable(with_sheet(b"<worksheet>" + cells * 399 + b"</worksheet>"))


def test_an_upload_beyond_the_limit_is_refused_before_it_is_opened() -> None:
    assert "太大" in why_unreadable(b"PK" + bytes(5 * 2**20))


def test_entities_are_refused() -> None:
    sheet = rows_of(HEADER, [A.name, A.id_number, "&unit;"]).decode()
    bomb = f'<!DOCTYPE worksheet [<!ENTITY a "{A.unit}"><!ENTITY unit "&a;">]>{sheet}'
    assert "损坏" in why_unreadable(with_sheet(bomb.encode()))
    assert "损坏" in why_unreadable(with_sheet(bomb.encode("utf-16")))


@pytest.mark.parametrize(
    "sheet",
    [
        b"",
        b"<worksheet",
        b"<worksheet>" + b"<a>" * 100_000,
        b'<?xml version="1.0" encoding="nonsense"?><worksheet/>',
        b'<worksheet><sheetData><row r="x"/></sheetData></worksheet>',
        b'<worksheet><row><c r="1A"><v>1</v></c></row></worksheet>',
        b'<worksheet><row><c t="s"><v>7</v></c></row></worksheet>',
        b'<worksheet><row><c t="s"><v>-1</v></c></row></worksheet>',
        b"<worksheet><row><c><f>A1</f></c></row></worksheet>",
        b'<worksheet><mergeCell ref="A1:?"/></worksheet>',
        b"<worksheet><row><c><v>" + b"9" * 40_000 + b"</v></c></row></worksheet>",
    ],
)
def test_a_sheet_that_breaks_the_format_is_damaged(sheet: bytes) -> None:
    assert "损坏" in why_unreadable(with_sheet(sheet))


@pytest.mark.filterwarnings("ignore:File contains an invalid specification")
def test_a_strict_workbook_is_asked_to_be_saved_anew() -> None:
    """The other of the two variants of ISO/IEC 29500, which Excel offers among many and openpyxl cannot read."""
    with zipfile.ZipFile(io.BytesIO(workbook([HEADER, line(A)]))) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    for transitional, strict in (
        ("spreadsheetml/2006", "spreadsheetml"),
        ("officeDocument/2006", "officeDocument"),
    ):
        old, new = f"http://schemas.openxmlformats.org/{transitional}", f"http://purl.oclc.org/ooxml/{strict}"
        parts = {name: part.replace(old.encode(), new.encode()) for name, part in parts.items()}
    assert "另存为" in why_unreadable(archive(parts))


def test_a_compression_that_workbooks_do_not_use_is_refused() -> None:
    assert "损坏" in why_unreadable(with_sheet(rows_of(HEADER, line(A)), compression=zipfile.ZIP_LZMA))


cells = st.one_of(
    st.none(),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=30),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.dates(date(1950, 1, 1), date(2050, 1, 1)),
    st.times().map(lambda moment: time(moment.hour, moment.minute)),
    st.sampled_from(
        ["=A1", "=1/0", '="x"', A.name, B.name, A.id_number, B.id_number, A.phone, "注：", "姓名"]
    ),
)


@examples(50)
@given(st.lists(st.lists(cells, max_size=7), max_size=8))
def test_whatever_the_cells_hold_each_line_is_accounted_for(lines: list[list[Any]]) -> None:
    try:
        preview = read(workbook([HEADER, *lines]))
    except RosterUnreadable:
        return
    named = {entry.row for entries in (preview.rows, preview.problems, preview.skipped) for entry in entries}
    for number, values in enumerate(lines, start=2):
        filled = [value for value in values[:6] if value is not None and str(value).strip()]
        if filled and filled != ["姓名"]:
            assert number in named
        assert not (
            number in {row.row for row in preview.rows} and number in {p.row for p in preview.problems}
        )
    assert A.id_number not in repr(preview.problems)
    assert A.id_number not in repr(preview.skipped)


@examples(100)
@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]),
)
def test_arbitrary_bytes_are_refused_in_words(content: bytes, start: bytes) -> None:
    assert why_unreadable(start + content)


GOOD = workbook([HEADER, line(A), line(B)])


@examples(100)
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_workbook_with_flipped_bytes_is_read_or_refused(flips: list[tuple[int, int]]) -> None:
    content = bytearray(GOOD)
    for place, byte in flips:
        content[place] = byte
    try:
        preview = read(bytes(content))
    except RosterUnreadable as refused:
        assert refused.detail
    else:
        assert preview.rows or preview.problems


@examples(100)
@given(
    st.lists(
        st.sampled_from(
            [
                b"<row>",
                b"</row>",
                b'<row r="3">',
                b'<c r="B2" t="s">',
                b'<c t="b">',
                b"</c>",
                b"<v>",
                b"0",
                b"</v>",
            ]
            + [
                b"<f>",
                b"</f>",
                b"<is>",
                b"<t>",
                "姓名".encode(),
                b"</t>",
                b"</is>",
                b'<mergeCell ref="A1:B9"/>',
                b"<!--",
            ]
        ),
        max_size=30,
    )
)
def test_a_sheet_of_arbitrary_markup_is_read_or_refused(pieces: list[bytes]) -> None:
    sheet = b"<worksheet>" + b"".join(pieces) + b"</worksheet>"
    strings = "<sst><si><t>姓名</t><rPh><t>xing</t></rPh></si></sst>".encode()
    assert why_unreadable(with_sheet(sheet, strings))


# ---- The template


def test_the_template_is_a_roster_with_text_columns_and_instructions() -> None:
    content = roster_template(500)
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["名册", "填写说明"]
    sheet = book["名册"]
    assert [cell.value for cell in sheet[1]] == [
        "姓名*",
        "身份证号*",
        "工作单位",
        "职务/职称",
        "任教专业",
        "手机号",
    ]
    assert sheet.freeze_panes == "A2"
    assert sheet.max_row == 1  # nobody is invented
    assert {rule.sqref.ranges.pop().coord for rule in sheet.data_validations.dataValidation} == {
        "B2:B501",
        "F2:F501",
    }
    columns = list(sheet.column_dimensions.values())
    assert all(column.number_format == "@" for column in columns)
    assert [(column.min, column.max) for column in columns] == [(1, 1), (2, 2), (3, 3), (4, 5), (6, 6)]
    assert "18 位" in "".join(str(cell.value) for cell in book["填写说明"]["A"])


def test_the_filled_template_is_importable() -> None:
    book = openpyxl.load_workbook(io.BytesIO(roster_template(500)))
    book["名册"].append(line(A))
    content = io.BytesIO()
    book.save(content)
    preview = read(content.getvalue())
    assert preview.importable
    assert preview.unused_columns == ()
