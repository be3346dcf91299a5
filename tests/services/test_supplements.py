"""Who teaches or assesses after the survey has opened is asked about as well, and nobody is asked twice (articles 4.7 and 8.4.1)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import pytest

from server.attendance import timetable
from server.attendance.documents import TeachingSession
from server.classes.rules import Kind
from server.interruptions import service as interruptions
from server.interruptions.requests import Postponement
from server.interruptions.rules import Ground
from server.kernel.clock import beijing_date
from server.kernel.platform import Platform
from server.kernel.reviews import Review
from server.surveys import opening, supplements
from server.surveys import service as surveys
from server.surveys import tallies as survey_tallies
from server.surveys.documents import Survey
from server.surveys.rules import TEACHER_TOPICS, SurveyState, SurveyTooShort
from server.wechat.simulator import Simulator
from tests import cast, planning, stage
from tests.stage import ClassInSession, Phone
from tests.surveying import answer, clock_of, let_it_end


@dataclass(frozen=True)
class Held:
    """A class whose survey has opened, and who comes to teach a day later."""

    opened: ClassInSession
    survey: Survey
    later: Phone


@pytest.fixture
async def held(platform: Platform, wechat: Simulator) -> Held:
    opened = await stage.class_in_session(platform, wechat, trainees=5)
    session = await stage.teaching_session(platform, opened, teacher_id=opened.teacher.actor.id)
    clock_of(platform).set(session.ends_at)
    await stage.come(platform, opened.id)
    assert await opening.open_due(platform) == 1
    survey = await surveys.survey_of_class(platform, opened.id)
    assert survey is not None
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    later = await stage.phone(platform, wechat, "openid-later", cast.SECOND_BACKBONE_TEACHER)
    await stage.teach(platform, opened.officer, opened.id, later, Kind.TEACHING)
    return Held(opened, survey, later)


async def another_session(platform: Platform, held: Held, *, days: int = 1) -> TeachingSession:
    starts_at = platform.clock.now() + timedelta(days=days)
    return await stage.teaching_session(
        platform,
        held.opened,
        title="补上的课",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=3),
        teacher_id=held.later.actor.id,
    )


async def supplements_of(platform: Platform, held: Held) -> list[Survey]:
    seen = await surveys.class_survey(platform, held.opened.officer, held.opened.id)
    return [one.survey for one in seen.supplements if one.survey]


def everything(survey: Survey) -> dict[str, int | str]:
    return {one.key: 3 for one in survey.questions}


async def test_who_teaches_after_it_has_opened_is_asked_about_alone_once_the_last_session_has_ended(
    platform: Platform, held: Held
) -> None:
    await answer(platform, held.survey, held.opened.trainees[:1])
    session = await another_session(platform, held)
    assert (await supplements.follow_classes(platform))["补充评价"] == 0  # it has not been held
    clock_of(platform).set(session.ends_at)
    await stage.come(platform, held.opened.id)
    done = await asyncio.gather(*(supplements.follow_classes(platform) for _ in range(3)))
    assert sum(one["补充评价"] for one in done) == 1
    [new] = await supplements_of(platform, held)
    assert new.teacher_ids == [held.later.actor.id]
    assert [one.topic for one in new.questions] == list(TEACHER_TOPICS)
    told = platform["outbox"].find({"template": "survey-supplemented"})
    assert {row["person_id"] async for row in told} == {one.actor.id for one in held.opened.trainees}
    before, silent = held.opened.trainees[:2]
    mine = {one.survey.id: one.answered for one in (await surveys.my_surveys(platform, before.actor))[0]}
    assert mine == {held.survey.id: True, new.id: False}
    theirs = [one.survey.id for one in (await surveys.my_surveys(platform, silent.actor))[0]]
    assert theirs == [held.survey.id, new.id]
    assert (await supplements.follow_classes(platform))["补充评价"] == 0


async def test_the_year_of_the_later_teacher_counts_the_supplement_and_nothing_else(
    platform: Platform, held: Held
) -> None:
    await answer(platform, held.survey, held.opened.trainees)
    session = await another_session(platform, held)
    clock_of(platform).set(session.ends_at)
    await stage.come(platform, held.opened.id)
    await supplements.follow_classes(platform)
    [new] = await supplements_of(platform, held)
    for one in held.opened.trainees:
        assert await surveys.answer_survey(platform, one.actor, new.id, everything(new))
        assert not await surveys.answer_survey(platform, one.actor, new.id, everything(new))
    await let_it_end(platform, new)
    await survey_tallies.tally_closed(platform)
    both = [held.opened.teacher.actor.id, held.later.actor.id]
    found = await survey_tallies.tallies_of(platform, both, [2026])
    assert {teacher: tally.answers for (teacher, _), tally in found.items()} == dict.fromkeys(both, 20)
    year = await surveys.my_satisfaction(platform, held.later.actor, 2026)
    assert [one.survey.id for one in year.classes] == [new.id]


async def test_who_was_asked_about_or_came_and_did_nothing_is_not_asked_about_again(
    platform: Platform, held: Held
) -> None:
    """The later teacher accepted; the session after the opening is held by the first one."""
    starts_at = platform.clock.now() + timedelta(days=1)
    session = await stage.teaching_session(
        platform,
        held.opened,
        title="补上的课",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=3),
        teacher_id=held.opened.teacher.actor.id,
    )
    clock_of(platform).set(session.ends_at)
    await stage.come(platform, held.opened.id)
    assert (await supplements.follow_classes(platform))["补充评价"] == 0
    assert await supplements_of(platform, held) == []


async def test_a_teacher_is_asked_about_even_where_the_first_survey_is_over(
    platform: Platform, held: Held
) -> None:
    await let_it_end(platform, held.survey)
    session = await another_session(platform, held)
    clock_of(platform).set(session.ends_at)
    await stage.come(platform, held.opened.id)
    assert (await supplements.follow_classes(platform))["补充评价"] == 1
    first = await surveys.survey_of_class(platform, held.opened.id)
    assert first is not None and first.state_at(platform.clock.now()) is SurveyState.CLOSED


async def test_the_first_survey_does_not_end_in_the_middle_of_a_class_that_was_put_off(
    platform: Platform, held: Held
) -> None:
    session = await another_session(platform, held)
    moved = session.starts_at + timedelta(days=20)
    wanted = Postponement(
        ground=Ground.FORCE_MAJEURE,
        reason="台风登陆，当地停课。",
        starts_on=held.opened.training_class.starts_on,
        ends_on=beijing_date(moved) + timedelta(days=1),
        moves={session.id: moved},
    )
    asked = await interruptions.postpone(platform, held.opened.officer, held.opened.id, wanted)
    await interruptions.approve(platform, planning.HEBEI, asked.id, Review(seen=1))
    open_until = await surveys.survey_of_class(platform, held.opened.id)
    assert open_until is not None
    assert open_until.closes_at == moved + timedelta(hours=3, days=3)
    await answer(platform, held.survey, held.opened.trainees[:4])
    with pytest.raises(SurveyTooShort):
        await surveys.close_survey(platform, held.opened.officer, held.opened.id)
    await answer(platform, held.survey, held.opened.trainees[4:])
    await surveys.close_survey(platform, held.opened.officer, held.opened.id)  # everybody has answered


async def test_a_session_that_was_added_by_hand_keeps_it_open_too_and_a_cancelled_one_does_not(
    platform: Platform, held: Held
) -> None:
    session = await another_session(platform, held, days=9)
    assert (await supplements.follow_classes(platform))["顺延"] == 1
    assert (await supplements.follow_classes(platform))["顺延"] == 0
    longer = await surveys.survey_of_class(platform, held.opened.id)
    assert longer is not None and longer.closes_at == session.ends_at + timedelta(days=3)
    await timetable.cancel_session(
        platform, held.opened.officer, held.opened.id, session.id, "教师临时有事，另行安排"
    )
    assert (await supplements.follow_classes(platform))["顺延"] == 0
