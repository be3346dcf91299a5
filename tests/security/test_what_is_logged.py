"""Whoever is refused can be found in the log: when, from where, who, what and how it ended, and nothing of what was typed."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from miniprogram_api.routes import ROUTES as API_ROUTES
from server.kernel import logs
from server.kernel.platform import Platform
from server.kernel.web import HTTP_METHODS, Handler, access_of
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admin.browserless import Browser, sign_in
from tests.api.client import call
from tests.surveying import answers_to, open_survey

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


async def test_the_log_does_not_say_who_wrote_a_remark(
    platform: Platform, wechat: Simulator, site: str, said: Lines
) -> None:
    """The question to WeChat takes its time, and a refusal is of words: neither name, nor duration, nor exact status, nor address."""
    held = await stage.class_in_session(platform, wechat, trainees=3)
    survey = await open_survey(platform, held)
    path = f"/surveys/{survey.id}/responses"
    said.clear()
    for phone, remark in zip(held.trainees, ("讲得很好", "", "含违规内容"), strict=True):
        body = {"answers": answers_to(survey, remark=remark)}
        await call(site, "POST", path, token=phone.token, body=body)
    await call(site, "POST", path, token=held.trainees[0].token, body={"answers": answers_to(survey)})
    assert [one["message"].split()[-1] for one in said] == ["2xx", "2xx", "4xx", "2xx"]
    assert all(one.keys() == {"message", "request_id"} for one in said)


async def test_where_nobody_is_named_a_phone_of_nobodys_is_still_found(site: str, said: Lines) -> None:
    await call(site, "POST", f"/surveys/{'0' * 24}/responses", token="made-up", body={"answers": {}})
    assert said[-1]["message"].endswith(" 4xx") and said[-1]["address"] == "127.0.0.1"


def test_every_route_that_takes_answers_of_a_survey_names_nobody() -> None:
    assert [route for route, handler, *_ in API_ROUTES if _names_nobody(handler)] == [
        r"/api/v1/surveys/(?P<survey_id>[0-9a-f]{24})/responses"
    ]


def _names_nobody(handler: Handler) -> bool:
    return any((access := access_of(handler, one)) and access.anonymous for one in HTTP_METHODS)
