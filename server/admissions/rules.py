"""Rules of enrolment: who may come into a class, who says so, and what is asked of them.

Article 4.4: 培训机构应与授课骨干教师共同审核报名教师信息，并进行培训需求分析. An application is agreed to by the institution and by a
backbone teacher of the class, in either order; then it waits for a place, and takes one at once where there is one. What the guide
leaves open: that the waiting list is served in the order in which both had agreed, and until when somebody may withdraw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict

from server.accounts.rules import mask_id_number
from server.kernel import reviews
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, FieldError, Forbidden, Invalid
from server.kernel.folding import folded
from server.kernel.identity import INSTITUTION_ROLES, Role
from server.kernel.numbers import bare_id_number
from server.kernel.reviews import PROVINCE, By, Procedure
from server.kernel.titled import Titled

PLACES_MOST = 500
"""Of one class; the policy `roster_rows` starts from the same number."""


class State(Titled):
    APPLIED = "APPLIED", "待审核"
    INSTITUTION_AGREED = "INSTITUTION_AGREED", "待教师审核"
    TEACHER_AGREED = "TEACHER_AGREED", "待机构审核"
    WAITING = "WAITING", "候补"
    ADMITTED = "ADMITTED", "已录取"
    REJECTED = "REJECTED", "未通过"
    WITHDRAWN = "WITHDRAWN", "已撤回"
    CLOSED = "CLOSED", "已关闭"

    @property
    def open(self) -> bool:
        """Whether it still leads, or has led, into the class: nobody has two of these for one class."""
        return self not in (State.REJECTED, State.WITHDRAWN, State.CLOSED)


class Action(Titled):
    APPLY = "APPLY", "提交报名"
    INSTITUTION_AGREES = "INSTITUTION_AGREES", "培训机构同意"
    TEACHER_AGREES = "TEACHER_AGREES", "授课教师同意"
    INSTITUTION_REJECTS = "INSTITUTION_REJECTS", "培训机构不同意"
    TEACHER_REJECTS = "TEACHER_REJECTS", "授课教师不同意"
    ADMIT = "ADMIT", "录取"
    """A place is there: by the review that agreed last, or when somebody gave one back."""
    SKIP = "SKIP", "候补未录取"
    """A place is there, but the person has come into another class of the same days meanwhile."""
    WITHDRAW = "WITHDRAW", "本人撤回"
    REMOVE = "REMOVE", "移出名册"
    """The institution takes somebody out who was admitted and has not arrived."""
    CLOSE = "CLOSE", "报名关闭"
    """The class takes nobody any more; of one that was called off also those who had been admitted."""


UNDER_REVIEW = (State.APPLIED, State.INSTITUTION_AGREED, State.TEACHER_AGREED, State.WAITING)


class NotInThisState(Conflict):
    slug = "admission-state"
    title = "报名现在不能这样办理"


class NotYours(Forbidden):
    slug = "admission-not-yours"
    title = "这一步不由您办理"
    default_detail = "报名由教师本人提交和撤回，由培训机构和本班授课骨干教师共同审核（指南第四条第四项）。"


_TEACHER, _TRAINEE = frozenset({Role.BACKBONE_TEACHER}), frozenset({Role.TRAINEE})
_ANYBODY_WHO_ACTED = INSTITUTION_ROLES | _TEACHER | _TRAINEE
"""ADMIT, SKIP and CLOSE follow from what somebody else did: a review, a withdrawal, more places, the release of results."""

STEPS: Procedure[State, Action] = Procedure(
    {
        Action.APPLY: By(_TRAINEE),
        Action.INSTITUTION_AGREES: By(
            INSTITUTION_ROLES,
            {State.APPLIED: State.INSTITUTION_AGREED, State.TEACHER_AGREED: State.WAITING},
        ),
        Action.TEACHER_AGREES: By(
            _TEACHER,
            {State.APPLIED: State.TEACHER_AGREED, State.INSTITUTION_AGREED: State.WAITING},
        ),
        Action.INSTITUTION_REJECTS: By(INSTITUTION_ROLES, dict.fromkeys(UNDER_REVIEW, State.REJECTED)),
        Action.TEACHER_REJECTS: By(_TEACHER, dict.fromkeys(UNDER_REVIEW, State.REJECTED)),
        Action.ADMIT: By(_ANYBODY_WHO_ACTED, {State.WAITING: State.ADMITTED}),
        Action.SKIP: By(_ANYBODY_WHO_ACTED, {State.WAITING: State.REJECTED}),
        Action.REMOVE: By(INSTITUTION_ROLES, {State.ADMITTED: State.REJECTED}),
        Action.CLOSE: By(_ANYBODY_WHO_ACTED, dict.fromkeys(UNDER_REVIEW, State.CLOSED)),
        Action.WITHDRAW: By(_TRAINEE, dict.fromkeys((*UNDER_REVIEW, State.ADMITTED), State.WITHDRAWN)),
        Action.CLOSE: By(
            _ANYBODY_WHO_ACTED | PROVINCE, dict.fromkeys((*UNDER_REVIEW, State.ADMITTED), State.CLOSED)
        ),
    },
    lambda action: NotYours(),
    reviews.refused(NotInThisState, "这份报名“{state}”，不能再“{action}”。请刷新后查看最新进展。"),
)


class NotOpen(Conflict):
    slug = "enrolment-not-open"
    title = "现在不能报名"
    default_detail = "本班已经结束，不再接受报名。"


def require_open(opens: datetime | None, closes: datetime | None, now: datetime) -> None:
    """Raises NotOpen unless `now` lies in [opens, closes)."""
    if opens is None or closes is None:
        raise NotOpen("本班没有开放报名。")
    if now < opens:
        raise NotOpen(f"本班将于 {beijing_date(opens)} 开始报名，请届时再来。")
    if now >= closes:
        raise NotOpen(f"本班报名已于 {beijing_date(closes)} 截止。")


def check_window(opens: datetime, closes: datetime, ends_on: date, now: datetime) -> None:
    """Raises Invalid unless the window is one, lies partly ahead, and ends no later than the class."""
    if closes <= opens:
        raise Invalid(fields=[FieldError("closes", "截止时间应晚于开始时间。")])
    if closes <= now:
        raise Invalid(fields=[FieldError("closes", "截止时间应晚于现在。")])
    if beijing_date(closes) > ends_on:
        raise Invalid(fields=[FieldError("closes", f"培训于 {ends_on} 结束，报名应在此之前截止。")])


def require_may_withdraw(state: State, starts_on: date, today: date) -> None:
    """An admitted teacher withdraws before the class begins, so that somebody else can come. Raises NotInThisState."""
    if state is State.ADMITTED and today >= starts_on:
        raise NotInThisState("培训已经开始，不能再自行撤回。请联系培训机构说明情况。")


def check_reason(agree: bool, reason: str) -> None:
    """A refusal is explained to the teacher. Raises Invalid."""
    if not agree and not reason:
        raise Invalid(fields=[FieldError("reason", "不同意时请写明理由，报名人会看到。")])


# ---- needs analysis (培训需求分析, article 4.4)

QUESTIONS_MOST = 30
OPTIONS_MOST = 10
TEXT_LONGEST = 1000


class Question(BaseModel):
    """One question; with `options` one of them is chosen, without it is answered in words, or left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    title: str
    options: list[str] = []

    @property
    def line(self) -> str:
        return "｜".join([self.title, *self.options])


FIRST_TEMPLATE = (
    "您对工学一体化课程教学的了解程度｜没有接触过｜听过介绍｜参加过培训｜正在实施",
    "您最希望提高的能力｜学习任务分析与策划｜教学活动设计｜课程考核实施｜教学资源开发｜教学场所使用管理",
    "您所在院校实施工学一体化教学的条件｜场地设备齐备｜部分具备｜尚不具备",
    "您希望带到培训班上解决的一个教学问题",
)
"""What is asked until the centre sets a template of its own; the guide leaves it open (待核)."""


def read_questions(text: str, *, prefix: str) -> list[Question]:
    """Questions as staff write them: one a line, its options behind it, each after a `｜` (or `|`); keys are prefix + number.

    Raises Invalid for a line that is too long, a single or a repeated option, or too many.
    """
    problems = []
    questions = []
    lines = [line for line in map(str.strip, text.splitlines()) if line]
    for number, line in enumerate(lines, start=1):
        title, *options = [part.strip() for part in line.replace("|", "｜").split("｜")]
        options = [one for one in options if one]
        if not 2 <= len(title) <= 100:
            problems.append(f"第 {number} 题：题目应为 2 至 100 个字。")
        elif len(options) == 1 or len(options) > OPTIONS_MOST:
            problems.append(f"第 {number} 题：选择题应有 2 至 {OPTIONS_MOST} 个选项；不写选项就是文字题。")
        elif len(set(options)) < len(options) or any(len(one) > 40 for one in options):
            problems.append(f"第 {number} 题：选项不能重复，每项最多 40 个字。")
        else:
            questions.append(Question(key=f"{prefix}{number}", title=title, options=options))
    if len(lines) > QUESTIONS_MOST:
        problems.append(f"最多 {QUESTIONS_MOST} 题，现有 {len(lines)} 题。")
    if problems:
        raise Invalid(fields=[FieldError("questions", "".join(problems))])
    return questions


def check_answers(questions: Sequence[Question], given: Mapping[str, str]) -> dict[str, str]:
    """The answers as they are kept. Raises Invalid with the place of each that is missing, not offered, too long, or to nothing."""
    known = {one.key for one in questions}
    problems = [
        FieldError(f"answers.{key}", "没有这个问题，请刷新后重新填写。") for key in given.keys() - known
    ]
    kept = {}
    for question in questions:
        answer = given.get(question.key, "").strip()
        if question.options and answer not in question.options:
            problems.append(FieldError(f"answers.{question.key}", "请选择一项。"))
        elif len(answer) > TEXT_LONGEST:
            problems.append(FieldError(f"answers.{question.key}", f"最多 {TEXT_LONGEST} 个字。"))
        elif answer:
            kept[question.key] = answer
    if problems:
        raise Invalid(
            "需求调查还有问题没有填好，请补充后再提交。", fields=sorted(problems, key=lambda one: one.place)
        )
    return kept


# ---- discipline, pledge and arrival (article 10)

DISCIPLINE_VERSION = 1
DISCIPLINE: tuple[tuple[str, str], ...] = (
    (
        "第十条",
        "严格遵守党的纪律和法律法规，落实中央八项规定精神，遵守学习培训、安全保密和廉洁自律的各项规定。",
    ),
    (
        "第十一条",
        "培训不安排在中央明令禁止的风景名胜区和高档宾馆，不借培训旅游，培训期间不聚会聚餐、不违规请客送礼、不公款吃喝。",
    ),
    (
        "第十二条",
        "食宿由培训机构统一安排，教学活动日不私自在外住宿、不饮酒，不参加可能影响培训的宴请和娱乐，不与培训机构和授课教师互相宴请。",
    ),
    (
        "第十三条",
        "端正培训态度，学习成果和考核由本人完成，不请人代劳，不抄袭他人成果；教师和培训机构不得违规帮助通过考核或改动成绩。",
    ),
    (
        "第十四条",
        "培训期间和结束以后，不借培训名义谋取私利，不以培训班、同学、师生等名义拉关系、组织联谊活动。",
    ),
    ("第十五条", "不接受、不赠送礼品、礼金和有价证券，不以学习交流、对口走访等名义互请旅游。"),
)
"""Chapter 4 of the guide in short, as trainees pledge it. Another wording is another version: a pledge says which one it was."""
PLEDGE = "我已阅读以上培训纪律要求，承诺在报到、学习和考核的全过程中严格遵守；如有违反，愿意接受处理。"
USUAL_THINGS = "本人身份证原件；工作单位同意参加培训的证明；任教课程的教学资料；笔记本电脑。"
"""What to bring, where the institution writes nothing else."""


class PledgeOutdated(Conflict):
    slug = "pledge-outdated"
    title = "承诺书已更新"
    default_detail = "承诺书的内容有更新，请重新阅读后再签署。"


class PledgeMissing(Conflict):
    slug = "pledge-missing"
    title = "还没有签署承诺书"
    default_detail = "请学员先在小程序中签署承诺书；已在纸上签署的，请勾选“已签纸质承诺书”后再办理报到。"


def require_current_pledge(text_version: int) -> None:
    if text_version != DISCIPLINE_VERSION:
        raise PledgeOutdated()


DIGITS_FEWEST = 4
"""Of a number that is looked for at the desk: the last four, which a card shows at its end."""


def is_called(words: str, name: str, id_number_masked: str) -> bool:
    """Whether somebody at the desk is meant: by part of the name, by the end of the number, or by the whole of it as far as it is shown."""
    number = bare_id_number(words)
    if len(number) == len(id_number_masked):
        return mask_id_number(number) == id_number_masked
    if len(number) >= DIGITS_FEWEST and number[:-1].isdecimal():
        return id_number_masked[-DIGITS_FEWEST:] == number[-DIGITS_FEWEST:]
    wanted = folded(words)
    return bool(wanted) and wanted in folded(name)


class ArrivalStands(Conflict):
    slug = "arrival-stands"
    title = "报到不能再撤销"


def require_may_undo(arrived_at: datetime | None, now: datetime, *, checked_in: bool) -> None:
    """A slip is taken back on the day it was made, before the person has checked in; later the record stands. Raises ArrivalStands."""
    if arrived_at is None:
        raise ArrivalStands("该学员还没有报到，无需撤销。")
    if beijing_date(arrived_at) != beijing_date(now):
        raise ArrivalStands(f"报到登记于 {beijing_date(arrived_at)}，只能在当天撤销。")
    if checked_in:
        raise ArrivalStands("该学员已有签到记录（含作废的），报到不能再撤销。不再参加的，请办理退训。")


def may_undo(arrived_at: datetime | None, now: datetime, *, checked_in: bool) -> bool:
    try:
        require_may_undo(arrived_at, now, checked_in=checked_in)
    except ArrivalStands:
        return False
    return True
