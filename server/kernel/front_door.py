"""What stands between strangers' connections and the application: whose address it is, how much a request may bring and how long it may
take, and that whoever is refused reads why.

Everything here happens before a handler exists, costs no query and holds in each process by itself.
"""

from __future__ import annotations

import html
import logging
import socket
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
    """That are here whole and wait for their answer to begin. A process answers about a thousand check-ins a second: whoever comes next
    would wait longer than that."""
    requests_each: int = 300
    """Of one address: 200 phones of a class that open the same page in the same moment, and some more."""
    bodies_held: int = 128 * 2**20
    """Bytes of bodies above the usual that are in memory at once."""
    bodies_each: int = 32 * 2**20
    """Bytes of that from one address."""
    uploads_at_once: int = 100
    """Bodies that are streamed: each holds up to 3 MiB."""
    uploads_each: int = 40
    """From one address. A class that hands in within a minute has about twenty under way."""
    uploads_of_a_person: int = 2
    idle_seconds: float = 30
    """From the last answer to the end of the next request's headers: a silent connection, or one that sends them letter by letter."""
    body_seconds: float = 60
    """For a body that is read whole; an upload that is streamed has a time of its own."""
    silence_seconds: float = 30
    """That an upload may bring nothing."""
    unread_seconds: float = 30
    """That a client may take nothing of its answer."""
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


class Share:
    """What there is so much of, and no more of it for one: nobody takes from the others all there is."""

    def __init__(self, most: int, each: int) -> None:
        self._most = most
        self._each = each
        self._taken = 0
        self._by: Counter[str] = Counter()

    def has_room(self, who: str | None, size: int = 1) -> bool:
        """Of a proxy of ours (None) only all of it is counted."""
        return self._taken + size <= self._most and (who is None or self._by[who] + size <= self._each)

    def take(self, who: str | None, size: int = 1) -> bool:
        """False where there is not so much left; then nothing was taken."""
        if not self.has_room(who, size):
            return False
        self._taken += size
        if who is not None:
            self._by[who] += size
        return True

    def give_back(self, who: str | None, size: int = 1) -> None:
        self._taken -= size
        if who is not None:
            self._by[who] -= size
            if not self._by[who]:
                del self._by[who]


class FrontDoor(HTTPServer):
    """(HTTPServer has no __init__ to add to.)"""

    limits = Limits()

    @cached_property
    def connections(self) -> Share:
        return Share(sys.maxsize, self.limits.connections_each)

    @cached_property
    def waiting(self) -> Share:
        """Requests whose body is in and whose answer has not begun. What still comes costs only its connection, and so does an answer
        on its way: both last as long as the client likes."""
        return Share(self.limits.requests_at_once, self.limits.requests_each)

    @cached_property
    def held(self) -> Share:
        """Bytes of bodies."""
        return Share(self.limits.bodies_held, self.limits.bodies_each)

    @cached_property
    def uploads(self) -> Share:
        return Share(self.limits.uploads_at_once, self.limits.uploads_each)

    @cached_property
    def uploads_by_person(self) -> Share:
        return Share(sys.maxsize, self.limits.uploads_of_a_person)

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        if not self.connections.take(self.counted(address[0])):
            stream.write(_BUSY)
            stream.close()
            return
        # The system ends a connection whose other end acknowledges nothing, or has no room for more, for so long.
        unread = int(self.limits.unread_seconds * 1000)
        stream.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, unread)
        super().handle_stream(stream, address)

    def on_close(self, server_conn: object) -> None:
        super().on_close(server_conn)
        self.connections.give_back(self.counted(cast(Any, server_conn).context.address[0]))

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        exchange = Exchange(cast(HTTP1Connection, request_conn), self)
        return _Reader(self, exchange, super().start_request(server_conn, exchange))

    def counted(self, address: object) -> str | None:
        """As what an address takes its share; None: it has none."""
        peer = str(address)
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
        self.who: str | None = None
        """Whose share it takes from."""
        self._line = line
        self._door = door
        self._taken: list[tuple[Share, str | None, int]] = []
        self._ended = False
        self._linger: object | None = None
        self._silence: object | None = None

    # ---- as handlers know it

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> Any:
        self._give_back(self._door.waiting)
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

    def stream_body(self, person_id: str, seconds: float) -> None:
        """A person sends an upload, which the handler takes as it comes and which may take so long. Raises TooManyRequests, Unavailable."""
        if not self._take(self._door.uploads_by_person, person_id):
            raise errors.TooManyRequests(
                "您还有文件正在上传，请等上传完成后再提交。", retry_after=RETRY_SECONDS
            )
        if not self._take(self._door.uploads, self.who):
            raise errors.Unavailable("现在上传文件的人太多，请稍后再提交。", retry_after=RETRY_SECONDS)
        self._line.set_body_timeout(seconds)
        self.listen()

    def set_max_body_size(self, most: int) -> None:
        self.body_most = most

    def detach(self) -> IOStream:
        self.leave()
        return self._line.detach()

    # ---- as the door knows it

    def enter(self) -> bool:
        """It waits for its answer from here on; False where too many do already."""
        return self._take(self._door.waiting, self.who)

    def rest(self) -> None:
        """It waits for its own client."""
        self._give_back(self._door.waiting)

    def hold(self, size: int) -> bool:
        """Counts bytes that stay in memory until the answer; False when there are too many of them in this process."""
        return self._take(self._door.held, self.who, size)

    def leave(self) -> None:
        """The answer is complete, or nobody waits for it any more. Once is enough, twice does no harm."""
        self._give_back()
        self.hear()

    def listen(self) -> None:
        """The client's turn: of an upload the next bytes come soon, or never."""
        self.hear()
        self._silence = IOLoop.current().call_later(
            self._door.limits.silence_seconds, self._line.stream.close
        )

    def hear(self) -> None:
        """Something has come, and it is our turn."""
        if self._silence is not None:
            IOLoop.current().remove_timeout(self._silence)
            self._silence = None

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

    def _take(self, share: Share, who: str | None, size: int = 1) -> bool:
        taken = share.take(who, size)
        if taken:
            self._taken.append((share, who, size))
        return taken

    def _give_back(self, only: Share | None = None) -> None:
        given = [one for one in self._taken if only is None or one[0] is only]
        self._taken = [one for one in self._taken if only is not None and one[0] is not only]
        for share, who, size in given:
            share.give_back(who, size)


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
        if not self._door.waiting.has_room(self._exchange.who) and self._asked[1] != HEALTH:
            self._refuse(errors.Unavailable(retry_after=RETRY_SECONDS))
            return
        known = self._application.headers_received(start_line, headers)
        if known is not None:  # a body that is streamed: the handler settles who sends it, and how much of it
            self._streamed = True
            self._exchange.enter()
            await known
            self._exchange.rest()
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
        self._exchange.who = self._door.counted(context.remote_ip)

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
        if self._streamed:
            return self._pass_on(chunk)
        if self._arrived > USUAL_BODY and not self._exchange.hold(len(chunk)):
            self._refuse(errors.Unavailable(retry_after=RETRY_SECONDS))
            return None
        return self._application.data_received(chunk)

    async def _pass_on(self, chunk: bytes) -> None:
        self._exchange.hear()
        taken = self._application.data_received(chunk)
        if taken is not None:
            await taken
        if not self._exchange.answered:
            self._exchange.listen()

    def finish(self) -> None:
        self._exchange.body_read = True
        self._exchange.hear()
        if self._exchange.answered:
            self._exchange.end()
        elif not self._exchange.enter() and not self._streamed and self._asked[1] != HEALTH:
            self._refuse(errors.Unavailable(retry_after=RETRY_SECONDS))
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
