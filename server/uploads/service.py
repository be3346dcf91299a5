"""A phone sends files one by one, each in parts, before the form that names them: a cut line costs a part, never the form.

A part is written once and never over: whatever comes for the same place later is thrown away, so that what was looked at is what is kept.
When all parts are there the file is hashed and recognised in the background, or by whoever needs it first. What no document names within a
day is removed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pymongo.errors import DuplicateKeyError

from server.kernel import hostile, policies
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, FieldError, FileUnreadable, Invalid, NonceReused, NotFound, Problem
from server.kernel.files import CHUNK_BYTES
from server.kernel.hostile import OneFileAtATime
from server.kernel.identity import Actor
from server.kernel.mongo import new_id
from server.kernel.platform import Platform
from server.kernel.schedule import Counts
from server.kernel.unit_of_work import UnitOfWork
from server.uploads import file_types, rules, store
from server.uploads.documents import UploadState, WaitingUpload
from server.uploads.file_types import FileType, FileTypeRefused, Recogniser, safe_name

ABANDONED_AFTER = timedelta(days=1)
AT_ONCE = 50
TURNS_WAITING = 2
"""How many whole submissions may wait at once: one that is being sent, and another."""

assert rules.PART_BYTES % CHUNK_BYTES == 0, "a part begins with a chunk"
hostile.reads_here(file_types.__name__)


class FileTooLarge(Problem):
    status = 413
    slug = "file-too-large"
    title = "文件太大"
    default_detail = "文件超过大小上限，请压缩或拆分后再提交。"


class TooManyWaiting(Conflict):
    slug = "uploads-waiting"
    title = "上传了还没有提交的文件太多"


class NotWhole(Conflict):
    slug = "upload-not-whole"
    title = "文件还没有传完"


class NewUpload(BaseModel):
    """One file that is about to come."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(title="文件名", min_length=1, max_length=255)]
    size: Annotated[int, Field(title="大小", ge=1)]
    """Bytes."""
    nonce: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]


@dataclass(frozen=True)
class Taken:
    """A file that a document names from now on."""

    id: str
    name: str
    media_type: str
    size: int
    content: str
    """Id of the file in GridFS that holds it; others may share it."""


async def begin(platform: Platform, actor: Actor, wanted: NewUpload) -> tuple[WaitingUpload, bool]:
    """Room for a file, and whether that is new: the same nonce gives the same upload, as far as it has come.

    Raises FileTooLarge, TooManyWaiting, NonceReused.
    """
    in_force = await policies.on(platform, beijing_date(platform.clock.now()))
    if wanted.size > in_force.upload_mebibytes * 2**20:
        raise FileTooLarge(f"单个文件不能超过 {in_force.upload_mebibytes} MiB，请压缩或拆分后再提交。")
    if known := await store.by_nonce(platform, actor.person_id, wanted.nonce):
        return _same(known, wanted), False
    most = TURNS_WAITING * in_force.upload_files * in_force.upload_mebibytes * 2**20
    new = WaitingUpload(
        id=new_id(),
        person_id=actor.person_id,
        nonce=wanted.nonce,
        given_name=wanted.name,
        size=wanted.size,
        begun_at=platform.machine.now(),
    )
    try:
        await store.insert(platform, new)
    except DuplicateKeyError:  # the same request came twice at once
        known = await store.by_nonce(platform, actor.person_id, wanted.nonce)
        assert known is not None
        return _same(known, wanted), False
    if (
        await store.bytes_waiting(platform, actor.person_id) > most
    ):  # with this one: of two at once none slips past
        await store.remove(platform, new)
        raise TooManyWaiting(
            f"您上传了还没有提交的文件合计超过 {most // 2**20} MiB。请先提交，或等一天后平台清理没有提交的文件。"
        )
    return new, True


def _same(known: WaitingUpload, wanted: NewUpload) -> WaitingUpload:
    if (known.given_name, known.size) != (wanted.name, wanted.size):
        raise NonceReused()
    return known


async def upload(platform: Platform, actor: Actor, upload_id: str) -> WaitingUpload:
    """How far an own upload has come. Raises NotFound."""
    found = await store.own(platform, actor.person_id, upload_id)
    if found is None:
        raise NotFound("没有这个上传的文件：可能已经提交，或超过一天没有提交被清理。请重新上传。")
    return found


async def put_part(
    platform: Platform, actor: Actor, upload_id: str, number: int, content: bytes
) -> WaitingUpload:
    """Keeps a part; sent again it changes nothing. With the last of them the file is whole. Raises NotFound, Invalid."""
    found = await upload(platform, actor, upload_id)
    rules.require_whole(found.size, number, len(content))
    if found.state is not UploadState.RECEIVING or number in found.got:
        return found
    await platform.files.put_chunks(found.id, number * rules.PART_BYTES, content)
    noted = await store.note_part(platform, found, number)
    if noted is None:
        raise NotFound("这个上传已被清理，请重新上传。")
    if noted.missing:
        return noted
    return await store.settle(platform, noted, UploadState.RECEIVING, {"state": UploadState.ARRIVED}) or noted


async def finished(platform: Platform, found: WaitingUpload) -> WaitingUpload:
    """One that is whole, hashed and recognised; what is not accepted is REFUSED with the reason, and its content goes."""
    if found.state is not UploadState.ARRIVED:
        return found
    await platform.files.adopt(found.id, found.given_name, found.size, {"person_id": found.person_id})
    digest, recogniser = hashlib.sha256(), Recogniser()
    try:
        async for chunk in platform.files.read(found.id):
            digest.update(chunk)
            recogniser.feed(chunk)
        known = await recognised(platform, found.person_id, recogniser)
    except (FileTypeRefused, FileUnreadable) as refusal:
        changes: dict[str, object] = {"state": UploadState.REFUSED, "refusal": refusal.detail}
        settled = await store.settle(platform, found, UploadState.ARRIVED, changes)
        if settled:
            await platform.files.delete(found.id)
    except OneFileAtATime:  # another of the same person is being looked into: the next run takes it
        return found
    else:
        changes = {
            "state": UploadState.READY,
            "name": safe_name(found.given_name, known),
            "media_type": known.media_type,
            "kind": known.title,
            "sha256": digest.hexdigest(),
        }
        settled = await store.settle(platform, found, UploadState.ARRIVED, changes)
    return settled or await store.own(platform, found.person_id, found.id) or found


async def recognised(platform: Platform, whom: str, recogniser: Recogniser) -> FileType:
    """What a file is that has passed by. Raises FileTypeRefused, FileUnreadable."""
    if not recogniser.looks_inside:
        return recogniser.end()
    return await hostile.read_apart(platform, whom, recogniser.end)


async def prepare(platform: Platform, actor: Actor, upload_ids: Sequence[str]) -> None:
    """Has those finished that are whole, before a document names them. Raises what `take` raises of one that cannot be taken."""
    for found in (await store.several(platform, actor.person_id, upload_ids)).values():
        done = await finished(platform, found)
        if done.state is not UploadState.TAKEN:  # `take` says so
            _require_ready(done)


async def take(unit: UnitOfWork, upload_ids: Sequence[str]) -> list[Taken]:
    """Part of the use case that names these files from now on, in their order: each once, and the actor's own.

    Raises Invalid for one that is not there, NotWhole, FileTypeRefused.
    """
    found = await store.several(unit, unit.actor.person_id, upload_ids)
    taken = []
    for upload_id in dict.fromkeys(upload_ids):
        if upload_id not in found or found[upload_id].state is UploadState.TAKEN:
            words = "有一个文件已经提交过，或超过一天没有提交被清理，请重新选择文件。"
            raise Invalid(fields=[FieldError("uploads", words)])
        one = _require_ready(found[upload_id])
        content = await store.refer_to_content(unit, one.sha256, one.id, one.size)
        gone = await (store.remove(unit, one) if content == one.id else store.leave_to_the_sweep(unit, one))
        if not gone:
            raise Conflict("这个文件正在由另一次提交使用，请稍后重试。")
        taken.append(Taken(one.id, one.name, one.media_type, one.size, content))
    return taken


def _require_ready(found: WaitingUpload) -> WaitingUpload:
    if found.state is UploadState.REFUSED:
        raise FileTypeRefused(f"“{found.given_name[:40]}”不能使用：{found.refusal}")
    if found.state is not UploadState.READY:
        left = (
            "正在检查，请稍等几秒再提交"
            if found.state is UploadState.ARRIVED
            else "还没有传完，请等上传完成后再提交"
        )
        raise NotWhole(f"“{found.given_name[:40]}”{left}。")
    return found


# ---- scheduled


async def finish_waiting(platform: Platform) -> Counts:
    """Hashes and recognises what has arrived."""
    found = await store.arrived(platform, AT_ONCE)
    for one in found:
        await finished(platform, one)
    return {"检查": len(found)}


async def remove_abandoned(platform: Platform) -> int:
    """Removes what no document has named for a day; returns how many."""
    found = await store.begun_before(platform, platform.machine.now() - ABANDONED_AFTER, AT_ONCE)
    removed = 0
    for one in found:
        if await store.remove(platform, one):
            await platform.files.delete(one.id)
            await platform.files.drop_chunks(one.id)
            removed += 1
    return removed
