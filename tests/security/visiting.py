"""Everybody before every door: who knocks, what was answered, and what that means."""

from __future__ import annotations

from tornado.httpclient import AsyncHTTPClient

from server.kernel.platform import Platform
from tests import cast
from tests.admin.browserless import Browser, Shown, sign_in
from tests.security.world import World

IN, NOT_SIGNED_IN, FORBIDDEN, HIDDEN = "in", "not signed in", "forbidden", "hidden"
OFFICERS = {one.username: one for one in cast.OFFICERS}
YANGZHOU = cast.YANGZHOU_OFFICER.username


def outcome(answer: Shown) -> str:
    """What an answer means. Whoever gets in may still hear that the form is wrong (4xx), but never that the server is (5xx)."""
    if answer.status == 401 or (answer.status == 302 and answer.location.startswith("/admin/login?")):
        return NOT_SIGNED_IN
    assert answer.status != 405, "no such door"
    if answer.status in (403, 404):
        return FORBIDDEN if answer.status == 403 else HIDDEN
    return IN if answer.status < 500 else f"{answer.status}"


class Visitors:
    """Everybody of the table, ready to knock at an address like `/admin/classes/{class_id}`."""

    def __init__(self, site: str, world: World, browsers: dict[str, Browser], ids: dict[str, str]) -> None:
        self.world = world
        self._site = site
        self._browsers = browsers
        self._ids = ids

    @classmethod
    async def before(cls, platform: Platform, site: str, world: World) -> Visitors:
        """The officers signed in, and one who is not."""
        browsers = {name: await sign_in(platform, site, officer) for name, officer in OFFICERS.items()}
        account = await platform["accounts"].find_one({"username": YANGZHOU})
        assert account is not None
        ids = world.ids | {"account_id": account["_id"]}
        return cls(site, world, browsers | {"anybody": Browser(site)}, ids)

    async def knock(self, who: str, method: str, address: str) -> str:
        return outcome(await self.answered(who, method, address))

    async def answered(self, who: str, method: str, address: str) -> Shown:
        path = address.format(**self._ids)
        browser = self._browsers.get(who)
        if browser is not None and method in ("GET", "POST") and not path.startswith("/api/"):
            return await (browser.get(path) if method == "GET" else browser.post(path))
        phone = self.world.phones.get(who)
        answer = await AsyncHTTPClient().fetch(
            self._site + path,
            method=method,
            headers={"Content-Type": "application/json"} | (phone.headers if phone else {}),
            body=None if method == "GET" else self.world.body(path),
            follow_redirects=False,
            raise_error=False,
        )
        return Shown(answer.code, answer.headers, answer.body)
