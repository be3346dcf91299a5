"""Files on their way in: streamed into GridFS, within the quotas of the policy, nothing left behind by what was broken off."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from server.assessment import store
from server.assessment.documents import SubmittedFile, Task
from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.errors import Conflict, FieldError, Invalid
from server.kernel.files import NewFile
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.policies import Policies
from server.kernel.unit_of_work import UnitOfWork
from server.uploads import service as uploads
from server.uploads.file_types import Recogniser, safe_name
from server.uploads.service import FileTooLarge


class QuotaReached(Conflict):
    slug = "quota-reached"
    title = "已达到提交上限"


@dataclass(frozen=True)
class Limits:
    file_bytes: int
    files: int
    person_bytes: int
    class_bytes: int

    @property
    def upload_bytes(self) -> int:
        return self.files * self.file_bytes


class Upload:
    """The files of one submission on their way in. Each file: `begin`, `write` as often as needed, `end`.

    `give_up` removes whatever has arrived; a file is noted in `uploads` before its first byte, so that it can be removed even when the
    server dies. Nothing is ever whole in memory, and nothing stays of what goes over a quota (`refused`): `hand_in` says so, since what
    arrives may be known already.
    """

    def __init__(
        self, platform: Platform, actor: Actor, class_id: str, limits: Limits, announced: int | None
    ) -> None:
        self.limits = limits
        self.files: list[SubmittedFile] = []
        self.refused: QuotaReached | None = None
        self._platform = platform
        self._owner = actor.person_id
        self._class_id = class_id
        self._announced = limits.upload_bytes if announced is None else announced
        self._arrived = 0
        self._room: list[tuple[int, QuotaReached]] = []
        """Bytes that may still come, and what is said of more."""
        self._begun: list[str] = []
        self._open: _OpenFile | None = None
        self._given_up = False
        self._one_at_a_time = asyncio.Lock()

    async def begin(self, name: str) -> None:
        """Raises Invalid for one file more than the policy lets in."""
        if len(self.files) >= self.limits.files:
            raise Invalid(fields=[FieldError("files", f"一次最多提交 {self.limits.files} 个文件。")])
        if self.refused:
            return
        content = self._platform.files.create(name[:200], {"person_id": self._owner})
        self._begun.append(content.id)
        if len(self._begun) == 1:
            await self._find_room(content.id)
        else:
            await store.note_upload(self._platform, content.id, self._platform.machine.now())
        self._open = _OpenFile(name, content)

    async def _find_room(self, file_id: str) -> None:
        """Others' uploads count for what they may bring, or many that are under way together would go far over a quota before the first
        is told so. Of two that begin at once the later counts the earlier; what slips past here ends in `within_quotas`.
        """
        platform, limits, now = self._platform, self.limits, self._platform.machine.now()
        await store.note_arriving(platform, file_id, now, self._class_id, self._owner, self._announced)
        arriving = await store.bytes_arriving(platform, self._class_id, file_id)
        of_person = await store.bytes_kept(platform, _of_person(self._class_id, self._owner))
        of_class = await store.bytes_kept(platform, self._class_id)
        self._room = [
            (limits.person_bytes - of_person - arriving.get(self._owner, 0), _person_full(limits)),
            (limits.class_bytes - of_class - sum(arriving.values()), _class_full(limits)),
        ]

    async def write(self, data: bytes) -> None:
        """Raises FileTooLarge, FileTypeRefused."""
        if self.refused:
            return
        file = self._open
        assert file is not None
        file.size += len(data)
        self._arrived += len(data)
        for room, refused in self._room:
            if self._arrived > room:
                self.refused = refused
                await self.give_up()
                return
        if file.size > self.limits.file_bytes:
            raise FileTooLarge(
                f"单个文件不能超过 {self.limits.file_bytes // 2**20} MiB，请压缩或拆分后再提交。"
            )
        file.recogniser.feed(data)
        async with self._one_at_a_time:
            if not self._given_up:
                await file.content.write(data)

    async def end(self) -> None:
        """Raises FileTypeRefused."""
        if self.refused:
            return
        file = self._open
        assert file is not None
        known = await uploads.recognised(self._platform, self._owner, file.recogniser)
        async with self._one_at_a_time:
            if self._given_up:
                return
            await file.content.close()
            self._open = None
        self.files.append(
            SubmittedFile(
                id=file.content.id,
                name=safe_name(file.name, known),
                media_type=known.media_type,
                size=file.size,
            )
        )

    async def taken(self, unit: UnitOfWork) -> list[SubmittedFile]:
        """In the transaction that keeps them."""
        return self.files

    async def give_up(self) -> None:
        """Removes everything that has arrived. Once is enough, twice does no harm."""
        async with self._one_at_a_time:
            self._given_up = True
            if self._open is not None:
                await self._open.content.abort()
                self._open = None
            for file_id in self._begun:
                await self._platform.files.delete(file_id)
            await store.forget_uploads(self._platform, self._begun)
            self._begun = []


@dataclass
class _OpenFile:
    """The file that is arriving."""

    name: str
    content: NewFile
    size: int = 0
    recogniser: Recogniser = field(default_factory=Recogniser)


# ---- quotas


def limits_of(in_force: Policies) -> Limits:
    return Limits(
        in_force.upload_mebibytes * 2**20,
        in_force.upload_files,
        in_force.upload_person_mebibytes * 2**20,
        in_force.upload_class_gibibytes * 2**30,
    )


async def within_quotas(
    unit: UnitOfWork, task: Task, person_id: str, versions: int, files: Sequence[SubmittedFile]
) -> None:
    """Raises QuotaReached. Two of one class come one after the other (classes.exclude_release), so none slips past."""
    in_force = await policies.on(unit, beijing_date(unit.now))
    if versions >= in_force.upload_versions:
        raise versions_full(in_force, versions)
    limits = limits_of(in_force)
    size = sum(file.size for file in files)
    if not size:
        return
    if await store.add_bytes(unit, _of_person(task.class_id, person_id), size) > limits.person_bytes:
        raise _person_full(limits)
    if await store.add_bytes(unit, task.class_id, size) > limits.class_bytes:
        raise _class_full(limits)


def _of_person(class_id: str, person_id: str) -> str:
    """Under which name the bytes of a person in a class are counted."""
    return f"{class_id}:{person_id}"


def versions_full(in_force: Policies, versions: int) -> QuotaReached:
    return QuotaReached(
        f"这项任务已提交 {versions} 次，最多 {in_force.upload_versions} 次。如确需再交，请联系培训机构。"
    )


def _person_full(limits: Limits) -> QuotaReached:
    return QuotaReached(
        f"您在本班提交的文件总量（包括正在上传的）已到 {limits.person_bytes // 2**20} MiB 的上限，请压缩文件后再提交。"
    )


def _class_full(limits: Limits) -> QuotaReached:
    return QuotaReached(
        f"本班提交的文件总量（包括正在上传的）已到 {limits.class_bytes // 2**30} GiB 的上限，请联系培训机构。"
    )
