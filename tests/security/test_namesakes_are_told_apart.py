"""Two people of one name are told apart wherever people are listed or chosen (article 4.7: 全实名).

The trainee of the world, its teacher and its candidate each get a twin: another person of the same name, school and papers. Every page
and every answer is opened by everybody who gets in; where a name stands in two entries of one list, each must show the last digits of
the number. A page that lists people anew fails here until it does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

import orjson
import pytest
from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from server.accounts import people
from server.kernel.platform import Platform
from tests import cast
from tests.security.test_every_route_and_role import openings
from tests.security.visiting import Visitors

Row = dict[str, Any]

NOT_DOUBLED = ("audit_heads", "outbox", "accounts", "phone_sessions", "sessions")
"""What is nobody's to list, or would be another's log-in."""
ENTRIES = {"tr": "table", "option": "select", "li": "list", "label": "fieldset"}
"""An entry of a list, and within what it is looked at together with others."""


class Twins:
    """Makes of everything that is one person's the same of another one."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def of(self, person_id: str, seed: int) -> tuple[str, set[str]]:
        """The name, and the last digits by which the two are told apart."""
        found = await self._platform["persons"].find_one({"_id": person_id})
        assert found is not None
        identity = people.Identity(found["name"], cast.person(seed).id_number)
        [sealed] = await people.seal(self._platform, [identity])
        instead = {
            found["_id"]: str(ObjectId()),
            found["id_number"]: sealed.id_number,
            found["id_number_masked"]: sealed.id_number_masked,
        }
        for name in sorted(set(await self._platform.db.list_collection_names()) - set(NOT_DOUBLED)):
            async for row in self._platform[name].find({}):
                await self._double(name, row, instead)
        return found["name"], {found["id_number_masked"][-4:], sealed.id_number_masked[-4:]}

    async def _double(self, name: str, row: Row, instead: Mapping[Any, Any]) -> None:
        if _mentions({key: value for key, value in row.items() if not isinstance(value, list)}, instead):
            await self._insert(name, _replaced(row, instead) | {"_id": _new_id(row["_id"], instead)})
        elif _mentions(row, instead):
            await self._platform[name].replace_one({"_id": row["_id"]}, _joined(row, instead))

    async def _insert(self, name: str, row: Row) -> None:
        """What must be unique is made so."""
        while True:
            try:
                await self._platform[name].insert_one(row)
            except DuplicateKeyError as error:
                keys = [key for key in (error.details or {})["keyPattern"] if isinstance(row.get(key), str)]
                if not keys or len(row[keys[-1]]) > 80:
                    return
                row[keys[-1]] += "2"
            else:
                return


def _mentions(value: Any, instead: Mapping[Any, Any]) -> bool:
    if isinstance(value, dict):
        return any(_mentions(one, instead) for one in [*value.keys(), *value.values()])
    if isinstance(value, list):
        return any(_mentions(one, instead) for one in value)
    return isinstance(value, str) and any(value == one for one in instead if isinstance(one, str))


def _replaced(value: Any, instead: Mapping[Any, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(one, instead) for key, one in value.items()}
    if isinstance(value, list):
        return [_replaced(one, instead) for one in value]
    return instead.get(value, value) if isinstance(value, str | bytes) else value


def _joined(value: Any, instead: Mapping[Any, Any]) -> Any:
    """With the twin's entry behind each entry of a list that is the person's."""
    if isinstance(value, dict):
        return {key: _joined(one, instead) for key, one in value.items()}
    if isinstance(value, list):
        both = [(one, _replaced(one, instead)) for one in value]
        return [one for pair in both for one in (pair if pair[0] != pair[1] else pair[:1])]
    return value


def _new_id(key: Any, instead: Mapping[Any, Any]) -> Any:
    """Next to the one it is made after, so that both stand on one page of a list that is sorted by it."""
    if isinstance(key, str) and len(key) == 24:
        return instead.get(key, key[:-1] + ("0" if key[-1] != "0" else "1"))
    return _replaced(key, instead)


class Entries(HTMLParser):
    """The texts of the entries of a page, by the list in which they stand."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.lists: dict[tuple[int, str], list[str]] = {}
        self._open: list[tuple[str, list[str], int]] = []
        self._around = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("table", "select", "ul", "ol", "fieldset", "dl"):
            self._around += 1
        if tag in ENTRIES:
            self._open.append((tag, [], self._around))

    def handle_endtag(self, tag: str) -> None:
        for place in reversed(range(len(self._open))):
            if self._open[place][0] == tag:
                _, said, around = self._open.pop(place)
                self.lists.setdefault((around, tag), []).append(" ".join("".join(said).split()))
                return

    def handle_data(self, data: str) -> None:
        for _, said, _ in self._open:
            said.append(data)


def _lists_of_answer(value: Any) -> Iterator[list[str]]:
    """The lists of an answer, each entry as the words that stand in itself."""
    if isinstance(value, dict):
        for one in value.values():
            yield from _lists_of_answer(one)
    elif isinstance(value, list):
        yield [_own_words(one) for one in value]
        for one in value:
            yield from _lists_of_answer(one)


def _own_words(entry: Any) -> str:
    if isinstance(entry, dict):
        return " ".join(_own_words(one) for one in entry.values() if not isinstance(one, list))
    return entry if isinstance(entry, str) else ""


KEPT_AS_TYPED = "/make-ups"
"""Who taught what was made up is kept as it was chosen, told apart by then: see test_interruptions.py."""


@pytest.mark.timeout(300)
async def test_two_of_one_name_are_told_apart_wherever_they_stand(
    platform: Platform, visitors: Visitors
) -> None:
    ids = visitors.world.ids
    nominee = await platform["nominees"].find_one({"_id": ids["nominee_id"]})
    assert nominee is not None
    twins = Twins(platform)
    doubled = [
        await twins.of(person_id, seed)
        for seed, person_id in enumerate([ids["person_id"], ids["teacher_id"], nominee["person_id"]], 950)
    ]
    wrong, seen = [], 0
    # What somebody opens is noted: the trail is read before the visits push the twins from its first page.
    for address, inside in sorted(openings(), key=lambda one: one[0] != "/admin/audit"):
        if address.endswith(KEPT_AS_TYPED):
            continue
        for who in inside:
            answer = await visitors.answered(who, "GET", address)
            kind = str(answer.headers.get("Content-Type", ""))
            if kind.startswith("text/html"):
                lists = list(Entries(answer.html).lists.values())
            elif kind.startswith("application/json"):
                lists = list(_lists_of_answer(orjson.loads(answer.body)))
            else:
                continue
            for entries in lists:
                for name, tails in doubled:
                    naming = [one for one in entries if name in one]
                    bare = [one for one in naming if not any(tail in one for tail in tails)]
                    seen += len(naming) > 1
                    if len(naming) > 1 and bare:
                        wrong.append(f"{address} by {who}: {bare[0][:120]}")
    assert not wrong, "\n".join(dict.fromkeys(wrong))
    assert seen > 60, "the twins stand in few lists only: has the world lost them?"
