"""A WeChat on loopback, so that everything runs without a mini-program account.

It answers the calls of WeChat's server API that the platform makes, with WeChat's manners (an error is
HTTP 200 with `{"errcode": n, "errmsg": "…"}`), its error codes and its quotas, and it pushes events to the platform
as WeChat does. What WeChat has not is in `backstage`. All state is in the memory of one process; what it means is in `world`.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from server.kernel.clock import Clock
from server.kernel.errors import BadRequest, NotFound, Problem
from server.kernel.identity import ANYBODY, Actor
from server.kernel.permissions import Permission
from server.kernel.web import PlatformHandler, allow, problem_json
from server.wechat import backstage
from server.wechat.backstage import SimulatorHandler
from server.wechat.errors import WeChatUnavailable
from server.wechat.pusher import Pusher, PushTarget
from server.wechat.terms import Json, Refused
from server.wechat.world import World

logger = logging.getLogger(__name__)

SIMULATED_APP_ID = "wxsimulated0000000"

Call = Callable[[World, Mapping[str, str], Json], Json | bytes]

CALLS: list[tuple[str, str, Call]] = [
    ("POST", "/cgi-bin/stable_token", World.stable_token),
    ("GET", "/sns/jscode2session", World.code_to_session),
    ("POST", "/wxa/business/getuserphonenumber", World.phone_number),
    ("POST", "/wxa/getwxacodeunlimit", World.mini_program_code),
    ("POST", "/cgi-bin/message/subscribe/send", World.send_subscribe_message),
    ("POST", "/wxa/msg_sec_check", World.check_text),
    ("POST", "/wxa/media_check_async", World.check_media),
    ("POST", "/intp/realname/checkrealnameinfo", World.check_real_name),
    ("POST", "/cityservice/face/identify/getverifyid", World.begin_face),
    ("POST", "/cityservice/face/identify/queryverifyinfo", World.face_result),
]


class ServerApi(SimulatorHandler):
    """The calls of WeChat's server API."""

    def initialize(self, world: World, **given: Any) -> None:
        super().initialize(world)
        self.method: str = given["method"]
        self.call: Call = given["call"]

    async def get(self) -> None:
        await self._answer()

    async def post(self) -> None:
        await self._answer()

    async def _answer(self) -> None:
        self.world.calls[self.request.path] += 1
        try:
            if await self._failed_on_demand():
                return
            self.world.spend(self.request.path)
            if self.request.method != self.method:
                raise Refused(43001 if self.method == "GET" else 43002)
            sent = self.request.query_arguments
            query = {name: values[-1].decode("utf-8", "replace") for name, values in sent.items()}
            answer = self.call(self.world, query, self._body() if self.method == "POST" else {})
        except Refused as refused:
            answer = {"errcode": refused.errcode, "errmsg": refused.errmsg}
        if isinstance(answer, bytes):
            self.set_header("Content-Type", "image/png")
        self.write(answer)

    def _body(self) -> Json:
        if not self.request.body:
            raise Refused(44002)
        try:
            body = orjson.loads(self.request.body)
        except orjson.JSONDecodeError:
            raise Refused(47001) from None
        if not isinstance(body, dict):
            raise Refused(47001)
        return body

    async def _failed_on_demand(self) -> bool:
        match self.world.failures.get(self.request.path):
            case None:
                return False
            case "hang":
                await self.world.healed.wait()
                self._close()
            case "disconnect":
                self._close()
            case "bad-gateway":
                self.set_status(502)
                self.write("Bad Gateway")
            case "gibberish":
                self.write("<html>登录网络</html>")
            case int(errcode):
                raise Refused(errcode)
        return True

    def _close(self) -> None:
        self.detach().close()


@dataclass
class Simulator:
    """A running simulator."""

    base_url: str
    app_id: str
    secret: str = field(repr=False)
    world: World
    server: HTTPServer
    pusher: Pusher

    def push_to(self, target: PushTarget) -> None:
        """From now on events are pushed there."""
        self.pusher.target = target

    async def stop(self) -> None:
        """Hears nobody any more, lets go what hangs and closes every connection."""
        self.server.stop()
        self.pusher.close()
        self.world.heal()
        await self.server.close_all_connections()


def start_simulator(
    *, clock: Clock, port: int = 0, app_id: str = SIMULATED_APP_ID, secret: str | None = None
) -> Simulator:
    """Serves on loopback in the running event loop. Port 0 takes a free one; no secret: one is made up."""
    world = World(clock, app_id, secret or secrets.token_hex(16))
    calls = [
        (path, ServerApi, {"world": world, "method": method, "call": call}) for method, path, call in CALLS
    ]
    application = Application([*calls, *backstage.routes(world)], log_function=_log_without_address)
    server = HTTPServer(application, max_body_size=1 << 20)
    sockets = bind_sockets(port, "127.0.0.1")
    server.add_sockets(sockets)
    base_url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    return Simulator(base_url, app_id, world.secret, world, server, Pusher(world))


def _log_without_address(handler: RequestHandler) -> None:
    """The path only: the query carries secrets, as WeChat's does."""
    logger.debug("%s %s %d", handler.request.method, handler.request.path, handler.get_status())


async def ask(base_url: str, method: str, path: str, body: object = None) -> Any:
    """What the simulator at `base_url` says on its side that WeChat has not. Raises WeChatUnavailable, NotFound, BadRequest."""
    # A client of its own: who calls this from the same loop may have taken every connection of the shared one.
    client = AsyncHTTPClient(force_instance=True)
    try:
        answer = await client.fetch(
            base_url + path,
            method=method,
            body=None if method == "GET" else orjson.dumps(body),
            allow_nonstandard_methods=True,
            request_timeout=5,
            raise_error=False,
        )
    except (HTTPClientError, OSError):
        raise WeChatUnavailable() from None
    finally:
        client.close()
    if answer.code in _REFUSALS:
        raise _REFUSALS[answer.code]()
    if answer.code >= 500:
        raise WeChatUnavailable()
    return orjson.loads(answer.body) if answer.body else None


_REFUSALS: dict[int, type[Problem]] = {400: BadRequest, 404: NotFound}


class SimulatorProxy(PlatformHandler):
    """`POST /simulator/phones/{openid}/code` and `…/phone-number-code` on the platform itself, passed on to the simulator.

    A demonstration knows the platform's address only. Mounted only while WeChat is simulated, for it lets
    anybody be any phone; `settings["wechat_simulator_url"]` is the simulator's base address.
    """

    kind = "code"

    async def authenticate(self) -> Actor:
        return ANYBODY

    def check_xsrf_cookie(self) -> None:
        """No cookie says who this is, so none can be misused."""

    def show_problem(self, problem: Problem) -> None:
        self.set_header("Content-Type", "application/problem+json")
        self.write(orjson.dumps(problem_json(problem, self.request_id)))

    @allow(Permission.ANYONE)
    async def post(self, openid: str) -> None:
        base_url = self.settings["wechat_simulator_url"]
        try:
            said = orjson.loads(self.request.body or b"{}")
        except orjson.JSONDecodeError:
            raise BadRequest() from None
        self.write(await ask(base_url, "POST", f"/simulator/phones/{openid}/{self.kind}", said))


class SimulatorNumberProxy(SimulatorProxy):
    """The same for the number of the SIM."""

    kind = "phone-number-code"
