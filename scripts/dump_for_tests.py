"""Writes a database to a small file that the tests of later versions start on (tests/upgrades).

Works on the database of MONGODB_URI, or on that of --data-dir while its server is stopped. Before an issue changes documents: start the
server of that moment with `--demo`, walk `scripts/demo` through it, stop it, and dump.

The file holds the collections with their options and indexes as that version made them, and every document but those that let
somebody in. No key is needed and none is used: what is encrypted becomes a placeholder, the same for the same ID number, and
whoever loads the file puts fictional numbers in their place. Contents of files become as many zeros. The same database gives the same file.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bson.binary import Binary
from bson.json_util import RELAXED_JSON_OPTIONS, dumps
from pymongo import MongoClient
from pymongo.database import Database

from server.kernel.embedded_mongod import EmbeddedMongod, MongodUnavailable
from server.settings import Settings

ID_NUMBER, PHONE, SECRET, ZEROS = "$idNumber", "$phone", "$secret", "$zeros"
"""Placeholders: of an encrypted ID number, phone, and anything else, each with a number; and of so many bytes of a file."""
NO_PASSWORD = "-"
ENCRYPTED = 6
"""The subtype of BSON (bsonspec.org) that field encryption makes."""
SCHEDULER = re.compile(r"[^:\s]+:[0-9]+:[0-9a-f]{6}")
"""The name of a scheduler begins with that of its machine."""
LEFT_OUT = {
    "encryption_keys",
    "half_sign_ins",
    "leases",
    "phone_sessions",
    "public_misses",
    "push_nonces",
    "rate_limit_windows",
    "rate_limits",
    "sign_in_tries",
    "spent_proofs",
    "staff_sessions",
    "waiting_addresses",
    "wechat_tokens",
}
Row = dict[str, Any]


class Redaction:
    """What of a document may stand in a file."""

    def __init__(self) -> None:
        self._known: dict[str, dict[bytes, int]] = {ID_NUMBER: {}, PHONE: {}, SECRET: {}}

    def document(self, collection: str, row: Row) -> Row:
        if collection == "files.chunks":
            return row | {"data": {ZEROS: len(row["data"])}}
        return {name: self._value(name, value) for name, value in row.items()}

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {inner: self._value(inner, one) for inner, one in value.items()}
        if isinstance(value, list):
            return [self._value(name, one) for one in value]
        if isinstance(value, Binary) and value.subtype == ENCRYPTED:
            return self._placeholder({"id_number": ID_NUMBER, "phone": PHONE}.get(name, SECRET), value)
        if isinstance(value, bytes):  # an envelope whose key lies elsewhere
            return {ZEROS: len(value)}
        if name == "password_hash":
            return NO_PASSWORD
        if isinstance(value, str) and SCHEDULER.fullmatch(value):
            return "server:1:000000"
        if name in ("token", "recovery") and isinstance(value, str):
            return hashlib.sha256(value.encode()).hexdigest()[: len(value)]
        return value

    def _placeholder(self, kind: str, sealed: bytes) -> Row:
        known = self._known[kind]
        return {kind: known.setdefault(bytes(sealed), len(known) + 1)}


def lines(database: Database[Row]) -> Iterator[str]:
    """First when somebody last did anything and what the collections are, then a line for each document, in the order of names and ids."""
    [last] = database["audit"].find({}).sort("at", -1).limit(1)
    made = {info["name"]: info for info in database.list_collections()}
    names = sorted(name for name in made.keys() - LEFT_OUT if not name.startswith("system."))
    collections = {name: _described(database, name, made[name]) for name in names}
    yield _line({"at": last["at"], "collections": collections})
    redaction = Redaction()
    for name in names:
        for row in database[name].find({}).sort("_id", 1):
            yield _line({"in": name, "row": redaction.document(name, row)})


def _described(database: Database[Row], name: str, info: Mapping[str, Any]) -> Row:
    clustered = info["options"].get("clusteredIndex")
    options = {"clusteredIndex": {"key": {"_id": 1}, "unique": True}} if clustered else {}
    indexes = [
        {part: value for part, value in index.items() if part not in ("v", "clustered")}
        for index in database[name].list_indexes()
        if list(index["key"]) != ["_id"]
    ]
    return {"options": options, "indexes": sorted(indexes, key=lambda index: str(index["name"]))}


def _line(said: Row) -> str:
    return dumps(said, json_options=RELAXED_JSON_OPTIONS, ensure_ascii=False, separators=(",", ":")) + "\n"


def write(uri: str, name: str, out: Path) -> int:
    """Returns the bytes of the file."""
    with MongoClient[Row](uri, tz_aware=True) as client:
        text = "".join(lines(client[name]))
    out.parent.mkdir(parents=True, exist_ok=True)
    return out.write_bytes(gzip.compress(text.encode(), mtime=0))


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/dump-for-tests", description="把数据库保存为测试用的小文件"
    )
    parser.add_argument("--data-dir", type=Path, default=Path(".data"), help="that of the server (.data)")
    parser.add_argument("--out", type=Path, required=True, help="tests/dumps/NAME.json.gz")
    options = parser.parse_args()
    settings = Settings(data_dir=options.data_dir)
    mongod = None if settings.mongodb_uri else EmbeddedMongod(settings.data_dir)
    try:
        uri = mongod.start() if mongod else settings.mongodb_uri
        size = write(uri, settings.mongodb_database, options.out)
    except MongodUnavailable as reason:
        print(f"数据库无法启动（服务器正在运行时请先停止）：{reason}", file=sys.stderr)
        return 1
    finally:
        if mongod:
            mongod.stop()
    print(f"已保存 {options.out}，{size / 1024:.0f} KB。")
    return 0


if __name__ == "__main__":
    sys.exit(main())
