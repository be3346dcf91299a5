"""A WeChat on loopback, so that everything runs without a mini-program account.

It answers the calls of WeChat's server API that the platform makes, with WeChat's manners (an error is
HTTP 200 with `{"errcode": n, "errmsg": "…"}`) and its error codes. It has a side that WeChat has not,
under `/simulator/`: what a person does with a phone, what the phone received, and a switch that makes a
call fail. All state is in the memory of one process; what it means is in `world`.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType

import orjson
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler

from server.kernel.clock import Clock
from server.kernel.errors import Problem
from server.kernel.identity import ANYBODY, Actor
from server.kernel.permissions import Permission
from server.kernel.web import PlatformHandler, allow, problem_json
from server.wechat.errors import WeChatUnavailable
from server.wechat.world import OPENID, TEMPLATE_ID, TROUBLES, Json, Refused, World

logger = logging.getLogger(__name__)

SIMULATED_APP_ID = "wxsimulated0000000"
PHONE_PATH = rf"/simulator/phones/({OPENID.pattern})"

Call = Callable[[World, Mapping[str, str], Json], Json | bytes]

CALLS: list[tuple[str, str, Call]] = [
    ("POST", "/cgi-bin/stable_token", World.stable_token),
    ("GET", "/sns/jscode2session", World.code_to_session),
    ("POST", "/wxa/business/getuserphonenumber", World.phone_number),
    ("POST", "/wxa/getwxacodeunlimit", World.mini_program_code),
    ("POST", "/cgi-bin/message/subscribe/send", World.send_subscribe_message),
    ("POST", "/wxa/msg_sec_check", World.check_text),
]


class _Handler(RequestHandler):
    def initialize(self, world: World) -> None:
        self.world = world

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Without the address, as Tornado would log it: there the secret of the app stands."""
        logger.warning("the simulator failed at %s: %s", self.request.path, typ and typ.__name__)


class ServerApi(_Handler):
    """The calls of WeChat's server API."""

    def initialize(self, world: World, method: str, call: Call) -> None:  # type: ignore[override]
        super().initialize(world)
        self.method = method
        self.call = call

    async def get(self) -> None:
        await self._answer()

    async def post(self) -> None:
        await self._answer()

    async def _answer(self) -> None:
        self.world.calls[self.request.path] += 1
        try:
            if await self._failed_on_demand():
                return
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


class PhoneCode(_Handler):
    """`POST /simulator/phones/{openid}/code` → `{"code"}`: the person opens the mini-program (`wx.login`)."""

    def post(self, openid: str) -> None:
        self.write({"code": self.world.give_code(openid)})


class PhoneNumberCode(_Handler):
    """`POST …/{openid}/phone-number-code` → `{"code"}`: the person lets the number be used."""

    def post(self, openid: str) -> None:
        self.write({"code": self.world.give_code(openid, "phone-number")})


class PhoneGrants(_Handler):
    """`POST …/{openid}/grants/{template_id}` → `{"grants"}`: the person agrees to one more message."""

    def post(self, openid: str, template_id: str) -> None:
        self.world.grant(openid, template_id)
        self.write({"grants": self.world.phone(openid).grants[template_id]})


class PhoneMessages(_Handler):
    """`GET …/{openid}/messages` → `{"messages"}`: what the phone received, oldest first."""

    def get(self, openid: str) -> None:
        self.write({"messages": list(self.world.phone(openid).messages)})


class Failures(_Handler):
    """`PUT /simulator/failures/{path}` with a `Failure` as JSON makes that call fail; `DELETE` heals all."""

    def put(self, path: str) -> None:
        try:
            failure = orjson.loads(self.request.body)
        except orjson.JSONDecodeError:
            raise HTTPError(400) from None
        if type(failure) is not int and failure not in TROUBLES:  # `true` is no errcode
            raise HTTPError(400)
        self.world.fail(path, failure)
        self.set_status(204)

    def delete(self, path: str) -> None:
        self.world.heal()
        self.set_status(204)


@dataclass
class Simulator:
    """A running simulator."""

    base_url: str
    app_id: str
    secret: str = field(repr=False)
    world: World
    server: HTTPServer

    async def stop(self) -> None:
        """Hears nobody any more, lets go what hangs and closes every connection."""
        self.server.stop()
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
    application = Application(
        [
            *calls,
            (rf"{PHONE_PATH}/code", PhoneCode, {"world": world}),
            (rf"{PHONE_PATH}/phone-number-code", PhoneNumberCode, {"world": world}),
            (rf"{PHONE_PATH}/grants/({TEMPLATE_ID.pattern})", PhoneGrants, {"world": world}),
            (rf"{PHONE_PATH}/messages", PhoneMessages, {"world": world}),
            (r"/simulator/failures(/.*)", Failures, {"world": world}),
        ],
        log_function=_log_without_address,
    )
    server = HTTPServer(application, max_body_size=1 << 20)
    sockets = bind_sockets(port, "127.0.0.1")
    server.add_sockets(sockets)
    return Simulator(f"http://127.0.0.1:{sockets[0].getsockname()[1]}", app_id, world.secret, world, server)


def _log_without_address(handler: RequestHandler) -> None:
    """The path only: the query carries secrets, as WeChat's does."""
    logger.debug("%s %s %d", handler.request.method, handler.request.path, handler.get_status())


class SimulatorProxy(PlatformHandler):
    """`POST /simulator/phones/{openid}/code` on the platform itself, passed on to the simulator.

    A demonstration knows the platform's address only. Mounted only while WeChat is simulated, for it lets
    anybody be any phone; `settings["wechat_simulator_url"]` is the simulator's base address.
    """

    async def authenticate(self) -> Actor:
        return ANYBODY

    def check_xsrf_cookie(self) -> None:
        """No cookie says who this is, so none can be misused."""

    def show_problem(self, problem: Problem) -> None:
        self.set_header("Content-Type", "application/problem+json")
        self.write(orjson.dumps(problem_json(problem, self.request_id)))

    @allow(Permission.ANYONE)
    async def post(self, openid: str) -> None:
        url = f"{self.settings['wechat_simulator_url']}/simulator/phones/{openid}/code"
        # A client of its own: who calls this from the same loop may have taken every connection of the shared one.
        client = AsyncHTTPClient(force_instance=True)
        try:
            answer = await client.fetch(url, method="POST", body=b"", request_timeout=5)
        except (HTTPClientError, OSError):
            raise WeChatUnavailable() from None
        finally:
            client.close()
        self.set_header("Content-Type", "application/json")
        self.write(answer.body)
