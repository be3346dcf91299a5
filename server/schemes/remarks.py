"""What institution and teachers say about a scheme while they design it together (article 4.3: 共同设计制订)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from server.classes import service as classes
from server.kernel.errors import require_same
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.schemes import store
from server.schemes.documents import Remark
from server.schemes.service import NoScheme, take_turn


class RemarkDraft(BaseModel):
    text: Annotated[
        str, StringConstraints(strip_whitespace=True), Field(title="意见", min_length=2, max_length=1000)
    ]
    nonce: Annotated[str | None, Field(min_length=8, max_length=64)] = None


@transactional
async def remark(unit: UnitOfWork, class_id: str, said: RemarkDraft) -> tuple[int, Remark]:
    """A word of the institution about the newest version, whose number is returned. Raises NoScheme."""
    await take_turn(unit, class_id)
    return await _remark(unit, class_id, said)


@transactional
async def remark_as_teacher(unit: UnitOfWork, class_id: str, said: RemarkDraft) -> tuple[int, Remark]:
    """The same by a teacher of the class; sent twice with one nonce it is one remark."""
    await classes.exclude_release(unit, await classes.taught_class(unit, unit.actor, class_id))
    return await _remark(unit, class_id, said)


async def _remark(unit: UnitOfWork, class_id: str, said: RemarkDraft) -> tuple[int, Remark]:
    versions = await store.versions(unit, class_id)
    if not versions:
        raise NoScheme()
    for version in versions:
        for there in version.remarks:
            if said.nonce is not None and (there.author_id, there.nonce) == (unit.actor.id, said.nonce):
                require_same(there.text == said.text)
                unit.nothing_written()
                return version.version, there
    scheme = versions[0]
    new = Remark(
        at=unit.now,
        author_id=unit.actor.id,
        author_name=unit.actor.name,
        text=said.text,
        nonce=said.nonce,
    )
    await store.add_remark(unit, scheme, new)
    unit.audit("schemes:remark", class_id, version=scheme.version)
    return scheme.version, new
