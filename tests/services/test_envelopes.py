"""Sealed envelopes: shut by anybody, opened all together and once (server/decisions/0001)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.kernel import envelopes
from server.kernel.envelopes import Box, BoxLocked
from server.kernel.identity import system
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional

SIZE = 64
JOB = system("tests")


@transactional
async def post(unit: UnitOfWork, box: Box, content: bytes) -> None:
    await envelopes.post(unit, box, content, SIZE)
    unit.audit("tests:post", box.id)


@transactional
async def empty(unit: UnitOfWork, box: Box, out: list[bytes], *, fail: bool = False) -> int:
    async def put(contents: Sequence[bytes]) -> None:
        out[:] = contents

    opened = await envelopes.empty(unit, box.id, put)
    unit.audit("tests:empty", box.id)
    if fail:
        raise RuntimeError("killed")
    return opened


async def full(platform: Platform, contents: Sequence[bytes]) -> Box:
    box = await envelopes.new_box(platform.settings)
    for content in contents:
        await post(platform, JOB, box, content)
    return box


WORDS = [f"answer {number}".encode() for number in range(30)]


async def test_all_are_opened_together_in_an_order_that_is_not_that_of_arrival(platform: Platform) -> None:
    box, out = await full(platform, WORDS), list[bytes]()
    assert await envelopes.count(platform, box.id) == len(WORDS)
    assert await empty(platform, JOB, box, out) == len(WORDS)
    assert sorted(out) == sorted(WORDS) and out != WORDS
    assert await envelopes.count(platform, box.id) == 0
    assert await empty(platform, JOB, box, []) == 0


@given(st.lists(st.binary(max_size=SIZE), min_size=2, max_size=4))
def test_envelopes_are_of_one_length_whatever_is_in_them_and_no_two_are_alike(contents: list[bytes]) -> None:
    key = bytes(range(1, 33))
    shut = [envelopes.shut(key, content, SIZE) for content in [*contents, contents[0]]]
    assert len({len(one) for one in shut}) == 1
    assert len(set(shut)) == len(shut)


def test_what_does_not_fit_is_refused_and_not_cut() -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        envelopes.shut(bytes(range(1, 33)), b"x" * (SIZE + 1), SIZE)


async def test_the_database_cannot_open_what_lies_in_it(platform: Platform) -> None:
    box = await full(platform, [b"secret words"])
    [row] = await platform["envelopes"].find({}).to_list(None)
    assert b"secret" not in row["envelope"]
    assert row.keys() == {"_id", "box", "envelope"}
    key = platform.settings.data_dir / "envelope-keys" / box.id
    assert key.stat().st_mode & 0o077 == 0
    assert key.read_bytes() not in row["envelope"]


async def test_whoever_dies_while_it_opens_has_opened_none(platform: Platform) -> None:
    box, out = await full(platform, WORDS), list[bytes]()
    with pytest.raises(RuntimeError):
        await empty(platform, JOB, box, [], fail=True)
    assert await envelopes.count(platform, box.id) == len(WORDS)
    assert await empty(platform, JOB, box, out) == len(WORDS)


async def test_a_destroyed_key_opens_nothing_and_can_be_destroyed_again(platform: Platform) -> None:
    box = await full(platform, WORDS[:2])
    for _ in range(2):
        await envelopes.destroy_key(platform.settings, box.id)
    assert not list((platform.settings.data_dir / "envelope-keys").glob(box.id))
    with pytest.raises(BoxLocked, match="密钥不在这台服务器上"):
        await empty(platform, JOB, box, [])
    assert await envelopes.count(platform, box.id) == 2


@pytest.mark.parametrize("change", [b"", b"x" * 40, b"\0" * 120])
async def test_a_changed_envelope_is_noticed_and_none_is_opened(platform: Platform, change: bytes) -> None:
    box, out = await full(platform, WORDS[:3]), list[bytes]()
    row = await platform["envelopes"].find_one({"box": box.id})
    assert row is not None
    await platform["envelopes"].update_one({"_id": row["_id"]}, {"$set": {"envelope": change}})
    with pytest.raises(BoxLocked):
        await empty(platform, JOB, box, out)
    assert out == [] and await envelopes.count(platform, box.id) == 3
