"""Whatever several people do to a class, in whatever order: what is certified was held, what was checked in stays, and nobody is enrolled
in a class that was called off (articles 4.6, 4.7, 13 and 17).

Each example is a story: who does what to which class, with a throw of dice. `--hypothesis-profile deep` tells ten times as many.
"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.attendance.documents import AddedKind, CheckIn, TeachingSession
from server.attendance.rules import Status
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.rules import Condition
from server.kernel.errors import Problem
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests.examples import examples
from tests.finding import gone_astray
from tests.life import ACTS, OWED, Life, Move, NothingToDo, begin

BY_RIGHT = "whose it is"
MARCH, APRIL = 0, 1
Step = tuple[str, str, int, int]
"""Who, what, to which class, dice."""

who = st.sampled_from([BY_RIGHT] * 6 + ["institution", "province", "teacher", "trainee", "neighbour"])
what = st.sampled_from([*ACTS])
which = st.sampled_from([MARCH, MARCH, MARCH, APRIL])
anything = st.tuples(who, what, which, st.integers(0, 63))


def told(*acts: str, of: int = MARCH) -> list[Step]:
    """Everybody does what is theirs, and everybody is there."""
    return [(BY_RIGHT, one, of, 0) for one in acts]


TO_THE_PAPERS = ("answer_the_survey", "release", "go_to_the_last_day", "issue_certificates")
TO_THE_CERTIFICATES = told("hold_all_sessions", *TO_THE_PAPERS)
HELD_IN_PART = [
    *told("hold_a_session"),
    *[(BY_RIGHT, "cancel_a_session", MARCH, 1)] * 2,
    *told(*TO_THE_PAPERS),
]
BY_ANOTHER_CLASS = [
    *told("hold_a_session", "ask_to_transfer", "approve_the_change"),
    *told("work", "hold_all_sessions", *TO_THE_PAPERS, of=APRIL),
]
RELEASED_TWICE = [
    *told(
        "hold_all_sessions", "release", "ask_to_reopen", "change_a_check_in", "reopen", "change_a_check_in"
    ),
    *told("cancel_a_session", "move_a_session", *TO_THE_PAPERS),
]
CUT_SHORT = [
    *told("hold_a_session", "ask_to_suspend", "approve_the_change", "hold_all_sessions", *TO_THE_PAPERS),
    *told("ask_to_postpone", "approve_the_change", "hold_all_sessions", *TO_THE_PAPERS),
]
CALLED_OFF = told(
    "add_somebody", "call_off", "add_somebody", "hold_all_sessions", "take_somebody_back", "release"
)


TOLD = [TO_THE_CERTIFICATES, HELD_IN_PART, BY_ANOTHER_CLASS, RELEASED_TWICE, CUT_SHORT, CALLED_OFF]


@st.composite
def stories(draw: st.DrawFn) -> list[Step]:
    """One that leads somewhere, with whatever anybody does in between and afterwards."""
    story: list[Step] = []
    for step in draw(st.sampled_from(TOLD)):
        story += [*draw(st.lists(anything, max_size=3)), step]
    return story + draw(st.lists(anything, max_size=3))


@examples(12)
@given(stories())
async def test_no_order_of_acts_certifies_what_was_not_held_or_loses_a_check_in(
    platform: Platform, wechat: Simulator, story: list[Step]
) -> None:
    await live(platform, wechat, story)


@pytest.mark.parametrize(
    ("story", "papers"),
    [
        (TO_THE_CERTIFICATES, 3),
        (HELD_IN_PART, 0),
        (BY_ANOTHER_CLASS, 3),
        (RELEASED_TWICE, 2),  # one check-in was voided before the second release
        (CUT_SHORT, 3),
        (CALLED_OFF, 0),
    ],
)
async def test_the_stories_that_are_told_come_to_their_certificates(
    platform: Platform, wechat: Simulator, story: list[Step], papers: int
) -> None:
    """Or they would prove nothing."""
    await live(platform, wechat, story)
    stated = [row["printed"]["class_hours"] async for row in platform["certificates"].find()]
    assert stated == [OWED] * papers


async def live(platform: Platform, wechat: Simulator, story: list[Step]) -> None:
    lived = await begin(platform, wechat)
    seen: dict[tuple[str, str], CheckIn] = {}
    for step in story:
        await take(lived, step)
        await assert_true(lived, seen)
    assert await gone_astray(platform) == []


async def take(lived: Life, step: Step) -> None:
    """Somebody does it, or is refused and has changed nothing; what was due by itself may happen meanwhile."""
    name, act, of, dice = step
    whose, function = ACTS[act]
    move = Move(lived.people[whose if name == BY_RIGHT else name], lived.classes[of], dice)
    own = {"actor_id": move.actor.id}
    entries = await lived.platform["audit"].count_documents(own)
    try:
        await function(lived, move)
    except NothingToDo:
        pass
    except Problem:
        assert await lived.platform["audit"].count_documents(own) == entries


# ---- what is true of every moment


async def assert_true(lived: Life, seen: dict[tuple[str, str], CheckIn]) -> None:
    platform, now = lived.platform, lived.now
    sessions = {
        one.id: one for one in map(TeachingSession.from_mongo, await rows(platform, "teaching_sessions"))
    }
    check_ins = [CheckIn.from_mongo(row) for row in await rows(platform, "check_ins")]
    ended = {key: one for key, one in sessions.items() if one.cancelled_at is None and one.ends_at <= now}
    assert_nothing_lost(seen, check_ins, sessions)

    came = {one.session_id for one in check_ins if one.status is not Status.VOID}
    held = Counter[str]()
    for session in ended.values():
        held[session.class_id] += session.hours if session.id in came else 0
    for paper in await rows(platform, "certificates"):
        assert paper["printed"]["class_hours"] <= held[paper["class_id"]]

    attended = Counter[tuple[str, str]]()
    for one in check_ins:
        if one.status is not Status.VOID and one.session_id in ended:
            attended[one.class_id, one.person_id] += ended[one.session_id].hours
    credited = Counter[tuple[str, str]]()
    for row in await rows(platform, "added_hours"):
        key = row["class_id"], row["person_id"]
        attended[key] += row["hours"] if row["voided_at"] is None else 0
        credited[key] += row["hours"] if row["kind"] == AddedKind.CREDITED else 0
    for row in await rows(platform, "results"):
        whose = row["class_id"], row["person_id"]
        assert row["hours_attended"] == min(
            attended[whose], held[row["class_id"]]
        )  # the same hours count once
        assert attended[whose] <= held[row["class_id"]] + credited[whose]

    for one_class in map(TrainingClass.from_mongo, await rows(platform, "classes")):
        if one_class.condition is Condition.CALLED_OFF:
            assert await classes.trainees(platform, one_class.id) == []
            assert one_class.teachers == []


def assert_nothing_lost(
    seen: dict[tuple[str, str], CheckIn], check_ins: list[CheckIn], sessions: dict[str, TeachingSession]
) -> None:
    """Every check-in is there with what it was at first, all that was changed, and its session; `seen` learns of the new ones."""
    there = {(one.session_id, one.person_id): one for one in check_ins}
    for key, before in seen.items():
        now = there[key]
        assert first_of(now) == first_of(before)
        assert now.changes[: len(before.changes)] == before.changes
        assert sessions[now.session_id].cancelled_at is None
    seen.update(there)


def first_of(one: CheckIn) -> tuple[object, ...]:
    status = one.changes[0].before if one.changes else one.status
    return one.id, one.source, one.checked_in_at, status, one.registered_by, one.reason


async def rows(platform: Platform, collection: str) -> list[Row]:
    return await platform[collection].find().to_list(None)
