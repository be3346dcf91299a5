"""The only place that knows everything: settings → database → application → scheduler."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pydantic import ValidationError
from pymongo.errors import ConfigurationError, InvalidURI, OperationFailure, ServerSelectionTimeoutError
from tornado.netutil import bind_sockets
from tornado.web import Application

import server
from admin.handler import PageHandler, cookie_name
from admin.handlers.demonstration import ROUTES as CLOCK_PAGES
from admin.handlers.simulator import ROUTES as SIMULATOR_PAGES
from admin.rendering import BUNDLES, STATIC, make_environment
from admin.routes import NOT_FOUND
from admin.routes import ROUTES as PAGE_ROUTES
from admin.static_files import Bundles
from miniprogram_api.handler import ApiHandler
from miniprogram_api.phone_page import ADDRESS as PHONE_ADDRESS
from miniprogram_api.phone_page import BUILT, PhonePage
from miniprogram_api.routes import ROUTES as API_ROUTES
from server import demonstration
from server.accounts import staff
from server.accounts.phones import PhoneAuthenticator
from server.attendance.check_in import CheckInDesk
from server.attendance.live import LiveRolls
from server.certificates.press import press
from server.certificates.workshop import workshop
from server.demonstration import clock as demonstration_clock
from server.demonstration.clock import DemonstrationClock, MovedDatabase
from server.institutions import service as institutions
from server.jobs import JOBS, end_scheduler, make_scheduler
from server.kernel import logs
from server.kernel.clock import AheadClock, Clock, SystemClock
from server.kernel.embedded_mongod import EmbeddedMongod, MongodUnavailable
from server.kernel.encryption import Vault
from server.kernel.files import Files
from server.kernel.front_door import BoundedApplication, Limits, open_door
from server.kernel.mongo import collections_of, connect, ensure_collections, ensure_indexes
from server.kernel.mongod_versions import weakness
from server.kernel.permissions import Permission
from server.kernel.platform import Platform, WeChatGateway
from server.kernel.processes import settle_memory
from server.kernel.rate_limits import RateLimiter
from server.kernel.static_files import StaticFiles
from server.kernel.web import Route, allow, check_routes, log_request, named
from server.messages import wechat_events
from server.settings import Settings
from server.supervisor import run_workers
from server.upgrades import runner as upgrades
from server.upgrades.runner import DatabaseNewer
from server.wechat import mini_program
from server.wechat.client import WeChat
from server.wechat.mini_program import SimulatedInEarnest
from server.wechat.pusher import PushTarget
from server.wechat.simulator import (
    SIMULATED_APP_ID,
    Simulator,
    SimulatorNumberProxy,
    SimulatorProxy,
    start_simulator,
)

SIMULATED_SECRET = "simulated"  # noqa: S105 - opens nothing but the simulator on loopback

SIMULATED_IN_PUBLIC = (
    "平台无法启动：设置了 PLATFORM_PUBLIC_URL 或 PLATFORM_PROXIES，说明外人可以访问，但没有设置 WECHAT_APP_ID，微信是模拟的，"
    "任何人都能冒充任何人的手机。请设置 WECHAT_APP_ID 和 WECHAT_APP_SECRET；"
    "只用虚构人员公开演示的，可设 PLATFORM_SIMULATOR_PUBLIC=true。"
)

COLLECTIONS = collections_of(server)


class Healthz(ApiHandler):
    """200 when this process and its database answer, 503 when the database does not."""

    @allow(Permission.ANYONE)
    async def get(self) -> None:
        await self.platform.db.command("ping")
        self.answer({"status": "ok"})


class Home(PageHandler):
    @allow(Permission.ANYONE)
    def get(self) -> None:
        self.redirect("/admin")


def routes(*, simulated: bool, demonstration: bool = False) -> list[Route]:
    """Every route of the platform; each declares its permission. What plays WeChat is there only while it is `simulated`, what moves
    the clock only in a `demonstration` of it."""
    simulator: list[Route] = [
        (r"/simulator/phones/(?P<openid>[A-Za-z0-9_-]{1,64})/code", SimulatorProxy),
        (r"/simulator/phones/(?P<openid>[A-Za-z0-9_-]{1,64})/phone-number-code", SimulatorNumberProxy),
        *SIMULATOR_PAGES,
    ]
    return [
        (r"/", Home),
        (r"/healthz", Healthz),
        *API_ROUTES,
        *PAGE_ROUTES,
        *(simulator if simulated else []),
        *(CLOCK_PAGES if simulated and demonstration else []),
    ]


def make_application(
    platform: Platform, *, simulator_url: str = "", demonstration: DemonstrationClock | None = None
) -> Application:
    all_routes = routes(simulated=bool(simulator_url), demonstration=demonstration is not None)
    check_routes(route for route in all_routes if route[0] != r"/api/.*")
    secure = platform.settings.secure
    return BoundedApplication(
        [
            *named(all_routes),
            (rf"/static/({'|'.join(BUNDLES)})", Bundles, {"path": str(STATIC)}),
            (r"/static/(.*)", StaticFiles, {"path": str(STATIC)}),
            *([(PHONE_ADDRESS, PhonePage, {"path": str(BUILT)})] if simulator_url else []),
        ],
        default_handler_class=NOT_FOUND,
        compress_response=True,
        platform=platform,
        phone_authenticator=PhoneAuthenticator(platform),
        check_in_desk=CheckInDesk(platform),
        live_rolls=LiveRolls(platform),
        jinja=make_environment(),
        wechat_simulator_url=simulator_url,
        demonstration_clock=demonstration,
        cookie_secret=platform.settings.cookie_secret.get_secret_value(),
        xsrf_cookies=True,
        secure=secure,
        xsrf_cookie_name=cookie_name("_xsrf", secure=secure),
        xsrf_cookie_kwargs={"samesite": "Lax", "secure": secure, "httponly": True},
        log_function=log_request,
        websocket_ping_interval=20,
        websocket_max_message_size=4096,
    )


async def open_platform(
    settings: Settings,
    clock: Clock,
    wechat: WeChatGateway | None = None,
    *,
    machine_clock: Clock | None = None,
) -> Platform:
    """The platform on its database, brought up to date, with its collections, indexes, annex 1 and keys in place.

    `settings` carry the database's address and the secrets; `wechat` stands in for the real or simulated one in tests. `machine_clock` is
    given where civil time, which `clock` then tells, may differ from it. Data of an earlier version comes before the indexes of this one,
    which it may not fit yet. Raises DatabaseNewer, before anything is written.
    """
    db = connect(settings.mongodb_uri, settings.mongodb_database)
    earlier = await upgrades.steps_left(db)
    await ensure_collections(db, COLLECTIONS)
    platform = Platform(
        settings=settings,
        db=db,
        vault=await Vault.open(db, settings.master_key.get_secret_value()),
        clock=clock,
        files=Files(db),
        limiter=RateLimiter(settings.mongodb_uri, settings.mongodb_database),
        wechat=wechat or make_wechat(settings, db, machine_clock or clock),
        machine_clock=machine_clock,
    )
    if isinstance(clock, AheadClock):
        clock.ahead = await demonstration_clock.ahead_of(db)
    if earlier:
        await upgrades.bring_up_to_date(platform, say=_say)
    await ensure_indexes(db, COLLECTIONS)
    await institutions.ensure_annex_1(platform)
    return platform


def make_wechat(settings: Settings, db: AsyncIOMotorDatabase[dict[str, Any]], clock: Clock) -> WeChat:
    """The real WeChat when an app id is set, else the simulated one on loopback."""
    simulated = settings.wechat_simulated
    return WeChat(
        app_id=SIMULATED_APP_ID if simulated else settings.wechat_app_id,
        secret=SIMULATED_SECRET if simulated else settings.wechat_app_secret.get_secret_value(),
        api_base=settings.simulator_url if simulated else settings.wechat_api_base,
        timeout_seconds=settings.wechat_timeout_seconds,
        threads=settings.wechat_threads,
        db=db,
        clock=clock,
    )


async def serve(settings: Settings, *, first: bool, shared_port: bool) -> None:
    """Serves until SIGINT or SIGTERM.

    `first`: this process also hosts the simulated WeChat, the scheduler and the greeting. `shared_port`: others listen too.
    """
    stop = _stop_requested()
    machine_clock = SystemClock()
    async with contextlib.AsyncExitStack() as stack:
        simulator: Simulator | None = None
        if settings.wechat_simulated and first:
            simulator = start_simulator(
                clock=machine_clock, port=settings.simulator_port, secret=SIMULATED_SECRET
            )
            stack.push_async_callback(simulator.stop)
        sockets = bind_sockets(settings.port, settings.address, reuse_port=shared_port)
        ahead_clock = AheadClock(machine_clock) if settings.demo else None
        platform = await open_platform(
            settings, ahead_clock or machine_clock, machine_clock=machine_clock if ahead_clock else None
        )
        stack.callback(platform.db.client.close)
        stack.callback(platform.limiter.close)
        stack.callback(platform.vault.close)
        await mini_program.claim(platform)
        moving = None
        if ahead_clock is not None:
            moving = DemonstrationClock(platform, ahead_clock, JOBS)
            await moving.start()
            stack.push_async_callback(moving.stop)
        application = make_application(
            platform,
            simulator_url=settings.simulator_url if settings.wechat_simulated else "",
            demonstration=moving,
        )
        http = open_door(application, Limits(proxies=settings.trusted_proxies))
        accounts: dict[str, str] = {}
        if simulator and settings.demo:
            accounts = await demonstration.ensure(platform, simulator.world)
        http.add_sockets(sockets)
        port = sockets[0].getsockname()[1]
        if simulator:
            home = f"http://{settings.address}:{port}"
            simulator.push_to(PushTarget(f"{home}/wechat/push", wechat_events.keys_of(platform)))
        if first:
            await _greet(platform, port, accounts)
        stack.callback(workshop(platform).end)
        if first and settings.scheduler:
            scheduler = make_scheduler(platform)
            scheduler.start()
            stack.push_async_callback(end_scheduler, scheduler)
        settle_memory()
        await stop.wait()
        http.stop()
        await http.close_all_connections()
        await application.settings["live_rolls"].close()


def _stop_requested() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _greet(platform: Platform, port: int, demonstration_accounts: Mapping[str, str]) -> None:
    """Says on standard output where the platform is, who may log in and whether WeChat is real."""
    settings = platform.settings
    first_password = await staff.ensure_first_account(platform)
    lines = [f"平台已启动：http://{settings.address}:{port}（按 Ctrl-C 停止）"]
    if first_password:
        lines.append(f"部指导中心账号：centre  初始密码：{first_password}  （只显示这一次，首次登录须修改）")
    lines += [
        f"演示账号：{username}  密码：{password}" for username, password in demonstration_accounts.items()
    ]
    if demonstration_accounts:
        lines.append(
            f"演示人员（免密码，按姓名选择）：http://{settings.address}:{port}/simulator  手机上的小程序：/phone/  平台介绍：/tour"
        )
        lines.append("演示不要求两步验证（平台政策可以打开；正式使用时部指导中心和省级管理部门必须开通）")
    lines.append(press().fonts_report())
    lines.append("微信：模拟（未设置 WECHAT_APP_ID）" if settings.wechat_simulated else "微信：真实接口")
    lines += await _cautions(platform)
    _say("\n".join(lines))


async def _cautions(platform: Platform) -> list[str]:
    """What whoever starts this should know before others come."""
    settings = platform.settings
    version = (await platform.db.client.server_info())["version"]
    found = []
    if settings.mongodb_embedded:
        found.append(
            f"数据库：内置 MongoDB {version}，只监听本机，供试用和小规模使用；"
            "正式使用请用 MONGODB_URI 指定仍在维护的 MongoDB 副本集"
        )
    elif wrong := weakness(version):
        found.append(f"注意：{wrong}")
    if settings.public_url.startswith("https://") and not settings.secure:
        found.append("注意：公开地址是 https，但没有设置 PLATFORM_PROXIES，所有来访都会算作反向代理一个地址")
    return found


def _say(text: str) -> None:
    print(text, flush=True)


def read_settings(arguments: Sequence[str]) -> tuple[Settings, int | None]:
    """Settings from the environment, overridden by the command line; and the number of this worker, if it is one."""
    parser = argparse.ArgumentParser(prog="scripts/run", description="技工院校工学一体化教师培训管理服务平台")
    parser.add_argument("--port", type=int, help="TCP port (8000)")
    parser.add_argument("--data-dir", type=Path, help="database, keys and secrets (.data)")
    parser.add_argument("--processes", type=int, help="server processes (1)")
    parser.add_argument("--no-scheduler", dest="scheduler", action="store_false", default=None,
                        help="leave the scheduled work to another server")  # fmt: skip
    parser.add_argument(
        "--demo",
        action="store_true",
        default=None,
        help="load the demonstration classes; their time can be moved on",
    )
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    given = {name: value for name, value in vars(parser.parse_args(arguments)).items() if value is not None}
    worker = given.pop("worker", None)
    return Settings(**given), worker


def main(arguments: Sequence[str]) -> int:
    try:
        settings, worker = read_settings(arguments)
    except ValidationError as error:
        return _give_up("\n".join(f"平台无法启动：{wrong['msg']}" for wrong in error.errors()))
    if reason := _does_not_go_together(settings):
        return _give_up(reason)
    logs.set_up(settings.log_level)
    return _run(settings, worker, arguments)


def _run(settings: Settings, worker: int | None, arguments: Sequence[str]) -> int:
    mongod: EmbeddedMongod | None = None
    try:
        if worker is not None:
            asyncio.run(serve(settings.with_secrets(), first=worker == 0, shared_port=True))
            return 0
        if not settings.mongodb_uri:
            mongod = EmbeddedMongod(
                settings.data_dir, cache_gb=settings.mongodb_cache_gb, database=settings.mongodb_database
            )
            settings = settings.model_copy(update={"mongodb_uri": mongod.start(), "mongodb_embedded": True})
        settings = settings.model_copy(update={"simulator_port": settings.simulator_port or _free_port()})
        asyncio.run(_require_unmoved(settings))
        settings = settings.with_secrets()
        if settings.processes == 1:
            asyncio.run(serve(settings, first=True, shared_port=False))
            return 0
        return run_workers(settings.processes, _worker_command(arguments), _worker_environment(settings))
    except (MongodUnavailable, SimulatedInEarnest, DatabaseNewer, MovedDatabase) as error:
        return _give_up(f"平台无法启动：{error}")
    except (ServerSelectionTimeoutError, ConfigurationError, OperationFailure, InvalidURI) as error:
        return _give_up(f"连不上数据库，请检查 MONGODB_URI：{_short(error)}")
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return _give_up(f"端口 {settings.port} 已被占用，请用 --port 换一个，或先停止占用它的程序。")
    finally:
        if mongod is not None:
            mongod.stop()


def _does_not_go_together(settings: Settings) -> str:
    """Why these settings are none to start with; empty when they are."""
    if settings.demo and not settings.wechat_simulated:
        return "演示数据只能配合模拟微信使用：请去掉 --demo，或取消设置 WECHAT_APP_ID。"
    if settings.wechat_simulated and settings.meets_strangers and not settings.simulator_public:
        return SIMULATED_IN_PUBLIC
    return ""


async def _require_unmoved(settings: Settings) -> None:
    """Raises MovedDatabase, but not in a demonstration. Asked once, before any process serves."""
    if settings.demo:
        return
    db = connect(settings.mongodb_uri, settings.mongodb_database)
    try:
        await demonstration_clock.require_unmoved(db, SystemClock().now())
    finally:
        db.client.close()


def _worker_command(arguments: Sequence[str]) -> Callable[[int], list[str]]:
    return lambda number: [sys.executable, "-m", "server", *arguments, "--worker", str(number)]


def _worker_environment(settings: Settings) -> dict[str, str]:
    """What the parent found out and its workers must share."""
    return {
        **os.environ,
        "MONGODB_URI": settings.mongodb_uri,
        "PLATFORM_MONGODB_EMBEDDED": str(settings.mongodb_embedded),
        "PLATFORM_SIMULATOR_PORT": str(settings.simulator_port),
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _short(error: Exception) -> str:
    return str(error).partition(", Timeout:")[0][:200]


def _give_up(reason: str) -> int:
    print(reason, file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
