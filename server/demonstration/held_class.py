"""What a class of the demonstration does: its scheme, its sessions, its work and its survey."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from server.assessment import grading, submissions
from server.assessment.documents import Task
from server.assessment.grading import GradeRequest
from server.assessment.rules import TaskKind
from server.assessment.submissions import SubmissionDraft
from server.assessment.tasks import CriterionDraft, TaskDraft
from server.attendance import codes, rolls, timetable
from server.attendance import rules as attendance_rules
from server.attendance import service as attendance
from server.attendance.check_in import CheckInDesk, Scan
from server.attendance.documents import TeachingSession
from server.attendance.rolls import LateRegistration
from server.attendance.rules import HalfDay
from server.attendance.timetable import SessionDraft
from server.classes.documents import TrainingClass
from server.demonstration.stage import Stage
from server.kernel.clock import BEIJING
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.schemes import service as schemes
from server.schemes.content import Content, CourseRow, SessionRow, TaskRow
from server.surveys import opening as survey_opening
from server.surveys import service as surveys
from server.surveys.opening import SurveyDraft
from server.surveys.rules import QuestionKind

COURSES = ["工学一体化课程教学实施", "工学一体化课程考核实施", "教学场所使用管理"]
HALF_DAYS = [HalfDay("上午", time(8, 30), time(12, 0), 4), HalfDay("下午", time(14, 0), time(17, 30), 4)]
EVERY_DAY = list(range(7))


@dataclass(frozen=True)
class HeldClass:
    """A class with its teacher and its trainees."""

    stage: Stage
    item: TrainingClass
    teacher: Actor
    trainees: list[Actor]

    async def file_scheme(self, rows: Sequence[SessionRow], drafts: Sequence[TaskDraft]) -> None:
        """In the week before the class the scheme is drafted, signed by the teacher and approved: sessions and tasks come of it."""
        begins = datetime.combine(self.item.starts_on, time(9, 0), BEIJING)
        then, signed, filed, reviewed = (
            self.stage.at(begins - timedelta(days=days)) for days in (8, 6, 5, 3)
        )
        class_id = self.item.id
        version = await self.draft_scheme(then, rows, drafts)
        await schemes.sign(signed, self.teacher, class_id, version)
        await schemes.file(filed, self.stage.officer, class_id, version)
        await schemes.approve(reviewed, self.stage.province, class_id, version)

    async def draft_scheme(
        self, then: Platform, rows: Sequence[SessionRow], drafts: Sequence[TaskDraft]
    ) -> int:
        """The institution writes it and sends it to be signed; its version."""
        hours: Counter[str] = Counter()
        for row in rows:
            hours[row.course] += row.hours
        content = Content(
            objectives="能独立实施一门工学一体化课程的教学与考核，并管理好教学场所。",
            courses=tuple(
                CourseRow(title=title, hours=count, teacher_id=self.teacher.id)
                for title, count in hours.items()
            ),
            sessions=tuple(rows),
            tasks=tuple(TaskRow.model_validate(draft.model_dump()) for draft in drafts),
            places=f"{rows[0].place}，数控车床 20 台，投影和分组桌椅。",
            materials="《工学一体化课程教学实施》讲义，各校自带一门课程的工作页。",
            formative_weight=0,  # saving writes the policy's
        )
        version = (await schemes.save(then, self.stage.officer, self.item.id, content, 0)).version
        await schemes.send_for_signature(then, self.stage.officer, self.item.id, version)
        return version

    async def sessions(self) -> list[TeachingSession]:
        listed = await attendance.sessions_of_class(self.stage.platform, self.stage.officer, self.item.id)
        return [row.item for row in listed.rows]

    async def attend(self, session: TeachingSession, away: set[str]) -> None:
        """Nearly everybody comes, some late, one with a dead phone."""
        late: list[Actor] = []
        coming: list[Actor] = []
        for trainee in self.trainees:
            luck = self.stage.chance.random()
            if trainee.id in away or luck < 0.02:
                continue
            (late if luck < 0.06 else coming).append(trainee)
        await self._check_in(session, coming, session.starts_at - timedelta(minutes=7))
        await self._check_in(session, late, session.late_after + timedelta(minutes=2))
        if self.stage.chance.random() < 0.2:
            wanted = LateRegistration(person_id=self.trainees[0].id, reason="手机没电，班主任现场核对本人")
            there = self.stage.at(session.closes_at - timedelta(minutes=1))
            if self.trainees[0] not in (*late, *coming):
                await rolls.register_late(there, self.stage.officer, self.item.id, session.id, wanted)

    async def go_on(self, session: TeachingSession) -> None:
        """A session that is going on, open until its end: two thirds of the class are in, and the screen has a code to show."""
        told = session.model_dump(include={"title", "course", "place", "starts_at", "ends_at", "hours"})
        wanted = SessionDraft(
            **told,
            opens_at=session.opens_at,
            late_after=session.late_after,
            closes_at=session.ends_at,
        )
        before = self.stage.at(session.starts_at - timedelta(days=1))
        session = await timetable.change_session(before, self.stage.officer, self.item.id, session.id, wanted)
        await self._check_in(session, self.trainees[:18], session.starts_at - timedelta(minutes=6))
        late = min(session.starts_at + timedelta(minutes=8), self.stage.now)
        await self._check_in(session, self.trainees[18:20], late)

    async def _check_in(self, session: TeachingSession, who: Sequence[Actor], moment: datetime) -> None:
        then = self.stage.at(moment)
        shown = await codes.code_for_phone(then, self.teacher, session.id)
        desk = CheckInDesk(then)
        await asyncio.gather(
            *(desk.check_in(one, Scan(shown.code, f"demo-{one.id}", device=f"demo-{one.id}")) for one in who)
        )

    async def work(self, task: Task, moment: datetime, *, handed_in: int, graded: int) -> None:
        for number, trainee in enumerate(self.trainees[:handed_in]):
            then = self.stage.at(moment + timedelta(minutes=7 * number))
            upload = await submissions.begin_upload(then, trainee, task.id)
            text = f"《{task.title}》由本人结合所在院校的教学现场完成，重点说明任务分析、教学流程与评价方式。"
            if number % 3 == 0:
                await upload.begin(f"{task.title}.txt")
                await upload.write((text * 12).encode())
                await upload.end()
            draft = SubmissionDraft(own_work=True, text=text, nonce=f"demo-work-{number:03d}")
            submission, _ = await submissions.hand_in(then, trainee, task.id, draft, upload)
            if number < graded:
                scores = {
                    c.key: self.stage.chance.randint(c.points * 7 // 10, c.points) for c in task.criteria
                }
                comment = "任务分析到位，建议补充过程性评价的证据。"
                await grading.grade_submission(
                    self.stage.at(moment + timedelta(hours=6)),
                    self.teacher,
                    submission.id,
                    GradeRequest(scores=scores, comment=comment),
                )

    async def rate(self, moment: datetime, *, answered: int, until: datetime | None = None) -> None:
        then = self.stage.at(moment)
        draft = SurveyDraft(opens_at=moment, closes_at=until or moment + timedelta(days=5))
        survey = await survey_opening.open_survey(then, self.stage.officer, self.item.id, draft)
        for trainee in self.stage.chance.sample(self.trainees, answered):
            answers: dict[str, Any] = {
                question.key: self.stage.chance.choice((2, 3, 3, 3))
                for question in survey.questions
                if question.kind is QuestionKind.SCALE
            }
            await surveys.answer_survey(
                self.stage.at(moment + timedelta(hours=2)), trainee, survey.id, answers
            )


def timetable_rows(first: date, last: date, room: str) -> list[SessionRow]:
    """Two half days of each day; the courses follow one another in equal parts."""
    return [
        SessionRow(**vars(slot), place=room)
        for slot in attendance_rules.timetable(first, last, EVERY_DAY, HALF_DAYS, COURSES)
    ]


def task_drafts(deadline: datetime) -> list[TaskDraft]:
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
