"""What WeChat pushes: only from it, only fresh, only once, and whatever the body is, no fault of the server."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from server.kernel.clock import FixedClock
from server.kernel.errors import Problem
from server.kernel.platform import Platform
from server.messages import store as message_store
from server.messages import wechat_events
from server.settings import Settings
from server.wechat import push_store, pushes
from server.wechat.pusher import PushTarget
from server.wechat.pushes import PushForged, PushKeys, PushMalformed
from server.wechat.simulator import Simulator

OPENID, TEMPLATE = "openid-of-zhao", "template-course-begins"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
PLAIN = PushKeys("wxsimulated0000000", "AAAAA", "")
SECURE = PushKeys("wxsimulated0000000", "AAAAA", AES_KEY)
NOW = datetime(2026, 3, 16, 4, 0, tzinfo=UTC)
FRESH = timedelta(minutes=5)
REFUSAL = {
    "ToUserName": "gh_simulated",
    "FromUserName": OPENID,
    "CreateTime": 1773633600,
    "MsgType": "event",
    "Event": "subscribe_msg_change_event",
    "List": [{"TemplateId": TEMPLATE, "SubscribeStatusString": "reject"}],
}
XML_REFUSAL = f"""<xml><ToUserName><![CDATA[gh_simulated]]></ToUserName><FromUserName><![CDATA[{OPENID}]]></FromUserName>
<CreateTime>1773633600</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[subscribe_msg_change_event]]></Event>
<SubscribeMsgChangeEvent><List><TemplateId><![CDATA[{TEMPLATE}]]></TemplateId>
<SubscribeStatusString><![CDATA[reject]]></SubscribeStatusString></List></SubscribeMsgChangeEvent></xml>"""


def sealed(
    keys: PushKeys, text: str, moment: datetime = NOW, nonce: str = "n1"
) -> tuple[dict[str, str], bytes]:
    push = keys.seal(text, "gh_simulated", str(int(moment.timestamp())), nonce)
    return dict(parse_qsl(push.query)), push.body


def plain_query(keys: PushKeys, moment: datetime = NOW, nonce: str = "n1") -> dict[str, str]:
    timestamp = str(int(moment.timestamp()))
    return {"signature": keys.signature(timestamp, nonce), "timestamp": timestamp, "nonce": nonce}


# ---- the signature


def test_the_signature_is_the_one_of_the_example() -> None:
    assert PLAIN.signature("1714036504", "1514711492") == "f464b24fc39322e44b38aa78f5edd27bd1441696"


def test_the_question_whether_this_is_our_address_is_answered() -> None:
    assert pushes.echo(PLAIN, {**plain_query(PLAIN), "echostr": "4375120948345356249"}, NOW, FRESH) == (
        "4375120948345356249"
    )


@pytest.mark.parametrize(
    "changed", [{"signature": "0" * 40}, {"nonce": "n2"}, {"nonce": ""}, {"timestamp": "now"}]
)
def test_a_question_with_a_wrong_signature_is_not_answered(changed: dict[str, str]) -> None:
    with pytest.raises(PushForged):
        pushes.echo(PLAIN, {**plain_query(PLAIN), "echostr": "1", **changed}, NOW, FRESH)


def test_an_encrypted_event_is_opened() -> None:
    query, body = sealed(SECURE, orjson.dumps(REFUSAL).decode())
    push = pushes.opened(SECURE, query, body, NOW, FRESH)
    assert (push.name, push.openid) == ("subscribe_msg_change_event", OPENID)


def test_an_event_in_xml_says_the_same_as_in_json() -> None:
    query, _ = sealed(SECURE, XML_REFUSAL)
    _, inner = sealed(SECURE, XML_REFUSAL)
    encrypted = orjson.loads(inner)["Encrypt"]
    body = (
        f"<xml><ToUserName>gh_simulated</ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>".encode()
    )
    query["msg_signature"] = SECURE.signature(query["timestamp"], query["nonce"], encrypted)
    push = pushes.opened(SECURE, query, body, NOW, FRESH)
    assert wechat_events.refused_templates(push) == [TEMPLATE]
    query, body = sealed(SECURE, orjson.dumps(REFUSAL).decode())
    assert wechat_events.refused_templates(pushes.opened(SECURE, query, body, NOW, FRESH)) == [TEMPLATE]


def test_a_plain_event_is_refused_where_a_key_is_set_up() -> None:
    with pytest.raises((PushForged, PushMalformed)):
        pushes.opened(SECURE, plain_query(SECURE), orjson.dumps(REFUSAL), NOW, FRESH)


def test_an_event_of_another_mini_program_is_refused() -> None:
    other = PushKeys("wxsomebodyelse00000", "AAAAA", AES_KEY)
    query, body = sealed(other, orjson.dumps(REFUSAL).decode())
    with pytest.raises(PushForged):
        pushes.opened(SECURE, query, body, NOW, FRESH)


@pytest.mark.parametrize("late", [timedelta(minutes=5, seconds=1), timedelta(minutes=-5, seconds=-1)])
def test_an_event_of_another_moment_is_refused(late: timedelta) -> None:
    query, body = sealed(SECURE, "{}", moment=NOW - late)
    with pytest.raises(PushForged):
        pushes.opened(SECURE, query, body, NOW, FRESH)


def test_entities_are_not_expanded() -> None:
    bomb = b'<!DOCTYPE xml [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><xml><Event>&b;</Event></xml>'
    external = b'<!DOCTYPE xml [<!ENTITY a SYSTEM "file:///etc/hostname">]><xml><Event>&a;</Event></xml>'
    for body in (bomb, external, bomb.decode().encode("utf-16")):
        with pytest.raises(PushMalformed):
            pushes.read(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b"<xml>",
        b"<a/>",
        b"<xml/>",
        b"{" * 70_000,
        b"<a>" * 20_000 + b"</a>" * 20_000,
    ],
)
def test_a_body_that_is_neither_json_nor_xml_of_wechat_is_malformed(body: bytes) -> None:
    with pytest.raises(PushMalformed):
        pushes.read(body)


def opens_or_refuses(keys: PushKeys, query: dict[str, str], body: bytes) -> None:
    try:
        pushes.opened(keys, query, body, NOW, FRESH)
    except (PushForged, PushMalformed) as problem:
        assert problem.status in (400, 403)


@given(body=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_the_body_is_it_is_opened_or_refused(body: bytes) -> None:
    opens_or_refuses(PLAIN, plain_query(PLAIN), body)
    opens_or_refuses(SECURE, {**plain_query(SECURE), "encrypt_type": "aes"}, body)


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        "Event",
        "FromUserName",
        "trace_id",
        "MsgId",
        "List",
        "result",
        "errcode",
        "SubscribeMsgChangeEvent",
        "detail",
    ]
)
EVENTS = st.dictionaries(
    FIELDS, JSON_VALUES | st.sampled_from(["wxa_media_check", "subscribe_msg_change_event"]), max_size=7
)


@given(event=EVENTS, encrypted=st.binary(max_size=120), honest=st.booleans())
def test_whatever_is_inside_the_envelope_it_is_opened_or_refused(
    event: dict[str, object], encrypted: bytes, honest: bool
) -> None:
    """With a right signature over what cannot be decrypted, and over any event."""
    query, body = sealed(SECURE, orjson.dumps(event).decode())
    if not honest:
        words = encrypted.decode("latin-1")
        body = orjson.dumps({"Encrypt": words})
        query["msg_signature"] = SECURE.signature(query["timestamp"], query["nonce"], words)
    opens_or_refuses(SECURE, query, body)


@pytest.mark.parametrize("key", ["short", "=" * 43, "字" * 43])
def test_a_wrong_key_is_refused_at_the_start(key: str) -> None:
    with pytest.raises(ValidationError, match="WECHAT_PUSH_AES_KEY"):
        Settings(wechat_push_aes_key=SecretStr(key))


def test_no_push_stays_fresh_longer_than_its_nonce_is_remembered() -> None:
    with pytest.raises(ValidationError, match="fresh_minutes"):
        Settings(wechat_push_fresh_minutes=24 * 60)
    longest = Settings(wechat_push_fresh_minutes=60).wechat_push_fresh_minutes
    assert timedelta(minutes=2 * longest) < timedelta(seconds=push_store.DAY)


# ---- over HTTP, with the database


@pytest.fixture
def target(site: str, platform: Platform, wechat: Simulator) -> PushTarget:
    target = PushTarget(f"{site}/wechat/push", wechat_events.keys_of(platform))
    wechat.push_to(target)
    return target


async def post(target: PushTarget, query: dict[str, str], body: bytes) -> HTTPResponse:
    return await AsyncHTTPClient().fetch(
        f"{target.url}?{urlencode(query)}", method="POST", body=body, raise_error=False
    )


async def grants(platform: Platform) -> int:
    return (await message_store.grants(platform, OPENID)).get(TEMPLATE, 0)


async def test_the_simulated_wechat_pushes_and_is_heard(
    platform: Platform, wechat: Simulator, target: PushTarget
) -> None:
    await message_store.add_grant(platform, OPENID, TEMPLATE)
    wechat.world.refuse(OPENID, TEMPLATE)
    await wechat.pusher.settled()
    assert [(row["status"], row["tries"]) for row in wechat.world.pushes] == [(200, 1)]
    assert await grants(platform) == 0


async def test_an_event_that_comes_twice_is_obeyed_once(platform: Platform, target: PushTarget) -> None:
    text = orjson.dumps(REFUSAL).decode()
    for nonce in ("n1", "n1", "n2"):
        await message_store.add_grant(platform, OPENID, TEMPLATE)
        answer = await post(target, *sealed(target.keys, text, nonce=nonce))
        assert (answer.code, answer.body) == (200, b"success")
    assert await grants(platform) == 2


async def test_a_nonce_does_not_serve_for_another_event(platform: Platform, target: PushTarget) -> None:
    await post(target, *sealed(target.keys, orjson.dumps({**REFUSAL, "CreateTime": 1}).decode()))
    await message_store.add_grant(platform, OPENID, TEMPLATE)
    answer = await post(target, *sealed(target.keys, orjson.dumps(REFUSAL).decode()))
    assert answer.code == 403
    assert await grants(platform) == 1


async def test_an_event_that_was_recorded_cannot_be_played_again_later(
    platform: Platform, target: PushTarget, clock: FixedClock
) -> None:
    query, body = sealed(target.keys, orjson.dumps(REFUSAL).decode())
    assert (await post(target, query, body)).code == 200
    clock.advance(timedelta(minutes=6))
    assert (await post(target, query, body)).code == 403


async def test_a_forged_event_is_refused(platform: Platform, target: PushTarget) -> None:
    query, body = sealed(target.keys, orjson.dumps(REFUSAL).decode())
    assert (await post(target, {**query, "msg_signature": "0" * 40}, body)).code == 403
    assert (await post(target, {**query, "signature": "0" * 40}, body)).code == 403
    assert (await post(target, {}, body)).code == 403
    assert (await post(target, query, b"x" * 70_000)).code == 413


async def test_the_question_whether_this_is_our_address_is_answered_over_http(target: PushTarget) -> None:
    query = plain_query(target.keys)
    answer = await AsyncHTTPClient().fetch(f"{target.url}?{urlencode({**query, 'echostr': '<b>42</b>'})}")
    assert answer.body == b"<b>42</b>"
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_without_a_token_no_push_is_taken(platform: Platform) -> None:
    bare = platform.settings.model_copy(update={"wechat_push_token": platform.settings.wechat_app_secret})
    platform.settings = bare
    with pytest.raises(Problem, match="WECHAT_PUSH_TOKEN"):
        await wechat_events.receive(platform, {}, b"{}")


async def test_a_push_that_was_not_answered_is_sent_again(
    platform: Platform, wechat: Simulator, target: PushTarget
) -> None:
    wechat.push_to(PushTarget(target.url.replace("/push", "/nowhere"), target.keys))
    wechat.world.refuse(OPENID, TEMPLATE)
    await wechat.pusher.settled()
    [pushed] = wechat.world.pushes
    assert (pushed["status"] == 200, pushed["tries"]) == (False, 3)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(event=EVENTS)
async def test_no_event_breaks_the_server(platform: Platform, event: dict[str, object]) -> None:
    keys = wechat_events.keys_of(platform)
    query, body = sealed(keys, orjson.dumps(event).decode(), nonce=f"n{hash(orjson.dumps(event))}")
    await wechat_events.receive(platform, query, body)


async def test_the_same_event_to_many_processes_at_once_is_obeyed_once(
    platform: Platform, target: PushTarget
) -> None:
    text = orjson.dumps(REFUSAL).decode()
    answers = await asyncio.gather(
        *(post(target, *sealed(target.keys, text, nonce=f"n{number % 3}")) for number in range(12))
    )
    assert {answer.code for answer in answers} == {200}
    assert await platform["push_events"].count_documents({}) == 1
    assert await platform["audit"].count_documents({"action": "messages:unsubscribe"}) == 1
