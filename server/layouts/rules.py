"""What a layout may look like: colours in which a certificate stays legible (article 17.3)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Protocol, TypeVar

INK = "#231f1c"
"""Of the words."""
LEGIBLE = 4.5
"""Contrast of words to their ground, as WCAG 2.2 asks for."""
FAINT = 1.6
"""A pattern under the words must not stand out more than this."""


def luminance(colour: str) -> float:
    """Relative, of "#rrggbb" in sRGB: 0 is black and 1 white."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1, the same, to 21, black on white."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def dark(colour: str) -> str:
    """Of words and frames: legible on white and on whatever paper is chosen."""
    if contrast(colour, "#ffffff") < 7:
        raise ValueError("颜色太浅，印在纸面上看不清，请选深一些的颜色。")
    return colour


def light(colour: str) -> str:
    """Of the paper."""
    if contrast(colour, "#ffffff") > 1.25:
        raise ValueError("颜色太深，文字和二维码会看不清，请选接近白色的颜色。")
    return colour


def pale(colour: str) -> str:
    """Of the pattern under the words."""
    if contrast(colour, "#ffffff") > FAINT:
        raise ValueError("颜色太深，底纹会盖过文字，请选浅一些的颜色。")
    return colour


class Dated(Protocol):
    @property
    def effective_from(self) -> date: ...
    @property
    def version(self) -> int: ...


Version = TypeVar("Version", bound=Dated)


def in_force(versions: Iterable[Version], on: date) -> Version | None:
    """The latest to have taken effect by that day; of two of one day the one that was set later."""
    begun = [one for one in versions if one.effective_from <= on]
    return max(begun, key=lambda one: (one.effective_from, one.version), default=None)
