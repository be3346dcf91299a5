"""Files on their way in, one by one: whole in one request, or in parts of 4 MiB that may be sent again one by one."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from miniprogram_api.handler import ApiHandler, Multipart, Request, Response, operation
from server.kernel.errors import FieldError, Invalid, NonceReused, UnsupportedMediaType
from server.kernel.permissions import Permission
from server.kernel.web import Route, parse_values
from server.uploads import service
from server.uploads.documents import UploadState, WaitingUpload
from server.uploads.file_types import FileTypeRefused
from server.uploads.rules import PART_BYTES
from server.uploads.service import FileTooLarge, NewUpload, TooManyWaiting

BESIDE_THE_FILE = 64 * 2**10
"""Bytes that fields, headers and boundaries may take."""
RATE = "600/hour"


class UploadAnswer(Response):
    upload_id: str
    name: str
    size: int
    """Bytes."""
    kind: str | None
    """What it is, in words, once it was looked at: 图片, PDF, Word 文档."""
    state: UploadState
    state_title: str
    missing: list[int]
    """Numbers of the parts that have not come, from nought."""
    part_bytes: int
    """How large each part is, but for the last."""
    refusal: str | None
    """Why it cannot be used, in Chinese."""


class UploadRequest(Request, NewUpload):
    """A file that will come in parts."""


class _Fields(BaseModel):
    """What stands beside a file that is sent whole. The name is a field, for WeChat forgets what the file was called."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(title="文件名", min_length=1, max_length=255)]
    nonce: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]


def upload_answer(found: WaitingUpload) -> UploadAnswer:
    return UploadAnswer(
        upload_id=found.id,
        name=found.name or found.given_name,
        size=found.size,
        kind=found.kind or None,
        state=found.state,
        state_title=found.state.label,
        missing=found.missing,
        part_bytes=PART_BYTES,
        refusal=found.refusal or None,
    )


class Uploads(ApiHandler):
    @operation(
        Permission.UPLOADS_SEND,
        summary="Send one file of up to 4 MiB; the same nonce answers the same upload again",
        body=Multipart(
            {
                "type": "object",
                "required": ["file", "name", "nonce"],
                "properties": {
                    "file": {"type": "string", "format": "binary"},
                    "name": {"type": "string", "minLength": 1, "maxLength": 255},
                    "nonce": {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"},
                },
                "additionalProperties": False,
            }
        ),
        answers={201: UploadAnswer, 200: UploadAnswer},
        problems=(FileTooLarge, FileTypeRefused, NonceReused, TooManyWaiting, UnsupportedMediaType),
        rate=RATE,
        rate_by="phone",
        largest=PART_BYTES + BESIDE_THE_FILE,
    )
    async def post(self) -> None:
        fields, content = self._sent()
        wanted = NewUpload(name=fields.name, size=len(content), nonce=fields.nonce)
        begun, is_new = await service.begin(self.platform, self.actor, wanted)
        kept = await service.put_part(self.platform, self.actor, begun.id, 0, content)
        kept = await service.finished(self.platform, kept)
        if kept.state is UploadState.REFUSED:
            raise FileTypeRefused(kept.refusal)
        self.answer(upload_answer(kept), status=201 if is_new else 200)

    def _sent(self) -> tuple[_Fields, bytes]:
        """Raises UnsupportedMediaType, Invalid."""
        if not self.request.headers.get("Content-Type", "").lower().startswith("multipart/form-data"):
            raise UnsupportedMediaType("请求内容应为 multipart/form-data。")
        files = [one for sent in self.request.files.values() for one in sent]
        if len(files) != 1 or "file" not in self.request.files:
            raise Invalid(fields=[FieldError("file", "一次上传一个文件，字段名为 file。")])
        content: bytes = files[0].body
        if not content:
            raise Invalid(fields=[FieldError("file", "文件是空的，请检查后重新选择。")])
        if len(content) > PART_BYTES:
            words = f"超过 {PART_BYTES // 2**20} MiB 的文件请分段上传（/uploads/begin）。"
            raise FileTooLarge(words)
        names = self.request.body_arguments
        values = {name: self.get_body_argument(name) for name in names}
        return parse_values(_Fields, values), content


class UploadInParts(ApiHandler):
    @operation(
        Permission.UPLOADS_SEND,
        summary="Announce a file that comes in parts; the same nonce answers the same upload, with what is missing",
        body=UploadRequest,
        answers={201: UploadAnswer, 200: UploadAnswer},
        problems=(FileTooLarge, NonceReused, TooManyWaiting),
        rate=RATE,
        rate_by="phone",
    )
    async def post(self) -> None:
        begun, is_new = await service.begin(self.platform, self.actor, self.body(UploadRequest))
        self.answer(upload_answer(begun), status=201 if is_new else 200)


class OneUpload(ApiHandler):
    @operation(Permission.UPLOADS_SEND, summary="How far an upload has come", answers={200: UploadAnswer})
    async def get(self, upload_id: str) -> None:
        self.answer(upload_answer(await service.upload(self.platform, self.actor, upload_id)))


class UploadPart(ApiHandler):
    @operation(
        Permission.UPLOADS_SEND,
        summary="Send a part, its bytes as they are; sent again it changes nothing",
        body="application/octet-stream",
        answers={200: UploadAnswer},
        rate="3000/hour",
        rate_by="phone",
        largest=PART_BYTES,
    )
    async def put(self, upload_id: str, number: str) -> None:
        kept = await service.put_part(self.platform, self.actor, upload_id, int(number), self.request.body)
        self.answer(upload_answer(kept))


_ONE = r"/api/v1/uploads/(?P<upload_id>[0-9a-f]{24})"
ROUTES: list[Route] = [
    (r"/api/v1/uploads", Uploads),
    (r"/api/v1/uploads/begin", UploadInParts),
    (_ONE, OneUpload),
    (rf"{_ONE}/parts/(?P<number>[0-9]{{1,4}})", UploadPart),
]
