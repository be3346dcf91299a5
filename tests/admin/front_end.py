"""The pages without the platform: rendered with a fictional context and served to the browser under the real policy."""

from __future__ import annotations

import mimetypes
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

from playwright.sync_api import Page

from admin.handler import PageHandler
from admin.lists import Query
from admin.navigation import Navigation, NavItem
from admin.rendering import content_of, make_environment
from server.kernel.clock import FixedClock, beijing_date
from server.kernel.permissions import Permission

SITE = "http://admin.test"
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; form-action 'self'; base-uri 'none'"
)


@dataclass(frozen=True)
class Staff:
    name: str
    roles: frozenset[str]
    id: str = "0123456789abcdef01234567"


def allowed(*permissions: str) -> Callable[[str], bool]:
    """What a template asks as `may`, for somebody with these permissions and no other. Raises ValueError for one that there is not."""
    held = {Permission(one) for one in permissions}
    return lambda asked: Permission(asked) in held


def layout_context(**more: Any) -> dict[str, Any]:
    """What the page handler gives to every template, for a fictional member of an institution's staff."""
    sections = [
        NavItem("工作台", "/admin", "home", False),
        NavItem("培训班", "/admin/classes", "school", True),
        NavItem("人员", "/admin/backbone", "users", False),
        NavItem("证书", "/admin/certificates", "certificate", False),
        NavItem("机构", "/admin/institutions", "building", False),
        NavItem("系统", "/admin/accounts", "adjustments", False),
    ]
    return {
        "actor": Staff("李明珊", frozenset({"TRAINING_BASE"})),
        "role_title": "教师培训基地 · 邢台技师学院",
        "xsrf_token": "2|mask|token",
        "request_id": "01jdx4demo",
        "nav": Navigation(sections, []),
        "flashes": [],
        "wechat_simulated": True,
        "demo": True,
        "may": allowed(),
        **more,
    }


def signed_out_context(**more: Any) -> dict[str, Any]:
    return layout_context(actor=None, role_title="", nav=Navigation([], []), **more)


def list_context(rows: Sequence[Any], query: Query, now: datetime, **more: Any) -> dict[str, Any]:
    """What admin/lists.py gives to the template of a list of one page, as the centre sees it."""
    centre = SimpleNamespace(
        actor=SimpleNamespace(province_code=None),
        platform=SimpleNamespace(clock=FixedClock(now)),
        today=beijing_date(now),
    )
    return {
        "rows": rows,
        "query": query,
        "narrowed": any(query.conditions.values()),
        "filters": query.filters(cast(PageHandler, centre)),
        "previous": None,
        "next": None,
        "export": "/admin/export",
        "total": None,
        "sorts": {},
        **more,
    }


PAGES = make_environment()


def render(template: str, context: dict[str, Any]) -> str:
    return PAGES.get_template(template).render(context)


class Shop(ThreadingHTTPServer):
    """Serves the assets, which a browser may keep as it does in earnest, and at every other address the page in the window."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Counter)
        self.window = ""


class Counter(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Shop

    def do_GET(self) -> None:
        path = PurePosixPath(urlsplit(self.path).path)
        if not path.is_relative_to("/static"):
            page = {"Cache-Control": "no-store", "Content-Security-Policy": CONTENT_SECURITY_POLICY}
            self._answer(self.server.window.encode(), "text/html; charset=utf-8", page)
            return
        try:
            asset = content_of(str(path.relative_to("/static")))
        except OSError:
            self.send_error(404)
        else:
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            self._answer(asset, kind, {"Cache-Control": "max-age=31536000, immutable"})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def _answer(self, body: bytes, kind: str, headers: dict[str, str]) -> None:
        self.send_response(200)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@cache
def shop() -> Shop:
    """Opened for the first page that is shown; it ends with the worker."""
    opened = Shop()
    threading.Thread(target=opened.serve_forever, name="shop", daemon=True).start()
    return opened


def way_to_the_site() -> str:
    """Tells chromium where SITE is."""
    return f"--host-resolver-rules=MAP {urlsplit(SITE).hostname} 127.0.0.1:{shop().server_port}"


def show(page: Page, template: str, context: dict[str, Any]) -> None:
    """Opens the rendered template in the browser at SITE, with its assets and under the content security policy."""
    shop().window = render(template, context)
    page.goto(f"{SITE}/admin/page")
