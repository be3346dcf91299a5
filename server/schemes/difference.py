"""What a version of a scheme changes in another, in words (article 25.4). Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from server.kernel.clock import BEIJING
from server.schemes.content import Content, CourseRow, SessionRow, TaskRow
from server.schemes.rules import minute

Row = TypeVar("Row", bound=CourseRow | SessionRow | TaskRow)


@dataclass(frozen=True)
class Change:
    """One difference, in words. `kind`: added, removed or changed."""

    section: str
    kind: str
    what: str
    before: str
    after: str

    @property
    def kind_title(self) -> str:
        return {"added": "新增", "removed": "删除", "changed": "修改"}[self.kind]


def difference(before: Content | None, after: Content) -> list[Change]:
    """What `after` changes in `before`, section by section; against nothing, everything is new."""
    old = before or Content(formative_weight=after.formative_weight)
    return [
        *_text_change("培训目标", old.objectives, after.objectives),
        *_row_changes("课程", old.courses, after.courses, lambda row: (row.title,), _course_words),
        *_row_changes("课表", old.sessions, after.sessions, lambda row: (row.starts_at,), _session_words),
        *_row_changes("考核任务", old.tasks, after.tasks, lambda row: (row.title,), _task_words),
        *_text_change("考核权重", _weights(old), _weights(after)),
        *_text_change("场地设备", old.places, after.places),
        *_text_change("教材教具", old.materials, after.materials),
    ]


def _weights(content: Content) -> str:
    return f"过程性 {content.formative_weight}%，终结性 {100 - content.formative_weight}%"


def _text_change(section: str, before: str, after: str) -> list[Change]:
    if before == after:
        return []
    kind = "changed" if before and after else "added" if after else "removed"
    return [Change(section, kind, section, before, after)]


def _row_changes(
    section: str,
    before: Sequence[Row],
    after: Sequence[Row],
    key: Callable[[Row], tuple[object, ...]],
    words: Callable[[Row], dict[str, str]],
) -> list[Change]:
    """Rows are the same row when their keys are; of several with one key, the first is compared with the first."""
    old, new = _numbered(before, key), _numbered(after, key)
    changes = []
    for place, row in new.items():
        said = words(row)
        if place not in old:
            changes.append(Change(section, "added", _name(row), "", _together(said)))
        elif (was := words(old[place])) != said:
            names = [name for name in said if was[name] != said[name]]
            changes.append(
                Change(
                    section,
                    "changed",
                    _name(row),
                    _together({name: was[name] for name in names}),
                    _together({name: said[name] for name in names}),
                )
            )
    changes += [
        Change(section, "removed", _name(row), _together(words(row)), "")
        for place, row in old.items()
        if place not in new
    ]
    return changes


def _numbered(rows: Sequence[Row], key: Callable[[Row], tuple[object, ...]]) -> dict[tuple[object, ...], Row]:
    found: dict[tuple[object, ...], Row] = {}
    seen: dict[tuple[object, ...], int] = {}
    for row in rows:
        place = key(row)
        seen[place] = seen.get(place, 0) + 1
        found[(*place, seen[place])] = row
    return found


def _name(row: CourseRow | SessionRow | TaskRow) -> str:
    return f"{minute(row.starts_at)} {row.title}" if isinstance(row, SessionRow) else row.title


def _together(said: Mapping[str, str]) -> str:
    return "；".join(f"{name}：{words or '空'}" for name, words in said.items())


def _course_words(row: CourseRow) -> dict[str, str]:
    return {"课程": row.title, "课时": str(row.hours), "授课教师": row.teacher_name or "未定"}


def _session_words(row: SessionRow) -> dict[str, str]:
    return {
        "课次": row.title,
        "时间": f"{minute(row.starts_at)}–{row.ends_at.astimezone(BEIJING):%H:%M}",
        "课程": row.course,
        "课时": str(row.hours),
        "地点": row.place,
        "授课教师": row.teacher_name or "未定",
    }


def _task_words(row: TaskRow) -> dict[str, str]:
    return {
        "任务": row.title,
        "类型": row.kind.label,
        "截止时间": minute(row.deadline),
        "评分项": "、".join(f"{one.title} {one.points} 分" for one in row.criteria),
        "要求": row.instructions,
        "考核教师": row.assessor_name or "未定",
    }
