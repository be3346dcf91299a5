"""How words find members of the pool."""

from __future__ import annotations

from server.kernel.folding import holding
from server.kernel.grams import grams_asked, parts_asked
from server.kernel.mongo import Row


def of_words(words: str) -> Row:
    """The condition that each of the words stands in the name or in the work unit; what `parts_asked` does not take finds nobody."""
    parts = parts_asked(words)
    if not parts:
        return {"grams": {"$in": []}} if words.strip() else {}
    # The index finds who has all grams; that they stand in a row is looked at there.
    return {
        "grams": {"$all": sorted({gram for part in parts for gram in grams_asked(part)})},
        "$and": [{"$or": [_holds("name", part), _holds("work_unit", part)]} for part in parts],
    }


def _holds(field: str, part: str) -> Row:
    return {field: {"$regex": holding(part), "$options": "i"}}
