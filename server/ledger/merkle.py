"""The tree of RFC 9162, section 2.1: its hashes, proofs that an entry stands in it, and proofs that it begins with an earlier one. Pure.

A proof is reckoned from the nodes over complete subtrees, of which there are two an entry, and which never change as the tree grows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Node:
    """The complete subtree over the leaves from index × 2^level on."""

    level: int
    index: int


class Span(NamedTuple):
    """The leaves from `start` to before `end`; `start` is where a subtree of that size may begin."""

    start: int
    end: int


def leaf_hash(content: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


EMPTY = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""


class Growing:
    """A tree to which leaves are added: it remembers the right edge only, as many hashes as the size has bits."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[tuple[int, bytes]] = []
        """Level and hash of the complete subtrees, from left to right, each of another size."""

    def add(self, leaf: bytes) -> list[tuple[Node, bytes]]:
        """Takes the hash of a leaf; returns the nodes that are complete with it."""
        level, digest, index = 0, leaf, self.size
        done = [(Node(0, index), leaf)]
        while self._edge and self._edge[-1][0] == level:
            digest = node_hash(self._edge.pop()[1], digest)
            level, index = level + 1, index >> 1
            done.append((Node(level, index), digest))
        self._edge.append((level, digest))
        self.size += 1
        return done

    def root(self) -> bytes:
        if not self._edge:
            return EMPTY
        digest = self._edge[-1][1]
        for _, left in reversed(self._edge[:-1]):
            digest = node_hash(left, digest)
        return digest


# ---- which subtrees a proof names


def inclusion_spans(index: int, size: int) -> list[Span]:
    """PATH(index, D_size) of section 2.1.3.1, from the leaf upwards. Raises ValueError."""
    if not 0 <= index < size:
        raise ValueError("no such leaf")
    return list(_path(index, Span(0, size)))


def _path(index: int, within: Span) -> Iterator[Span]:
    if within.end - within.start == 1:
        return
    middle = within.start + _split(within.end - within.start)
    left, right = Span(within.start, middle), Span(middle, within.end)
    mine, other = (left, right) if index < middle else (right, left)
    yield from _path(index, mine)
    yield other


def consistency_spans(earlier: int, later: int) -> list[Span]:
    """PROOF(earlier, D_later) of section 2.1.4.1. Raises ValueError."""
    if not 0 < earlier <= later:
        raise ValueError("no such tree")
    return list(_subproof(earlier, Span(0, later), whole=True))


def _subproof(earlier: int, within: Span, *, whole: bool) -> Iterator[Span]:
    """`earlier`: how many of the first leaves of `within`; `whole`: the root of those is known to whoever checks."""
    size = within.end - within.start
    if earlier == size:
        if not whole:
            yield within
        return
    half = _split(size)
    middle = within.start + half
    if earlier <= half:
        yield from _subproof(earlier, Span(within.start, middle), whole=whole)
        yield Span(middle, within.end)
    else:
        yield from _subproof(earlier - half, Span(middle, within.end), whole=False)
        yield Span(within.start, middle)


def _split(size: int) -> int:
    """The largest power of two below."""
    return 1 << (size - 1).bit_length() - 1


def complete(span: Span) -> list[Node]:
    """The complete subtrees that a span consists of, from left to right."""
    nodes, start = [], span.start
    while start < span.end:
        level = (span.end - start).bit_length() - 1
        nodes.append(Node(level, start >> level))
        start += 1 << level
    return nodes


def hash_of(span: Span, known: Mapping[Node, bytes]) -> bytes:
    """Raises KeyError for a node that is not known."""
    *before, last = complete(span)
    digest = known[last]
    for node in reversed(before):
        digest = node_hash(known[node], digest)
    return digest


# ---- checking


def root_by_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that a proof of inclusion leads to (section 2.1.3.2); None when it cannot be one of this leaf and size."""
    if not 0 <= index < size:
        return None
    number, last, digest = index, size - 1, leaf
    for one in path:
        if last == 0:
            return None
        if number & 1 or number == last:
            digest = node_hash(one, digest)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            digest = node_hash(digest, one)
        number, last = number >> 1, last >> 1
    return digest if last == 0 else None


def consistent(
    earlier: int, later: int, earlier_root: bytes, later_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether a proof of consistency holds (section 2.1.4.2)."""
    if not 0 < earlier <= later:
        return False
    if earlier == later:
        return not path and earlier_root == later_root
    whole = [earlier_root, *path] if earlier & (earlier - 1) == 0 else list(path)
    if not whole:
        return False
    number, last = earlier - 1, later - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    of_earlier = of_later = whole[0]
    for one in whole[1:]:
        if last == 0:
            return False
        if number & 1 or number == last:
            of_earlier, of_later = node_hash(one, of_earlier), node_hash(one, of_later)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            of_later = node_hash(of_later, one)
        number, last = number >> 1, last >> 1
    return last == 0 and of_earlier == earlier_root and of_later == later_root
