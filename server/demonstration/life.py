"""What happens in the demonstration, in its order, through the services that everybody uses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from server.accounts import fictional
from server.accounts.fictional import roster_of
from server.admissions import arrival
from server.admissions import service as admissions
from server.admissions.service import EnrolmentDraft
from server.applications import service as applications
from server.applications.service import ApplicationDraft, Approval, VenueDraft
from server.assessment import service as assessment
from server.assessment import tasks
from server.certificates import issue as certificates
from server.certificates import signing
from server.classes import roster_import
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.rules import Kind
from server.demonstration import after_issue
from server.demonstration.held_class import COURSES, HeldClass, task_drafts, timetable_rows
from server.demonstration.stage import Stage
from server.duties import service as duties
from server.duties.rules import Way
from server.duties.service import GuidanceDraft
from server.institutions import qualifications
from server.institutions.qualifications import Confirmation
from server.institutions.rules import Level
from server.invitations import service as invitations
from server.invitations.service import InvitationDraft
from server.kernel.clock import BEIJING, beijing_date
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
from server.schemes.content import SessionRow
from server.selection import service as selection
from server.selection.pool import refresh_figures
from server.selection.service import NomineeDraft
from server.surveys import service as surveys
from server.surveys import tallies as survey_tallies

HALF_A_DAY = timedelta(hours=3, minutes=12)
"""Of four class hours of 45 minutes, with a break."""


@dataclass(frozen=True)
class _Teacher:
    person_id: str
    actor: Actor


@dataclass(frozen=True)
class _Planned:
    plan: Plan
    item: PlanItem


class Life:
    """Everything that happens, in its order."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def live(self) -> None:
        teachers = await self._fill_pool(self._stage.day(-60))
        first, second, third = await self._plan(self._stage.day(-58))
        await after_issue.seal(self._stage)
        held = await self._finished_class(first, teachers[0])
        await self._running_class(second, teachers[1])
        await self._coming_class(third, *teachers)
        await self._guide(held)
        await after_issue.forged(self._stage, await after_issue.lost(self._stage, held.trainees[1]))
        await self._select()
        await self._review()

    # ---- people

    async def _fill_pool(self, moment: datetime) -> list[_Teacher]:
        """Six backbone teachers; the first two come with their phones."""
        people = [fictional.make_person(seed) for seed in range(6)]
        units = ("邢台技师学院", "承德市高级技工学校")
        ids = [
            await self._stage.register(
                moment, person, units[number % 2], ["01", "02"] if number < 3 else ["03"]
            )
            for number, person in enumerate(people)
        ]
        return [
            _Teacher(person_id, await self._stage.phone(moment, f"demo-teacher-{number}", person))
            for number, (person_id, person) in enumerate(zip(ids[:2], people, strict=False))
        ]

    # ---- the plan, and a class from it

    async def _plan(self, moment: datetime) -> list[_Planned]:
        """What 邢台 plans, a plan for each year that is concerned, approved by 河北; in the order of the days."""
        planned: list[_Planned] = []
        firsts = [self._stage.today + timedelta(days=days) for days in (-40, -5, 30)]
        for year in sorted({first.year for first in firsts}):
            items = [_item(number, first) for number, first in enumerate(firsts) if first.year == year]
            then = self._stage.at(moment)
            plan = await plans.begin(then, self._stage.officer, year, PlanDraft(items=items))
            plan = await plans.submit(then, self._stage.officer, plan.id, len(plan.history))
            reviewed = self._stage.at(moment + timedelta(days=2))
            plan = await plans.approve(
                reviewed, self._stage.province, plan.id, Review(seen=len(plan.history))
            )
            planned += [_Planned(plan, item) for item in plan.items]
        return planned

    async def _apply(
        self, planned: _Planned, first: date, last: date, room: str, ahead: int = 12
    ) -> TrainingClass:
        """The class of an item of the plan, applied for so many days ahead, and approved on the next."""
        applied = self._stage.at(datetime.combine(first - timedelta(days=ahead), time(9, 0), BEIJING))
        draft = ApplicationDraft(
            name=planned.item.title,
            starts_on=first,
            ends_on=last,
            places=planned.item.places,
            class_hours=80,
            courses=COURSES,
            venue=VenueDraft(name=room, address="河北省邢台市信都区示例路 1 号"),
        )
        new = await applications.apply(applied, self._stage.officer, planned.plan.id, planned.item.id, draft)
        reviewed = self._stage.at(datetime.combine(first - timedelta(days=ahead - 1), time(15, 0), BEIJING))
        done = await applications.approve(
            reviewed, self._stage.province, new.id, Approval(seen=len(new.history))
        )
        assert done.class_id is not None
        return await classes.get_class(self._stage.platform, self._stage.officer, done.class_id)

    async def _open(self, new: TrainingClass, teacher: _Teacher, first_seed: int, trainees: int) -> HeldClass:
        """Teacher and trainees of a class come together; everybody reports on the first morning."""
        opened = datetime.combine(new.starts_on - timedelta(days=10), time(9, 0), BEIJING)
        then = self._stage.at(opened)
        await self._invite(then, new.id, teacher)
        people = [fictional.make_person(seed) for seed in range(first_seed, first_seed + trainees)]
        preview = await roster_import.preview_roster(
            then, self._stage.officer, new.id, "参训教师名册.xlsx", roster_of(people)
        )
        await roster_import.confirm_roster(then, self._stage.officer, preview.id)
        actors = [
            await self._stage.phone(opened, f"demo-trainee-{first_seed + number}", person)
            for number, person in enumerate(people)
        ]
        morning = self._stage.at(datetime.combine(new.starts_on, time(7, 30), BEIJING))
        for actor in actors:
            await arrival.confirm_arrival(
                morning, self._stage.officer, new.id, actor.id, pledge_on_paper=True
            )
        return HeldClass(self._stage, new, teacher.actor, actors)

    async def _invite(self, then: Platform, class_id: str, teacher: _Teacher) -> None:
        """To teach and to assess; the teacher accepts both."""
        for kind in Kind:
            draft = InvitationDraft(kinds=[kind], teacher_ids=[teacher.person_id])
            [sent] = await invitations.send(then, self._stage.officer, class_id, draft)
            await invitations.accept(then, teacher.actor, sent.id)

    # ---- the class that is over

    async def _finished_class(self, planned: _Planned, teacher: _Teacher) -> HeldClass:
        first, last = self._stage.today - timedelta(days=40), self._stage.today - timedelta(days=31)
        held = await self._open(
            await self._apply(planned, first, last, "实训楼 301"),
            teacher,
            first_seed=100,
            trainees=24,
        )
        deadline = datetime.combine(last, time(18, 0), BEIJING)
        await held.file_scheme(timetable_rows(first, last, "实训楼 301"), task_drafts(deadline))
        often_away = held.trainees[-1]
        for session in await held.sessions():
            away = {often_away.id} if self._stage.chance.random() < 0.4 else set[str]()
            await held.attend(session, away)
        for task in await tasks.tasks_of_class(self._stage.platform, held.item.id):
            await held.work(task, deadline - timedelta(hours=20), handed_in=24, graded=24)
        await held.rate(datetime.combine(last, time(19, 0), BEIJING), answered=21)
        after = self._stage.at(datetime.combine(last + timedelta(days=4), time(10, 0), BEIJING))
        await surveys.close_survey(after, self._stage.officer, held.item.id)
        await assessment.release(after, self._stage.officer, held.item.id)
        await certificates.issue_certificates(after, self._stage.officer, held.item.id)
        await signing.sign_waiting(after)
        return held

    # ---- the class in the middle of its life

    async def _running_class(self, planned: _Planned, teacher: _Teacher) -> None:
        first, last = self._stage.today - timedelta(days=5), self._stage.today + timedelta(days=5)
        held = await self._open(
            await self._apply(planned, first, last, "实训楼 405"),
            teacher,
            first_seed=200,
            trainees=30,
        )
        room = "实训楼 405"
        finished, going_on, summative = (
            draft.model_copy(update={"deadline": deadline})
            for draft, deadline in zip(
                task_drafts(self._stage.now),
                (
                    self._stage.day(-1, time(18, 0)),
                    self._stage.day(3, time(18, 0)),
                    self._stage.day(5, time(18, 0)),
                ),
                strict=True,
            )
        )
        now = self._session_of_now(room)
        others = [
            row
            for row in timetable_rows(first, last, room)
            if beijing_date(row.starts_at) != self._stage.today
        ]
        rows = [*others[:-1], now]  # today holds one half day, the last day the other: 80 hours
        await held.file_scheme(rows, [finished, going_on, summative])
        for session in await held.sessions():
            if session.starts_at == now.starts_at:
                await held.go_on(session)
            elif session.closes_at < self._stage.now:
                await held.attend(session, set())
        first_task, second_task, _ = await tasks.tasks_of_class(self._stage.platform, held.item.id)
        await held.work(first_task, self._stage.day(-1, time(8, 0)), handed_in=27, graded=16)
        await held.work(second_task, self._stage.day(-1, time(20, 0)), handed_in=9, graded=0)

    def _session_of_now(self, room: str) -> SessionRow:
        """It has begun and will go on for some time; around midnight it has begun earlier or later, so that it lies in one day."""
        begun = min(self._stage.now - timedelta(minutes=12), self._stage.day(0, time(23, 59)) - HALF_A_DAY)
        starts_at = max(begun, self._stage.day(0, time(0, 0)))
        return SessionRow(
            title="今日课次 研讨与答疑",
            course=COURSES[0],
            place=room,
            starts_at=starts_at,
            ends_at=starts_at + HALF_A_DAY,
            hours=4,
        )

    # ---- the class that is being prepared

    async def _coming_class(self, planned: _Planned, writer: _Teacher, invited: _Teacher) -> None:
        """Teachers may apply on their phones; one teacher has the scheme before them to sign, another an invitation to answer."""
        first, last = self._stage.today + timedelta(days=30), self._stage.today + timedelta(days=39)
        room = "实训楼 302"
        new = await self._apply(planned, first, last, room, ahead=36)
        then = self._stage.at(self._stage.day(-3))
        await self._invite(then, new.id, writer)
        prepared = HeldClass(self._stage, new, writer.actor, [])
        deadline = datetime.combine(last, time(18, 0), BEIJING)
        await prepared.draft_scheme(then, timetable_rows(first, last, room), task_drafts(deadline))
        asked = InvitationDraft(
            kinds=[Kind.TEACHING], teacher_ids=[invited.person_id], message="请讲授考核实施部分，四个半天。"
        )
        await invitations.send(self._stage.at(self._stage.day(-1)), self._stage.officer, new.id, asked)
        window = EnrolmentDraft(
            opens=self._stage.day(-2),
            closes=self._stage.day(16, time(18, 0)),
            places=40,
            reporting=f"{first:%-m月%-d日} 8:00 至 9:00，实训楼一层报到处",
        )
        await admissions.open_enrolment(then, self._stage.officer, new.id, window)

    # ---- after the class: guidance, the next backbone teachers, dynamic management

    async def _guide(self, held: HeldClass) -> None:
        """The teacher has helped two trainees since; one has said so."""
        told = (
            (Way.ONLINE, "帮助修改学习任务设计，补充评价标准。"),
            (Way.TELEPHONE, "讨论过程性考核的评分点。"),
        )
        for number, (way, about) in enumerate(told):
            trainee, then = held.trainees[number], self._stage.at(self._stage.day(number - 4, time(20, 0)))
            draft = GuidanceDraft(
                class_id=held.item.id,
                trainee_id=trainee.id,
                given_on=self._stage.today + timedelta(days=number - 4),
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
            then = self._stage.at(self._stage.day(-20))
            draft = NomineeDraft(
                name=person.name,
                id_number=person.id_number,
                work_unit="邢台技师学院",
                major="01",
                years_of_teaching=9 + number,
                post="高级讲师",
                opinion="教学能力强，主持过工学一体化课程改革，师德良好，同意推荐。",
            )
            recommended = await selection.begin(then, self._stage.province, draft)
            form = f"推荐表（演示）{number + 1}"
            await selection.add_paper(
                then, self._stage.province, recommended.id, f"{form}.pdf", await _paper(form)
            )
            recommended = await selection.submit(then, self._stage.province, recommended.id)
            if accepted:
                seen = Review(seen=len(recommended.history))
                await selection.accept(
                    self._stage.at(self._stage.day(-15)), self._stage.centre, recommended.id, seen
                )

    async def _review(self) -> None:
        """What the daily review makes of a teacher and a base that did nothing for two years, and of a teacher who nearly did."""
        idle, nearly = fictional.make_person(310), fictional.make_person(311)
        long_ago = self._stage.today.replace(day=1) - timedelta(days=760)
        await self._stage.register(self._stage.morning(long_ago), idle, "承德市高级技工学校", ["01"])
        await self._stage.register(
            self._stage.morning(long_ago + timedelta(days=100)), nearly, "邢台技师学院", ["02"]
        )
        confirmed = Confirmation(
            majors=["01", "03"],
            valid_from=long_ago,
            valid_to=long_ago.replace(year=long_ago.year + 3),
            reason="按公布文件核定",
        )
        await qualifications.confirm(
            self._stage.at(self._stage.day(-30)), self._stage.centre, "008", 1, confirmed
        )
        await survey_tallies.tally_closed(self._stage.platform)
        await refresh_figures(self._stage.platform)
        await review(self._stage.at(self._stage.day(-6, time(5, 0))))
        phone = await self._stage.phone(self._stage.day(-5), "demo-teacher-idle", idle)
        [case] = (await cases.my_standing(self._stage.platform, phone)).cases
        told = StatementDraft(
            text="这两年被派往对口支援院校任教，未能承担培训任务，已附单位说明，今年下半年可以授课。"
        )
        await cases.state_own(self._stage.at(self._stage.day(-4)), phone, case.id, told)


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
