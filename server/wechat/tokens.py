"""The access token of the mini-program: one for all processes, kept in MongoDB, renewed early under a lease.

Source: `getStableAccessToken` of WeChat's server API. Its normal mode gives the same token until the last
five minutes, then a new one while the old one goes on for these five minutes; so asking twice never takes
the token away from another process. (The mode `force_refresh` does, is meant for leaked tokens and allowed
20 times a day: not used.) The lease stands in the token's own row, so that who takes it sees the row's
newest token in the same step.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from server.kernel.clock import Clock
from server.kernel.mongo import CollectionSpec, new_id
from server.wechat.errors import WeChatUnavailable

logger = logging.getLogger(__name__)

COLLECTIONS = (CollectionSpec("wechat_tokens", shard_key="_id"),)

RENEW_EARLY = timedelta(minutes=5)
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Token:
    value: str
    expires_at: datetime


class AccessToken:
    """`fetch` asks WeChat for a token, at most `fetch_seconds` long; it raises WeChatUnavailable."""

    def __init__(
        self,
        app_id: str,
        fetch: Callable[[], Awaitable[Token]],
        fetch_seconds: float,
        db: AsyncIOMotorDatabase[dict[str, Any]],
        clock: Clock,
    ) -> None:
        self._app_id = app_id
        self._fetch = fetch
        self._lease_seconds = fetch_seconds + 1
        self._rows = db["wechat_tokens"]
        self._clock = clock
        self._owner = new_id()
        self._kept: Token | None = None
        self._rejected = ""
        self._renewal: asyncio.Task[Token] | None = None

    async def current(self) -> str:
        """A token to call with. Raises WeChatUnavailable when there is none to be had."""
        if self._kept is None or not self._is_fresh(self._kept):
            self._kept = await self._renewed()
        return self._kept.value

    async def instead_of(self, rejected: str) -> str:
        """A token to try after WeChat rejected this one; the same one again if WeChat has no other."""
        if self._kept is not None and self._kept.value == rejected:
            self._rejected = rejected
        return await self.current()

    def close(self) -> None:
        if self._renewal is not None:
            self._renewal.cancel()

    async def _renewed(self) -> Token:
        """One renewal for all that wait in this process; it goes on when the one who began it gives up."""
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._renew())
            self._renewal.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._renewal)

    async def _renew(self) -> Token:
        """What another process has fetched, or what we fetch while the others wait for the lease."""
        try:
            async with asyncio.timeout(2 * self._lease_seconds):
                while True:
                    stored = _token(await self._rows.find_one({"_id": self._app_id}))
                    if stored is not None and self._is_fresh(stored):
                        return stored
                    if claimed := await self._claim():
                        return await self._fetch_under_lease(_token(claimed))
                    if stored is not None and self._is_valid(stored):
                        return stored
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            raise WeChatUnavailable() from None

    async def _fetch_under_lease(self, stored: Token | None) -> Token:
        if stored is not None and self._is_fresh(stored):
            await self._release()
            return stored  # another process was done between our look and our claim
        try:
            token = await self._fetch()
        except WeChatUnavailable:
            if stored is not None and self._is_valid(stored):
                logger.warning(
                    "the access token could not be renewed; the old one serves to %s", stored.expires_at
                )
                return stored  # the lease stays, so that not every call tries again
            await self._release()
            raise
        self._rejected = ""
        await self._store(token)
        return token

    def _is_valid(self, token: Token) -> bool:
        return token.value != self._rejected and self._clock.now() < token.expires_at

    def _is_fresh(self, token: Token) -> bool:
        return token.value != self._rejected and self._clock.now() < token.expires_at - RENEW_EARLY

    async def _claim(self) -> dict[str, Any] | None:
        """Takes the lease unless somebody holds it, and says how the row stands then."""
        now = self._clock.now()
        lease = {"lease_owner": self._owner, "lease_until": now + timedelta(seconds=self._lease_seconds)}
        try:
            return await self._rows.find_one_and_update(
                {"_id": self._app_id, "lease_until": {"$not": {"$gt": now}}},
                {"$set": lease},
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        except DuplicateKeyError:
            return None  # the row is there, with a lease that has not run out

    async def _store(self, token: Token) -> None:
        await self._rows.update_one(
            {"_id": self._app_id, "lease_owner": self._owner},
            {
                "$set": {"value": token.value, "expires_at": token.expires_at},
                "$unset": {"lease_owner": "", "lease_until": ""},
            },
        )

    async def _release(self) -> None:
        await self._rows.update_one(
            {"_id": self._app_id, "lease_owner": self._owner},
            {"$unset": {"lease_owner": "", "lease_until": ""}},
        )


def _token(row: dict[str, Any] | None) -> Token | None:
    return Token(row["value"], row["expires_at"]) if row and "value" in row else None
