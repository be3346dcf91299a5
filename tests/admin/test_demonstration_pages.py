"""The clock of a demonstration in the browser and over HTTP: where it is moved, what every page says, and where it is not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from server.__main__ import make_application, routes
from server.accounts import sign_in as accounts
from server.accounts import staff
from server.demonstration import ACCOUNTS, password_of
from server.kernel.clock import BEIJING
from server.kernel.identity import system
from server.kernel.platform import Platform
from server.kernel.web import MOVED_TIME
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admin.browserless import Browser, sign_in
from tests.conftest import NOON
from tests.moving import Process, process
from tests.opening import application_served
from tests.stage import ClassInSession

BANNER = "演示时间 {} ，不是今天"


@dataclass(frozen=True)
class Demonstration:
    site: str
    process: Process


@pytest.fixture
async def demonstration(platform: Platform, wechat: Simulator) -> AsyncIterator[Demonstration]:
    async with process(platform) as here:
        application = make_application(here.platform, simulator_url=wechat.base_url, demonstration=here.clock)
        async with application_served(application) as site:
            yield Demonstration(site, here)


@pytest.fixture
async def opened(platform: Platform, wechat: Simulator) -> ClassInSession:
    return await stage.class_in_session(platform, wechat, trainees=1)


async def ask(site: str, method: str, body: str | None = None) -> HTTPResponse:
    return await AsyncHTTPClient().fetch(
        f"{site}/simulator/time", method=method, body=body, allow_nonstandard_methods=True, raise_error=False
    )


# ---- the page


async def test_the_next_session_is_moved_to_by_a_button(
    demonstration: Demonstration, platform: Platform, opened: ClassInSession
) -> None:
    session = await stage.teaching_session(
        platform, opened, starts_at=NOON + timedelta(days=1), ends_at=NOON + timedelta(days=1, hours=3)
    )
    browser = Browser(demonstration.site)
    assert "不是今天" not in (await browser.get("/simulator")).text
    answer = await browser.post("/simulator/move", {"aim": "session", "class_id": opened.id})
    assert (answer.status, answer.location) == (303, "/simulator")
    there = f"{session.opens_at.astimezone(BEIJING):%Y-%m-%d %H:%M}"
    page = await browser.get("/simulator")
    assert f"演示时间已到 {there}" in page.text
    assert BANNER.format(there) in page.text


@pytest.mark.parametrize(
    ("form", "there"),
    [
        ({"aim": "morning"}, "2026-03-17 08:00"),
        ({"aim": "day", "to": "2026-03-20"}, "2026-03-20 08:00"),
        ({"aim": "last-day"}, "2026-03-27 18:00"),
    ],
)
async def test_a_morning_a_date_and_the_last_day_are_moved_to(
    demonstration: Demonstration, opened: ClassInSession, form: dict[str, str], there: str
) -> None:
    browser = Browser(demonstration.site)
    await browser.post("/simulator/move", {"class_id": opened.id, **form})
    assert BANNER.format(there) in (await browser.get("/simulator")).text


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"aim": "day", "to": "2026-03-01"}, "演示时间不能倒退：现在已是 2026-03-16 12:00。"),
        ({"aim": "day"}, "请填写要到的日期。"),
        ({"aim": "session"}, "请选择培训班。"),
        ({"aim": "yesterday"}, "不在可选范围内。"),
        ({"aim": "session", "class_id": "f" * 24}, "没有这个培训班"),
    ],
)
async def test_what_cannot_be_moved_to_is_said_and_nothing_moves(
    demonstration: Demonstration, form: dict[str, str], words: str
) -> None:
    browser = Browser(demonstration.site)
    refused = await browser.post("/simulator/move", form)
    assert refused.status in (404, 422) and words in refused.text
    assert "不是今天" not in (await browser.get("/simulator")).text


# ---- every page says so


async def test_every_page_and_every_answer_to_a_phone_says_that_it_is_not_today(
    demonstration: Demonstration, platform: Platform, wechat: Simulator, opened: ClassInSession
) -> None:
    here = demonstration.process
    session = await stage.teaching_session(platform, opened)
    officer = await sign_in(here.platform, demonstration.site, cast.YANGZHOU_OFFICER)
    await here.clock.move(NOON + timedelta(days=9))
    at_work = Browser(demonstration.site)
    at_work.cookies |= officer.cookies
    said = BANNER.format("2026-03-25 12:00")
    for path in ("/admin", "/admin/classes", "/admin/no-such-page", "/admin/password"):
        assert said in (await at_work.get(path)).text, path
    for path in ("/admin/login", "/certificates/query", "/simulator", "/verify/unknown"):
        assert said in (await Browser(demonstration.site).get(path)).text, path
    mine = await sign_in(here.platform, demonstration.site, cast.XINGTAI_OFFICER)
    screen = await mine.get(f"/admin/classes/{opened.id}/sessions/{session.id}/classroom")
    assert said in screen.text
    answer = await AsyncHTTPClient().fetch(
        f"{demonstration.site}/api/v1/classes",
        headers={"Authorization": f"Bearer {opened.trainees[0].token}"},
    )
    assert datetime.fromisoformat(answer.headers[MOVED_TIME]) == NOON + timedelta(days=9)


# ---- for programs


async def test_a_program_moves_the_clock_and_is_told_where_it_stands(demonstration: Demonstration) -> None:
    told = json.loads((await ask(demonstration.site, "GET")).body)
    assert told == {"civil": "2026-03-16T04:00:00Z", "machine": "2026-03-16T04:00:00Z"}
    moved = await ask(demonstration.site, "PUT", json.dumps({"to": "2026-03-26T08:00:00+08:00"}))
    assert json.loads(moved.body) == {"civil": "2026-03-26T00:00:00Z", "machine": "2026-03-16T04:00:00Z"}
    assert demonstration.process.ahead == timedelta(days=9, hours=20)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"to": "2026-03-15T08:00:00+08:00"}', 422),
        ('{"to": "2099-03-15T08:00:00+08:00"}', 422),
        ('{"to": "2026-03-26T08:00:00"}', 422),
        ("{}", 422),
        ("now", 400),
    ],
)
async def test_what_a_program_asks_amiss_moves_nothing(
    demonstration: Demonstration, body: str, status: int
) -> None:
    answer = await ask(demonstration.site, "PUT", body)
    assert answer.code == status
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert demonstration.process.ahead == timedelta(0)


# ---- whom a visitor can be


async def test_a_visitor_signs_in_as_staff_by_one_click_and_where_the_password_was_changed_it_is_said(
    demonstration: Demonstration, platform: Platform
) -> None:
    [draft] = [one for one in ACCOUNTS if one.username == "xingtai"]
    officer, first = await staff.allocate(platform, system("demonstration"), draft)
    own = password_of(platform, draft.username)
    await accounts.change_password(platform, staff.actor_of(officer), first, own)
    browser = Browser(demonstration.site)
    assert draft.name in (await browser.get("/simulator")).text
    entered = await browser.post("/simulator/staff", {"username": draft.username})
    assert (entered.status, entered.location) == (303, "/admin")
    assert draft.name in (await browser.get("/admin")).text
    await accounts.change_password(platform, staff.actor_of(officer), own, "another-password-26")
    refused = await Browser(demonstration.site).post("/simulator/staff", {"username": draft.username})
    assert refused.status == 422 and "用户名或密码不正确。" in refused.text


async def test_people_are_offered_by_name_with_their_class_and_part(
    demonstration: Demonstration, opened: ClassInSession
) -> None:
    shown = (await Browser(demonstration.site).get("/simulator")).body.decode()
    for phone, part in ((opened.trainees[0], "参训教师"), (opened.teacher, "骨干教师")):
        assert f"/simulator/people/{phone.openid}" in shown
        assert f"{phone.actor.name}<span>{part}</span>" in shown


# ---- outside a demonstration


async def test_outside_a_demonstration_nothing_moves_the_clock_and_nobody_is_to_be_had(
    site: str, opened: ClassInSession
) -> None:
    assert (await ask(site, "GET")).code == 404
    assert (await ask(site, "PUT", '{"to": "2026-03-26T08:00:00+08:00"}')).code in (403, 404)
    browser = Browser(site)
    assert (await browser.post("/simulator/move", {"aim": "morning"})).status == 404
    shown = (await browser.get("/simulator")).body.decode()
    assert "推进" not in shown and "/simulator/people/" not in shown and "/simulator/staff" not in shown
    assert (await browser.post("/simulator/staff", {"username": "centre"})).status == 404
    assert (await browser.get(f"/simulator/people/{opened.trainees[0].openid}")).status == 404


def test_without_a_simulated_wechat_there_is_no_clock_to_move() -> None:
    real = [route[0] for route in routes(simulated=False, demonstration=True)]
    assert not [path for path in real if path.endswith(("/move", "/time"))]
