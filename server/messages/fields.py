"""What a field of WeChat's subscribe messages may hold, and how a value is made to fit.

Source: 订阅消息参数值内容限制说明, on the page of `sendMessage` of WeChat's server API.
"""

from __future__ import annotations

import re
from enum import StrEnum

ELLIPSIS = "…"


class FieldKind(StrEnum):
    """What a field of a subscribe message may hold; its key on WeChat's side begins with this word (`thing1`)."""

    THING = "thing"
    """At most 20 characters, no line break."""
    DATE = "date"
    """2026-03-16, or 2026-03-16 09:00."""
    CHARACTER_STRING = "character_string"
    """At most 32 letters, digits and signs."""
    PHRASE = "phrase"
    """At most 5 Chinese characters."""


def fitted(kind: FieldKind, value: str) -> str:
    """`value` cut to what WeChat takes: it refuses the whole message for one character too many (47003)."""
    words = " ".join(value.split())
    match kind:
        case FieldKind.THING:
            return _cut(words, 20) or "见小程序"
        case FieldKind.CHARACTER_STRING:
            return re.sub(r"[^!-~]", "", words)[:32] or "-"
        case FieldKind.PHRASE:
            return re.sub(r"[^\u3400-\u9fff]", "", words)[:5] or "通知"
        case FieldKind.DATE:
            return words


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - len(ELLIPSIS)] + ELLIPSIS
