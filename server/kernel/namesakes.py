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
    and the place among them where even these are the same. More digits would give the number away."""
    ways = [[_called(one, said) for one in people] for said in (_NAME, _UNIT, _DIGITS)]
    counts = [Counter(map(folded, way)) for way in ways]
    return [_first_alone(place, ways, counts) for place in range(len(people))]


def _first_alone(place: int, ways: Sequence[Sequence[str]], counts: Sequence[Counter[str]]) -> str:
    for way, count in zip(ways, counts, strict=True):
        if count[folded(way[place])] == 1:
            return way[place]
    alike = list(map(folded, ways[-1]))
    return f"{ways[-1][place].removesuffix('）')}，第 {alike[: place + 1].count(alike[place])} 位）"


_NAME, _UNIT, _DIGITS = range(3)


def _called(one: Listed, more: int) -> str:
    words = [one.unit, f"尾号 {one.id_number_masked[-LAST_DIGITS:]}"][:more]
    return f"{one.name}（{'，'.join(filter(None, words))}）" if any(words) else one.name


def namesakes(names: Iterable[str]) -> frozenset[str]:
    """The names that more than one in a list has."""
    listed = list(names)
    counts = Counter(map(folded, listed))
    return frozenset(one for one in listed if counts[folded(one)] > 1)
