"""The tallies of teachers' years on a real database: written once, of surveys that may be shown, read off an index."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta

from server.kernel.mongo import CODEC, Row, new_id
from server.kernel.platform import Platform
from server.surveys import service as surveys
from server.surveys import store, tallies
from server.surveys.documents import SatisfactionTally
from server.surveys.rules import SETTLING, Tally
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.surveying import answer, clock_of, let_it_end, open_survey


async def test_a_settled_survey_is_reckoned_up_once_for_each_teacher(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=6)
    teacher = opened.teacher.actor.id
    survey = await open_survey(platform, opened)
    await answer(platform, survey, opened.trainees[:4], points=3)
    await answer(platform, survey, opened.trainees[4:], points=1)
    assert await tallies.tally_closed(platform) == 0
    clock_of(platform).set(survey.closes_at + SETTLING - timedelta(milliseconds=1))
    assert await tallies.tally_closed(platform) == 0
    await let_it_end(platform, survey)
    assert await tallies.tally_closed(platform) == 1
    assert await tallies.tally_closed(platform) == 0
    found = await tallies.tallies_of(platform, [teacher, "0" * 24], [2025, 2026])
    assert found == {(teacher, 2026): Tally((8, 0, 16))}
    own = await surveys.my_satisfaction(platform, opened.teacher.actor)
    assert own.tally == found[teacher, 2026]
    [kept] = await platform["satisfaction_tallies"].find({}).to_list(None)
    assert kept["responses"] == 6


async def test_a_survey_counts_in_the_year_in_which_its_class_was_corrected_to_end(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=5)
    teacher = opened.teacher.actor
    survey = await open_survey(platform, opened)
    await answer(platform, survey, opened.trainees, points=3)
    await platform["classes"].update_one({"_id": opened.id}, {"$set": {"ends_on": "2027-01-03"}})
    await let_it_end(platform, survey)
    await tallies.tally_closed(platform)
    assert list(await tallies.tallies_of(platform, [teacher.id], [2026, 2027])) == [(teacher.id, 2027)]
    assert len((await surveys.my_satisfaction(platform, teacher, 2027)).classes) == 1
    assert (await surveys.my_satisfaction(platform, teacher, 2026)).classes == []


async def test_two_schedulers_at_once_write_each_tally_once(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=5)
    survey = await open_survey(platform, opened)
    await answer(platform, survey, opened.trainees)
    await let_it_end(platform, survey)
    done = await asyncio.gather(*(tallies.tally_closed(platform) for _ in range(4)))
    assert sum(done) == 1
    assert await platform["satisfaction_tallies"].count_documents({}) == 1
    assert await platform["audit"].count_documents({"action": "surveys:tally"}) == 1


async def test_a_survey_below_its_smallest_group_leaves_no_tally_and_is_not_asked_again(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=5)
    survey = await open_survey(platform, opened)
    await answer(platform, survey, opened.trainees[:4])
    await let_it_end(platform, survey)
    assert await tallies.tally_closed(platform) == 1
    assert await platform["satisfaction_tallies"].count_documents({}) == 0
    assert await store.untallied(platform, platform.clock.now(), 10) == []
    assert await tallies.tallies_of(platform, [opened.teacher.actor.id], [2026]) == {}


async def test_a_year_adds_up_the_answers_of_its_classes(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=5)
    later = {"starts_on": date(2026, 4, 13), "ends_on": date(2026, 4, 24)}
    other = await stage.open_class(platform, opened.officer, stage.class_draft(name="另一个培训班", **later))
    await stage.teach(platform, opened.officer, other.id, opened.teacher)
    people = cast.people(7, first_seed=200)
    await stage.enrol(platform, cast.XINGTAI_OFFICER, other.id, people)
    phones = [await stage.phone(platform, wechat, f"openid-b{n}", one) for n, one in enumerate(people)]
    first = await open_survey(platform, opened)
    await answer(platform, first, opened.trainees, points=1)
    second = await open_survey(platform, replace(opened, training_class=other, trainees=phones))
    await answer(platform, second, phones, points=3)
    await let_it_end(platform, second)
    assert await tallies.tally_closed(platform) == 2
    [tally] = (await tallies.tallies_of(platform, [opened.teacher.actor.id], [2026])).values()
    assert tally.counts == (20, 0, 28)  # every answer weighs the same, not every class


async def test_the_means_of_a_year_are_read_off_the_index_alone(platform: Platform) -> None:
    teachers = [f"{n:024x}" for n in range(30)]
    await store.insert_tallies(
        platform,
        [
            SatisfactionTally(
                teacher_id=teacher, survey_id=new_id(), class_id=new_id(), year=year, ones=0, twos=1, threes=9,
                responses=10,
            )
            for teacher in teachers
            for year in range(2020, 2027)
        ],
    )  # fmt: skip
    assert len(await tallies.tallies_of(platform, teachers[:7], [2024, 2025])) == 14
    plan: Row = await platform["satisfaction_tallies"].database.command(
        "explain",
        {
            "aggregate": "satisfaction_tallies",
            "pipeline": store.yearly(teachers[:7], [2024, 2025]),
            "cursor": {},
        },
        verbosity="executionStats",
        codec_options=CODEC,
    )
    cursor = plan["stages"][0]["$cursor"] if "stages" in plan else plan
    assert cursor["executionStats"]["totalDocsExamined"] == 0
    assert cursor["executionStats"]["nReturned"] == 14
