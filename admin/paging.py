"""Paging through a list by cursor, forwards and back: the way so far is kept in the address."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

_CURSOR = re.compile(r"[a-z]?[0-9a-f]{24}(?:[0-9]{2})?")
"""An id; of a list that goes through several collections which of them it is in, and where within what it names."""
LONGEST_WAY = 40
"""Pages that can be gone back; the address stays short enough for any proxy."""


@dataclass(frozen=True)
class Way:
    """The cursors of the pages walked through so far, the current one last; empty on the first page.

    `path` and `conditions` are the list's own address, to which each link returns.
    """

    path: str
    conditions: Mapping[str, str]
    cursors: tuple[str, ...]

    @classmethod
    def read(cls, path: str, conditions: Mapping[str, str], given: str) -> Way:
        """`given` is what the address says; what is no cursor in it is dropped, for a link may be old or cut off."""
        cursors = tuple(part for part in given.split("-") if _CURSOR.fullmatch(part))
        return cls(path, conditions, cursors[-LONGEST_WAY:])

    def export(self, path: str) -> str:
        """The address of the whole list, narrowed as it is, at another path."""
        return _address(path, self.conditions)

    @property
    def cursor(self) -> str | None:
        return self.cursors[-1] if self.cursors else None

    def counted(self, size: int, here: int) -> int | None:
        """All rows, on the last page, which has so many: those before it were full. None where the way has lost its beginning."""
        return size * len(self.cursors) + here if len(self.cursors) < LONGEST_WAY else None

    @property
    def previous(self) -> str | None:
        """The address of the page before; None on the first one."""
        return self._address(self.cursors[:-1]) if self.cursors else None

    def next(self, last_id: str) -> str:
        """The address of the page that follows the item `last_id`."""
        return self._address((*self.cursors, last_id)[-LONGEST_WAY:])

    def _address(self, cursors: Sequence[str]) -> str:
        return _address(self.path, {**self.conditions, "way": "-".join(cursors)})


def _address(path: str, conditions: Mapping[str, str]) -> str:
    query = {name: value for name, value in conditions.items() if value}
    return f"{path}?{urlencode(query)}" if query else path
