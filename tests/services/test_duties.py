"""Duties on a real database: the year at a glance, guidance once each and confirmed by who received it, one warning a year."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, date, datetime, timedelta

import pytest

from server.backbone import service as backbone
from server.backbone.rules import PoolStatus
from server.classes.rules import Kind
from server.duties import service as duties
from server.duties import store
from server.duties.rules import GuidanceSettled, Standing, State
from server.duties.service import DutyFilter, DutyYear, Objection
from server.invitations.rules import State as InvitationState
from server.kernel.errors import Forbidden, Invalid, NotFound
from server.kernel.identity import Actor
from server.kernel.mongo import CODEC, Row, new_id
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.surveys import tallies as survey_tallies
from server.surveys.documents import SatisfactionTally
from server.surveys.rules import Tally
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.dutiful import another_class, class_in_session, class_that_is_over, guidance_draft, logged, rated
from tests.reviewing import HEARD
from tests.services.test_tasks_of_teachers import a_task
from tests.surveying import clock_of

CENTRE, HEBEI = stage.actor(cast.CENTRE), stage.actor(cast.HEBEI_OFFICER)
NEIGHBOUR = stage.actor(cast.JIANGSU_OFFICER)
NO = Objection(reason="当天没有接到电话")


def in_beijing(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC)


@transactional
async def set_status(unit: UnitOfWork, person_id: str, status: PoolStatus, day: date) -> None:
    await backbone.change_status(unit, person_id, status, day, "示例决定", hearing=HEARD)


# ---- the year


async def test_a_year_tells_what_is_done_planned_and_owed(platform: Platform, wechat: Simulator) -> None:
    held = await class_in_session(platform, wechat, trainees=5)
    teacher = held.teacher.actor
    await another_class(platform, held, date(2026, 5, 11), Kind.ASSESSMENT)
    await another_class(platform, held, date(2026, 6, 8))
    await rated(platform, held, 3)
    await survey_tallies.tally_closed(platform)
    clock_of(platform).set(in_beijing(date(2026, 6, 1)))
    # registered by the stage on 2026-03-16: 291 of 365 days, so all of it is owed
    seen = await duties.year_of(platform, teacher.id, 2026)
    assert (seen.required, seen.teaching_done, seen.teaching_planned, seen.missing) == (2, 1, 1, 1)
    assert (seen.assessment_done, seen.assessment_planned) == (1, 0)
    assert seen.tally == Tally((0, 0, 20)) and seen.meets_mark is True
    assert seen.standing is Standing.OWING
    clock_of(platform).set(in_beijing(date(2026, 6, 19)))
    done = await duties.my_year(platform, teacher)
    assert (done.missing, done.standing) == (0, Standing.FULFILLED)
    assert [one.class_name for one in done.tasks] == [
        held.training_class.name,
        "另一个培训班",
        "另一个培训班",
    ]


async def test_a_year_that_is_over_without_the_tasks_is_short_and_the_one_before_owes_nothing(
    platform: Platform, wechat: Simulator
) -> None:
    held = await class_in_session(platform, wechat, trainees=0)
    clock_of(platform).set(in_beijing(date(2027, 1, 1)))
    seen = await duties.year_of(platform, held.teacher.actor.id, 2026)
    assert (seen.missing, seen.standing) == (1, Standing.SHORT)
    assert (await duties.year_of(platform, held.teacher.actor.id, 2025)).standing is Standing.NOTHING_OWED
    assert (await duties.year_of(platform, held.teacher.actor.id, 2027)).standing is Standing.OWING


async def test_a_year_rated_below_the_mark_says_so_even_with_all_tasks_done(
    platform: Platform, wechat: Simulator
) -> None:
    held = await class_in_session(platform, wechat, trainees=5)
    await another_class(platform, held, date(2026, 4, 13))
    await rated(platform, held, 1)
    await survey_tallies.tally_closed(platform)
    clock_of(platform).set(in_beijing(date(2026, 5, 1)))
    seen = await duties.year_of(platform, held.teacher.actor.id, 2026)
    assert (seen.missing, seen.standing) == (0, Standing.BELOW_MARK)


async def test_suspended_time_is_not_counted(platform: Platform, wechat: Simulator) -> None:
    held = await class_in_session(platform, wechat, trainees=0)
    teacher_id = held.teacher.actor.id
    assert (await duties.year_of(platform, teacher_id, 2027)).required == 2
    await set_status(platform, CENTRE, teacher_id, PoolStatus.SUSPENDED, date(2027, 2, 1))
    await set_status(platform, CENTRE, teacher_id, PoolStatus.ACTIVE, date(2027, 8, 1))
    assert (await duties.year_of(platform, teacher_id, 2027)).required == 1


async def test_nobody_outside_the_pool_has_a_year(platform: Platform, wechat: Simulator) -> None:
    held = await class_in_session(platform, wechat, trainees=1)
    with pytest.raises(NotFound):
        await duties.year_of(platform, held.trainees[0].actor.id, 2026)


# ---- staff


async def listed(platform: Platform, actor: Actor, **narrowed: object) -> list[DutyYear]:
    wanted = DutyFilter(**({"year": 2026} | narrowed))  # type: ignore[arg-type]
    return (await duties.list_years(platform, actor, wanted)).rows


async def test_a_province_sees_its_own_teachers_the_centre_all_and_an_institution_none(
    platform: Platform, wechat: Simulator
) -> None:
    held = await class_that_is_over(platform, wechat)
    teacher_id = held.teacher.actor.id
    for actor in (CENTRE, HEBEI):
        [row] = await listed(platform, actor)
        assert (row.teacher.id, row.teaching_done) == (teacher_id, 1)
        assert (await duties.record_of(platform, actor, teacher_id, 2026)).seen == row
    assert await listed(platform, NEIGHBOUR, province_code=cast.HEBEI) == []
    with pytest.raises(NotFound):
        await duties.record_of(platform, NEIGHBOUR, teacher_id, 2026)
    for officer in (cast.XINGTAI_OFFICER, cast.CHANGZHOU_OFFICER):
        with pytest.raises(Forbidden):
            await listed(platform, stage.actor(officer))
        with pytest.raises(Forbidden):
            await duties.record_of(platform, stage.actor(officer), teacher_id, 2026)


async def test_the_list_is_narrowed_by_words_province_and_standing(
    platform: Platform, wechat: Simulator
) -> None:
    held = await class_that_is_over(platform, wechat)
    [owing] = await listed(platform, CENTRE, standing=Standing.OWING)
    assert owing.teacher.id == held.teacher.actor.id
    assert await listed(platform, CENTRE, standing=Standing.FULFILLED) == []
    assert len(await listed(platform, CENTRE, words=cast.BACKBONE_TEACHER.name)) == 1
    assert await listed(platform, CENTRE, words="不在其中") == []
    assert await listed(platform, CENTRE, province_code=cast.JIANGSU) == []


async def test_pages_of_the_list_show_everybody_once(platform: Platform) -> None:
    ids = {await stage.register_backbone(platform, one) for one in cast.people(7)}
    for standing in (None, Standing.OWING):
        wanted = DutyFilter(year=2026, standing=standing)
        seen, cursor = [], None
        while True:
            page = await duties.list_years(platform, HEBEI, wanted, before=cursor, limit=3)
            seen += [row.teacher.id for row in page.rows]
            cursor = page.next
            if cursor is None:
                break
        assert len(seen) == 7 and set(seen) == ids
        assert {one.teacher.id async for one in duties.all_years(platform, HEBEI, wanted)} == ids


async def test_a_narrowed_page_looks_at_so_many_teachers_and_goes_on_from_there(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [await stage.register_backbone(platform, one) for one in cast.people(6)]
    monkeypatch.setattr(duties, "BATCH", 2)
    monkeypatch.setattr(duties, "LOOKED_AT_MOST", 4)
    wanted = DutyFilter(year=2026, standing=Standing.FULFILLED)
    first = await duties.list_years(platform, CENTRE, wanted)
    assert (first.rows, first.looked_at, first.next) == ([], 4, sorted(ids)[2])
    second = await duties.list_years(platform, CENTRE, wanted, before=first.next)
    assert (second.rows, second.looked_at, second.next) == ([], 2, None)


# ---- guidance


async def test_guidance_is_logged_and_the_trainee_asked(platform: Platform, wechat: Simulator) -> None:
    held = await class_that_is_over(platform, wechat)
    guidance = await logged(platform, held)
    [trainee] = held.trainees
    assert (guidance.state, guidance.trainee_id, guidance.year) == (State.WAITING, trainee.actor.id, 2026)
    [message] = await platform["outbox"].find({"template": "guidance-to-confirm"}).to_list(None)
    assert message["person_id"] == trainee.actor.id and message["data"]["guidance_id"] == guidance.id
    assert await duties.guidance_waiting(platform, trainee.actor) == 1
    assert await duties.guidance_received(platform, trainee.actor) == [guidance]
    assert await duties.my_guidance(platform, held.teacher.actor) == [guidance]
    seen = await duties.year_of(platform, held.teacher.actor.id, 2026)
    assert seen.guidance == {State.WAITING: 1, State.CONFIRMED: 0, State.DISPUTED: 0}


async def test_twenty_copies_of_one_log_are_one_entry(platform: Platform, wechat: Simulator) -> None:
    held = await class_that_is_over(platform, wechat)
    draft = guidance_draft(held, held.trainees[0])
    sent = await asyncio.gather(
        *(duties.log_guidance(platform, held.teacher.actor, draft) for _ in range(20))
    )
    assert sum(new for _, new in sent) == 1 and len({one.id for one, _ in sent}) == 1
    assert await platform["outbox"].count_documents({"template": "guidance-to-confirm"}) == 1
    assert await platform["audit"].count_documents({"action": "duties:log-guidance"}) == 1


async def test_guidance_during_the_class_or_to_come_is_refused(platform: Platform, wechat: Simulator) -> None:
    held = await class_that_is_over(platform, wechat)
    for day in (held.training_class.ends_on, held.training_class.starts_on, date(2026, 4, 4)):
        with pytest.raises(Invalid):
            await duties.log_guidance(
                platform, held.teacher.actor, guidance_draft(held, held.trainees[0], given_on=day)
            )
    first = held.training_class.ends_on + timedelta(days=1)
    await duties.log_guidance(
        platform, held.teacher.actor, guidance_draft(held, held.trainees[0], given_on=first)
    )


async def test_only_of_classes_the_teacher_taught_and_for_their_trainees(
    platform: Platform, wechat: Simulator
) -> None:
    held = await class_that_is_over(platform, wechat)
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    stranger = await stage.phone(platform, wechat, "openid-other", cast.SECOND_BACKBONE_TEACHER)
    for who, trainee in ((stranger, held.trainees[0]), (held.teacher, stranger)):
        with pytest.raises(NotFound):
            await duties.log_guidance(platform, who.actor, guidance_draft(held, trainee))
    with pytest.raises(Forbidden):
        await duties.log_guidance(platform, held.trainees[0].actor, guidance_draft(held, held.trainees[0]))
    assert await platform["guidance"].count_documents({}) == 0


async def test_the_trainee_confirms_once_and_cannot_take_it_back(
    platform: Platform, wechat: Simulator
) -> None:
    held = await class_that_is_over(platform, wechat)
    guidance = await logged(platform, held)
    [trainee] = held.trainees
    both = await asyncio.gather(*(duties.confirm(platform, trainee.actor, guidance.id) for _ in range(4)))
    assert {one.state for one in both} == {State.CONFIRMED}
    assert await platform["audit"].count_documents({"action": "duties:confirm-guidance"}) == 1
    assert await duties.guidance_waiting(platform, trainee.actor) == 0
    with pytest.raises(GuidanceSettled):
        await duties.dispute(platform, trainee.actor, guidance.id, NO)
    seen = await duties.year_of(platform, held.teacher.actor.id, 2026)
    assert seen.guidance[State.CONFIRMED] == 1


async def test_a_confirmation_and_a_dispute_at_once_end_confirmed(
    platform: Platform, wechat: Simulator
) -> None:
    held = await class_that_is_over(platform, wechat)
    [trainee] = held.trainees
    for number in range(4):
        guidance = await logged(platform, held, number)
        await asyncio.gather(
            duties.confirm(platform, trainee.actor, guidance.id),
            duties.dispute(platform, trainee.actor, guidance.id, NO),
            return_exceptions=True,
        )
    kept = await duties.guidance_received(platform, trainee.actor)
    assert [one.state for one in kept] == [State.CONFIRMED] * 4
    assert {[step.action for step in one.history][-1] for one in kept} == {"CONFIRM"}


async def test_a_dispute_has_a_reason_that_the_teacher_reads_and_may_be_settled(
    platform: Platform, wechat: Simulator
) -> None:
    held = await class_that_is_over(platform, wechat)
    guidance = await logged(platform, held)
    [trainee] = held.trainees
    disputed = await duties.dispute(platform, trainee.actor, guidance.id, NO)
    again = await duties.dispute(platform, trainee.actor, guidance.id, Objection(reason="另一个理由"))
    assert disputed == again and (disputed.state, disputed.objection) == (State.DISPUTED, NO.reason)
    [message] = await platform["outbox"].find({"template": "guidance-disputed"}).to_list(None)
    assert (message["person_id"], message["data"]["reason"]) == (held.teacher.actor.id, NO.reason)
    settled = await duties.confirm(platform, trainee.actor, guidance.id)
    assert (settled.state, settled.objection) == (State.CONFIRMED, "")


async def test_nobody_else_sees_or_answers_it(platform: Platform, wechat: Simulator) -> None:
    held = await class_that_is_over(platform, wechat, trainees=2)
    guidance = await logged(platform, held)
    for phone in (held.trainees[1], held.teacher):
        with pytest.raises(NotFound):
            await duties.confirm(platform, phone.actor, guidance.id)
        with pytest.raises(NotFound):
            await duties.dispute(platform, phone.actor, guidance.id, NO)
        assert await duties.guidance_received(platform, phone.actor) == []


# ---- October


async def warnings(platform: Platform) -> list[str]:
    rows = await platform["outbox"].find({"template": "duty-warning"}).to_list(None)
    return [f"{row['person_id']} {row['data']['owed']}" for row in rows]


async def test_in_october_who_owes_tasks_is_told_once_a_year(platform: Platform, wechat: Simulator) -> None:
    held = await class_in_session(platform, wechat, trainees=0)
    teacher_id = held.teacher.actor.id
    clock_of(platform).set(in_beijing(date(2026, 9, 30)))
    assert await duties.warn_of_duties(platform) == 0
    clock_of(platform).set(in_beijing(date(2026, 10, 1)))
    assert await duties.warn_of_duties(platform) == 1
    assert await duties.warn_of_duties(platform) == 0
    assert await warnings(platform) == [f"{teacher_id} 还差 1 次授课任务没有安排"]
    record = await duties.record_of(platform, CENTRE, teacher_id, 2026)
    assert record.warning is not None and (record.warning.required, record.warning.done) == (2, 1)
    clock_of(platform).set(in_beijing(date(2027, 10, 1)))
    assert await duties.warn_of_duties(platform) == 1


async def test_a_class_still_to_come_is_a_plan_and_nobody_is_told(
    platform: Platform, wechat: Simulator
) -> None:
    held = await class_in_session(platform, wechat, trainees=0)
    await another_class(platform, held, date(2026, 11, 2))
    clock_of(platform).set(in_beijing(date(2026, 10, 1)))
    assert await duties.warn_of_duties(platform) == 0


async def test_the_suspended_are_not_told(platform: Platform, wechat: Simulator) -> None:
    held = await class_in_session(platform, wechat, trainees=0)
    clock_of(platform).set(in_beijing(date(2026, 10, 1)))
    await set_status(platform, CENTRE, held.teacher.actor.id, PoolStatus.SUSPENDED, date(2026, 10, 1))
    assert await duties.warn_of_duties(platform) == 0


async def test_two_schedulers_at_once_tell_each_teacher_once(platform: Platform) -> None:
    for one in cast.people(5):
        await stage.register_backbone(platform, one)
    clock_of(platform).set(in_beijing(date(2027, 10, 2)))
    told = await asyncio.gather(*(duties.warn_of_duties(platform) for _ in range(3)))
    assert sum(told) == 5 and len(set(await warnings(platform))) == len(await warnings(platform)) == 5
    assert await platform["duty_warnings"].count_documents({}) == 5


# ---- the index


async def test_how_much_guidance_a_year_has_is_read_off_the_index_alone(
    platform: Platform, wechat: Simulator
) -> None:
    held = await class_that_is_over(platform, wechat)
    for number in range(3):
        await logged(platform, held, number)
    pipeline = store.yearly([held.teacher.actor.id, "0" * 24], 2026)
    plan: Row = await platform["guidance"].database.command(
        "explain",
        {"aggregate": "guidance", "pipeline": pipeline, "cursor": {}},
        verbosity="executionStats",
        codec_options=CODEC,
    )
    cursor = plan["stages"][0]["$cursor"] if "stages" in plan else plan
    assert cursor["executionStats"]["totalDocsExamined"] == 0
    assert cursor["executionStats"]["totalKeysExamined"] <= 5


# ---- against a slow and obvious reckoning


async def test_random_years_are_those_counted_one_task_at_a_time(platform: Platform) -> None:
    chance = random.Random(8)
    teachers = [await stage.register_backbone(platform, one) for one in cast.people(6)]
    tasks = [
        a_task(
            chance.choice(teachers),
            date(2023, 1, 1) + timedelta(days=chance.randrange(4 * 365)),
            chance.choice((0, 11, 40, 366)),
            kind=chance.choice(list(Kind)),
            state=chance.choice(
                [
                    InvitationState.ACCEPTED,
                    InvitationState.ACCEPTED,
                    InvitationState.CANCELLED,
                    InvitationState.SENT,
                ]
            ),
        )
        for _ in range(300)
    ]
    rows = [
        SatisfactionTally(
            teacher_id=chance.choice(teachers),
            survey_id=new_id(),
            class_id=new_id(),
            year=chance.randrange(2023, 2027),
            ones=chance.randrange(9),
            twos=chance.randrange(9),
            threes=chance.randrange(9),
            responses=9,
        )
        for _ in range(60)
    ]
    await platform["invitations"].insert_many([one.to_mongo() for one in tasks])
    await platform["satisfaction_tallies"].insert_many([one.to_mongo() for one in rows])
    today = date(2025, 8, 1)
    clock_of(platform).set(in_beijing(today))
    members = [await backbone.teacher_in_pool(platform, one) for one in teachers]
    for year in range(2022, 2028):
        seen = await duties.years_of(platform, [one for one in members if one], year)
        for teacher_id, one in zip(teachers, seen, strict=True):
            mine = [
                task
                for task in tasks
                if task.teacher_id == teacher_id
                and task.state is InvitationState.ACCEPTED
                and task.starts_on.year == year
            ]
            for kind, done, planned in (
                (Kind.TEACHING, one.teaching_done, one.teaching_planned),
                (Kind.ASSESSMENT, one.assessment_done, one.assessment_planned),
            ):
                over = [task.ends_on < today for task in mine if task.kind is kind]
                assert (done, planned) == (sum(over), len(over) - sum(over))
            rated = [row.tally for row in rows if row.teacher_id == teacher_id and row.year == year]
            assert (one.tally or Tally()) == sum(rated, Tally())
