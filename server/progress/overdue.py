"""What is long overdue is told to the superior, beside standing in their list: each thing once for each time that it waits, one message a
day and office."""

from __future__ import annotations

from collections.abc import Sequence

from server.institutions.annex1 import PROVINCES
from server.kernel import reminders
from server.kernel.identity import Actor, Jurisdiction, Role, system
from server.kernel.offices import Said, Topic
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.progress import desk
from server.progress.desk import Line

CLASSES_READ = 1_000
NAMED_MOST = 3
"""Of those that are new; the others are counted."""


async def tell_superiors(platform: Platform) -> int:
    """The daily work: tells each province and the centre what has become overdue for longer than `overdue_days` since it last told."""
    return sum([await _tell(platform, one) for one in _superiors()])


def _superiors() -> list[Actor]:
    """As the lists of their offices are read: nobody's account."""
    centre = Actor("overdue", "平台", "system", frozenset({Role.NATIONAL_CENTRE}), Jurisdiction.everything())
    return [
        centre,
        *(
            Actor(
                "overdue",
                "平台",
                "system",
                frozenset({Role.PROVINCE}),
                Jurisdiction.of_province(one.code),
                province_code=one.code,
            )
            for one in PROVINCES
        ),
    ]


async def _tell(platform: Platform, office: Actor) -> int:
    late = [one for one in (await desk.desk(platform, office, classes_read=CLASSES_READ)).late if one.key]
    return await _told(platform, system("tell-overdue"), office.office, late) if late else 0


@transactional
async def _told(unit: UnitOfWork, to: str, late: Sequence[Line]) -> int:
    marks = {f"overdue:{to}:{one.key}:{one.owner}:{one.since}": one for one in late}
    new = [marks[each] for each in await reminders.mark_new(unit, list(marks))]
    if not new:
        unit.nothing_written()
        return 0
    named = "；".join(f"{one.who}：{one.title}" for one in new[:NAMED_MOST])
    more = f"等 {len(new)} 件" if len(new) > NAMED_MOST else ""
    unit.tell(Said(to, Topic.OVERDUE, f"逾期未办：{named}{more}", "/admin"))
    unit.audit("progress:tell-overdue", "desk", count=len(new))
    return len(new)
