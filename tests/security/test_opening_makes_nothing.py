"""Nothing is made by opening a page: every GET of the table by somebody who gets in, and no document more or less afterwards."""

from __future__ import annotations

import pytest

from server.kernel.platform import Platform
from tests.security.test_every_route_and_role import openings
from tests.security.visiting import Visitors

NOT_MADE_BY_THE_PAGE = ("audit", "arrivals", "ledger", "mini_program_codes")
"""Who looks at a whole number is noted, who prints or fetches a certificate (article 18), and that the admission notice was read (article
10); a picture of WeChat's is kept once drawn."""


@pytest.mark.timeout(300)
async def test_opening_a_page_makes_nothing(platform: Platform, visitors: Visitors) -> None:
    async def held() -> dict[str, int]:
        names = set(await platform.db.list_collection_names()) - set(NOT_MADE_BY_THE_PAGE)
        return {name: await platform[name].count_documents({}) for name in sorted(names)}

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
