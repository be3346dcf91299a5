"""A word of the platform with the Chinese name that people read: a state, an action, a kind."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Titled(StrEnum):
    """`DRAFT = "DRAFT", "编制中"`: the first is stored and sent, the second is shown and read as `.label`."""

    label: str

    def __new__(cls, value: str, label: str = "") -> Self:
        # The default is for type checkers, which take the look-up `State("DRAFT")` for a call of this.
        assert label, f"{cls.__name__}: {value} has no Chinese name"
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member
