"""A reason is words (article 25 (4): 谁发布，谁负责): whoever reads the trail later must find some, not spaces that nobody sees."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

SHORTEST = 4
LONGEST = 500
INVISIBLE = "\u115f\u1160\u3164\uffa0\u2800"
"""Letters by their category that are drawn as nothing: the fillers of Hangul, and the empty pattern of Braille."""


def readable(text: object) -> object:
    """The text without what nobody sees: formatting and control characters but line ends, fillers, and spaces at its ends."""
    if not isinstance(text, str):
        return text
    seen = (one for one in text if one == "\n" or not (_unseen(one) or one in INVISIBLE))
    return "".join(seen).strip()


def _unseen(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cn", "Co")


def says_something(text: str) -> str:
    """Raises ValueError for a text of punctuation alone."""
    if sum(one.isalnum() for one in text) < SHORTEST // 2:
        raise ValueError("请用文字写明。")
    return text


def _empty_or_says_something(text: str) -> str:
    if 0 < len(text) < SHORTEST:
        raise ValueError(f"至少 {SHORTEST} 个字符。")
    return says_something(text) if text else text


Reason = Annotated[
    str,
    Field(title="理由", min_length=SHORTEST, max_length=LONGEST),
    BeforeValidator(readable),
    AfterValidator(says_something),
]
"""At least four characters that can be seen, two of them letters."""

SHORTEST_WORD = 2
ShortReason = Annotated[
    str,
    Field(title="理由", min_length=SHORTEST_WORD, max_length=LONGEST),
    BeforeValidator(readable),
    AfterValidator(says_something),
]
"""Where a word is a whole reason (病假, 离职, 退休): two letters."""

OptionalReason = Annotated[
    str,
    Field(title="理由", max_length=LONGEST),
    BeforeValidator(readable),
    AfterValidator(_empty_or_says_something),
]
"""Nothing at all, or a reason: where only some of the ways through a form need one."""
