"""Loads what scripts/dump-for-tests has kept of an earlier version, with fictional numbers where there were encrypted ones."""

from __future__ import annotations

import gzip
import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from bson.json_util import RELAXED_JSON_OPTIONS, loads
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import UpdateOne

from scripts.dump_for_tests import ID_NUMBER, PHONE, SECRET, ZEROS
from server.accounts.rules import mask_id_number, with_check_character
from server.certificates import sealed
from server.kernel import chain
from server.kernel.encryption import Vault
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.ledger.documents import CHAIN as LEDGER

FOLDER = Path(__file__).parents[1] / "dumps"


def text_of(name: str) -> str:
    return gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes()).decode()


async def load(db: AsyncIOMotorDatabase[Row], vault: Vault, name: str) -> datetime:
    """Fills an empty database; returns when somebody last did anything in it."""
    lines = map(_read, text_of(name).splitlines())
    head = next(lines)
    for collection, made in head["collections"].items():
        await db.create_collection(collection, **made["options"])
        if made["indexes"]:
            await db.command("createIndexes", collection, indexes=made["indexes"])
    rows: dict[str, list[Row]] = defaultdict(list)
    for line in lines:
        rows[line["in"]].append(line["row"])
    encrypted = await _seal(vault, [row for some in rows.values() for row in some])
    for collection, some in rows.items():
        await db[collection].insert_many([_filled(row, encrypted) for row in some])
    at: datetime = head["at"]
    return at


async def seal_anew(platform: Platform) -> None:
    """Of a version whose trail had a key (s0014): it is that of whoever loads the file from now on."""
    await platform["audit_checks"].delete_many({})
    await _link_anew(platform, chain.TRAIL)


async def _link_anew(platform: Platform, of: chain.Chain) -> None:
    rows = platform[of.name]
    await rows.update_many({}, {"$set": {"sealed": False}, "$unset": {"position": "", "seal": ""}})
    marks = [
        UpdateOne({"_id": row["_id"]}, {"$set": {"mark": of.mark_of(platform, row)}})
        async for row in rows.find({})
    ]
    await rows.bulk_write(marks)
    while await chain.seal(platform, of):
        pass


MADE_ANEW = {"audit_checks", "ledger_nodes", "ledger_roots", "signing_authorities", "signing_keys"}
"""What rests on keys that a dump leaves out."""


async def enter_anew(platform: Platform) -> None:
    """Of a version that had a ledger (s0030): its entries seal the ID numbers and files that stand in the place of the real ones."""
    for name in MADE_ANEW:
        await platform[name].delete_many({})
    bases = await sealed.rows_of_classes(platform, await platform["certificates"].distinct("class_id"))
    async for row in platform["certificates"].find({}):
        file = row.get("file")
        if file is not None:
            content = b"".join([chunk async for chunk in platform.files.read(file["file_id"])])
            file |= {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            await platform["certificates"].update_one({"_id": row["_id"]}, {"$set": {"file": file}})
        subject = sealed.subject_of_row(row, bases[row["class_id"]], file["sha256"] if file else "")
        said = {"content": subject.content, "sessions": subject.sessions, "file": subject.file}
        await platform["ledger"].update_many({"certificate_id": row["_id"]}, {"$set": said})
    await _link_anew(platform, LEDGER)


def _read(line: str) -> Row:
    read: Row = loads(line, json_options=RELAXED_JSON_OPTIONS)
    return read


Sealed = Mapping[tuple[str, int], Any]


async def _seal(vault: Vault, rows: list[Row]) -> Sealed:
    """Placeholder → what stands in its place, encrypted. The ID number of a placeholder is masked as the document says beside it."""
    found = {key: masked for row in rows for key, masked in _placeholders(row, "")}
    numbers: dict[tuple[str, int], str] = {}
    for key, masked in found.items():
        if key[0] == ID_NUMBER:
            numbers[key] = id_number(masked, numbers.values())
    others = {
        key: f"154{key[1]:08}" if key[0] == PHONE else f"secret {key[1]}"
        for key in found.keys() - numbers.keys()
    }
    searchable = await vault.encrypt_searchable(list(numbers.values()))
    at_random = await vault.encrypt_random(list(others.values()))
    return dict(zip(numbers, searchable, strict=True)) | dict(zip(others, at_random, strict=True))


def _placeholders(value: Any, masked: str) -> Iterator[tuple[tuple[str, int], str]]:
    if isinstance(value, list):
        for one in value:
            yield from _placeholders(one, masked)
    elif isinstance(value, dict):
        if key := _key(value):
            yield key, masked
        else:
            beside = value.get("id_number_masked", "")
            for one in value.values():
                yield from _placeholders(one, beside)


def _key(value: Row) -> tuple[str, int] | None:
    [kind, *more] = value or [""]
    return (kind, value[kind]) if kind in (ID_NUMBER, PHONE, SECRET) and not more else None


def _filled(value: Any, sealed: Sealed) -> Any:
    if isinstance(value, list):
        return [_filled(one, sealed) for one in value]
    if not isinstance(value, dict):
        return value
    if key := _key(value):
        return sealed[key]
    if ZEROS in value:
        return bytes(value[ZEROS])
    return {name: _filled(one, sealed) for name, one in value.items()}


def id_number(masked: str, taken: Collection[str] = ()) -> str:
    """A number that passes every check and reads like `masked` when it is masked; nobody has it, for its region ends in 999.

    The first of them by birth, so that each load gives the same numbers.
    """
    for day in range(30 * 365):
        born = date(1968, 1, 1) + timedelta(days=day)
        number = with_check_character(f"{masked[:3]}999{born:%Y%m%d}{masked[-4:-1]}")
        if mask_id_number(number) == masked and number not in taken:
            return number
    raise AssertionError("too many people with one mask")
