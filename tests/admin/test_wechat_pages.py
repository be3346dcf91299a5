"""The pages of the simulated WeChat, of flagged content, and the code of a class, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from server.__main__ import make_application, routes
from server.kernel.clock import FixedClock
from server.kernel.platform import Platform
from server.wechat import content
from server.wechat.content import Scene, Subject
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admin.browserless import Browser, sign_in

OPENID = "phone-of-qian"
TEMPLATE = "simulated-enrolled"
DATA = {"thing1": "汽车维修三级班", "date2": "2026-03-16", "thing3": "实训楼 301"}


async def send(platform: Platform) -> None:
    await platform.wechat.send_subscribe_message(OPENID, TEMPLATE, "pages/inbox/inbox", DATA)


async def test_a_phone_shows_its_messages_as_wechat_does(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    wechat.world.grant(OPENID, TEMPLATE)
    await send(platform)
    anybody = Browser(site)
    assert OPENID in (await anybody.get("/simulator")).text
    page = (await anybody.get(f"/simulator/phones/{OPENID}")).text
    for words in (
        "录取通知",
        "培训班 汽车维修三级班",
        "开始日期 2026-03-16",
        "地点 实训楼 301",
        "进入小程序查看",
    ):
        assert words in page, page


async def test_one_more_message_is_granted_and_refused(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    anybody = Browser(site)
    home = f"/simulator/phones/{OPENID}"
    assert (await anybody.post(f"{home}/grants/{TEMPLATE}")).location == home
    assert wechat.world.phone(OPENID).grants[TEMPLATE] == 1
    await anybody.post(f"{home}/grants/{TEMPLATE}/refuse")
    assert wechat.world.phone(OPENID).grants[TEMPLATE] == 0
    assert (await anybody.post(f"{home}/grants/{TEMPLATE}", xsrf=False)).status == 403


async def test_a_call_is_made_to_fail_and_healed(platform: Platform, wechat: Simulator, site: str) -> None:
    anybody = Browser(site)
    path = "/wxa/msg_sec_check"
    await anybody.post("/simulator/fail", {"path": path, "failure": "45009"})
    await anybody.post("/simulator/fail", {"path": "/sns/jscode2session", "failure": "hang"})
    assert wechat.world.failures == {path: 45009, "/sns/jscode2session": "hang"}
    assert "45009 当日次数用完" in (await anybody.get("/simulator")).text
    await anybody.post("/simulator/heal")
    assert not wechat.world.failures
    await anybody.post("/simulator/quota", {"path": path, "a_day": "3", "a_minute": "2"})
    assert (wechat.world.quotas[path].a_day, wechat.world.quotas[path].a_minute) == (3, 2)
    for wrong in ({}, {"path": path, "failure": "slow"}, {"path": "../x", "failure": "-1"}):
        assert (await anybody.post("/simulator/fail", wrong)).status in (400, 422)


async def test_pushes_are_held_and_let_go(platform: Platform, wechat: Simulator, site: str) -> None:
    anybody = Browser(site)
    await anybody.post("/simulator/hold-pushes", {"hold": "true"})
    wechat.world.refuse(OPENID, TEMPLATE)
    assert "送出压下的 1 条" in (await anybody.get("/simulator")).text
    await anybody.post("/simulator/hold-pushes", {"hold": "false"})
    assert not wechat.world.held


async def test_a_face_is_shown_on_the_page(platform: Platform, wechat: Simulator, site: str) -> None:
    begun = await platform.wechat.begin_face(OPENID, "number-1", "王试", "1")
    anybody = Browser(site)
    wechat.world.phone(OPENID)
    assert "人脸核身" in (await anybody.get(f"/simulator/phones/{OPENID}")).text
    form = {"verify_id": begun.verify_id, "passed": "true"}
    await anybody.post(f"/simulator/phones/{OPENID}/face", form)
    asked = (OPENID, "number-1", begun.verify_id, "王试", "1")
    assert await platform.wechat.face_result(*asked) == 10000


async def test_the_page_says_so_when_the_simulator_is_gone(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    await wechat.stop()
    shown = await Browser(site).get("/simulator")
    assert shown.status == 503 and "微信服务暂时不可用" in shown.text


def test_with_a_real_wechat_there_is_no_such_page() -> None:
    assert not [route for route in routes(simulated=False) if "simulator" in route[0]]
    assert [route for route in routes(simulated=True) if "simulator" in route[0]]


@pytest.fixture
async def second_process(platform: Platform, wechat: Simulator) -> AsyncIterator[str]:
    """Another server process of the same platform: the simulator is not its own."""
    application = make_application(platform, simulator_url=wechat.base_url)
    server = HTTPServer(application)
    [socket] = sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    server.stop()
    await server.close_all_connections()
    await application.settings["live_rolls"].close()


async def test_every_process_shows_the_same_phones(wechat: Simulator, site: str, second_process: str) -> None:
    await Browser(site).post(f"/simulator/phones/{OPENID}/grants/{TEMPLATE}")
    assert OPENID in (await Browser(second_process).get("/simulator")).text


# ---- flagged content


async def flag(platform: Platform, wechat: Simulator, officer: cast.Officer) -> str:
    """A text of a class of this officer's that WeChat has doubts about: the check's id."""
    held = await stage.open_class(platform, stage.actor(officer), stage.class_draft())
    phone = await stage.phone(platform, wechat, "openid-writer")
    screened = await content.screen(platform, phone.actor, Scene.COMMENT, {"text": "存疑内容<script>"})
    await content.note_alone(platform, phone.actor, screened, content.of_class(held, "remark:1", "意见"))
    [check] = await content.listed(platform, stage.actor(officer), flagged=True, limit=2)
    return check.id


async def test_an_institution_looks_at_what_is_flagged(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    check_id = await flag(platform, wechat, cast.XINGTAI_OFFICER)
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    assert "需人工查看的内容" in (await mine.get("/admin")).text
    assert "意见" in (await mine.get("/admin/content-checks")).text
    page = f"/admin/content-checks/{check_id}"
    assert "&lt;script&gt;" in (await mine.get(page)).html
    refused = await mine.post(page, {"harmless": "false"})
    assert refused.status == 422 and "请写明哪里违规" in refused.text
    done = await mine.post(page, {"harmless": "false", "reason": "已要求删除"})
    assert (done.status, done.location) == (303, "/admin/content-checks")
    assert "没有需要查看的内容" in (await mine.get("/admin/content-checks")).text
    assert "确有违规" in (await mine.get("/admin/content-checks?seen=1")).text
    assert "已要求删除" in (await mine.get(page)).text
    assert (await mine.post(page, {"harmless": "true"})).status == 409


async def test_a_neighbour_does_not_see_it(platform: Platform, wechat: Simulator, site: str) -> None:
    check_id = await flag(platform, wechat, cast.XINGTAI_OFFICER)
    theirs = await sign_in(platform, site, cast.YANGZHOU_OFFICER)
    assert "没有需要查看的内容" in (await theirs.get("/admin/content-checks")).text
    assert (await theirs.get(f"/admin/content-checks/{check_id}")).status == 404
    assert (await theirs.post(f"/admin/content-checks/{check_id}", {"harmless": "true"})).status == 404


async def test_a_statement_without_a_class_is_the_centres_to_see(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    phone = await stage.phone(platform, wechat, "openid-writer")
    heard = await content.screen(platform, phone.actor, Scene.COMMENT, {"text": "违规内容"}, refuse=False)
    await content.note_alone(platform, phone.actor, heard, Subject("case:1", "动态管理的陈述"))
    centre = await sign_in(platform, site, cast.CENTRE)
    assert "动态管理的陈述" in (await centre.get("/admin/content-checks")).text
    assert "需人工查看的内容" in (await centre.get("/admin")).text
    theirs = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    assert "动态管理的陈述" not in (await theirs.get("/admin/content-checks")).text


# ---- the code of a class


async def test_the_code_of_a_class_is_a_picture_for_posters(
    platform: Platform, wechat: Simulator, site: str, clock: FixedClock
) -> None:
    held = await stage.open_class(platform, stage.actor(cast.XINGTAI_OFFICER), stage.class_draft())
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    page = f"/admin/classes/{held.id}/mini-program-code"
    picture = await mine.get(page)
    assert picture.headers["Content-Type"] == "image/png" and picture.body.startswith(b"\x89PNG")
    wechat.world.fail("/wxa/getwxacodeunlimit", 45009)
    clock.advance(timedelta(minutes=1))
    assert (await mine.get(page)).body == picture.body
    theirs = await sign_in(platform, site, cast.YANGZHOU_OFFICER)
    assert (await theirs.get(page)).status == 404
    other = await stage.open_class(
        platform, stage.actor(cast.XINGTAI_OFFICER), stage.class_draft(name="四月二级教师培训班")
    )
    failed = await mine.get(f"/admin/classes/{other.id}/mini-program-code")
    assert failed.status == 503 and "微信服务暂时不可用" in failed.text
