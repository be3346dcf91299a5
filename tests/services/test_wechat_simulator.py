"""The simulated WeChat answers as WeChat does: over HTTP, always 200, with WeChat's error codes."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from server.kernel.clock import FixedClock
from server.kernel.web import Route, check_routes
from server.wechat.backstage import PHONE_PATH
from server.wechat.faces import CertInfo, cert_hash
from server.wechat.simulator import Simulator, SimulatorProxy, start_simulator

OPENID = "phone-of-wang"
TEMPLATE = "template-course-begins"


@pytest.fixture
async def simulator(clock: FixedClock) -> AsyncIterator[Simulator]:
    simulator = start_simulator(clock=clock)
    yield simulator
    await simulator.stop()


async def fetch(simulator: Simulator, path: str, method: str = "GET", body: Any = None) -> HTTPResponse:
    """The answer of the simulator to one request; `body` is sent as JSON, bytes as they are."""
    sent = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    return await AsyncHTTPClient().fetch(
        simulator.base_url + path, method=method, body=sent, allow_nonstandard_methods=True, raise_error=False
    )


async def call(simulator: Simulator, path: str, method: str = "GET", body: Any = None) -> dict[str, Any]:
    answer = await fetch(simulator, path, method, body)
    assert answer.code == 200
    decoded: dict[str, Any] = json.loads(answer.body)
    return decoded


async def log_in(simulator: Simulator, code: str, **changed: str) -> dict[str, Any]:
    query = {
        "appid": simulator.app_id,
        "secret": simulator.secret,
        "js_code": code,
        "grant_type": "authorization_code",
        **changed,
    }
    return await call(simulator, "/sns/jscode2session?" + "&".join(f"{k}={v}" for k, v in query.items()))


async def token_answer(simulator: Simulator, **changed: Any) -> dict[str, Any]:
    body = {
        "grant_type": "client_credential",
        "appid": simulator.app_id,
        "secret": simulator.secret,
        "force_refresh": False,
        **changed,
    }
    return await call(simulator, "/cgi-bin/stable_token", "POST", body)


async def post(simulator: Simulator, path: str, body: Any) -> dict[str, Any]:
    token = (await token_answer(simulator))["access_token"]
    return await call(simulator, f"{path}?access_token={token}", "POST", body)


def message(**changed: Any) -> dict[str, Any]:
    return {
        "touser": OPENID,
        "template_id": TEMPLATE,
        "page": "pages/classes/index?id=1",
        "data": {"thing1": {"value": "汽车维修一级班"}, "time2": {"value": "2026年3月2日 09:00"}},
        **changed,
    }


# ---- the log-in code


async def test_a_phone_gets_a_code_that_says_who_it_is(simulator: Simulator) -> None:
    given = await call(simulator, f"/simulator/phones/{OPENID}/code", "POST", b"")
    answer = await log_in(simulator, given["code"])
    assert answer["openid"] == OPENID
    assert answer["session_key"]
    assert "errcode" not in answer


async def test_a_code_serves_once(simulator: Simulator) -> None:
    code = simulator.world.give_code(OPENID)
    await log_in(simulator, code)
    assert (await log_in(simulator, code))["errcode"] == 40163


async def test_a_code_lives_five_minutes(simulator: Simulator, clock: FixedClock) -> None:
    first, second = simulator.world.give_code(OPENID), simulator.world.give_code(OPENID)
    clock.advance(timedelta(minutes=5) - timedelta(milliseconds=1))
    assert (await log_in(simulator, first))["openid"] == OPENID
    clock.advance(timedelta(milliseconds=1))
    assert (await log_in(simulator, second))["errcode"] == 40029


async def test_a_blocked_phone_cannot_log_in(simulator: Simulator) -> None:
    simulator.world.phone(OPENID).blocked = True
    assert (await log_in(simulator, simulator.world.give_code(OPENID)))["errcode"] == 40226


async def test_a_phone_logs_in_a_hundred_times_a_minute_and_no_more(
    simulator: Simulator, clock: FixedClock
) -> None:
    for _ in range(100):
        assert "openid" in await log_in(simulator, simulator.world.give_code(OPENID))
    assert (await log_in(simulator, simulator.world.give_code(OPENID)))["errcode"] == 45011
    clock.advance(timedelta(minutes=1))
    assert "openid" in await log_in(simulator, simulator.world.give_code(OPENID))


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"appid": ""}, 41002),
        ({"secret": ""}, 41004),
        ({"appid": "wxsomebodyelse"}, 40013),
        ({"secret": "0" * 32}, 40125),
        ({"js_code": ""}, 41008),
        ({"js_code": "invented"}, 40029),
        ({"grant_type": "password"}, 40002),
    ],
)
async def test_a_wrong_log_in_says_what_is_wrong(
    simulator: Simulator, changed: dict[str, str], errcode: int
) -> None:
    code = simulator.world.give_code(OPENID)
    assert (await log_in(simulator, code, **changed))["errcode"] == errcode
    assert "openid" in await log_in(simulator, code)


# ---- the access token


async def test_the_token_stays_the_same_until_its_last_five_minutes(
    simulator: Simulator, clock: FixedClock
) -> None:
    first = await token_answer(simulator)
    assert first["expires_in"] == 7200
    clock.advance(timedelta(seconds=7200 - 301))
    assert await token_answer(simulator) == {"access_token": first["access_token"], "expires_in": 301}
    clock.advance(timedelta(seconds=1))
    second = await token_answer(simulator)
    assert second["access_token"] != first["access_token"]
    assert second["expires_in"] == 7200


async def test_two_tokens_overlap_for_five_minutes(simulator: Simulator, clock: FixedClock) -> None:
    simulator.world.grant(OPENID, TEMPLATE)
    old = (await token_answer(simulator))["access_token"]
    clock.advance(timedelta(seconds=7200 - 300))
    await token_answer(simulator)
    path = f"/cgi-bin/message/subscribe/send?access_token={old}"
    assert (await call(simulator, path, "POST", message()))["errcode"] == 0
    clock.advance(timedelta(seconds=300))
    assert (await call(simulator, path, "POST", message()))["errcode"] == 42001


async def test_a_forced_refresh_takes_the_old_token_away(simulator: Simulator) -> None:
    old = (await token_answer(simulator))["access_token"]
    assert (await token_answer(simulator, force_refresh=True))["access_token"] != old
    path = f"/cgi-bin/message/subscribe/send?access_token={old}"
    assert (await call(simulator, path, "POST", message()))["errcode"] == 40001


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"grant_type": "authorization_code"}, 40002),
        ({"appid": ""}, 41002),
        ({"secret": ""}, 41004),
        ({"appid": "wxsomebodyelse"}, 40013),
        ({"secret": "0" * 32}, 40125),
    ],
)
async def test_a_wrong_request_for_a_token_says_what_is_wrong(
    simulator: Simulator, changed: dict[str, str], errcode: int
) -> None:
    assert (await token_answer(simulator, **changed))["errcode"] == errcode


@pytest.mark.parametrize(
    "path",
    [
        "/wxa/business/getuserphonenumber",
        "/wxa/getwxacodeunlimit",
        "/cgi-bin/message/subscribe/send",
        "/wxa/msg_sec_check",
        "/wxa/media_check_async",
        "/intp/realname/checkrealnameinfo",
        "/cityservice/face/identify/getverifyid",
        "/cityservice/face/identify/queryverifyinfo",
    ],
)
async def test_a_call_needs_a_token_and_a_json_object(simulator: Simulator, path: str) -> None:
    token = (await token_answer(simulator))["access_token"]
    assert (await call(simulator, path, "POST", {}))["errcode"] == 41001
    assert (await call(simulator, f"{path}?access_token=invented", "POST", {}))["errcode"] == 40001
    assert (await call(simulator, f"{path}?access_token={token}", "POST", b""))["errcode"] == 44002
    assert (await call(simulator, f"{path}?access_token={token}", "POST", b"{"))["errcode"] == 47001
    assert (await call(simulator, f"{path}?access_token={token}", "POST", []))["errcode"] == 47001
    assert (await call(simulator, f"{path}?access_token={token}"))["errcode"] == 43002


# ---- messages


async def test_a_message_arrives_and_uses_up_one_grant(simulator: Simulator) -> None:
    granted = await call(simulator, f"/simulator/phones/{OPENID}/grants/{TEMPLATE}", "POST", b"")
    assert granted == {"grants": 1}
    sent = await post(simulator, "/cgi-bin/message/subscribe/send", message())
    assert (sent["errcode"], sent["errmsg"]) == (0, "ok")
    received = (await call(simulator, f"/simulator/phones/{OPENID}/messages"))["messages"]
    assert [row["msgid"] for row in received] == [sent["msgid"]]
    assert received[0]["data"] == message()["data"]
    assert (await post(simulator, "/cgi-bin/message/subscribe/send", message()))["errcode"] == 43101


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"touser": ""}, 40003),
        ({"touser": "王 老师"}, 40003),
        ({"template_id": ""}, 40037),
        ({"page": "/pages/index"}, 41030),
        ({"data": {}}, 47003),
        ({"data": {"thing1": {"value": ""}}}, 47003),
        ({"data": {"thing1": {"value": "字" * 21}}}, 47003),
        ({"data": {"thing1": "字"}}, 47003),
        ({"data": {"phrase1": {"value": "六个汉字太长"}}}, 47003),
        ({"data": {"time1": {"value": "明天上午"}}}, 47003),
        ({"data": {"invented1": {"value": "字"}}}, 47003),
    ],
)
async def test_a_wrong_message_is_refused_and_uses_up_nothing(
    simulator: Simulator, changed: dict[str, Any], errcode: int
) -> None:
    simulator.world.grant(OPENID, TEMPLATE)
    refused = await post(simulator, "/cgi-bin/message/subscribe/send", message(**changed))
    assert refused["errcode"] == errcode
    assert simulator.world.phone(OPENID).grants[TEMPLATE] == 1


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("thing1", "字" * 20),
        ("number2", 12.5),
        ("date3", "2026-03-02"),
        ("date3", "2026年3月2日~2026年3月9日"),
        ("time4", "09:00~11:30"),
        ("phrase5", "已通过"),
        ("character_string6", "13009202206300X"),
        ("name7", "王小明"),
        ("amount8", "¥300.00元"),
    ],
)
async def test_values_of_each_kind_are_taken(simulator: Simulator, key: str, value: object) -> None:
    simulator.world.grant(OPENID, TEMPLATE)
    sent = await post(simulator, "/cgi-bin/message/subscribe/send", message(data={key: {"value": value}}))
    assert sent["errcode"] == 0


# ---- the other calls


async def test_a_phone_number_is_told_once_within_five_minutes(
    simulator: Simulator, clock: FixedClock
) -> None:
    path = "/wxa/business/getuserphonenumber"
    code = (await call(simulator, f"/simulator/phones/{OPENID}/phone-number-code", "POST", b""))["code"]
    told = (await post(simulator, path, {"code": code}))["phone_info"]
    assert told["purePhoneNumber"] == simulator.world.phone(OPENID).number
    assert told["watermark"] == {"timestamp": int(clock.now().timestamp()), "appid": simulator.app_id}
    assert (await post(simulator, path, {"code": code}))["errcode"] == 40029
    late = simulator.world.give_code(OPENID, "phone-number")
    clock.advance(timedelta(minutes=5))
    assert (await post(simulator, path, {"code": late}))["errcode"] == 40029


async def test_a_log_in_code_does_not_tell_the_phone_number(simulator: Simulator) -> None:
    code = simulator.world.give_code(OPENID)
    assert (await post(simulator, "/wxa/business/getuserphonenumber", {"code": code}))["errcode"] == 40029


async def test_a_mini_program_code_is_a_picture_and_its_failure_is_json(simulator: Simulator) -> None:
    token = (await token_answer(simulator))["access_token"]
    path = f"/wxa/getwxacodeunlimit?access_token={token}"
    picture = await fetch(simulator, path, "POST", {"scene": "class=1", "page": "pages/class"})
    assert picture.headers["Content-Type"] == "image/png"
    assert picture.body.startswith(b"\x89PNG")
    for body, errcode in [
        ({}, 40169),
        ({"scene": "a" * 33}, 40169),
        ({"scene": "班级"}, 40169),
        ({"scene": "a", "page": "/pages/class"}, 41030),
        ({"scene": "a", "width": 279}, 47001),
        ({"scene": "a", "width": 1281}, 47001),
    ]:
        assert (await call(simulator, path, "POST", body))["errcode"] == errcode


@pytest.mark.parametrize(
    ("content", "suggest"), [("课讲得很好", "pass"), ("含违规内容", "risky"), ("含存疑内容", "review")]
)
async def test_a_text_is_judged(simulator: Simulator, content: str, suggest: str) -> None:
    body = {"version": 2, "openid": OPENID, "scene": 2, "content": content}
    answer = await post(simulator, "/wxa/msg_sec_check", body)
    assert (answer["errcode"], answer["result"]["suggest"]) == (0, suggest)


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"content": ""}, 44002),
        ({"content": "字" * 2501}, 47001),
        ({"version": 1}, 47001),
        ({"scene": 5}, 47001),
        ({"openid": ""}, 40003),
    ],
)
async def test_a_wrong_text_check_says_what_is_wrong(
    simulator: Simulator, changed: dict[str, Any], errcode: int
) -> None:
    body = {"version": 2, "openid": OPENID, "scene": 2, "content": "课讲得很好", **changed}
    assert (await post(simulator, "/wxa/msg_sec_check", body))["errcode"] == errcode


# ---- failures on demand


async def test_a_call_fails_as_told_until_it_is_healed(simulator: Simulator) -> None:
    switch = "/simulator/failures/sns/jscode2session"
    assert (await fetch(simulator, switch, "PUT", -1)).code == 204
    assert (await log_in(simulator, simulator.world.give_code(OPENID)))["errcode"] == -1
    assert (await fetch(simulator, switch, "DELETE")).code == 204
    assert "openid" in await log_in(simulator, simulator.world.give_code(OPENID))
    assert simulator.world.calls["/sns/jscode2session"] == 2


async def test_a_call_fails_below_the_json_as_told(simulator: Simulator) -> None:
    path = "/sns/jscode2session"
    simulator.world.fail(path, "bad-gateway")
    assert (await fetch(simulator, path)).code == 502
    simulator.world.fail(path, "gibberish")
    assert not (await fetch(simulator, path)).body.startswith(b"{")
    simulator.world.fail(path, "disconnect")
    with pytest.raises(HTTPClientError, match="Stream closed"):
        await fetch(simulator, path)


async def test_calls_that_hang_are_let_go_when_healed(simulator: Simulator) -> None:
    simulator.world.fail("/sns/jscode2session", "hang")
    hanging = asyncio.create_task(fetch(simulator, "/sns/jscode2session"))
    while not simulator.world.calls["/sns/jscode2session"]:  # noqa: ASYNC110 - it arrives without an event
        await asyncio.sleep(0)
    assert not hanging.done()
    simulator.world.heal()
    with pytest.raises(HTTPClientError, match="Stream closed"):
        await hanging


@pytest.mark.parametrize("failure", [b"", b'"slow"', b"{}", b"true"])
async def test_an_unknown_failure_is_not_taken(simulator: Simulator, failure: bytes) -> None:
    assert (await fetch(simulator, "/simulator/failures/sns/jscode2session", "PUT", failure)).code == 400
    assert not simulator.world.failures


async def test_no_secret_code_or_token_is_logged(
    simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    code = simulator.world.give_code(OPENID)
    await log_in(simulator, code)
    await log_in(simulator, "%ff")
    await fetch(simulator, f"/sns/jscode2session?secret={simulator.secret}", "PATCH", b"")
    token = (await token_answer(simulator))["access_token"]
    await post(simulator, "/wxa/msg_sec_check", {})
    for secret in (simulator.secret, code, token):
        assert secret not in caplog.text


# ---- the platform's door to the simulator


@pytest.fixture
async def platform_url(simulator: Simulator) -> AsyncIterator[str]:
    routes: list[Route] = [(f"{PHONE_PATH}/code", SimulatorProxy)]
    check_routes(routes)
    application = Application(routes, wechat_simulator_url=simulator.base_url, xsrf_cookies=True)
    server = HTTPServer(application)
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    server.stop()
    await server.close_all_connections()


async def test_the_platform_hands_out_the_codes_of_simulated_phones(
    simulator: Simulator, platform_url: str
) -> None:
    answer = await AsyncHTTPClient().fetch(
        f"{platform_url}/simulator/phones/{OPENID}/code", method="POST", body=b""
    )
    code = json.loads(answer.body)["code"]
    assert (await log_in(simulator, code))["openid"] == OPENID


async def test_thirty_phones_ask_the_platform_at_once(simulator: Simulator, platform_url: str) -> None:
    client = AsyncHTTPClient()
    answers = await asyncio.gather(
        *(
            client.fetch(f"{platform_url}/simulator/phones/phone-{number}/code", method="POST", body=b"")
            for number in range(30)
        )
    )
    codes = [json.loads(answer.body)["code"] for answer in answers]
    openids = [(await log_in(simulator, code))["openid"] for code in codes]
    assert openids == [f"phone-{number}" for number in range(30)]


async def test_the_platform_says_so_when_the_simulator_is_gone(
    simulator: Simulator, platform_url: str
) -> None:
    await simulator.stop()
    with pytest.raises(HTTPClientError) as refused:
        await AsyncHTTPClient().fetch(
            f"{platform_url}/simulator/phones/{OPENID}/code", method="POST", body=b""
        )
    assert refused.value.code == 503
    assert refused.value.response is not None
    assert json.loads(refused.value.response.body)["type"] == "wechat-unavailable"


# ---- quotas


CHECK = "/wxa/msg_sec_check"
TEXT = {"version": 2, "openid": OPENID, "scene": 2, "content": "课讲得很好"}


async def set_quota(simulator: Simulator, path: str, a_day: int, a_minute: int) -> int:
    body = {"a_day": a_day, "a_minute": a_minute}
    return (await fetch(simulator, f"/simulator/quotas{path}", "PUT", body)).code


async def test_the_quota_of_a_day_begins_anew_at_midnight_in_beijing(
    simulator: Simulator, clock: FixedClock
) -> None:
    assert await set_quota(simulator, CHECK, 2, 100) == 204
    clock.set(datetime(2026, 3, 16, 15, 59, 59, tzinfo=UTC))
    assert [(await post(simulator, CHECK, TEXT))["errcode"] for _ in range(3)] == [0, 0, 45009]
    clock.advance(timedelta(seconds=1))
    assert (await post(simulator, CHECK, TEXT))["errcode"] == 0


async def test_the_quota_of_a_minute(simulator: Simulator, clock: FixedClock) -> None:
    await set_quota(simulator, CHECK, 100, 2)
    assert [(await post(simulator, CHECK, TEXT))["errcode"] for _ in range(3)] == [0, 0, 45011]
    clock.advance(timedelta(minutes=1))
    assert (await post(simulator, CHECK, TEXT))["errcode"] == 0


async def test_each_call_has_a_quota_of_its_own(simulator: Simulator) -> None:
    await set_quota(simulator, CHECK, 0, 0)
    assert (await post(simulator, CHECK, TEXT))["errcode"] == 45009
    assert "access_token" in await token_answer(simulator)


@pytest.mark.parametrize("body", [b"", b"[]", {"a_day": -1, "a_minute": 1}, {"a_day": "1", "a_minute": 1}])
async def test_an_unknown_quota_is_not_taken(simulator: Simulator, body: Any) -> None:
    assert (await fetch(simulator, f"/simulator/quotas{CHECK}", "PUT", body)).code == 400


async def test_a_token_is_forced_twenty_times_a_day_and_every_thirty_seconds(
    simulator: Simulator, clock: FixedClock
) -> None:
    await token_answer(simulator)
    assert "access_token" in await token_answer(simulator, force_refresh=True)
    assert (await token_answer(simulator, force_refresh=True))["errcode"] == 45011
    for _ in range(19):
        clock.advance(timedelta(seconds=30))
        assert "access_token" in await token_answer(simulator, force_refresh=True)
    clock.advance(timedelta(seconds=30))
    assert (await token_answer(simulator, force_refresh=True))["errcode"] == 45009
    clock.advance(timedelta(days=1))
    assert "access_token" in await token_answer(simulator, force_refresh=True)


# ---- pictures, real names, faces


MEDIA = {
    "media_url": "http://127.0.0.1:9/picture.png",
    "media_type": 2,
    "version": 2,
    "scene": 1,
    "openid": OPENID,
}


async def test_a_picture_is_judged_later(simulator: Simulator) -> None:
    events: list[dict[str, Any]] = []
    simulator.world.on_event = events.append
    answer = await post(simulator, "/wxa/media_check_async", MEDIA)
    assert "result" not in answer
    await simulator.pusher.settled()
    [event] = events
    assert (event["Event"], event["trace_id"]) == ("wxa_media_check", answer["trace_id"])
    assert event["errcode"] == 87009, "nobody serves that picture"


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"openid": ""}, 40003),
        ({"media_url": "file:///etc/hostname"}, 47001),
        ({"media_type": 3}, 47001),
        ({"version": 1}, 47001),
        ({"scene": 0}, 47001),
    ],
)
async def test_a_wrong_question_about_a_picture_says_what_is_wrong(
    simulator: Simulator, changed: dict[str, Any], errcode: int
) -> None:
    assert (await post(simulator, "/wxa/media_check_async", {**MEDIA, **changed}))["errcode"] == errcode


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (None, ("V_OP_NA", "V_NM_ID_UM")),
        (["王试", "number-1"], ("V_OP_NM_MA", "V_NM_ID_MA")),
        (["王试", "number-2"], ("V_OP_NM_MA", "V_NM_ID_UM")),
        (["李试", "number-1"], ("V_OP_NM_UM", "V_NM_ID_UM")),
    ],
)
async def test_a_real_name_is_compared_with_that_of_wechat_pay(
    simulator: Simulator, known: list[str] | None, told: tuple[str, str]
) -> None:
    if known:
        await fetch(simulator, f"/simulator/phones/{OPENID}", "PUT", {"real_name": known})
    code = (await call(simulator, f"/simulator/phones/{OPENID}/real-name-code", "POST", b""))["code"]
    body = {"openid": OPENID, "real_name": "王试", "cred_id": "number-1", "cred_type": "1", "code": code}
    answer = await post(simulator, "/intp/realname/checkrealnameinfo", body)
    assert (answer["verify_openid"], answer["verify_real_name"]) == told
    assert (await post(simulator, "/intp/realname/checkrealnameinfo", body))["errcode"] == 40029


FACE = {
    "out_seq_no": "number-of-ours",
    "openid": OPENID,
    "cert_info": {"cert_type": "IDENTITY_CARD", "cert_name": "王试", "cert_no": "number-1"},
}


async def face_result(simulator: Simulator, verify_id: str, **changed: str) -> dict[str, Any]:
    asked = {
        "verify_id": verify_id,
        "out_seq_no": FACE["out_seq_no"],
        "openid": OPENID,
        "cert_hash": cert_hash(CertInfo("王试", "number-1")),
        **changed,
    }
    return await post(simulator, "/cityservice/face/identify/queryverifyinfo", asked)


async def test_a_face_is_verified_on_the_phone(simulator: Simulator, clock: FixedClock) -> None:
    begun = await post(simulator, "/cityservice/face/identify/getverifyid", FACE)
    assert begun["expires_in"] == 3600
    assert (await face_result(simulator, begun["verify_id"]))["verify_ret"] == 90002
    path = f"/simulator/phones/{OPENID}/face"
    assert (await fetch(simulator, path, "POST", {"verify_id": "unknown"})).code == 404
    assert (
        await fetch(simulator, path, "POST", {"verify_id": begun["verify_id"], "verify_ret": 1})
    ).code == 400
    assert (await fetch(simulator, path, "POST", {"verify_id": begun["verify_id"]})).code == 204
    assert (await face_result(simulator, begun["verify_id"]))["verify_ret"] == 10000
    for changed in ({"out_seq_no": "other"}, {"openid": "other"}, {"cert_hash": "0" * 64}):
        assert (await face_result(simulator, begun["verify_id"], **changed))["errcode"] == 47001
    assert (await post(simulator, "/cityservice/face/identify/getverifyid", FACE))["errcode"] == 47001


async def test_a_face_is_verified_within_an_hour(simulator: Simulator, clock: FixedClock) -> None:
    begun = await post(simulator, "/cityservice/face/identify/getverifyid", FACE)
    clock.advance(timedelta(hours=1))
    body = {"verify_id": begun["verify_id"]}
    assert (await fetch(simulator, f"/simulator/phones/{OPENID}/face", "POST", body)).code == 404
    assert (await face_result(simulator, begun["verify_id"]))["verify_ret"] == 90017
