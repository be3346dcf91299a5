"""Nothing is made by opening a page: every GET of the table by somebody who gets in, and no document more or less afterwards."""

from __future__ import annotations

import pytest

from server.kernel.mongo import Row
from server.kernel.platform import Platform
from tests.security.test_every_route_and_role import openings
from tests.security.visiting import Visitors

NOT_MADE_BY_THE_PAGE = ("audit", "arrivals", "ledger", "mini_program_codes")
"""Who looks at a whole number is noted, who prints or fetches a certificate (article 18), and that the admission notice was read (article
10); a picture of WeChat's is kept once drawn."""


@pytest.mark.timeout(300)
async def test_opening_a_page_makes_nothing(platform: Platform, visitors: Visitors) -> None:
    async def held() -> dict[str, int]:
        """Collection → how many documents, asked in one go: there are as many collections as pages."""
        names = set(await platform.db.list_collection_names()) - set(NOT_MADE_BY_THE_PAGE)
        asked: list[Row] = [{"$documents": []}]
        for name in sorted(names):
            count: list[Row] = [{"$group": {"_id": name, "documents": {"$sum": 1}}}]
            asked.append({"$unionWith": {"coll": name, "pipeline": count}})
        found = {row["_id"]: row["documents"] async for row in platform.db.aggregate(asked)}
        return dict.fromkeys(names, 0) | found

    wrong = []
    before = await held()
    for address, inside in openings():
        await visitors.knock(inside[0], "GET", address)
        after = await held()
        if after != before:
            changed = {name for name in after if after[name] != before.get(name, 0)}
            wrong.append(f"{address} by {inside[0]}: {sorted(changed)}")
            before = after
    assert not wrong, "\n".join(wrong)
