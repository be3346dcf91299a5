"""Documents that lists look for: what each is found by is written with it, and an index reads it in the order of the list.

`found_by` holds the grams of the names and titles (kernel.grams) and a word for each thing that lists narrow by (`state:APPROVED`,
`year:2026`), `last_digits` the last four of a personal number. No model has these fields: they are reckoned whenever a document is
written, so that no writer can forget them, and dropped when it is read. Who writes a part of a document (a rename) does it through
`set_in_found`.

One multikey index a reach serves every question of a list: `(institution_code, found_by, _id)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

from pymongo import UpdateOne

from server.kernel.folding import folded, holding
from server.kernel.grams import grams, grams_asked, parts_asked
from server.kernel.identity import Jurisdiction
from server.kernel.mongo import Document, Index, Row
from server.kernel.unit_of_work import Scope

FOUND_BY, LAST_DIGITS = "found_by", "last_digits"
DIGITS = 4


class Found(Document):
    """A document that a list looks for."""

    also_written: ClassVar[tuple[str, ...]] = ()
    """Properties that an index reads, and that are written with it."""

    def names(self) -> Iterable[str]:
        """Names and titles, a part of which finds it."""
        return ()

    def facets(self) -> Iterable[tuple[str, object]]:
        """What lists narrow it by: ("year", 2026); what is empty is no facet."""
        return ()

    def number(self) -> str:
        """A personal number, as it is masked: its last digits find it."""
        return ""

    def looked_for(self) -> Row:
        """The fields that are written with it."""
        row: Row = {name: getattr(self, name) for name in self.also_written}
        row[FOUND_BY] = sorted({*grams(*self.names()), *words_of(self.facets())})
        digits = self.number()[-DIGITS:]
        if digits.strip("*"):
            row[LAST_DIGITS] = digits
        return row

    def to_mongo(self) -> Row:
        return super().to_mongo() | self.looked_for()

    @classmethod
    def from_mongo(cls, row: Mapping[str, Any]) -> Self:
        written = {FOUND_BY, LAST_DIGITS, *cls.also_written}
        return super().from_mongo({name: row[name] for name in row.keys() - written})


def words_of(facets: Iterable[tuple[str, object]]) -> list[str]:
    return [f"{name}:{value}" for name, value in facets if value not in (None, "")]


def found_indexes(*reaches: str) -> tuple[Index, ...]:
    """The indexes of a list, newest first: of the whole, and of each reach that is named ("province_code")."""
    whole = (FOUND_BY, 1), ("_id", -1)
    return (Index(whole), *(Index([(reach, 1), *whole]) for reach in reaches))


def looking_for(words: str, fields: Iterable[str], facets: Mapping[str, object] | None = None) -> Row:
    """The condition that a document has all of these facets and that each of the words stands in one of the fields ("items.title").

    The index finds who has all grams; that they stand in a row is looked at there. What `parts_asked` does not take finds nothing.
    """
    parts = parts_asked(words)
    asked = [*words_of((facets or {}).items()), *(gram for part in parts for gram in grams_asked(part))]
    condition: Row = {FOUND_BY: {"$all": sorted(set(asked))}} if asked else {}
    if words.strip() and not parts:
        return {FOUND_BY: {"$in": []}}
    if parts:
        texts = list(fields)
        held = [[{text: {"$regex": holding(part), "$options": "i"}} for text in texts] for part in parts]
        condition["$and"] = [{"$or": of_part} for of_part in held]
    return condition


def hint_of(reach: Jurisdiction, condition: Row) -> list[tuple[str, int]] | None:
    """The index by which these words are looked for. MongoDB tries its indexes for a while, and of two that have found nothing it may
    go on with the one that walks the whole reach."""
    if "$and" not in condition or LAST_DIGITS in condition:
        return None
    return [*((name, 1) for name, _ in reach.conditions or ()), (FOUND_BY, 1), ("_id", -1)]


def person_looked_for(words: str) -> Row:
    """The condition that a person has each of the words in the name, or as the last four digits of the number: 张 1234, 张1234. Of a
    whole number nobody looks at more than these."""
    if words.strip() and not parts_asked(words):
        return {FOUND_BY: {"$in": []}}
    names, digits = [], set()
    for word in words.split():
        name, number = _NAME_AND_NUMBER.fullmatch(folded(word).upper()).groups()  # type: ignore[union-attr]  # it takes anything
        names += [name] if name else []
        digits |= {number[-DIGITS:]} if number else set()
    condition = looking_for(" ".join(names), ["name"]) if names or not digits else {}
    if digits:
        condition[LAST_DIGITS] = {"$in": sorted(digits)} if len(digits) == 1 else {"$in": []}
    return condition


_NAME_AND_NUMBER = re.compile(r"(.*?)((?:[0-9]{14})?[0-9]{3}[0-9X])?", re.DOTALL)


async def set_in_found(scope: Scope, kind: type[Found], collection: str, whom: Row, fields: Row) -> None:
    """Writes these fields into every document that meets the condition, and what it is found by from now on."""
    rows = await scope[collection].find(whom, session=scope.session).to_list(None)
    writes = [
        UpdateOne({"_id": row["_id"]}, {"$set": fields | kind.from_mongo(row | fields).looked_for()})
        for row in rows
    ]
    if writes:
        await scope[collection].bulk_write(writes, ordered=False, session=scope.session)
