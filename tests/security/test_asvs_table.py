"""The table of OWASP ASVS 5.0 is whole: a row a requirement, one of three states, and what it names is there."""

from __future__ import annotations

import ast
import csv
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
TABLES = HOUSE / "server" / "decisions" / "asvs"
HEAD = HOUSE / "server" / "decisions" / "0024-asvs.md"
STATES = ("holds", "does not apply", "not yet")
OWNER = re.compile(r"\. Owner: (platform|operator|centre)$")
NAMED = re.compile(r"`([^`]+)`")
PLACE = re.compile(
    r"(?P<file>(?:tests|server|admin|scripts|miniprogram_api)/[^\s:]+|[\w.-]+\.(?:md|txt))(?:::(?P<test>\w+)| (?P<name>\w+))?"
)
WRITTEN = re.compile(r"\]\(written-down\.md(?:#([\w-]+))?\)")


@dataclass(frozen=True)
class Row:
    number: str
    level: str
    asks: str
    state: str
    why: str


@cache
def rows() -> tuple[Row, ...]:
    found = []
    for table in sorted(TABLES.glob("V*.md")):
        lines = [line for line in table.read_text("utf-8").splitlines() if line.startswith("| V")]
        found += [Row(*(cell.strip() for cell in line.strip("|").split("|"))) for line in lines]
        assert all(row.number.startswith(f"{table.stem}.") for row in found[-len(lines) :]), table
    return tuple(found)


@cache
def levels() -> dict[str, str]:
    with (TABLES / "requirements.csv").open(encoding="utf-8") as file:
        return {row["number"]: row["level"] for row in csv.DictReader(file)}


@cache
def functions_of(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text("utf-8"))
    return frozenset(
        one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def test_every_requirement_has_one_row_and_every_row_its_requirement() -> None:
    assert len(levels()) == 345
    assert Counter(row.number for row in rows()) == Counter(levels().keys())
    assert {row.number: row.level for row in rows()} == levels()


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.number)
def test_a_row_says_what_is_asked_and_how_it_stands(row: Row) -> None:
    assert row.state in STATES and row.asks and row.why
    named = [found for text in NAMED.findall(row.why) if (found := PLACE.fullmatch(text))]
    if row.state == "holds":
        assert named or WRITTEN.search(row.why), "what holds names a test, a place in the code or a page"
    assert bool(OWNER.search(row.why)) is (row.state == "not yet"), (
        "what is missing has an owner, and nothing else has"
    )
    for place in named:
        assert is_there(place), place[0]
    for heading in WRITTEN.findall(row.why):
        assert heading in headings(), heading


def is_there(place: re.Match[str]) -> bool:
    files = list(HOUSE.glob(place["file"]))
    if len(files) != 1:
        return False
    if place["test"]:
        return place["test"].startswith("test_") and place["test"] in functions_of(files[0])
    return not place["name"] or place["name"] in files[0].read_text("utf-8")


@cache
def headings() -> frozenset[str]:
    lines = (TABLES / "written-down.md").read_text("utf-8").splitlines()
    titles = [line.removeprefix("## ") for line in lines if line.startswith("## ")]
    return frozenset({"", *(title.lower().replace(" ", "-") for title in titles)})


def test_the_head_page_counts_what_the_tables_say() -> None:
    page = HEAD.read_text("utf-8")
    for chapter in (*sorted(TABLES.glob("V*.md")), None):
        mine = [row for row in rows() if chapter is None or row.number.startswith(f"{chapter.stem}.")]
        counted = Counter((row.level, row.state) for row in mine)
        cells = [" / ".join(str(counted[level, state]) for state in STATES) for level in "123"]
        name = f"[{chapter.stem}](asvs/{chapter.stem}.md)" if chapter else "all"
        [line] = [line for line in page.splitlines() if line.startswith(f"| {name} ")]
        assert line.endswith(f"| {' | '.join(cells)} |"), (line, cells)


def test_the_head_page_names_all_that_levels_one_and_two_still_lack() -> None:
    listed = re.findall(r"^\| (V\S+) \| ([12]) \| .* \| (\w+) \|$", HEAD.read_text("utf-8"), re.MULTILINE)
    lacking = [row for row in rows() if row.state == "not yet" and row.level in "12"]
    assert sorted(listed) == sorted((row.number, row.level, OWNER.search(row.why)[1]) for row in lacking)  # type: ignore[index]
