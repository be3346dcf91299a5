"""The roster of a class (名册) as an xlsx file: the template to fill in, and the preview of what an institution sends.

Article 4.7 (参训教师全实名) and 25.3 (培训机构负责审核、管理培训班参训教师数据信息). Pure: bytes in, rows and problems out; what is
already in the class is told by the caller (`RosterPreview.refusing`). Nothing here repeats a full ID number in words.

Real rosters have titles above the header, notes below the last row, merged cells, blank lines, headers in any order and under
any name, rows that are hidden or crossed out. What is safe is normalised; what is not gets a problem that names the row and the
column.
"""

import io
import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum
from typing import Self

import xlsxwriter
from openpyxl.utils import get_column_letter as column_letters

from server.accounts.rules import (
    IdNumberLostDigits,
    check_id_number,
    check_name,
    check_phone,
    mask_id_number,
    normalise_name,
    without_invisible,
)
from server.kernel.errors import FileUnreadable, Invalid
from server.kernel.folding import same
from server.kernel.ideographs import unified
from server.kernel.numbers import bare_id_number, bare_phone
from server.kernel.sheet_lines import HIDDEN_ROW, STRUCK_ROW, is_footer, is_struck, why_not_read
from server.kernel.xlsx import WHAT_TO_DO, Cell, Kind, Sheet, XlsxUnreadable, read_sheets

HEADER_WITHIN = 20
"""The header is looked for in so many rows that are not blank."""
TEXT_LONGEST = 100
"""Characters of one cell that a person needs."""


class RosterUnreadable(FileUnreadable):
    """The file as a whole: not an xlsx, encrypted, without header, without people, too large."""

    slug = "roster-unreadable"
    title = "名册无法读取"


class Column(Enum):
    """A column of the roster. Its value is what it is called, the template's word first."""

    NAME = "姓名 名字 教师姓名 学员姓名 参训教师姓名 参训教师"
    ID_NUMBER = "身份证号 身份证号码 身份证 身份证件号码 证件号 证件号码 有效证件号码 公民身份号码 居民身份证号 居民身份证号码"
    WORK_UNIT = "工作单位 单位 所在单位 单位名称 所在院校 院校 院校名称 所在学校 学校 学校名称"
    POST = "职务/职称 职称/职务 职务职称 职务 职称 专业技术职务 岗位"
    MAJOR = "任教专业 专业 所教专业 从教专业 所属专业 专业名称"
    PHONE = "手机号 手机 手机号码 移动电话 联系手机 联系电话 联系方式 电话"

    @property
    def words(self) -> list[str]:
        return self.value.split()

    @property
    def title(self) -> str:
        return self.words[0]

    @property
    def required(self) -> bool:
        return self in (Column.NAME, Column.ID_NUMBER)


_COLUMN_CALLED = {word: column for column in Column for word in column.words}


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One person, normalised and checked. `row` is the row's number in the sheet; what was not filled in is empty."""

    row: int
    name: str
    id_number: str = field(repr=False)
    work_unit: str = ""
    post: str = ""
    major: str = ""
    phone: str = field(default="", repr=False)

    @property
    def id_number_masked(self) -> str:
        return mask_id_number(self.id_number)


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One cell that is wrong. `letters` is its column on the screen, `name` the person's if that much could be read."""

    row: int
    letters: str
    column: Column
    message: str
    name: str = ""

    def __str__(self) -> str:
        return f"第 {self.row} 行 {self.column.title}（{self.letters} 列）：{self.message}"


@dataclass(frozen=True, slots=True)
class SkippedLine:
    """A line that is no person: a note or a signature line. Shown, so that nobody is left out unseen."""

    row: int
    text: str


@dataclass(frozen=True)
class RosterPreview:
    """What a file holds. A line of the sheet is in `rows`, or it has at least one problem, or it is in `skipped`."""

    sheet: str
    rows: tuple[RosterRow, ...]
    problems: tuple[RowProblem, ...]
    skipped: tuple[SkippedLine, ...]
    unused_columns: tuple[str, ...]
    """Headers that mean nothing to the platform: 序号, 备注 …"""
    letters: Mapping[Column, str]
    """Where the columns stand in the sheet."""

    @property
    def importable(self) -> bool:
        """All or nothing: only a roster without a problem is imported."""
        return bool(self.rows) and not self.problems

    def refusing(self, known: Collection[str]) -> Self:
        """The same preview, where the people whose ID number is in `known` have a problem: they are in the class already."""
        listed = frozenset(known)
        problems = [
            RowProblem(
                row.row,
                self.letters[Column.ID_NUMBER],
                Column.ID_NUMBER,
                "这位教师已在本班名单中，请删除这一行。",
                row.name,
            )
            for row in self.rows
            if row.id_number in listed
        ]
        return replace(
            self,
            rows=tuple(row for row in self.rows if row.id_number not in listed),
            problems=tuple(sorted((*self.problems, *problems), key=lambda problem: problem.row)),
        )


# ---- Reading


def read_roster(content: bytes, *, today: date, rows_most: int) -> RosterPreview:
    """The people in a file of at most `rows_most` (policy `roster_rows`) lines, and everything that is wrong with it.

    Raises RosterUnreadable, and nothing else whatever the bytes. Takes about 50 ms for 500 people: call it in a thread.
    """
    try:
        sheets = read_sheets(content)
    except XlsxUnreadable as error:
        raise RosterUnreadable(WHAT_TO_DO[error.reason]) from error
    header = _header(sheets)
    lines = [(number, cells) for number, cells in sorted(header.sheet.rows.items()) if number > header.row]
    people, skipped = _divide(lines, header)
    if not people:
        raise RosterUnreadable("表头下面没有人员。请从表头的下一行起，每行填写一位教师。")
    if len(people) > rows_most:
        raise RosterUnreadable(f"名册有 {len(people)} 行，一次最多导入 {rows_most} 人，请分成几个文件。")
    rows, problems = _examine(people, header, today)
    return RosterPreview(
        sheet=header.sheet.name,
        rows=tuple(rows),
        problems=tuple(problems),
        skipped=tuple(skipped),
        unused_columns=header.unused,
        letters={column: column_letters(number) for column, number in header.columns.items()},
    )


@dataclass(frozen=True)
class _Header:
    sheet: Sheet
    row: int
    columns: dict[Column, int]
    unused: tuple[str, ...]


def _header(sheets: Sequence[Sheet]) -> _Header:
    """The one header of the workbook. Raises RosterUnreadable: a second list that nobody reads would lose people."""
    headers = [header for sheet in sheets if (header := _header_of(sheet)) is not None]
    filled = [header for header in headers if max(header.sheet.rows) > header.row]
    if len(filled) > 1:
        names = "、".join(f"“{header.sheet.name}”" for header in filled)
        raise RosterUnreadable(f"工作表{names}里都有名单，不知道读哪一个。请只保留要导入的一个工作表。")
    if not headers:
        raise RosterUnreadable(_what_is_missing(sheets))
    return (filled or headers)[0]


def _header_of(sheet: Sheet) -> _Header | None:
    for number, cells in _top(sheet):
        columns = _columns_of(cells)
        if all(column in columns for column in Column if column.required):
            unused = [_text(cell) for place, cell in sorted(cells.items()) if place not in columns.values()]
            return _Header(sheet, number, columns, tuple(unused))
    return None


def _top(sheet: Sheet) -> Sequence[tuple[int, Mapping[int, Cell]]]:
    return sorted(sheet.rows.items())[:HEADER_WITHIN]


def _columns_of(cells: Mapping[int, Cell]) -> dict[Column, int]:
    """Of several columns with one meaning the leftmost is read, but never a guess between two names or two ID numbers."""
    columns: dict[Column, int] = {}
    for place, cell in sorted(cells.items()):
        column = _COLUMN_CALLED.get(_header_word(cell.text))
        if column is None:
            continue
        if column in columns and column.required:
            raise RosterUnreadable(
                f"{column_letters(columns[column])} 列和 {column_letters(place)} 列的表头都是{column.title}，"
                "不知道读哪一列。请只保留一列。"
            )
        columns.setdefault(column, place)
    return columns


def _header_word(text: str) -> str:
    """“ * 身份证号码（18位）：” → “身份证号码”"""
    word = "".join(_text_of(text[:TEXT_LONGEST]).split())
    return re.sub(r"[(（【\[].*", "", word).strip("*＊:：").replace("／", "/").replace("、", "/")


def _what_is_missing(sheets: Sequence[Sheet]) -> str:
    if not any(sheet.rows for sheet in sheets):
        return "工作簿里没有内容，请检查是否选错了文件。"
    advice = f"表头应在前 {HEADER_WITHIN} 行内，并同时有“姓名”和“身份证号”两列；建议使用下载的模板。"
    seen = {column for sheet in sheets for _, cells in _top(sheet) for column in _columns_of(cells)}
    for found, missing in ((Column.NAME, Column.ID_NUMBER), (Column.ID_NUMBER, Column.NAME)):
        if found in seen and missing not in seen:
            return f"找到了“{found.title}”列，但没有“{missing.title}”列。{advice}"
    names = "、".join(f"“{sheet.name}”" for sheet in sheets)
    return f"工作表{names}里没有找到名册的表头，可能选错了文件或工作表。{advice}"


def _divide(
    lines: Sequence[tuple[int, Mapping[int, Cell]]], header: _Header
) -> tuple[list[tuple[int, dict[Column, Cell]]], list[SkippedLine]]:
    """What could be people, and the notes among them. Lines with nothing in the roster's columns are blank."""
    people: list[tuple[int, dict[Column, Cell]]] = []
    skipped: list[SkippedLine] = []
    for number, cells in lines:
        entry = {column: cells[place] for column, place in header.columns.items() if place in cells}
        if not entry or _is_header_again(entry):
            continue
        if _is_note(entry) or is_footer(cells.values()):
            words = " ".join(_without_numbers(cell) for _, cell in sorted(cells.items()))
            skipped.append(SkippedLine(number, words[:TEXT_LONGEST]))
        else:
            people.append((number, entry))
    return people, skipped


def _is_header_again(entry: Mapping[Column, Cell]) -> bool:
    return all(_COLUMN_CALLED.get(_header_word(cell.text)) is column for column, cell in entry.items())


def _is_note(entry: Mapping[Column, Cell]) -> bool:
    """注：…, 合计 or 填表人：… alone in the column of the names. In doubt it is a person whose number is missing."""
    return entry.keys() == {Column.NAME} and _NOTE.search(_text(entry[Column.NAME])) is not None


_NOTE = re.compile(r"[:：。；]|^(?:注|备注|说明|以上|合计|总计|填表|填报|制表|审核)$|^共 ?\d+ ?人")


def _without_numbers(cell: Cell) -> str:
    return re.sub(r"\d(?:[\s-]?\d){5,}[Xx]?", "******", _text(cell))


def _text(cell: Cell) -> str:
    return _text_of(cell.text[:TEXT_LONGEST])


def _text_of(raw: str) -> str:
    return unified(without_invisible(raw))


def _examine(
    people: Sequence[tuple[int, dict[Column, Cell]]], header: _Header, today: date
) -> tuple[list[RosterRow], list[RowProblem]]:
    rows: list[RosterRow] = []
    problems: list[RowProblem] = []
    first_with: dict[str, tuple[int, str]] = {}
    shared = dict(_shared_by_merging(header, [number for number, _ in people]))
    for number, entry in people:
        whole = {
            column: cell
            for column in header.columns
            if (cell := entry.get(column) or shared.get((number, column)))
        }
        if doubt := _doubt(number, entry, header):
            values, _ = _values(
                {column: replace(cell, struck=False) for column, cell in whole.items()}, header, today
            )
            letters = column_letters(header.columns[Column.NAME])
            problems.append(RowProblem(number, letters, Column.NAME, doubt, values.get(Column.NAME, "")))
            continue
        values, faults = _values(whole, header, today)
        id_number, name = values.get(Column.ID_NUMBER), values.get(Column.NAME, "")
        if id_number in first_with:
            faults[Column.ID_NUMBER] = _same_as(*first_with[id_number], name)
        elif id_number is not None:
            first_with[id_number] = (number, name)
        problems += [
            RowProblem(number, column_letters(header.columns[column]), column, message, name)
            for column, message in faults.items()
        ]
        if id_number is not None and not faults:
            rows.append(_row(number, values))
    return rows, problems


def _doubt(number: int, entry: Mapping[Column, Cell], header: _Header) -> str | None:
    """Why a whole line may be meant or not: to import it unseen would be as wrong as to leave it out unseen."""
    if number in header.sheet.hidden:
        return HIDDEN_ROW
    return STRUCK_ROW if is_struck(cell for column, cell in entry.items() if column.required) else None


def _shared_by_merging(header: _Header, numbers: Sequence[int]) -> Iterator[tuple[tuple[int, Column], Cell]]:
    """A work unit written once in a cell merged over several rows holds for each of them."""
    for column, place in header.columns.items():
        merges = [
            merge for merge in header.sheet.merges if merge.min_col == place and merge.min_row > header.row
        ]
        covered = 0
        for merge in sorted(merges, key=lambda merge: merge.min_row):
            cell = header.sheet.rows.get(merge.min_row, {}).get(place)
            if column.required or cell is None or merge.min_row <= covered:
                continue  # what overlaps is no merge of Excel's
            covered = merge.max_row
            first, last = (bisect_right(numbers, row) for row in (merge.min_row, merge.max_row))
            for number in numbers[first:last]:
                yield (number, column), cell


def _values(
    entry: Mapping[Column, Cell], header: _Header, today: date
) -> tuple[dict[Column, str], dict[Column, str]]:
    """The value of each column that is right, and the message for each that is not."""
    values: dict[Column, str] = {}
    faults: dict[Column, str] = {}
    for column in header.columns:
        try:
            values[column] = _value(column, entry.get(column), today)
        except Invalid as problem:
            faults[column] = problem.detail
    return values, faults


def _value(column: Column, cell: Cell | None, today: date) -> str:
    if cell is None:
        if column.required:
            raise Invalid(f"没有填写{column.title}。")
        return ""
    if why := why_not_read(cell, formulas=not column.required):
        raise Invalid(why)
    if len(cell.text) > TEXT_LONGEST:
        raise Invalid(f"内容超过 {TEXT_LONGEST} 个字符，请核对。")
    match column:
        case Column.NAME:
            name = normalise_name(cell.text)
            check_name(name)
            return name
        case Column.ID_NUMBER:
            return _id_number(cell, today)
        case Column.PHONE:
            phone = bare_phone(cell.whole)
            if phone:
                check_phone(phone)
            return phone
        case _:
            return _text_of(cell.whole)


def _id_number(cell: Cell, today: date) -> str:
    number = bare_id_number(cell.whole)
    if cell.kind is Kind.NUMBER and len(number) > 15:
        raise IdNumberLostDigits  # a spreadsheet keeps 15 significant digits of a number, whatever the file shows
    check_id_number(number, today=today)
    return number


def _same_as(row: int, other_name: str, name: str) -> str:
    if name and other_name and not same(name, other_name):
        return f"与第 {row} 行是同一个身份证号，姓名却不同，请对照证件核对两行。"
    return f"与第 {row} 行是同一个身份证号，请删除重复的一行。"


def _row(number: int, values: Mapping[Column, str]) -> RosterRow:
    return RosterRow(
        row=number,
        name=values[Column.NAME],
        id_number=values[Column.ID_NUMBER],
        work_unit=values.get(Column.WORK_UNIT, ""),
        post=values.get(Column.POST, ""),
        major=values.get(Column.MAJOR, ""),
        phone=values.get(Column.PHONE, ""),
    )


# ---- The template

_INSTRUCTIONS = (
    "1. 在“名册”工作表里，从第 2 行起每行填写一位参训教师；不要改动表头，不要合并单元格。",
    "2. 带 * 的“姓名”“身份证号”必填，须与本人证件一致；其余各列可以不填。",
    "3. “身份证号”为 18 位，本列已设为文本格式。从别处复制时请选“选择性粘贴”里的“数值”，以免格式被改成数字而丢失末尾几位。",
    "4. 港澳台居民填写居住证号码（81、82、83 开头），外国人填写新版永久居留身份证号码（9 开头），都是 18 位。",
    "5. 少数民族姓名中间的点用“·”；外籍教师填写证件上的拉丁字母姓名。",
    "6. 不要使用公式。同一人只填一行。不导入的人请删除整行，不要隐藏，也不要画删除线。",
    "7. 上传后先显示预览，逐行列出问题；全部改正并确认以后才会导入，有一行不对就一行都不导入。",
)


def roster_template(rows_most: int) -> bytes:
    """The workbook to fill in: a sheet 名册 for `rows_most` people, and a sheet 填写说明."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as workbook:
        heading = workbook.add_format(
            {
                "bold": True,
                "bg_color": "#E8F0FA",
                "border": 1,
                "align": "center",
                "valign": "vcenter",
                "num_format": "@",
            }
        )
        as_text = workbook.add_format({"num_format": "@"})
        sheet = workbook.add_worksheet("名册")
        for place, column in enumerate(Column):
            sheet.set_column(place, place, _WIDTHS[column], as_text)
            sheet.write_string(0, place, f"{column.title}*" if column.required else column.title, heading)
        sheet.set_row(0, 24)
        sheet.freeze_panes(1, 0)
        _validate_in_excel(sheet, rows_most)

        instructions = workbook.add_worksheet("填写说明")
        wrapped = workbook.add_format({"text_wrap": True, "valign": "top"})
        instructions.set_column(0, 0, 90)
        for place, line in enumerate(_INSTRUCTIONS):
            instructions.write_string(place, 0, line, wrapped)
    return content.getvalue()


_WIDTHS = {
    Column.NAME: 14,
    Column.ID_NUMBER: 24,
    Column.WORK_UNIT: 30,
    Column.POST: 18,
    Column.MAJOR: 18,
    Column.PHONE: 16,
}


def _validate_in_excel(sheet: xlsxwriter.worksheet.Worksheet, rows_most: int) -> None:
    """Excel's own first check while typing. `&"*"` makes COUNTIF compare text: as numbers it would see 15 digits."""
    rules = {
        Column.ID_NUMBER: (
            '=AND(LEN({0}2)=18,COUNTIF(${0}$2:${0}${1},{0}2&"*")=1)',
            "应为 18 位，且不能与其他行重复。",
        ),
        Column.PHONE: ("=LEN({0}2)=11", "应为 11 位手机号，可以不填。"),
    }
    for place, column in enumerate(Column):
        if column in rules:
            formula, message = rules[column]
            sheet.data_validation(
                1,
                place,
                rows_most,
                place,
                {
                    "validate": "custom",
                    "value": formula.format(column_letters(place + 1), rows_most + 1),
                    "input_title": column.title,
                    "input_message": message,
                    "error_title": f"{column.title}有误",
                    "error_message": message,
                },
            )
