"""报到登记 of a class as .xlsx."""

from __future__ import annotations

from server.admissions import arrival
from server.admissions.arrival import ArrivalRow
from server.kernel.clock import BEIJING
from server.kernel.downloads import Download
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.spreadsheets import Column, Sheet


def _arrived(row: ArrivalRow) -> str:
    at = row.enrolment.arrived_at
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M}" if at else "未报到"


SHEET = Sheet[ArrivalRow](
    "报到登记",
    [
        Column("姓名", 14, lambda one: one.enrolment.name),
        Column("证件号", 22, lambda one: one.enrolment.id_number_masked),
        Column("工作单位", 30, lambda one: one.enrolment.work_unit),
        Column("承诺书", 10, lambda one: "已签" if one.pledged else "未签"),
        Column("身份核对", 30, lambda one: one.evidence.label),
        Column("报到", 18, _arrived),
        Column("办理人", 14, lambda one: one.enrolment.arrival_by or ""),
    ],
    numbered=True,
)


async def sheet_of_class(platform: Platform, actor: Actor, class_id: str) -> Download:
    """Of a class in the actor's jurisdiction. Raises NotFound."""
    desk = await arrival.desk(platform, actor, class_id)
    return await SHEET.download(desk.rows, desk.training_class.name)
