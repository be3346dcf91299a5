"""The certificate as PDF and picture, drawn by Typst from `template_N.typ`.

The PDF is PDF/A-2a and PDF/UA-1: made to be kept, tagged, its text can be read out, and Typst refuses to write it when a font lacks a
character, so that no name is ever printed with a box in it. An unknown font or any other warning is an error too. The same sheet gives
the same bytes.

The ground (frame, 底纹, 微缩文字) is the same for all certificates of a layout and is drawn once: as SVG for PDF, as pixels for pictures.
A certificate of version 1 is drawn as it was in its days.

Fonts come from few places only, so that a certificate looks the same on each machine: `<sys.prefix>/share/fonts` (Noto Serif CJK SC,
the body, put there by the installation), Debian's fonts-lxgw-wenkai (霞鹜文楷, title and name), one of which is enough, and
fonts-hanazono (花园明朝), which has the ideographs of GB 18030-2022 that these two lack.
"""

from __future__ import annotations

import base64
import io
import json
import re
import tempfile
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import segno
import typst
from PIL import Image

from server.certificates.documents import CertificateSnapshot
from server.kernel.errors import Problem
from server.kernel.paper import BODY_FONT, FONT_FOLDERS, RARE_FONTS, TITLE_FONT
from server.layouts.documents import Layout, Style

TEMPLATE_VERSION = 2
TITLE = "工学一体化教师培训合格证书"
PHONE_PPI = 144
PHONE_WIDTH = 1080
PAGE_INCHES = 297 / 25.4
JPEG_QUALITY = 82

GROUNDS_KEPT = 16
"""Some 300 KB each."""

_STANDARDS: list[typst.PDFStandard] = ["a-2a", "ua-1"]
# Typst's words: PDF/A-2a error: the text `"𱅒"` could not be displayed with font …
_MISSING = re.compile(r'the text `"(.+?)"` could not be displayed')
_DOES_NOT_FIT = "the text does not fit"  # said by the templates

_HERE = Path(__file__).parent
_SHEET_1, _SHEET_2, _GROUND, _CALIBRATION = (
    (_HERE / f"{name}.typ").read_bytes() for name in ("template_1", "template_2", "ground_2", "calibration")
)
_PROOF = b"""#let data = json(bytes(sys.inputs.data))
#set document(title: "-")
#set text(font: data.fonts, lang: "zh", fallback: false)
#data.words
"""
_TOKEN_IN_CAPITALS = re.compile(r"/verify/([A-Z2-7]{26})")


@dataclass(frozen=True)
class Sheet:
    """One certificate to be drawn, with all that it needs: it can be sent to another process."""

    snapshot: CertificateSnapshot
    verify_url: str
    """The address of its verification page."""
    seal: bytes | None = None
    """The issuer's, of the version that the snapshot names; None prints 未盖章."""
    seal_type: str = ""
    """image/png or image/svg+xml."""
    layout: Layout | None = None
    """That the snapshot names; None is the program's own."""

    @property
    def style(self) -> Style:
        return self.layout.style if self.layout else Style()


class RenderFailed(Problem):
    """Typst refused to draw, or warned; its own words are the `__cause__`."""

    status = 500
    slug = "certificate-render-failed"
    title = "证书生成失败"
    default_detail = "证书没有生成，请稍后重试；仍不成功请联系平台管理员。"


class CharacterMissing(RenderFailed):
    """No font on this machine has a character that the certificate needs."""

    status = 422
    slug = "certificate-character-missing"
    title = "证书字体缺字"
    characters: frozenset[str] = frozenset()


class TextTooLong(RenderFailed):
    """The words do not fit on the page even in the smallest size."""

    status = 422
    slug = "certificate-text-too-long"
    title = "证书内容过长"
    default_detail = "姓名、发证机构或课程名称过长，证书上排不下，请缩短课程名称后重试。"


class FontsMissing(Exception):
    """Neither font is on this machine. The message, for the operator, says where they are looked for."""


class CertificateRenderer:
    """Keeps one Typst compiler with its fonts loaded, so that a page takes some 20 ms (PDF) or 100 ms (PNG).

    The methods block for that time, without holding the GIL, and may be called from any thread; a lock lets one page through at a
    time, for a compiler serves one caller. Typst's cache is one for the whole process: only more processes draw more pages.
    """

    def __init__(self, font_folders: tuple[Path, ...] = FONT_FOLDERS) -> None:
        """Raises FontsMissing if none of the folders holds one of the two fonts."""
        fonts = typst.Fonts(
            include_system_fonts=False,
            include_embedded_fonts=False,
            font_paths=[str(folder) for folder in font_folders if folder.is_dir()],
        )
        there = fonts.families()
        self._families = [family for family in (TITLE_FONT, BODY_FONT) if family in there]
        if not self._families:
            folders = "、".join(map(str, font_folders))
            raise FontsMissing(
                f"没有可用的证书字体：请安装 {BODY_FONT} 或 {TITLE_FONT}（查找位置：{folders}）。"
            )
        self._rare = [family for family in RARE_FONTS if family in there]
        self._pixels = tempfile.TemporaryDirectory(
            prefix="certificate-grounds-"
        )  # Typst takes pixels from files only
        self._compiler = typst.Compiler(root=self._pixels.name, font_paths=fonts, ignore_system_fonts=True)
        self._grounds: dict[tuple[Style, float | None], tuple[str, Any]] = {}
        self._proven: set[str] = set()
        self._one_at_a_time = threading.RLock()

    def fonts_report(self) -> str:
        """One line for the start-up."""
        rare = "" if self._rare else "；未安装花园明朝 (fonts-hanazono), 生僻字可能无法打印"
        if self._families == [TITLE_FONT, BODY_FONT]:
            return f"证书字体 certificate fonts: 霞鹜文楷 {TITLE_FONT} + {BODY_FONT}{rare}"
        if self._families == [BODY_FONT]:
            return f"证书字体 certificate fonts: {BODY_FONT} only; 未安装楷体 (fonts-lxgw-wenkai), 标题和姓名用宋体{rare}"
        return f"证书字体 certificate fonts: {TITLE_FONT} only; 未安装 {BODY_FONT}, 正文用楷体{rare}"

    # ---- certificates

    def render_pdf(self, sheet: Sheet) -> bytes:
        """The certificate as a one-page PDF. Raises RenderFailed."""
        return self._pdf([sheet])

    def render_book(self, sheets: Sequence[Sheet], title: str) -> bytes:
        """Several certificates of one issuer and template version as one PDF, a page each, in their order. What they share is drawn once,
        fonts and seal are kept once; the ground is kept with each page, some 70 KB. Raises RenderFailed."""
        return self._pdf(sheets, title)

    def render_png(self, sheet: Sheet, ppi: float = PHONE_PPI) -> bytes:
        """The certificate as an image of 11.7 × 8.3 inches at `ppi` pixels an inch. Raises RenderFailed."""
        if lacking := self.missing(_printed_words(sheet.snapshot)):  # the export to pixels would not notice
            raise _lacking(lacking)
        template, inputs = self._of([sheet], ppi=ppi)
        return self._compile(template, "png", inputs, ppi)

    def render_jpeg(self, sheet: Sheet, width: int = PHONE_WIDTH) -> bytes:
        """The same as a JPEG, `width` pixels wide: for phones, at a fraction of the bytes. Raises RenderFailed."""
        with Image.open(io.BytesIO(self.render_png(sheet, ppi=width / PAGE_INCHES))) as drawn:
            saved = io.BytesIO()
            drawn.convert("RGB").save(saved, "JPEG", quality=JPEG_QUALITY, optimize=True)
        return saved.getvalue()

    # ---- paper that is printed already

    def render_overprint(
        self, sheets: Sequence[Sheet], title: str, *, right: float = 0, down: float = 0
    ) -> bytes:
        """What is printed on a form that has ground and title: words and QR code, moved by the layout's offset and the printer's, in mm.
        The seal is pressed on by hand. Raises RenderFailed."""
        words = [_words(one) | _overprinted(one.style, right, down) for one in sheets]
        return self._compile(_SHEET_2, "pdf", self._inputs(words, title=title, sheets=sheets))

    def render_form(self, layout: Layout | None) -> bytes:
        """The form itself, for the printing house: ground and title. Raises RenderFailed."""
        style = layout.style if layout else Style()
        key, ground = self._ground(style, None)
        blank = {"style": style.model_dump(mode="json"), "ground": key, "title": TITLE}
        inputs = _json(
            fonts=self._fonts(),
            title=f"{TITLE}（空白）",
            author="",
            date=_date(layout.effective_from if layout else date(2022, 1, 1)),
            grounds={key: ground},
            seals={},
            sheets=[],
            blanks=[blank],
        )
        return self._compile(_SHEET_2, "pdf", {"sheets": inputs})

    def render_calibration(self, *, right: float = 0, down: float = 0) -> bytes:
        """Crosses and rulers, to measure how far off a printer is. Raises RenderFailed."""
        data = _json(fonts=self._fonts()["body"], right=right, down=down)
        return self._compile(_CALIBRATION, "pdf", {"data": data})

    # ---- characters

    def missing(self, words: Iterable[str]) -> str:
        """Those of their characters that no font here has, in order. What was found once is not asked for again."""
        asked = sorted({char for word in words for char in word} - self._proven)
        there = asked
        while there:
            try:
                self._compile(
                    _PROOF, "pdf", {"data": _json(fonts=self._fonts()["body"], words=" ".join(there))}
                )
            except CharacterMissing as refusal:
                lacking = refusal.characters
                if not lacking & set(there):
                    raise
                there = [char for char in there if char not in lacking]
            else:
                break
        self._proven.update(there)
        return "".join(char for char in asked if char not in set(there))

    # ---- Typst

    def _pdf(self, sheets: Sequence[Sheet], title: str = "") -> bytes:
        template, inputs = self._of(sheets, title)
        return self._compile(template, "pdf", inputs)

    def _of(
        self, sheets: Sequence[Sheet], title: str = "", *, ppi: float | None = None
    ) -> tuple[bytes, dict[str, str]]:
        """The template of their version, and what it prints."""
        versions = {one.snapshot.template_version for one in sheets}
        if versions == {1}:
            words = [_words_1(one.snapshot) | {"qr": _qr(one.verify_url)} for one in sheets]
            return _SHEET_1, {"sheets": _json(**self._about(sheets, title), sheets=words)}
        if versions != {TEMPLATE_VERSION}:
            unknown = "、".join(map(str, sorted(versions - {1, TEMPLATE_VERSION}))) or "、".join(
                map(str, sorted(versions))
            )
            raise RenderFailed(f"没有第{unknown}版证书样式，请联系平台管理员。")
        return _SHEET_2, self._inputs([_words(one) for one in sheets], title=title, sheets=sheets, ppi=ppi)

    def _inputs(
        self,
        words: Sequence[dict[str, Any]],
        *,
        title: str,
        sheets: Sequence[Sheet],
        ppi: float | None = None,
    ) -> dict[str, str]:
        grounds, seals = {}, {}
        for one, said in zip(sheets, words, strict=True):
            if not said["overprint"]:
                said["ground"], ground = self._ground(one.style, ppi)
                grounds[said["ground"]] = ground
            if said["seal"]:
                seals[said["seal"]] = _seal_svg(one)
        about = self._about(sheets, title)
        return {"sheets": _json(**about, grounds=grounds, seals=seals, sheets=words, blanks=[])}

    def _about(self, sheets: Sequence[Sheet], title: str) -> dict[str, Any]:
        """What the file says about itself."""
        first = sheets[0].snapshot
        return {
            "fonts": self._fonts(),
            "title": title or f"{TITLE} {first.number}",
            "author": first.issuer,
            "date": _date(max(one.snapshot.issued_on for one in sheets)),
        }

    def _fonts(self) -> dict[str, list[str]]:
        return {
            "title": [*self._families, *self._rare],
            "body": [*self._families[::-1], *self._rare],
        }

    def _ground(self, style: Style, ppi: float | None) -> tuple[str, Any]:
        """Its key, and how the template gets it: as SVG, or as a file of pixels that are laid one on one."""
        with self._one_at_a_time:
            known = (style, ppi)
            if known not in self._grounds:
                if len(self._grounds) >= GROUNDS_KEPT:
                    self._forget(next(iter(self._grounds)))
                inputs = {"style": _json(**style.model_dump(mode="json"), fonts=self._fonts()["body"])}
                drawn = self._compile(_GROUND, "png" if ppi else "svg", inputs, ppi)
                self._grounds[known] = self._kept(drawn, ppi)
            return self._grounds[known]

    def _kept(self, drawn: bytes, ppi: float | None) -> tuple[str, Any]:
        key = sha256(drawn).hexdigest()[:16]
        if not ppi:
            return key, {"svg": drawn.decode()}
        (Path(self._pixels.name) / f"{key}.png").write_bytes(drawn)
        with Image.open(io.BytesIO(drawn)) as picture:
            width, height = picture.size
        return key, {"file": f"/{key}.png", "width": width / ppi * 72, "height": height / ppi * 72}

    def _forget(self, known: tuple[Style, float | None]) -> None:
        key, _ = self._grounds.pop(known)
        if known[1]:
            (Path(self._pixels.name) / f"{key}.png").unlink(missing_ok=True)

    def _compile(
        self,
        template: bytes,
        form: Literal["pdf", "png", "svg"],
        inputs: dict[str, str],
        ppi: float | None = None,
    ) -> bytes:
        with self._one_at_a_time:
            try:
                drawn, warnings = self._compiler.compile_with_warnings(
                    template,
                    format=form,
                    ppi=ppi,
                    sys_inputs=inputs,
                    pdf_standards=_STANDARDS if form == "pdf" else [],
                )
            except typst.TypstError as refusal:
                raise _failure(refusal.message) from refusal
        if warnings:
            raise RenderFailed from warnings[0]
        if not isinstance(drawn, bytes):
            raise TextTooLong  # Typst gives a list of pages when there are several
        return drawn


@cache
def renderer() -> CertificateRenderer:
    """The one of this process, as Typst's own cache is. Loading the fonts takes a moment: made at the first page."""
    return CertificateRenderer()


def missing_characters(words: Iterable[str]) -> str:
    """Which of their characters no font here has: asked before a number is taken. Blocks for some milliseconds."""
    return renderer().missing(words)


# ---- words


def _words_1(snapshot: CertificateSnapshot) -> dict[str, Any]:
    """Of one sheet, ready made."""
    return {
        "title": TITLE,
        "name": snapshot.name,
        "id_number": snapshot.id_number,
        "training_from": _chinese_parts(snapshot.training_from),
        "training_to": _chinese_parts(snapshot.training_to),
        "training": snapshot.level.training,
        "major": snapshot.major,
        "courses": "".join(f"《{course}》" for course in snapshot.courses),
        "class_hours": str(snapshot.class_hours),
        "result": snapshot.result,
        "issuer": snapshot.issuer,
        "serial": snapshot.serial,
        "number": snapshot.number,
        "issued_on": "".join(_chinese_parts(snapshot.issued_on)),
    }


def _words(sheet: Sheet) -> dict[str, Any]:
    """Of one sheet of version 2: what is printed, and how it looks."""
    snapshot = sheet.snapshot
    return _words_1(snapshot) | {
        "style": sheet.style.model_dump(mode="json"),
        "ground": None,
        "mark": snapshot.mark,
        "seal": sha256(sheet.seal).hexdigest()[:16] if sheet.seal else None,
        "unsealed": "" if sheet.seal else "（未盖章）",
        "micro": f"{snapshot.number}·{snapshot.serial}·{snapshot.name}",
        "qr": _qr(in_capitals(sheet.verify_url)),
        "verify_url": sheet.verify_url,
        "overprint": False,
        "right": 0,
        "down": 0,
    }


def _overprinted(style: Style, right: float, down: float) -> dict[str, Any]:
    """On a form: the seal is pressed by hand, so that neither its picture nor its lack is printed."""
    moved = {"right": style.overprint_right + right, "down": style.overprint_down + down}
    return {"overprint": True, "seal": None, "unsealed": ""} | moved


def _printed_words(snapshot: CertificateSnapshot) -> list[str]:
    """All that comes from people or the database."""
    said = _words_1(snapshot)
    return [snapshot.mark, *(word for word in said.values() if isinstance(word, str))]


def _seal_svg(sheet: Sheet) -> str:
    """A PNG is wrapped, for Typst takes no bytes but of text."""
    assert sheet.seal is not None
    if sheet.seal_type == "image/svg+xml":
        return sheet.seal.decode()
    with Image.open(io.BytesIO(sheet.seal)) as picture:
        width, height = picture.size
    data = base64.b64encode(sheet.seal).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{data}"/></svg>'
    )


def _failure(message: str) -> RenderFailed:
    if missing := _MISSING.search(message):
        return _lacking(_unescaped(missing[1]))
    if _DOES_NOT_FIT in message:
        return TextTooLong()
    return RenderFailed()


def _lacking(characters: str) -> CharacterMissing:
    shown = "”“".join(_shown(char) for char in characters)
    refusal = CharacterMissing(f"证书字体中没有“{shown}”字，无法打印。请联系平台管理员安装含有该字的字体。")
    refusal.characters = frozenset(characters)
    return refusal


def _unescaped(text: str) -> str:
    """Typst writes what cannot be seen as \\u{e1234}."""
    return re.sub(r"\\u\{([0-9a-f]+)\}", lambda code: chr(int(code[1], 16)), text)


def _shown(char: str) -> str:
    return char if char.isprintable() else f"U+{ord(char):04X}"


def _chinese_parts(day: date) -> list[str]:
    return [f"{day.year}年", f"{day.month}月", f"{day.day}日"]


def _date(day: date) -> dict[str, int]:
    return {"year": day.year, "month": day.month, "day": day.day}


def _json(**said: Any) -> str:
    return json.dumps(said, ensure_ascii=False)


# ---- the QR code


def in_capitals(url: str) -> str:
    """The same address in the letters that a QR code packs 5.5 bits each, if the token allows: fewer and larger modules. Scheme and host
    are of no case, and /V/ leads where /verify/ does."""
    parts = urlsplit(url)
    token = _TOKEN_IN_CAPITALS.fullmatch(parts.path)
    return f"{parts.scheme}://{parts.netloc}/V/{token[1]}".upper() if token else url


def _qr(url: str) -> str:
    svg = io.BytesIO()
    segno.make_qr(url, error="m").save(
        svg, kind="svg", border=0, xmldecl=False, svgclass=None, lineclass=None
    )
    return svg.getvalue().decode()
