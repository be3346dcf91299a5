"""入学通知 and 承诺书 (article 10)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from miniprogram_api.handler import ApiHandler, Request, Response, operation
from server.admissions import arrival, rules
from server.admissions.arrival import Notice
from server.admissions.documents import Arrival
from server.admissions.rules import PledgeOutdated
from server.kernel.paper import PaperFailed, PaperLacksCharacter
from server.kernel.permissions import Permission
from server.kernel.web import Route


class DisciplineItem(Response):
    article: str
    text: str


class NoticeAnswer(Response):
    class_id: str
    class_name: str
    institution_name: str
    name: str
    starts_on: date
    ends_on: date
    place: str
    reporting: str
    to_bring: str
    discipline: list[DisciplineItem]
    text_version: int
    pledge: str
    opened_at: datetime | None
    pledged_at: datetime | None
    pledge_version: int | None
    arrived_at: datetime | None
    arrival_required: bool
    """Whether there is no check-in before 报到."""


class PledgeRequest(Request):
    text_version: Annotated[int, Field(ge=1, le=1000)]
    """Of the text that was read."""


class PledgeAnswer(Response):
    class_id: str
    pledged_at: datetime
    pledge_version: int


def notice_answer(notice: Notice) -> NoticeAnswer:
    kept: Arrival | None = notice.arrival
    return NoticeAnswer(
        class_id=notice.training_class.id,
        class_name=notice.training_class.name,
        institution_name=notice.training_class.institution_name,
        name=notice.enrolment.name,
        starts_on=notice.training_class.starts_on,
        ends_on=notice.training_class.ends_on,
        place=notice.training_class.place,
        reporting=notice.reporting,
        to_bring=notice.to_bring,
        discipline=[DisciplineItem(article=article, text=text) for article, text in rules.DISCIPLINE],
        text_version=rules.DISCIPLINE_VERSION,
        pledge=rules.PLEDGE,
        opened_at=kept.notice_opened_at if kept else None,
        pledged_at=kept.pledged_at if kept else None,
        pledge_version=kept.pledge_version if kept else None,
        arrived_at=notice.enrolment.arrived_at,
        arrival_required=notice.enrolment.arrival_required,
    )


class AdmissionNotice(ApiHandler):
    @operation(
        Permission.ADMISSIONS_APPLY,
        summary="My admission notice with the discipline (article 10); reading it records nothing",
        answers={200: NoticeAnswer},
    )
    async def get(self, class_id: str) -> None:
        self.answer(notice_answer(await arrival.my_notice(self.platform, self.actor, class_id)))


class AdmissionNoticeOpened(ApiHandler):
    @operation(
        Permission.ADMISSIONS_APPLY,
        summary="I open my admission notice: the first time is recorded; again it answers the same",
        answers={200: NoticeAnswer},
    )
    async def post(self, class_id: str) -> None:
        self.answer(notice_answer(await arrival.open_notice(self.platform, self.actor, class_id)))


class AdmissionNoticePdf(ApiHandler):
    @operation(
        Permission.ADMISSIONS_APPLY,
        summary="The same as PDF, to print",
        answers={200: "application/pdf"},
        problems=(PaperLacksCharacter, PaperFailed),
        rate="30/minute",
        rate_by="phone",
    )
    async def get(self, class_id: str) -> None:
        content = await arrival.my_notice_pdf(self.platform, self.actor, class_id)
        self.set_header("Content-Type", "application/pdf")
        self.set_header("Content-Disposition", 'inline; filename="admission-notice.pdf"')
        self.finish(content)


class Pledge(ApiHandler):
    @operation(
        Permission.ADMISSIONS_APPLY,
        summary="Sign the pledge; signed again, it answers the same",
        body=PledgeRequest,
        answers={200: PledgeAnswer},
        problems=(PledgeOutdated,),
    )
    async def post(self, class_id: str) -> None:
        version = self.body(PledgeRequest).text_version
        signed = await arrival.sign_pledge(self.platform, self.actor, class_id, version)
        self.answer(
            PledgeAnswer.model_validate(
                {
                    "class_id": class_id,
                    "pledged_at": signed.pledged_at,
                    "pledge_version": signed.pledge_version,
                }
            )
        )


_NOTICE = r"/api/v1/classes/(?P<class_id>[0-9a-f]{24})/admission-notice"
ROUTES: list[Route] = [
    (_NOTICE, AdmissionNotice),
    (rf"{_NOTICE}/open", AdmissionNoticeOpened),
    (rf"{_NOTICE}/pdf", AdmissionNoticePdf),
    (rf"{_NOTICE}/pledge", Pledge),
]
