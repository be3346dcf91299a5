"""A session in words: what messages and the trail say of it (article 4.7: 培训过程可追溯). Pure.

A moment comes from the database in one zone and from a form in another; said here it is Beijing's, so that before and after compare.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import JsonValue

from server.attendance.documents import Geofence, TeachingSession
from server.kernel.clock import BEIJING

_TITLES = {
    "title": "课次名称",
    "course": "课程",
    "place": "地点",
    "starts_at": "上课",
    "ends_at": "下课",
    "opens_at": "签到开始",
    "late_after": "迟到",
    "closes_at": "签到结束",
    "hours": "课时",
    "teacher": "授课教师",
    "fence": "签到范围",
}


def minute(moment: datetime) -> str:
    return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M}"


def facts(session: TeachingSession) -> dict[str, JsonValue]:
    """All that staff say of a session, by name."""
    return {
        "title": session.title,
        "course": session.course,
        "place": session.place,
        "starts_at": minute(session.starts_at),
        "ends_at": minute(session.ends_at),
        "opens_at": minute(session.opens_at),
        "late_after": minute(session.late_after),
        "closes_at": minute(session.closes_at),
        "hours": session.hours,
        "teacher": session.teacher_name,
        "fence": _fence(session.geofence),
    }


def _fence(fence: Geofence | None) -> str:
    if fence is None:
        return ""
    return f"{fence.latitude:.6f}，{fence.longitude:.6f}（{fence.datum}）{fence.radius_m} 米以内"


def changes(before: TeachingSession, after: TeachingSession) -> str:
    """Each of them that is another now, before and after."""
    old, new = facts(before), facts(after)
    return "；".join(
        f"{title}：{old[name] or '无'} → {new[name] or '无'}"
        for name, title in _TITLES.items()
        if old[name] != new[name]
    )
