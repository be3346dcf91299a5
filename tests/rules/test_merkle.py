"""The tree of the ledger is that of RFC 9162: the vectors of Certificate Transparency, and its definition in plain words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.ledger.merkle import (
    EMPTY,
    Growing,
    Node,
    Span,
    complete,
    consistency_spans,
    consistent,
    hash_of,
    inclusion_spans,
    leaf_hash,
    node_hash,
    root_by_inclusion,
)

INPUTS = [
    bytes.fromhex(one)
    for one in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
L0, L1, L2, L3, L4 = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7",
    "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7",
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
)
L01, L23, L45, L67 = (
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
)
L03, L47 = ROOTS[4], "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
INCLUSION = {(0, 1): [], (0, 8): [L1, L23, L47], (5, 8): [L4, L67, L03], (2, 3): [L01], (1, 5): [L0, L23, L4]}
CONSISTENCY = {(1, 1): [], (1, 8): [L1, L23, L47], (6, 8): [L45, L67, L03], (2, 5): [L23, L4]}
"""Of google/certificate-transparency and transparency-dev/merkle."""

leaves = st.lists(st.binary(max_size=3), min_size=1, max_size=40)


def tree(inputs: list[bytes]) -> tuple[Growing, dict[Node, bytes]]:
    growing = Growing()
    nodes: dict[Node, bytes] = {}
    for one in inputs:
        nodes |= dict(growing.add(leaf_hash(one)))
    return growing, nodes


def hashes(spans: list[Span], nodes: dict[Node, bytes]) -> list[bytes]:
    return [hash_of(one, nodes) for one in spans]


def defined(inputs: list[bytes]) -> bytes:
    """MTH of section 2.1.1, in its own words."""
    if len(inputs) < 2:
        return leaf_hash(inputs[0]) if inputs else EMPTY
    half = 1
    while half * 2 < len(inputs):
        half *= 2
    return node_hash(defined(inputs[:half]), defined(inputs[half:]))


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_vectors(size: int) -> None:
    assert tree(INPUTS[:size])[0].root().hex() == ROOTS[size] == defined(INPUTS[:size]).hex()


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_proofs_of_inclusion_are_those_of_the_vectors(index: int, size: int) -> None:
    path = hashes(inclusion_spans(index, size), tree(INPUTS[:size])[1])
    assert [one.hex() for one in path] == INCLUSION[index, size]
    reached = root_by_inclusion(leaf_hash(INPUTS[index]), index, size, path)
    assert reached is not None and reached.hex() == ROOTS[size]


@pytest.mark.parametrize(("earlier", "later"), CONSISTENCY)
def test_proofs_of_consistency_are_those_of_the_vectors(earlier: int, later: int) -> None:
    path = hashes(consistency_spans(earlier, later), tree(INPUTS[:later])[1])
    assert [one.hex() for one in path] == CONSISTENCY[earlier, later]
    assert consistent(earlier, later, bytes.fromhex(ROOTS[earlier]), bytes.fromhex(ROOTS[later]), path)


@given(leaves, st.data())
def test_each_leaf_is_proven_and_nothing_else_is(inputs: list[bytes], data: st.DataObject) -> None:
    size = len(inputs)
    index = data.draw(st.integers(0, size - 1))
    growing, nodes = tree(inputs)
    root, path = growing.root(), hashes(inclusion_spans(index, size), nodes)
    assert root == defined(inputs)
    assert root_by_inclusion(leaf_hash(inputs[index]), index, size, path) == root
    assert root_by_inclusion(leaf_hash(b"another leaf"), index, size, path) != root
    assert root_by_inclusion(leaf_hash(inputs[index]), index, size, [*path, root]) != root
    if path:
        assert root_by_inclusion(leaf_hash(inputs[index]), index, size, path[:-1]) != root


@given(leaves, st.data())
def test_a_tree_is_consistent_with_what_it_began_as_and_with_no_other(
    inputs: list[bytes], data: st.DataObject
) -> None:
    later = len(inputs)
    earlier = data.draw(st.integers(1, later))
    growing, nodes = tree(inputs)
    before = tree(inputs[:earlier])[0].root()
    path = hashes(consistency_spans(earlier, later), nodes)
    assert consistent(earlier, later, before, growing.root(), path)
    changed = tree([b"changed", *inputs[1:earlier]])[0].root()
    assert not consistent(earlier, later, changed, growing.root(), path)
    assert not consistent(earlier, later, before, changed, path) or earlier == later == 0


@given(st.integers(0, 6), st.integers(1, 100))
def test_a_span_is_made_of_the_complete_subtrees_within_it(level: int, size: int) -> None:
    start = (1 << max(level, size.bit_length())) * 3
    covered = [
        leaf
        for node in complete(Span(start, start + size))
        for leaf in range(node.index << node.level, (node.index + 1) << node.level)
    ]
    assert covered == list(range(start, start + size))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 4)])
def test_what_is_not_there_is_not_proven(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        inclusion_spans(index, size)
    assert root_by_inclusion(leaf_hash(b""), index, size, []) is None
    assert not consistent(0, 4, EMPTY, EMPTY, [])
