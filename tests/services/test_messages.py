"""Messages on their way to WeChat: sent once where a grant is known, never twice, never lost, and in the inbox always."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from server.demonstration import phones as demonstrated_phones
from server.kernel import outbox, policies
from server.kernel.clock import BEIJING, FixedClock, beijing_date
from server.kernel.errors import Invalid, NotFound
from server.kernel.outbox_state import State
from server.kernel.platform import Platform
from server.kernel.policies import PolicyChange
from server.messages import delivery as messages
from server.messages import inbox
from server.messages import rules as message_rules
from server.messages import store as message_store
from server.messages import templates as message_templates
from server.messages.delivery import MessageSettled
from server.messages.kinds import KINDS
from server.messages.rules import Answer
from server.messages.templates import TemplateChange
from server.wechat.simulator import Simulator
from server.wechat.world import Failure
from tests import cast, stage
from tests.messaging import (
    KIND,
    SEND,
    TEMPLATE,
    TOKEN,
    hasty,
    left,
    received,
    state_of,
    states,
    subscribe,
    tell,
)
from tests.stage import Phone

CENTRE = stage.actor(cast.CENTRE)
XINGTAI = stage.actor(cast.XINGTAI_OFFICER)
LONG = timedelta(hours=2)
"""Longer than any pause or retry."""


@pytest.fixture
async def phone(platform: Platform, wechat: Simulator) -> Phone:
    """A trainee's phone; the news of its beginnings is gone."""
    held = await stage.class_in_session(platform, wechat, trainees=1)
    await platform["outbox"].delete_many({})
    return held.trainees[0]


async def settle_down(platform: Platform, clock: FixedClock, rounds: int = 20) -> None:
    """Senders that come every two hours of a day without a night, until nothing is left to do."""
    await without_a_night(platform)
    for _ in range(rounds):
        clock.advance(LONG)
        await messages.deliver(platform)


async def without_a_night(platform: Platform) -> None:
    today = beijing_date(platform.clock.now())
    if (await policies.on(platform, today)).quiet_from_hour != 7:
        wanted = PolicyChange(key="quiet_from_hour", value=7, effective_from=today, reason="示例：不设免打扰")
        await policies.change(platform, CENTRE, wanted)


# ---- what works


async def test_a_message_reaches_a_phone_that_agreed_and_uses_one_grant(
    platform: Platform, wechat: Simulator, phone: Phone
) -> None:
    await subscribe(platform, wechat, phone, 2)
    [message] = await tell(platform, phone)
    assert await messages.deliver(platform) == {"已发送": 1}
    assert received(wechat, phone) == [message]
    [came] = wechat.world.phone(phone.openid).messages
    assert came["data"] == {"thing1": {"value": "示例班"}}
    assert await left(platform, phone) == wechat.world.phone(phone.openid).grants[TEMPLATE] == 1
    assert await messages.deliver(platform) == {}
    assert wechat.world.calls[SEND] == 1


async def test_without_a_grant_a_message_stays_in_the_inbox_and_wechat_is_not_asked(
    platform: Platform, wechat: Simulator, phone: Phone
) -> None:
    await subscribe(platform, wechat, phone)
    first, second = await tell(platform, phone, count=2)
    assert await messages.deliver(platform) == {"已发送": 1, "仅站内": 1}
    assert {await state_of(platform, first), await state_of(platform, second)} == {State.SENT, State.KEPT}
    assert wechat.world.calls[SEND] == 1
    read, _ = await inbox.inbox(platform, phone.actor.id)
    assert [one.id for one in read] == [second, first]


async def test_who_has_no_phone_finds_the_message_later(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.open_class(platform, XINGTAI, stage.class_draft())
    [person_id] = await stage.enrol(platform, cast.XINGTAI_OFFICER, opened.id, [cast.TRAINEE])
    assert await messages.deliver(platform) == {"仅站内": 1}
    later = await stage.phone(platform, wechat, "openid-later", cast.TRAINEE)
    [message], _ = await inbox.inbox(platform, later.actor.id)
    assert later.actor.id == person_id
    assert message.text.startswith(
        "您已被录取到“2026年3月三级教师培训班”，2026-03-16 至 2026-03-27 在实训楼 301举办。"
    )


async def test_many_messages_go_in_one_run_each_once(
    platform: Platform, wechat: Simulator, phone: Phone
) -> None:
    await subscribe(platform, wechat, phone, 30)
    told = await tell(platform, phone, count=30)
    assert await messages.deliver(platform) == {"已发送": 30}
    assert sorted(received(wechat, phone)) == told


async def test_two_senders_at_once_never_take_the_same_message(
    platform: Platform, wechat: Simulator, phone: Phone
) -> None:
    await subscribe(platform, wechat, phone, 30)
    told = await tell(platform, phone, count=30)
    senders = [hasty(platform, wechat) for _ in range(4)]
    counts = await asyncio.gather(*(messages.deliver(sender) for sender in senders))
    assert sum(count["已发送"] for count in counts if count) == 30
    assert sorted(received(wechat, phone)) == told
    assert wechat.world.calls[SEND] == 30
    assert wechat.world.calls[TOKEN] == 1  # the access token is shared too


# ---- what WeChat refuses


async def test_a_refusal_sets_the_count_of_grants_to_zero(
    platform: Platform, wechat: Simulator, phone: Phone
) -> None:
    await subscribe(platform, wechat, phone, 3)
    wechat.world.phone(phone.openid).grants.clear()  # the person has switched the messages off in WeChat
    await tell(platform, phone, count=1)
    assert await messages.deliver(platform) == {"仅站内": 1}
    assert await left(platform, phone) == 0
    await tell(platform, phone, count=5)
    await messages.deliver(platform)
    assert wechat.world.calls[SEND] == 1
    assert await states(platform) == {State.KEPT}


@pytest.mark.parametrize("errcode", [40003, 40037, 47003, 41030])
async def test_what_wechat_will_never_accept_is_a_dead_letter_at_once(
    platform: Platform, wechat: Simulator, phone: Phone, clock: FixedClock, errcode: int
) -> None:
    await subscribe(platform, wechat, phone)
    [message] = await tell(platform, phone)
    wechat.world.fail(SEND, errcode)
    assert await messages.deliver(platform) == {"发送失败": 1}
    await settle_down(platform, clock, rounds=5)
    assert wechat.world.calls[SEND] == 1
    told = await messages.one_message(platform, message)
    assert str(errcode) in told.reason
    assert await left(platform, phone) == 1  # nothing was sent, so nothing was used up


@pytest.mark.parametrize("errcode", [-1, 40001])
async def test_a_busy_wechat_is_tried_again_later_and_given_up_after_six_attempts(
    platform: Platform, wechat: Simulator, phone: Phone, clock: FixedClock, errcode: int
) -> None:
    await subscribe(platform, wechat, phone)
    [message] = await tell(platform, phone)
    wechat.world.fail(SEND, errcode)
    await messages.deliver(platform)
    await messages.deliver(platform)  # at once: nothing is due, and nothing may be sent
    calls_an_attempt = 2 if errcode == 40001 else 1  # once more with another token
    assert wechat.world.calls[SEND] == calls_an_attempt
    assert await state_of(platform, message) is State.WAITING
    await settle_down(platform, clock)
    assert await state_of(platform, message) is State.DEAD
    assert wechat.world.calls[SEND] == message_rules.MOST_ATTEMPTS * calls_an_attempt
    assert str(errcode) in (await messages.one_message(platform, message)).reason
    assert await left(platform, phone) == 1


async def test_a_message_that_had_to_wait_is_sent_once_when_wechat_is_well_again(
    platform: Platform, wechat: Simulator, phone: Phone, clock: FixedClock
) -> None:
    await subscribe(platform, wechat, phone, 20)
    told = await tell(platform, phone, count=20)
    wechat.world.fail(SEND, -1)
    await messages.deliver(platform)
    assert wechat.world.calls[SEND] <= messages.PARALLEL
    wechat.world.heal()
    await settle_down(platform, clock, rounds=3)
    assert sorted(received(wechat, phone)) == told
    assert await states(platform) == {State.SENT}


async def test_a_used_up_quota_stops_all_sending_until_the_next_day_in_beijing(
    platform: Platform, wechat: Simulator, phone: Phone, clock: FixedClock
) -> None:
    await without_a_night(platform)
    await subscribe(platform, wechat, phone, 20)
    told = await tell(platform, phone, count=20)
    wechat.world.fail(SEND, 45009)
    await messages.deliver(platform)
    calls = wechat.world.calls[SEND]
    assert calls <= messages.PARALLEL
    wechat.world.heal()
    for hour in range(13, 24):
        clock.set(datetime(2026, 3, 16, hour, 59, tzinfo=BEIJING))
        assert await messages.deliver(platform) == {}
    assert wechat.world.calls[SEND] == calls
    clock.set(datetime(2026, 3, 17, 0, 15, tzinfo=BEIJING))
    assert await messages.deliver(platform) == {"已发送": 20}
    assert sorted(received(wechat, phone)) == told


async def test_without_an_access_token_nothing_is_sent_and_nothing_is_lost(
    platform: Platform, wechat: Simulator, phone: Phone, clock: FixedClock
) -> None:
    await subscribe(platform, wechat, phone)
    clock.advance(timedelta(hours=2))  # the token by which the phone proved its number has ended
    [message] = await tell(platform, phone)
    wechat.world.fail(TOKEN, "disconnect")
    await messages.deliver(platform)
    assert await state_of(platform, message) is State.WAITING
    assert not wechat.world.calls[SEND]
    wechat.world.heal()
    await settle_down(platform, clock, rounds=2)
    assert received(wechat, phone) == [message]


# ---- answers that never come


@pytest.mark.parametrize("trouble", ["hang", "disconnect", "bad-gateway", "gibberish"])
async def test_a_message_whose_answer_never_came_is_not_sent_again(
    platform: Platform, wechat: Simulator, phone: Phone, clock: FixedClock, trouble: Failure
) -> None:
    await subscribe(platform, wechat, phone, 2)
    [message] = await tell(platform, phone)
    wechat.world.fail(SEND, trouble)
    assert await messages.deliver(hasty(platform, wechat)) == {"结果不明": 1}
    wechat.world.heal()
    await settle_down(platform, clock, rounds=4)
    assert wechat.world.calls[SEND] == 1
    assert await state_of(platform, message) is State.UNCERTAIN
    assert (await inbox.inbox(platform, phone.actor.id))[0][0].id == message
    assert await left(platform, phone) == 1  # it may have been used


async def test_a_hanging_wechat_is_called_a_few_times_and_the_rest_waits(
    platform: Platform, wechat: Simulator, phone: Phone, clock: FixedClock
) -> None:
    """An hour of a WeChat that hangs, and a sender every two minutes."""
    await subscribe(platform, wechat, phone, 40)
    told = await tell(platform, phone, count=40)
    sender = hasty(platform, wechat)
    wechat.world.fail(SEND, "disconnect")  # as a hang, only sooner
    for _ in range(30):
        await messages.deliver(sender)
        clock.advance(timedelta(minutes=2))
    tried = wechat.world.calls[SEND]
    assert tried <= messages.PARALLEL + 8
    wechat.world.heal()
    await settle_down(platform, clock, rounds=3)
    assert len(received(wechat, phone)) == 40 - tried
    assert set(received(wechat, phone)) <= set(told)
    assert await states(platform) == {State.SENT, State.UNCERTAIN}


class Killed(BaseException):
    """SIGKILL, as far as the database can tell."""


Step = tuple[Any, str]
STEPS: list[Callable[[Platform], Step]] = [
    lambda _: (outbox, "claim"),
    lambda _: (message_store, "hold_grant"),
    lambda _: (outbox, "begin"),
    lambda platform: (platform.wechat, "send_subscribe_message"),
    lambda _: (message_store, "use_grant"),
    lambda _: (outbox, "settle"),
]


CALL = "send_subscribe_message"
WHILE_SENDING = {
    ("after", "begin"),
    ("before", CALL),
    ("after", CALL),
    ("before", "use_grant"),
    ("after", "use_grant"),
    ("before", "settle"),
}
"""Deaths between the mark and the settling: the next sender cannot know whether the call was made."""


@pytest.mark.parametrize("step", STEPS, ids=["claim", "grant", "begin", "call", "use", "settle"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_sender_killed_at_any_step_loses_nothing_and_sends_nothing_twice(
    platform: Platform,
    wechat: Simulator,
    phone: Phone,
    clock: FixedClock,
    monkeypatch: pytest.MonkeyPatch,
    step: Callable[[Platform], Step],
    when: str,
) -> None:
    await subscribe(platform, wechat, phone, 2)
    [message] = await tell(platform, phone)
    place, name = step(platform)
    work = getattr(place, name)

    async def killed(*args: Any, **kwargs: Any) -> Any:
        if when == "after":
            await work(*args, **kwargs)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(place, name, killed)
        patched.setattr(messages, "PARALLEL", 1)
        with pytest.raises(Killed):
            await messages.deliver(platform)
    await settle_down(platform, clock, rounds=3)
    asked = wechat.world.calls[SEND]
    assert asked <= 1
    assert received(wechat, phone) == [message] * asked
    expected = State.UNCERTAIN if (when, name) in WHILE_SENDING else State.SENT
    assert await state_of(platform, message) is expected
    assert (await inbox.inbox(platform, phone.actor.id))[0][0].id == message


async def test_an_answer_that_comes_after_the_message_was_given_up_still_counts(
    platform: Platform, phone: Phone, clock: FixedClock
) -> None:
    [message] = await tell(platform, phone)
    claimed = await outbox.claim(platform)
    assert claimed is not None
    assert await outbox.begin(platform, claimed, clock.now() + timedelta(minutes=1))
    clock.advance(timedelta(minutes=1))
    assert await messages.deliver(platform) == {"结果不明": 1}
    assert await outbox.settle(platform, claimed, State.SENT)
    assert await state_of(platform, message) is State.SENT


async def test_a_sender_whose_claim_was_taken_over_makes_no_call(
    platform: Platform, phone: Phone, clock: FixedClock
) -> None:
    await tell(platform, phone)
    slow = await outbox.claim(platform)
    clock.advance(outbox.CLAIM)
    quick = await outbox.claim(platform)
    assert slow is not None and quick is not None and slow["_id"] == quick["_id"]
    by = clock.now() + timedelta(minutes=1)
    assert not await outbox.begin(platform, slow, by)
    assert await outbox.begin(platform, quick, by)
    assert not await outbox.settle(platform, slow, State.KEPT)


# ---- quiet hours


async def test_at_night_a_message_waits_for_the_morning_and_the_inbox_has_it_at_once(
    platform: Platform, wechat: Simulator, phone: Phone, clock: FixedClock
) -> None:
    await subscribe(platform, wechat, phone)
    clock.set(datetime(2026, 3, 16, 22, 0, tzinfo=BEIJING))
    [message] = await tell(platform, phone)
    for moment in (
        datetime(2026, 3, 16, 22, 0, tzinfo=BEIJING),
        datetime(2026, 3, 17, 6, 59, tzinfo=BEIJING),
    ):
        clock.set(moment)
        assert await messages.deliver(platform) == {}
    assert [one.id for one in (await inbox.inbox(platform, phone.actor.id))[0]] == [message]
    clock.set(datetime(2026, 3, 17, 7, 0, tzinfo=BEIJING))
    assert await messages.deliver(platform) == {"已发送": 1}


async def test_what_would_be_too_late_in_the_morning_is_sent_at_night(
    platform: Platform, wechat: Simulator, phone: Phone, clock: FixedClock
) -> None:
    kind = KINDS["session-soon"]
    assert kind.wakes == "starts_at"
    await subscribe(platform, wechat, phone, template=f"simulated-{kind.name}")
    clock.set(datetime(2026, 3, 17, 6, 30, tzinfo=BEIJING))
    data = dict.fromkeys(kind.fields, "示例") | {"starts_at": "2026-03-17 08:00"}
    [message] = await tell(platform, phone, kind.name, data=data)
    assert await messages.deliver(platform) == {"已发送": 1}
    assert received(wechat, phone) == [message]


# ---- grants


async def test_a_report_sent_twice_counts_once(platform: Platform, phone: Phone) -> None:
    for _ in range(3):
        await inbox.report_grants(platform, phone.actor, "same-nonce", {TEMPLATE: Answer.ACCEPT})
    assert await left(platform, phone) == 1
    await asyncio.gather(
        *(
            inbox.report_grants(platform, phone.actor, "other-nonce", {TEMPLATE: Answer.ACCEPT})
            for _ in range(5)
        )
    )
    assert await left(platform, phone) == 2


async def test_a_refusal_leaves_earlier_grants_and_a_ban_takes_them(platform: Platform, phone: Phone) -> None:
    await inbox.report_grants(platform, phone.actor, "nonce-01", {TEMPLATE: Answer.ACCEPT_WITH_AUDIO})
    await inbox.report_grants(platform, phone.actor, "nonce-02", {TEMPLATE: Answer.REJECT})
    assert await left(platform, phone) == 1
    await inbox.report_grants(platform, phone.actor, "nonce-03", {TEMPLATE: Answer.BAN})
    assert await left(platform, phone) == 0


async def test_a_template_that_nobody_uses_is_passed_over(platform: Platform, phone: Phone) -> None:
    found = await inbox.report_grants(platform, phone.actor, "nonce-04", {"unknown": Answer.ACCEPT})
    assert "unknown" not in {one.template_id for one in found}
    assert await platform["message_grants"].count_documents({}) == 0


async def test_a_grant_belongs_to_the_phone_that_gave_it(
    platform: Platform, wechat: Simulator, phone: Phone
) -> None:
    stranger = await stage.phone(platform, wechat, "openid-stranger")
    await subscribe(platform, wechat, stranger)
    [message] = await tell(platform, phone)
    await messages.deliver(platform)
    assert await state_of(platform, message) is State.KEPT
    assert await left(platform, stranger) == 1


# ---- the inbox


async def test_the_inbox_is_read_page_by_page_and_counts_what_is_unread(
    platform: Platform, phone: Phone
) -> None:
    told = await tell(platform, phone, count=5)
    assert await inbox.unread(platform, phone.actor) == 5
    first, cursor = await inbox.inbox(platform, phone.actor.id, limit=3)
    rest, end = await inbox.inbox(platform, phone.actor.id, before=cursor, limit=3)
    assert [one.id for one in (*first, *rest)] == told[::-1]
    assert end is None
    await inbox.read_one(platform, phone.actor, told[4])
    await inbox.read_one(platform, phone.actor, told[4])
    assert await inbox.unread(platform, phone.actor) == 4
    assert await inbox.read_all(platform, phone.actor, told[2]) == 3
    assert await inbox.unread(platform, phone.actor) == 1


async def test_nobody_reads_or_marks_a_neighbours_message(
    platform: Platform, wechat: Simulator, phone: Phone
) -> None:
    [message] = await tell(platform, phone)
    other = await stage.phone(platform, wechat, "openid-other")
    with pytest.raises(NotFound):
        await inbox.read_one(platform, other.actor, message)
    assert await inbox.read_all(platform, other.actor, "f" * 24) == 0
    assert await inbox.unread(platform, phone.actor) == 1
    assert await inbox.inbox(platform, other.actor.id) == ([], None)


# ---- the centre


async def test_every_list_of_messages_is_read_from_an_index(platform: Platform, phone: Phone) -> None:
    await tell(platform, phone, count=3)
    person: dict[str, object] = {"person_id": phone.actor.id}
    for condition in (
        {"state": State.DEAD},
        {"state": State.SENT, "template": KIND},
        person,
        {**person, "read": False},
    ):
        plan = await platform["outbox"].find(condition).sort("_id", -1).limit(20).explain()
        winning = str(plan["queryPlanner"]["winningPlan"])
        assert "IXSCAN" in winning and "COLLSCAN" not in winning, condition
    due = {"state": State.WAITING, "next_attempt_at": {"$lte": platform.clock.now()}}
    plan = await platform["outbox"].find(due).sort("next_attempt_at", 1).limit(1).explain()
    assert "SORT" not in str(plan["queryPlanner"]["winningPlan"])


async def test_a_dead_letter_is_sent_again_by_the_centre(
    platform: Platform, wechat: Simulator, phone: Phone
) -> None:
    await subscribe(platform, wechat, phone)
    [message] = await tell(platform, phone)
    wechat.world.fail(SEND, 40037)
    await messages.deliver(platform)
    [waits] = await messages.waiting(platform, CENTRE)
    assert waits.count == 1 and await messages.waiting(platform, XINGTAI) == []
    wechat.world.heal()
    await messages.send_again(platform, CENTRE, message)
    with pytest.raises(MessageSettled):
        await messages.send_again(platform, CENTRE, message)
    assert await messages.deliver(platform) == {"已发送": 1}
    assert received(wechat, phone) == [message]
    assert await messages.waiting(platform, CENTRE) == []
    assert await platform["audit"].count_documents({"action": "messages:send-again", "subject": message}) == 1


async def test_what_may_have_arrived_cannot_be_sent_again_only_put_aside(
    platform: Platform, wechat: Simulator, phone: Phone
) -> None:
    await subscribe(platform, wechat, phone)
    [message] = await tell(platform, phone)
    wechat.world.fail(SEND, "disconnect")
    await messages.deliver(platform)
    with pytest.raises(MessageSettled):
        await messages.send_again(platform, CENTRE, message)
    await messages.stop(platform, CENTRE, message)
    assert await state_of(platform, message) is State.STOPPED


async def test_a_message_that_is_stopped_under_the_senders_hands_is_not_sent(
    platform: Platform, phone: Phone, clock: FixedClock
) -> None:
    [message] = await tell(platform, phone)
    claimed = await outbox.claim(platform)
    assert claimed is not None
    await messages.stop(platform, CENTRE, message)
    assert not await outbox.begin(platform, claimed, clock.now())
    assert await state_of(platform, message) is State.STOPPED
    with pytest.raises(NotFound):
        await messages.stop(platform, CENTRE, "0" * 24)


async def test_the_centre_sees_whom_a_message_was_for_with_a_masked_name_only(
    platform: Platform, phone: Phone
) -> None:
    await tell(platform, phone)
    [told] = await messages.list_messages(platform, State.WAITING, kind=KIND, limit=10)
    assert "*" in told.person and phone.actor.name not in repr(told)
    assert await messages.list_messages(platform, State.WAITING, kind="enrolled", limit=10) == []
    seen = await messages.overview(platform)
    assert seen.counts[State.WAITING] == 1 and seen.pause is None


# ---- templates


def template_change(platform: Platform, **changes: object) -> TemplateChange:
    today = beijing_date(platform.clock.now())
    usual = {"template_id": "T-new", "keys": ["thing6"], "effective_from": today, "reason": "换用公共模板"}
    return TemplateChange.model_validate({**usual, **changes})


async def test_the_setting_holds_until_the_centre_sets_a_template_from_a_day_on(
    platform: Platform, wechat: Simulator, phone: Phone, clock: FixedClock
) -> None:
    platform.settings.wechat_templates[KIND] = "T-setting"
    today = beijing_date(clock.now())
    assert (await message_templates.templates_on(platform, today))[KIND].template_id == "T-setting"
    tomorrow = today + timedelta(days=1)
    change = template_change(platform, effective_from=tomorrow)
    await message_templates.set_template(platform, CENTRE, KIND, change)
    assert (await message_templates.templates_on(platform, today))[KIND].template_id == "T-setting"
    assert (await message_templates.templates_on(platform, tomorrow))[KIND].keys == ("thing6",)
    clock.advance(timedelta(days=1))
    await subscribe(platform, wechat, phone, template="T-new")
    await tell(platform, phone)
    assert await messages.deliver(platform) == {"已发送": 1}
    [came] = wechat.world.phone(phone.openid).messages
    assert (came["template_id"], came["data"]) == ("T-new", {"thing6": {"value": "示例班"}})


async def test_a_kind_without_a_template_is_not_sent_through_wechat(
    platform: Platform, wechat: Simulator, phone: Phone
) -> None:
    change = template_change(platform, template_id="", keys=["thing1"])
    await message_templates.set_template(platform, CENTRE, KIND, change)
    [message] = await tell(platform, phone)
    await messages.deliver(platform)
    assert await state_of(platform, message) is State.KEPT
    assert not wechat.world.calls[SEND]


@pytest.mark.parametrize("keys", [[], ["thing1", "thing2"], ["date1"], ["thing"], ["thing1x"], ["thing٣"]])
async def test_keys_that_do_not_fit_the_fields_are_refused(platform: Platform, keys: list[str]) -> None:
    with pytest.raises(Invalid, match="请按提示"):
        await message_templates.set_template(platform, CENTRE, KIND, template_change(platform, keys=keys))


async def test_a_template_cannot_be_changed_for_the_past_and_its_versions_stay(platform: Platform) -> None:
    yesterday = beijing_date(platform.clock.now()) - timedelta(days=1)
    change = template_change(platform, effective_from=yesterday)
    with pytest.raises(Invalid):
        await message_templates.set_template(platform, CENTRE, KIND, change)
    with pytest.raises(NotFound):
        await message_templates.set_template(platform, CENTRE, "unknown", template_change(platform))
    for _ in range(2):
        await message_templates.set_template(platform, CENTRE, KIND, template_change(platform))
    states_ = await message_templates.kind_states(platform, beijing_date(platform.clock.now()))
    [mine] = [one for one in states_ if one.kind.name == KIND]
    assert [one.version for one in mine.versions] == [2, 1]


# ---- the demonstration


async def test_a_phone_of_the_demonstration_rings_as_often_as_its_person_agreed(
    platform: Platform, wechat: Simulator, phone: Phone
) -> None:
    kinds = (KIND, "certificate-issued")
    await demonstrated_phones.subscribe(platform, phone.actor, wechat.world.grant, kinds, times=2)
    told = await tell(platform, phone, count=3)
    assert await messages.deliver(platform) == {"已发送": 2, "仅站内": 1}
    assert set(received(wechat, phone)) < set(told)
