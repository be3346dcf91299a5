"""Every text that a phone publishes passes the content check: risky words are refused everywhere, doubtful ones are flagged."""

from __future__ import annotations

import pytest

from miniprogram_api.routes import ROUTES as API_ROUTES
from server.kernel.platform import Platform
from server.wechat import content
from server.wechat.content import ContentRefused
from server.wechat.content_documents import State
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.api.client import call
from tests.publishing import CALLS, REMARK, let_it_be_time, publish, publishing_world
from tests.security.world import World


@pytest.fixture
async def world(platform: Platform, wechat: Simulator) -> World:
    return await publishing_world(platform, wechat)


def test_no_phone_asks_wechat_without_a_limit() -> None:
    """WeChat's quota is everybody's, also before somebody who may publish."""
    methods = [getattr(handler, name) for _, handler, *_ in API_ROUTES for name in ("post", "put")]
    asking = [
        one for one in methods if hasattr(one, "operation") and ContentRefused in one.operation.problems
    ]
    assert len(asking) >= len(CALLS)
    assert [one for one in asking if not one.access.rate or one.access.rate_by != "phone"] == []


async def test_risky_words_are_refused_wherever_a_phone_publishes_them(
    platform: Platform, site: str, world: World
) -> None:
    for place in CALLS:
        let_it_be_time(platform, place)
        refused = await publish(site, world, place, "这里含有违规内容。")
        assert (refused.status, refused.problem) == (422, "content-refused"), place
        assert [one["place"] for one in refused.json["errors"]] == [place.field]


async def test_doubtful_words_are_published_and_flagged(platform: Platform, site: str, world: World) -> None:
    assert (await publish(site, world, REMARK, "这里含有存疑内容。")).status == 201
    newest, *_ = await content.listed(platform, stage.actor(cast.XINGTAI_OFFICER), flagged=True, limit=5)
    assert (newest.state, newest.title, newest.text) == (
        State.REVIEW,
        "对培训方案的意见",
        "这里含有存疑内容。",
    )


async def test_while_wechat_is_down_it_is_published_and_waits_to_be_checked(
    platform: Platform, wechat: Simulator, site: str, world: World
) -> None:
    wechat.world.fail("/wxa/msg_sec_check", -1)
    assert (await publish(site, world, REMARK, "课讲得很好，谢谢。")).status == 201
    assert await platform["content_checks"].count_documents({"state": State.WAITING}) == 1


async def test_a_statement_is_not_refused_for_its_words(site: str, world: World) -> None:
    """This case is settled already, and that is all that is wrong with the statement."""
    path = f"/teaching/qualification-cases/{world.ids['case_id']}/statement"
    body = {"text": "这里含有违规内容，但是请听我说明情况。"}
    answer = await call(site, "POST", path, token=world.phones["teacher"].token, body=body)
    assert answer.status == 409
