"""What stands between strangers' connections and the application: whose address it is, how much a request may bring and how long it may
take, and that whoever is refused reads why.

Everything here happens before a handler exists, costs no query and holds in each process by itself.
"""

from __future__ import annotations

import html
import logging
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from http.client import responses
from typing import Any, cast

import orjson
from tornado.http1connection import HTTP1Connection
from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream
from tornado.web import Application, RequestHandler

from server.kernel import addresses, errors, logs
from server.kernel.addresses import Network
from server.kernel.errors import Problem
from server.kernel.mongo import new_id
from server.kernel.web import SECURITY_HEADERS, USUAL_BODY, body_most, problem_json, transport_security

log = logging.getLogger("platform.door")

RETRY_SECONDS = 5
"""When to come again, as `Retry-After` says."""
HEALTH = "/healthz"
"""Answered also under a load under which nothing else is: whoever watches must see that the process lives."""


@dataclass(frozen=True)
class Limits:
    """Of one process. A class of 200 behind one address, each phone with a few connections, must pass."""

    proxies: tuple[Network, ...] = ()
    connections_each: int = 500
    """From one address; a proxy of ours has none, and counts by itself (README)."""
    requests_at_once: int = 1000
    """That wait for their answer. A process answers about a thousand check-ins a second: whoever comes next would wait longer than that."""
    bodies_held: int = 128 * 2**20
    """Bytes of bodies above the usual that are in memory at once."""
    idle_seconds: float = 30
    """From the last answer to the end of the next request's headers: a silent connection, or one that sends them letter by letter."""
    body_seconds: float = 60
    """For a body that is read whole; an upload that is streamed has a time of its own."""
    linger_seconds: float = 30
    """For what a phone still sends after its answer."""
    linger_most: int = 64 * 2**20
    """Bytes of that."""


def open_door(application: Application, limits: Limits | None = None) -> FrontDoor:
    """A server for the application, which listens to nothing yet."""
    limits = limits or Limits()
    door = FrontDoor(
        application,
        max_body_size=sys.maxsize,  # an Exchange knows better, and answers in words
        idle_connection_timeout=limits.idle_seconds,
        body_timeout=limits.body_seconds,
    )
    door.limits = limits
    return door


class FrontDoor(HTTPServer):
    limits = Limits()
    waiting = 0
    """Requests that were let in and are not answered yet."""
    held = 0
    """Bytes of their bodies."""

    @cached_property
    def _from(self) -> Counter[str]:
        """Open connections by address. (HTTPServer has no __init__ to add to.)"""
        return Counter()

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        who = self._counted(address)
        if who is not None and self._from[who] >= self.limits.connections_each:
            stream.write(_BUSY)
            stream.close()
            return
        if who is not None:
            self._from[who] += 1
        super().handle_stream(stream, address)

    def on_close(self, server_conn: object) -> None:
        super().on_close(server_conn)
        who = self._counted(cast(Any, server_conn).context.address)
        if who is not None:
            self._from[who] -= 1
            if not self._from[who]:
                del self._from[who]

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        exchange = Exchange(cast(HTTP1Connection, request_conn), self)
        return _Reader(self, exchange, super().start_request(server_conn, exchange))

    def _counted(self, address: tuple[Any, ...]) -> str | None:
        """As what the connections from an address are counted; None: not at all."""
        peer = str(address[0])
        proxy = addresses.is_proxy(addresses.parsed(peer), self.limits.proxies)
        return None if proxy else addresses.counted_as(peer)


class BoundedApplication(Application):
    """Tells each exchange how much its route takes, once the route is known and before the body is read."""

    def get_handler_delegate(
        self,
        request: HTTPServerRequest,
        target_class: type[RequestHandler],
        target_kwargs: dict[str, Any] | None = None,
        path_args: list[bytes] | None = None,
        path_kwargs: dict[str, bytes] | None = None,
    ) -> Any:
        if isinstance(request.connection, Exchange):
            most = body_most(target_class, request.method or "")
            vouched = getattr(target_class, "vouched_for", None)
            if most > USUAL_BODY and vouched is not None and not vouched(request, self.settings):
                most = USUAL_BODY
            request.connection.body_most = most
        return super().get_handler_delegate(request, target_class, target_kwargs, path_args, path_kwargs)


class Exchange(HTTPConnection):
    """One request and its answer, as handlers see their connection.

    An answer that is complete before the body is does not end the connection: the phone, which reads only after sending, would find a
    reset in its place. What still comes is thrown away, for a while.
    """

    def __init__(self, line: HTTP1Connection, door: FrontDoor) -> None:
        self.context = line.context
        self.body_most = sys.maxsize
        """Bytes. Of a body that is streamed the handler says so itself, once it knows."""
        self.body_read = False
        self.nothing_comes = False
        """The client waits with its body for a word of ours (Expect: 100-continue)."""
        self.answered = False
        self.held = 0
        self._line = line
        self._door = door
        self._counted = False
        self._ended = False
        self._linger: object | None = None

    # ---- as handlers know it

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> Any:
        return self._line.write_headers(start_line, headers, chunk)

    def write(self, chunk: bytes) -> Any:
        return self._line.write(chunk)

    def finish(self) -> None:
        self.answered = True
        self.leave()
        if self.body_read or self.nothing_comes:
            self.end()
        elif not self._ended:
            loop = IOLoop.current()
            self._linger = loop.call_later(self._door.limits.linger_seconds, self.end)

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        self._line.set_close_callback(callback)

    def set_max_body_size(self, most: int) -> None:
        self.body_most = most

    def set_body_timeout(self, seconds: float) -> None:
        self._line.set_body_timeout(seconds)

    def detach(self) -> IOStream:
        self.leave()
        return self._line.detach()

    # ---- as the door knows it

    def enter(self) -> None:
        self._counted = True
        self._door.waiting += 1

    def leave(self) -> None:
        """The answer is complete, or nobody waits for it any more. Once is enough, twice does no harm."""
        if self._counted:
            self._counted = False
            self._door.waiting -= 1
        self._door.held -= self.held
        self.held = 0

    def hold(self, size: int) -> bool:
        """Counts bytes that stay in memory until the answer; False when there are too many of them in this process."""
        if self._door.held + size > self._door.limits.bodies_held:
            return False
        self.held += size
        self._door.held += size
        return True

    def end(self) -> None:
        """The next request may come; or, where this one's body is not in yet, none."""
        if not self._ended:
            self.break_off()
            self._line.finish()

    def break_off(self) -> None:
        """The connection is gone, or about to end."""
        self._ended = True
        if self._linger is not None:
            IOLoop.current().remove_timeout(self._linger)
            self._linger = None


class _Reader(HTTPMessageDelegate):
    """Lets a request through to the application as long as it keeps within its limits, and answers in its place where it does not."""

    def __init__(self, door: FrontDoor, exchange: Exchange, application: HTTPMessageDelegate) -> None:
        self._door = door
        self._exchange = exchange
        self._application = application
        self._refused = False
        self._arrived = 0
        self._streamed = False
        self._asked = ("", "")
        self._wants_a_page = False

    async def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        assert isinstance(start_line, RequestStartLine)
        self._asked = (start_line.method, start_line.path.partition("?")[0])
        self._wants_a_page = "text/html" in headers.get("Accept", "")
        self._exchange.nothing_comes = headers.get("Expect", "").lower() == "100-continue"
        self._tell_who_it_is(headers)
        limits = self._door.limits
        if self._door.waiting >= limits.requests_at_once and self._asked[1] != HEALTH:
            self._refuse(errors.Unavailable(retry_after=RETRY_SECONDS))
            return
        self._exchange.enter()
        known = self._application.headers_received(start_line, headers)
        if (
            known is not None
        ):  # a body that is streamed: the handler has settled who sends it, and how much of it
            self._streamed = True
            await known
        announced = headers.get("Content-Length", "")
        if announced.isdecimal() and int(announced[:20]) > self._exchange.body_most:
            self._refuse(_too_large(self._exchange.body_most))

    def _tell_who_it_is(self, headers: HTTPHeaders) -> None:
        """Where Tornado looks for it when it makes the request; anew each time, for a connection of a proxy serves many."""
        context, proxies = cast(Any, self._exchange.context), self._door.limits.proxies
        if isinstance(context.address, tuple) and proxies:
            peer = str(context.address[0])
            context.remote_ip = addresses.client(peer, headers.get("X-Forwarded-For", ""), proxies)
            context.protocol = addresses.scheme(peer, headers.get("X-Forwarded-Proto", ""), proxies)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self._arrived += len(chunk)
        self._exchange.nothing_comes = False
        if self._exchange.answered:
            if self._arrived > self._door.limits.linger_most:
                self._exchange.end()
            return None
        if self._arrived > self._exchange.body_most:
            self._refuse(_too_large(self._exchange.body_most))
            return None
        if not self._streamed and self._arrived > USUAL_BODY and not self._exchange.hold(len(chunk)):
            self._refuse(errors.Unavailable(retry_after=RETRY_SECONDS))
            return None
        return self._application.data_received(chunk)

    def finish(self) -> None:
        self._exchange.body_read = True
        if self._exchange.answered:
            self._exchange.end()
        if not self._refused:
            self._application.finish()

    def on_connection_close(self) -> None:
        self._exchange.leave()
        self._exchange.break_off()
        if not self._refused:
            self._application.on_connection_close()

    def _refuse(self, problem: Problem) -> None:
        """The application hears that the connection is gone; the client reads why."""
        if self._exchange.answered:
            return
        self._refused = True
        self._application.on_connection_close()
        request_id, (method, path) = new_id(), self._asked
        headers, body = _answer(
            problem, request_id, page=self._wants_a_page, secure=bool(self._door.limits.proxies)
        )
        status = ResponseStartLine("", problem.status, responses[problem.status])
        self._exchange.write_headers(status, headers, b"" if method == "HEAD" else body)
        self._exchange.finish()
        logs.say(logging.WARNING, log.name, f"{method} {path} {problem.status}", request_id=request_id)


def _too_large(most: int) -> errors.TooLarge:
    size = f"{most // 2**20} MiB" if most >= 2**20 else f"{most // 2**10} KiB"
    return errors.TooLarge(f"提交的内容不能超过 {size}，请精简、压缩或分次提交。")


def _answer(problem: Problem, request_id: str, *, page: bool, secure: bool) -> tuple[HTTPHeaders, bytes]:
    headers = HTTPHeaders({**SECURITY_HEADERS, **transport_security(secure), "X-Request-Id": request_id})
    if "retry_after" in problem.extra:
        headers["Retry-After"] = str(problem.extra["retry_after"])
    if page:
        headers["Content-Type"] = "text/html; charset=utf-8"
        body = plain_page(problem, request_id)
    else:
        headers["Content-Type"] = "application/problem+json; charset=utf-8"
        body = orjson.dumps(problem_json(problem, request_id))
    headers["Content-Length"] = str(len(body))
    return headers, body


def plain_page(problem: Problem, request_id: str) -> bytes:
    """Where no handler, no session and no template is to be had."""
    title, detail = html.escape(problem.title), html.escape(problem.detail)
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body><h1>{title}</h1><p>{detail}</p><p>请求编号：{request_id}</p></body></html>"
    ).encode()


def _busy() -> bytes:
    """To an address that has too many connections open, before anything is read of this one."""
    problem = errors.Unavailable(
        "这个网络地址打开的连接太多，请关闭一些页面后重试。", retry_after=RETRY_SECONDS
    )
    headers, body = _answer(problem, "", page=False, secure=False)
    headers["Connection"] = "close"
    lines = [f"HTTP/1.1 503 {responses[503]}", *(f"{name}: {value}" for name, value in headers.get_all())]
    return "\r\n".join([*lines, "", ""]).encode() + body


_BUSY = _busy()
