"""Accounts to be allocated in bulk, as an xlsx file: the template to fill in, and what is right and wrong in what the centre sends.

Article 25.1 (统一分配用户账号). Pure: bytes in, rows and problems out; whether a username is taken is told by the caller.
"""

import io
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum

import xlsxwriter
from openpyxl.utils import get_column_letter as column_letters
from pydantic import ValidationError

from server.accounts.account_names import AccountNameInvalid, check_office
from server.accounts.documents import BatchProblem, BatchRow
from server.accounts.rules import normalise_name, without_invisible
from server.accounts.staff import AccountDraft
from server.institutions.annex1 import PROVINCES
from server.institutions.documents import Institution
from server.institutions.rules import QualificationKind
from server.kernel.errors import FileUnreadable
from server.kernel.identity import INSTITUTION_ROLES, Role
from server.kernel.ideographs import shown, unified
from server.kernel.sheet_lines import HIDDEN_ROW, STRUCK_ROW, is_footer, is_struck, why_not_read
from server.kernel.xlsx import WHAT_TO_DO, Cell, Sheet, XlsxUnreadable, read_sheets

ROWS_MOST = 200
"""Accounts of one file: their first passwords are hashed while somebody waits."""
HEADER_WITHIN = 20
TEXT_LONGEST = 100


class SheetUnreadable(FileUnreadable):
    """The file as a whole: not an xlsx, without header, without accounts, too large."""

    slug = "account-sheet-unreadable"
    title = "账号表无法读取"


class Column(Enum):
    """A column of the sheet. Its value is what it is called, the template's word first."""

    USERNAME = "用户名 账号 登录名"
    NAME = "使用人姓名 使用人 姓名"
    ROLE = "用户类别 类别"
    PROVINCE = "省份 所在省份"
    INSTITUTION = "培训机构 机构 单位"

    @property
    def title(self) -> str:
        return self.value.split()[0]

    @property
    def required(self) -> bool:
        return self in (Column.USERNAME, Column.NAME, Column.ROLE)


_COLUMN_CALLED = {word: column for column in Column for word in column.value.split()}
STAFF_ROLES = (Role.NATIONAL_CENTRE, Role.PROVINCE, Role.TRAINING_CENTRE, Role.TRAINING_BASE)
_ROLE_CALLED = {role.label: role for role in STAFF_ROLES}
_NAMES = {one.code: one.name for one in PROVINCES}
_PROVINCE_CALLED = {word: one.code for one in PROVINCES for word in (one.name, one.code)}


@dataclass(frozen=True)
class AccountSheet:
    """What a file holds: a line of the sheet is in `rows`, or it has at least one problem."""

    rows: tuple[BatchRow, ...]
    problems: tuple[BatchProblem, ...]
    letters: Mapping[Column, str]


class _Wrong(Exception):
    """One cell, in words that say what to do."""

    def __init__(self, column: Column, message: str) -> None:
        self.column = column
        self.message = message


def read_accounts(content: bytes, institutions: Sequence[Institution], today: date) -> AccountSheet:
    """The accounts in a file of at most ROWS_MOST lines, and everything that is wrong with it.

    Raises SheetUnreadable, and nothing else whatever the bytes: call it in a thread.
    """
    try:
        sheets = read_sheets(content)
    except XlsxUnreadable as error:
        raise SheetUnreadable(WHAT_TO_DO[error.reason]) from error
    sheet, header, columns = _header(sheets)
    lines = [
        (number, entry)
        for number, cells in sorted(sheet.rows.items())
        if number > header
        and (entry := {column: cells[place] for column, place in columns.items() if place in cells})
        and not is_footer(cells.values())
    ]
    if not lines:
        raise SheetUnreadable("表头下面没有账号。请从表头的下一行起，每行填写一个账号。")
    if len(lines) > ROWS_MOST:
        raise SheetUnreadable(f"表里有 {len(lines)} 行，一次最多分配 {ROWS_MOST} 个账号，请分成几个文件。")
    letters = {column: column_letters(place) for column, place in columns.items()}
    return _examine(lines, letters, sheet.hidden, _Offices({one.id: one for one in institutions}, today))


def _header(sheets: Sequence[Sheet]) -> tuple[Sheet, int, dict[Column, int]]:
    """The sheet, the row of its header and the place of each column. Raises SheetUnreadable."""
    for sheet in sheets:
        for number, cells in sorted(sheet.rows.items())[:HEADER_WITHIN]:
            columns: dict[Column, int] = {}
            for place, cell in sorted(cells.items()):
                column = _COLUMN_CALLED.get(_text(cell).strip("*＊"))
                if column is not None:
                    columns.setdefault(column, place)
            if all(column in columns for column in Column if column.required):
                return sheet, number, columns
    words = "、".join(f"“{column.title}”" for column in Column if column.required)
    raise SheetUnreadable(
        f"没有找到表头。前 {HEADER_WITHIN} 行内应有一行同时有{words}三列，建议使用下载的模板。"
    )


def _examine(
    lines: Sequence[tuple[int, Mapping[Column, Cell]]],
    letters: Mapping[Column, str],
    hidden: Collection[int],
    offices: "_Offices",
) -> AccountSheet:
    rows: list[BatchRow] = []
    problems: list[BatchProblem] = []
    first_with: dict[str, int] = {}
    for number, entry in lines:
        values, wrong = _values(entry)
        username = values.get(Column.USERNAME, "")
        if doubt := _doubt(entry, hidden=number in hidden):
            wrong = [_Wrong(Column.USERNAME, doubt)]
        elif username in first_with:
            message = f"与第 {first_with[username]} 行的用户名相同，请改用别的用户名。"
            wrong.append(_Wrong(Column.USERNAME, message))
        elif username:
            first_with[username] = number
        if not wrong:
            try:
                rows.append(offices.account(number, values))
            except _Wrong as one:
                wrong.append(one)
        problems += [
            BatchProblem(
                row=number,
                letters=letters.get(one.column, "—"),
                column=one.column.title,
                name=values.get(Column.NAME, ""),
                message=one.message,
            )
            for one in wrong
        ]
    return AccountSheet(tuple(rows), tuple(problems), letters)


def _doubt(entry: Mapping[Column, Cell], *, hidden: bool) -> str | None:
    """Why a whole line may be meant or not."""
    if hidden:
        return HIDDEN_ROW
    return STRUCK_ROW if is_struck(cell for column, cell in entry.items() if column.required) else None


def _values(entry: Mapping[Column, Cell]) -> tuple[dict[Column, str], list[_Wrong]]:
    values: dict[Column, str] = {}
    wrong: list[_Wrong] = []
    for column in Column:
        try:
            values[column] = _value(column, entry.get(column))
        except _Wrong as one:
            wrong.append(one)
    return values, wrong


def _value(column: Column, cell: Cell | None) -> str:
    if cell is not None and (why := why_not_read(cell, formulas=False)):
        raise _Wrong(column, why)
    text = "" if cell is None else _text(cell)
    if not text and column.required:
        raise _Wrong(column, f"没有填写{column.title}。")
    if len(text) > TEXT_LONGEST:
        raise _Wrong(column, f"内容超过 {TEXT_LONGEST} 个字符，请核对。")
    if column is Column.USERNAME:
        return text.lower()
    return normalise_name(text) if column is Column.NAME else text


def _text(cell: Cell) -> str:
    return without_invisible(unicodedata.normalize("NFKC", unified(cell.whole[: TEXT_LONGEST + 1])))


@dataclass(frozen=True)
class _Offices:
    """Where an account may belong today."""

    institutions: Mapping[str, Institution]
    today: date

    def account(self, number: int, values: Mapping[Column, str]) -> BatchRow:
        """Raises _Wrong at the first cell that fits no office, or whose username or name has no right form."""
        role = _ROLE_CALLED.get(values[Column.ROLE])
        if role is None:
            raise _Wrong(Column.ROLE, f"用户类别应为{'、'.join(_ROLE_CALLED)}之一，请从下拉列表选择。")
        province_code, institution_code = self._place(role, values)
        try:
            AccountDraft(username=values[Column.USERNAME], name=values[Column.NAME], role=role)
        except ValidationError as error:
            wrong = error.errors()[0]
            if wrong["loc"] == ("name",):
                ours = wrong["type"] == "value_error"
                raise _Wrong(
                    Column.NAME, str(wrong["ctx"]["error"]) if ours else "姓名应为 2 至 40 个字。"
                ) from None
            odd = re.search(r"[^a-z0-9._-]", values[Column.USERNAME])
            words = "用户名应为 3 至 32 位小写字母、数字或 . _ -，并以字母或数字开头。"
            raise _Wrong(Column.USERNAME, f"{shown(odd[0])}不能用。{words}" if odd else words) from None
        own = (
            self.institutions[institution_code].name if institution_code else _NAMES.get(province_code or "")
        )
        units = [one.name for one in self.institutions.values()]
        try:
            check_office(values[Column.NAME], role, own or "", _NAMES.values(), units)
        except AccountNameInvalid as error:
            raise _Wrong(Column.NAME, error.detail) from None
        return BatchRow(
            row=number,
            username=values[Column.USERNAME],
            name=values[Column.NAME],
            role=role,
            province_code=province_code,
            institution_code=institution_code,
        )

    def _place(self, role: Role, values: Mapping[Column, str]) -> tuple[str | None, str | None]:
        province, institution = values.get(Column.PROVINCE, ""), values.get(Column.INSTITUTION, "")
        code = _PROVINCE_CALLED.get(province)
        if province and code is None:
            raise _Wrong(Column.PROVINCE, f"没有“{province}”这个省份。请填简称，如“河北”，或从下拉列表选择。")
        if role in INSTITUTION_ROLES:
            return self._of_institution(role, code, institution)
        if institution:
            raise _Wrong(Column.INSTITUTION, f"{role.label}的账号不属于培训机构，请清空这一格或改用户类别。")
        if role is Role.PROVINCE:
            if code is None:
                raise _Wrong(Column.PROVINCE, "省级管理部门的账号须填写省份。")
            return code, None
        if province:
            raise _Wrong(Column.PROVINCE, "部指导中心的账号不属于省份，请清空这一格或改用户类别。")
        return None, None

    def _of_institution(self, role: Role, province_code: str | None, written: str) -> tuple[str, str]:
        if not written:
            raise _Wrong(Column.INSTITUTION, f"{role.label}的账号须填写培训机构。")
        found = self._institution(written)
        if found is None:
            words = f"没有“{written}”这个培训机构。请填机构号或全称，或从下拉列表选择。"
            raise _Wrong(Column.INSTITUTION, words)
        if province_code and province_code != found.province_code:
            raise _Wrong(Column.PROVINCE, f"{found.name}不在这个省份，请核对；这一格也可以不填。")
        if not found.holds(QualificationKind(role.value), self.today):
            raise _Wrong(Column.ROLE, f"{found.name}没有有效的{role.label}资格，请核对用户类别。")
        return found.province_code, found.id

    def _institution(self, written: str) -> Institution | None:
        """By number (9, 009), by name, or by both as the template's list has them (009 邢台技师学院)."""
        number = written.split(maxsplit=1)[0]
        if number.isdecimal() and number.isascii():
            found = self.institutions.get(number.zfill(3))
            return found if found and written in (number, f"{number} {found.name}") else None
        return next((one for one in self.institutions.values() if one.name == written.lstrip("★")), None)


# ---- The template

_WIDTHS = {
    Column.USERNAME: 22,
    Column.NAME: 16,
    Column.ROLE: 18,
    Column.PROVINCE: 12,
    Column.INSTITUTION: 34,
}
_INSTRUCTIONS = (
    "一行一个账号，一人一个账号：操作留痕记使用人的姓名。",
    "用户名：3 至 32 位小写字母、数字或 . _ -，例如 xingtai-009。用过的用户名不再分配给别人。",
    "用户类别、省份、培训机构：从下拉列表选择。部指导中心不填省份和机构，省级管理部门填省份，培训机构填机构（省份可不填）。",
    f"一次最多 {ROWS_MOST} 个。上传后先逐行检查并显示预览，确认以后才分配；有一行不对就一个都不分配。",
    "初始密码在确认后生成一次，以 Excel 文件下载；使用人首次登录须修改。",
)


def template(institutions: Sequence[Institution]) -> bytes:
    """The workbook to fill in: a sheet 账号 with lists to choose from, and a sheet 填写说明."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        heading = book.add_format({"bold": True, "bg_color": "#E8F0FA", "border": 1, "align": "center"})
        as_text = book.add_format({"num_format": "@"})
        sheet = book.add_worksheet("账号")
        for place, column in enumerate(Column):
            sheet.set_column(place, place, _WIDTHS[column], as_text)
            sheet.write_string(0, place, f"{column.title}*" if column.required else column.title, heading)
        sheet.freeze_panes(1, 0)
        instructions = book.add_worksheet("填写说明")
        instructions.set_column(0, 0, 90)
        for place, line in enumerate(_INSTRUCTIONS):
            instructions.write_string(place, 0, line, book.add_format({"text_wrap": True}))
        _offer_choices(book, sheet, institutions)
    return content.getvalue()


def _offer_choices(
    book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet, institutions: Sequence[Institution]
) -> None:
    """Drop-down lists; what they offer stands in a hidden sheet, for a list inside a rule may have 255 characters only."""
    offered = book.add_worksheet("可选项")
    offered.hide()
    choices = {
        Column.ROLE: [role.label for role in STAFF_ROLES],
        Column.PROVINCE: [one.name for one in PROVINCES],
        Column.INSTITUTION: [f"{one.id} {one.name}" for one in institutions],
    }
    for place, column in enumerate(Column):
        if column not in choices:
            continue
        offered.write_column(0, place, choices[column])
        letter = column_letters(place + 1)
        source = f"=可选项!${letter}$1:${letter}${len(choices[column])}"
        sheet.data_validation(1, place, ROWS_MOST, place, {"validate": "list", "source": source})
