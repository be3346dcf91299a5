"""Paging through a list by cursor, forwards and back: the way so far is kept in the address."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from server.kernel.mongo import OLDEST

_CURSOR = re.compile(r"\+?[a-z]?[0-9a-f]{24}(?:[0-9]{2})?")
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
    mark: str = ""
    """Of the order that the cursors belong to: see OLDEST."""

    @classmethod
    def read(cls, path: str, conditions: Mapping[str, str], given: str) -> Way:
        """`given` is what the address says; what is no cursor in it is dropped, for a link may be old or cut off. A cursor carries
        the order it was taken in: where the list is in another, one is on its first page."""
        mark = OLDEST if conditions.get("sort") else ""
        parts = [part for part in given.split("-") if _CURSOR.fullmatch(part)]
        if any((part[0] == OLDEST) != bool(mark) for part in parts):
            parts = []
        return cls(path, conditions, tuple(part.removeprefix(OLDEST) for part in parts)[-LONGEST_WAY:], mark)

    def sorted(self, sort: str) -> str:
        """The address of the first page in another order."""
        return _address(self.path, {**self.conditions, "sort": sort})

    def export(self, path: str) -> str:
        """The address of the whole list, narrowed as it is, at another path."""
        return _address(path, self.conditions)

    @property
    def cursor(self) -> str | None:
        """As the stores take it (server.kernel.mongo.by_age)."""
        return f"{self.mark}{self.cursors[-1] if self.cursors else ''}" or None

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
        return _address(self.path, {**self.conditions, "way": "-".join(self.mark + one for one in cursors)})


def _address(path: str, conditions: Mapping[str, str]) -> str:
    query = {name: value for name, value in conditions.items() if value}
    return f"{path}?{urlencode(query)}" if query else path
