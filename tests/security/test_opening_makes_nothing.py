"""Nothing is made by opening a page: every GET of the table by somebody who gets in, and no document more or less afterwards."""

from __future__ import annotations

import pytest

from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests.admin.browserless import Browser, sign_in
from tests.security.test_every_route_and_role import (
    IN,
    OFFICERS,
    TABLE,
    YANGZHOU,
    Visitors,
    _never_too_often,
)
from tests.security.world import build_world

NOT_MADE_BY_THE_PAGE = ("audit", "arrivals", "mini_program_codes")
"""Who looks at a whole number is noted, and that the admission notice was read (article 10); a picture of WeChat's is kept once drawn."""


@pytest.mark.timeout(300)
async def test_opening_a_page_makes_nothing(
    platform: Platform, wechat: Simulator, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform.limiter, "hit", _never_too_often)
    world = await build_world(platform, wechat)
    browsers = {name: await sign_in(platform, site, officer) for name, officer in OFFICERS.items()}
    browsers["anybody"] = Browser(site)
    account = await platform["accounts"].find_one({"username": YANGZHOU})
    assert account is not None
    ids = world.ids | {"account_id": account["_id"]}
    visitors = Visitors(site, world, browsers)

    async def held() -> dict[str, int]:
        names = set(await platform.db.list_collection_names()) - set(NOT_MADE_BY_THE_PAGE)
        return {name: await platform[name].count_documents({}) for name in sorted(names)}

    wrong = []
    before = await held()
    for door, expected in TABLE.items():
        method, address = door.split()
        inside = [who for who, what in expected.items() if what == IN]
        if method != "GET" or not inside:
            continue
        await visitors.knock(inside[0], method, address.format(**ids))
        after = await held()
        if after != before:
            changed = {name for name in after if after[name] != before.get(name, 0)}
            wrong.append(f"{door} by {inside[0]}: {sorted(changed)}")
            before = after
    assert not wrong, "\n".join(wrong)
