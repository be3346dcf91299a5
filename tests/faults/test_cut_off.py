"""The line to the database is cut at each message of a transaction in turn: a use case is done whole or not at all."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import MongoClient, common
from pymongo.errors import PyMongoError

from server.admissions import service as admissions
from server.applications import service as applications
from server.applications.service import Approval
from server.classes.rules import Kind
from server.invitations import service as invitations
from server.invitations.service import InvitationDraft
from server.kernel import mongo
from server.kernel.errors import Problem, Unavailable
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.kernel.reviews import Review
from server.plans import service as plans
from server.plans.service import PlanDraft
from server.schemes import service as schemes
from server.wechat.simulator import Simulator
from tests import admitting, cast, stage
from tests.faults.proxy import Wire
from tests.planning import HEBEI, XINGTAI, applied, approved, begun, drafted, item
from tests.scheming import PROVINCE, filed

# An abort that holds the loop, which serves the wire as well, takes 20 seconds, and each case is cut off dozens of times.
pytestmark = pytest.mark.timeout(300)
MESSAGES_MOST = 200
"""More than any use case sends: it is cut at every one of them, and then it is done."""


@dataclass(frozen=True)
class Case:
    """A use case on a stage that is set, and what there is once it is done: collection, condition, how many."""

    run: Callable[[Platform], Coroutine[Any, Any, object]]
    leaves: list[tuple[str, Row, int]]


async def a_plan_handed_in(platform: Platform, wechat: Simulator) -> Case:
    plan = await drafted(platform)
    return Case(
        lambda by: plans.submit(by, XINGTAI, plan.id, len(plan.history)),
        [("plans", {"_id": plan.id, "state": "SUBMITTED"}, 1), ("audit", {"action": "plans:submit"}, 1)],
    )


async def a_new_version_of_a_plan(platform: Platform, wechat: Simulator) -> Case:
    """Its approval supersedes the version in force."""
    before = await approved(platform)
    new = await begun(platform, before.year)
    wanted = PlanDraft(items=[item(places=60)])
    new = await plans.amend(platform, XINGTAI, new.id, wanted, len(new.history))
    new = await plans.submit(platform, XINGTAI, new.id, len(new.history))
    return Case(
        lambda by: plans.approve(by, HEBEI, new.id, Review(seen=len(new.history))),
        [
            ("plans", {"_id": new.id, "state": "APPROVED"}, 1),
            ("plans", {"_id": before.id, "state": "SUPERSEDED"}, 1),
            ("audit", {"action": "plans:approve", "subject": new.id}, 1),
        ],
    )


async def an_application(platform: Platform, wechat: Simulator) -> Case:
    new = await applied(platform)
    return Case(
        lambda by: applications.approve(by, HEBEI, new.id, Approval(seen=1)),
        [
            ("applications", {"_id": new.id, "state": "APPROVED"}, 1),
            ("classes", {"application_id": new.id}, 1),
            ("audit", {"action": "applications:approve"}, 1),
        ],
    )


async def an_invitation(platform: Platform, wechat: Simulator) -> Case:
    """Accepted, it makes the teacher one of the class."""
    opened = await stage.open_class(platform, XINGTAI, stage.class_draft())
    teacher_id = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    teacher = await stage.phone(platform, wechat, "openid-teacher", cast.BACKBONE_TEACHER)
    draft = InvitationDraft(kinds=[Kind.TEACHING], teacher_ids=[teacher_id])
    [sent] = await invitations.send(platform, XINGTAI, opened.id, draft)
    return Case(
        lambda by: invitations.accept(by, teacher.actor, sent.id),
        [
            ("invitations", {"_id": sent.id, "state": "ACCEPTED"}, 1),
            ("classes", {"_id": opened.id, "teachers.person_id": teacher_id}, 1),
            ("audit", {"action": "invitations:accept"}, 1),
        ],
    )


async def a_scheme(platform: Platform, wechat: Simulator) -> Case:
    """Approved, it makes the sessions and tasks of its class."""
    held = await stage.class_in_session(platform, wechat, trainees=0)
    version = await filed(platform, held)
    return Case(
        lambda by: schemes.approve(by, PROVINCE, held.id, version),
        [
            ("scheme_versions", {"class_id": held.id, "state": "APPROVED"}, 1),
            ("classes", {"_id": held.id, "scheme_version": version}, 1),
            ("teaching_sessions", {"class_id": held.id}, 16),
            ("tasks", {"class_id": held.id}, 2),
            ("outbox", {"template": "scheme-approved"}, 1),
            ("audit", {"action": "schemes:approve"}, 1),
        ],
    )


async def an_enrolment(platform: Platform, wechat: Simulator) -> Case:
    """The review that agrees last admits the applicant to a place and puts them on the roster."""
    opened = await admitting.open_class(platform, wechat)
    _, who = await admitting.apply(platform, wechat, opened.id, cast.person(501))
    await admissions.review(platform, opened.officer, opened.id, who.id, admitting.AGREE)
    return Case(
        lambda by: admissions.review(by, opened.teacher.actor, opened.id, who.id, admitting.AGREE),
        [
            ("applicants", {"_id": who.id, "state": "ADMITTED"}, 1),
            ("enrolments", {"class_id": opened.id, "person_id": who.person_id}, 1),
        ],
    )


@pytest.fixture
async def wire(mongodb_uri: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Wire]:
    # Whatever its patience, the driver waits so long (half a second) before it looks whether the database is back.
    monkeypatch.setattr(common, "MIN_HEARTBEAT_INTERVAL", 0.02)
    async with Wire(mongodb_uri) as wire:
        yield wire


@pytest.mark.parametrize(
    "make",
    [a_plan_handed_in, a_new_version_of_a_plan, an_application, an_invitation, a_scheme, an_enrolment],
    ids=lambda make: make.__name__,
)
async def test_a_use_case_cut_off_at_any_message_is_whole_or_not_at_all(
    platform: Platform,
    wechat: Simulator,
    mongodb_uri: str,
    wire: Wire,
    make: Callable[[Platform, Simulator], Awaitable[Case]],
) -> None:
    """Cut before each message in turn, nothing is left behind, not an audit entry, and the next attempt finds nothing in its way."""
    case = await make(platform, wechat)
    untouched = await hashes(platform)
    cuts = 0
    for cut_at in range(1, MESSAGES_MOST):
        done = await attempt(platform, wire, mongodb_uri, case, cut_at)
        if done:
            break
        cuts += 1
        assert await hashes(platform) == untouched, f"a half-done transaction, cut at message {cut_at}"
    assert cuts == wire.messages >= 4
    await assert_whole(platform, case)


@pytest.mark.parametrize("make", [an_application, an_invitation, a_scheme], ids=lambda make: make.__name__)
async def test_when_the_answer_to_the_commit_is_lost_it_is_whole_and_asking_again_changes_nothing(
    platform: Platform,
    wechat: Simulator,
    mongodb_uri: str,
    wire: Wire,
    make: Callable[[Platform, Simulator], Awaitable[Case]],
) -> None:
    case = await make(platform, wechat)
    assert not await attempt(platform, wire, mongodb_uri, case, at_commit=True)
    await assert_whole(platform, case)
    whole = await hashes(platform)
    try:
        await case.run(platform)
    except Problem as refusal:
        assert refusal.status == 409  # it is done already
    assert await hashes(platform) == whole


async def attempt(
    platform: Platform,
    wire: Wire,
    mongodb_uri: str,
    case: Case,
    cut_at: int | None = None,
    *,
    at_commit: bool = False,
) -> bool:
    """Runs the case over the wire, on new connections; patience is at an end when the line is cut. True when it was done."""
    database = mongo.connect(wire.uri, platform.db.name)
    wire.mend(None)
    await reach(database)
    now = asyncio.get_running_loop().time
    try:
        async with asyncio.timeout(None) as patience:
            wire.mend(cut_at, at_commit=at_commit, when_cut=lambda: patience.reschedule(now()))
            await case.run(dataclasses.replace(platform, db=database))
    except (PyMongoError, Unavailable, TimeoutError):
        done = False
    else:
        done = True
    # Not in this loop: a client that is still connected says goodbye, over the wire that this loop serves.
    await asyncio.to_thread(database.client.close)
    await asyncio.to_thread(forget, mongodb_uri, list(wire.sessions.values()))
    return done


async def reach(database: AsyncIOMotorDatabase[Row]) -> None:
    """Returns when the line is up: a client that gives up at once may do so on a busy machine before it is."""
    while True:
        try:
            await database.command("ping")
        except PyMongoError:
            continue
        return


def forget(mongodb_uri: str, sessions: list[dict[str, Any]]) -> None:
    """Ends the transactions of these sessions, as mongod does by itself a minute later."""
    with MongoClient[Row](mongodb_uri) as client:
        client.admin.command("killSessions", sessions)


async def hashes(platform: Platform) -> dict[str, str]:
    """Collection → a hash of all that it holds."""
    return dict((await platform.db.command("dbHash"))["collections"])


async def assert_whole(platform: Platform, case: Case) -> None:
    for collection, condition, count in case.leaves:
        assert await platform[collection].count_documents(condition) == count, (collection, condition)
