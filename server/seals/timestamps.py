"""Timestamps of an authority (RFC 3161), asked for by worker processes.

An authority that does not answer is left alone for a while: a class does not wait for it thirty times.
"""

from __future__ import annotations

import time
from functools import lru_cache

import httpx
from asn1crypto import cms, tsp
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.timestamps.common_utils import TimestampRequestError

SECONDS = 5.0
LEFT_ALONE = 60.0
"""Seconds after it did not answer."""
MOST_BYTES = 64 * 1024


class TimestampRefused(Exception):
    """The authority did not answer, or not as it should."""


class Authority(TimeStamper):
    def __init__(self, url: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # pyHanko's
        self._url = url
        self._rests_until = 0.0

    @property
    def answers(self) -> bool:
        return time.monotonic() >= self._rests_until

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        headers = {"Content-Type": "application/timestamp-query"}
        try:
            async with (
                httpx.AsyncClient(timeout=SECONDS) as client,
                client.stream("POST", self._url, content=req.dump(), headers=headers) as answer,
            ):
                answer.raise_for_status()
                body = bytearray()
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > MOST_BYTES:
                        raise TimestampRefused("too long an answer")
            return tsp.TimeStampResp.load(bytes(body), strict=True)
        except (httpx.HTTPError, ValueError) as error:
            raise TimestampRefused(str(error)) from error

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        """Raises TimestampRefused, also where the answer is about something else."""
        try:
            token = await super().async_timestamp(message_digest, md_algorithm)
            stated = token["content"]["encap_content_info"]["content"].parsed["message_imprint"]
            if stated["hashed_message"].native != message_digest:
                raise TimestampRefused("a timestamp of something else")
        except (
            TimestampRefused,
            TimestampRequestError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
        ) as error:
            self._rests_until = time.monotonic() + LEFT_ALONE
            raise TimestampRefused(str(error)) from error
        return token


@lru_cache(maxsize=8)
def authority_at(url: str) -> Authority:
    """One for each process: it remembers how long the authority's answers are."""
    return Authority(url)
