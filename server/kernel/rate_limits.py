"""Rate limits that hold across processes: fixed windows counted in MongoDB by the library `limits`."""

from __future__ import annotations

import hashlib

from limits import parse
from limits.aio.storage import MongoDBStorage
from limits.aio.strategies import FixedWindowRateLimiter

from server.kernel.errors import TooManyRequests

_WORDS = {60: "一分钟", 3_600: "一小时", 86_400: "一天"}


class RateLimiter:
    def __init__(self, mongodb_uri: str, database: str) -> None:
        storage = MongoDBStorage(
            mongodb_uri,
            database_name=database,
            counter_collection_name="rate_limits",
            window_collection_name="rate_limit_windows",
        )
        self._storage = storage
        self._strategy = FixedWindowRateLimiter(storage)

    async def hit(self, name: str, rate: str, whom: str, *, cost: int = 1) -> None:
        """Counts a use of `name` by `whom`, or several (`cost`); `rate` reads like `20/minute`. Raises TooManyRequests when it is too much.

        `whom` (an address, an openid) is kept as a hash only.
        """
        limit = parse(rate)
        hashed = hashlib.sha256(whom.encode()).hexdigest()[:32]
        if not await self._strategy.hit(limit, name, hashed, cost=cost):
            raise TooManyRequests(
                f"{_WORDS.get(limit.get_expiry()) or f'{limit.get_expiry()} 秒'}内最多 {limit.amount} 次，请稍后再试。",
                retry_after=limit.get_expiry(),
            )

    def close(self) -> None:
        self._storage.storage.close()
