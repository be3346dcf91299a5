"""What the daily review of dynamic management costs (articles 5.3 and 9.1): a tenth of the history, then the whole, in one run.

    tenth, whole    the job itself over every teacher and base: it opens cases, gives warnings, notes them and tells people
    again           the job once more on the same day, when there is nothing new

Both have the same teachers and bases, and the same of them are idle; what differs is how much they have done in ten years. Each stands in a
database of its own of an embedded mongod, which is dropped at the end. A run that takes longer than five minutes is given up. Run it
with `scripts/bench review`.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from scripts.benches import report
from server.__main__ import open_platform
from server.backbone.documents import PoolMember, StatusStep
from server.backbone.rules import PoolStatus, Proof
from server.institutions.documents import Institution
from server.institutions.rules import MAJORS, Qualification, QualificationKind
from server.kernel.clock import FixedClock
from server.kernel.embedded_mongod import EmbeddedMongod
from server.kernel.mongo import connect
from server.kernel.platform import Platform
from server.qualification import review
from server.settings import Settings

NOW = datetime(2026, 5, 15, 4, tzinfo=UTC)
TODAY = date(2026, 5, 15)
YEARS = 10
BEGAN = datetime(2026 - YEARS, 1, 10, tzinfo=UTC)
PATIENCE = 300
"""Seconds that a run of the job may take."""
AT_ONCE = 5_000
CLASSES_OF_A_BASE = 20


@dataclass(frozen=True)
class Size:
    teachers: int
    bases: int
    tasks: int

    @property
    def tasks_of_a_teacher(self) -> int:
        return max(1, self.tasks // self.teachers)


@dataclass(frozen=True)
class Figures:
    seconds: float
    again: float
    grown: float
    """Peak of the resident memory so far above what it was before the first run, MiB."""
    did: Mapping[str, int]


# ---- the stage: members and bases by the models, what they did by the database itself


def member(number: int) -> PoolMember:
    """Every fiftieth was suspended for two months of 2024."""
    away = [
        StatusStep(
            at=NOW,
            actor_id="bench",
            actor_name="测试员",
            action=status,
            status=status,
            effective_on=day,
        )
        for status, day in ((PoolStatus.SUSPENDED, date(2024, 3, 1)), (PoolStatus.ACTIVE, date(2024, 5, 1)))
    ]
    return PoolMember(
        id=f"{number:024x}",
        name=f"师试{number}",
        id_number_masked="110***********1234",
        province_code="13",
        work_unit="示例市技师学院",
        majors=["01", "02"],
        registered_at=BEGAN,
        registered_by="测试员",
        proof=Proof.PAPER,
        history=away if number % 50 == 0 else [],
    )


def base(number: int) -> Institution:
    code = f"{10_000 + number}"
    held = Qualification(
        kind=QualificationKind.TRAINING_BASE, majors=tuple(MAJORS), valid_from=date(2016, 1, 1)
    )
    return Institution(
        id=code,
        institution_code=code,
        province_code="13",
        name=f"示例{number}技师学院",
        qualifications=[held],
    )


def idle_days(number: int) -> int:
    """Of a hundred subjects one has been idle for more than two years, one is near it, the others have done something this year."""
    return {0: 800, 1: 600}.get(number % 100, number % 120)


def bad_years(number: int) -> int:
    """Of a hundred teachers one had one bad year, one had two."""
    return {2: 1, 3: 2}.get(number % 100, 0)


def set_up(settings: Settings, size: Size) -> None:
    """To be called in a process of its own, so that its memory is not taken for the review's."""
    asyncio.run(_set_up(settings, size))


async def _set_up(settings: Settings, size: Size) -> None:
    db = connect(settings.mongodb_uri, settings.mongodb_database)
    for name, make, count in (
        ("backbone_teachers", member, size.teachers),
        ("institutions", base, size.bases),
    ):
        for first in range(0, count, AT_ONCE):
            some = range(first, min(first + AT_ONCE, count))
            await db[name].insert_many([make(number).to_mongo() for number in some], ordered=False)
            seeds = [
                {"_id": make(number).id, "idle": idle_days(number), "bad": bad_years(number)}
                for number in some
            ]
            await db[f"seeds_{name}"].insert_many(seeds, ordered=False)
    tasks = size.tasks_of_a_teacher
    await db["seeds_backbone_teachers"].aggregate(did_tasks(tasks)).to_list(None)
    await db["seeds_backbone_teachers"].aggregate(was_rated(max(1, tasks // 2))).to_list(None)
    classes = max(1, CLASSES_OF_A_BASE * tasks // 20)
    await db["seeds_institutions"].aggregate(gave_classes(classes)).to_list(None)
    for name in ("seeds_backbone_teachers", "seeds_institutions"):
        await db.drop_collection(name)
    db.client.close()


def one_by_one(count: int) -> list[dict[str, Any]]:
    """A row for each thing done, `end` days after 1970: the last one `idle` days ago, each other half a year before."""
    ago = {"$add": ["$idle", {"$multiply": ["$k", YEARS * 365 // 20]}]}
    return [
        {"$project": {"idle": 1, "bad": 1, "k": {"$range": [0, count]}}},
        {"$unwind": "$k"},
        {"$set": {"end": {"$dateSubtract": {"startDate": NOW, "unit": "day", "amount": ago}}}},
    ]


def day(moment: object) -> dict[str, Any]:
    return {"$dateToString": {"date": moment, "format": "%Y-%m-%d", "timezone": "Asia/Shanghai"}}


def began() -> dict[str, Any]:
    return {"$dateSubtract": {"startDate": "$end", "unit": "day", "amount": 11}}


def key() -> dict[str, Any]:
    return {"$concat": ["$_id", "-", {"$toString": "$k"}]}


def did_tasks(count: int) -> list[dict[str, Any]]:
    fields = {
        "_id": key(),
        "teacher_id": "$_id",
        "class_id": key(),
        "class_name": "三级教师培训班",
        "institution_code": "009",
        "state": "ACCEPTED",
        "kind": {"$cond": [{"$eq": [{"$mod": ["$k", 2]}, 0]}, "TEACHING", "ASSESSMENT"]},
        "starts_on": day(began()),
        "ends_on": day("$end"),
        "remind_at": {"$literal": None},
    }
    return [*one_by_one(count), {"$project": fields}, {"$out": "invitations"}]


def was_rated(years: int) -> list[dict[str, Any]]:
    """A survey a year of 40 answers, by the year before this one and backwards."""
    bad = {"$lt": ["$k", "$bad"]}
    fields = {
        "_id": key(),
        "teacher_id": "$_id",
        "survey_id": key(),
        "class_id": key(),
        "year": {"$subtract": [TODAY.year - 1, "$k"]},
        "ones": {"$cond": [bad, 30, 2]},
        "twos": {"$literal": 0},
        "threes": {"$cond": [bad, 10, 38]},
        "responses": {"$literal": 10},
    }
    return [*one_by_one(years), {"$project": fields}, {"$out": "satisfaction_tallies"}]


def gave_classes(count: int) -> list[dict[str, Any]]:
    fields = {
        "_id": key(),
        "institution_code": "$_id",
        "institution_name": "示例技师学院",
        "province_code": "13",
        "name": "三级教师培训班",
        "level": "3",
        "major": "01",
        "courses": ["教学场所使用管理"],
        "class_hours": {"$literal": 80},
        "starts_on": day(began()),
        "ends_on": day("$end"),
        "place": "实训楼",
        "opened_at": NOW,
    }
    return [*one_by_one(count), {"$project": fields}, {"$out": "classes"}]


# ---- the run


def resident(line: str) -> float:
    """A line of this process's memory (proc(5)), MiB: VmRSS now, VmHWM at its highest."""
    [found] = [one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith(line)]
    return int(found.split()[1]) / 1024


def resident_anew() -> float:
    """The memory now, from which the highest is measured anew."""
    Path("/proc/self/clear_refs").write_text("5")
    return resident("VmRSS")


async def measure(platform: Platform, before: float) -> Figures:
    began_at = time.perf_counter()
    async with asyncio.timeout(PATIENCE):
        did = await review.review(platform)
    seconds = time.perf_counter() - began_at
    grown = resident("VmHWM") - before
    began_at = time.perf_counter()
    async with asyncio.timeout(PATIENCE):
        assert sum((await review.review(platform)).values()) == did["核查"], "the second run makes nothing"
    return Figures(seconds, time.perf_counter() - began_at, grown, did)


async def run(size: Size, folder: Path, uri: str) -> None:
    figures: dict[str, Figures] = {}
    before = resident_anew()
    for name, tasks in (("tenth", size.tasks // 10), ("whole", size.tasks)):
        settings = Settings(mongodb_uri=uri, mongodb_database=f"bench_{name}", data_dir=folder).with_secrets()
        began_at = time.perf_counter()
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            pool.submit(set_up, settings, Size(size.teachers, size.bases, tasks)).result()
        platform = await open_platform(settings, FixedClock(NOW))  # makes the indexes on what is there
        print(f"{name}: {tasks} tasks set up in {time.perf_counter() - began_at:.0f} s", flush=True)
        try:
            figures[name] = await measure(platform, before)
        finally:
            await platform.db.client.drop_database(settings.mongodb_database)
            platform.limiter.close()
            platform.vault.close()
            platform.db.client.close()
    rows = [
        (
            name,
            *(f"{value:.1f}" for value in (one.seconds, one.again, one.grown)),
            *(one.did[word] for word in ("核查", "立案", "预警")),
        )
        for name, one in figures.items()
    ]
    tenth, whole = figures["tenth"], figures["whole"]
    ratios = {
        "whole / tenth": whole.seconds / tenth.seconds,
        "whole / tenth, again": whole.again / tenth.again,
        "whole / minute": whole.seconds / 60,
        "peak memory growth / 64 MiB": whole.grown / 64,
    }
    headings = ("history", "seconds", "again", "MiB grown", "examined", "cases", "warnings")
    report("review", headings, rows, ratios)


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench review", description=__doc__)
    parser.add_argument("--teachers", type=int, default=100_000)
    parser.add_argument("--bases", type=int, default=5_000)
    parser.add_argument("--tasks", type=int, default=2_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gongxue-bench-") as name:
        mongod = EmbeddedMongod(Path(name), cache_gb=1)
        uri = mongod.start()
        try:
            asyncio.run(run(Size(options.teachers, options.bases, options.tasks), Path(name), uri))
        finally:
            mongod.stop()


if __name__ == "__main__":
    main()
