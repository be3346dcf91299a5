"""The side bar: one entry for each kind of work, and the views of the work one is at. Each is shown to whoever may open it."""

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
class Navigation:
    sections: list[NavItem]
    views: list[NavItem]
    """What the section of a page can be seen by, where the page is one of these itself and not alone."""
    title: str = ""
    """Of that section."""


@dataclass(frozen=True)
class _Section:
    title: str
    icon: str
    views: tuple[tuple[str, str, Permission], ...]
    """Title, address and right of each; the first that somebody may open is where the section begins."""
    also: tuple[str, ...] = ()
    """Where pages of the section lie that are below none of its views."""

    def holds(self, path: str) -> bool:
        places = [*(href for _, href, _ in self.views), *self.also]
        return any(path == one or (one != HOME and path.startswith(f"{one}/")) for one in places)


HOME = "/admin"
_SECTIONS = (
    _Section("工作台", "home", (("工作台", HOME, Permission.ACCOUNTS_OWN),)),
    _Section(
        "培训班",
        "school",
        (
            ("一览", "/admin/classes", Permission.CLASSES_READ),
            ("计划", "/admin/plans", Permission.PLANS_READ),
            ("开班申请", "/admin/applications", Permission.APPLICATIONS_READ),
            ("培训方案", "/admin/schemes", Permission.SCHEMES_READ),
            ("变更", "/admin/changes", Permission.INTERRUPTIONS_READ),
            ("地点核实", "/admin/places", Permission.VENUES_READ),
            ("成绩重新开放", "/admin/reopenings", Permission.REOPENINGS_READ),
            ("信息更正", "/admin/corrections", Permission.CORRECTIONS_READ),
        ),
    ),
    _Section(
        "人员",
        "users",
        (
            ("全部", "/admin/people", Permission.CLASSES_READ),
            ("骨干教师库", "/admin/backbone", Permission.BACKBONE_READ),
            ("履职情况", "/admin/duties", Permission.DUTIES_READ),
            ("选拔推荐", "/admin/selection", Permission.SELECTION_READ),
            ("选拔候选人", "/admin/selection/candidates", Permission.SELECTION_ENROL),
            ("合格名单", "/admin/selection/lists", Permission.SELECTION_READ_LISTS),
            ("调动", "/admin/moves", Permission.MOVES_READ),
            ("解除微信绑定", "/admin/release-requests", Permission.IDENTITIES_DECIDE),
        ),
        also=("/admin/selection",),
    ),
    _Section(
        "证书",
        "certificate",
        (
            ("证书台账", "/admin/certificates", Permission.CERTIFICATES_READ),
            ("补发、换发和撤销", "/admin/reissues", Permission.REISSUES_READ),
            ("伪造举报", "/admin/forgeries", Permission.FORGERIES_READ),
            ("空白证书", "/admin/stock", Permission.STOCK_READ),
            ("年度检查", "/admin/inspections", Permission.INSPECTIONS_READ),
            ("证书样式", "/admin/layouts", Permission.CERTIFICATES_READ),
        ),
    ),
    _Section(
        "机构",
        "building",
        (
            ("培训机构", "/admin/institutions", Permission.INSTITUTIONS_READ),
            ("印章", "/admin/seals", Permission.SEALS_READ),
            ("基地推荐", "/admin/recommendations", Permission.INSTITUTIONS_READ_REQUESTS),
            ("动态管理", "/admin/qualification", Permission.QUALIFICATION_READ),
            ("预警", "/admin/qualification/warnings", Permission.QUALIFICATION_READ),
        ),
    ),
    _Section(
        "系统",
        "adjustments",
        (
            ("用户账号", "/admin/accounts", Permission.ACCOUNTS_STAFF),
            ("平台政策", "/admin/policies", Permission.POLICIES_READ),
            ("需求问卷", "/admin/needs", Permission.ADMISSIONS_TEMPLATE),
            ("消息发送", "/admin/messages", Permission.MESSAGES_MANAGE),
            ("内容检查", "/admin/content-checks", Permission.CONTENT_REVIEW),
            ("定时任务", "/admin/jobs", Permission.JOBS_RUN),
            ("操作留痕", "/admin/audit", Permission.AUDIT_READ),
        ),
    ),
)


def navigation(actor: Actor, path: str) -> Navigation:
    """The sections in which the actor may open anything, and the views of the one that `path` belongs to."""
    sections, views, title = [], [], ""
    for section in _SECTIONS:
        mine = [(said, href) for said, href, right in section.views if holds(actor, right)]
        if not mine:
            continue
        here = section.holds(path)
        sections.append(NavItem(section.title, mine[0][1], section.icon, here))
        if here and len(mine) > 1 and any(path == href for _, href in mine):
            views = [NavItem(said, href, "", path == href) for said, href in mine]
            title = section.title
    return Navigation(sections, views, title)
