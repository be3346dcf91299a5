"""What lists cost as the platform grows: each first page, a page further on, a search and each filter, on a crowd and on a large one.

Both stages lie in one mongod, and each question is asked of them in turn; a ratio is that of the quickest rounds,
for whatever else the machine does makes a round slower and none quicker. Where the small stage has fewer
rows to show, both are asked for as many as it has. Nothing of the pages is drawn: only what the lists fetch and count is measured.

    scripts/bench lists --people 1000000 --classes 100000 --papers 10000
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from admin.lists import Away, Listing, Query
from admin.routes import ROUTES
from scripts.benches.crowd import gather
from scripts.benches.crowd_made import Size
from server.__main__ import open_platform
from server.kernel.clock import SystemClock, beijing_date
from server.kernel.embedded_mongod import EmbeddedMongod
from server.kernel.identity import Actor, Jurisdiction, Role
from server.kernel.permissions import holds
from server.kernel.platform import Platform
from server.settings import Settings

SMALL = Size(people=1_000, classes=100, papers=100)
WORDS = ("王", "教师培训班", "邢台 三级", "王伟", "0037")
CHOICES = 8
"""Of a filter."""
MOST, CLEAR, AGAIN = 1.2, 1.1, 8
"""The ratio that a list may have; one that is not clearly below it is asked for again and again, for one quick round among slow ones is
easily missed."""
OFFICERS = {
    "部": Actor("bench", "测试员", "account", frozenset({Role.NATIONAL_CENTRE}), Jurisdiction.everything()),
    "省": Actor(
        "bench",
        "测试员",
        "account",
        frozenset({Role.PROVINCE}),
        Jurisdiction.of_province("13"),
        province_code="13",
    ),
    "校": Actor(
        "bench",
        "测试员",
        "account",
        frozenset({Role.TRAINING_BASE}),
        Jurisdiction.of_institution("009"),
        province_code="13",
        institution_code="009",
    ),
}


@dataclass(frozen=True)
class Question:
    """One list, narrowed, by one officer; `further`: the second page."""

    listing: Listing[Any, Any]
    officer: str
    query: Query
    further: bool = False

    @property
    def title(self) -> str:
        asked = "&".join(f"{name}={value}" for name, value in self.query.conditions.items() if value)
        return f"{self.listing.address} {self.officer} {asked or '-'}{' 第二页' if self.further else ''}"

    async def ask(self, platform: Platform, before: str | None, limit: int) -> list[Any]:
        page: Any = Away(platform, OFFICERS[self.officer])
        return list(await self.listing.fetch(page, self.query, before, limit))


def questions(platform: Platform) -> Iterator[Question]:
    listings = {page.lists.address: page.lists for _, page, *_ in ROUTES if hasattr(page, "lists")}
    for listing in listings.values():
        for name, officer in OFFICERS.items():
            if not holds(officer, listing.permission):
                continue
            yield Question(listing, name, listing.query())
            yield Question(listing, name, listing.query(), further=True)
            page: Any = Away(platform, officer)
            for shown in listing.query().filters(page):
                values = WORDS if shown.options is None else [value for value, _ in shown.options][:CHOICES]
                for value in values:
                    try:
                        yield Question(listing, name, listing.query.model_validate({shown.name: value}))
                    except ValidationError:
                        continue


async def measure(question: Question, stages: list[Platform], rounds: int) -> tuple[int, list[float]] | None:
    """How many rows, and the fewest milliseconds of the small stage and of the large one; None where there is nothing to show."""
    limit = question.listing.page_size + 1
    cursors: list[str | None] = [None, None]
    if question.further:
        firsts = [await question.ask(one, None, limit) for one in stages]
        if any(len(rows) < limit for rows in firsts):
            return None
        cursors = [question.listing.cursor(rows[-2]) for rows in firsts]
    shown = [len(await question.ask(one, at, limit)) for one, at in zip(stages, cursors, strict=True)]
    rows = min(shown)
    if not rows:
        return None
    times: list[list[float]] = [[], []]
    for _ in range(AGAIN):
        for number in range(rounds * 2):
            place = number % 2
            began = time.perf_counter()
            await question.ask(stages[place], cursors[place], rows)
            times[place].append((time.perf_counter() - began) * 1000)
        if min(times[1]) <= CLEAR * min(times[0]):
            break
    return rows, [min(one) for one in times]


async def stage(uri: str, folder: Path, name: str, size: Size) -> Platform:
    settings = Settings(mongodb_uri=uri, mongodb_database=name, data_dir=folder).with_secrets()
    platform = await open_platform(settings, SystemClock())
    await platform.db.client.admin.command("setParameter", 1, maxIndexBuildMemoryUsageMegabytes=2_000)
    began = time.perf_counter()

    def said(what: str) -> None:
        print(f"{name} {time.perf_counter() - began:5.0f} s: {what}", flush=True)

    gathered, kept = {"_id": str(size)}, platform.db.get_collection("crowd")
    if not await kept.find_one(gathered):
        await gather(platform, size, beijing_date(platform.clock.now()), said)
        await kept.insert_one(gathered)
    said(str(size))
    return platform


async def run(options: argparse.Namespace, folder: Path, uri: str) -> None:
    large = Size(options.people, options.classes, options.papers)
    stages = [
        await stage(uri, folder, "small", SMALL),
        await stage(uri, folder, "large", large),
    ]
    lines: list[tuple[float, str, int, float, float]] = []
    for question in questions(stages[0]):
        if options.only not in question.title:
            continue
        found = await measure(question, stages, options.rounds)
        if found:
            rows, (small, big) = found
            lines.append((big / small, question.title, rows, small, big))
    print(f"{'×':>6}  {'rows':>4}  {'small ms':>8}  {'large ms':>8}")
    for ratio, title, rows, small, big in sorted(lines, reverse=True):
        print(f"{ratio:6.2f}  {rows:4}  {small:8.2f}  {big:8.2f}  {title}")
    ratios = [line[0] for line in lines]
    over = sum(ratio > MOST for ratio in ratios)
    summary = {
        "questions": len(ratios),
        "median": round(statistics.median(ratios), 3),
        "worst": round(max(ratios), 3),
        f"above {MOST}": over,
    }
    print(json.dumps({"bench": "lists", "ratios": summary}))
    for one in stages:
        one.limiter.close()
        one.vault.close()
        one.db.client.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench lists", description=__doc__)
    parser.add_argument(
        "--people", type=int, default=1_000_000, help="and as many rows of rosters and certificates"
    )
    parser.add_argument("--classes", type=int, default=100_000, help="and as many applications")
    parser.add_argument("--papers", type=int, default=10_000, help="of each kind")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", default="", help="questions whose title holds this")
    parser.add_argument("--data", type=Path, help="where the stages are kept for the next time")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gongxue-bench-") as name:
        folder: Path = options.data or Path(name)
        mongod = EmbeddedMongod(folder, cache_gb=3)
        uri = mongod.start()
        try:
            asyncio.run(run(options, folder, uri))
        finally:
            mongod.stop()


if __name__ == "__main__":
    main()
