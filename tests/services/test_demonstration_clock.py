"""The clock of a demonstration: civil time moves on, through the work of each day; machine time never does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from urllib.parse import urlsplit

import pytest

from server.accounts import phones, second_factor, sign_in, tries
from server.accounts import store as accounts_store
from server.accounts.fictional import roster_of
from server.accounts.phones import PhoneAuthenticator
from server.accounts.second_factor import CodeRefused
from server.accounts.sign_in import HALF_LIFE, Where
from server.assessment import submissions
from server.attendance import codes
from server.attendance.check_in import CheckInDesk, Scan
from server.classes import roster_import
from server.demonstration import moments
from server.demonstration.clock import (
    GONE_AFTER,
    LONGEST_MOVE,
    MovedDatabase,
    MoveUnderWay,
    ahead_of,
    require_unmoved,
)
from server.demonstration.moments import Wish
from server.jobs import JOBS
from server.kernel import leases, outbox, runs
from server.kernel.clock import BEIJING, FixedClock, beijing_date
from server.kernel.errors import Invalid, TooManyRequests
from server.kernel.identity import ANYBODY
from server.kernel.outbox_state import State
from server.kernel.platform import Platform
from server.kernel.runs import RunState
from server.kernel.schedule import Job, stops
from server.messages import delivery as messages
from server.messages import wechat_events
from server.wechat import content, content_store
from server.wechat.content_documents import ContentCheck
from server.wechat.content_documents import State as CheckState
from server.wechat.pushes import PushForged
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.conftest import NOON
from tests.messaging import received, subscribe, tell
from tests.moving import Process, process
from tests.stage import Phone

HERE = Where("127.0.0.1", "a browser")
LONG = timedelta(days=40)


def beijing(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of March 2026, the month of the tests' noon."""
    return datetime(2026, 3, day, hour, minute, tzinfo=BEIJING)


@pytest.fixture
async def here(platform: Platform) -> AsyncIterator[Process]:
    async with process(platform) as one:
        yield one


class Diary:
    """Jobs that note when they ran by civil time."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def job(self, name: str, *, at: time | None = None, every: timedelta | None = None) -> Job:
        async def work(platform: Platform) -> int:
            self.lines.append(f"{platform.clock.now().astimezone(BEIJING):%d %H:%M} {name}")
            return 1

        return Job(name, name, "第四条", work, at=at, every=every, lease=timedelta(minutes=5))


# ---- moving


async def test_civil_time_moves_on_and_machine_time_stays(here: Process) -> None:
    now = await here.clock.move(NOON + timedelta(days=10))
    assert now == here.platform.clock.now() == here.platform.moved_to == NOON + timedelta(days=10)
    assert here.platform.machine.now() == NOON


async def test_civil_time_goes_on_from_where_it_was_moved_to(here: Process, clock: FixedClock) -> None:
    await here.clock.move(NOON + timedelta(days=10))
    clock.advance(timedelta(minutes=3))
    assert here.platform.clock.now() == NOON + timedelta(days=10, minutes=3)


@pytest.mark.parametrize(
    "by", [timedelta(0), -timedelta(milliseconds=1), -LONG, LONGEST_MOVE + timedelta(seconds=1)]
)
async def test_it_never_goes_back_nor_on_for_ever(here: Process, by: timedelta) -> None:
    await here.clock.move(NOON + timedelta(days=1))
    with pytest.raises(Invalid):
        await here.clock.move(NOON + timedelta(days=1) + by)
    assert here.platform.clock.now() == NOON + timedelta(days=1)


async def test_a_platform_that_is_not_moved_says_so(here: Process) -> None:
    assert here.platform.moved_to is None


async def test_outside_a_demonstration_both_times_are_one_clock(
    platform: Platform, clock: FixedClock
) -> None:
    assert platform.machine is platform.clock is clock
    assert platform.moved_to is None


# ---- every process follows


async def test_a_move_is_answered_when_every_process_has_followed(platform: Platform, here: Process) -> None:
    async with process(platform) as second, process(platform) as third:
        await here.clock.move(NOON + timedelta(days=2))
        assert [one.ahead for one in (here, second, third)] == [timedelta(days=2)] * 3
        await third.clock.move(NOON + timedelta(days=3))
        assert [one.ahead for one in (here, second, third)] == [timedelta(days=3)] * 3


async def test_a_process_that_starts_later_stands_where_the_others_do(
    platform: Platform, here: Process
) -> None:
    await here.clock.move(NOON + timedelta(days=2))
    async with process(platform) as second:
        assert second.ahead == timedelta(days=2)


async def test_a_process_that_was_killed_is_not_waited_for(
    platform: Platform, here: Process, clock: FixedClock
) -> None:
    dead = {"_id": "killed", "ahead_ms": 0, "seen_at": clock.now() - GONE_AFTER}
    await platform["demonstration_processes"].insert_one(dead)
    assert await here.clock.move(NOON + timedelta(days=1)) == NOON + timedelta(days=1)


async def test_a_living_process_that_has_not_followed_is_waited_for(
    platform: Platform, here: Process, clock: FixedClock
) -> None:
    slow = {"_id": "slow", "ahead_ms": 0, "seen_at": clock.now()}
    await platform["demonstration_processes"].insert_one(slow)
    moving = asyncio.create_task(here.clock.move(NOON + timedelta(minutes=1)))
    while await ahead_of(platform.db) == timedelta(0):  # noqa: ASYNC110 - another process would ask as well
        await asyncio.sleep(0)
    assert not moving.done()
    await platform["demonstration_processes"].update_one({"_id": "slow"}, {"$set": {"ahead_ms": 60_000}})
    assert await moving == NOON + timedelta(minutes=1)


async def test_one_move_at_a_time(platform: Platform) -> None:
    gate, entered = asyncio.Event(), asyncio.Event()

    async def hangs(_: Platform) -> int:
        entered.set()
        await gate.wait()
        return 0

    job = Job("hangs", "等待", "第四条", hangs, at=time(13))
    async with process(platform, [job]) as one, process(platform, [job]) as other:
        moving = asyncio.create_task(one.clock.move(NOON + timedelta(days=1)))
        await entered.wait()
        for process_ in (one, other):
            with pytest.raises(MoveUnderWay):
                await process_.clock.move(NOON + timedelta(days=5))
        gate.set()
        assert await moving == NOON + timedelta(days=1)
        assert await other.clock.move(NOON + timedelta(days=2)) == NOON + timedelta(days=2)


async def test_who_moved_and_was_killed_does_not_hold_the_clock(platform: Platform, here: Process) -> None:
    await platform["demonstration_clock"].insert_one({"_id": "clock", "ahead_ms": 60_000, "mover": "killed"})
    assert await here.clock.move(NOON + timedelta(days=1)) == NOON + timedelta(days=1)


async def test_a_database_that_was_moved_on_is_refused_outside_a_demonstration(
    platform: Platform, here: Process
) -> None:
    await require_unmoved(platform.db, NOON)
    await here.clock.move(NOON + timedelta(days=20))
    with pytest.raises(MovedDatabase, match=r"2026-04-05 12:00.*只能带 --demo 启动"):
        await require_unmoved(platform.db, NOON)


# ---- the work of the days between


async def test_the_jobs_of_each_day_run_in_their_order_by_the_clock_of_their_moment(
    platform: Platform,
) -> None:
    diary = Diary()
    jobs = [
        diary.job("evening", at=time(19)),
        diary.job("night", at=time(3)),
        diary.job("often", every=timedelta(minutes=10)),
        diary.job("each-second", every=timedelta(seconds=1)),
    ]
    async with process(platform, jobs) as here:
        await here.clock.move(beijing(18, 8))
    assert diary.lines == [
        "16 19:00 evening", "16 20:00 often",
        "17 00:00 often", "17 03:00 night", "17 19:00 evening", "17 20:00 often",
        "18 00:00 often", "18 03:00 night", "18 08:00 often",
    ]  # fmt: skip
    slots = [run.slot for run in reversed(await runs.runs_of(platform, "night"))]
    assert slots == [beijing(17, 3), beijing(18, 3)]
    assert {run.state for run in await runs.runs_of(platform, "night")} == {RunState.DONE}


async def test_a_second_move_repeats_nothing(platform: Platform) -> None:
    diary = Diary()
    async with process(platform, [diary.job("night", at=time(3))]) as here:
        await here.clock.move(beijing(17, 3))
        await here.clock.move(beijing(17, 4))
        await here.clock.move(beijing(18, 4))
    assert diary.lines == ["17 03:00 night", "18 03:00 night"]


async def test_a_job_that_fails_on_a_day_does_not_stop_the_clock(platform: Platform) -> None:
    async def fails(_: Platform) -> int:
        raise RuntimeError("示例")

    async with process(platform, [Job("fails", "失败", "第四条", fails, at=time(3))]) as here:
        await here.clock.move(beijing(18, 4))
    assert [run.state for run in await runs.runs_of(platform, "fails")] == [RunState.FAILED] * 2


async def test_what_another_scheduler_is_running_is_waited_for_and_not_run_twice(platform: Platform) -> None:
    diary = Diary()
    job = diary.job("night", at=time(3))
    async with process(platform, [job]) as here, process(platform, [job]) as other:
        assert await runs.tick(other.platform, job, "other:2:bb")  # the slot of this morning
        diary.lines.clear()
        looking = asyncio.create_task(_look_all_the_time(other.platform, job))
        await here.clock.move(beijing(19, 4))
        looking.cancel()
    assert diary.lines == ["17 03:00 night", "18 03:00 night", "19 03:00 night"]


async def _look_all_the_time(platform: Platform, job: Job) -> None:
    """What a scheduler in another process does; it may not have followed yet when the move begins."""
    while True:
        await runs.tick(platform, job, "other:2:bb")
        await asyncio.sleep(0)


def test_the_platforms_own_jobs_all_run_on_a_day_but_those_that_go_on_by_themselves() -> None:
    day = [job.name for stop in stops(JOBS, beijing(16, 0, 1), beijing(17, 0, 1)) for job in stop.jobs]
    by_themselves = {
        "seal-audit-trail",
        "seal-ledger",
        "sign-certificates",
        "deliver-messages",
        "check-content",
        "finish-uploads",
        "prepare-exports",
    }
    assert {job.name for job in JOBS} - set(day) == by_themselves
    assert all(day.count(job.name) == 1 for job in JOBS if job.at is not None)


# ---- where to


async def test_the_next_session_the_last_day_the_next_morning_and_a_date(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    session = await stage.teaching_session(platform, opened)
    clock.set(session.opens_at - timedelta(hours=1))
    async with process(platform) as here:

        async def to(wish: Wish) -> datetime:
            return await here.clock.move(await moments.moment_of(here.platform, wish))

        assert await to(Wish("session", opened.id)) == session.opens_at
        with pytest.raises(Invalid):
            await to(Wish("session", opened.id))
        assert await to(Wish("morning")) == beijing(session.opens_at.astimezone(BEIJING).day + 1, 8)
        assert await to(Wish("day", day=datetime(2026, 3, 20, tzinfo=UTC).date())) == beijing(20, 8)
        assert [one.id for one in await moments.classes_ahead(here.platform)] == [opened.id]
        assert await to(Wish("last-day", opened.id)) == beijing(27, 18)
        assert await moments.classes_ahead(here.platform) == []
        for wish in (Wish("day"), Wish("session"), Wish("last-day")):
            with pytest.raises(Invalid):
                await to(wish)


# ---- machine time does not move


async def known_phone(platform: Platform, wechat: Simulator, openid: str) -> Phone:
    """Bound to somebody of the pool."""
    await stage.register_backbone(platform, cast.person(1))
    return await stage.phone(platform, wechat, openid, cast.person(1))


async def move_far(here: Process) -> None:
    await here.clock.move(NOON + LONG)


async def test_nobody_is_signed_out(platform: Platform, here: Process, wechat: Simulator) -> None:
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    officer = cast.XINGTAI_OFFICER
    before = await sign_in.sign_in(here.platform, officer.username, officer.password, HERE)
    phone = await known_phone(here.platform, wechat, "openid-before")
    await move_far(here)
    assert (await sign_in.actor_of_token(here.platform, before.token)).name == officer.name
    assert await PhoneAuthenticator(here.platform).actor_of(phone.token) is not ANYBODY
    after = await sign_in.sign_in(here.platform, officer.username, officer.password, HERE)
    assert (await sign_in.actor_of_token(here.platform, after.token)).name == officer.name
    async for session in platform["staff_sessions"].find({}):
        assert session["expires_at"] == NOON + timedelta(hours=platform.settings.session_hours)
    async for session in platform["phone_sessions"].find({}):
        assert session["expires_at"] == NOON + timedelta(days=platform.settings.phone_session_days)


async def test_an_authenticator_shows_codes_of_today_and_each_serves_once(
    platform: Platform, here: Process
) -> None:
    officer = cast.HEBEI_OFFICER
    await stage.sign_up(platform, officer)
    first = await sign_in.sign_in(here.platform, officer.username, officer.password, HERE)
    await move_far(here)
    code = stage.code_for(platform, officer)
    await sign_in.enter_code(here.platform, first.token, code, HERE)
    again = await sign_in.sign_in(here.platform, officer.username, officer.password, HERE)
    with pytest.raises(CodeRefused):
        await sign_in.enter_code(here.platform, again.token, code, HERE)
    account = await accounts_store.account_by_username(platform, officer.username)
    assert account is not None
    proof = await second_factor.prove(here.platform, account, stage.code_for(platform, officer, steps=1))
    assert proof.step is not None


async def test_a_lock_holds_as_long_as_it_was_to_hold(
    platform: Platform, here: Process, clock: FixedClock
) -> None:
    officer = cast.XINGTAI_OFFICER
    await stage.sign_up(platform, officer)
    for number in range(platform.settings.lockout_failures):
        with pytest.raises(sign_in.SignInRefused):
            await sign_in.sign_in(here.platform, officer.username, "wrong-password-1", HERE)
        if number == 1:
            await move_far(here)
    await here.clock.move(NOON + LONG + LONG)
    with pytest.raises(tries.AccountLocked):
        await sign_in.sign_in(here.platform, officer.username, officer.password, HERE)
    clock.advance(timedelta(minutes=platform.settings.lockout_minutes))
    assert await sign_in.sign_in(here.platform, officer.username, officer.password, HERE)


async def test_what_is_limited_is_limited_by_the_hour_of_the_machine(here: Process) -> None:
    for _ in range(2):
        await here.platform.limiter.hit("example", "2/hour", "somebody")
    await move_far(here)
    with pytest.raises(TooManyRequests):
        await here.platform.limiter.hit("example", "2/hour", "somebody")


async def test_leases_of_jobs_and_of_the_sealer_are_not_lost(
    platform: Platform, here: Process, clock: FixedClock
) -> None:
    job = Diary().job("night", at=time(3))
    claim = await runs.take(here.platform, job, "one:1:aa")
    assert claim is not None
    assert await leases.hold(here.platform, "example", timedelta(seconds=30))
    await platform["leases"].update_one({"_id": "example"}, {"$set": {"holder": "another"}})
    await move_far(here)
    assert await runs.take(here.platform, job, "other:2:bb") is None
    assert not await leases.hold(here.platform, "example", timedelta(seconds=30))
    assert await runs.finish(here.platform, claim, {}, "")
    clock.advance(timedelta(seconds=31))
    assert await leases.hold(here.platform, "example", timedelta(seconds=30))


async def test_a_claimed_message_stays_claimed_and_one_that_waits_to_be_tried_again_waits(
    platform: Platform, here: Process, wechat: Simulator, clock: FixedClock
) -> None:
    phone = await known_phone(platform, wechat, "openid-of-message")
    await platform["outbox"].delete_many({})
    await tell(here.platform, phone, count=2)
    claimed = await outbox.claim(here.platform)
    waits = await outbox.claim(here.platform)
    assert claimed is not None and waits is not None
    await outbox.postpone(here.platform, waits, clock.now() + timedelta(minutes=2))
    assert await outbox.begin(here.platform, claimed, clock.now() + timedelta(minutes=1))
    await move_far(here)
    assert await outbox.claim(here.platform) is None
    assert await outbox.give_up_unanswered(here.platform) == 0
    assert await outbox.settle(here.platform, claimed, State.SENT)
    clock.advance(timedelta(minutes=2))
    again = await outbox.claim(here.platform)
    assert again is not None and again["_id"] == waits["_id"]


async def test_a_message_of_the_night_goes_out_when_the_morning_is_moved_to(
    platform: Platform, here: Process, wechat: Simulator
) -> None:
    phone = await known_phone(platform, wechat, "openid-of-night")
    await subscribe(here.platform, wechat, phone)
    await here.clock.move(beijing(16, 23))
    [message] = await tell(here.platform, phone)
    await messages.deliver(here.platform)
    assert received(wechat, phone) == []
    assert (await messages.one_message(here.platform, message)).next_attempt_at == beijing(17, 7)
    await here.clock.move(beijing(17, 6, 59))
    await messages.deliver(here.platform)
    assert received(wechat, phone) == []
    await here.clock.move(beijing(17, 8))
    await messages.deliver(here.platform)
    assert received(wechat, phone) == [message]


async def test_what_wechat_gives_and_signs_is_of_the_time_of_the_machine(
    platform: Platform, here: Process, wechat: Simulator
) -> None:
    code = wechat.world.give_code("openid-of-code")
    link = content.media_link(here.platform, "0" * 24)
    await move_far(here)
    assert (await phones.log_in(here.platform, code)).token
    expires = int(urlsplit(link).path.split("-")[1])
    assert datetime.fromtimestamp(expires, UTC) == NOON + content.LINK_LIVES
    keys = wechat_events.keys_of(here.platform)
    fresh, old = (str(int(at.timestamp())) for at in (NOON, NOON + LONG))

    def query(timestamp: str) -> dict[str, str]:
        signed = {"signature": keys.signature(timestamp, "n1"), "timestamp": timestamp, "nonce": "n1"}
        return signed | {"echostr": "4375120948345356249"}

    assert wechat_events.answer_echo(here.platform, query(fresh)) == "4375120948345356249"
    with pytest.raises(PushForged):
        wechat_events.answer_echo(here.platform, query(old))


async def test_uploads_and_checks_of_content_do_not_grow_old(
    platform: Platform, here: Process, wechat: Simulator, clock: FixedClock
) -> None:
    await submissions.note_begun(here.platform, "f" * 24)
    check = ContentCheck(
        subject="submission:1", part="text", title="示例", class_id=None, class_name="", institution_code="009",
        province_code="13", person_id="p", person_name="示例", openid="o", scene=1, text="示例", state=CheckState.WAITING,
        pending=True, open=False, next_attempt_at=clock.now(), created_at=clock.now(),
    )  # fmt: skip
    await content_store.insert(platform, [check])
    assert await content_store.claim(platform, here.platform.machine.now(), content.CLAIM) is not None
    await move_far(here)
    assert await submissions.remove_abandoned(here.platform) == 0
    assert await content.check_waiting(here.platform) == {}
    clock.advance(content.CLAIM)
    assert await content.check_waiting(here.platform) != {CheckState.UNCHECKED.label: 1}


async def test_no_row_that_expires_is_dated_by_civil_time(
    platform: Platform, here: Process, wechat: Simulator
) -> None:
    """MongoDB removes rows by the clock of its machine: a row of the day to come would stay for that much longer, and its
    reader, who asked civil time, would find it over."""
    await here.clock.move(NOON + timedelta(days=5))
    officer = cast.HEBEI_OFFICER
    await stage.sign_up(platform, officer)
    await sign_in.sign_in(here.platform, officer.username, officer.password, HERE)
    with pytest.raises(sign_in.SignInRefused):
        await sign_in.sign_in(here.platform, "nobody-at-all", "wrong-password-1", HERE)
    opened = await stage.class_in_session(here.platform, wechat, trainees=1)
    await subscribe(here.platform, wechat, opened.trainees[0])
    await platform["roster_imports"].delete_many({})
    sheet = roster_of([cast.person(7)])
    await roster_import.preview_roster(here.platform, opened.officer, opened.id, "名册.xlsx", sheet)
    expected = {
        ("half_sign_ins", "expires_at"): HALF_LIFE,
        ("sign_in_tries", "at"): timedelta(0),
        ("phone_sessions", "expires_at"): timedelta(days=platform.settings.phone_session_days),
        ("message_grant_reports", "at"): timedelta(0),
        ("roster_imports", "expires_at"): timedelta(days=1),
    }
    for (name, field), span in expected.items():
        rows = await platform[name].find({}).to_list(None)
        assert {row[field] - NOON for row in rows} == {span}, name


# ---- codes on the screen are civil on both sides


async def test_a_check_in_code_serves_in_its_session_when_the_clock_is_ahead(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    session = await stage.teaching_session(platform, opened)
    clock.set(session.opens_at - timedelta(days=5))
    async with process(platform) as here:
        await here.clock.move(session.opens_at + timedelta(minutes=1))
        shown = await codes.code_for_phone(here.platform, opened.teacher.actor, session.id)
        kept = await CheckInDesk(here.platform).check_in(opened.trainees[0].actor, Scan(shown.code, "scan-1"))
        assert beijing_date(here.platform.machine.now()) < beijing_date(session.starts_at)
    assert kept is not None
