"""What a browser is told with every answer, whatever it is, and what is left in it after signing out."""

from __future__ import annotations

import pytest

from server.kernel.platform import Platform
from tests import cast
from tests.admin.browserless import Browser, sign_in

EVERYWHERE = (
    "/admin/login",
    "/admin/no-such-page",
    "/healthz",
    "/api/v1/me",
    "/api/v1/no-such-call",
    "/api/v1/openapi.json",
)


@pytest.mark.parametrize("path", EVERYWHERE)
async def test_every_answer_says_what_a_browser_may_do_with_it(
    platform: Platform, site: str, path: str
) -> None:
    headers = (await Browser(site).get(path)).headers
    policy = headers["Content-Security-Policy"]
    for directive in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert directive in policy
    assert "unsafe" not in policy and "*" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] in ("same-origin", "no-referrer")
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in headers
    assert "Tornado" not in headers["Server"]
    assert "charset=utf-8" in headers["Content-Type"].lower()


@pytest.mark.parametrize("path", ["/admin/login", "/api/v1/me", "/healthz"])
@pytest.mark.parametrize("method", ["TRACE", "OPTIONS", "CONNECT", "HEAD", "PROPFIND"])
async def test_no_method_is_answered_but_those_that_are_declared(site: str, path: str, method: str) -> None:
    assert (await Browser(site)._send(method, path, None, {})).status == 405


async def test_nothing_of_whoever_signs_out_is_left_in_the_browser(platform: Platform, site: str) -> None:
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    left = await browser.post("/admin/logout")
    assert left.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert not browser.cookies.get("session")
