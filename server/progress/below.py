"""What waits as a number of things of one kind, for an office below the reader's or one that the reader has asked: a line an office.

Messages that could not be sent are the centre's own: nobody is above it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from server.certificates import reconcile
from server.identities import service as identities
from server.institutions import service as institutions
from server.interruptions import facts as interrupting
from server.kernel.identity import Actor, Role
from server.kernel.policies import Policies
from server.kernel.unit_of_work import Scope
from server.kernel.waiting import Item, Owed
from server.progress import facts
from server.progress.known import Owner, province_office
from server.wechat import content

_CENTRE, _SUPERIORS = frozenset({Role.NATIONAL_CENTRE}), frozenset({Role.NATIONAL_CENTRE, Role.PROVINCE})


@dataclass(frozen=True)
class Kind:
    """Things of a collection; those on `page` are read by `readers`, and by the office that they wait for."""

    collection: str
    title: str
    page: str
    readers: frozenset[Role]
    owed: Callable[[Scope, Actor], Awaitable[list[Owed]]]
    same_day: bool = False
    """To be done on the day; else within `review_days`."""


KINDS = {
    one.collection: one
    for one in (
        Kind(
            "release_requests",
            "办理解除微信绑定的申请",
            f"{identities.PAGE}?state=ASKED",
            _CENTRE,
            identities.owed,
            same_day=True,
        ),
        Kind(
            "class_changes",
            "答复转班补学的请求",
            "/admin/changes?state=ASKED",
            _SUPERIORS,
            interrupting.owed,
        ),
        Kind("content_checks", "查看内容检查的提示", "/admin/content-checks", _CENTRE, content.owed),
        Kind("ledger_findings", "处理台账核查发现不符", reconcile.PAGE, _SUPERIORS, reconcile.owed),
    )
}


@dataclass(frozen=True)
class Below:
    """A line of these, and whose it is."""

    item: Item
    owner: Owner
    who: str
    opens: bool
    """Whether the reader may open its page."""


async def below(scope: Scope, actor: Actor, kind: Kind, in_force: Policies) -> list[Below]:
    """Those that have waited longest first."""
    found = await kind.owed(scope, actor)
    codes = {one.office: one.office.partition(":")[2] for one in found}
    known = await institutions.by_codes(scope, codes.values()) if found else {}
    days = timedelta(days=0 if kind.same_day else in_force.review_days)
    lines = []
    for one in found:
        institution = known.get(codes[one.office]) if one.office.startswith("institution:") else None
        province = institution.province_code if institution else codes[one.office]
        item = Item(
            f"{kind.collection}:{one.oldest}",
            f"{kind.title}（{one.count}）",
            kind.page,
            one.since,
            one.since + days,
            institution.name if institution else "",
            institution.id if institution else None,
            (province,),
        )
        owner = Owner.INSTITUTION if institution else Owner.PROVINCE
        who = institution.name if institution else province_office(facts.PROVINCE_NAMES[province])
        lines.append(Below(item, owner, who, bool(kind.readers & actor.roles)))
    return lines
