"""The cells of an uploaded .xlsx workbook (ECMA-376), read by openpyxl within bounds: results and marks of formulas, no dates,
and what the sender has hidden or struck out.

Written for files of strangers; `server/decisions/0002-rosters-are-read-with-openpyxl.md` says why like this.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Self
from xml.parsers import expat

# Refuses entities. openpyxl parses with it too where it is installed: this import makes sure of that.
from defusedxml.ElementTree import fromstring, iterparse
from openpyxl import load_workbook
from openpyxl.cell.read_only import EMPTY_CELL
from openpyxl.utils import coordinate_to_tuple
from openpyxl.worksheet.cell_range import CellRange

PACKED_LARGEST = 5 * 2**20
"""Bytes of an upload. 5,000 people make about 0.5 MB."""
UNPACKED_LARGEST = 8 * 2**20
"""Bytes of all parts that are read, together."""
CELLS_MOST = 100_000
"""Of a sheet, blank ones with a border or a colour too."""
ROWS_MOST = 10_000
"""What stands further down is ignored: a stray cell in the last row. Twice the largest roster, which would fill the rows above."""
COLUMNS_MOST = 256
"""What stands further right is ignored: add-ins keep notes of their own there."""
DEPTH_MOST = 64
"""Elements within one another. A sheet has six, a drawing of grouped shapes some twenty."""
TEXT_LONGEST = 1_000
"""Characters that are kept of a cell."""


class Reason(Enum):
    EMPTY = "empty"
    OLD_FORMAT = "xls, et or another format of Excel 97"
    ENCRYPTED = "protected by a password"
    TEXT = "csv, html or other text"
    OTHER = "something else"
    DAMAGED = "an xlsx that does not hold together"
    TOO_LARGE = "more bytes or cells than are read"


class XlsxUnreadable(Exception):
    def __init__(self, reason: Reason) -> None:
        self.reason = reason


_SAVE_AS = "请用 Excel 或 WPS 打开，选“另存为”，类型选“Excel 工作簿（*.xlsx）”，再上传。"
WHAT_TO_DO = {
    Reason.EMPTY: "文件是空的，请重新选择文件。",
    Reason.OLD_FORMAT: f"这是旧格式的表格（.xls 或 .et），不能读取。{_SAVE_AS}",
    Reason.ENCRYPTED: "文件设了打开密码，不能读取。请取消密码后再上传。",
    Reason.TEXT: f"这是文本文件（如 .csv），不是 Excel 工作簿。{_SAVE_AS}",
    Reason.OTHER: f"这不是 Excel 工作簿（.xlsx）。{_SAVE_AS}",
    Reason.DAMAGED: f"文件已损坏或不完整。{_SAVE_AS}",
    Reason.TOO_LARGE: "文件太大。请把名单单独复制到下载的模板里（只保留有内容的行，不要图片），再上传。",
}
"""Told to who sent the file."""


class Kind(Enum):
    TEXT = "text"
    NUMBER = "number"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    """A number may read 1.10101199001010E+17, a date is a number. For a formula, its last result or nothing."""
    kind: Kind = Kind.TEXT
    formula: bool = False
    struck: bool = False
    """All of it or a part is crossed out (删除线)."""

    @property
    def lacks_result(self) -> bool:
        """A formula that nobody has reckoned: many programs write 0 then, which is no value of a list of people either."""
        return self.formula and (not self.text or (self.kind is Kind.NUMBER and self.whole == "0"))

    @property
    def whole(self) -> str:
        """The text; a whole number is written out, 1.38E10 as 13800000000."""
        if self.kind is not Kind.NUMBER:
            return self.text
        try:
            number = Decimal(self.text)
            whole = (
                number.is_finite() and abs(number.adjusted()) < 30 and number == number.to_integral_value()
            )
        except InvalidOperation:
            return self.text
        return f"{number:.0f}" if whole else self.text


@dataclass(frozen=True)
class Sheet:
    name: str
    rows: dict[int, dict[int, Cell]] = field(default_factory=dict)
    """Row number → column number → cell, both from 1 as on the screen, in their order. Blank cells and rows are absent."""
    merges: list[CellRange] = field(default_factory=list)
    """The value of a merged range is in its top left cell."""
    hidden: frozenset[int] = frozenset()
    """Rows that nobody sees on the screen: hidden by hand, by a filter or folded up."""


def read_sheets(content: bytes) -> list[Sheet]:
    """The visible worksheets of a workbook, in its order.

    Raises XlsxUnreadable. Takes about 40 ms for 500 rows of 7 columns, a hostile file up to 6 s: call it in a thread.
    """
    if not content:
        raise XlsxUnreadable(Reason.EMPTY)
    if len(content) > PACKED_LARGEST:
        raise XlsxUnreadable(Reason.TOO_LARGE)
    if not content.startswith(b"PK"):
        raise XlsxUnreadable(_what_else(content))
    try:
        # Results only: openpyxl translates a shared formula anew for each cell, and its length is the stranger's choice.
        package = _Unpacked(content)
        book = load_workbook(package, read_only=True, data_only=True, keep_links=False)
        if not book.worksheets:
            raise XlsxUnreadable(Reason.DAMAGED)  # or a "Strict" workbook, whose sheets openpyxl does not see
        struck = _Struck.of(package)
        return [_sheet(sheet, struck) for sheet in book.worksheets if sheet.sheet_state == "visible"]
    except XlsxUnreadable:
        raise
    except Exception as error:
        # A hostile file gets any exception out of zipfile, the parser and openpyxl, which promises none.
        raise XlsxUnreadable(Reason.DAMAGED) from error


def _what_else(content: bytes) -> Reason:
    if not content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):  # OLE2, [MS-CFB]
        return Reason.OTHER if b"\0" in content[:4096] else Reason.TEXT
    encrypted = "EncryptedPackage".encode("utf-16-le") in content  # [MS-OFFCRYPTO]
    return Reason.ENCRYPTED if encrypted else Reason.OLD_FORMAT


class _Unpacked(io.BytesIO):
    """The package again without compression: nothing can come out of it that was not counted here.

    Pictures stay behind, and openpyxl does not see the styles: a date is then a number, and odd styles of other programs cannot stop it.
    """

    styles = b""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self._left = 4 * UNPACKED_LARGEST
        with zipfile.ZipFile(io.BytesIO(content)) as packed, zipfile.ZipFile(self, "w") as unpacked:
            if "xl/workbook.xml" not in packed.namelist():
                raise XlsxUnreadable(Reason.OTHER)  # a docx, an ods, an xlsb or any other archive
            parts = [part for part in packed.infolist() if _PART_READ.fullmatch(part.filename)]
            if sum(part.file_size for part in parts) > UNPACKED_LARGEST:
                raise XlsxUnreadable(Reason.TOO_LARGE)
            for part in parts:
                if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise XlsxUnreadable(Reason.DAMAGED)  # ECMA-376 part 2 permits no other
                with packed.open(part) as file:
                    # Never read() without a size: it unpacks whatever comes, even beyond what the directory says.
                    xml = file.read(part.file_size)
                _refuse_depth(xml)
                if part.filename == _STYLES:
                    self.styles = xml
                else:
                    unpacked.writestr(part.filename, xml)

    def read(self, size: int | None = -1, /) -> bytes:
        """Each sheet is read three times, the texts twice. Raises XlsxUnreadable, for instance where a thousand sheets share one part."""
        read = super().read(size)
        self._left -= len(read)
        if self._left < 0:
            raise XlsxUnreadable(Reason.TOO_LARGE)
        return read


def _refuse_depth(xml: bytes) -> None:
    """Raises XlsxUnreadable where elements stand too deep within one another: whoever builds a tree of them, and looks through it, takes
    many times as long as for as many side by side. Here none is built.
    """
    depth = 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEPTH_MOST:
            raise XlsxUnreadable(Reason.DAMAGED)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1

    def refuse(
        *declaration: object,
    ) -> None:  # no program writes an entity; here none is to be expanded either
        raise XlsxUnreadable(Reason.DAMAGED)

    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(xml, True)
    except expat.ExpatError:
        pass  # whoever reads this part comes no further either


_STYLES = "xl/styles.xml"
_STRINGS = "xl/sharedStrings.xml"
"""Where every program at hand puts the styles and the texts."""
_PART_READ = re.compile(rf"(?!docProps/|xl/styles|xl/theme).*\.(xml|rels)|{re.escape(_STYLES)}")


@dataclass(frozen=True)
class _Struck:
    """Which styles cross a cell out, and which of the texts that cells share are crossed out in part."""

    styles: frozenset[str]
    texts: frozenset[str]

    @classmethod
    def of(cls, package: _Unpacked) -> Self:
        return cls(frozenset(_struck_styles(package.styles)), frozenset(_struck_texts(package)))

    def has(self, cell: Any) -> bool:
        """Whether the element `c` of a sheet is crossed out."""
        if cell.get("s") in self.styles:
            return True
        match cell.get("t"):
            case "s":
                return bool(self.texts) and cell.findtext("{*}v") in self.texts
            case "inlineStr":
                return _crosses_out(cell)
        return False


def _struck_styles(styles: bytes) -> Iterator[str]:
    if not styles:
        return
    sheet = fromstring(styles)
    fonts = {
        str(place) for place, font in enumerate(sheet.iterfind("{*}fonts/{*}font")) if _crosses_out(font)
    }
    for place, style in enumerate(sheet.iterfind("{*}cellXfs/{*}xf")):
        if style.get("fontId", "0") in fonts:
            yield str(place)


def _struck_texts(package: _Unpacked) -> Iterator[str]:
    with zipfile.ZipFile(package) as parts:
        texts = parts.read(_STRINGS) if _STRINGS in parts.namelist() else b""
    if b"strike" not in texts:
        return  # as almost always
    found = (element for _, element in iterparse(io.BytesIO(texts)) if element.tag.endswith("}si"))
    for place, text in enumerate(found):
        if _crosses_out(text):
            yield str(place)
        text.clear()


def _crosses_out(element: Any) -> bool:
    return any(mark.get("val", "1") not in ("0", "false") for mark in element.iterfind(".//{*}strike"))


def _sheet(source: Any, struck: _Struck) -> Sheet:
    """Of a ReadOnlyWorksheet, of which the stubs do not know that it has rows."""
    marks = _marks(source, struck)
    sheet = Sheet(source.title, merges=marks.merges, hidden=frozenset(marks.hidden))
    for number, cells in enumerate(source.iter_rows(max_row=ROWS_MOST, max_col=COLUMNS_MOST), start=1):
        row = {}
        for column, cell in enumerate(cells, start=1):
            if cell is EMPTY_CELL:
                continue
            place, text = (number, column), _text(cell.value)
            if text or place in marks.formulas:
                kind = _KINDS.get(cell.data_type, Kind.TEXT)
                row[column] = Cell(text, kind, place in marks.formulas, place in marks.struck)
        if row:
            sheet.rows[number] = row
    return sheet


_KINDS = {"n": Kind.NUMBER, "e": Kind.ERROR}
_ESCAPED_CONTROL = re.compile(r"_x00[01][0-9A-Fa-f]_")  # of ST_Xstring: line ends, mostly


def _text(value: object) -> str:
    """Blank is empty. A boolean is 1 or 0, as the file has it."""
    text = "" if value is None else str(int(value) if isinstance(value, bool) else value)[:TEXT_LONGEST]
    return "" if text.isspace() else _ESCAPED_CONTROL.sub(" ", text)


@dataclass(frozen=True)
class _Marks:
    """What openpyxl does not tell while it reads results row by row."""

    formulas: set[tuple[int, int]] = field(default_factory=set)
    struck: set[tuple[int, int]] = field(default_factory=set)
    hidden: set[int] = field(default_factory=set)
    merges: list[CellRange] = field(default_factory=list)


def _marks(sheet: Any, struck: _Struck) -> _Marks:
    """Raises XlsxUnreadable for too many cells, and whatever comes where something marked does not say where it stands."""
    cells, marks = 0, _Marks()
    with sheet._get_source() as part:
        for _, element in iterparse(part):
            match element.tag.rpartition("}")[2]:
                case "c":
                    cells += 1
                    if cells > CELLS_MOST:
                        raise XlsxUnreadable(Reason.TOO_LARGE)
                    if _is_formula(element):
                        marks.formulas.add(coordinate_to_tuple(element.get("r")))
                    if struck.has(element):
                        marks.struck.add(coordinate_to_tuple(element.get("r")))
                    element.clear()
                case "row":
                    if element.get("hidden") in ("1", "true") or element.get("ht") == "0":
                        marks.hidden.add(int(element.get("r")))
                    element.clear()
                case "mergeCell":
                    marks.merges.append(CellRange(element.get("ref")))
    return marks


def _is_formula(cell: Any) -> bool:
    """Not one whose result is the empty text, as of =IF(A2="","",…): such a cell is blank."""
    if not any(child.tag.endswith("}f") for child in cell):
        return False
    result = next((child for child in cell if child.tag.endswith("}v")), None)
    return not (cell.get("t") == "str" and result is not None and not result.text)
