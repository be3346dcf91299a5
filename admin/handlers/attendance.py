"""The pages of a class's sessions: the timetable, and the roll of one session."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from admin.downloads import file_of
from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.lists import named
from admin.moments import BeijingMoment, as_typed
from admin.options import WEEKDAYS
from admin.steps import Done, shows, step
from server.attendance import changes, naming, rolls, rules, timetable
from server.attendance import service as attendance
from server.attendance.changes import CheckInChange, Closing, LateRegistrations, VerdictDraft
from server.attendance.documents import TeachingSession
from server.attendance.naming import Naming
from server.attendance.rolls import LateRegistration, RollEntry
from server.attendance.rules import (
    CodeExpired,
    CodeInvalid,
    Datum,
    NotEnrolled,
    SessionNotOpen,
    Slot,
    Status,
    Verdict,
    Window,
)
from server.attendance.timetable import FenceDraft, HalfDayDraft, SessionDraft, TimetableDraft
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.rules import Kind
from server.kernel.clock import BEIJING
from server.kernel.errors import FieldError, Invalid, Problem
from server.kernel.permissions import Permission, holds
from server.kernel.reasons import Reason, ShortReason
from server.kernel.seen import Saving
from server.kernel.web import Route, allow
from server.venues.service import PlaceUnresolved

DATUMS = [(Datum.GCJ_02.value, "GCJ-02（高德、腾讯地图）"), (Datum.WGS_84.value, "WGS-84（手机定位仪、GPS）")]
WORKING_DAYS = [value for value, _ in WEEKDAYS[:5]]
REFUSALS = {one.slug: one.title for one in (CodeExpired, CodeInvalid, NotEnrolled, SessionNotOpen)}
LONGEST_TIMETABLE_DAYS = 366


# ---- the forms


class SessionForm(BaseModel):
    title: Annotated[str, Field(title="名称", min_length=2, max_length=40)]
    course: Annotated[str, Field(title="课程", max_length=40)] = ""
    place: Annotated[str, Field(title="地点", min_length=2, max_length=100)]
    starts_at: Annotated[BeijingMoment, Field(title="上课时间")]
    ends_at: Annotated[BeijingMoment, Field(title="下课时间")]
    hours: Annotated[int, Field(title="课时", ge=1, le=12)]
    opens_at: Annotated[BeijingMoment | None, Field(title="签到开始")] = None
    late_after: Annotated[BeijingMoment | None, Field(title="迟到时间")] = None
    closes_at: Annotated[BeijingMoment | None, Field(title="签到结束")] = None
    teacher_id: Annotated[str, Field(title="授课教师", pattern=r"^([0-9a-f]{24})?$")] = ""
    latitude: Annotated[float | None, Field(title="纬度", ge=-90, le=90, allow_inf_nan=False)] = None
    longitude: Annotated[float | None, Field(title="经度", ge=-180, le=180, allow_inf_nan=False)] = None
    datum: Annotated[Datum, Field(title="坐标系")] = Datum.GCJ_02
    radius_m: Annotated[int, Field(title="半径", ge=20, le=5000)] = 200

    def draft(self) -> SessionDraft:
        """Raises Invalid for half a pair of coordinates."""
        fence_fields = {"latitude", "longitude", "datum", "radius_m"}
        return SessionDraft(**self.model_dump(exclude=fence_fields), geofence=self._fence())

    def _fence(self) -> FenceDraft | None:
        if self.latitude is None and self.longitude is None:
            return None
        if self.latitude is None or self.longitude is None:
            missing = "latitude" if self.latitude is None else "longitude"
            raise Invalid(fields=[FieldError(missing, "纬度和经度须一起填写；不核对位置时都留空。")])
        return FenceDraft(
            latitude=self.latitude, longitude=self.longitude, datum=self.datum, radius_m=self.radius_m
        )


HalfDayName = Literal["morning", "afternoon"]
HALF_DAYS: dict[HalfDayName, str] = {"morning": "上午", "afternoon": "下午"}


class TimetableForm(BaseModel):
    first_day: Annotated[date, Field(title="开始日期")]
    last_day: Annotated[date, Field(title="结束日期")]
    weekdays: Annotated[list[Annotated[int, Field(ge=0, le=6)]], Field(title="星期", max_length=7)]
    half_days: Annotated[list[HalfDayName], Field(title="时段", max_length=2)]
    morning_starts: Annotated[time | None, Field(title="上午上课")] = None
    morning_ends: Annotated[time | None, Field(title="上午下课")] = None
    morning_hours: Annotated[int | None, Field(title="上午课时", ge=1, le=12)] = None
    afternoon_starts: Annotated[time | None, Field(title="下午上课")] = None
    afternoon_ends: Annotated[time | None, Field(title="下午下课")] = None
    afternoon_hours: Annotated[int | None, Field(title="下午课时", ge=1, le=12)] = None
    courses: Annotated[list[str], Field(title="课程", max_length=8)]
    place: Annotated[str, Field(title="地点", min_length=2, max_length=100)]

    def draft(self) -> TimetableDraft:
        """Raises Invalid for a half day without its times, and for a timetable of more than a year."""
        if (self.last_day - self.first_day).days > LONGEST_TIMETABLE_DAYS:
            raise Invalid(fields=[FieldError("last_day", "一次最多安排一年，请核对日期。")])
        return TimetableDraft(
            first_day=self.first_day,
            last_day=self.last_day,
            weekdays=self.weekdays,
            half_days=[self._half_day(name) for name in HALF_DAYS if name in self.half_days],
            courses=self.courses,
            place=self.place,
        )

    def _half_day(self, name: HalfDayName) -> HalfDayDraft:
        title = HALF_DAYS[name]
        starts, ends, hours = (getattr(self, f"{name}_{part}") for part in ("starts", "ends", "hours"))
        if starts is None or ends is None or hours is None:
            raise Invalid(fields=[FieldError("half_days", f"请填写{title}的上课、下课时间和课时。")])
        if starts >= ends:
            raise Invalid(fields=[FieldError("half_days", f"{title}的下课时间应晚于上课时间。")])
        return HalfDayDraft(title=title, starts=starts, ends=ends, hours=hours)


class TeachersQuery(BaseModel):
    """Of which sessions the teacher is to be named: one, all, or those that are nobody's."""

    session: Annotated[str, Field(pattern=r"^([0-9a-f]{24})?$")] = ""
    all: bool = False


class RegistrationForm(LateRegistration):
    reason: ShortReason


class CancelForm(BaseModel):
    reason: Reason


class RollQuery(BaseModel):
    """Whose dialog is open, and which."""

    person: Annotated[str | None, Field(pattern=r"^[0-9a-f]{24}$")] = None
    act: Literal["register", "change", "judge"] = "register"


ACTS = {"register_late": "register", "change_check_in": "change", "judge_flags": "judge"}
"""Step → the dialog that its form came from."""


class ExtensionForm(BaseModel):
    closes_at: Annotated[BeijingMoment, Field(title="签到结束")]


def values_of(session: TeachingSession) -> dict[str, Any]:
    """What the form of a session shows; the usual window is left empty, so that it moves with the session."""
    usual = rules.usual_times(session.starts_at, session.ends_at)
    fence = session.geofence
    return {
        "title": session.title,
        "course": session.course,
        "place": session.place,
        "starts_at": as_typed(session.starts_at),
        "ends_at": as_typed(session.ends_at),
        "hours": session.hours,
        "teacher_id": session.teacher_id,
        **{
            name: as_typed(getattr(session, name))
            for name in ("opens_at", "late_after", "closes_at")
            if getattr(session, name) != getattr(usual, name)
        },
        **(fence.model_dump(mode="json") if fence else {}),
    }


# ---- the timetable


class Sessions(PageHandler):
    @allow(Permission.ATTENDANCE_READ)
    async def get(self, class_id: str) -> None:
        seen = await attendance.sessions_of_class(self.platform, self.actor, class_id)
        nobodys = await naming.sessions_without_teacher(self.platform, self.actor, seen.training_class)
        self.render_page(
            "attendance/sessions.html",
            training_class=seen.training_class,
            seen=seen,
            nobodys={one.id for one in nobodys},
            teacher_words=naming.teacher_words,
            open_now=[row for row in seen.rows if row.window is Window.OPEN],
            may_manage=holds(self.actor, Permission.ATTENDANCE_MANAGE) and not seen.training_class.frozen,
        )


class SessionEditor(PageHandler):
    """The form of a session, new or not yet used."""

    address = "/admin/classes/{class_id}/sessions"
    get = shows(Permission.ATTENDANCE_MANAGE)

    async def show(self, class_id: str, session_id: str | None = None, outcome: Outcome = NO_ERRORS) -> None:
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        session = None
        if session_id:
            session = await attendance.session_in_reach(self.platform, self.actor, class_id, session_id)
        options = await teacher_options(self, training_class)
        if session and session.teacher_id not in ("", *(one for one, _ in options)):
            options.append((session.teacher_id, naming.teacher_words(session, training_class)))
        if outcome["problem"] is None:
            usual = values_of(session) if session else {"place": training_class.place}
            outcome = outcome | {"values": usual}
        self.render_page(
            "attendance/session_form.html",
            training_class=training_class,
            session=session,
            course_options=[(one, one) for one in training_class.courses],
            teacher_options=options,
            everybody=naming.EVERYBODY if may_be_everybodys(training_class, session) else None,
            datums=DATUMS,
            **outcome,
        )


async def teacher_options(page: PageHandler, training_class: TrainingClass) -> list[tuple[str, str]]:
    called = await classes.teachers_called(page.platform, training_class)
    return [(one.person_id, called[one.person_id]) for one in training_class.who(Kind.TEACHING)]


def may_be_everybodys(training_class: TrainingClass, session: TeachingSession | None) -> bool:
    """Each session of a scheme has its teacher; one of before sessions named anybody stays as it is."""
    return training_class.scheme_version is None or (session is not None and not session.teacher_id)


@step(SessionEditor, Permission.ATTENDANCE_MANAGE)
async def add_session(page: SessionEditor, class_id: str) -> str:
    draft = page.form(SessionForm).draft()
    session = await timetable.add_session(page.platform, page.actor, class_id, draft)
    return f"课次“{session.title}”已添加。"


@step(SessionEditor, Permission.ATTENDANCE_MANAGE)
async def change_session(page: SessionEditor, class_id: str, session_id: str) -> Done:
    draft, seen = page.form(SessionForm).draft(), page.form(Saving).seen
    changed = await timetable.change_session(page.platform, page.actor, class_id, session_id, draft, seen)
    return Done(f"课次“{changed.title}”已修改。", f"/admin/classes/{class_id}/sessions/{session_id}")


class Teachers(PageHandler):
    """Who teaches the sessions that are nobody's, all at once; or one of them, or whichever are chosen."""

    address = "/admin/classes/{class_id}/sessions"
    get = shows(Permission.ATTENDANCE_MANAGE)

    async def show(self, class_id: str, outcome: Outcome = NO_ERRORS) -> None:
        asked = self.query(TeachersQuery)
        seen = await attendance.sessions_of_class(self.platform, self.actor, class_id)
        nobodys = await naming.sessions_without_teacher(self.platform, self.actor, seen.training_class)
        chosen = {asked.session} if asked.session else {one.id for one in nobodys}
        ticked = sorted(chosen) if outcome["problem"] is None else self.get_body_arguments("session_ids")
        self.render_page(
            "attendance/teachers.html",
            training_class=seen.training_class,
            sessions=[row.item for row in seen.rows if asked.all or row.item.id in chosen],
            ticked=ticked,
            nobodys=len(nobodys),
            asked=asked,
            teacher_words=naming.teacher_words,
            teacher_options=await teacher_options(self, seen.training_class),
            everybody=naming.EVERYBODY if may_be_everybodys(seen.training_class, None) else None,
            **outcome,
        )


@step(Teachers, Permission.ATTENDANCE_MANAGE)
async def name_teacher(page: Teachers, class_id: str) -> str:
    named = await naming.name_teacher(page.platform, page.actor, class_id, page.form(Naming))
    return f"已指定 {named} 次课的授课教师，已通知相关教师。"


class Timetable(PageHandler):
    """A whole timetable at once: form → preview → confirm."""

    get = shows(Permission.ATTENDANCE_MANAGE)

    async def show(
        self, class_id: str, slots: list[Slot] | None = None, outcome: Outcome = NO_ERRORS
    ) -> None:
        seen = await attendance.sessions_of_class(self.platform, self.actor, class_id)
        values = outcome["values"] or proposed_timetable(seen.training_class)
        listed = {name: _listed(values.get(name)) for name in ("weekdays", "half_days", "courses")}
        self.render_page(
            "attendance/timetable.html",
            training_class=seen.training_class,
            slots=slots,
            hours_before=seen.hours,
            half_days=list(HALF_DAYS.items()),
            typed_pairs=[
                (name, value)
                for name in TimetableForm.model_fields
                for value in self.get_body_arguments(name)
            ],
            **outcome | {"values": values | listed},
        )

    @allow(Permission.ATTENDANCE_MANAGE)
    async def post(self, class_id: str) -> None:
        typed = NO_ERRORS | {"values": self.typed()}
        if self.get_body_argument("change", ""):
            return await self.show(class_id, outcome=typed)
        try:
            draft = self.form(TimetableForm).draft()
            if not self.get_body_argument("confirm", ""):
                slots = await timetable.preview_timetable(self.platform, self.actor, class_id, draft)
                return await self.show(class_id, slots, typed)
            count = await timetable.add_timetable(self.platform, self.actor, class_id, draft)
        except Problem as problem:
            return await self.show(class_id, outcome=self.refuse(placed(problem)))
        self.flash(f"已添加 {count} 个课次。")
        return self.see_other(f"/admin/classes/{class_id}/sessions")


def placed(problem: Problem) -> Problem:
    """A problem with one session of a timetable, at the field of the timetable that is to blame."""
    places = {"starts_at": "first_day", "ends_at": "half_days", "hours": "half_days"}
    if not isinstance(problem, Invalid) or isinstance(problem, PlaceUnresolved):
        return problem
    return Invalid(
        fields=[FieldError(places.get(one.place, one.place), one.message) for one in problem.fields]
    )


def proposed_timetable(training_class: TrainingClass) -> dict[str, Any]:
    return {
        "first_day": training_class.starts_on.isoformat(),
        "last_day": training_class.ends_on.isoformat(),
        "weekdays": WORKING_DAYS,
        "half_days": list(HALF_DAYS),
        "morning_starts": "08:30",
        "morning_ends": "12:00",
        "morning_hours": 4,
        "afternoon_starts": "14:00",
        "afternoon_ends": "17:30",
        "afternoon_hours": 4,
        "courses": training_class.courses,
        "place": training_class.place,
    }


def _listed(value: str | list[str] | None) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else value


# ---- the roll of one session


class OneSession(PageHandler):
    address = "/admin/classes/{class_id}/sessions/{session_id}"
    get = shows(Permission.ATTENDANCE_READ)

    async def show(self, class_id: str, session_id: str, outcome: Outcome = NO_ERRORS) -> None:
        asked = self.query(RollQuery)
        person_id = outcome["values"].get("person_id") or asked.person
        act = ACTS.get(outcome["wrong"], asked.act)
        roll = await rolls.roll(self.platform, self.actor, class_id, session_id)
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        may_manage = holds(self.actor, Permission.ATTENDANCE_MANAGE) and not training_class.frozen
        unused = not any(entry.check_in for entry in roll.entries)
        over = self.platform.clock.now() >= roll.session.ends_at
        entry = next((one for one in roll.entries if one.trainee.person_id == person_id), None)
        fits = entry is not None and (entry.check_in is None) == (act == "register")
        self.render_page(
            "attendance/roll.html",
            training_class=training_class,
            session=roll.session,
            roll=roll,
            entries=sorted(roll.entries, key=_in_order_of_concern),
            chosen=entry if fits else None,
            act=act,
            ticked=self.get_body_arguments("person_ids"),
            longest=as_typed(roll.session.ends_at),
            unregistered=[one for one in roll.missing if one.check_in is None],
            refusals=REFUSALS,
            statuses=named(Status),
            statuses_there=[one for one in named(Status) if one[0] != Status.VOID],
            verdicts=named(Verdict),
            may_manage=may_manage,
            may_change=may_manage and unused and not over,
            may_cancel=may_manage and unused and training_class.scheme_version is None,
            teacher_words=naming.teacher_words,
            may_register=may_manage and roll.window is not Window.UPCOMING,
            may_extend=may_manage and roll.window is not Window.UPCOMING and not over,
            **outcome,
        )


def _in_order_of_concern(entry: RollEntry) -> tuple[bool, bool, bool]:
    """Missing first, then what is flagged, then late; the roster's order within."""
    return entry.attended, not entry.open_flags, not entry.late


@step(OneSession, Permission.ATTENDANCE_MANAGE)
async def cancel_session(page: OneSession, class_id: str, session_id: str) -> Done:
    reason, seen = page.form(CancelForm).reason, page.form(Saving).seen
    await timetable.cancel_session(page.platform, page.actor, class_id, session_id, reason, seen)
    return Done("课次已取消，已通知本班学员和授课教师。", f"/admin/classes/{class_id}/sessions")


@step(OneSession, Permission.ATTENDANCE_MANAGE)
async def register_late(page: OneSession, class_id: str, session_id: str) -> str:
    wanted = page.form(RegistrationForm)
    await rolls.register_late(page.platform, page.actor, class_id, session_id, wanted)
    return "已补签，操作和理由已留痕。"


@step(OneSession, Permission.ATTENDANCE_MANAGE)
async def register_all(page: OneSession, class_id: str, session_id: str) -> str:
    wanted = page.form(LateRegistrations)
    done = await changes.register_all(page.platform, page.actor, class_id, session_id, wanted)
    already = f"，另有 {done.there} 人已经签到" if done.there else ""
    return f"已补签 {len(done.new)} 人{already}，操作和理由已留痕。"


@step(OneSession, Permission.ATTENDANCE_MANAGE)
async def change_check_in(page: OneSession, class_id: str, session_id: str) -> str:
    wanted, seen = page.form(CheckInChange), page.form(Saving).seen
    done = await changes.change_check_in(page.platform, page.actor, class_id, session_id, wanted, seen)
    return f"签到已更正为“{done.status.label}”，原来的记录保留，已通知该学员。"


@step(OneSession, Permission.ATTENDANCE_MANAGE)
async def judge_flags(page: OneSession, class_id: str, session_id: str) -> str:
    wanted, seen = page.form(VerdictDraft), page.form(Saving).seen
    await changes.judge_flags(page.platform, page.actor, class_id, session_id, wanted, seen)
    return "核对结论已记录。"


@step(OneSession, Permission.ATTENDANCE_MANAGE)
async def extend_window(page: OneSession, class_id: str, session_id: str) -> str:
    wanted, seen = Closing(closes_at=page.form(ExtensionForm).closes_at), page.form(Saving).seen
    done = await changes.move_closing(page.platform, page.actor, class_id, session_id, wanted, seen)
    return f"签到改为到 {done.closes_at.astimezone(BEIJING):%H:%M} 结束。"


_ID = "[0-9a-f]{24}"
_CLASS = rf"/admin/classes/(?P<class_id>{_ID})"
_SESSION = rf"{_CLASS}/sessions/(?P<session_id>{_ID})"
ROUTES: list[Route] = [
    (rf"{_CLASS}/sessions", Sessions),
    (rf"{_CLASS}/sessions/new", add_session),
    (rf"{_CLASS}/sessions/teachers", name_teacher),
    (rf"{_CLASS}/sessions/timetable", Timetable),
    (_SESSION, OneSession),
    (rf"{_SESSION}/edit", change_session),
    (rf"{_SESSION}/cancel", cancel_session),
    (rf"{_SESSION}/late-registrations", register_late),
    (rf"{_SESSION}/late-registrations/all", register_all),
    (rf"{_SESSION}/check-in", change_check_in),
    (rf"{_SESSION}/verdict", judge_flags),
    (rf"{_SESSION}/window", extend_window),
    (rf"{_CLASS}/attendance\.xlsx", file_of(attendance.sheet_of_class, Permission.ATTENDANCE_READ)),
]
