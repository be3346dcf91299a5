"""What a browser is told with every answer, whatever it is, and what is left in it after signing out."""

from __future__ import annotations

from typing import cast as cast_to

import pytest
from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPServerRequest, RequestStartLine

from admin.handler import PageHandler
from server.__main__ import make_application
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


async def test_words_for_the_next_page_fit_into_a_cookie(platform: Platform) -> None:
    """ASVS 5.0, 3.3.5: of more than 4096 bytes a browser keeps nothing, and nobody would read what became of the step."""
    application = make_application(platform)
    asked = RequestStartLine("GET", "/admin", "HTTP/1.1")
    request = HTTPServerRequest(
        start_line=asked,
        headers=HTTPHeaders({"Host": "localhost"}),
        connection=cast_to(HTTPConnection, _Nowhere()),
    )
    page = PageHandler(application, request)
    page.flash("已导入并通知" + "欧阳明月、" * 2000)
    [cookie] = page._new_cookie.values()
    assert 2000 < len(cookie.OutputString()) < 4096
    await application.settings["live_rolls"].close()


class _Nowhere:
    def set_close_callback(self, _: object) -> None:
        """Nobody is there who could go."""
