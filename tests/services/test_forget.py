"""What the law wants gone goes, and what article 25 wants kept stays (个人信息保护法 article 47)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from server.accounts import real_name
from server.admissions import applying
from server.admissions import service as admissions
from server.admissions import store as admissions_store
from server.admissions.documents import Applicant
from server.admissions.forget import forget_applicants
from server.classes.documents import RosterState
from server.classes.forget import forget_rosters
from server.jobs import JOBS
from server.kernel import audit
from server.kernel.clock import BEIJING, FixedClock, months_before
from server.kernel.platform import Platform
from server.kernel.schedule import Counts
from server.messages.forget import forget_messages
from server.wechat.simulator import Simulator
from tests import cast, certifying, stage
from tests.admitting import admit, agree, apply, enrolment_draft, open_class

HALF_A_YEAR, A_YEAR = timedelta(days=185), timedelta(days=367)


async def forget_persons(platform: Platform) -> Counts:
    """As the table of jobs has it, with the chapters that need people."""
    [job] = [job for job in JOBS if job.name == "forget-persons"]
    counts = await job.work(platform)
    assert isinstance(counts, dict)
    return counts


async def found(platform: Platform, collection: str, person_id: str) -> int:
    return await platform[collection].count_documents({"person_id": person_id})


async def stored(platform: Platform, applied: Applicant) -> dict[str, Any]:
    row = await platform["applicants"].find_one({"_id": applied.id})
    assert row is not None
    return row


async def test_a_withdrawn_application_is_emptied_after_its_months_and_still_counts(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    opened = await open_class(platform, wechat)
    phone, applied = await apply(platform, wechat, opened.id, cast.STRANGER)
    _, waiting = await apply(platform, wechat, opened.id, cast.person(31))
    [admitted] = await admit(platform, wechat, opened, [cast.person(32)])
    await applying.withdraw(platform, phone.actor, applied.id)
    clock.advance(timedelta(days=170))
    assert await forget_applicants(platform) == {"清除报名": 0}
    clock.advance(HALF_A_YEAR - timedelta(days=170))
    assert await forget_applicants(platform) == {"清除报名": 1}
    assert await forget_applicants(platform) == {"清除报名": 0}
    row = await stored(platform, applied)
    assert cast.STRANGER.name not in str(row["name"])
    assert (row["answers"], row["state"], row["cleared_at"]) == ({}, "WITHDRAWN", clock.now())
    assert cast.STRANGER.unit not in str(row)
    assert (await stored(platform, waiting))["name"] == cast.person(31).name, "one that is still open is kept"
    [kept] = await admissions_store.applications_of(platform, admitted.actor.person_id, before=None, limit=9)
    assert kept.name == cast.person(32).name, "one that led into a class belongs to its records"
    counts = await admissions_store.count_by_state(platform, opened.id)
    assert sum(counts.values()) == 3
    [entry] = await audit.of_subject(platform, "applicants")
    assert (entry["action"], entry["facts"]) == ("admissions:forget", {"applicants": 1})


async def test_a_person_whom_nobody_needs_is_forgotten_with_phone_and_messages(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    opened = await open_class(platform, wechat)
    phone, applied = await apply(platform, wechat, opened.id, cast.STRANGER)
    person_id = phone.actor.person_id
    await real_name.begin_face(platform, phone.actor, "2026-11")
    await applying.withdraw(platform, phone.actor, applied.id)
    clock.advance(A_YEAR)
    assert await forget_persons(platform) == {"清除人员": 0}, "the application still says something of them"
    await forget_applicants(platform)
    assert await forget_persons(platform) == {"清除人员": 1}
    assert await platform["persons"].find_one({"_id": person_id}) is None
    for collection in ("bindings", "phone_sessions", "outbox", "face_attempts"):
        assert await found(platform, collection, person_id) == 0
    [entry] = await audit.of_subject(platform, "persons")
    assert (entry["action"], entry["facts"]) == ("accounts:forget", {"people": 1})
    again, _ = await apply(platform, wechat, await open_class_later(platform), cast.STRANGER)
    assert again.actor.person_id != person_id, "who comes again is a new person"


async def open_class_later(platform: Platform) -> str:
    opened = await stage.open_class(
        platform,
        stage.actor(cast.XINGTAI_OFFICER),
        stage.class_draft(
            starts_on=platform.clock.now().date() + timedelta(days=30),
            ends_on=platform.clock.now().date() + timedelta(days=40),
        ),
    )
    await admissions.open_enrolment(
        platform, stage.actor(cast.XINGTAI_OFFICER), opened.id, enrolment_draft(platform)
    )
    return opened.id


async def test_who_uses_the_mini_program_is_not_forgotten(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    opened = await open_class(platform, wechat)
    phone, applied = await apply(platform, wechat, opened.id, cast.STRANGER)
    await applying.withdraw(platform, phone.actor, applied.id)
    clock.advance(A_YEAR)
    await forget_applicants(platform)
    await stage.phone(platform, wechat, phone.openid)
    assert await forget_persons(platform) == {"清除人员": 0}


async def test_whoever_was_in_a_class_holds_a_certificate_or_was_in_the_pool_is_kept(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    opened = await certifying.passed_class(platform, wechat, trainees=2)
    await certifying.issued(platform, opened)
    others = await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    await platform["persons"].update_one({"_id": others}, {"$set": {"backbone": False}})  # cancelled since
    gone_from_roster = opened.trainees[0].actor.person_id
    await platform["enrolments"].delete_one(
        {"person_id": gone_from_roster}
    )  # the certificate alone speaks for them
    before = await platform["persons"].count_documents({})
    clock.advance(5 * A_YEAR)
    assert await forget_persons(platform) == {"清除人员": 0}
    assert await platform["persons"].count_documents({}) == before


async def test_a_roster_is_emptied_after_its_months_and_its_class_keeps_everybody(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=3)
    clock.advance(timedelta(days=360))
    assert await forget_rosters(platform) == {"清除名册": 0}
    clock.advance(A_YEAR - timedelta(days=360))
    assert await forget_rosters(platform) == {"清除名册": 1}
    assert await forget_rosters(platform) == {"清除名册": 0}
    [row] = await platform["roster_imports"].find({}).to_list(None)
    assert (row["state"], row["rows"], row["emptied"]) == (RosterState.CONFIRMED, [], True)
    assert await platform["enrolments"].count_documents({"class_id": opened.id}) == 3


async def test_a_rejected_application_counts_from_its_last_step(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    opened = await open_class(platform, wechat)
    _, applied = await apply(platform, wechat, opened.id, cast.STRANGER)
    await agree(platform, opened, applied)
    clock.advance(timedelta(days=20))
    phone = await stage.phone(platform, wechat, f"openid-{cast.STRANGER.id_number[-8:]}")
    await applying.withdraw(platform, phone.actor, applied.id)
    clock.advance(HALF_A_YEAR - timedelta(days=20))
    assert await forget_applicants(platform) == {"清除报名": 0}
    clock.advance(timedelta(days=20))
    assert await forget_applicants(platform) == {"清除报名": 1}


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)).map(lambda one: one.replace(tzinfo=UTC)),  # noqa: DTZ001
    st.integers(0, 120),
)
def test_months_are_those_of_the_calendar_in_beijing(now: datetime, months: int) -> None:
    there, then = now.astimezone(BEIJING), months_before(now, months).astimezone(BEIJING)
    assert (there.year * 12 + there.month) - (then.year * 12 + then.month) == months
    assert then.day == there.day or (then.day < there.day and (then + timedelta(days=1)).day == 1)
    assert then.timetz() == there.timetz()


async def test_a_message_goes_two_years_after_it_was_settled_and_one_that_waits_stays(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    await stage.class_in_session(platform, wechat, trainees=1)
    settled_at = clock.now()
    told = await platform["outbox"].count_documents({})
    assert told
    first = await platform["outbox"].find_one_and_update(
        {}, {"$set": {"state": "kept", "settled_at": settled_at}}, sort=[("_id", 1)]
    )
    assert first is not None
    clock.advance(timedelta(days=730))
    assert await forget_messages(platform) == {"清除消息": 0}
    clock.advance(timedelta(days=2))
    assert await forget_messages(platform) == {"清除消息": 1}
    assert await forget_messages(platform) == {"清除消息": 0}
    assert await platform["outbox"].count_documents({}) == told - 1
    assert await platform["outbox"].find_one({"_id": first["_id"]}) is None


async def test_old_messages_are_found_on_an_index(platform: Platform) -> None:
    plan = await platform["outbox"].find({"settled_at": {"$lt": platform.clock.now()}}).explain()
    assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"])
