"""The attendance of a class as .xlsx: a row a trainee, a word a session. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from server.attendance.documents import CheckIn, Source, TeachingSession
from server.attendance.hours import ClassHours
from server.classes.documents import Enrolment
from server.kernel.clock import span
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
