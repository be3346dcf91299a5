"""README's table 办理与退路: every act has its way back, and after it the state is as before but for the trail (articles 13, 25)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from server.audit_words import TITLES
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests.acts import CASES
from tests.acts.limits import LIMITS, Limit
from tests.acts.walking import Documents, Key, World

README = Path(__file__).parents[2] / "README.md"
CODE = re.compile(r"`([a-z]+:[a-z-]+)`")
CHINESE = re.compile("[\u4e00-\u9fff]{4}")
ON_A_PHONE = re.compile("学员|教师|候选人")
"""Who is told by a message; everybody else has a list and a home page."""


@dataclass(frozen=True)
class Row:
    """A line of the table: act, who, until when, way back, who is told."""

    cells: list[str]

    @property
    def key(self) -> Key:
        [act], [back] = CODE.findall(self.cells[0]), CODE.findall(self.cells[3])
        return act, back

    @property
    def open_for_ever(self) -> bool:
        return self.cells[2] == "any time"

    @property
    def tells(self) -> bool:
        return bool(ON_A_PHONE.search(self.cells[4]))


def rows() -> list[Row]:
    section = README.read_text().partition("\n## 办理与退路\n")[2].partition("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if CODE.search(line)]
    return [Row([cell.strip() for cell in line]) for line in lines]


def test_every_row_has_a_case_and_every_case_a_row() -> None:
    keys = [row.key for row in rows()]
    assert sorted(keys) == sorted(CASES)
    assert all(len(row.cells) == 5 and all(row.cells) for row in rows())
    assert {code for key in keys for code in key} <= TITLES.keys()


@pytest.mark.parametrize("row", rows(), ids=lambda row: " ".join(row.key))
async def test_the_way_back_leads_to_the_state_before(
    platform: Platform, wechat: Simulator, row: Row
) -> None:
    (act, back), case = row.key, CASES[row.key]
    world = World(platform, wechat)
    walk = case.walk(world)
    await anext(walk)
    before = await world.documents()
    assert act in await noted_by(world, walk)
    assert await world.documents() != before, "the act changes nothing"
    told = await world.messages()
    assert back in await noted_by(world, walk)
    assert (await world.messages() > told) == row.tells, "README says otherwise of who is told"
    assert_as_before(before, await world.documents(), case.keeps)


def test_every_row_with_a_limit_has_it_tried() -> None:
    assert sorted(row.key for row in rows() if not row.open_for_ever) == sorted(LIMITS)


def called(one: Key | Limit) -> str:
    return one.passes.__name__ if isinstance(one, Limit) else " ".join(one)


LIMITED = [(key, limit) for key, limits in LIMITS.items() for limit in limits]


@pytest.mark.parametrize(("key", "limit"), LIMITED, ids=called)
async def test_after_its_limit_the_way_back_is_refused_in_words_and_changes_nothing(
    platform: Platform, wechat: Simulator, key: Key, limit: Limit
) -> None:
    world = World(platform, wechat)
    walk = CASES[key].walk(world)
    await anext(walk)
    await anext(walk)
    await limit.passes(world)
    before = await world.documents()
    with pytest.raises(limit.refusal) as refused:
        await anext(walk, None)
    assert await world.documents() == before
    words = [refused.value.detail, *(one.message for one in refused.value.fields)]
    assert all(CHINESE.search(one) for one in words), words


async def noted_by(world: World, walk: AsyncIterator[None]) -> list[str]:
    """What the trail notes of the next part of a case."""
    entries = len(await world.noted())
    await anext(walk, None)
    return (await world.noted())[entries:]


def assert_as_before(before: Documents, after: Documents, keeps: frozenset[str]) -> None:
    made = {name for name, rows in after.items() if rows.keys() - before.get(name, {}).keys()}
    assert made == keeps, "the records that stay"
    assert dict(differing(before, after)) == {}, "what stands otherwise than before"


def differing(before: Documents, after: Documents) -> Iterator[tuple[str, object]]:
    """Where documents that stood before differ, with both values."""
    for name, rows in before.items():
        for key, was in rows.items():
            now = after[name].get(key, {})
            for field in was.keys() | now.keys():
                if was.get(field) != now.get(field):
                    yield f"{name}.{field}", (was.get(field), now.get(field))
