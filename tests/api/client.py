"""A phone's HTTP client."""

from __future__ import annotations

from typing import Any

import orjson
from tornado.httpclient import AsyncHTTPClient


class Answer:
    """A status, the headers and the JSON of an answer."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def problem(self) -> str:
        assert self.headers["Content-Type"].startswith("application/problem+json"), self.body
        return str(self.json["type"])


async def call(site: str, method: str, path: str, *, token: str = "", body: Any = None) -> Answer:
    """One call of the API; `body` is sent as JSON."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if body is not None:
        headers["Content-Type"] = "application/json"
    response = await AsyncHTTPClient().fetch(
        f"{site}/api/v1{path}",
        method=method,
        headers=headers,
        body=None if body is None else orjson.dumps(body),
        allow_nonstandard_methods=True,
        raise_error=False,
    )
    return Answer(response.code, response.headers, response.body)
