"""Questions for certificates in bulk, as an xlsx file (article 18: two of name, ID number and number). Pure: bytes in, lines out."""

from __future__ import annotations

import io
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import xlsxwriter

from server.accounts.rules import without_invisible
from server.kernel.errors import FileUnreadable
from server.kernel.folding import bare_number, folded
from server.kernel.ideographs import unified
from server.kernel.numbers import bare_id_number
from server.kernel.sheet_lines import HIDDEN_ROW, STRUCK_ROW, is_footer, is_struck, why_not_read
from server.kernel.xlsx import WHAT_TO_DO, Cell, Reason, Sheet, XlsxUnreadable, read_sheets

ROWS_MOST = 1_000
"""Lines of one file: the answer is made while somebody waits."""
HEADER_WITHIN = 20
TEXT_LONGEST = 60
NUMBERS_OF_A_NAME = 5
"""Lines with one name and different ID numbers: namesakes are rare in one file, and whoever tries numbers needs hundreds."""


class BatchUnreadable(FileUnreadable):
    """The file as a whole: not an xlsx, without header, without lines, too large."""

    slug = "batch-query-unreadable"
    title = "查询表无法读取"


class Column(Enum):
    """A column of the sheet. Its value is what it is called, the template's word first."""

    NAME = "姓名 持证人 持证人姓名"
    ID_NUMBER = "身份证号 身份证号码 证件号 证件号码"
    NUMBER = "证书编号 编号"

    @property
    def title(self) -> str:
        return self.value.split()[0]


_COLUMN_CALLED = {word: column for column in Column for word in column.value.split()}


@dataclass(frozen=True)
class Line:
    """A line of the sheet; `wrong` says why nothing is looked up for it, in words."""

    row: int
    name: str = ""
    id_number: str = ""
    number: str = ""
    wrong: str = ""


def read_lines(content: bytes) -> list[Line]:
    """The lines of a file. Raises BatchUnreadable, and nothing else whatever the bytes."""
    try:
        sheets = read_sheets(content)
    except XlsxUnreadable as error:
        if error.reason is Reason.TOO_LARGE:
            raise BatchUnreadable(
                f"文件太大。一次最多查询 {ROWS_MOST} 行：请把姓名、身份证号、证书编号三列复制到下载的模板里，"
                "用“选择性粘贴”选“数值”（不要公式），行数多的分成几个文件。"
            ) from None
        raise BatchUnreadable(WHAT_TO_DO[error.reason]) from error
    sheet, header, columns = _header(sheets)
    found = [
        (row, entry)
        for row, cells in sorted(sheet.rows.items())
        if row > header
        and (entry := {column: cells[place] for column, place in columns.items() if place in cells})
        and not is_footer(cells.values())
    ]
    if not found:
        raise BatchUnreadable("表头下面没有内容。请从表头的下一行起，每行填写一个人的任意两项。")
    if len(found) > ROWS_MOST:
        raise BatchUnreadable(f"表里有 {len(found)} 行，一次最多查询 {ROWS_MOST} 行，请分成几个文件。")
    return _without_guesses([_line(row, entry, hidden=row in sheet.hidden) for row, entry in found])


def _header(sheets: Sequence[Sheet]) -> tuple[Sheet, int, dict[Column, int]]:
    for sheet in sheets:
        for row, cells in sorted(sheet.rows.items())[:HEADER_WITHIN]:
            columns: dict[Column, int] = {}
            for place, cell in sorted(cells.items()):
                column = _COLUMN_CALLED.get(_text(cell).strip("*＊"))
                if column is not None:
                    columns.setdefault(column, place)
            if len(columns) >= 2:
                return sheet, row, columns
    words = "、".join(f"“{column.title}”" for column in Column)
    raise BatchUnreadable(
        f"没有找到表头。前 {HEADER_WITHIN} 行内应有一行有{words}中的至少两列，建议使用下载的模板。"
    )


def _line(row: int, entry: Mapping[Column, Cell], *, hidden: bool) -> Line:
    if hidden or is_struck(entry.values()):
        return Line(row, wrong=HIDDEN_ROW if hidden else STRUCK_ROW)
    for column, cell in entry.items():
        if why := why_not_read(cell, formulas=False):
            return Line(row, wrong=f"{column.title}：{why}")
    words = {column: _text(cell) for column, cell in entry.items()}
    if any(len(text) > TEXT_LONGEST for text in words.values()):
        return Line(row, wrong=f"有一格超过 {TEXT_LONGEST} 个字符，请核对。")
    line = Line(
        row,
        words.get(Column.NAME, ""),
        bare_id_number(words.get(Column.ID_NUMBER, "")),
        bare_number(words.get(Column.NUMBER, "")),
    )
    if sum(map(bool, (line.name, line.id_number, line.number))) < 2:
        return replace(line, wrong="姓名、身份证号、证书编号至少填写两项。")
    return line


def _without_guesses(lines: Sequence[Line]) -> list[Line]:
    """Without the lines by which one ID number after the other is tried on the same name or the same certificate."""
    often = {
        known
        for kind in (_by_name, _by_number)
        for known, count in Counter(
            known for known, _ in {(kind(one), one.id_number) for one in lines if kind(one) and one.id_number}
        ).items()
        if count > NUMBERS_OF_A_NAME
    }
    words = f"同一姓名或同一证书编号有超过 {NUMBERS_OF_A_NAME} 个不同的身份证号，没有查询。请核对；确为同名的请分开查询。"
    return [
        replace(one, wrong=words) if one.id_number and often & {_by_name(one), _by_number(one)} else one
        for one in lines
    ]


def _by_name(line: Line) -> str:
    return line.name and f"name:{folded(line.name)}"


def _by_number(line: Line) -> str:
    return line.number and f"number:{line.number}"


def _text(cell: Cell) -> str:
    return without_invisible(unicodedata.normalize("NFKC", unified(cell.whole[: TEXT_LONGEST + 1])))


_INSTRUCTIONS = (
    "一行一个人，姓名、身份证号、证书编号任意两项；三项都填的，三项都相符才算查到。",
    "身份证号请按文本填写（模板已设好），不要用公式。",
    f"一次最多 {ROWS_MOST} 行。结果以 Excel 给出，身份证号只显示末四位；查询记入操作留痕。",
)


def template() -> bytes:
    """The workbook to fill in."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        heading = book.add_format({"bold": True, "bg_color": "#E8F0FA", "border": 1, "align": "center"})
        as_text = book.add_format({"num_format": "@"})
        sheet = book.add_worksheet("证书查询")
        for place, column in enumerate(Column):
            sheet.set_column(place, place, 24, as_text)
            sheet.write_string(0, place, column.title, heading)
        sheet.freeze_panes(1, 0)
        notes = book.add_worksheet("填写说明")
        notes.set_column(0, 0, 90)
        for place, line in enumerate(_INSTRUCTIONS):
            notes.write_string(place, 0, line)
    return content.getvalue()
