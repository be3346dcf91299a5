"""The pages without the platform: rendered with a fictional context and served to the browser by interception, under the real policy."""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

from playwright.sync_api import Page, Route

from admin.handler import PageHandler
from admin.lists import Query
from admin.rendering import STATIC, make_environment
from server.kernel.clock import FixedClock

SITE = "http://admin.test"
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; form-action 'self'; base-uri 'none'"
)


@dataclass(frozen=True)
class Item:
    title: str
    href: str
    icon: str
    active: bool = False


@dataclass(frozen=True)
class Group:
    title: str
    items: list[Item]


@dataclass(frozen=True)
class Staff:
    name: str
    roles: frozenset[str]


def layout_context(**more: Any) -> dict[str, Any]:
    """What the page handler gives to every template, for a fictional member of an institution's staff."""
    nav = [
        Group("", [Item("首页", "/admin", "home")]),
        Group(
            "培训",
            [
                Item("培训班", "/admin/classes", "school", active=True),
                Item("证书台账", "/admin/certificates", "certificate"),
            ],
        ),
        Group(
            "师资和机构",
            [
                Item("骨干教师", "/admin/backbone", "users"),
                Item("培训机构", "/admin/institutions", "building"),
            ],
        ),
        Group(
            "平台",
            [
                Item("账号", "/admin/accounts", "id-badge-2"),
                Item("政策参数", "/admin/policies", "adjustments"),
            ],
        ),
    ]
    return {
        "actor": Staff("李明珊", frozenset({"TRAINING_BASE"})),
        "role_title": "教师培训基地 · 邢台技师学院",
        "xsrf_token": "2|mask|token",
        "request_id": "01jdx4demo",
        "nav": nav,
        "flashes": [],
        "wechat_simulated": True,
        "demo": True,
        **more,
    }


def signed_out_context(**more: Any) -> dict[str, Any]:
    return layout_context(actor=None, role_title="", nav=[], **more)


def list_context(rows: Sequence[Any], query: Query, now: datetime, **more: Any) -> dict[str, Any]:
    """What admin/lists.py gives to the template of a list of one page, as the centre sees it."""
    centre = SimpleNamespace(
        actor=SimpleNamespace(province_code=None), platform=SimpleNamespace(clock=FixedClock(now))
    )
    return {
        "rows": rows,
        "query": query,
        "narrowed": any(query.conditions.values()),
        "filters": query.filters(cast(PageHandler, centre)),
        "previous": None,
        "next": None,
        "export": "/admin/export",
        **more,
    }


def render(template: str, context: dict[str, Any]) -> str:
    return make_environment().get_template(template).render(context)


def show(page: Page, template: str, context: dict[str, Any]) -> None:
    """Opens the rendered template in the browser at SITE, with its assets and under the content security policy."""
    html = render(template, context)
    page.route(f"{SITE}/**", lambda route: serve(route, html))
    page.goto(f"{SITE}/admin/page")


def serve(route: Route, html: str) -> None:
    path = PurePosixPath(urlsplit(route.request.url).path)
    if path.is_relative_to("/static"):
        asset = STATIC / path.relative_to("/static")
        kind = mimetypes.guess_type(asset.name)[0] or "application/octet-stream"
        route.fulfill(body=asset.read_bytes(), content_type=kind)
    else:
        headers = {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        }
        route.fulfill(body=html, headers=headers)
