"""What the teachers of a class say about work that was handed in, beside any grade."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from miniprogram_api.handler import ApiHandler, Request, Response, operation
from miniprogram_api.screening import flag, screen
from server.assessment import remarks
from server.assessment.remarks import RemarkDraft, TakingBack, TooManyRemarks
from server.assessment.rules import GradingOneself
from server.classes.service import ResultsReleased
from server.kernel.errors import NonceReused
from server.kernel.permissions import Permission
from server.kernel.web import Route
from server.wechat.content import ContentRefused


class WorkRemarkAnswer(Response):
    id: str
    text: str
    author_id: str
    author_name: str
    said_at: datetime


class RemarkRequest(Request, RemarkDraft):
    """`nonce` makes the same remark, sent again over a bad network, one remark."""

    nonce: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{8,64}$")]


class TakingBackRequest(Request, TakingBack):
    """Why the remark does not stand."""


class RemarkOnWork(ApiHandler):
    @operation(
        Permission.ASSESSMENT_REMARK,
        summary="Say something about a version, without grading it: whoever teaches or assesses the class",
        body=RemarkRequest,
        answers={201: WorkRemarkAnswer, 200: WorkRemarkAnswer},
        problems=(ContentRefused, NonceReused, GradingOneself, ResultsReleased, TooManyRemarks),
        rate="60/minute",
        rate_by="phone",
    )
    async def post(self, submission_id: str) -> None:
        said = self.body(RemarkRequest)
        screened = await screen(self, {"text": said.text}, remarks.remark, submission_id, said)
        kept, is_new = await remarks.remark(self.platform, self.actor, submission_id, said)
        await flag(self, screened, f"work-remark:{kept.id}", "对学习成果的意见", kept.class_id)
        self.answer(WorkRemarkAnswer.model_validate(kept), status=201 if is_new else 200)


class RemarkTakenBack(ApiHandler):
    @operation(
        Permission.ASSESSMENT_REMARK,
        summary="Take my remark back, before the results are released; again it answers the same",
        body=TakingBackRequest,
        answers={200: WorkRemarkAnswer},
        problems=(ResultsReleased,),
        rate="60/minute",
        rate_by="phone",
    )
    async def post(self, remark_id: str) -> None:
        wanted = self.body(TakingBackRequest)
        found = await remarks.take_back(self.platform, self.actor, remark_id, wanted)
        self.answer(WorkRemarkAnswer.model_validate(found))


_ID = "[0-9a-f]{24}"
ROUTES: list[Route] = [
    (rf"/api/v1/teaching/submissions/(?P<submission_id>{_ID})/remarks", RemarkOnWork),
    (rf"/api/v1/teaching/remarks/(?P<remark_id>{_ID})/withdrawal", RemarkTakenBack),
]
