"""The calls of the client beyond log-in and messages, against the simulator; and what is kept of what they gave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from server.kernel.platform import Platform, WeChatGateway
from server.wechat import codes
from server.wechat.errors import WeChatCodeInvalid, WeChatLimited, WeChatRefused, WeChatUnavailable
from server.wechat.faces import FACE_PASSED
from server.wechat.simulator import Simulator
from server.wechat.world import Trouble

OPENID = "openid-of-sun"
URL = "http://127.0.0.1:9/picture.png"
Act = Callable[[WeChatGateway], Coroutine[Any, Any, object]]

ACTS: dict[str, Act] = {
    "/wxa/msg_sec_check": lambda wechat: wechat.check_text(OPENID, 2, "课讲得很好"),
    "/wxa/media_check_async": lambda wechat: wechat.check_media(OPENID, 2, URL),
    "/wxa/getwxacodeunlimit": lambda wechat: wechat.mini_program_code("s", "pages/class"),
    "/cityservice/face/identify/getverifyid": lambda wechat: wechat.begin_face(OPENID, "n", "王试", "1"),
    "/cityservice/face/identify/queryverifyinfo": lambda wechat: wechat.face_result(
        OPENID, "n", "v", "王试", "1"
    ),
    "/intp/realname/checkrealnameinfo": lambda wechat: wechat.check_real_name(OPENID, "王试", "1", "code"),
}


async def test_a_text_is_judged(platform: Platform, wechat: Simulator) -> None:
    verdict = await platform.wechat.check_text(OPENID, 2, "存疑内容")
    assert (verdict.suggest, verdict.label) == ("review", 21000)


async def test_a_face_is_begun_and_asked_about(platform: Platform, wechat: Simulator) -> None:
    begun = await platform.wechat.begin_face(OPENID, "number-1", "王试", "1")
    assert begun.expires_in.total_seconds() == 3600
    wechat.world.show_face(OPENID, begun.verify_id)
    asked = (OPENID, "number-1", begun.verify_id)
    assert await platform.wechat.face_result(*asked, "王试", "1") == FACE_PASSED
    with pytest.raises(WeChatRefused):
        await platform.wechat.face_result(*asked, "李试", "1")


async def test_a_real_name_is_compared_with_that_of_wechat_pay(platform: Platform, wechat: Simulator) -> None:
    wechat.world.phone(OPENID).real_name = ("王试", "1")
    code = wechat.world.give_code(OPENID, "real-name")
    answer = await platform.wechat.check_real_name(OPENID, "王试", "1", code)
    assert (answer.openid_and_name, answer.name_and_number) == (True, True)
    with pytest.raises(WeChatCodeInvalid):
        await platform.wechat.check_real_name(OPENID, "王试", "1", code)
    with pytest.raises(WeChatCodeInvalid):
        await platform.wechat.check_real_name(OPENID, "王试", "1", "码")


@pytest.mark.parametrize("path", ACTS)
async def test_a_quota_that_is_used_up_is_told_apart(
    platform: Platform, wechat: Simulator, path: str
) -> None:
    wechat.world.fail(path, 45009)
    with pytest.raises(WeChatLimited):
        await ACTS[path](platform.wechat)


@pytest.mark.parametrize("path", ACTS)
@pytest.mark.parametrize("failure", ["disconnect", "bad-gateway", "gibberish"])
async def test_an_answer_that_is_none_is_unavailable(
    platform: Platform, wechat: Simulator, path: str, failure: Trouble
) -> None:
    wechat.world.fail(path, failure)
    with pytest.raises(WeChatUnavailable):
        await ACTS[path](platform.wechat)


@pytest.mark.parametrize("path", ACTS)
async def test_a_lasting_40001_is_tried_twice_and_no_more(
    platform: Platform, wechat: Simulator, path: str
) -> None:
    wechat.world.fail(path, 40001)
    with pytest.raises(WeChatUnavailable):
        await ACTS[path](platform.wechat)
    assert wechat.world.calls[path] <= 2


async def test_a_mini_program_code_is_asked_for_once_and_kept(platform: Platform, wechat: Simulator) -> None:
    first = await codes.mini_program_code(platform, "a" * 24, "pages/open-class/open-class")
    wechat.world.fail("/wxa/getwxacodeunlimit", 45009)
    again = await codes.mini_program_code(platform, "a" * 24, "pages/open-class/open-class")
    assert first == again and codes.media_type(first) == "image/png"
    assert wechat.world.calls["/wxa/getwxacodeunlimit"] == 1
    with pytest.raises(WeChatLimited):
        await codes.mini_program_code(platform, "b" * 24, "pages/open-class/open-class")


async def test_hanging_checks_keep_nobody_from_logging_in(platform: Platform, wechat: Simulator) -> None:
    wechat.world.fail("/wxa/msg_sec_check", "hang")
    checks = [asyncio.create_task(platform.wechat.check_text(OPENID, 2, "课讲得很好")) for _ in range(100)]
    while not wechat.world.calls["/wxa/msg_sec_check"]:  # noqa: ASYNC110 - it arrives without an event
        await asyncio.sleep(0)
    session = await platform.wechat.code_to_session(wechat.world.give_code(OPENID))
    assert session.openid == OPENID
    for check in checks:
        check.cancel()
    wechat.world.heal()
    await asyncio.gather(*checks, return_exceptions=True)
