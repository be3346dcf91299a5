"""课次: one of them, and my timetable over all classes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from miniprogram_api.attendance import SessionItem, my_session_item, session_fields
from miniprogram_api.handler import ApiHandler, Response, operation
from miniprogram_api.home import OneSession, session_answer
from server.attendance import service as attendance
from server.kernel.errors import FieldError, Invalid
from server.kernel.permissions import Permission
from server.kernel.web import Route
from server.progress import home

LONGEST = timedelta(days=92)


class DaysQuery(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    first: Annotated[date, Field(alias="from")]
    """The first day, in Beijing."""
    last: Annotated[date, Field(alias="to")]
    """The last, at most 92 days later."""


class TimetableAnswer(Response):
    items: list[OneSession]
    """In their order."""


class Timetable(ApiHandler):
    @operation(
        Permission.PHONE,
        summary="The sessions of all my classes on these days, attended and taught",
        query=DaysQuery,
        answers={200: TimetableAnswer},
    )
    async def get(self) -> None:
        asked = self.query(DaysQuery)
        if not timedelta() <= asked.last - asked.first <= LONGEST:
            raise Invalid(fields=[FieldError("to", "应在开始日期之后 92 天以内。")])
        found = await home.lessons(self.platform, self.actor, asked.first, asked.last)
        self.answer(TimetableAnswer(items=[session_answer(one) for one in found]))


class MySession(ApiHandler):
    @operation(
        Permission.CLASSES_ATTEND,
        summary="One session of a class that I attend, with my own check-in",
        answers={200: OneSession},
    )
    async def get(self, session_id: str) -> None:
        held_in, mine = await attendance.my_session(self.platform, self.actor, session_id)
        told = my_session_item(mine).model_dump()
        self.answer(OneSession(**told, class_id=held_in.id, class_name=held_in.name, part="attending"))


class TaughtSession(ApiHandler):
    @operation(
        Permission.ATTENDANCE_TEACH, summary="One session of a class that I teach", answers={200: SessionItem}
    )
    async def get(self, session_id: str) -> None:
        found = await attendance.taught_session(self.platform, self.actor, session_id)
        window = found.window(self.platform.clock.now())
        self.answer(SessionItem.model_validate(session_fields(found, window)))


_ID = "[0-9a-f]{24}"
ROUTES: list[Route] = [
    (r"/api/v1/sessions", Timetable),
    (rf"/api/v1/sessions/(?P<session_id>{_ID})", MySession),
    (rf"/api/v1/teaching/sessions/(?P<session_id>{_ID})", TaughtSession),
]
