"""A multipart/form-data body (RFC 7578) cut into its parts while it arrives, and the submission that comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from server.assessment.submissions import TEXT_LONGEST, SubmissionDraft
from server.assessment.uploads import Upload
from server.kernel.errors import BadRequest, FieldError, Invalid, UnsupportedMediaType
from server.kernel.web import field_errors

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FILES = "files"
FIELD_LARGEST = 4 * TEXT_LONGEST
"""Bytes of a field: a character takes at most four in UTF-8."""


@dataclass(frozen=True)
class PartBegins:
    name: str
    file_name: str | None
    """None: a plain field."""


@dataclass(frozen=True)
class PartEnds:
    pass


Event = PartBegins | bytes | PartEnds


class MultipartReader:
    """Turns the bytes of a body into events. Raises UnsupportedMediaType or BadRequest for a body that is no form."""

    def __init__(self, content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data":
            raise UnsupportedMediaType("请求内容应为 multipart/form-data。")
        if not options.get(b"boundary"):
            raise BadRequest("multipart/form-data 缺少 boundary。")
        self.complete = False
        self._events: list[Event] = []
        self._header = [b"", b""]
        self._headers: dict[bytes, bytes] = {}
        try:
            self._parser = MultipartParser(options[b"boundary"], self._callbacks())
        except FormParserError as error:
            raise BadRequest("multipart/form-data 的 boundary 不正确。") from error

    def feed(self, data: bytes) -> list[Event]:
        """What these bytes bring, in order. Raises BadRequest."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise BadRequest("表单内容不完整或格式不正确，请重新提交。") from error
        events, self._events = self._events, []
        return events

    def _callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._headers.clear,
            "on_header_field": lambda data, start, end: self._add_to_header(0, data[start:end]),
            "on_header_value": lambda data, start, end: self._add_to_header(1, data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._begin_part,
            "on_part_data": lambda data, start, end: self._events.append(data[start:end]),
            "on_part_end": lambda: self._events.append(PartEnds()),
            "on_end": self._end,
        }

    def _add_to_header(self, place: int, data: bytes) -> None:
        self._header[place] += data

    def _end_header(self) -> None:
        self._headers[self._header[0].lower()] = self._header[1]
        self._header = [b"", b""]

    def _begin_part(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        file_name = options.get(b"filename")
        self._events.append(
            PartBegins(
                options.get(b"name", b"").decode("utf-8", "replace"),
                None if file_name is None else file_name.decode("utf-8", "replace"),
            )
        )

    def _end(self) -> None:
        self.complete = True


class SubmissionForm:
    """The form of a submission on its way in: fields are kept, files go straight into the upload.

    What is wrong with it is kept until the whole body has passed, because a phone reads no answer before it has sent everything; the rest
    of the body is then read and thrown away.
    """

    def __init__(self, content_type: str, upload: Upload) -> None:
        self._reader = MultipartReader(content_type)
        self.upload = upload
        self._fields: dict[str, bytes] = {}
        self._part: PartBegins | None = None
        self._refusal: Exception | None = None
        self._finished = False

    async def take(self, data: bytes) -> None:
        if self._refusal is not None:
            return
        try:
            for event in self._reader.feed(data):
                await self._follow(event)
        except Exception as error:  # told to the phone by `finish`, whatever it is
            self._refusal = error
            await self.upload.give_up()

    async def finish(self) -> SubmissionDraft:
        """The fields, checked. Raises what was wrong with the form; then no file has stayed."""
        self._finished = True
        try:
            if self._refusal is not None:
                raise self._refusal
            if not self._reader.complete:
                raise BadRequest("表单内容不完整，请重新提交。")
            return _draft(self._fields)
        except (BadRequest, Invalid):
            await self.upload.give_up()
            raise

    def break_off(self) -> bool:
        """The phone is gone. True when that was before `finish`: then the upload is to be given up."""
        if not self._finished:
            self._refusal = BadRequest("上传中断，请重新提交。")
        return not self._finished

    async def _follow(self, event: Event) -> None:
        match event:
            case PartBegins():
                await self._begin(event)
            case PartEnds():
                if self._is_file(self._part):
                    await self.upload.end()
                self._part = None
            case _:
                await self._content(event)

    async def _begin(self, part: PartBegins) -> None:
        self._part = part
        if self._is_file(part):
            await self.upload.begin(part.file_name or "")
        elif part.name == FILES:
            if part.file_name is None:
                raise Invalid(fields=[FieldError(FILES, "应为文件。")])
        elif part.name not in SubmissionDraft.model_fields:
            raise Invalid(fields=[FieldError(part.name[:40], "多余的字段。")])
        elif part.name in self._fields:
            raise Invalid(fields=[FieldError(part.name, "只能出现一次。")])
        else:
            self._fields[part.name] = b""

    async def _content(self, data: bytes) -> None:
        part = self._part
        assert part is not None
        if self._is_file(part):
            await self.upload.write(data)
        elif part.name in self._fields:
            self._fields[part.name] += data
            if len(self._fields[part.name]) > FIELD_LARGEST:
                raise Invalid(fields=[FieldError(part.name, f"最多 {TEXT_LONGEST} 个字符。")])

    @staticmethod
    def _is_file(part: PartBegins | None) -> bool:
        """A file field left empty is sent by browsers as a part without a file name."""
        return part is not None and part.name == FILES and bool(part.file_name)


def _draft(fields: dict[str, bytes]) -> SubmissionDraft:
    """Raises Invalid with each field's place."""
    try:
        return SubmissionDraft.model_validate({name: value.decode() for name, value in fields.items()})
    except ValidationError as error:
        raise Invalid(fields=field_errors(error)) from None
    except UnicodeDecodeError:
        raise Invalid("文字应为 UTF-8 编码。") from None
