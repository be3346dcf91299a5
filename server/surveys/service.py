"""Satisfaction surveys: opened by the institution, answered once and without a name, shown to nobody before they are over.

What was answered is kept apart from who answered. The two are written in one transaction and share neither an id, nor a time, nor an
order; server/decisions/0001-survey-results-after-closing.md says what is shown, when, and why.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby

import orjson
from pymongo.errors import DuplicateKeyError

from server.accounts import people
from server.attendance import service as attendance
from server.attendance import work
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.kernel import envelopes, policies
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, FieldError, Invalid, NotFound
from server.kernel.identity import Actor
from server.kernel.life import LifeStep
from server.kernel.platform import Platform
from server.kernel.seen import require as require_seen
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.surveys import opening, rules, store
from server.surveys.documents import Survey
from server.surveys.rules import Question, QuestionKind, SurveyState, Tally
from server.wechat import content
from server.wechat.content import Scene
from server.wechat.content_documents import State


class SurveyNotOpen(Conflict):
    slug = "survey-not-open"
    title = "现在不能评价"


class SurveyClosed(Conflict):
    slug = "survey-closed"
    title = "评价已截止"
    default_detail = "评价已截止，结果不再变化，不能重新开放。"


class RemarkUnchecked(Invalid):
    slug = "remark-unchecked"
    title = "意见暂时无法检查"
    default_detail = "您填写的意见暂时无法检查，整份评价没有提交，请稍后再试。也可以清空意见，只提交评分；提交后不能再补写意见。"


@dataclass(frozen=True)
class MySurvey:
    """A survey as a trainee sees it."""

    survey: Survey
    state: SurveyState
    answered: bool


@dataclass(frozen=True)
class QuestionResult:
    question: Question
    tally: Tally


@dataclass(frozen=True)
class SubjectResult:
    """All that was asked about one teacher, or (teacher_id None) about the organisation."""

    teacher_id: str | None
    title: str
    questions: list[QuestionResult]

    @property
    def tally(self) -> Tally:
        return rules.total(one.tally for one in self.questions)


@dataclass(frozen=True)
class Results:
    subjects: list[SubjectResult]
    remarks: list[str]
    """Free texts in alphabetical order: their order says nothing of who wrote them."""


@dataclass(frozen=True)
class ClassSurvey:
    """A class's survey as staff see it. `results` is None whenever they may not be shown."""

    training_class: TrainingClass
    survey: Survey | None
    state: SurveyState | None
    trainees: int
    responses: int
    settled: bool
    results: Results | None
    due: bool = True
    """Whether it may open: the last session has ended."""
    unscheduled: int = 0
    """Hours of the scheme for which no session is planned: until then it does not open by itself."""
    supplements: list[ClassSurvey] = field(default_factory=list)
    """补充评价 of who taught or assessed after it had opened."""

    @property
    def results_at(self) -> datetime | None:
        return rules.settled_at(self.survey.closes_at) if self.survey else None


@dataclass(frozen=True)
class TaughtClass:
    """One class of a teacher's year. `tally` is None whenever the class's results may not be shown."""

    survey: Survey
    responses: int
    tally: Tally | None


@dataclass(frozen=True)
class TeachersYear:
    """`tally` gathers the classes that are shown and no other: see the decision record. None when there is none."""

    year: int
    classes: list[TaughtClass]

    @property
    def tally(self) -> Tally | None:
        shown = [one.tally for one in self.classes if one.tally is not None]
        return rules.total(shown) if shown else None


# ---- staff


@transactional
async def move_closing(unit: UnitOfWork, class_id: str, closes_at: datetime, seen: str = "") -> Survey:
    """Lets a survey that is not over end earlier or later. Raises SurveyClosed once it is over, SurveyTooShort, Invalid for a bad time."""
    survey = await _survey_in_reach(unit, unit.actor, class_id)
    await require_seen(unit, survey, seen, subject=class_id, what="评价的截止时间")
    rules.check_period(survey.opens_at, closes_at, unit.now)
    await _check_long_enough(unit, survey, closes_at)
    return await _end_at(unit, survey, closes_at)


@transactional
async def close_survey(unit: UnitOfWork, class_id: str) -> Survey:
    """Ends a running survey now. Raises SurveyNotOpen before it has begun, SurveyTooShort, SurveyClosed once it is over."""
    survey = await _survey_in_reach(unit, unit.actor, class_id)
    if survey.state_at(unit.now) is SurveyState.PLANNED:
        raise SurveyNotOpen("评价还没有开始，不能截止。")
    if survey.state_at(unit.now) is SurveyState.OPEN:
        await _check_long_enough(unit, survey, unit.now)
    return await _end_at(unit, survey, unit.now)


async def _check_long_enough(unit: UnitOfWork, survey: Survey, closes_at: datetime) -> None:
    answered = await store.respondents(unit, survey.id)
    trainees = {one.person_id for one in await classes.arrived_trainees(unit, survey.class_id)}
    least = (await policies.on(unit, beijing_date(unit.now))).survey_days
    everybody = bool(trainees) and trainees <= answered
    last = await work.last_end(unit, survey.class_id) or survey.opens_at
    rules.check_long_enough(max(survey.opens_at, last), closes_at, least, everybody=everybody)


async def _end_at(unit: UnitOfWork, survey: Survey, closes_at: datetime) -> Survey:
    moved = await store.move_closing(unit, survey.id, closes_at, now=unit.now)
    if moved is None:
        raise SurveyClosed()
    unit.audit(
        "surveys:move-closing",
        survey.id,
        before=rules.clock_words(survey.closes_at),
        after=rules.clock_words(closes_at),
    )
    return moved


async def class_survey(platform: Platform, actor: Actor, class_id: str) -> ClassSurvey:
    """The survey of a class in the actor's jurisdiction, with its results where they may be shown, and its supplements."""
    training_class = await classes.get_class(platform, actor, class_id)
    trainees = len(await classes.trainees(platform, class_id))
    surveys = (await store.surveys_of_classes(platform, [class_id])).get(class_id)
    if surveys is None:
        last = await work.last_end(platform, class_id)
        due = rules.is_due(last, training_class.ends_on, platform.clock.now())
        owed = await attendance.unscheduled(platform, [training_class])
        return ClassSurvey(
            training_class,
            None,
            None,
            trainees,
            0,
            settled=False,
            results=None,
            due=due,
            unscheduled=owed.get(class_id, 0),
        )
    first, *later = [await _seen(platform, training_class, one, trainees) for one in surveys]
    return replace(first, supplements=later)


async def _seen(
    platform: Platform, training_class: TrainingClass, survey: Survey, trainees: int
) -> ClassSurvey:
    now = platform.clock.now()
    responses = await store.count_respondents(platform, survey.id)
    return ClassSurvey(
        training_class,
        survey,
        survey.state_at(now),
        trainees,
        responses,
        settled=now >= rules.settled_at(survey.closes_at),
        results=await results_of(platform, await _told_apart(platform, survey), responses, now),
    )


async def _survey_in_reach(scope: Scope, actor: Actor, class_id: str) -> Survey:
    await classes.get_class(scope, actor, class_id)
    survey = await store.survey_of_class(scope, class_id)
    if survey is None:
        raise NotFound("本班还没有发起满意度评价。")
    return survey


# ---- trainees


async def my_surveys(
    platform: Platform, actor: Actor, *, before: str | None = None, limit: int = 20
) -> tuple[list[MySurvey], str | None]:
    """The open surveys among `limit` of the actor's classes, latest enrolment first, and the cursor of the next page."""
    mine, cursor = await classes.my_classes(platform, actor, before=before, limit=limit)
    await opening.open_if_due(platform, [one.id for one in mine])
    surveys = await store.surveys_of_classes(platform, [one.id for one in mine])
    now = platform.clock.now()
    found = [survey for one in mine for survey in surveys.get(one.id, ())]
    answered = await store.answered_of(platform, [one.id for one in found], actor.person_id)
    seen = [MySurvey(survey, survey.state_at(now), survey.id in answered) for survey in found]
    return [one for one in seen if one.state is SurveyState.OPEN], cursor


async def my_survey(platform: Platform, actor: Actor, survey_id: str) -> MySurvey:
    """A survey of a class that the actor attends, open or not. Raises NotFound for any other."""
    survey = await _told_apart(platform, await _survey_for_me(platform, actor, survey_id))
    answered = await store.has_answered(platform, survey_id, actor.person_id)
    return MySurvey(survey, survey.state_at(platform.clock.now()), answered)


async def _told_apart(scope: Scope, survey: Survey) -> Survey:
    names = {one.teacher_id: one.teacher_name or "" for one in survey.questions if one.teacher_id}
    questions = rules.naming(survey.questions, await people.called(scope, names))
    return survey.model_copy(update={"questions": questions})


async def answer_survey(platform: Platform, actor: Actor, survey_id: str, answers: rules.Answers) -> bool:
    """Counts the actor's answers: True the first time; False, and nothing counted, when they had answered before.

    Raises NotFound, NotArrived, SurveyNotOpen, ContentRefused, RemarkUnchecked, or Invalid with the place of each answer that is missing
    or wrong. A doubtful remark is not noted anywhere: the note would say who wrote it.
    """
    taken = await _to_keep(platform, actor, survey_id, answers, platform.clock.now())
    if taken is None:
        return False
    remarks = {f"answers.{key}": words for key, words in taken[1].items() if isinstance(words, str)}
    # Who is counted has written something, so nobody is: the route counts whoever answers.
    screened = await content.screen(platform, actor, Scene.COMMENT, remarks, counted=False)
    if unasked := [one.part for one in screened.doubts if one.state is not State.REVIEW]:
        raise RemarkUnchecked(fields=[FieldError(part, "暂时无法检查，请稍后再试。") for part in unasked])
    try:
        return await _answer_survey(platform, actor, survey_id, answers)
    except DuplicateKeyError:  # the same request twice at once: the key of the respondent let one through
        return False


@transactional
async def _answer_survey(unit: UnitOfWork, survey_id: str, answers: rules.Answers) -> bool:
    taken = await _to_keep(unit, unit.actor, survey_id, answers, unit.now)
    if taken is None:
        unit.nothing_written()
        return False
    survey, kept = taken
    await store.insert_respondent(unit, survey_id, unit.actor.person_id)
    await envelopes.post(unit, survey.box, orjson.dumps(kept), rules.longest_answers(survey.questions))
    unit.audit("surveys:answer", survey_id)  # that they answered; never what
    return True


async def _to_keep(
    scope: Scope, actor: Actor, survey_id: str, answers: rules.Answers, now: datetime
) -> tuple[Survey, dict[str, int | str]] | None:
    """The survey and what is kept of the answers; None when they had answered before. Raises as `answer_survey`."""
    survey = await _survey_for_me(scope, actor, survey_id)
    if await store.has_answered(scope, survey_id, actor.person_id):
        return None
    await classes.require_arrived(scope, survey.class_id, actor.person_id)
    state = survey.state_at(now)
    if state is SurveyState.PLANNED:
        raise SurveyNotOpen(f"评价将于 {rules.clock_words(survey.opens_at)} 开始，请届时再填写。")
    if state is SurveyState.CLOSED:
        raise SurveyNotOpen(f"评价已于 {rules.clock_words(survey.closes_at)} 截止，不能再提交。")
    return survey, rules.check_answers(survey.questions, answers)


async def _survey_for_me(scope: Scope, actor: Actor, survey_id: str) -> Survey:
    survey = await store.survey(scope, survey_id)
    if survey is None:
        raise NotFound("没有这份评价，或您不在该班的名册中。")
    await classes.attended_class(scope, actor, survey.class_id)
    return survey


# ---- backbone teachers


async def my_satisfaction(platform: Platform, actor: Actor, year: int | None = None) -> TeachersYear:
    """How a backbone teacher's own teaching was rated in a year (article 8); this year when none is named."""
    now = platform.clock.now()
    year = year or beijing_date(now).year
    taught = []
    for survey in await store.surveys_of_teacher(platform, actor.person_id, year):
        responses = await store.count_respondents(platform, survey.id)
        results = await results_of(platform, survey, responses, now)
        tally = of_teacher(results, actor.person_id) if results else None
        taught.append(TaughtClass(survey, responses, tally))
    return TeachersYear(year, taught)


def of_teacher(results: Results, person_id: str) -> Tally:
    return rules.total(subject.tally for subject in results.subjects if subject.teacher_id == person_id)


async def results_of(scope: Scope, survey: Survey, responses: int, now: datetime) -> Results | None:
    """None unless they may be shown to anybody."""
    shown = rules.may_be_shown(responses, survey.smallest_group, survey.closes_at, now)
    if not shown or survey.unsealed_at is None:
        return None
    tallies = {one.key: Tally() for one in survey.questions if one.kind is QuestionKind.SCALE}
    remarks = []
    async for response in store.responses(scope, survey.id):
        for key, answer in response.answers.items():
            if isinstance(answer, int):
                tallies[key] = tallies[key].with_answer(answer)
            else:
                remarks.append(answer)
    asked = [one for one in survey.questions if one.kind is QuestionKind.SCALE]
    return Results(
        [
            SubjectResult(
                teacher_id,
                teacher_name or "培训组织",
                [QuestionResult(question, tallies[question.key]) for question in group],
            )
            for (teacher_id, teacher_name), group in groupby(
                asked, key=lambda question: (question.teacher_id, question.teacher_name)
            )
        ],
        sorted(remarks),
    )


# ---- for the chapters above


async def survey_of_class(scope: Scope, class_id: str) -> Survey | None:
    """The survey of a class that the caller has fetched already."""
    return await store.survey_of_class(scope, class_id)


async def respondents(scope: Scope, class_id: str) -> set[str]:
    """The person ids of those who answered the survey of a class, whatever of its supplements; empty when it has none."""
    survey = await store.survey_of_class(scope, class_id)
    return set() if survey is None else await store.respondents(scope, survey.id)


async def survey_in_short(platform: Platform, training_class: TrainingClass) -> str:
    """How the survey of a class stands, in one sentence, for whoever is about to release its results."""
    surveys = (await store.surveys_of_classes(platform, [training_class.id])).get(training_class.id)
    if surveys is None:
        return "还没有发起"
    lines = []
    for survey in surveys:
        count = await store.count_respondents(platform, survey.id)
        state = survey.state_at(platform.clock.now())
        what = "补充评价" if survey.supplement else ""
        lines.append(f"{what}{state.label}，{rules.clock_words(survey.closes_at)} 截止，已有 {count} 人填写")
    return "；".join(lines)


async def life(platform: Platform, actor: Actor, training_class: TrainingClass) -> list[LifeStep]:
    """满意度: from its opening until nobody can answer any more (article 4.7)."""
    survey = await store.survey_of_class(platform, training_class.id)
    href = f"/admin/classes/{training_class.id}/survey"
    if survey is None:
        return [LifeStep("满意度", "todo", href=href)]
    closed = survey.state_at(platform.clock.now()) is SurveyState.CLOSED
    answered = len(await store.respondents(platform, survey.id))
    return [
        LifeStep(
            "满意度",
            "done" if closed else "current",
            survey.created_by,
            survey.created_at,
            href,
            f"{answered} 人已评",
        )
    ]
