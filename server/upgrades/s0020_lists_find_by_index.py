"""Documents from before lists found them by an index (kernel.found): they lack `found_by`, so that no word and no filter finds them.

The pool has grams already, but none of three characters.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from datetime import date, datetime

from pymongo import UpdateOne

from server.kernel.clock import beijing_date
from server.kernel.grams import grams
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.upgrades.batches import in_batches

Words = Iterable[tuple[str, object]]

NAMES: dict[str, tuple[str, ...]] = {
    "accounts": ("username", "name"),
    "applications": ("name", "institution_name"),
    "certificates": ("printed.name",),
    "class_changes": ("class_name", "institution_name"),
    "classes": ("name", "institution_name"),
    "corrections": ("about", "institution_name"),
    "enrolments": ("name",),
    "institutions": ("name",),
    "persons": ("name",),
    "place_checks": ("place", "class_name", "institution_name"),
    "plans": ("institution_name",),
    "release_requests": ("name", "class_name", "institution_name"),
    "reopenings": ("class_name", "institution_name"),
    "scheme_versions": ("class_name", "institution_name"),
}
WITHOUT_GRAMS: Row = {"grams": {"$not": {"$regex": "^..."}}}


def _of_class(row: Row) -> Words:
    starts, ends = row["starts_on"], row["ends_on"]
    yield from (("level", row["level"]), ("major", row["major"]), ("year", int(starts[:4])))
    if row.get("condition") in ("CALLED_OFF", "TERMINATED"):
        yield "stage", "ended"
        return
    for name, day in (("starts", starts), ("ends", ends)):
        yield name, day[:4]
        yield name, day[:7]
    first, last = (int(day[:4]) * 12 + int(day[5:7]) - 1 for day in (starts, ends))
    for month in range(first, last + 1):
        yield "runs", f"{month // 12}-{month % 12 + 1:02}"


def _of_plan(row: Row) -> Words:
    yield from (("year", row["year"]), ("state", row["state"]))
    for item in row["items"]:
        yield from (("level", item["level"]), ("month", item["month"]))


def _of_application(row: Row) -> Words:
    month = int(row["starts_on"][5:7])
    return (
        ("state", row["state"]),
        ("level", row["level"]),
        ("year", row["plan_year"]),
        ("month", month),
    )


def _of_scheme(row: Row) -> Words:
    day = date.fromisoformat(row["starts_on"])
    return (("level", row["level"]), ("year", day.year), ("month", day.month))


def _of_correction(row: Row) -> Words:
    day = beijing_date(row["submitted_at"])
    exact = (("state", row["state"]), ("subject", row["subject"]), ("level", row.get("level")))
    return (*exact, ("year", day.year), ("month", day.month))


def _of_certificate(row: Row) -> Words:
    printed = row["printed"]
    begun = (("number", printed["number"][:length]) for length in (5, 9, 11))
    exact = (("year", int(printed["issued_on"][:4])), ("level", printed["level"]))
    return (*exact, ("serial", printed["serial"]), *begun)


def _of_change(row: Row) -> Words:
    return (("state", row["state"]), ("kind", row["kind"]), ("ground", row["ground"]))


def _of_account(row: Row) -> Words:
    return (("role", row["role"]), ("left", row.get("deactivated_at") is not None))


def _of_state(row: Row) -> Words:
    return (("state", row["state"]),)


FACETS: dict[str, Callable[[Row], Words]] = {
    "accounts": _of_account,
    "applications": _of_application,
    "certificates": _of_certificate,
    "class_changes": _of_change,
    "classes": _of_class,
    "corrections": _of_correction,
    "place_checks": _of_state,
    "plans": _of_plan,
    "release_requests": _of_state,
    "reopenings": _of_state,
    "scheme_versions": _of_scheme,
}


async def run(platform: Platform) -> AsyncIterator[int]:
    lacking: Row = {"found_by": {"$exists": False}}
    for collection in NAMES:

        async def changes(_: Platform, rows: list[Row], collection: str = collection) -> list[UpdateOne]:
            return [UpdateOne({"_id": one["_id"]}, {"$set": _looked_for(collection, one)}) for one in rows]

        async for changed in in_batches(platform, collection, lacking, changes):
            yield changed
    async for changed in in_batches(platform, "backbone_teachers", WITHOUT_GRAMS, _members):
        yield changed


def _looked_for(collection: str, row: Row) -> Row:
    facets = FACETS[collection](row) if collection in FACETS else ()
    words = {f"{name}:{value}" for name, value in facets if value not in (None, "")}
    texts = [_text(row, field) for field in NAMES[collection]]
    if collection == "plans":
        texts += [item["title"] for item in row["items"]]
    fields: Row = {"found_by": sorted({*grams(*texts), *words})}
    if collection == "applications":
        fields["waits_since"] = _waits_since(row)
    digits = row.get("id_number_masked", "")[-4:]
    if collection in ("persons", "enrolments") and digits.strip("*"):
        fields["last_digits"] = digits
    return fields


def _text(row: Row, field: str) -> str:
    found: str | Row = row
    for name in field.split("."):
        assert isinstance(found, dict)
        found = found[name]
    assert isinstance(found, str)
    return found


def _waits_since(row: Row) -> datetime | None:
    return row["history"][-1]["at"] if row["state"] == "SUBMITTED" else None


async def _members(platform: Platform, rows: list[Row]) -> list[UpdateOne]:
    return [
        UpdateOne({"_id": one["_id"]}, {"$set": {"grams": grams(one["name"], one["work_unit"])}})
        for one in rows
    ]
