"""What an uploaded file is, read from its content: the name proves nothing. An allow list; whatever else is refused.

Signatures by the formats' own standards: PDF ISO 32000-1 7.5.2 (its header within the first 1024 bytes: Adobe's
PDF Reference 1.7, appendix H, note 13), PNG and JPEG as in the WHATWG MIME Sniffing Standard 6.1, WebP RFC 9649,
ISO base media brands (mp4, heic) ISO/IEC 14496-12 and 23008-12, ZIP APPNOTE.TXT, OOXML ECMA-376 part 2.
"""

from __future__ import annotations

import codecs
import io
import stat
import zipfile
from dataclasses import dataclass

from server.kernel.errors import Problem

HEAD = 4096
"""Bytes from the beginning that are looked at."""
PDF_HEADER_WITHIN = 1024
TAIL = 1024 * 1024
"""Bytes from the end that are kept: the table of contents of a zip container stands there."""


class FileTypeRefused(Problem):
    status = 415
    slug = "file-type-refused"
    title = "不接受这种文件"
    default_detail = (
        "请提交 PDF、Word（docx）、Excel（xlsx）、PPT（pptx）、图片、mp4 视频、zip 或 UTF-8 文本文件。"
    )


@dataclass(frozen=True)
class FileType:
    media_type: str
    extensions: tuple[str, ...]
    """The usual one first."""
    title: str


PDF = FileType("application/pdf", ("pdf",), "PDF")
PNG = FileType("image/png", ("png",), "图片")
JPEG = FileType("image/jpeg", ("jpg", "jpeg"), "图片")
WEBP = FileType("image/webp", ("webp",), "图片")
HEIC = FileType("image/heic", ("heic", "heif"), "图片")
MP4 = FileType("video/mp4", ("mp4", "m4v"), "视频")
ZIP = FileType("application/zip", ("zip",), "压缩包")
TEXT = FileType("text/plain; charset=utf-8", ("txt", "md"), "文本")
_OOXML = "application/vnd.openxmlformats-officedocument."
DOCX = FileType(_OOXML + "wordprocessingml.document", ("docx",), "Word 文档")
XLSX = FileType(_OOXML + "spreadsheetml.sheet", ("xlsx",), "Excel 表格")
PPTX = FileType(_OOXML + "presentationml.presentation", ("pptx",), "PPT 演示文稿")
ACCEPTED = (PDF, DOCX, XLSX, PPTX, PNG, JPEG, WEBP, HEIC, MP4, ZIP, TEXT)

_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_MP4_BRANDS = {
    b"isom",
    b"iso2",
    b"iso4",
    b"iso5",
    b"iso6",
    b"mp41",
    b"mp42",
    b"avc1",
    b"M4V ",
    b"MSNV",
    b"dash",
}
_ZIP = b"PK\x03\x04"
_PDF_BLANKS = b"\0\t\n\f\r "
_OFFICE = {"word/": DOCX, "xl/": XLSX, "ppt/": PPTX}
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


class Recogniser:
    """Is fed a file as it streams by, and says what it is: `begins` as soon as the head is there, `ends` when all of it passed."""

    def __init__(self) -> None:
        self._head = b""
        self._tail = bytearray()
        self._size = 0
        self._text = codecs.getincrementaldecoder("utf-8-sig")()
        self._type: FileType | None = None

    def feed(self, data: bytes) -> None:
        """Raises FileTypeRefused as soon as the content shows what is not accepted."""
        self._size += len(data)
        if self._type is None:
            self._head += data
            if len(self._head) < HEAD:
                return
            data = self._begin()
        self._follow(data, final=False)

    @property
    def looks_inside(self) -> bool:
        """Whether the end of the file has a table of contents to be read, as long as its sender made it."""
        return self._head.startswith(_ZIP)

    def end(self) -> FileType:
        """What the file is. Raises FileTypeRefused."""
        data = b"" if self._type else self._begin()
        self._follow(data, final=True)
        if self._type is ZIP:
            return _look_into_zip(bytes(self._tail), self._size)
        assert self._type is not None
        return self._type

    def _begin(self) -> bytes:
        self._type = _by_signature(self._head)
        return self._head

    def _follow(self, data: bytes, *, final: bool) -> None:
        if self._type is ZIP:
            self._tail += data
            if len(self._tail) > 2 * TAIL:
                del self._tail[:-TAIL]
        elif self._type is TEXT:
            if b"\0" in data:
                raise FileTypeRefused()
            try:
                self._text.decode(data, final)
            except UnicodeDecodeError:
                raise FileTypeRefused("文本文件请另存为 UTF-8 编码后再提交。") from None


def _by_signature(head: bytes) -> FileType:
    if not head:
        raise FileTypeRefused("文件是空的，请检查后重新选择。")
    if _is_pdf(head):
        return PDF
    for beginning, known in (
        (b"\x89PNG\r\n\x1a\n", PNG),
        (b"\xff\xd8\xff", JPEG),
        (_ZIP, ZIP),
    ):
        if head.startswith(beginning):
            return known
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[4:8] == b"ftyp":
        return _by_brand(head[8:12])
    if head.startswith(_OLD_OFFICE):
        raise FileTypeRefused(
            "旧版 Office 文件（doc、xls、ppt）或加密文件不能提交，请另存为 docx、xlsx、pptx。"
        )
    return _text_or_nothing(head)


def _is_pdf(head: bytes) -> bool:
    """Nothing but blanks and a byte order mark may stand before the header: a text that speaks of %PDF-1.7 is none."""
    return head[:PDF_HEADER_WITHIN].lstrip(codecs.BOM_UTF8 + _PDF_BLANKS).startswith(b"%PDF-")


def _by_brand(brand: bytes) -> FileType:
    if brand in _HEIC_BRANDS:
        return HEIC
    if brand in _MP4_BRANDS:
        return MP4
    raise FileTypeRefused("视频请转换为 mp4 格式后再提交。")


def _text_or_nothing(head: bytes) -> FileType:
    """Text without control characters that is no markup (html, svg, xml) and names no interpreter."""
    if any(byte < 0x20 and byte not in b"\t\n\r\f\x1b" for byte in head):
        raise FileTypeRefused()
    begins = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if begins.startswith((b"<", b"#!")):
        raise FileTypeRefused("网页、SVG 和脚本不能提交。如需展示，请导出为 PDF。")
    return TEXT


class _End:
    """A file of which only the end is known, as far as zipfile needs one to read a table of contents."""

    def __init__(self, tail: bytes, size: int) -> None:
        self._tail = io.BytesIO(tail)
        self._unknown = size - len(tail)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = self._unknown if whence == io.SEEK_SET else 0
        return self._tail.seek(offset - start, whence) + self._unknown

    def tell(self) -> int:
        return self._tail.tell() + self._unknown

    def read(self, size: int | None = -1, /) -> bytes:
        return self._tail.read(size)


def _look_into_zip(tail: bytes, size: int) -> FileType:
    """docx, xlsx and pptx are zips: the names in the table of contents tell. Programs in the same clothes are refused."""
    try:
        with zipfile.ZipFile(_End(tail, size)) as archive:
            listed = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError):
        raise FileTypeRefused("压缩包或 Office 文件不完整，请重新保存后再提交。") from None
    names = {one.filename for one in listed}
    if any(stat.S_ISLNK(one.external_attr >> 16) for one in listed):  # where Unix keeps the mode of a file
        raise FileTypeRefused("压缩包里有指向别处的链接，请放入文件本身后重新压缩。")
    if "META-INF/MANIFEST.MF" in names or "AndroidManifest.xml" in names:
        raise FileTypeRefused("程序不能提交。")
    if "[Content_Types].xml" not in names:
        return ZIP
    if any(name.endswith("/vbaProject.bin") for name in names):
        raise FileTypeRefused("带宏的 Office 文件不能提交，请另存为不含宏的 docx、xlsx、pptx。")
    for folder, known in _OFFICE.items():
        if any(name.startswith(folder) for name in names):
            return known
    return ZIP


NAME_LONGEST = 120


def safe_name(given: str, known: FileType) -> str:
    """The name without folders and control characters, ending as what the file is: `x.html` that holds text becomes `x.html.txt`."""
    bare = given.replace("\\", "/").rpartition("/")[2]
    bare = "".join(character for character in bare if character.isprintable()).strip(" .")
    stem, dot, extension = bare.rpartition(".")
    if not dot or extension.lower() not in known.extensions:
        stem, extension = bare, known.extensions[0]
    extension = extension.lower()
    return f"{stem[: NAME_LONGEST - len(extension) - 1] or '未命名'}.{extension}"
