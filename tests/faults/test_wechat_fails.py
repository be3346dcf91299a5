"""WeChat fails in every listed way while a class goes from its last session to its certificates.

The main path asks nothing of WeChat but the log-in, so it goes on; the messages that it causes are few calls while WeChat is ill,
and afterwards each of them has been sent once, or may have been and is not sent again.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from server.kernel.outbox_state import State
from server.kernel.platform import Platform
from server.messages import delivery as messages
from server.messages import inbox, wechat_events
from server.messages.rules import MOST_ATTEMPTS
from server.wechat.pusher import PushTarget
from server.wechat.simulator import Simulator
from server.wechat.world import Failure
from tests import cast, certifying, stage
from tests.api.client import call
from tests.assessing import assess_everybody, release
from tests.messaging import SEND, TOKEN, hasty, left, received, subscribe
from tests.stage import ClassInSession, Phone
from tests.surveying import answer, clock_of, open_survey

LOGIN = "/sns/jscode2session"
TOLD = ("results-released", "survey-opened", "certificate-issued")
TRAINEES = 3
TROUBLES: list[Failure] = ["hang", "disconnect", "bad-gateway", "gibberish", 40001, -1, 45009]
UNANSWERED = ("hang", "disconnect", "bad-gateway", "gibberish")
EVERY_TROUBLE = pytest.mark.parametrize("trouble", TROUBLES)


@pytest.fixture
async def held(platform: Platform, wechat: Simulator) -> ClassInSession:
    """A class whose trainees have agreed to one message of each kind; the news of its beginnings has been read."""
    held = await stage.class_in_session(platform, wechat, trainees=TRAINEES)
    await platform["outbox"].delete_many({})
    for phone in held.trainees:
        for kind in TOLD:
            await subscribe(platform, wechat, phone, template=f"simulated-{kind}")
    return held


async def check_in_everybody(platform: Platform, site: str, held: ClassInSession) -> None:
    """Over HTTP, as the phones do; the clock moves into the session."""
    session = await stage.teaching_session(platform, held)
    clock_of(platform).set(session.starts_at)
    for number, phone in enumerate(held.trainees):
        body = {"code": stage.code_of(platform, session), "nonce": f"nonce-{number}"}
        answered = await call(site, "POST", "/check-ins", token=phone.token, body=body)
        assert (answered.status, answered.json["status"]) == (201, "present")


async def to_the_certificates(platform: Platform, held: ClassInSession, sender: Platform) -> None:
    """Assessment, results, survey, certificates; a sender comes after each step that tells somebody something."""
    clock_of(platform).advance(timedelta(hours=4))  # that session is over
    await assess_everybody(platform, held)
    await release(platform, held)
    await messages.deliver(sender)
    survey = await open_survey(platform, held, days=30)
    await answer(platform, survey, held.trainees)
    await messages.deliver(sender)
    clock_of(platform).set(certifying.on_last_day(held))
    assert len(await certifying.issued(platform, held)) == TRAINEES
    await messages.deliver(sender)


async def get_well(platform: Platform, wechat: Simulator, rounds: int) -> None:
    wechat.world.heal()
    for _ in range(rounds):
        clock_of(platform).advance(timedelta(hours=3))
        await messages.deliver(platform)


async def outcome(platform: Platform, phone: Phone) -> dict[str, list[str]]:
    """What has become of the phone's messages: state → ids."""
    states: dict[str, list[str]] = {}
    async for row in platform["outbox"].find({"person_id": phone.actor.id, "template": {"$in": TOLD}}):
        states.setdefault(row["state"], []).append(row["_id"])
    return states


@EVERY_TROUBLE
async def test_a_class_goes_to_its_certificates_while_wechat_fails(
    platform: Platform, wechat: Simulator, site: str, held: ClassInSession, trouble: Failure
) -> None:
    sender = hasty(platform, wechat)
    wechat.world.fail(SEND, trouble)
    await check_in_everybody(platform, site, held)
    await to_the_certificates(platform, held, sender)
    for _ in range(5):  # and it stays ill for a while
        clock_of(platform).advance(timedelta(minutes=10))
        await messages.deliver(sender)

    in_trouble = wechat.world.calls[SEND]
    calls_an_attempt = 2 if trouble == 40001 else 1
    assert in_trouble <= calls_an_attempt * (messages.PARALLEL + 8)
    assert wechat.world.calls[TOKEN] <= in_trouble + 2
    for phone in held.trainees:
        read, _ = await inbox.inbox(platform, phone.actor.id)
        assert {one.kind for one in read} >= set(TOLD)  # whatever WeChat does, it can be read
        assert received(wechat, phone) == []

    await get_well(platform, wechat, rounds=20)
    uncertain = 0
    for phone in held.trainees:
        states = await outcome(platform, phone)
        assert states.keys() <= {State.SENT, State.UNCERTAIN}, "nothing is lost"
        came = [one for one in received(wechat, phone) if one in states.get(State.SENT, [])]
        assert sorted(came) == sorted(states.get(State.SENT, []))
        assert len(received(wechat, phone)) == len(set(received(wechat, phone))), "nothing comes twice"
        assert sum(map(len, states.values())) == len(TOLD)
        uncertain += len(states.get(State.UNCERTAIN, []))
    assert uncertain == (in_trouble if trouble in UNANSWERED else 0)


async def test_phones_check_in_while_a_sender_waits_for_a_hanging_wechat(
    platform: Platform, wechat: Simulator, site: str, held: ClassInSession
) -> None:
    await open_survey(platform, held)
    wechat.world.fail(SEND, "hang")
    sending = asyncio.create_task(messages.deliver(platform))
    while not wechat.world.calls[SEND]:  # noqa: ASYNC110 - the call arrives over HTTP, without an event
        await asyncio.sleep(0.01)
    await check_in_everybody(platform, site, held)
    assert not sending.done()
    wechat.world.heal()
    await sending


@EVERY_TROUBLE
async def test_who_cannot_log_in_is_told_to_come_again_and_who_has_logged_in_goes_on(
    platform: Platform, wechat: Simulator, held: ClassInSession, site: str, trouble: Failure
) -> None:
    wechat.world.fail(LOGIN, trouble)
    platform.wechat = hasty(platform, wechat).wechat
    code = wechat.world.give_code("openid-newcomer")
    refused = await call(site, "POST", "/login", body={"code": code})
    assert (refused.status, refused.problem) == (503, "wechat-unavailable")
    assert "请稍后重试" in refused.json["detail"]
    await check_in_everybody(platform, site, held)
    wechat.world.heal()
    again = await call(site, "POST", "/login", body={"code": wechat.world.give_code("openid-newcomer")})
    assert (again.status, again.json["bound"]) == (200, False)
    assert (
        wechat.world.calls[LOGIN] == TRAINEES + 3
    )  # the teacher's and theirs, one that failed, one that did not


async def test_an_expired_code_is_refused_with_what_to_do_and_a_new_one_serves(
    platform: Platform, wechat: Simulator, held: ClassInSession, site: str
) -> None:
    code = wechat.world.give_code("openid-slow")
    clock_of(platform).advance(timedelta(minutes=5))
    refused = await call(site, "POST", "/login", body={"code": code})
    assert (refused.status, refused.problem) == (422, "wechat-code-invalid")
    assert "请重新打开小程序" in refused.json["detail"]
    fresh = wechat.world.give_code("openid-slow")
    assert (await call(site, "POST", "/login", body={"code": fresh})).status == 200
    assert (await call(site, "POST", "/login", body={"code": fresh})).problem == "wechat-code-invalid"


async def test_a_push_that_comes_late_costs_one_refusal_and_no_message(
    platform: Platform, wechat: Simulator, site: str, held: ClassInSession
) -> None:
    """Somebody turns messages off; WeChat tells us long after we have tried, and after they have agreed anew."""
    wechat.push_to(PushTarget(f"{site}/wechat/push", wechat_events.keys_of(platform)))
    wechat.world.hold()
    off, *others = held.trainees
    template = "simulated-survey-opened"
    wechat.world.refuse(off.openid, template)
    await open_survey(platform, held)
    assert await messages.deliver(platform) == {"已发送": TRAINEES - 1, "仅站内": 1}
    assert (wechat.world.calls[SEND], await left(platform, off, template)) == (TRAINEES, 0)
    await subscribe(platform, wechat, off, template=template)
    wechat.world.release()
    await wechat.pusher.settled()
    assert {row["status"] for row in wechat.world.pushes} == {200}
    assert (
        await left(platform, off, template) == 0
    )  # the late word counts: rather one message too few through WeChat
    assert [await left(platform, one, template) for one in others] == [0, 0]
    await messages.deliver(platform)
    assert wechat.world.calls[SEND] == TRAINEES
    for phone in held.trainees:
        read, _ = await inbox.inbox(platform, phone.actor.id)
        assert [one.kind for one in read] == ["survey-opened"]


async def test_an_illness_of_days_ends_in_dead_letters_and_not_in_endless_calls(
    platform: Platform, wechat: Simulator, held: ClassInSession
) -> None:
    """Three days of -1, a sender every half hour: the messages wait for somebody, and are sent when told to."""
    await open_survey(platform, held)
    wechat.world.fail(SEND, -1)
    for _ in range(3 * 48):
        await messages.deliver(platform)
        clock_of(platform).advance(timedelta(minutes=30))
    assert wechat.world.calls[SEND] == TRAINEES * MOST_ATTEMPTS
    wechat.world.heal()
    assert await messages.send_all_again(platform, stage.actor(cast.CENTRE)) == TRAINEES
    await get_well(platform, wechat, rounds=8)
    for phone in held.trainees:
        assert (await outcome(platform, phone)).keys() == {State.SENT}
        assert len(received(wechat, phone)) == 1
