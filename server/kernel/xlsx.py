"""The cells of an uploaded .xlsx workbook (ECMA-376), read within bounds: text as it stands in the file, formulas marked.

Written for files of strangers. python-calamine lays a sheet out densely, so that a file of 2 KB with a cell in XFD1048576 aborts
the process (tafia/calamine issue 693); it also hides formulas and hands an 18-digit number over as an already rounded float.
Here memory follows the cells that hold something, nothing is unpacked beyond `UNPACKED_LARGEST`, and document types
(entities) are refused. Dates and number formats are not interpreted.
"""

import io
import posixpath
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol, TypeVar
from xml.etree.ElementTree import ParseError, XMLParser

PACKED_LARGEST = 5 * 2**20
"""Bytes of an upload. 5,000 people make about 0.5 MB."""
UNPACKED_LARGEST = 8 * 2**20
"""Bytes of all parts that are read, together."""
CELLS_MOST = 100_000
COLUMNS_MOST = 256
"""What stands further right is ignored: add-ins keep notes of their own there."""
MERGES_MOST = 10_000
TEXT_LONGEST = 32_767
"""Characters of one cell, Excel's own limit."""


class XlsxUnreadable(Exception):
    """Why a file cannot be read."""

    def __init__(self, reason: "Reason") -> None:
        self.reason = reason
        super().__init__(reason.name)


class Reason(Enum):
    EMPTY = "empty"
    OLD_FORMAT = "xls, et or another format of Excel 97"
    ENCRYPTED = "protected by a password"
    TEXT = "csv, html or other text"
    OTHER = "something else"
    DAMAGED = "an xlsx that does not hold together"
    TOO_LARGE = "more bytes or cells than are read"


class Kind(Enum):
    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    """As stored: a number may read 1.10101199001010E+17. For a formula, its last result or nothing."""
    kind: Kind = Kind.TEXT
    formula: bool = False


@dataclass(frozen=True, slots=True)
class Merge:
    """A merged range, both ends included, counted from 1. Its value is in the top left cell."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Sheet:
    name: str
    rows: dict[int, dict[int, Cell]] = field(default_factory=dict)
    """Row number → column number → cell, both from 1 as on the screen, in their order. Blank cells and rows are absent."""
    merges: list[Merge] = field(default_factory=list)


def column_letters(column: int) -> str:
    """1 → A, 27 → AA."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def read_sheets(content: bytes) -> list[Sheet]:
    """The visible worksheets of a workbook, in its order.

    Raises XlsxUnreadable. Takes about 15 ms for 500 rows of 7 columns, 0.5 s at the bounds: call it in a thread.
    """
    if not content:
        raise XlsxUnreadable(Reason.EMPTY)
    if len(content) > PACKED_LARGEST:
        raise XlsxUnreadable(Reason.TOO_LARGE)
    if not content.startswith(b"PK"):
        raise XlsxUnreadable(_what_else(content))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _sheets(_Parts(archive))
    except _BROKEN_ARCHIVE as error:
        raise XlsxUnreadable(Reason.DAMAGED) from error


_BROKEN_ARCHIVE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    NotImplementedError,
)
"""What zipfile raises for an archive that does not hold together."""


def _what_else(content: bytes) -> Reason:
    if content.startswith(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    ):  # OLE2, [MS-CFB]; [MS-OFFCRYPTO] keeps encrypted files in it
        encrypted = "EncryptedPackage".encode("utf-16-le") in content
        return Reason.ENCRYPTED if encrypted else Reason.OLD_FORMAT
    if b"\0" not in content[:4096]:
        return Reason.TEXT
    return Reason.OTHER


# ---- The package


class _Parts:
    """The parts of the package, unpacked on demand until the budget is used up."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._budget = UNPACKED_LARGEST
        self._members = {info.filename.lower().replace("\\", "/"): info for info in archive.infolist()}

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._members

    def unpack(self, name: str) -> bytes:
        member = self._members.get(name.lower())
        if member is None:
            raise XlsxUnreadable(Reason.DAMAGED)
        if member.flag_bits & 0x1:
            raise XlsxUnreadable(Reason.ENCRYPTED)
        if member.compress_type not in (
            zipfile.ZIP_STORED,
            zipfile.ZIP_DEFLATED,
        ):  # all that ECMA-376 part 2 permits
            raise XlsxUnreadable(Reason.DAMAGED)
        with self._archive.open(member) as part:
            unpacked = part.read(self._budget + 1)
        self._budget -= len(unpacked)
        if self._budget < 0:
            raise XlsxUnreadable(Reason.TOO_LARGE)
        return unpacked


def _sheets(parts: _Parts) -> list[Sheet]:
    if "xl/workbook.xml" not in parts:
        raise XlsxUnreadable(Reason.OTHER)  # a docx, an ods, an xlsb or any other archive
    targets = _parse(parts.unpack("xl/_rels/workbook.xml.rels"), _Relationships())
    strings = (
        _parse(parts.unpack("xl/sharedStrings.xml"), _SharedStrings())
        if "xl/sharedStrings.xml" in parts
        else []
    )
    sheets = []
    for name, relationship in _parse(parts.unpack("xl/workbook.xml"), _Workbook()):
        target = targets.get(relationship)
        if target is not None:
            sheets.append(_parse(parts.unpack(target), _Worksheet(name, strings)))
    return sheets


# ---- The documents in it

Result_co = TypeVar("Result_co", covariant=True)


class _Target(Protocol[Result_co]):
    """What XMLParser calls. Names are `{namespace}local`: the transitional and the strict namespaces are read alike."""

    def start(self, tag: str, attributes: dict[str, str], /) -> None: ...
    def end(self, tag: str, /) -> None: ...
    def data(self, text: str, /) -> None: ...
    def doctype(self, name: str, pubid: str | None, system: str | None, /) -> None: ...
    def close(self) -> Result_co: ...


def _parse(document: bytes, target: _Target[Result_co]) -> Result_co:
    # Refused: document types, hence entities. Bounded: the document.
    parser: XMLParser[Result_co] = XMLParser(target=target)  # noqa: S314
    try:
        parser.feed(document)
        return parser.close()
    except (ParseError, ValueError, LookupError) as error:  # LookupError: an encoding that does not exist
        raise XlsxUnreadable(Reason.DAMAGED) from error


class _Reader:
    """The calls of XMLParser that most documents here do not need; a document type is what no workbook has."""

    def start(self, tag: str, attributes: dict[str, str], /) -> None:
        pass

    def end(self, tag: str, /) -> None:
        pass

    def data(self, text: str, /) -> None:
        pass

    def doctype(self, name: str, pubid: str | None, system: str | None, /) -> None:
        raise XlsxUnreadable(Reason.DAMAGED)


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


class _Relationships(_Reader):
    """Relationship id → name of the worksheet part."""

    def __init__(self) -> None:
        self._targets: dict[str, str] = {}

    def start(self, tag: str, attributes: dict[str, str], /) -> None:
        if _local(tag) == "Relationship" and attributes.get("Type", "").endswith("/worksheet"):
            target = attributes.get("Target", "").replace("\\", "/")
            self._targets[attributes.get("Id", "")] = posixpath.normpath(
                posixpath.join("/xl", target)
            ).lstrip("/")

    def close(self) -> dict[str, str]:
        return self._targets


class _Workbook(_Reader):
    """(name, relationship id) of each visible sheet."""

    def __init__(self) -> None:
        self._sheets: list[tuple[str, str]] = []

    def start(self, tag: str, attributes: dict[str, str], /) -> None:
        if _local(tag) == "sheet" and attributes.get("state", "visible") == "visible":
            relationship = next((value for key, value in attributes.items() if key.endswith("}id")), "")
            self._sheets.append((attributes.get("name", ""), relationship))

    def close(self) -> list[tuple[str, str]]:
        return self._sheets


class _RichText(_Reader):
    """Collects the text of <t>, but not of <rPh>: the pronunciation of East Asian words is not part of them."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._collecting = False
        self._in_pronunciation = False

    def start(self, tag: str, attributes: dict[str, str], /) -> None:
        match _local(tag):
            case "t":
                self._collecting = not self._in_pronunciation
            case "rPh":
                self._in_pronunciation = True

    def end(self, tag: str, /) -> None:
        match _local(tag):
            case "t":
                self._collecting = False
            case "rPh":
                self._in_pronunciation = False

    def data(self, text: str, /) -> None:
        if self._collecting:
            self._pieces.append(text)

    def _take(self) -> str:
        text = "".join(self._pieces)
        self._pieces.clear()
        if len(text) > TEXT_LONGEST:
            raise XlsxUnreadable(Reason.DAMAGED)
        return _ESCAPED_CONTROL.sub(" ", text)


_ESCAPED_CONTROL = re.compile(r"_x00[01][0-9A-Fa-f]_")
"""A control character in the escape of ST_Xstring: line ends, mostly."""


class _SharedStrings(_RichText):
    def __init__(self) -> None:
        super().__init__()
        self._strings: list[str] = []

    def end(self, tag: str, /) -> None:
        super().end(tag)
        if _local(tag) == "si":
            self._strings.append(self._take())

    def close(self) -> list[str]:
        return self._strings


class _Worksheet(_RichText):
    def __init__(self, name: str, strings: list[str]) -> None:
        super().__init__()
        self._sheet = Sheet(name)
        self._strings = strings
        self._row = self._column = self._cells = 0
        self._type = "n"
        self._formula = False

    def start(self, tag: str, attributes: dict[str, str], /) -> None:
        match _local(tag):
            case "row":
                self._row = _number(attributes["r"]) if "r" in attributes else self._row + 1
                self._column = 0
            case "c":
                if "r" in attributes:
                    self._row, self._column = _position(attributes["r"])
                else:
                    self._column += 1
                self._type = attributes.get("t", "n")
                self._formula = False
            case "f":
                self._formula = True
            case "v":
                self._collecting = True
            case "mergeCell":
                self._merge(attributes.get("ref", ""))
            case _:
                super().start(tag, attributes)

    def end(self, tag: str, /) -> None:
        match _local(tag):
            case "v":
                self._collecting = False
            case "c":
                self._put(self._take())
            case _:
                super().end(tag)

    def close(self) -> Sheet:
        return self._sheet

    def _put(self, stored: str) -> None:
        text = self._strings[_number(stored)] if self._type == "s" and stored else stored
        if (not text.strip() and not self._formula) or self._column > COLUMNS_MOST:
            return
        self._cells += 1
        if self._cells > CELLS_MOST:
            raise XlsxUnreadable(Reason.TOO_LARGE)
        kind = _KINDS.get(self._type, Kind.TEXT)
        self._sheet.rows.setdefault(self._row, {})[self._column] = Cell(text, kind, self._formula)

    def _merge(self, reference: str) -> None:
        first, _, last = reference.partition(":")
        if last and len(self._sheet.merges) < MERGES_MOST:
            self._sheet.merges.append(Merge(*_position(first), *_position(last)))


_KINDS = {"n": Kind.NUMBER, "b": Kind.BOOLEAN, "e": Kind.ERROR}
_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")


def _position(reference: str) -> tuple[int, int]:
    """B7 → (7, 2). Raises ValueError."""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise ValueError(reference)
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(found[2]), column


def _number(digits: str) -> int:
    """Raises ValueError, also for what would be negative."""
    if not digits.isdecimal() or len(digits) > 7:
        raise ValueError(digits)
    return int(digits)
