"""What a training scheme (培训方案) says: pure models, shared by its rules and its documents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from server.assessment.rules import CRITERIA_MOST, POINTS_MOST, TaskKind
from server.attendance.rules import MOST_SESSIONS, HalfDay


def _as_kept(moment: datetime) -> datetime:
    if not 2000 <= moment.year <= 2100:
        raise ValueError("请填写 2000 年至 2100 年之间的日期。")
    return moment.astimezone(UTC).replace(microsecond=0)


Text = Annotated[str, StringConstraints(strip_whitespace=True)]
Moment = Annotated[AwareDatetime, AfterValidator(_as_kept)]
"""To the second, as the database gives it back: the same content sent twice is the same."""
COURSES_MOST = 16
"""Rows: a course that two teachers share has two."""
TASKS_MOST = 20
HALF_DAY_HOURS = 4
"""What a half day usually gives; a new scheme parts the hours of its class by it."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CourseRow(_Part):
    """Hours of one course by one teacher. A draft may leave the teacher open: both are empty then."""

    title: Annotated[Text, Field(min_length=2, max_length=40)]
    hours: Annotated[int, Field(ge=1, le=2000)]
    teacher_id: Annotated[str, Field(pattern=r"^([0-9a-f]{24})?$")] = ""
    teacher_name: str = ""


class SessionRow(_Part):
    """A session of the timetable; `hours` are class hours (课时)."""

    title: Annotated[Text, Field(min_length=2, max_length=40)]
    course: Annotated[Text, Field(max_length=40)] = ""
    starts_at: Moment
    ends_at: Moment
    hours: Annotated[int, Field(ge=1, le=12)]
    place: Annotated[Text, Field(min_length=2, max_length=100)]
    teacher_id: Annotated[str, Field(pattern=r"^([0-9a-f]{24})?$")] = ""
    """Who teaches it; left empty, the one teacher of its course."""
    teacher_name: str = ""

    @property
    def span(self) -> tuple[datetime, datetime]:
        return self.starts_at, self.ends_at

    def same_teaching(self, other: SessionRow) -> bool:
        """The same hours of the same course at the same time; its name and room are another matter."""
        return (self.span, self.course, self.hours) == (other.span, other.course, other.hours)


class CriterionRow(_Part):
    title: Annotated[Text, Field(min_length=2, max_length=60)]
    points: Annotated[int, Field(ge=1, le=POINTS_MOST)]


class TaskRow(_Part):
    """A task (学习成果 or 考核任务) of the scheme."""

    title: Annotated[Text, Field(min_length=2, max_length=60)]
    instructions: Annotated[Text, Field(max_length=4000)] = ""
    kind: TaskKind
    deadline: Moment
    criteria: Annotated[tuple[CriterionRow, ...], Field(min_length=1, max_length=CRITERIA_MOST)]
    assessor_id: Annotated[str, Field(pattern=r"^([0-9a-f]{24})?$")] = ""
    """Who assesses it; left empty, the one assessor of the class."""
    assessor_name: str = ""

    def same_task(self, other: TaskRow) -> bool:
        """The same work, looked at in the same way; the deadline of a task in use may have been moved since, and another may assess it."""
        may_differ = {"deadline", "assessor_id", "assessor_name"}
        return self.model_dump(exclude=may_differ) == other.model_dump(exclude=may_differ)


class Draft(_Part):
    """A scheme as somebody writes it: it may be incomplete, `rules.shortcomings` says what is missing before it can be signed.

    The names of teachers are the platform's to fill in.
    """

    objectives: Annotated[Text, Field(max_length=4000)] = ""
    courses: Annotated[tuple[CourseRow, ...], Field(max_length=COURSES_MOST)] = ()
    sessions: Annotated[tuple[SessionRow, ...], Field(max_length=MOST_SESSIONS)] = ()
    tasks: Annotated[tuple[TaskRow, ...], Field(max_length=TASKS_MOST)] = ()
    places: Annotated[Text, Field(max_length=2000)] = ""
    materials: Annotated[Text, Field(max_length=4000)] = ""

    @property
    def words(self) -> dict[str, str]:
        """All that somebody wrote, field by field, for a check of its words."""
        sessions = (text for row in self.sessions for text in (row.title, row.course, row.place))
        tasks = (
            text
            for row in self.tasks
            for text in (row.title, row.instructions, *(one.title for one in row.criteria))
        )
        return {
            "objectives": self.objectives,
            "courses": "\n".join(row.title for row in self.courses),
            "sessions": "\n".join(dict.fromkeys(sessions)),
            "tasks": "\n".join(tasks),
            "places": self.places,
            "materials": self.materials,
        }


class Content(Draft):
    """A scheme as a version keeps it."""

    formative_weight: Annotated[int, Field(ge=0, le=100)]
    """Percent, the policy of the first day of the class when this was written: what the teachers sign."""

    def naming(self, called: Mapping[str, str]) -> Content:
        """The same with these teachers (by id) as they are called."""
        taught = [
            tuple(
                row.model_copy(update={"teacher_name": called.get(row.teacher_id, row.teacher_name)})
                for row in rows
            )
            for rows in (self.courses, self.sessions)
        ]
        assessed = tuple(
            row.model_copy(update={"assessor_name": called.get(row.assessor_id, row.assessor_name)})
            for row in self.tasks
        )
        return self.model_copy(update={"courses": taught[0], "sessions": taught[1], "tasks": assessed})

    @property
    def course_titles(self) -> list[str]:
        return list(dict.fromkeys(row.title for row in self.courses))

    @property
    def course_hours(self) -> int:
        return sum(row.hours for row in self.courses)

    @property
    def all_places(self) -> list[str]:
        """Wherever something of it is held, each once: of the sessions, and the places it writes of."""
        return list(dict.fromkeys([*(row.place for row in self.sessions), *self.places.splitlines()]))

    @property
    def timetable_hours(self) -> int:
        return sum(row.hours for row in self.sessions)


class TimetableWish(BaseModel):
    """Which half days of which weekdays (0 is Monday) are taught; each as starts, ends and class hours, or not at all."""

    weekdays: list[Annotated[int, Field(ge=0, le=6)]] = Field(default_factory=list)
    morning_starts: time = time(8, 30)
    morning_ends: time = time(12)
    morning_hours: Annotated[int, Field(ge=0, le=12)] = HALF_DAY_HOURS
    afternoon_starts: time = time(14)
    afternoon_ends: time = time(17, 30)
    afternoon_hours: Annotated[int, Field(ge=0, le=12)] = HALF_DAY_HOURS

    @property
    def half_days(self) -> list[HalfDay]:
        both = (
            HalfDay("上午", self.morning_starts, self.morning_ends, self.morning_hours),
            HalfDay("下午", self.afternoon_starts, self.afternoon_ends, self.afternoon_hours),
        )
        return [one for one in both if one.hours]
