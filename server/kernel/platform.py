"""The parts that every use case needs, gathered once at start-up and handed down: no part is global."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from motor.motor_asyncio import AsyncIOMotorClientSession, AsyncIOMotorCollection, AsyncIOMotorDatabase

from server.kernel.clock import Clock
from server.kernel.encryption import Vault
from server.kernel.files import Files
from server.kernel.rate_limits import RateLimiter
from server.settings import Settings


class WeChatSession(Protocol):
    @property
    def openid(self) -> str: ...


class Verdict(Protocol):
    """Of a content check: pass, review or risky, and WeChat's number of what it found."""

    @property
    def suggest(self) -> str: ...
    @property
    def label(self) -> int: ...


class RealNameMatch(Protocol):
    @property
    def openid_and_name(self) -> bool: ...
    @property
    def name_and_number(self) -> bool: ...


class FaceSession(Protocol):
    @property
    def verify_id(self) -> str: ...
    @property
    def expires_in(self) -> timedelta: ...


class WeChatGateway(Protocol):
    """What chapters ask of WeChat; `server.wechat.client.WeChat` provides it."""

    async def code_to_session(self, js_code: str) -> WeChatSession: ...
    async def phone_number(self, code: str) -> str: ...
    async def send_subscribe_message(
        self, openid: str, template_id: str, page: str, data: dict[str, Any]
    ) -> Any: ...
    async def mini_program_code(self, scene: str, page: str) -> bytes: ...
    async def check_text(self, openid: str, scene: int, text: str) -> Verdict: ...
    async def check_media(self, openid: str, scene: int, url: str) -> str: ...
    async def check_real_name(self, openid: str, name: str, number: str, code: str) -> RealNameMatch: ...
    async def begin_face(self, openid: str, out_seq_no: str, name: str, number: str) -> FaceSession: ...
    async def face_result(
        self, openid: str, out_seq_no: str, verify_id: str, name: str, number: str
    ) -> int: ...


@dataclass
class Platform:
    settings: Settings
    db: AsyncIOMotorDatabase[dict[str, Any]]
    vault: Vault
    clock: Clock
    """Civil time: of rules, papers and due work. A demonstration can move it on."""
    files: Files
    limiter: RateLimiter
    wechat: WeChatGateway
    machine_clock: Clock | None = None
    """Set where civil time may differ from it: in a demonstration."""
    _collections: dict[str, AsyncIOMotorCollection[dict[str, Any]]] = field(
        default_factory=dict, init=False, repr=False
    )
    """Made once each: Motor makes a new object every time it is asked for one. A copy of a platform may have another database."""

    @property
    def platform(self) -> Platform:
        return self

    @property
    def machine(self) -> Clock:
        """Machine time, which nobody moves: of leases, log-ins, codes of an authenticator, limits, rows that expire, and of whatever
        another machine keeps its own time for (server/decisions/0013)."""
        return self.machine_clock or self.clock

    @property
    def moved_to(self) -> datetime | None:
        """Civil time where it is not that of the machine: a demonstration has been moved on."""
        if self.machine_clock is None:
            return None
        civil = self.clock.now()
        return civil if civil - self.machine_clock.now() > timedelta(minutes=1) else None

    @property
    def session(self) -> AsyncIOMotorClientSession | None:
        """Outside a unit of work there is no transaction."""
        return None

    def __getitem__(self, collection: str) -> AsyncIOMotorCollection[dict[str, Any]]:
        found = self._collections.get(collection)
        if found is None:
            found = self._collections[collection] = self.db[collection]
        return found
