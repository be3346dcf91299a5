"""What lists that people send as a spreadsheet have in common: lines that are nobody, and cells that are not what they show."""

import re
from collections.abc import Iterable

from server.kernel.ideographs import unified
from server.kernel.xlsx import Cell, Kind

HIDDEN_ROW = "这一行是隐藏的（或被筛选掉），不知道要不要导入。要导入请取消隐藏或筛选，不要请删除这一行。"
STRUCK_ROW = "这一行画了删除线，不知道要不要导入。要导入请去掉删除线，不要请删除这一行。"

_AS_VALUES = "请复制这一列，用“选择性粘贴”选“数值”贴回原处，再上传。"
_FOOTER = re.compile(
    r"\W*(?:"
    r"(?:(?:以下|此页以下|本页以下)(?:空白|无正文|无内容|无)|无正文)"
    r"|(?:合计|总计|共计|小计|总人数)\W*(?:人数|人)?\W*(?:共?\d{1,6}(?:\.0*)?\W*[人名位行]?)?"
    r"|[共计]\W*\d{1,6}\W*[人名位行]"
    r")\W*|(?:制表|填表|填报|审核|负责|经办)人?[:：].{0,30}"
)
_COUNT = re.compile(r"\W*(?:共?\d{1,6}(?:\.0*)?\W*[人名位行]?)?\W*")
_DATE = re.compile(r"(?:日期[:：])?\d{4}[年./-]\d{1,2}(?:[月./-](?:\d{1,2}日?)?)?")


def why_not_read(cell: Cell, *, formulas: bool) -> str | None:
    """Why what a cell shows cannot be taken for what is meant; `formulas` says whether the result of one may be taken."""
    if cell.kind is Kind.ERROR:
        return "单元格里是错误值（如 #N/A），请改为正确的内容。"
    if cell.struck:
        return "单元格里有画了删除线的内容，不知道以什么为准。请删去作废的内容，并去掉删除线。"
    if cell.formula and not formulas:
        return f"单元格里是公式，不能导入。{_AS_VALUES}"
    if cell.lacks_result:
        return f"单元格里的公式没有结果，不能导入。请用 Excel 或 WPS 打开文件，核对结果后，{_AS_VALUES.removeprefix('请')}"
    return None


def is_struck(cells: Iterable[Cell]) -> bool:
    """Whether all that makes a line somebody is crossed out, so that the whole line is."""
    marks = [cell.struck for cell in cells]
    return bool(marks) and all(marks)


def is_footer(cells: Iterable[Cell]) -> bool:
    """Whether a line ends a list: 以下空白, 以下无正文, 合计 with its number, who signs; beside these only dates and small numbers."""
    words = ["".join(unified(cell.whole).split()) for cell in cells]
    return any(map(_FOOTER.fullmatch, words)) and all(
        any(form.fullmatch(word) for form in (_FOOTER, _COUNT, _DATE)) for word in words
    )
