"""The side bar: each entry is shown to whoever may open it, below the heading of what it belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from server.kernel.identity import Actor
from server.kernel.permissions import Permission, holds


@dataclass(frozen=True)
class NavItem:
    title: str
    href: str
    icon: str
    active: bool


@dataclass(frozen=True)
class NavGroup:
    title: str
    """Empty for what stands above all headings."""
    items: list[NavItem]


_GROUPS: tuple[tuple[str, tuple[tuple[str, str, str, Permission], ...]], ...] = (
    ("", (("首页", "/admin", "home", Permission.ACCOUNTS_OWN),)),
    (
        "培训",
        (
            ("培训计划", "/admin/plans", "calendar-event", Permission.PLANS_READ),
            ("开班申请", "/admin/applications", "clipboard-list", Permission.APPLICATIONS_READ),
            ("培训班", "/admin/classes", "school", Permission.CLASSES_READ),
            ("培训班变更", "/admin/changes", "calendar", Permission.INTERRUPTIONS_READ),
            ("地点核实", "/admin/places", "map-pin", Permission.VENUES_READ),
            ("培训方案", "/admin/schemes", "notebook", Permission.SCHEMES_READ),
            ("证书台账", "/admin/certificates", "certificate", Permission.CERTIFICATES_READ),
            ("成绩重新开放", "/admin/reopenings", "arrow-back-up", Permission.REOPENINGS_READ),
            ("解除微信绑定", "/admin/release-requests", "unlink", Permission.IDENTITIES_DECIDE),
            ("信息更正", "/admin/corrections", "edit", Permission.CORRECTIONS_READ),
            ("需求问卷", "/admin/needs", "list-check", Permission.ADMISSIONS_TEMPLATE),
        ),
    ),
    (
        "师资和机构",
        (
            ("骨干教师库", "/admin/backbone", "users", Permission.BACKBONE_READ),
            ("选拔推荐", "/admin/selection", "award", Permission.SELECTION_READ),
            ("骨干教师选拔", "/admin/selection/candidates", "award", Permission.SELECTION_ENROL),
            ("履职情况", "/admin/duties", "chart-bar", Permission.DUTIES_READ),
            ("动态管理", "/admin/qualification", "rubber-stamp", Permission.QUALIFICATION_READ),
            ("培训机构", "/admin/institutions", "building", Permission.INSTITUTIONS_READ),
            (
                "基地推荐",
                "/admin/recommendations",
                "building-community",
                Permission.INSTITUTIONS_READ_REQUESTS,
            ),
        ),
    ),
    (
        "平台",
        (
            ("用户账号", "/admin/accounts", "key", Permission.ACCOUNTS_STAFF),
            ("平台政策", "/admin/policies", "adjustments", Permission.POLICIES_READ),
            ("消息发送", "/admin/messages", "messages", Permission.MESSAGES_MANAGE),
            ("内容检查", "/admin/content-checks", "shield-check", Permission.CONTENT_REVIEW),
            ("定时任务", "/admin/jobs", "clock", Permission.JOBS_RUN),
            ("操作留痕", "/admin/audit", "history", Permission.AUDIT_READ),
        ),
    ),
)

_PAGES = {"/admin/selection/candidates": "/admin/selection"}
"""Where the pages of an entry lie, when not below its own address."""


def navigation(actor: Actor, path: str) -> list[NavGroup]:
    """The groups in which the actor may open anything."""
    groups = [
        NavGroup(title, [_item(*entry[:3], path) for entry in entries if holds(actor, entry[3])])
        for title, entries in _GROUPS
    ]
    return [group for group in groups if group.items]


def _item(title: str, href: str, icon: str, path: str) -> NavItem:
    pages = _PAGES.get(href, href)
    return NavItem(title, href, icon, path == href or (href != "/admin" and path.startswith(pages + "/")))
