"""Surveys on a real database: once each, without a name, shown to nobody before they are over."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from server.classes.rules import Kind
from server.invitations import service as invitations
from server.invitations.service import Refusal
from server.kernel import policies
from server.kernel.errors import Invalid, NotFound
from server.kernel.platform import Platform
from server.kernel.policies import PolicyChange
from server.surveys import opening as survey_opening
from server.surveys import service as surveys
from server.surveys import tallies as survey_tallies
from server.surveys.documents import Survey
from server.surveys.opening import ClassWithoutTeachers, SurveyDraft, SurveyExists
from server.surveys.rules import SETTLING, SurveyState, SurveyTooEarly, SurveyTooShort
from server.surveys.service import SurveyClosed, SurveyNotOpen
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.stage import ClassInSession, Phone
from tests.surveying import answer, answers_to, clock_of, let_it_end, open_survey


async def seen(platform: Platform, opened: ClassInSession) -> surveys.ClassSurvey:
    return await surveys.class_survey(platform, opened.officer, opened.id)


# ---- set up


async def test_a_class_has_one_survey_about_its_teachers_and_the_organisation(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    survey = await open_survey(platform, opened)
    assert {one.teacher_name for one in survey.questions} == {cast.BACKBONE_TEACHER.name, None}
    with pytest.raises(SurveyExists):
        await open_survey(platform, opened)
    waiting = await platform["outbox"].find({"template": "survey-opened"}).to_list(None)
    assert [row["person_id"] for row in waiting] == [opened.trainees[0].actor.id]


async def test_two_officers_at_once_make_one_survey(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    done = await asyncio.gather(*(open_survey(platform, opened) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(one, Survey) for one in done) == 1
    assert await platform["surveys"].count_documents({}) == 1
    assert await platform["outbox"].count_documents({"template": "survey-opened"}) == 1


async def test_a_class_without_teachers_has_nobody_to_ask_about(platform: Platform) -> None:
    officer = stage.actor(cast.XINGTAI_OFFICER)
    new = await stage.open_class(platform, officer, stage.class_draft())
    clock_of(platform).advance(timedelta(days=20))
    now = platform.clock.now()
    draft = SurveyDraft(opens_at=now, closes_at=now + timedelta(days=4))
    with pytest.raises(ClassWithoutTeachers):
        await survey_opening.open_survey(platform, officer, new.id, draft)


async def test_a_neighbour_sees_and_changes_nothing(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    survey = await open_survey(platform, opened)
    neighbour = stage.actor(cast.YANGZHOU_OFFICER)
    for attempt in (
        surveys.class_survey(platform, neighbour, opened.id),
        surveys.close_survey(platform, neighbour, opened.id),
        surveys.move_closing(platform, neighbour, opened.id, survey.closes_at + timedelta(days=1)),
        surveys.class_survey(platform, stage.actor(cast.JIANGSU_OFFICER), opened.id),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_the_province_and_the_centre_see_what_the_institution_sees(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=5)
    survey = await open_survey(platform, opened)
    await answer(platform, survey, opened.trainees)
    await let_it_end(platform, survey)
    mine = await seen(platform, opened)
    for officer in (cast.HEBEI_OFFICER, cast.CENTRE):
        theirs = await surveys.class_survey(platform, stage.actor(officer), opened.id)
        assert theirs.results == mine.results is not None


# ---- by itself, long enough, and about whoever was there


async def two_teachers(platform: Platform, wechat: Simulator, kind: Kind) -> tuple[ClassInSession, Phone]:
    opened = await stage.class_in_session(platform, wechat, trainees=5)
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    second = await stage.phone(platform, wechat, "openid-second", cast.SECOND_BACKBONE_TEACHER)
    await stage.teach(platform, opened.officer, opened.id, second, kind)
    return opened, second


async def test_it_opens_at_the_end_of_the_last_session_once_whoever_comes_first(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    first = await stage.teaching_session(platform, opened)
    later = {"starts_at": first.ends_at + timedelta(hours=2), "ends_at": first.ends_at + timedelta(hours=4)}
    last = await stage.teaching_session(platform, opened, **later)
    clock_of(platform).set(last.ends_at - timedelta(seconds=1))
    assert await survey_opening.open_due(platform) == 0
    assert (await surveys.my_surveys(platform, opened.trainees[0].actor))[0] == []
    with pytest.raises(SurveyTooEarly):
        await open_by_hand(platform, opened, timedelta(days=7))
    clock_of(platform).set(last.ends_at)
    await stage.come(platform, opened.id)
    done = await asyncio.gather(*(survey_opening.open_due(platform) for _ in range(3)))
    assert sorted(done) == [0, 0, 1]
    [mine] = (await surveys.my_surveys(platform, opened.trainees[0].actor))[0]
    assert mine.survey.opens_at == last.ends_at
    assert await platform["outbox"].count_documents({"template": "survey-opened"}) == 1


async def test_a_survey_that_no_scheduler_has_met_opens_for_who_looks_for_it(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    session = await stage.teaching_session(platform, opened)
    clock_of(platform).set(session.ends_at)
    await stage.come(platform, opened.id)
    [mine] = (await surveys.my_surveys(platform, opened.trainees[0].actor))[0]
    assert mine.state is SurveyState.OPEN


async def test_a_substitute_is_rated_and_who_held_no_session_is_not(
    platform: Platform, wechat: Simulator
) -> None:
    opened, second = await two_teachers(platform, wechat, Kind.TEACHING)
    await stage.teaching_session(platform, opened, teacher_id=second.actor.id)
    survey = await open_survey(platform, opened)
    assert survey.teacher_ids == [second.actor.id]


async def test_a_substitute_who_has_left_is_rated_too(platform: Platform, wechat: Simulator) -> None:
    opened, second = await two_teachers(platform, wechat, Kind.TEACHING)
    session = await stage.teaching_session(platform, opened, teacher_id=second.actor.id)
    clock_of(platform).set(session.ends_at)
    await stage.come(platform, opened.id)
    seen = await invitations.invitations_of_class(platform, opened.officer, opened.id)
    [letter] = [one for one in seen.invitations if one.teacher_id == second.actor.id]
    await invitations.cancel(platform, opened.officer, opened.id, letter.id, Refusal(reason="已经返校"))
    survey = await open_survey(platform, opened)
    assert [one.teacher_name for one in survey.questions if one.teacher_id == second.actor.id]


async def test_who_was_to_assess_and_never_did_has_no_part_in_the_year(
    platform: Platform, wechat: Simulator
) -> None:
    opened, second = await two_teachers(platform, wechat, Kind.ASSESSMENT)
    survey = await open_survey(platform, opened)
    assert set(survey.teacher_ids) == {opened.teacher.actor.id, second.actor.id}
    await answer(platform, survey, opened.trainees)
    await let_it_end(platform, survey)
    await survey_tallies.tally_closed(platform)
    both = [opened.teacher.actor.id, second.actor.id]
    assert list(await survey_tallies.tallies_of(platform, both, [2026])) == [(opened.teacher.actor.id, 2026)]


async def test_it_is_not_closed_before_its_days_unless_everybody_has_answered(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=2)
    survey = await open_survey(platform, opened)
    await answer(platform, survey, opened.trainees[:1])
    least = survey.opens_at + timedelta(days=3)
    for attempt in (
        surveys.close_survey(platform, opened.officer, opened.id),
        surveys.move_closing(platform, opened.officer, opened.id, least - timedelta(seconds=1)),
    ):
        with pytest.raises(SurveyTooShort):
            await attempt
    assert (await surveys.move_closing(platform, opened.officer, opened.id, least)).closes_at == least
    await answer(platform, survey, opened.trainees[1:])
    await surveys.close_survey(platform, opened.officer, opened.id)
    assert (await seen(platform, opened)).state is SurveyState.CLOSED


async def open_by_hand(platform: Platform, opened: ClassInSession, lasts: timedelta) -> Survey:
    now = platform.clock.now()
    draft = SurveyDraft(opens_at=now, closes_at=now + lasts)
    return await survey_opening.open_survey(platform, opened.officer, opened.id, draft)


async def test_one_that_is_set_up_by_hand_keeps_to_the_days_too(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=2)
    session = await stage.teaching_session(platform, opened)
    clock_of(platform).set(session.ends_at)
    await stage.come(platform, opened.id)
    with pytest.raises(SurveyTooShort):
        await open_by_hand(platform, opened, timedelta(days=2))
    now = platform.clock.now()
    put_off = SurveyDraft(opens_at=now + timedelta(hours=1), closes_at=now + timedelta(days=9))
    with pytest.raises(Invalid):
        await survey_opening.open_survey(platform, opened.officer, opened.id, put_off)
    assert (await open_by_hand(platform, opened, timedelta(days=3))).teacher_ids


# ---- once each


async def test_a_second_submission_is_answered_like_the_first_and_counts_nothing(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    survey = await open_survey(platform, opened)
    [phone] = opened.trainees
    assert await surveys.answer_survey(platform, phone.actor, survey.id, answers_to(survey)) is True
    assert await surveys.answer_survey(platform, phone.actor, survey.id, answers_to(survey, 1)) is False
    assert await platform["envelopes"].count_documents({}) == 1


async def test_fifty_copies_of_one_submission_count_once(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    survey = await open_survey(platform, opened)
    [phone] = opened.trainees
    first = await asyncio.gather(
        *(surveys.answer_survey(platform, phone.actor, survey.id, answers_to(survey)) for _ in range(50))
    )
    assert first.count(True) == 1
    assert await platform["envelopes"].count_documents({}) == 1
    assert await platform["survey_respondents"].count_documents({}) == 1
    assert await platform["audit"].count_documents({"action": "surveys:answer"}) == 1


async def test_a_refused_submission_leaves_nobody_marked_as_having_answered(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    survey = await open_survey(platform, opened)
    [phone] = opened.trainees
    with pytest.raises(Invalid):
        await surveys.answer_survey(platform, phone.actor, survey.id, {})
    assert await surveys.respondents(platform, opened.id) == set()


async def test_before_the_beginning_and_after_the_end_nothing_is_taken(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    survey = await open_survey(platform, opened)
    [phone] = opened.trainees
    before = survey.opens_at - timedelta(seconds=1)
    for moment in (before, survey.closes_at, survey.closes_at + timedelta(days=1)):
        clock_of(platform).set(moment)
        with pytest.raises(SurveyNotOpen):
            await surveys.answer_survey(platform, phone.actor, survey.id, answers_to(survey))
    clock_of(platform).set(survey.opens_at)
    assert await surveys.answer_survey(platform, phone.actor, survey.id, answers_to(survey))


async def test_who_is_not_in_the_class_finds_no_survey(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    survey = await open_survey(platform, opened)
    other = await stage.open_class(
        platform, stage.actor(cast.YANGZHOU_OFFICER), stage.class_draft(name="另一个培训班")
    )
    await stage.enrol(platform, cast.YANGZHOU_OFFICER, other.id, [cast.TRAINEE])
    stranger = await stage.phone(platform, wechat, "openid-other", cast.TRAINEE)
    for phone in (stranger, opened.teacher):
        with pytest.raises(NotFound):
            await surveys.my_survey(platform, phone.actor, survey.id)
        with pytest.raises(NotFound):
            await surveys.answer_survey(platform, phone.actor, survey.id, answers_to(survey))


async def test_my_surveys_are_the_open_ones_and_say_whether_i_answered(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=2)
    survey = await open_survey(platform, opened)
    await answer(platform, survey, opened.trainees[:1])
    listed = [await surveys.my_surveys(platform, phone.actor) for phone in opened.trainees]
    assert [[one.answered for one in found] for found, _ in listed] == [[True], [False]]
    assert await surveys.respondents(platform, opened.id) == {opened.trainees[0].actor.id}
    await let_it_end(platform, survey)
    assert await surveys.my_surveys(platform, opened.trainees[1].actor) == ([], None)


# ---- anonymous


async def test_nothing_in_the_database_links_who_answered_with_what(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=12)
    survey = await open_survey(platform, opened)
    order = opened.trainees[::-1]
    for turn, phone in enumerate(order):
        clock_of(platform).advance(timedelta(seconds=1))
        await surveys.answer_survey(
            platform, phone.actor, survey.id, answers_to(survey, 3, remark=f"第{turn:02}条意见")
        )
    await let_it_end(platform, survey)
    who = await platform["survey_respondents"].find({}).to_list(None)
    what = await platform["survey_responses"].find({}).to_list(None)
    by_index = await platform["survey_responses"].find({"survey_id": survey.id}).to_list(None)

    # Who: the key alone, and the natural order is that of the keys, not of arrival.
    assert [set(row) for row in who] == [{"_id"}] * 12
    assert [row["_id"] for row in who] == sorted(row["_id"] for row in who)
    # What: a random id, the survey, the answers; no person, no time.
    assert {key for row in what for key in row} == {"_id", "survey_id", "answers"}
    people = {phone.actor.id for phone in opened.trainees}
    assert not any(person in str(row) for row in what for person in people)
    assert {len(row["_id"]) for row in what} == {32}
    # Neither the scan of the collection nor that of its index gives the order of arrival.
    arrival = [f"第{turn:02}条意见" for turn in range(12)]
    assert [row["_id"] for row in what] == sorted(row["_id"] for row in what)
    for rows in (what, by_index):
        remarks = [next(a for a in row["answers"].values() if isinstance(a, str)) for row in rows]
        assert sorted(remarks) == arrival != remarks
    # The two share the survey's id and nothing else.
    values_of_what = {str(row["_id"]) for row in what} | {
        str(a) for row in what for a in row["answers"].values()
    }
    assert not values_of_what & {part for row in who for part in row["_id"].split(":")}


async def test_the_audit_entry_and_the_messages_say_no_answer(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    survey = await open_survey(platform, opened)
    [phone] = opened.trainees
    await surveys.answer_survey(platform, phone.actor, survey.id, answers_to(survey, 1, remark="不好"))
    [entry] = await platform["audit"].find({"action": "surveys:answer"}).to_list(None)
    [envelope] = await platform["envelopes"].find({}).to_list(None)
    assert entry["facts"] == {} and entry["subject"] == survey.id
    for name in set(await platform.db.list_collection_names()) - {"envelopes"}:
        rows = await platform[name].find({}).to_list(None)
        assert envelope["_id"] not in str(rows) and "不好" not in str(rows), name


# ---- results


async def test_nobody_sees_results_while_the_survey_runs_nor_in_the_minute_after(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=5)
    survey = await open_survey(platform, opened)
    await answer(platform, survey, opened.trainees)
    running = await seen(platform, opened)
    assert (running.responses, running.results) == (5, None)
    clock_of(platform).set(survey.closes_at + SETTLING - timedelta(milliseconds=1))
    closed = await seen(platform, opened)
    assert (closed.state, closed.settled, closed.results) == (SurveyState.CLOSED, False, None)
    assert (await surveys.my_satisfaction(platform, opened.teacher.actor)).tally is None
    await let_it_end(platform, survey)
    assert (await seen(platform, opened)).results is not None


async def test_a_group_that_is_too_small_is_never_shown(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=5)
    survey = await open_survey(platform, opened)
    await answer(platform, survey, opened.trainees[:4])
    await let_it_end(platform, survey)
    assert (await seen(platform, opened)).results is None
    year = await surveys.my_satisfaction(platform, opened.teacher.actor)
    assert year.tally is None and [(one.responses, one.tally) for one in year.classes] == [(4, None)]


async def test_a_smaller_group_decided_later_uncovers_nothing(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=2)
    survey = await open_survey(platform, opened)
    await answer(platform, survey, opened.trainees)
    change = PolicyChange(
        key="smallest_group", value=1, effective_from=survey.opens_at.date(), reason="示例调整"
    )
    await policies.change(platform, stage.actor(cast.CENTRE), change)
    await let_it_end(platform, survey)
    assert (await seen(platform, opened)).results is None


async def test_the_results_say_the_means_and_how_often_each_point_was_given(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=6)
    survey = await open_survey(platform, opened)
    for phone, points in zip(opened.trainees, (3, 3, 3, 2, 2, 1), strict=True):
        await surveys.answer_survey(
            platform, phone.actor, survey.id, answers_to(survey, points, remark=f"给{points}分")
        )
    await let_it_end(platform, survey)
    results = (await seen(platform, opened)).results
    assert results is not None
    assert [subject.title for subject in results.subjects] == [cast.BACKBONE_TEACHER.name, "培训组织"]
    for subject in results.subjects:
        assert subject.tally.mean == Decimal("2.33")
        assert {one.tally.counts for one in subject.questions} == {(1, 2, 3)}
    assert results.remarks == sorted(["给3分"] * 3 + ["给2分"] * 2 + ["给1分"])


async def test_a_survey_that_is_over_is_never_opened_again(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    survey = await open_survey(platform, opened)
    later = survey.closes_at + timedelta(days=1)
    assert (await surveys.move_closing(platform, opened.officer, opened.id, later)).closes_at == later
    await answer(platform, survey, opened.trainees)
    closed = await surveys.close_survey(platform, opened.officer, opened.id)
    assert closed.state_at(platform.clock.now()) is SurveyState.CLOSED
    with pytest.raises(SurveyClosed):
        await surveys.move_closing(platform, opened.officer, opened.id, later)
    with pytest.raises(SurveyClosed):
        await surveys.close_survey(platform, opened.officer, opened.id)


async def test_a_teachers_year_gathers_the_classes_that_are_shown_and_no_other(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=6)
    survey = await open_survey(platform, opened)
    await answer(platform, survey, opened.trainees[:3], points=3)
    await answer(platform, survey, opened.trainees[3:], points=2)
    later = {"starts_on": date(2026, 4, 13), "ends_on": date(2026, 4, 24)}
    small = await stage.open_class(
        platform, opened.officer, stage.class_draft(name="人数很少的培训班", **later)
    )
    await stage.teach(platform, opened.officer, small.id, opened.teacher)
    await stage.enrol(platform, cast.XINGTAI_OFFICER, small.id, [cast.TRAINEE])
    other = await stage.phone(platform, wechat, "openid-small", cast.TRAINEE)
    hidden = await open_survey(platform, replace(opened, training_class=small, trainees=[other]))
    await answer(platform, hidden, [other], points=1)
    await let_it_end(platform, hidden)
    year = await surveys.my_satisfaction(platform, opened.teacher.actor)
    assert year.tally is not None and year.tally.mean == Decimal("2.50")
    assert [one.tally is None for one in year.classes] == [False, True]
    assert (await surveys.my_satisfaction(platform, opened.teacher.actor, 2025)).classes == []
