"""What happens in the demonstration, in its order, through the services that everybody uses."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from server.accounts import fictional, phones
from server.accounts.fictional import FictionalPerson, roster_of
from server.accounts.phones import PhoneAuthenticator, RealName
from server.admissions import arrival
from server.applications import service as applications
from server.applications.service import ApplicationDraft, Approval, VenueDraft
from server.assessment import grading, submissions, tasks
from server.assessment import service as assessment
from server.assessment.documents import Task
from server.assessment.grading import GradeRequest
from server.assessment.rules import TaskKind
from server.assessment.submissions import SubmissionDraft
from server.assessment.tasks import CriterionDraft, TaskDraft
from server.attendance import codes, rolls, rules, timetable
from server.attendance import service as attendance
from server.attendance.check_in import CheckInDesk, Scan
from server.attendance.documents import TeachingSession
from server.attendance.rolls import LateRegistration
from server.attendance.rules import HalfDay
from server.attendance.timetable import SessionDraft
from server.backbone import service as backbone
from server.backbone.service import Registration
from server.certificates import issue as certificates
from server.classes import roster_import
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.demonstration.phones import subscribe
from server.duties import service as duties
from server.duties.rules import Way
from server.duties.service import GuidanceDraft
from server.institutions import qualifications
from server.institutions.qualifications import Confirmation
from server.institutions.rules import Level
from server.invitations import service as invitations
from server.invitations.rules import Kind
from server.invitations.service import InvitationDraft
from server.kernel.clock import BEIJING, FixedClock, beijing_date
from server.kernel.identity import Actor
from server.kernel.paper import render
from server.kernel.platform import Platform
from server.kernel.reviews import Review
from server.plans import service as plans
from server.plans.documents import Plan
from server.plans.rules import PlanItem
from server.plans.service import ItemDraft, PlanDraft
from server.qualification import service as cases
from server.qualification.review import review
from server.qualification.service import StatementDraft
from server.schemes import service as schemes
from server.schemes.content import Content, CourseRow, SessionRow, TaskRow
from server.selection import service as selection
from server.selection.pool import refresh_figures
from server.selection.service import NomineeDraft
from server.surveys import service as surveys
from server.surveys.rules import QuestionKind
from server.surveys.service import SurveyDraft
from server.wechat.world import World

COURSES = ["工学一体化课程教学实施", "工学一体化课程考核实施", "教学场所使用管理"]
HALF_DAYS = [HalfDay("上午", time(8, 30), time(12, 0), 4), HalfDay("下午", time(14, 0), time(17, 30), 4)]
EVERY_DAY = list(range(7))
SUBSCRIBED = ("enrolled", "invitation-sent", "results-released", "survey-opened", "certificate-issued")
"""What each phone has agreed to hear of through WeChat, once."""
SEED = 20221130


@dataclass(frozen=True)
class _Teacher:
    person_id: str
    actor: Actor


@dataclass(frozen=True)
class _Class:
    item: TrainingClass
    teacher: Actor
    trainees: list[Actor]


@dataclass(frozen=True)
class _Planned:
    plan: Plan
    item: PlanItem


class Life:
    """Everything that happens, in its order."""

    def __init__(
        self, platform: Platform, wechat: World, centre: Actor, province: Actor, officer: Actor
    ) -> None:
        self._platform = platform
        self._wechat = wechat
        self._centre = centre
        self._province = province
        self._officer = officer
        self._chance = random.Random(SEED)  # noqa: S311 - the same story each time
        self._now = platform.clock.now()
        self._today = beijing_date(self._now)

    async def live(self) -> None:
        teachers = await self._fill_pool(self._day(-60))
        first, second, *_ = await self._plan(self._day(-58))
        held = await self._finished_class(first, teachers[0])
        await self._running_class(second, teachers[1])
        await self._guide(held)
        await self._select()
        await self._review()

    # ---- time

    def _day(self, days: int, at: time = time(9, 0)) -> datetime:
        """A moment in Beijing so many days from today."""
        return datetime.combine(self._today + timedelta(days=days), at, BEIJING)

    def _at(self, moment: datetime) -> Platform:
        """The platform as it was, or will be, at a moment."""
        return dataclasses.replace(self._platform, clock=FixedClock(moment))

    # ---- people

    async def _fill_pool(self, moment: datetime) -> list[_Teacher]:
        """Six backbone teachers; the first two come with their phones."""
        people = [fictional.make_person(seed) for seed in range(6)]
        units = ("邢台技师学院", "承德市高级技工学校")
        ids = [
            await self._register(moment, person, units[number % 2], ["01", "02"] if number < 3 else ["03"])
            for number, person in enumerate(people)
        ]
        return [
            _Teacher(person_id, await self._phone(moment, f"demo-teacher-{number}", person))
            for number, (person_id, person) in enumerate(zip(ids[:2], people, strict=False))
        ]

    async def _register(
        self, moment: datetime, person: FictionalPerson, unit: str, majors: Sequence[str]
    ) -> str:
        wanted = Registration(
            name=person.name,
            id_number=person.id_number,
            province_code="13",
            work_unit=unit,
            majors=list(majors),
        )
        return (await backbone.register(self._at(moment), self._centre, wanted)).id

    async def _phone(self, moment: datetime, openid: str, person: FictionalPerson) -> Actor:
        then = self._at(moment)
        session = await phones.log_in(then, self._wechat.give_code(openid))
        authenticator = PhoneAuthenticator(then)
        claimed = RealName(name=person.name, id_number=person.id_number, consent_version="2026-11")
        await phones.bind_real_name(then, await authenticator.actor_of(session.token), claimed)
        actor = await authenticator.actor_of(session.token)
        await subscribe(then, actor, self._wechat.grant, SUBSCRIBED)
        return actor

    # ---- the plan, and a class from it

    async def _plan(self, moment: datetime) -> list[_Planned]:
        """What 邢台 plans, a plan for each year that is concerned, approved by 河北; in the order of the days."""
        planned: list[_Planned] = []
        firsts = [self._today + timedelta(days=days) for days in (-40, -5, 30)]
        for year in sorted({first.year for first in firsts}):
            items = [_item(number, first) for number, first in enumerate(firsts) if first.year == year]
            then = self._at(moment)
            plan = await plans.begin(then, self._officer, year)
            plan = await plans.amend(then, self._officer, plan.id, PlanDraft(items=items), len(plan.history))
            plan = await plans.submit(then, self._officer, plan.id, len(plan.history))
            reviewed = self._at(moment + timedelta(days=2))
            plan = await plans.approve(reviewed, self._province, plan.id, Review(seen=len(plan.history)))
            planned += [_Planned(plan, item) for item in plan.items]
        return planned

    async def _apply(self, planned: _Planned, first: date, last: date, room: str) -> TrainingClass:
        """The class of an item of the plan, applied for and approved."""
        applied = self._at(datetime.combine(first - timedelta(days=12), time(9, 0), BEIJING))
        draft = ApplicationDraft(
            name=planned.item.title,
            starts_on=first,
            ends_on=last,
            places=planned.item.places,
            class_hours=80,
            courses=COURSES,
            venue=VenueDraft(name=room, address="河北省邢台市信都区示例路 1 号"),
        )
        new = await applications.apply(applied, self._officer, planned.plan.id, planned.item.id, draft)
        reviewed = self._at(datetime.combine(first - timedelta(days=11), time(15, 0), BEIJING))
        done = await applications.approve(reviewed, self._province, new.id, Approval(seen=len(new.history)))
        assert done.class_id is not None
        return await classes.get_class(self._platform, self._officer, done.class_id)

    async def _open(self, new: TrainingClass, teacher: _Teacher, first_seed: int, trainees: int) -> _Class:
        """Teacher and trainees of a class come together; everybody reports on the first morning."""
        opened = datetime.combine(new.starts_on - timedelta(days=10), time(9, 0), BEIJING)
        then = self._at(opened)
        await self._invite(then, new.id, teacher)
        people = [fictional.make_person(seed) for seed in range(first_seed, first_seed + trainees)]
        preview = await roster_import.preview_roster(
            then, self._officer, new.id, "参训教师名册.xlsx", roster_of(people)
        )
        await roster_import.confirm_roster(then, self._officer, preview.id)
        actors = [
            await self._phone(opened, f"demo-trainee-{first_seed + number}", person)
            for number, person in enumerate(people)
        ]
        morning = self._at(datetime.combine(new.starts_on, time(7, 30), BEIJING))
        for actor in actors:
            await arrival.confirm_arrival(morning, self._officer, new.id, actor.id, pledge_on_paper=True)
        return _Class(new, teacher.actor, actors)

    async def _invite(self, then: Platform, class_id: str, teacher: _Teacher) -> None:
        """To teach and to assess; the teacher accepts both."""
        for kind in Kind:
            draft = InvitationDraft(kind=kind, teacher_ids=[teacher.person_id])
            [sent] = await invitations.send(then, self._officer, class_id, draft)
            await invitations.accept(then, teacher.actor, sent.id)

    # ---- the class that is over

    async def _finished_class(self, planned: _Planned, teacher: _Teacher) -> _Class:
        first, last = self._today - timedelta(days=40), self._today - timedelta(days=31)
        held = await self._open(
            await self._apply(planned, first, last, "实训楼 301"),
            teacher,
            first_seed=100,
            trainees=24,
        )
        deadline = datetime.combine(last, time(18, 0), BEIJING)
        await self._file_scheme(held, _timetable(first, last, "实训楼 301"), _tasks(deadline))
        often_away = held.trainees[-1]
        for session in await self._sessions(held):
            away = {often_away.id} if self._chance.random() < 0.4 else set[str]()
            await self._attend(held, session, away)
        for task in await tasks.tasks_of_class(self._platform, held.item.id):
            await self._work(held, task, deadline - timedelta(hours=20), handed_in=24, graded=24)
        await self._rate(held, datetime.combine(last, time(9, 0), BEIJING), answered=21)
        after = self._at(datetime.combine(last + timedelta(days=2), time(10, 0), BEIJING))
        await surveys.close_survey(after, self._officer, held.item.id)
        await assessment.release(after, self._officer, held.item.id)
        await certificates.issue_certificates(after, self._officer, held.item.id)
        return held

    # ---- the class in the middle of its life

    async def _running_class(self, planned: _Planned, teacher: _Teacher) -> None:
        first, last = self._today - timedelta(days=5), self._today + timedelta(days=6)
        held = await self._open(
            await self._apply(planned, first, last, "实训楼 405"),
            teacher,
            first_seed=200,
            trainees=30,
        )
        yesterday, tomorrow = self._today - timedelta(days=1), self._today + timedelta(days=1)
        room = "实训楼 405"
        finished, going_on, summative = (
            draft.model_copy(update={"deadline": deadline})
            for draft, deadline in zip(
                _tasks(self._now),
                (self._day(-1, time(18, 0)), self._day(3, time(18, 0)), self._day(6, time(18, 0))),
                strict=True,
            )
        )
        now = self._session_of_now(room)
        rows = [*_timetable(first, yesterday, room), now, *_timetable(tomorrow, last, room)]
        await self._file_scheme(held, rows, [finished, going_on, summative])
        for session in await self._sessions(held):
            if session.starts_at == now.starts_at:
                await self._go_on(held, session)
            elif session.closes_at < self._now:
                await self._attend(held, session, set())
        first_task, second_task, _ = await tasks.tasks_of_class(self._platform, held.item.id)
        await self._work(held, first_task, self._day(-1, time(8, 0)), handed_in=27, graded=16)
        await self._work(held, second_task, self._day(-1, time(20, 0)), handed_in=9, graded=0)
        await self._rate(held, self._day(-1, time(12, 0)), answered=6, until=self._day(6, time(20, 0)))

    def _session_of_now(self, room: str) -> SessionRow:
        return SessionRow(
            title="今日课次 研讨与答疑",
            course=COURSES[0],
            place=room,
            starts_at=max(self._now - timedelta(minutes=12), self._day(0, time(0, 0))),
            ends_at=min(self._now + timedelta(hours=3), self._day(0, time(23, 59))),
            hours=4,
        )

    async def _go_on(self, held: _Class, session: TeachingSession) -> None:
        """A session that is going on, open until its end: two thirds of the class are in, and the screen has a code to show."""
        told = session.model_dump(include={"title", "course", "place", "starts_at", "ends_at", "hours"})
        wanted = SessionDraft(
            **told,
            opens_at=session.opens_at,
            late_after=session.late_after,
            closes_at=session.ends_at,
        )
        before = self._at(session.starts_at - timedelta(days=1))
        session = await timetable.change_session(before, self._officer, held.item.id, session.id, wanted)
        await self._check_in(held, session, held.trainees[:18], session.starts_at - timedelta(minutes=6))
        await self._check_in(held, session, held.trainees[18:20], session.starts_at + timedelta(minutes=8))

    async def _file_scheme(
        self, held: _Class, rows: Sequence[SessionRow], drafts: Sequence[TaskDraft]
    ) -> None:
        """In the week before the class the scheme is drafted, signed by the teacher and approved: sessions and tasks come of it."""
        hours: Counter[str] = Counter()
        for row in rows:
            hours[row.course] += row.hours
        content = Content(
            objectives="能独立实施一门工学一体化课程的教学与考核，并管理好教学场所。",
            courses=tuple(
                CourseRow(title=title, hours=count, teacher_id=held.teacher.id)
                for title, count in hours.items()
            ),
            sessions=tuple(rows),
            tasks=tuple(TaskRow.model_validate(draft.model_dump()) for draft in drafts),
            places=f"{rows[0].place}，数控车床 20 台，投影和分组桌椅。",
            materials="《工学一体化课程教学实施》讲义，各校自带一门课程的工作页。",
            formative_weight=0,  # saving writes the policy's
        )
        begins = datetime.combine(held.item.starts_on, time(9, 0), BEIJING)
        then, signed, filed, reviewed = (self._at(begins - timedelta(days=days)) for days in (8, 6, 5, 3))
        class_id = held.item.id
        version = (await schemes.save(then, self._officer, class_id, content, 0)).version
        await schemes.send_for_signature(then, self._officer, class_id, version)
        await schemes.sign(signed, held.teacher, class_id, version)
        await schemes.file(filed, self._officer, class_id, version)
        await schemes.approve(reviewed, self._province, class_id, version)

    # ---- what a class does

    async def _sessions(self, held: _Class) -> list[TeachingSession]:
        listed = await attendance.sessions_of_class(self._platform, self._officer, held.item.id)
        return [row.item for row in listed.rows]

    async def _attend(self, held: _Class, session: TeachingSession, away: set[str]) -> None:
        """Nearly everybody comes, some late, one with a dead phone."""
        late: list[Actor] = []
        coming: list[Actor] = []
        for trainee in held.trainees:
            luck = self._chance.random()
            if trainee.id in away or luck < 0.02:
                continue
            (late if luck < 0.06 else coming).append(trainee)
        await self._check_in(held, session, coming, session.starts_at - timedelta(minutes=7))
        await self._check_in(held, session, late, session.late_after + timedelta(minutes=2))
        if self._chance.random() < 0.2:
            wanted = LateRegistration(person_id=held.trainees[0].id, reason="手机没电，班主任现场核对本人")
            there = self._at(session.closes_at - timedelta(minutes=1))
            if held.trainees[0] not in (*late, *coming):
                await rolls.register_late(there, self._officer, held.item.id, session.id, wanted)

    async def _check_in(
        self, held: _Class, session: TeachingSession, who: Sequence[Actor], moment: datetime
    ) -> None:
        then = self._at(moment)
        shown = await codes.code_for_phone(then, held.teacher, session.id)
        desk = CheckInDesk(then)
        await asyncio.gather(
            *(desk.check_in(one, Scan(shown.code, f"demo-{one.id}", device=f"demo-{one.id}")) for one in who)
        )

    async def _work(self, held: _Class, task: Task, moment: datetime, *, handed_in: int, graded: int) -> None:
        for number, trainee in enumerate(held.trainees[:handed_in]):
            then = self._at(moment + timedelta(minutes=7 * number))
            upload = await submissions.begin_upload(then, trainee, task.id)
            text = f"《{task.title}》由本人结合所在院校的教学现场完成，重点说明任务分析、教学流程与评价方式。"
            if number % 3 == 0:
                await upload.begin(f"{task.title}.txt")
                await upload.write((text * 12).encode())
                await upload.end()
            draft = SubmissionDraft(own_work=True, text=text, nonce=f"demo-work-{number:03d}")
            submission, _ = await submissions.hand_in(then, trainee, task.id, draft, upload)
            if number < graded:
                scores = {c.key: self._chance.randint(c.points * 7 // 10, c.points) for c in task.criteria}
                comment = "任务分析到位，建议补充过程性评价的证据。"
                await grading.grade_submission(
                    self._at(moment + timedelta(hours=6)),
                    held.teacher,
                    submission.id,
                    GradeRequest(scores=scores, comment=comment),
                )

    async def _rate(
        self, held: _Class, moment: datetime, *, answered: int, until: datetime | None = None
    ) -> None:
        then = self._at(moment)
        draft = SurveyDraft(opens_at=moment, closes_at=until or moment + timedelta(days=5))
        survey = await surveys.open_survey(then, self._officer, held.item.id, draft)
        for trainee in self._chance.sample(held.trainees, answered):
            answers: dict[str, Any] = {
                question.key: self._chance.choice((2, 3, 3, 3))
                for question in survey.questions
                if question.kind is QuestionKind.SCALE
            }
            await surveys.answer_survey(self._at(moment + timedelta(hours=2)), trainee, survey.id, answers)

    # ---- after the class: guidance, the next backbone teachers, dynamic management

    async def _guide(self, held: _Class) -> None:
        """The teacher has helped two trainees since; one has said so."""
        told = (
            (Way.ONLINE, "帮助修改学习任务设计，补充评价标准。"),
            (Way.TELEPHONE, "讨论过程性考核的评分点。"),
        )
        for number, (way, about) in enumerate(told):
            trainee, then = held.trainees[number], self._at(self._day(number - 4, time(20, 0)))
            draft = GuidanceDraft(
                class_id=held.item.id,
                trainee_id=trainee.id,
                given_on=self._today + timedelta(days=number - 4),
                way=way,
                about=about,
                minutes=40,
                nonce=f"demo-guidance-{number}",
            )
            guidance, _ = await duties.log_guidance(then, held.teacher, draft)
            if number == 0:
                await duties.confirm(then, trainee, guidance.id)

    async def _select(self) -> None:
        """河北 has recommended two teachers for the selection; the centre has accepted one of them."""
        for number, accepted in enumerate((True, False)):
            person = fictional.make_person(300 + number)
            then = self._at(self._day(-20))
            draft = NomineeDraft(
                name=person.name,
                id_number=person.id_number,
                work_unit="邢台技师学院",
                major="01",
                years_of_teaching=9 + number,
                post="高级讲师",
                opinion="教学能力强，主持过工学一体化课程改革，师德良好，同意推荐。",
            )
            recommended = await selection.begin(then, self._province, draft)
            form = f"推荐表（演示）{number + 1}"
            await selection.add_paper(then, self._province, recommended.id, f"{form}.pdf", await _paper(form))
            recommended = await selection.submit(then, self._province, recommended.id)
            if accepted:
                seen = Review(seen=len(recommended.history))
                await selection.accept(self._at(self._day(-15)), self._centre, recommended.id, seen)

    async def _review(self) -> None:
        """What the daily review makes of a teacher and a base that did nothing for two years, and of a teacher who nearly did."""
        idle, nearly = fictional.make_person(310), fictional.make_person(311)
        long_ago = self._today.replace(day=1) - timedelta(days=760)
        await self._register(self._moment(long_ago), idle, "承德市高级技工学校", ["01"])
        await self._register(self._moment(long_ago + timedelta(days=100)), nearly, "邢台技师学院", ["02"])
        confirmed = Confirmation(
            majors=["01", "03"],
            valid_from=long_ago,
            valid_to=long_ago.replace(year=long_ago.year + 3),
            reason="按公布文件核定",
        )
        await qualifications.confirm(self._at(self._day(-30)), self._centre, "008", 1, confirmed)
        await surveys.tally_closed(self._platform)
        await refresh_figures(self._platform)
        await review(self._at(self._day(-6, time(5, 0))))
        phone = await self._phone(self._day(-5), "demo-teacher-idle", idle)
        [case] = (await cases.my_standing(self._platform, phone)).cases
        told = StatementDraft(
            text="这两年被派往对口支援院校任教，未能承担培训任务，已附单位说明，今年下半年可以授课。"
        )
        await cases.state_own(self._at(self._day(-4)), phone, case.id, told)

    def _moment(self, day: date) -> datetime:
        return datetime.combine(day, time(9, 0), BEIJING)


async def _paper(title: str) -> bytes:
    return await render(Path(__file__).with_name("paper.typ"), {"title": title})


def _item(number: int, first: date) -> ItemDraft:
    ordinal = "一二三"[number]
    return ItemDraft(
        level=Level.THREE,
        major="01",
        title=f"{first.year}年{first.month}月机械类三级教师培训班（第{ordinal}期）",
        month=first.month,
        places=40,
        class_hours=80,
        budget_fen=9_600_000,
    )


def _timetable(first: date, last: date, room: str) -> list[SessionRow]:
    """Two half days of each day; the courses follow one another in equal parts."""
    return [
        SessionRow(**vars(slot), place=room)
        for slot in rules.timetable(first, last, EVERY_DAY, HALF_DAYS, COURSES)
    ]


def _tasks(deadline: datetime) -> list[TaskDraft]:
    criteria = [
        CriterionDraft(title="学习任务分析", points=40),
        CriterionDraft(title="教学活动设计", points=40),
        CriterionDraft(title="表达与规范", points=20),
    ]
    titles = (
        ("工学一体化课程教学设计", TaskKind.FORMATIVE, "任选一个学习任务，写出完整的教学活动设计。"),
        ("学习任务考核方案", TaskKind.FORMATIVE, "为同一学习任务设计过程性与终结性考核。"),
        ("示范课说课", TaskKind.SUMMATIVE, "提交说课稿，现场说课 10 分钟。"),
    )
    return [
        TaskDraft(title=title, instructions=words, kind=kind, deadline=deadline, criteria=criteria)
        for title, kind, words in titles
    ]
