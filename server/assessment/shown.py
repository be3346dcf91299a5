"""Pictures of what was handed in, by a link of some minutes: `<image>` of the mini-program sends no header that says who asks.

Whoever may read a submission gets its links with it; a link opens one picture and says nothing of who it was given to. It ends by itself.
"""

from __future__ import annotations

import asyncio
import hmac
from collections import OrderedDict
from enum import IntEnum
from functools import partial
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from server.assessment import store
from server.assessment.documents import Submission, SubmittedFile
from server.kernel import hostile, pictures, puzzles
from server.kernel.downloads import Download
from server.kernel.errors import Forbidden, NotFound
from server.kernel.platform import Platform

LIVES = 10
"""Minutes of a link, at least; it ends with a tenth minute, so that a phone meets the same address again and keeps the picture."""
LARGEST = 20 * 2**20
"""Bytes of a picture that is drawn smaller; a larger one is opened as a file."""
KINDS = ("image/jpeg", "image/png", "image/webp")
DRAWN_AT_ONCE = 4
"""In this process: the sheets of offices wait in the same line (kernel.hostile)."""
KEPT = 32 * 2**20
"""Bytes of drawn pictures that this process remembers."""

hostile.reads_here(pictures.__name__)
_drawn: OrderedDict[tuple[str, int], bytes] = OrderedDict()
_places = asyncio.Semaphore(DRAWN_AT_ONCE)


class LinkExpired(Forbidden):
    slug = "link-expired"
    title = "图片链接已失效"
    default_detail = "图片链接已过期或不完整。请返回重新打开这份学习成果，再查看图片。"


class Width(IntEnum):
    """A few, so that what is drawn can be kept."""

    SMALL = 320
    LARGE = 1080


class PictureLink(BaseModel):
    """What a link says besides which picture it opens."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    until: Annotated[int, Field(ge=0, le=10**11)]
    seal: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    width: Width | None = None
    """Drawn smaller, as JPEG; without it the picture as it was handed in."""


def link(platform: Platform, submission: Submission, file: SubmittedFile) -> str | None:
    """The address of a picture for some minutes; None for what is no picture, or too large for one."""
    if file.media_type not in KINDS or file.size > LARGEST:
        return None
    step = LIVES * 60
    until = (int(platform.clock.now().timestamp()) // step + 2) * step
    seal = _seal(platform, submission.id, file.id, until)
    return f"/api/v1/pictures/{submission.id}/{file.id}?until={until}&seal={seal}"


async def picture(platform: Platform, submission_id: str, file_id: str, asked: PictureLink) -> Download:
    """The picture that the link opens. Raises LinkExpired, NotFound, and what reading it apart raises."""
    genuine = hmac.compare_digest(asked.seal, _seal(platform, submission_id, file_id, asked.until))
    if not genuine or asked.until <= platform.clock.now().timestamp():
        raise LinkExpired()
    submission = await store.submission(platform, submission_id)
    file = next((one for one in submission.files if one.id == file_id), None) if submission else None
    if file is None:
        raise NotFound("没有这张图片。")
    if asked.width is None:
        return Download(file.name, file.media_type, file.size, platform.files.read(file.content_id))
    return Download.of(f"{file.name}.jpg", "image/jpeg", await _smaller(platform, file, asked.width))


async def _smaller(platform: Platform, file: SubmittedFile, width: Width) -> bytes:
    key = (file.content_id, int(width))
    if key in _drawn:
        return _remembered(key)
    async with _places:
        if key in _drawn:  # drawn for another phone while this one waited
            return _remembered(key)
        content = b"".join([chunk async for chunk in platform.files.read(file.content_id)])
        whom = f"picture:{file.id}:{int(width)}"
        drawn = await hostile.read_apart(platform, whom, partial(pictures.redrawn, content, int(width)))
        _drawn[key] = drawn
    while sum(map(len, _drawn.values())) > KEPT and len(_drawn) > 1:
        _drawn.popitem(last=False)
    return drawn


def _remembered(key: tuple[str, int]) -> bytes:
    _drawn.move_to_end(key)
    return _drawn[key]


def _seal(platform: Platform, submission_id: str, file_id: str, until: int) -> str:
    said = f"{submission_id}/{file_id}/{until}".encode()
    return hmac.digest(puzzles.secret(platform, "link to a picture"), said, "sha256").hex()
