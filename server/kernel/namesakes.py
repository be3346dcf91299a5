"""Two 张伟 of one list are told apart, by no more than it takes (article 4.7: 全实名)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from server.kernel.folding import folded

LAST_DIGITS = 4


@dataclass(frozen=True)
class Listed:
    """Somebody in a list; the number is masked."""

    name: str
    unit: str
    id_number_masked: str


def told_apart(people: Sequence[Listed]) -> list[str]:
    """What each is called for all to see: the name; of namesakes also the unit; of those of one unit also the last digits of the number,
    and the whole masked number where even these are the same."""
    ways = [[_called(one, more) for one in people] for more in range(4)]
    counts = [Counter(map(folded, way)) for way in ways]
    return [_first_alone(place, ways, counts) for place in range(len(people))]


def _first_alone(place: int, ways: Sequence[Sequence[str]], counts: Sequence[Counter[str]]) -> str:
    alone = (way[place] for way, count in zip(ways, counts, strict=True) if count[folded(way[place])] == 1)
    return next(alone, ways[-1][place])


def _called(one: Listed, more: int) -> str:
    digits = [one.id_number_masked[-LAST_DIGITS:], one.id_number_masked]
    said = [one.unit, f"尾号 {digits[0]}", digits[1]]
    words = {0: [], 1: said[:1], 2: said[:2], 3: [said[0], said[2]]}[more]
    return f"{one.name}（{'，'.join(filter(None, words))}）" if any(words) else one.name


def namesakes(names: Iterable[str]) -> frozenset[str]:
    """The names that more than one in a list has."""
    listed = list(names)
    counts = Counter(map(folded, listed))
    return frozenset(one for one in listed if counts[folded(one)] > 1)
