"""站内消息 over HTTP: the list, what is read, and what a phone agrees to."""

from __future__ import annotations

import pytest

from server.kernel.platform import Platform
from server.messages import delivery as messages
from server.wechat.simulator import Simulator
from tests import stage
from tests.api.client import call
from tests.messaging import TEMPLATE, received, tell
from tests.stage import Phone


@pytest.fixture
async def phone(platform: Platform, wechat: Simulator) -> Phone:
    held = await stage.class_in_session(platform, wechat, trainees=1)
    await platform["outbox"].delete_many({})
    return held.trainees[0]


async def test_the_inbox_pages_and_me_counts_what_is_unread(
    platform: Platform, site: str, phone: Phone
) -> None:
    told = await tell(platform, phone, count=3)
    first = await call(site, "GET", "/inbox?limit=2", token=phone.token)
    assert [one["id"] for one in first.json["items"]] == told[:0:-1]
    assert first.json["items"][0] | {"id": "", "created_at": ""} == {
        "id": "",
        "created_at": "",
        "kind": "results-released",
        "title": "成绩已公布",
        "text": "“示例班”的成绩已公布，请在小程序中查看。",
        "data": {"class_name": "示例班"},
        "read": False,
        "target": {"kind": "message", "id": told[2]},
    }
    one = await call(site, "GET", f"/inbox/{told[2]}", token=phone.token)
    assert one.json == first.json["items"][0]
    rest = await call(site, "GET", f"/inbox?limit=2&cursor={first.json['next']}", token=phone.token)
    assert ([one["id"] for one in rest.json["items"]], rest.json["next"]) == (told[:1], None)
    assert (await call(site, "GET", "/me", token=phone.token)).json["unread_messages"] == 3
    one = await call(site, "POST", f"/inbox/{told[2]}/read", token=phone.token)
    assert one.json == {"unread": 2}
    upto = await call(site, "POST", "/inbox/read", token=phone.token, body={"up_to": told[1]})
    assert upto.json == {"unread": 0}
    again = await call(site, "GET", "/inbox", token=phone.token)
    assert all(message["read"] for message in again.json["items"])


async def test_a_neighbour_cannot_mark_my_message(
    platform: Platform, wechat: Simulator, site: str, phone: Phone
) -> None:
    [message] = await tell(platform, phone)
    stranger = await stage.phone(platform, wechat, "openid-stranger")
    refused = await call(site, "POST", f"/inbox/{message}/read", token=stranger.token)
    assert (refused.status, refused.problem) == (404, "not-found")
    assert (await call(site, "GET", "/inbox", token=stranger.token)).json == {"items": [], "next": None}
    assert (await call(site, "GET", "/me", token=stranger.token)).json["unread_messages"] == 0


async def test_a_phone_reports_what_it_agreed_to_and_is_sent_so_many_messages(
    platform: Platform, wechat: Simulator, site: str, phone: Phone
) -> None:
    offered = await call(site, "GET", "/message-templates", token=phone.token)
    assert {
        "template_id": TEMPLATE,
        "titles": ["成绩已公布"],
        "kinds": ["results-released"],
        "left": 0,
    } in offered.json["items"]
    wechat.world.grant(phone.openid, TEMPLATE)
    report = {"nonce": "nonce-0001", "answers": {TEMPLATE: "accept", "simulated-enrolled": "reject"}}
    for _ in range(2):  # a bad network
        answer = await call(site, "POST", "/message-grants", token=phone.token, body=report)
        left = {one["template_id"]: one["left"] for one in answer.json["items"]}
        assert (left[TEMPLATE], left["simulated-enrolled"]) == (1, 0)
    told = await tell(platform, phone, count=2)
    await messages.deliver(platform)
    assert len(received(wechat, phone)) == 1 and received(wechat, phone)[0] in told


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"nonce": "short", "answers": {TEMPLATE: "accept"}},
        {"nonce": "nonce-0002", "answers": {}},
        {"nonce": "nonce-0002", "answers": {TEMPLATE: "maybe"}},
        {"nonce": "nonce-0002", "answers": {"模板": "accept"}},
        {"nonce": "nonce-0002", "answers": {f"t{n}": "accept" for n in range(11)}},
    ],
)
async def test_a_report_that_is_none_is_refused(site: str, phone: Phone, body: dict[str, object]) -> None:
    answer = await call(site, "POST", "/message-grants", token=phone.token, body=body)
    assert (answer.status, answer.problem) == (422, "invalid")
