"""A scheme as the draft of a later class. Pure."""

from __future__ import annotations

from datetime import date

from server.schemes.content import Content
from server.schemes.rules import Frame


def carried_over(content: Content, began: date, frame: Frame) -> Content:
    """What another class was taught by, as a draft of this one: as many days later, by whoever of its teachers is here too; where only one
    is, by that one. What no longer fits stands there and is named as wrong."""
    later = frame.first_day - began
    only, only_assesses = (
        next(iter(known)) if len(known) == 1 else "" for known in (frame.teaching, frame.assessors)
    )

    def teacher(who: str) -> dict[str, str]:
        here = who if who in frame.teaching else only
        return {"teacher_id": here, "teacher_name": frame.teaching.get(here, "")}

    def assessor(who: str) -> dict[str, str]:
        here = who if who in frame.assessors else only_assesses
        return {"assessor_id": here, "assessor_name": frame.assessors.get(here, "")}

    courses = (one.model_copy(update=teacher(one.teacher_id)) for one in content.courses)
    sessions = (
        one.model_copy(
            update=teacher(one.teacher_id)
            | {"starts_at": one.starts_at + later, "ends_at": one.ends_at + later}
        )
        for one in content.sessions
    )
    tasks = (
        one.model_copy(update=assessor(one.assessor_id) | {"deadline": one.deadline + later})
        for one in content.tasks
    )
    return content.model_copy(
        update={
            "courses": tuple(courses),
            "sessions": tuple(sessions),
            "tasks": tuple(tasks),
            "formative_weight": frame.formative_weight,
        }
    )
