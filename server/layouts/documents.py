"""A version of how certificates of a level look, and where an institution's printer puts what it prints."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from server.institutions.rules import Level
from server.kernel.mongo import Document
from server.kernel.titled import Titled
from server.layouts.rules import dark, light, pale


class Ornament(Titled):
    LACE = "lace", "花边团花"
    LINES = "lines", "双线素框"


Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
Dark = Annotated[Colour, AfterValidator(dark)]
Light = Annotated[Colour, AfterValidator(light)]
Pale = Annotated[Colour, AfterValidator(pale)]


class Style(BaseModel):
    """All that a layout may set. What stands on the paper, and in which order, is article 17's: nothing here can hide or move it.

    The bounds keep the blocks apart and the words legible whatever is chosen within them. The defaults are the sample's (annex 2, 待核).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_to_lower=True)

    ornament: Annotated[Ornament, Field(title="纹饰")] = Ornament.LACE
    frame_colour: Annotated[Dark, Field(title="标题和边框颜色")] = "#8a1c22"
    line_colour: Annotated[Colour, Field(title="花纹线条颜色")] = "#a8853a"
    pattern_colour: Annotated[Pale, Field(title="底纹颜色")] = "#f1e7d0"
    paper_colour: Annotated[Light, Field(title="纸面颜色")] = "#fffdf8"
    title_size: Annotated[int, Field(ge=30, le=42, title="标题字号（磅）")] = 39
    name_size: Annotated[int, Field(ge=20, le=28, title="姓名字号（磅）")] = 26
    body_size: Annotated[int, Field(ge=14, le=19, title="正文字号（磅）")] = 18
    title_down: Annotated[int, Field(ge=28, le=34, title="标题距上边（毫米）")] = 32
    name_down: Annotated[int, Field(ge=56, le=60, title="姓名距上边（毫米）")] = 59
    body_down: Annotated[int, Field(ge=78, le=84, title="正文距上边（毫米）")] = 81
    issuer_right: Annotated[int, Field(ge=135, le=155, title="发证机构距左边（毫米）")] = 155
    qr_size: Annotated[int, Field(ge=20, le=25, title="二维码边长（毫米）")] = 23
    overprint_right: Annotated[float, Field(ge=-5, le=5, title="套打整体右移（毫米）")] = 0
    overprint_down: Annotated[float, Field(ge=-5, le=5, title="套打整体下移（毫米）")] = 0


class Layout(Document):
    """One version for one level. It is never changed: a newer one supersedes it, so that what was issued keeps its looks."""

    level: Level
    version: int
    """From 1; unique with the level."""
    style: Style
    effective_from: date
    reason: str
    set_by: str
    set_at: datetime


class Printer(Document):
    """How far an institution's printer is off, measured on the calibration page. `id` is the institution's code."""

    right: float = 0
    """Millimetres by which everything is moved to the right, so that it meets the printed form."""
    down: float = 0
    set_by: str
    set_at: datetime
