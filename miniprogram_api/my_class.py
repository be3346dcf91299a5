"""One class that I attend, with what I have done in it: its page takes this call and that of its sessions."""

from __future__ import annotations

from datetime import datetime

from miniprogram_api.classes import ClassAnswer, ClassHandler
from miniprogram_api.handler import Response, operation
from server.admissions import arrival
from server.assessment import reading
from server.kernel.permissions import Permission
from server.kernel.web import Route


class MyPart(Response):
    """What I have done in a class, and what is left."""

    notice_opened_at: datetime | None
    pledged_at: datetime | None
    """In the mini-program."""
    pledged_on_paper: bool
    arrived_at: datetime | None
    arrival_required: bool
    hours_attended: int
    hours_needed: int
    """Without so many there is no assessment (articles 4.6 and 16)."""
    tasks: int
    handed_in: int
    """Also what was shown on site and graded."""
    missing: list[str]
    """What the certificate still asks of me, in Chinese; empty where nothing is left to do, and after the results are released."""
    results_released: bool
    passed: bool | None
    """Null until then."""


class MyClassAnswer(ClassAnswer):
    mine: MyPart


class MyClass(ClassHandler):
    @operation(
        Permission.CLASSES_ATTEND,
        summary="One of the classes that I attend, with what I have done in it and what is left",
        answers={200: MyClassAnswer},
    )
    async def get(self, class_id: str) -> None:
        found = await reading.my_progress(self.platform, self.actor, class_id)
        kept = (await arrival.mine_in(self.platform, self.actor.person_id, [class_id])).get(class_id)
        mine = MyPart(
            notice_opened_at=kept.notice_opened_at if kept else None,
            pledged_at=kept.pledged_at if kept else None,
            pledged_on_paper=bool(kept and kept.pledge_on_paper),
            arrived_at=found.enrolment.arrived_at,
            arrival_required=found.enrolment.arrival_required,
            hours_attended=found.hours_attended,
            hours_needed=found.hours_needed,
            tasks=found.tasks,
            handed_in=found.handed_in,
            missing=found.missing,
            results_released=found.training_class.results_released_at is not None,
            passed=found.result.passed if found.result else None,
        )
        self.answer(MyClassAnswer.model_validate({**await self.facts(found.training_class), "mine": mine}))


ROUTES: list[Route] = [(r"/api/v1/classes/(?P<class_id>[0-9a-f]{24})", MyClass)]
