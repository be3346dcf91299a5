"""Satisfaction surveys: what is asked, what counts as an answer, and what of the answers may be shown.

Articles 4 (5) and (7), 8 (4) 1 and 9 of the guide. The scale has 3 points, 3 is full (article 8). What the guide leaves open: the words of
the questions, and the smallest group whose results are shown (policy `smallest_group`). Why results wait for the end of a survey is
in server/decisions/0001-survey-results-after-closing.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from server.kernel.clock import BEIJING, beijing_date
from server.kernel.errors import Conflict, FieldError, Invalid
from server.kernel.titled import Titled

SCALE: dict[int, str] = {3: "满意", 2: "基本满意", 1: "不满意"}
"""The 3-point scale of article 8, best first."""
SATISFACTION_MARK = 2
"""年度满意度平均分不少于2分（满分3分） (article 8 (4) 1)."""
TEXT_LONGEST = 1000
"""Characters of a free text."""
LONGEST = timedelta(days=92)
USUAL = timedelta(days=7)
"""How long a survey is open that opened by itself; the institution may move its end."""
SETTLING = timedelta(minutes=1)
"""After the closing time no answer is taken, but one taken just before may still be on its way into the database; MongoDB gives
up a transaction after a minute. Results are shown from then on, so that what is shown never changes."""

TEACHER_TOPICS = ("教学内容", "教学方法", "指导答疑", "师德师风")
"""Article 8 (1) to (3): what a backbone teacher owes the trainees."""
ORGANISATION_TOPICS = ("课程安排", "场地设备", "教材教具", "班务管理", "后勤服务")
"""Article 4 (5): what the institution organises."""
REMARKS = "意见和建议"


class QuestionKind(StrEnum):
    SCALE = "scale"
    TEXT = "text"


class Question(BaseModel):
    """One question. `teacher_id` is None for what concerns the organisation or the class as a whole."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    kind: QuestionKind
    topic: str
    teacher_id: str | None = None
    teacher_name: str | None = None


class SurveyTooEarly(Conflict):
    slug = "survey-too-early"
    title = "还不能评价"
    default_detail = (
        "满意度评价在最后一次课结束时自动开放：那时授过课、承担考核的教师都已确定，代课的也在内。"
    )


class SurveyTooShort(Conflict):
    slug = "survey-too-short"
    title = "开放天数不够"


class SurveyState(Titled):
    PLANNED = "PLANNED", "未开始"
    OPEN = "OPEN", "进行中"
    CLOSED = "CLOSED", "已截止"


Answers = Mapping[str, int | str]


def make_questions(teachers: Iterable[tuple[str, str]], *, supplement: bool = False) -> list[Question]:
    """The questions of a class: each topic for each teacher (person id, name), then the organisation, then room for remarks. A supplement
    asks about its teachers and nothing else: the rest has been asked."""
    asked: list[tuple[QuestionKind, str, str | None, str | None]] = [
        (QuestionKind.SCALE, topic, person_id, name)
        for person_id, name in teachers
        for topic in TEACHER_TOPICS
    ]
    if not supplement:
        asked += [(QuestionKind.SCALE, topic, None, None) for topic in ORGANISATION_TOPICS]
        asked.append((QuestionKind.TEXT, REMARKS, None, None))
    return [
        Question(key=f"q{place}", kind=kind, topic=topic, teacher_id=person_id, teacher_name=name)
        for place, (kind, topic, person_id, name) in enumerate(asked, start=1)
    ]


def naming(questions: Iterable[Question], called: Mapping[str, str]) -> list[Question]:
    """The questions with their teachers (by id) as they are called: who answers must know which of two namesakes is meant."""
    return [
        one.model_copy(update={"teacher_name": called[one.teacher_id]}) if one.teacher_id else one
        for one in questions
    ]


def check_period(opens_at: datetime, closes_at: datetime, now: datetime) -> None:
    """Raises Invalid unless the survey ends after it begins, in the future, and within three months."""
    if closes_at <= opens_at:
        raise Invalid(fields=[FieldError("closes_at", "截止时间应晚于开始时间。")])
    if closes_at <= now:
        raise Invalid(fields=[FieldError("closes_at", "截止时间应晚于现在。")])
    if closes_at - opens_at > LONGEST:
        raise Invalid(fields=[FieldError("closes_at", f"评价最长 {LONGEST.days} 天，请核对日期。")])


def is_due(last_ends_at: datetime | None, class_ends_on: date, now: datetime) -> bool:
    """Whether a survey may open: once the last session of the timetable has ended; without any session, once the class is over."""
    if last_ends_at is None:
        return beijing_date(now) > class_ends_on
    return last_ends_at <= now


def check_opening(opens_at: datetime, now: datetime) -> None:
    """Raises Invalid for a beginning that is put off: it opens at the end of the last session."""
    if opens_at > now:
        raise Invalid(fields=[FieldError("opens_at", "最后一次课已结束，评价即日开放，不能推迟。")])


def check_long_enough(opens_at: datetime, closes_at: datetime, least_days: int, *, everybody: bool) -> None:
    """It is open for `least_days` (policy `survey_days`) at least, unless everybody has answered; where sessions were planned after it had
    opened, `opens_at` is the end of the last one. Raises SurveyTooShort."""
    earliest = earliest_closing(opens_at, least_days)
    if closes_at < earliest and not everybody:
        raise SurveyTooShort(
            f"还有人没有评价。评价至少开放 {least_days} 天，最早可于 {clock_words(earliest)} 截止；"
            "全班都已评价的，可以提前截止。"
        )


def earliest_closing(begins: datetime, least_days: int) -> datetime:
    return begins + timedelta(days=least_days)


def state_at(opens_at: datetime, closes_at: datetime, now: datetime) -> SurveyState:
    """Open from `opens_at` on and before `closes_at`."""
    if now < opens_at:
        return SurveyState.PLANNED
    return SurveyState.OPEN if now < closes_at else SurveyState.CLOSED


def clock_words(moment: datetime) -> str:
    """As messages and pages say it."""
    return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M}"


def settled_at(closes_at: datetime) -> datetime:
    """From when on the number of answers can no longer change."""
    return closes_at + SETTLING


def may_be_shown(responses: int, smallest_group: int, closes_at: datetime, now: datetime) -> bool:
    """Whether anybody may see results: the survey has settled, and enough have answered that none of them stands out."""
    return now >= settled_at(closes_at) and responses >= smallest_group


def check_answers(questions: Sequence[Question], given: Answers) -> dict[str, int | str]:
    """The answers as they are kept: every scale question, and each text that says something.

    Raises Invalid with the place of each answer that is missing, not on the scale, too long, or to no question.
    """
    kept: dict[str, int | str] = {}
    problems = [
        FieldError(f"answers.{key}", "没有这个问题。") for key in given.keys() - {q.key for q in questions}
    ]
    for question in questions:
        answer = given.get(question.key)
        problem = _problem_with(question, answer)
        if problem:
            problems.append(FieldError(f"answers.{question.key}", problem))
        elif isinstance(answer, str):
            if answer.strip():
                kept[question.key] = answer.strip()
        elif answer is not None:
            kept[question.key] = answer
    if problems:
        raise Invalid("还有问题没有回答，或回答不符合要求，请补充后再提交。", fields=problems)
    return kept


def longest_answers(questions: Sequence[Question]) -> int:
    """Bytes that any answers to these questions fit in, as JSON: a character of a text takes six at most, as \\u0001 does."""
    return sum(40 + (6 * TEXT_LONGEST if question.kind is QuestionKind.TEXT else 0) for question in questions)


def _problem_with(question: Question, answer: int | str | None) -> str | None:
    if question.kind is QuestionKind.TEXT:
        if answer is None or (isinstance(answer, str) and len(answer) <= TEXT_LONGEST):
            return None
        return f"请填写文字，最多 {TEXT_LONGEST} 个字符。"
    if answer is None:
        return "请选择一项。"
    return None if isinstance(answer, int) and answer in SCALE else "请在 1 至 3 分中选择。"


@dataclass(frozen=True)
class Tally:
    """How often each point of the scale was given: to one question, one teacher or one year."""

    counts: tuple[int, int, int] = (0, 0, 0)
    """Of 1, 2 and 3 points."""

    @property
    def answers(self) -> int:
        return sum(self.counts)

    @property
    def points(self) -> int:
        return sum(point * count for point, count in enumerate(self.counts, start=1))

    @property
    def mean(self) -> Decimal:
        """With two decimals, halves up. There must be at least one answer."""
        return (Decimal(self.points) / self.answers).quantize(Decimal("0.01"), ROUND_HALF_UP)

    @property
    def meets_mark(self) -> bool:
        """Article 8 (4) 1, on the exact mean: 1.995 reads 2.00 and is still below the mark."""
        return self.points >= SATISFACTION_MARK * self.answers

    def __add__(self, other: Tally) -> Tally:
        one, two, three = (a + b for a, b in zip(self.counts, other.counts, strict=True))
        return Tally((one, two, three))

    def with_answer(self, points: int) -> Tally:
        """One answer more, of 1, 2 or 3 points."""
        one, two, three = (count + (points == point) for point, count in enumerate(self.counts, start=1))
        return Tally((one, two, three))


def total(tallies: Iterable[Tally]) -> Tally:
    """Each answer weighs the same, whatever the question, the class or its size."""
    return sum(tallies, Tally())


@dataclass(frozen=True)
class FewAnswers:
    """How a survey stands that ends soon and that few have answered."""

    answered: int
    of: int
    closes_at: datetime

    @property
    def words(self) -> str:
        return f"满意度评价只有 {self.answered} / {self.of} 人作答，{clock_words(self.closes_at)} 截止"


def are_few(answered: int, of: int, smallest_group: int) -> bool:
    """Whether so few have answered that nothing is shown, or less than half of the class is heard; not once everybody has answered."""
    return answered < of and (answered < smallest_group or 2 * answered < of)


def reminder_due(opens_at: datetime, closes_at: datetime, before: timedelta) -> datetime:
    """From when on the silent are reminded: `before` the end, but not in the first half of a survey that is shorter than that."""
    return max(closes_at - before, opens_at + (closes_at - opens_at) / 2)
