"""What was decided lately of what somebody had asked for: said on their home page for a week, one table for all chapters.

What was returned waits for them (`waiting` of the chapter) and is no news.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from server.applications import rules as applications
from server.applications.documents import Application
from server.corrections import rules as corrections
from server.corrections.documents import Correction
from server.interruptions import rules as interruptions
from server.interruptions.documents import ClassChange
from server.kernel import reviewed
from server.kernel.identity import INSTITUTION_ROLES, Actor, Role
from server.kernel.platform import Platform
from server.kernel.reviewed import Reviewed
from server.kernel.reviews import PROVINCE
from server.kernel.titled import Titled
from server.kernel.waiting import News
from server.plans import rules as plans
from server.plans.documents import Plan
from server.reopenings import rules as reopenings
from server.reopenings.documents import Reopening
from server.schemes import rules as schemes
from server.schemes.documents import SchemeVersion
from server.selection import rules as selection
from server.selection.documents import Nominee
from server.venues import rules as venues
from server.venues.documents import PlaceCheck

R = TypeVar("R", bound=Reviewed)


@dataclass(frozen=True)
class Told(Generic[R]):
    """Decisions (`actions`) on documents of one kind, for `who` had asked; `words` and `href` say one."""

    kind: type[R]
    who: frozenset[Role]
    actions: tuple[Titled, ...]
    words: Callable[[R], str]
    href: Callable[[R], str]

    async def lately(self, platform: Platform, actor: Actor) -> list[News]:
        if not actor.roles & self.who:
            return []
        found = await reviewed.decided_lately(platform, actor, self.kind, self.actions)
        return [News(self.words(one), self.href(one), one.history[-1].at) for one in found]


_TOLD: tuple[Told[Any], ...] = (
    Told(
        Plan,
        INSTITUTION_ROLES,
        (plans.Action.APPROVE,),
        lambda one: f"{one.year} 年培训计划第 {one.version} 版已批准，可以申请开班",
        lambda one: f"/admin/plans/{one.id}",
    ),
    Told(
        Application,
        INSTITUTION_ROLES,
        (applications.Action.APPROVE,),
        lambda one: f"“{one.name}”已批准开班，可以邀请教师、招收学员",
        lambda one: f"/admin/classes/{one.class_id}",
    ),
    Told(
        SchemeVersion,
        INSTITUTION_ROLES,
        (schemes.Action.APPROVE,),
        lambda one: f"“{one.class_name}”的培训方案第 {one.version} 版已通过，课次和任务已生成",
        lambda one: f"/admin/classes/{one.class_id}/scheme",
    ),
    Told(
        ClassChange,
        INSTITUTION_ROLES,
        (interruptions.Action.APPROVE,),
        lambda one: f"“{one.class_name}”的{one.kind.label}已批准：{one.words}",
        lambda one: f"/admin/changes/{one.id}",
    ),
    Told(
        Reopening,
        INSTITUTION_ROLES,
        (reopenings.Action.APPROVE, reopenings.Action.DECLINE),
        lambda one: f"“{one.class_name}”成绩重新开放的申请：{one.state.label}",
        lambda one: f"/admin/reopenings/{one.id}",
    ),
    Told(
        Correction,
        INSTITUTION_ROLES,
        (corrections.Action.APPROVE,),
        lambda one: f"“{one.about}”的更正已核准",
        lambda one: f"/admin/corrections/{one.id}",
    ),
    Told(
        PlaceCheck,
        INSTITUTION_ROLES,
        (venues.Action.RESOLVE, venues.Action.REFUSE),
        lambda one: f"“{one.class_name}”的地点“{one.place}”：{one.state.label}",
        lambda one: f"/admin/places/{one.id}",
    ),
    Told(
        Nominee,
        PROVINCE,
        (selection.Action.ACCEPT,),
        lambda one: f"对{one.name}老师的选拔推荐已通过，列为候选人",
        lambda one: f"/admin/selection/{one.id}",
    ),
)


async def news(platform: Platform, actor: Actor) -> list[News]:
    """The latest first."""
    found = [one for told in _TOLD for one in await told.lately(platform, actor)]
    return sorted(found, key=lambda one: one.at, reverse=True)
