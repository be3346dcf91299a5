"""The attendance of a class as .xlsx and on paper: a row a trainee, a word a session. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from server.attendance.documents import CheckIn, Source, TeachingSession
from server.attendance.hours import ClassHours
from server.classes.documents import Enrolment
from server.kernel.clock import BEIJING, beijing_date, span
from server.kernel.spreadsheets import Column, Sheet, Value


def attendance_sheet(
    sessions: Sequence[TeachingSession],
    check_ins: Mapping[tuple[str, str], CheckIn],
    hours: ClassHours,
    now: datetime,
) -> Sheet[Enrolment]:
    """Ends with the hours attended, held and owed, and the share of those owed once all is held. `check_ins` by (session, person)."""

    def of_session(session: TeachingSession) -> Column[Enrolment]:
        title = f"{span(session.starts_at, session.ends_at)} {session.title}（{session.hours} 课时）"
        return Column(
            title, 14, lambda one: _in_a_word(session, check_ins.get((session.id, one.person_id)), now)
        )

    def rate(one: Enrolment) -> Value:
        return round(100 * attended(one) / hours.owed, 1) if hours.complete else "待评定"

    def attended(one: Enrolment) -> int:
        return hours.attended.get(one.person_id, 0)

    return Sheet(
        "考勤",
        [
            Column("姓名", 12, lambda one: one.name),
            Column("身份证号", 22, lambda one: one.id_number_masked),
            Column("工作单位", 26, lambda one: one.work_unit),
            *map(of_session, sessions),
            Column("出勤课时", 10, attended),
            Column("已完成课时", 12, lambda one: hours.held),
            Column("应完成课时", 12, lambda one: hours.owed),
            Column("出勤率（%）", 12, rate),
        ],
        numbered=True,
    )


def _in_a_word(session: TeachingSession, check_in: CheckIn | None, now: datetime) -> str:
    if check_in is None:
        return "未到" if session.starts_at <= now else ""
    return check_in.status.label + ("（补签）" if check_in.source is Source.MANUAL else "")


@dataclass(frozen=True)
class SigningDay:
    """签到表 of one day: who is expected signs beside each session; what the platform has already is printed there."""

    day: date
    sessions: list[TeachingSession]
    known: Mapping[tuple[str, str], str]
    """(session, person) → the check-in in a word."""


def signing_days(sessions: Sequence[TeachingSession], check_ins: Sequence[CheckIn]) -> list[SigningDay]:
    """A sheet a day, in the order of the timetable."""
    known = {
        (one.session_id, one.person_id): f"{one.status.label} {one.checked_in_at.astimezone(BEIJING):%H:%M}"
        for one in check_ins
    }
    days = groupby(sessions, lambda one: beijing_date(one.starts_at))
    return [SigningDay(day, list(of_day), known) for day, of_day in days]
