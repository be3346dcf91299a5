"""The certificate as PDF and PNG, drawn by Typst from `template.typ`.

The PDF is PDF/A-2u: made to be kept, its text can be read out, and Typst refuses to write it when a font lacks a character, so that
no name is ever printed with a box in it. An unknown font or any other warning is an error too. The same snapshot and address give
the same bytes.

Fonts come from two places only, so that a certificate looks the same on each machine: `<sys.prefix>/share/fonts` (Noto Serif CJK SC,
the body, put there by the installation) and Debian's fonts-lxgw-wenkai (霞鹜文楷, title and name). One of them is enough.
"""

import io
import json
import re
import sys
import threading
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Literal

import segno
import typst

from server.certificates.documents import CertificateSnapshot
from server.kernel.errors import Problem

TEMPLATE_VERSION = 1
TITLE = "工学一体化教师培训合格证书"
PHONE_PPI = 144

FONT_FOLDERS = (Path(sys.prefix) / "share" / "fonts", Path("/usr/share/fonts/truetype/lxgw-wenkai"))
BODY_FONT = "Noto Serif CJK SC"
TITLE_FONT = "LXGW WenKai"

# Typst's words: PDF/A-2u error: the text `"𱅒"` could not be displayed with font …
_MISSING = re.compile(r'the text `"(.+?)"` could not be displayed')
_DOES_NOT_FIT = "the text does not fit"  # said by template.typ

_TEMPLATE = Path(__file__).with_name("template.typ")

Sheet = tuple[CertificateSnapshot, str]
"""What is printed, and the address of its verification page."""


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


class TextTooLong(RenderFailed):
    """The words do not fit on the page even in the smallest size."""

    status = 422
    slug = "certificate-text-too-long"
    title = "证书内容过长"
    default_detail = "姓名、发证机构或课程名称过长，证书上排不下，请缩短课程名称后重试。"


class FontsMissing(Exception):
    """Neither font is on this machine. The message, for the operator, says where they are looked for."""


class CertificateRenderer:
    """Keeps one Typst compiler with its fonts loaded, so that a page takes some 40 ms (PDF) or 120 ms (PNG).

    The methods block for that time, without holding the GIL, and may be called from any thread; a lock lets one page through at a
    time, for a compiler serves one caller. From a coroutine: `await loop.run_in_executor(None, renderer.render_pdf, snapshot, url)`.
    Typst's cache is one for the whole process: only more processes draw more pages.
    """

    def __init__(self, font_folders: tuple[Path, ...] = FONT_FOLDERS) -> None:
        """Raises FontsMissing if none of the folders holds one of the two fonts."""
        fonts = typst.Fonts(
            include_system_fonts=False,
            include_embedded_fonts=False,
            font_paths=[str(folder) for folder in font_folders if folder.is_dir()],
        )
        self._families = [family for family in (TITLE_FONT, BODY_FONT) if family in fonts.families()]
        if not self._families:
            folders = "、".join(map(str, font_folders))
            raise FontsMissing(
                f"没有可用的证书字体：请安装 {BODY_FONT} 或 {TITLE_FONT}（查找位置：{folders}）。"
            )
        self._compiler = typst.Compiler(font_paths=fonts, ignore_system_fonts=True)
        self._template = _TEMPLATE.read_bytes()
        self._one_at_a_time = threading.Lock()

    def fonts_report(self) -> str:
        """One line for the start-up."""
        if self._families == [TITLE_FONT, BODY_FONT]:
            return f"证书字体 certificate fonts: 霞鹜文楷 {TITLE_FONT} + {BODY_FONT}"
        if self._families == [BODY_FONT]:
            return f"证书字体 certificate fonts: {BODY_FONT} only; 未安装楷体 (fonts-lxgw-wenkai), 标题和姓名用宋体"
        return f"证书字体 certificate fonts: {TITLE_FONT} only; 未安装 {BODY_FONT}, 正文用楷体"

    def render_pdf(self, snapshot: CertificateSnapshot, verify_url: str) -> bytes:
        """The certificate as a one-page PDF/A-2u. Raises RenderFailed."""
        return self._compile([(snapshot, verify_url)], "pdf")

    def render_book(self, sheets: Sequence[Sheet], title: str) -> bytes:
        """Several certificates of one issuer as one PDF/A-2u, a page each, in their order: what they share is drawn and kept once.
        Raises RenderFailed."""
        return self._compile(sheets, "pdf", title=title)

    def render_png(self, snapshot: CertificateSnapshot, verify_url: str, ppi: float = PHONE_PPI) -> bytes:
        """The certificate as an image of 11.7 × 8.3 inches at `ppi` pixels an inch. Raises RenderFailed.

        The PDF is drawn first: only its export notices that a font lacks a character.
        """
        self._compile([(snapshot, verify_url)], "pdf")
        return self._compile([(snapshot, verify_url)], "png", ppi)

    def _compile(
        self,
        sheets: Sequence[Sheet],
        form: Literal["pdf", "png"],
        ppi: float | None = None,
        title: str = "",
    ) -> bytes:
        for snapshot, _ in sheets:
            if snapshot.template_version != TEMPLATE_VERSION:
                raise RenderFailed(f"没有第{snapshot.template_version}版证书样式，请联系平台管理员。")
        with self._one_at_a_time:
            try:
                drawn, warnings = self._compiler.compile_with_warnings(
                    self._template,
                    format=form,
                    ppi=ppi,
                    sys_inputs=self._inputs(sheets, title),
                    pdf_standards="a-2u" if form == "pdf" else [],
                )
            except typst.TypstError as refusal:
                raise _failure(refusal.message) from refusal
        if warnings:
            raise RenderFailed from warnings[0]
        if not isinstance(drawn, bytes):
            raise TextTooLong  # Typst gives a list of pages when there are several
        return drawn

    def _inputs(self, sheets: Sequence[Sheet], title: str = "") -> dict[str, str]:
        """What template.typ prints."""
        first = sheets[0][0]
        issued = max(snapshot.issued_on for snapshot, _ in sheets)
        words = {
            "fonts": {"title": self._families, "body": self._families[::-1]},
            "title": title or f"{TITLE} {first.number}",
            "author": first.issuer,
            "date": {"year": issued.year, "month": issued.month, "day": issued.day},
            "sheets": [_words(snapshot) | {"qr": _qr(verify_url)} for snapshot, verify_url in sheets],
        }
        return {"sheets": json.dumps(words, ensure_ascii=False)}


def _words(snapshot: CertificateSnapshot) -> dict[str, object]:
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


def _failure(message: str) -> RenderFailed:
    if missing := _MISSING.search(message):
        return CharacterMissing(
            f"证书字体中没有“{missing[1]}”字，无法打印。请联系平台管理员安装含有该字的字体。"
        )
    if _DOES_NOT_FIT in message:
        return TextTooLong()
    return RenderFailed()


def _chinese_parts(day: date) -> list[str]:
    return [f"{day.year}年", f"{day.month}月", f"{day.day}日"]


def _qr(url: str) -> str:
    svg = io.BytesIO()
    segno.make_qr(url, error="m").save(
        svg, kind="svg", border=0, xmldecl=False, svgclass=None, lineclass=None
    )
    return svg.getvalue().decode()
