"""My classes, and the classes I teach."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from pydantic import Field

from miniprogram_api.handler import ApiHandler, Page, Paging, Request, Response, operation
from server.accounts.binding import AlreadyBound, NoSuchPhone, PhoneRests
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.rules import Condition, Kind, Stage
from server.identities import service as identities
from server.identities.rules import NotCheckedYet
from server.identities.service import Digits
from server.institutions.rules import Level
from server.kernel.clock import beijing_date
from server.kernel.errors import NotFound
from server.kernel.permissions import Permission
from server.kernel.web import Route


class ClassAnswer(Response):
    id: str
    name: str
    institution_name: str
    level: Level
    level_title: str
    major: str
    major_name: str
    courses: list[str]
    class_hours: int
    starts_on: date
    ends_on: date
    place: str
    stage: Stage
    """Where today lies, in Beijing."""
    stage_title: str
    condition: Condition
    """Suspended today, called off or terminated; else running."""
    condition_title: str
    condition_reason: str
    teachers: list[str]
    """Names of the backbone teachers."""
    my_part: list[Kind]
    """What I do in it as a backbone teacher: TEACHING shows codes and keeps the roll, ASSESSMENT grades. Empty where I attend."""


class TraineeAnswer(Response):
    person_id: str
    name: str
    id_number_masked: str
    work_unit: str
    bound: bool
    """Whether they have a phone, confirmed or waiting: only then can they check in."""
    confirmed: bool
    """Whether it is proved to be theirs in this class: only then can they hand in, rate and fetch."""


class TaughtClassAnswer(ClassAnswer):
    trainees: list[TraineeAnswer]


def class_facts(
    item: TrainingClass, teachers: Sequence[str], today: date, my_part: Sequence[Kind]
) -> dict[str, object]:
    """The fields of ClassAnswer; `teachers`: what they are called."""
    stage, condition = item.stage_on(today), item.condition_on(today)
    return {
        **item.model_dump(include=_TOLD),
        "level_title": item.level.label,
        "major_name": item.major_name,
        "stage": stage,
        "stage_title": item.standing_on(today).label,
        "condition": condition,
        "condition_title": condition.label,
        "condition_reason": _reason(item, today),
        "teachers": teachers,
        "my_part": list(my_part),
    }


def _reason(item: TrainingClass, today: date) -> str:
    suspended = (one.reason for one in item.suspensions if one.covers(today))
    return item.condition_reason or next(suspended, "")


_TOLD = ClassAnswer.model_fields.keys() & TrainingClass.model_fields.keys() - {
    "teachers",
    "condition",
    "condition_reason",
}


class ClassHandler(ApiHandler):
    async def told(self, item: TrainingClass) -> ClassAnswer:
        return ClassAnswer.model_validate(await self.facts(item))

    async def taught(self, item: TrainingClass) -> dict[str, object]:
        """The fields of ClassAnswer, for a teacher of the class."""
        return await self.facts(item, item.kinds_of(self.actor.person_id))

    async def facts(self, item: TrainingClass, my_part: Sequence[Kind] = ()) -> dict[str, object]:
        called = await classes.teachers_called(self.platform, item)
        return class_facts(item, list(called.values()), self.today, my_part)

    @property
    def today(self) -> date:
        return beijing_date(self.platform.clock.now())


class MyClasses(ClassHandler):
    @operation(
        Permission.CLASSES_ATTEND,
        summary="The classes that I attend, latest enrolment first",
        query=Paging,
        answers={200: Page[ClassAnswer]},
    )
    async def get(self) -> None:
        paging = self.query(Paging)
        found, cursor = await classes.my_classes(
            self.platform, self.actor, before=paging.cursor, limit=paging.limit
        )
        self.answer(Page(items=[await self.told(one) for one in found], next=cursor))


class MyTeaching(ClassHandler):
    @operation(
        Permission.CLASSES_TEACH,
        summary="The classes that I teach, newest first",
        query=Paging,
        answers={200: Page[ClassAnswer]},
    )
    async def get(self) -> None:
        paging = self.query(Paging)
        found = await classes.my_teaching(self.platform, self.actor, before=paging.cursor, limit=paging.limit)
        cursor = found[-1].id if len(found) == paging.limit else None
        items = [ClassAnswer.model_validate(await self.taught(one)) for one in found]
        self.answer(Page(items=items, next=cursor))


class TaughtClass(ClassHandler):
    @operation(
        Permission.CLASSES_TEACH,
        summary="One of the classes that I teach, with its trainees in the order of the roster",
        answers={200: TaughtClassAnswer},
    )
    async def get(self, class_id: str) -> None:
        item = await classes.taught_class(self.platform, self.actor, class_id)
        trainees = [
            TraineeAnswer(
                person_id=one.enrolment.person_id,
                name=one.enrolment.name,
                id_number_masked=one.enrolment.id_number_masked,
                work_unit=one.enrolment.work_unit,
                bound=one.bound or one.waits,
                confirmed=one.bound,
            )
            for one in await classes.trainee_list(self.platform, class_id)
        ]
        self.answer(TaughtClassAnswer.model_validate({**await self.taught(item), "trainees": trainees}))


class ConfirmPhoneRequest(Request):
    phone_digits: Annotated[str, Field(min_length=6, max_length=20)]
    """Six digits that the phone of the trainee shows, whose card the teacher has seen."""


class ConfirmPhone(ClassHandler):
    @operation(
        Permission.ATTENDANCE_TEACH,
        summary="Confirm the phone of a trainee whose identity card I have seen; again, it answers the same",
        body=ConfirmPhoneRequest,
        answers={204: None},
        problems=(NotFound, NoSuchPhone, AlreadyBound, PhoneRests, NotCheckedYet),
        rate="60/hour",
        rate_by="phone",
    )
    async def post(self, class_id: str, person_id: str) -> None:
        shown = Digits.model_validate(self.body(ConfirmPhoneRequest).model_dump())
        await identities.confirm_phone_as_teacher(self.platform, self.actor, class_id, person_id, shown)
        self.set_status(204)


ROUTES: list[Route] = [
    (r"/api/v1/classes", MyClasses),
    (r"/api/v1/teaching/classes", MyTeaching),
    (r"/api/v1/teaching/classes/(?P<class_id>[0-9a-f]{24})", TaughtClass),
    (
        r"/api/v1/teaching/classes/(?P<class_id>[0-9a-f]{24})/trainees/(?P<person_id>[0-9a-f]{24})/phone",
        ConfirmPhone,
    ),
]
