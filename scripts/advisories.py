"""Which of the locked packages have a hole that is publicly known: reads the locks and a file of advisories, and no network.

    ADVISORIES=/some/where scripts/check        # or: python scripts/advisories.py /some/where…

Each place is a zip or a folder of advisories in the OSV format (osv-schema), as the OSV project exports them for PyPI and npm
(`all.zip` of each): a machine without the network gets them as a file. pip-audit would ask its servers about each package and cannot read a
file (its issue 698), so a check that must run everywhere is these lines.
"""

from __future__ import annotations

import json
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

HOUSE = Path(__file__).parents[1]
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
Locked = dict[tuple[str, str], set[str]]
"""Ecosystem and name of a package → the versions that some lock has."""


@dataclass(frozen=True)
class Hole:
    package: str
    version: str
    ids: str
    summary: str

    def __str__(self) -> str:
        return f"{self.package} {self.version}：{self.ids} {self.summary}".rstrip()


def locked(house: Path = HOUSE) -> Locked:
    """What the locks of Python and of the pages pin."""
    found: Locked = {}
    for lock in sorted(house.glob("requirements*.lock.txt")):
        for name, version in PINNED.findall(lock.read_text("utf-8")):
            found.setdefault(("PyPI", canonicalize_name(name)), set()).add(version)
    for lock in sorted([*house.glob("*/package-lock.json"), *house.glob("*/client/package-lock.json")]):
        for path, package in json.loads(lock.read_text("utf-8"))["packages"].items():
            if path:
                name = path.rpartition("node_modules/")[2]
                found.setdefault(("npm", name), set()).add(package["version"])
    return found


def advisories(places: Iterable[Path]) -> Iterator[dict[str, Any]]:
    for place in places:
        if place.is_dir():
            for file in sorted(place.rglob("*.json")):
                yield json.loads(file.read_bytes())
        else:
            with zipfile.ZipFile(place) as archive:
                for name in archive.namelist():
                    if name.endswith(".json"):
                        yield json.loads(archive.read(name))


def holes(packages: Locked, known: Iterable[dict[str, Any]]) -> list[Hole]:
    """Of the locked versions those that an advisory names, or that lie in a range of its. One that was withdrawn counts for nothing."""
    found = set()
    for advisory in known:
        if advisory.get("withdrawn"):
            continue
        for affected in advisory.get("affected", ()):
            package = affected.get("package", {})
            ecosystem, name = package.get("ecosystem", ""), package.get("name", "")
            key = (ecosystem, canonicalize_name(name) if ecosystem == "PyPI" else name)
            for version in packages.get(key, ()):
                if is_affected(version, affected):
                    ids = " ".join([advisory["id"], *advisory.get("aliases", ())])
                    found.add(Hole(name, version, ids, advisory.get("summary", "")))
    return sorted(found, key=str)


def is_affected(version: str, affected: dict[str, Any]) -> bool:
    if version in affected.get("versions", ()):
        return True
    ranges = [one for one in affected.get("ranges", ()) if one["type"] in ("ECOSYSTEM", "SEMVER")]
    return any(_is_within(Version(version), one["events"]) for one in ranges)


def _is_within(version: Version, events: Sequence[dict[str, str]]) -> bool:
    """As the format says: the last event at or before the version decides. One whose version nobody can read is taken as before it."""
    inside = False
    for event in sorted(events, key=lambda one: _at(next(iter(one.values())))):
        [(kind, text)] = event.items()
        if kind == "introduced" and _at(text) <= version:
            inside = True
        elif (kind == "fixed" and _at(text) <= version) or (kind == "last_affected" and _at(text) < version):
            inside = False
    return inside


def _at(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        return Version("0")


def main(places: Sequence[str]) -> int:
    packages, known = locked(), list(advisories(map(Path, places)))
    if not known:
        print(f"{' '.join(places)} 中没有漏洞公告")
        return 1
    found = holes(packages, known)
    for one in found:
        print(one)
    print(f"{sum(map(len, packages.values()))} 个锁定的版本，{len(known)} 份公告，{len(found)} 处已知漏洞")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
