"""Whoever is refused can be found in the log: when, from where, who, what and how it ended, and nothing of what was typed."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from server.kernel import logs
from server.kernel.platform import Platform
from tests import cast, stage
from tests.admin.browserless import Browser, sign_in

Lines = list[dict[str, Any]]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Lines:
    lines: Lines = []

    def say(level: int, logger: str, message: str, **extras: str | float) -> None:
        lines.append({"message": message, **extras})

    caplog.set_level(logging.INFO, "platform.web")
    monkeypatch.setattr(logs, "say", say)
    return lines


async def test_who_is_refused_is_logged_with_where_from(platform: Platform, site: str, said: Lines) -> None:
    officer = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    account = await platform["accounts"].find_one({"username": cast.XINGTAI_OFFICER.username})
    assert account is not None
    said.clear()
    shown = await officer.get("/admin/audit")
    [line] = said
    assert line["message"] == "GET /admin/audit 403" and line["actor"] == account["_id"]
    assert line["address"] == "127.0.0.1" and line["request_id"] == shown.headers["X-Request-Id"]


async def test_a_wrong_password_is_logged_without_what_was_typed(
    platform: Platform, site: str, said: Lines
) -> None:
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    browser = Browser(site)
    for username in (cast.XINGTAI_OFFICER.username, "nobody-here"):
        said.clear()
        typed = {"username": username, "password": "not-this-one-2026"}
        await browser.post("/admin/login", typed)
        line = said[-1]
        assert line["message"] == "POST /admin/login 422" and line["address"] == "127.0.0.1"
        assert not any(secret in str(said) for secret in typed.values())


async def test_an_address_is_kept_of_nobody_who_is_let_in(platform: Platform, site: str, said: Lines) -> None:
    officer = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    said.clear()
    await officer.get("/admin")
    assert [line["message"] for line in said] == ["GET /admin 200"]
    assert "address" not in said[0]


async def test_a_token_of_nobodys_and_a_code_that_is_refused_are_logged(site: str, said: Lines) -> None:
    browser = Browser(site)
    await browser.get("/api/v1/me", Authorization="Bearer made-up")
    assert said[-1]["message"] == "GET /api/v1/me 401" and said[-1]["address"] == "127.0.0.1"
    assert "made-up" not in str(said)
