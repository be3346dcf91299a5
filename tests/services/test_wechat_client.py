"""The WeChat client against the simulator: over HTTP, on the real database, whatever WeChat does."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorDatabase

from server.kernel.clock import FixedClock
from server.kernel.errors import Problem
from server.kernel.mongo import connect
from server.kernel.platform import WeChatGateway
from server.wechat.client import WeChat
from server.wechat.errors import (
    SubscriptionRefused,
    WeChatCodeInvalid,
    WeChatLimited,
    WeChatRefused,
    WeChatUnavailable,
    WeChatUncertain,
)
from server.wechat.simulator import Simulator, start_simulator
from server.wechat.world import Trouble

OPENID = "phone-of-li"
MUCH_LONGER = 60.0
"""Seconds: against the 0.2 that a hasty client waits, on a machine however busy."""
TEMPLATE = "template-course-begins"
TOKEN, LOGIN, SEND = "/cgi-bin/stable_token", "/sns/jscode2session", "/cgi-bin/message/subscribe/send"
DATA = {"thing1": "汽车维修一级班", "time2": "2026年3月2日 09:00"}

Database = AsyncIOMotorDatabase[dict[str, Any]]
Act = Callable[[WeChat], Coroutine[Any, Any, object]]


@pytest.fixture
async def simulator(clock: FixedClock) -> AsyncIterator[Simulator]:
    simulator = start_simulator(clock=clock)
    yield simulator
    await simulator.stop()


@pytest.fixture
async def db(mongodb_uri: str, database_name: str) -> AsyncIterator[Database]:
    db = connect(mongodb_uri, database_name)
    yield db
    db.client.close()


def client_of(simulator: Simulator, db: Database, clock: FixedClock, **changed: Any) -> WeChat:
    settings: dict[str, Any] = {
        "app_id": simulator.app_id,
        "secret": simulator.secret,
        "api_base": simulator.base_url,
        "timeout_seconds": 20,
        "threads": 8,
    }
    return WeChat(**{**settings, **changed}, db=db, clock=clock)


@pytest.fixture
async def wechat(simulator: Simulator, db: Database, clock: FixedClock) -> AsyncIterator[WeChat]:
    wechat = client_of(simulator, db, clock)
    yield wechat
    await wechat.close()


@pytest.fixture
async def hasty(simulator: Simulator, db: Database, clock: FixedClock) -> AsyncIterator[WeChat]:
    """A client with two threads that waits 0.2 s."""
    wechat = client_of(simulator, db, clock, timeout_seconds=0.2, threads=2)
    yield wechat
    await wechat.close()


def patience(trouble: Trouble) -> float:
    """Seconds: only who is never answered has to wait them out, and until then everything else must have had its time."""
    return 3 if trouble == "hang" else 20


async def send(wechat: WeChat) -> str:
    return await wechat.send_subscribe_message(OPENID, TEMPLATE, "pages/index", DATA)


# ---- what works


async def test_a_code_becomes_a_session_without_any_access_token(
    simulator: Simulator, wechat: WeChat
) -> None:
    simulator.world.fail(TOKEN, "hang")
    session = await wechat.code_to_session(simulator.world.give_code(OPENID))
    assert session.openid == OPENID
    assert session.unionid is None
    assert session.session_key not in repr(session)
    assert not simulator.world.calls[TOKEN]


async def test_a_message_reaches_the_phone(simulator: Simulator, wechat: WeChat) -> None:
    simulator.world.grant(OPENID, TEMPLATE)
    msgid = await send(wechat)
    (received,) = simulator.world.phone(OPENID).messages
    assert str(received["msgid"]) == msgid
    assert received["page"] == "pages/index"
    assert received["data"] == {key: {"value": value} for key, value in DATA.items()}


async def test_a_mini_program_code_is_a_picture(wechat: WeChat) -> None:
    assert (await wechat.mini_program_code("class=1", "pages/class")).startswith(b"\x89PNG")


async def test_a_phone_number_is_told(simulator: Simulator, wechat: WeChat) -> None:
    code = simulator.world.give_code(OPENID, "phone-number")
    assert await wechat.phone_number(code) == simulator.world.phone(OPENID).number


def test_the_client_is_what_the_chapters_ask_for(wechat: WeChat) -> None:
    gateway: WeChatGateway = wechat
    assert gateway is wechat


# ---- what WeChat refuses


async def test_a_code_used_twice_is_invalid(simulator: Simulator, wechat: WeChat) -> None:
    code = simulator.world.give_code(OPENID)
    await wechat.code_to_session(code)
    with pytest.raises(WeChatCodeInvalid, match="请重新打开小程序登录"):
        await wechat.code_to_session(code)


async def test_a_code_older_than_five_minutes_is_invalid(
    simulator: Simulator, wechat: WeChat, clock: FixedClock
) -> None:
    code = simulator.world.give_code(OPENID)
    clock.advance(timedelta(minutes=5))
    with pytest.raises(WeChatCodeInvalid):
        await wechat.code_to_session(code)


@pytest.mark.parametrize("code", ["", "码", "a b", "\x00", "\ud800", "a" * 513])
async def test_what_cannot_be_a_code_is_refused_without_asking_wechat(
    simulator: Simulator, wechat: WeChat, code: str
) -> None:
    with pytest.raises(WeChatCodeInvalid):
        await wechat.code_to_session(code)
    with pytest.raises(WeChatCodeInvalid):
        await wechat.phone_number(code)
    assert not simulator.world.calls


async def test_a_blocked_phone_cannot_log_in(simulator: Simulator, wechat: WeChat) -> None:
    simulator.world.phone(OPENID).blocked = True
    with pytest.raises(WeChatCodeInvalid):
        await wechat.code_to_session(simulator.world.give_code(OPENID))


async def test_a_message_nobody_agreed_to_is_refused(wechat: WeChat) -> None:
    with pytest.raises(SubscriptionRefused):
        await send(wechat)


@pytest.mark.parametrize(
    ("act", "errcode"),
    [
        (lambda wechat: wechat.send_subscribe_message("", TEMPLATE, "", DATA), 40003),
        (lambda wechat: wechat.send_subscribe_message(OPENID, "", "", DATA), 40037),
        (lambda wechat: wechat.send_subscribe_message(OPENID, TEMPLATE, "/x", DATA), 41030),
        (lambda wechat: wechat.send_subscribe_message(OPENID, TEMPLATE, "", {"thing1": "字" * 21}), 47003),
        (lambda wechat: wechat.mini_program_code("s" * 33, "pages/class"), 40169),
    ],
)
async def test_a_call_that_is_wrong_is_refused_for_good(wechat: WeChat, act: Act, errcode: int) -> None:
    with pytest.raises(WeChatRefused) as refused:
        await act(wechat)
    assert refused.value.extra == {"errcode": errcode}


@pytest.mark.parametrize("errcode", [-1, 45009, 45011, 40164, 99999])
@pytest.mark.parametrize("path", [LOGIN, SEND, TOKEN])
async def test_a_busy_or_limited_wechat_is_unavailable(
    simulator: Simulator, wechat: WeChat, path: str, errcode: int
) -> None:
    simulator.world.fail(path, errcode)
    with pytest.raises(WeChatUnavailable):
        await (wechat.code_to_session(simulator.world.give_code(OPENID)) if path == LOGIN else send(wechat))
    assert simulator.world.calls[path] == 1


@pytest.mark.parametrize("trouble", ["disconnect", "bad-gateway", "gibberish"])
@pytest.mark.parametrize("path", [LOGIN, SEND, TOKEN])
async def test_an_answer_that_is_none_is_unavailable(
    simulator: Simulator, wechat: WeChat, path: str, trouble: Trouble
) -> None:
    simulator.world.fail(path, trouble)
    with pytest.raises(WeChatUnavailable):
        await (wechat.code_to_session(simulator.world.give_code(OPENID)) if path == LOGIN else send(wechat))


@pytest.mark.parametrize("trouble", ["hang", "disconnect", "bad-gateway", "gibberish"])
async def test_a_message_whose_answer_never_came_may_have_been_sent(
    simulator: Simulator, wechat: WeChat, db: Database, clock: FixedClock, trouble: Trouble
) -> None:
    await wechat.mini_program_code("s", "pages/class")  # the token is there
    hasty = client_of(simulator, db, clock, timeout_seconds=patience(trouble))
    simulator.world.fail(SEND, trouble)
    with pytest.raises(WeChatUncertain):
        await send(hasty)
    await hasty.close()


@pytest.mark.parametrize("trouble", ["hang", "disconnect", "bad-gateway", "gibberish"])
async def test_a_message_without_a_token_was_certainly_not_sent(
    simulator: Simulator, db: Database, clock: FixedClock, trouble: Trouble
) -> None:
    hasty = client_of(simulator, db, clock, timeout_seconds=patience(trouble))
    simulator.world.fail(TOKEN, trouble)
    with pytest.raises(WeChatUnavailable) as raised:
        await send(hasty)
    assert not isinstance(raised.value, WeChatUncertain)
    assert not simulator.world.calls[SEND]
    await hasty.close()


async def test_a_token_refused_and_not_replaced_in_time_sent_nothing(
    simulator: Simulator, wechat: WeChat, db: Database, clock: FixedClock
) -> None:
    await wechat.mini_program_code("s", "pages/class")
    hasty = client_of(simulator, db, clock, timeout_seconds=1)
    simulator.world.fail(SEND, 40001)
    simulator.world.fail(TOKEN, "hang")
    with pytest.raises(WeChatUnavailable) as raised:
        await send(hasty)
    assert not isinstance(raised.value, WeChatUncertain)
    await hasty.close()


async def test_the_daily_quota_is_told_apart(simulator: Simulator, wechat: WeChat) -> None:
    simulator.world.fail(SEND, 45009)
    with pytest.raises(WeChatLimited):
        await send(wechat)


async def test_an_answer_without_its_fields_is_unavailable(simulator: Simulator, wechat: WeChat) -> None:
    simulator.world.fail(LOGIN, 0)
    with pytest.raises(WeChatUnavailable):
        await wechat.code_to_session(simulator.world.give_code(OPENID))


async def test_a_wechat_that_cannot_be_reached_is_unavailable(
    simulator: Simulator, db: Database, clock: FixedClock
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        wechat = client_of(simulator, db, clock, api_base=f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(WeChatUnavailable) as raised:
            await wechat.code_to_session("code")
        assert not isinstance(raised.value, WeChatUncertain)  # nothing left this machine
        await wechat.close()


async def test_the_wrong_secret_is_unavailable_and_not_the_persons_fault(
    simulator: Simulator, db: Database, clock: FixedClock
) -> None:
    wechat = client_of(simulator, db, clock, secret="0" * 32)
    for act in (wechat.code_to_session(simulator.world.give_code(OPENID)), send(wechat)):
        with pytest.raises(WeChatUnavailable):
            await act
    await wechat.close()


# ---- the access token


async def test_thirty_two_cold_calls_fetch_the_token_once(simulator: Simulator, wechat: WeChat) -> None:
    for _ in range(32):
        simulator.world.grant(OPENID, TEMPLATE)
    assert len(set(await asyncio.gather(*(send(wechat) for _ in range(32))))) == 32
    assert simulator.world.calls[TOKEN] == 1


async def test_cold_processes_fetch_the_token_once(
    simulator: Simulator, db: Database, clock: FixedClock
) -> None:
    processes = [client_of(simulator, db, clock, threads=2) for _ in range(8)]
    await asyncio.gather(
        *(process.mini_program_code("s", "pages/class") for process in processes for _ in "ab")
    )
    assert simulator.world.calls[TOKEN] == 1
    await asyncio.gather(*(process.close() for process in processes))


async def test_the_token_is_renewed_five_minutes_early(
    simulator: Simulator, wechat: WeChat, clock: FixedClock
) -> None:
    await wechat.mini_program_code("s", "pages/class")
    clock.advance(timedelta(seconds=7200 - 301))
    await wechat.mini_program_code("s", "pages/class")
    assert simulator.world.calls[TOKEN] == 1
    clock.advance(timedelta(seconds=1))
    await wechat.mini_program_code("s", "pages/class")
    assert simulator.world.calls[TOKEN] == 2
    assert len(simulator.world.tokens) == 2


async def test_the_old_token_serves_when_it_cannot_be_renewed_yet(
    simulator: Simulator, wechat: WeChat, clock: FixedClock
) -> None:
    await wechat.mini_program_code("s", "pages/class")
    simulator.world.fail(TOKEN, -1)
    clock.advance(timedelta(seconds=7200 - 300))
    for _ in range(3):
        await wechat.mini_program_code("s", "pages/class")
    assert simulator.world.calls[TOKEN] == 2  # one attempt for as long as its lease lasts
    clock.advance(timedelta(seconds=60))
    simulator.world.heal()
    await wechat.mini_program_code("s", "pages/class")
    assert len(simulator.world.tokens) == 2


async def test_one_process_renews_while_the_others_use_the_old_token(
    simulator: Simulator, db: Database, clock: FixedClock
) -> None:
    one, other = client_of(simulator, db, clock), client_of(simulator, db, clock)
    await one.mini_program_code("s", "pages/class")
    clock.advance(timedelta(seconds=7200 - 300))
    simulator.world.fail(TOKEN, "hang")
    renewing = asyncio.create_task(one.mini_program_code("s", "pages/class"))
    while simulator.world.calls[TOKEN] < 2:  # noqa: ASYNC110 - the call arrives over HTTP, without an event
        await asyncio.sleep(0)
    assert (await other.mini_program_code("s", "pages/class")).startswith(b"\x89PNG")
    assert not renewing.done()
    simulator.world.heal()
    await renewing
    await asyncio.gather(one.close(), other.close())


async def test_a_token_that_wechat_forgot_is_replaced_within_the_call(
    simulator: Simulator, wechat: WeChat
) -> None:
    await wechat.mini_program_code("s", "pages/class")
    simulator.world.tokens.clear()
    await wechat.mini_program_code("s", "pages/class")
    assert simulator.world.calls[TOKEN] == 2
    assert simulator.world.calls["/wxa/getwxacodeunlimit"] == 3


async def test_a_token_replaced_by_another_process_is_taken_over(
    simulator: Simulator, db: Database, clock: FixedClock
) -> None:
    one, other = client_of(simulator, db, clock), client_of(simulator, db, clock)
    await one.mini_program_code("s", "pages/class")
    await other.mini_program_code("s", "pages/class")
    simulator.world.tokens.clear()
    await one.mini_program_code("s", "pages/class")
    await other.mini_program_code("s", "pages/class")
    assert simulator.world.calls[TOKEN] == 2
    await asyncio.gather(one.close(), other.close())


async def test_a_token_refused_for_ever_makes_a_bounded_number_of_calls(
    simulator: Simulator, wechat: WeChat
) -> None:
    simulator.world.fail(SEND, 40001)
    for already in range(3):
        with pytest.raises(WeChatUnavailable):
            await send(wechat)
        assert simulator.world.calls[SEND] == 2 * (already + 1)
        assert simulator.world.calls[TOKEN] == already + 2
    simulator.world.heal()
    simulator.world.grant(OPENID, TEMPLATE)
    assert await send(wechat)


async def test_a_lease_whose_holder_died_runs_out(
    simulator: Simulator, wechat: WeChat, db: Database, clock: FixedClock
) -> None:
    await db["wechat_tokens"].insert_one(
        {"_id": simulator.app_id, "lease_owner": "dead", "lease_until": clock.now() + timedelta(seconds=30)}
    )
    clock.advance(timedelta(seconds=30))
    assert await wechat.mini_program_code("s", "pages/class")


async def test_a_lease_that_is_never_given_back_makes_nobody_wait_longer_than_the_timeout(
    simulator: Simulator, hasty: WeChat, db: Database, clock: FixedClock
) -> None:
    await db["wechat_tokens"].insert_one(
        {"_id": simulator.app_id, "lease_owner": "stuck", "lease_until": clock.now() + timedelta(days=1)}
    )
    with pytest.raises(WeChatUnavailable):
        await send(hasty)
    assert not simulator.world.calls


# ---- what is bounded


@pytest.mark.parametrize("path", [LOGIN, TOKEN, SEND])
async def test_a_hanging_wechat_makes_nobody_wait_longer_than_the_timeout(
    simulator: Simulator, hasty: WeChat, path: str
) -> None:
    simulator.world.fail(path, "hang")
    began = time.monotonic()
    with pytest.raises(WeChatUnavailable):
        await (hasty.code_to_session(simulator.world.give_code(OPENID)) if path == LOGIN else send(hasty))
    assert time.monotonic() - began < MUCH_LONGER


async def test_a_hanging_wechat_piles_up_neither_threads_nor_callers(
    simulator: Simulator, db: Database, clock: FixedClock
) -> None:
    patient = client_of(simulator, db, clock, threads=2)
    simulator.world.fail(LOGIN, "hang")
    calls = [asyncio.create_task(patient.code_to_session("code")) for _ in range(2 + 8 + 5)]
    waiting = set(calls)
    while len(waiting) > 10:
        _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    refused = set(calls) - waiting
    assert all(isinstance(call.exception(), WeChatUnavailable) for call in refused)
    assert len(waiting) == 10
    assert simulator.world.calls[LOGIN] <= 2
    for call in waiting:
        call.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    simulator.world.heal()
    with pytest.raises(WeChatCodeInvalid):
        await patient.code_to_session("code")
    await patient.close()


async def test_the_loop_goes_on_while_wechat_hangs(simulator: Simulator, hasty: WeChat) -> None:
    simulator.world.fail(LOGIN, "hang")
    waiting = asyncio.create_task(hasty.code_to_session("code"))
    turns = 0
    while not waiting.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 20
    assert isinstance(waiting.exception(), WeChatUnavailable)


# ---- what never shows


async def test_no_secret_code_or_token_is_logged_or_raised(
    simulator: Simulator, wechat: WeChat, hasty: WeChat, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "pymongo")  # as the server sets it: below, it logs whole commands
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "urllib3")  # another test may have set up the logs as the server does
    code = simulator.world.give_code(OPENID)
    await wechat.code_to_session(code)
    problems: list[Problem] = []
    for failure in (-1, 40125, "disconnect", "bad-gateway", "gibberish", "hang"):
        for path in (LOGIN, SEND, TOKEN):
            simulator.world.fail(path, failure)
        for act in (hasty.code_to_session(simulator.world.give_code(OPENID)), send(hasty)):
            with pytest.raises(WeChatUnavailable) as raised:
                await act
            problems.append(raised.value)
            logging.getLogger("test").error("unhandled", exc_info=raised.value)
        simulator.world.heal()
    await wechat.mini_program_code("s", "pages/class")
    assert "urllib3.connectionpool" in {record.name for record in caplog.records}
    for secret in (simulator.secret, *simulator.world.codes, *simulator.world.tokens):
        assert secret not in caplog.text
        assert not any(secret in f"{problem!r} {problem.__context__!r}" for problem in problems)
