"""The signed ledger of certificates as other programs read it: roots, that a later one begins with an earlier one, and the proof of one."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from miniprogram_api.badges import CHECK_RATE, ForPrograms
from server.certificates import verify
from server.kernel.addresses import counted_as
from server.kernel.permissions import Permission
from server.kernel.public_questions import Asker
from server.kernel.web import Route, allow
from server.ledger import roots


class RootsQuery(BaseModel):
    model_config = ConfigDict(frozen=True)

    before: date | None = None
    """Roots of days before this one; else the newest."""


class ConsistencyQuery(BaseModel):
    model_config = ConfigDict(frozen=True)

    earlier: Annotated[date, Field(title="较早的日期")]
    later: Annotated[date, Field(title="较晚的日期")]


class Roots(ForPrograms):
    @allow(Permission.ANYONE, rate=CHECK_RATE)
    async def get(self) -> None:
        asked = self.query(RootsQuery)
        before = asked.before.isoformat() if asked.before else None
        found = await roots.published(self.platform, before=before)
        self.for_everybody(300)
        self.answer({"items": [one.published.model_dump() for one in found]})


class Consistency(ForPrograms):
    @allow(Permission.ANYONE, rate=CHECK_RATE)
    async def get(self) -> None:
        asked = self.query(ConsistencyQuery)
        days = asked.earlier.isoformat(), asked.later.isoformat()
        self.answer(await roots.consistency(self.platform, *days))


class Proof(ForPrograms):
    @allow(Permission.ANYONE, rate=verify.VERIFY_RATE)
    async def get(self, token: str) -> None:
        asker = Asker(counted_as(self.request.remote_ip or ""))
        self.answer(await verify.proof(self.platform, token, asker))


FOR_ANYBODY: list[Route] = [
    (r"/ledger/roots", Roots),
    (r"/ledger/consistency", Consistency),
    (r"/verify/(?P<token>[^/]{1,200})/proof", Proof),
]
