"""学习成果: what a trainee hands in, with files that were sent before or in the form itself."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from tornado.ioloop import IOLoop
from tornado.web import stream_request_body

from miniprogram_api.assessment import SubmissionAnswer, next_cursor, submission_answer
from miniprogram_api.handler import ApiHandler, Multipart, Page, Paging, Request, operation
from miniprogram_api.multipart import SubmissionForm
from server.assessment import remarks, shown, submissions
from server.assessment.documents import Submission
from server.assessment.rules import OwnWorkNotDeclared
from server.assessment.shown import LinkExpired, PictureLink
from server.assessment.submissions import TEXT_LONGEST, NamedDraft
from server.assessment.uploads import QuotaReached
from server.classes.rules import NotArrived
from server.classes.service import ResultsReleased
from server.kernel import downloads
from server.kernel.errors import FileUnreadable, NonceReused, Unavailable
from server.kernel.front_door import Exchange
from server.kernel.permissions import Permission
from server.kernel.pictures import PictureRefused
from server.kernel.web import Route, parse_json
from server.uploads.file_types import FileTypeRefused
from server.uploads.service import FileTooLarge, NotWhole
from server.wechat.content import ContentRefused

BODY_BESIDE_FILES = 2**20
"""Bytes that fields, headers and boundaries may take beside the files."""
SLOWEST_UPLOAD = 3600
"""Seconds for all of it: the largest that the policy may ask for, over a slow line. Who falls silent is given up long before."""


SUBMISSION_FORM = Multipart(
    {
        "type": "object",
        "required": ["own_work"],
        "properties": {
            "own_work": {"type": "string", "enum": ["true"], "description": "本人独立完成（指南第十三条）"},
            "text": {"type": "string", "maxLength": TEXT_LONGEST},
            "nonce": {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"},
            "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
        },
        "additionalProperties": False,
    }
)


class SubmissionRequest(Request, NamedDraft):
    """A version whose files were sent before (`POST /uploads`)."""

    nonce: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]


@stream_request_body
class TaskSubmissions(ApiHandler):
    form: SubmissionForm | None = None
    named: bytearray | None = None
    """A body of JSON, as far as it has come."""

    @property
    def connection(self) -> Exchange:
        assert isinstance(self.request.connection, Exchange)
        return self.request.connection

    async def prepare(self) -> None:
        """The files go into the database while they arrive, so who sends them is settled before the first byte."""
        await super().prepare()
        if self.request.method != "POST":
            return
        if self.request.headers.get("Content-Type", "").lower().startswith("application/json"):
            await submissions.begin_upload(self.platform, self.actor, self.path_kwargs["task_id"])
            self.named = bytearray()
            self.connection.set_max_body_size(BODY_BESIDE_FILES)
        else:
            await self._open_form()

    async def _open_form(self) -> None:
        self.connection.stream_body(self.actor.person_id, SLOWEST_UPLOAD)
        said = self.request.headers.get("Content-Length", "")[:20]
        announced = int(said) if said.isdecimal() else None
        task_id = self.path_kwargs["task_id"]
        upload = await submissions.begin_upload(self.platform, self.actor, task_id, announced)
        largest = upload.limits.upload_bytes + BODY_BESIDE_FILES
        if announced is not None and announced > largest:
            raise FileTooLarge(f"一次提交的文件总共不能超过 {largest // 2**20} MiB，请分次提交或压缩。")
        self.form = SubmissionForm(self.request.headers.get("Content-Type", ""), upload)
        self.connection.set_max_body_size(largest)

    async def data_received(self, chunk: bytes) -> None:
        if self.named is not None:
            self.named += chunk
        elif self.form is not None:
            await self.form.take(chunk)

    def on_connection_close(self) -> None:
        super().on_connection_close()
        if self.form is not None and self.form.break_off():
            IOLoop.current().add_callback(self.form.upload.give_up)

    @operation(
        Permission.ASSESSMENT_SUBMIT,
        summary="Hand in a new version, with files that were sent before; the same nonce answers the same version again",
        body=(SubmissionRequest, SUBMISSION_FORM),
        answers={201: SubmissionAnswer, 200: SubmissionAnswer},
        problems=(
            NotArrived,
            OwnWorkNotDeclared,
            ContentRefused,
            FileTooLarge,
            FileTypeRefused,
            FileUnreadable,
            NonceReused,
            NotWhole,
            QuotaReached,
            ResultsReleased,
        ),
        rate="120/hour",
        rate_by="phone",
    )
    async def post(self, task_id: str) -> None:
        if self.named is not None:
            wanted = parse_json(SubmissionRequest, bytes(self.named))
            kept, is_new = await submissions.hand_in_named(self.platform, self.actor, task_id, wanted)
            self._answer_kept(kept, is_new)
            return
        assert self.form is not None
        draft = await self.form.finish()
        kept, is_new = await submissions.hand_in(self.platform, self.actor, task_id, draft, self.form.upload)
        self._answer_kept(kept, is_new)

    def _answer_kept(self, kept: Submission, is_new: bool) -> None:
        told = submission_answer(kept, links=self.platform)
        assert told is not None
        self.answer(told, status=201 if is_new else 200)

    @operation(
        Permission.ASSESSMENT_SUBMIT,
        summary="My versions, newest first",
        query=Paging,
        answers={200: Page[SubmissionAnswer]},
    )
    async def get(self, task_id: str) -> None:
        paging = self.query(Paging)
        found = await submissions.my_versions(
            self.platform, self.actor, task_id, before=paging.cursor, limit=paging.limit
        )
        said = await remarks.shown(self.platform, found)
        items = [told for one in found if (told := submission_answer(one, said, links=self.platform))]
        self.answer(Page(items=items, next=next_cursor([item.id for item in items], paging.limit)))


class MyFile(ApiHandler):
    @operation(Permission.ASSESSMENT_SUBMIT, summary="A file that I handed in", answers={200: "*/*"})
    async def get(self, submission_id: str, file_id: str) -> None:
        file = await submissions.my_file(self.platform, self.actor, submission_id, file_id)
        await downloads.send(self, file)


class SubmittedPicture(ApiHandler):
    @operation(
        Permission.ANYONE,
        summary="A picture of a submission, by the link that stands with it; it needs no token and ends after some minutes",
        query=PictureLink,
        answers={200: "image/*"},
        problems=(LinkExpired, PictureRefused, FileUnreadable, Unavailable),
        rate="1200/minute",
    )
    async def get(self, submission_id: str, file_id: str) -> None:
        file = await shown.picture(self.platform, submission_id, file_id, self.query(PictureLink))
        self.set_header("Cache-Control", "private, max-age=600")
        self.set_header(
            "Cross-Origin-Resource-Policy", "cross-origin"
        )  # WeChat shows it in a page of its own
        await downloads.send(self, file)


_ID = "[0-9a-f]{24}"
ROUTES: list[Route] = [
    (rf"/api/v1/tasks/(?P<task_id>{_ID})/submissions", TaskSubmissions),
    (rf"/api/v1/submissions/(?P<submission_id>{_ID})/files/(?P<file_id>{_ID})", MyFile),
    (rf"/api/v1/pictures/(?P<submission_id>{_ID})/(?P<file_id>{_ID})", SubmittedPicture),
]
