"""Class hours beside the sessions: made up one by one (补课), or held in an interrupted class (转班补学)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from miniprogram_api.handler import ApiHandler, Response, operation
from server.attendance import added
from server.attendance.added import AlreadyVoided, MakeUp, Voiding
from server.attendance.documents import AddedHours, AddedKind
from server.attendance.hours import TooManyHours
from server.classes.rules import NotArrived
from server.classes.service import ClassEnded, ResultsReleased
from server.kernel.errors import NonceReused
from server.kernel.permissions import Permission
from server.kernel.web import Route


class AddedHoursItem(Response):
    """`kind_title` is the word that stands beside the hours: 补课 or 转班计入. What was voided counts no more."""

    id: str
    kind: AddedKind
    kind_title: str
    hours: int
    held_on: date
    taught: str
    taught_by: str
    recorded_at: datetime
    voided: bool
    void_reason: str


class TaughtAddedHoursItem(AddedHoursItem):
    person_id: str


class AddedHoursAnswer(Response):
    items: list[AddedHoursItem]


class TaughtAddedHoursAnswer(Response):
    items: list[TaughtAddedHoursItem]


class MakeUpRequest(MakeUp):
    """补课: who made up how many hours, when, what was taught, and by whom of the class's teachers.

    `nonce` makes the same record, sent again over a bad network, one record, also where it was taken back since.
    """

    nonce: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{8,64}$")]


class VoidRequest(Voiding):
    """Why a record of 补课 is taken back."""


def added_fields(one: AddedHours) -> dict[str, object]:
    given = one.model_dump(include=TaughtAddedHoursItem.model_fields.keys() & AddedHours.model_fields.keys())
    return {**given, "kind_title": one.kind.label, "voided": one.voided_at is not None}


def taught_added_item(one: AddedHours) -> TaughtAddedHoursItem:
    return TaughtAddedHoursItem.model_validate(added_fields(one))


class MyAddedHours(ApiHandler):
    @operation(
        Permission.CLASSES_ATTEND,
        summary="My hours in a class beside the sessions: made up one by one, or held in an interrupted class",
        answers={200: AddedHoursAnswer},
    )
    async def get(self, class_id: str) -> None:
        mine = await added.mine(self.platform, self.actor, class_id)
        fields = [{**added_fields(one)} for one in mine]
        for one in fields:
            del one["person_id"]
        self.answer(AddedHoursAnswer(items=[AddedHoursItem.model_validate(one) for one in fields]))


class TaughtMakeUps(ApiHandler):
    @operation(
        Permission.ATTENDANCE_TEACH,
        summary="The hours beside the sessions of a class that I teach",
        answers={200: TaughtAddedHoursAnswer},
    )
    async def get(self, class_id: str) -> None:
        there = await added.of_taught_class(self.platform, self.actor, class_id)
        self.answer(TaughtAddedHoursAnswer(items=[taught_added_item(one) for one in there]))

    @operation(
        Permission.ATTENDANCE_TEACH,
        summary="Record hours that somebody made up (补课), never more than were missed; sent again, it changes nothing",
        body=MakeUpRequest,
        answers={200: TaughtAddedHoursItem},
        problems=(TooManyHours, ResultsReleased, ClassEnded, NotArrived, NonceReused),
    )
    async def post(self, class_id: str) -> None:
        wanted = MakeUp.model_validate(self.body(MakeUpRequest).model_dump())
        made = await added.make_up_as_teacher(self.platform, self.actor, class_id, wanted)
        self.answer(taught_added_item(made))


class TaughtMakeUpVoid(ApiHandler):
    @operation(
        Permission.ATTENDANCE_TEACH,
        summary="Take a record of 补课 back, with a reason, until the results are released",
        body=VoidRequest,
        answers={200: TaughtAddedHoursAnswer},
        problems=(AlreadyVoided, ResultsReleased, ClassEnded),
    )
    async def post(self, class_id: str, added_id: str) -> None:
        wanted = Voiding.model_validate(self.body(VoidRequest).model_dump())
        await added.void_as_teacher(self.platform, self.actor, class_id, added_id, wanted)
        there = await added.of_taught_class(self.platform, self.actor, class_id)
        self.answer(TaughtAddedHoursAnswer(items=[taught_added_item(one) for one in there]))


_CLASS = r"(?P<class_id>[0-9a-f]{24})"
ROUTES: list[Route] = [
    (rf"/api/v1/classes/{_CLASS}/added-hours", MyAddedHours),
    (rf"/api/v1/teaching/classes/{_CLASS}/make-ups", TaughtMakeUps),
    (rf"/api/v1/teaching/classes/{_CLASS}/make-ups/(?P<added_id>[0-9a-f]{{24}})/void", TaughtMakeUpVoid),
]
