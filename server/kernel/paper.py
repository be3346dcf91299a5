"""Papers other than the certificate (邀请函, 入学通知 …) as PDF, drawn by Typst from a chapter's own template.

The PDF is PDF/A-2u: made to be kept, its text can be read out, and Typst refuses to write it when a font lacks a character, so that
no name is printed with a box in it. An unknown font or any other warning is an error too. The same data give the same bytes.

A template reads `json(bytes(sys.inputs.data))`: what `render` was given, and beside it `fonts`, with the families `title` (霞鹜文楷
first) and `body` (Noto Serif CJK SC first).
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import typst
from pydantic import JsonValue

from server.kernel.errors import Problem, Unavailable

FONT_FOLDERS = (
    Path(sys.prefix) / "share" / "fonts",
    Path("/usr/share/fonts/truetype/lxgw-wenkai"),
    Path("/usr/share/fonts/truetype/hanazono"),
)
"""Where fonts are looked for, so that a paper looks the same on each machine. One of the two families is enough."""
BODY_FONT = "Noto Serif CJK SC"
TITLE_FONT = "LXGW WenKai"
RARE_FONTS = ("HanaMinA", "HanaMinB")
"""Ideographs that the other two lack (decision 0039)."""
WAITING_MOST = 64
"""Papers that may wait: some seconds. Whoever comes then is asked to come again."""

# Typst's words: PDF/A-2u error: the text `"𱅒"` could not be displayed with font …
_MISSING = re.compile(r'the text `"(.+?)"` could not be displayed')


class PaperFailed(Problem):
    """Typst refused to draw, or warned; its own words are the `__cause__`."""

    status = 500
    slug = "paper-failed"
    title = "文件生成失败"
    default_detail = "文件没有生成，请稍后重试；仍不成功请联系平台管理员。"


class PaperLacksCharacter(PaperFailed):
    """No font on this machine has a character that the paper needs."""

    status = 422
    slug = "paper-lacks-character"
    title = "字体缺字"


class _Press:
    """One Typst compiler with its fonts loaded, and one thread: a compiler draws one paper at a time, without holding the GIL."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="papers")
        self._waiting = 0

    async def print(self, template: Path, data: Mapping[str, JsonValue]) -> bytes:
        if self._waiting >= WAITING_MOST:
            raise Unavailable("同时生成文件的人太多，请稍后再试。")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, _draw, template, data)
        finally:
            self._waiting -= 1


@cache
def _press() -> _Press:
    """The one of this process, as Typst's own cache is."""
    return _Press()


@cache
def _compiler() -> tuple[typst.Compiler, list[str], list[str]]:
    """The compiler, the families there are, and those for rare characters. Loading takes a moment: done at the first paper, in the
    thread."""
    fonts = typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(folder) for folder in FONT_FOLDERS if folder.is_dir()],
    )
    families = [family for family in (TITLE_FONT, BODY_FONT) if family in fonts.families()]
    if not families:
        raise PaperFailed(f"没有可用的字体：请安装 {BODY_FONT} 或 {TITLE_FONT}。")
    rare = [family for family in RARE_FONTS if family in fonts.families()]
    return typst.Compiler(font_paths=fonts, ignore_system_fonts=True), families, rare


def _draw(template: Path, data: Mapping[str, JsonValue]) -> bytes:
    compiler, families, rare = _compiler()
    words = {**data, "fonts": {"title": [*families, *rare], "body": [*families[::-1], *rare]}}
    try:
        drawn, warnings = compiler.compile_with_warnings(
            template.read_bytes(),
            format="pdf",
            sys_inputs={"data": json.dumps(words, ensure_ascii=False)},
            pdf_standards="a-2u",
        )
    except typst.TypstError as refusal:
        if missing := _MISSING.search(refusal.message):
            raise PaperLacksCharacter(
                f"字体中没有“{missing[1]}”字，无法打印。请联系平台管理员安装含有该字的字体。"
            ) from refusal
        raise PaperFailed from refusal
    if warnings:
        raise PaperFailed from warnings[0]
    assert isinstance(drawn, bytes)
    return drawn


async def render(template: Path, data: Mapping[str, JsonValue]) -> bytes:
    """`template` filled with `data`, as a PDF of one or more pages.

    Raises PaperLacksCharacter, PaperFailed, or Unavailable when too many wait.
    """
    return await _press().print(template, data)
