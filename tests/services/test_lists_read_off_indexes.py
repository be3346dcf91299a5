"""No list walks or sorts a collection, whatever it is narrowed to: mongod itself says of each query what it has looked at.

The table is that of the routes, so that a new list cannot escape.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from pydantic import ValidationError

from admin import lists
from admin.lists import Listing, Query, one_page
from admin.routes import ROUTES
from scripts.benches.crowd import gather
from scripts.benches.crowd_made import Size
from server import __main__ as program
from server.kernel import queries
from server.kernel.clock import FixedClock, beijing_date
from server.kernel.identity import Actor
from server.kernel.mongo import Row
from server.kernel.permissions import holds
from server.kernel.platform import Platform
from server.settings import Settings
from tests import cast, stage
from tests.conftest import NOON

LISTINGS: dict[str, Listing[Any, Any]] = {
    page.lists.address: page.lists for _, page, *_ in ROUTES if hasattr(page, "lists")
}
OFFICERS = (cast.CENTRE, cast.HEBEI_OFFICER, cast.XINGTAI_OFFICER, cast.CHANGZHOU_OFFICER)
ACTORS = [stage.actor(one) for one in OFFICERS]
WORDS = ("王", "王伟", "邢台 三级", "0037", "13009")
APART = "王 张"
"""Words that are everywhere, but nowhere together."""
CHOICES = 2
SMALL = {"policies", "institutions", "job_states", "leases", "upgrades", "message_pauses", "audit_checks"}
"""Collections that never grow: tens of rows, read whole."""
TIMES, BESIDE = 20, 60
"""How many rows may be looked at for each that is shown, and how many beside."""


@dataclass(frozen=True)
class Viewer:
    """As much of a page as a list reads."""

    platform: Platform
    actor: Actor

    @property
    def today(self) -> Any:
        return beijing_date(self.platform.clock.now())


@pytest.fixture(scope="module")
async def crowded(
    mongodb_uri: str, worker_database_name: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Platform]:
    settings = Settings(
        mongodb_uri=mongodb_uri,
        mongodb_database=f"{worker_database_name}_crowd",
        data_dir=tmp_path_factory.getbasetemp() / "data",
    ).with_secrets()
    clock = FixedClock(NOON)
    platform = await program.open_platform(settings, clock)
    await gather(platform, Size(people=3_000, classes=1_500, papers=900), beijing_date(clock.now()))
    yield platform
    await platform.db.client.drop_database(platform.db.name)
    for client in (platform.db.client, platform.limiter, platform.vault):
        client.close()


def questions(listing: Listing[Any, Any], page: Any) -> Iterator[Query]:
    """Narrowed to nothing, to each of its choices, and by words."""
    yield listing.query()
    for shown in listing.query().filters(page):
        values = WORDS if shown.options is None else [value for value, _ in shown.options][:CHOICES]
        for value in values:
            try:
                yield listing.query.model_validate({shown.name: value})
            except ValidationError:  # what a field does not take, nobody asks
                continue


@pytest.mark.parametrize("address", LISTINGS)
async def test_a_list_looks_at_little_more_than_it_shows(crowded: Platform, address: str) -> None:
    for row in await noted_of(crowded, LISTINGS[address]):
        assert fits(row), told(row)


@pytest.mark.parametrize("address", ["/admin/people", "/admin/certificates"])
async def test_words_that_stand_nowhere_together_walk_no_whole_reach(crowded: Platform, address: str) -> None:
    """Where its trials have found nothing, the server may choose any index: it is told which."""
    noted = await noted_of(crowded, LISTINGS[address], {"q": APART})
    asked = [row["command"] for row in noted if "$regex" in str(row["command"])]
    assert len(asked) >= sum(holds(one, LISTINGS[address].permission) for one in ACTORS)
    assert all("found_by" in one["hint"] for one in asked if one["find"] != "persons"), asked


async def test_a_list_whose_rows_are_not_found_in_time_asks_to_say_more(
    crowded: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "LOOKED_FOR_MOST", 1e-4)
    page: Any = Viewer(crowded, ACTORS[0])
    classes = LISTINGS["/admin/classes"]
    with pytest.raises(queries.TooBroad, match="请写得更具体些"):
        await one_page(page, classes.address, classes.query(), partial(classes.fetch, page, classes.query()))


async def test_a_first_page_says_how_many_there_are_as_far_as_an_index_tells_and_goes_from_either_end(
    crowded: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    page: Any = Viewer(crowded, ACTORS[0])
    changes = LISTINGS["/admin/changes"]

    async def seen(**asked: str) -> dict[str, Any]:
        query = changes.query.model_validate(asked)
        return await one_page(page, changes.address, query, partial(changes.fetch, page, query))

    there = await crowded["class_changes"].count_documents({})
    assert queries.COUNTED_TO < there < 1_000
    with monkeypatch.context() as further:
        further.setattr(queries, "COUNTED_TO", 1_000)
        further.setattr(lists, "COUNTED_TO", 1_000)
        assert (await seen())["total"] == f"{there} 条"
    assert (await seen(q="王"))["total"] in (None, "0 条"), "of words nothing is counted"
    ids = [row["_id"] async for row in crowded["class_changes"].find({}, {"_id": 1}).sort("_id", 1)]
    assert [one.id for one in (await seen(sort="oldest"))["rows"]] == ids[: changes.page_size]
    assert (await seen())["total"] == f"{queries.COUNTED_TO} 条以上"


async def noted_of(
    platform: Platform, listing: Listing[Any, Any], asked: Mapping[str, str] | None = None
) -> list[Row]:
    """What mongod noted of all questions, or of this one: of each a page, and a page further on."""
    await platform.db.create_collection("system.profile", capped=True, size=2**25)
    await platform.db.command("profile", 2)
    try:
        for actor in ACTORS:
            if holds(actor, listing.permission):
                page: Any = Viewer(platform, actor)
                for query in [listing.query.model_validate(asked)] if asked else questions(listing, page):
                    await ask(page, listing, query)
    finally:
        await platform.db.command("profile", 0)
    noted = await platform.db["system.profile"].find({"planSummary": {"$exists": True}}).to_list(None)
    await platform.db.drop_collection("system.profile")
    assert noted
    return [row for row in noted if row["ns"].partition(".")[2] not in SMALL]


async def ask(page: Any, listing: Listing[Any, Any], query: Query) -> None:
    rows = await listing.fetch(page, query, None, listing.page_size + 1)
    if len(rows) > listing.page_size:
        await listing.fetch(page, query, listing.cursor(rows[-2]), listing.page_size + 1)
    await listing.around(page, query, rows[: listing.page_size])


def fits(row: Row) -> bool:
    counted_most = sum(stage.get("$limit", 0) for stage in row["command"].get("pipeline", []))
    allowed = TIMES * row.get("nreturned", 0) + BESIDE + counted_most
    walked = "COLLSCAN" in row["planSummary"] or (row.get("hasSortStage") and row["docsExamined"] > BESIDE)
    return not walked and max(row["docsExamined"], row["keysExamined"]) <= allowed


def told(row: Row) -> dict[str, Any]:
    names = ("ns", "planSummary", "docsExamined", "keysExamined", "nreturned", "hasSortStage", "command")
    return {name: row.get(name) for name in names}
