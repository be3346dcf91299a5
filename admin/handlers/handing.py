"""领取登记 of a class's certificates: who has come for them, and to whom they were sent (article 18)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.handlers.certificates import years_of_issue
from admin.handlers.sheets import sheet
from admin.lists import ByAge, Filter, Listing, Year, fetched_by
from admin.steps import batch, shows
from server.certificates import service as certificates
from server.kernel.permissions import Permission
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route
from server.stock import handing, papers
from server.stock.handing import HandedOver, HandingOver, HandoverFilter, TakingBack
from server.stock.rules import How


class HandoverRegister(PageHandler):
    address = "/admin/classes/{class_id}/certificates/register"
    get = shows(Permission.CERTIFICATES_READ)

    async def show(self, class_id: str, outcome: Outcome = NO_ERRORS) -> None:
        seen = await handing.register(self.platform, self.actor, class_id)
        self.render_page(
            "certificates/register.html",
            training_class=seen.training_class,
            seen=seen,
            sheets=await papers.of_class(self.platform, [one.id for one, _ in seen.rows]),
            ways=[(one.value, one.label) for one in How],
            **outcome,
        )


async def called(page: PageHandler, certificate_id: str, **ids: str) -> str:
    return (await certificates.certificate(page.platform, page.actor, certificate_id)).printed.name


@batch(HandoverRegister, Permission.CERTIFICATES_ISSUE, "已登记 {} 张证书，并通知本人。", called, HandingOver)
async def hand_over(page: HandoverRegister, certificate_id: str, form: HandingOver, class_id: str) -> None:
    await handing.hand_over(page.platform, page.actor, certificate_id, form)


@batch(HandoverRegister, Permission.CERTIFICATES_ISSUE, "已撤回 {} 张证书的领取登记。", called, TakingBack)
async def take_back(page: HandoverRegister, certificate_id: str, form: TakingBack, class_id: str) -> None:
    await handing.take_back(page.platform, page.actor, certificate_id, form)


async def paper(page: PageHandler, class_id: str) -> Mapping[str, Any]:
    seen = await handing.register(page.platform, page.actor, class_id)
    sheets = await papers.of_class(page.platform, [one.id for one, _ in seen.rows])
    return {"training_class": seen.training_class, "seen": seen, "papers": sheets}


class HandoverQuery(ByAge):
    year: Annotated[Year, Filter("领取年份", years_of_issue)] = None
    institution: Annotated[str, Field(pattern=r"^[0-9]{3}$")] = ""
    province: Annotated[str, Field(pattern=r"^[0-9]{2}$")] = ""


SHEET = Sheet[HandedOver](
    "证书领取登记",
    [
        Column("领取日期", 12, lambda one: one.handover.on),
        Column("姓名", 14, lambda one: one.certificate.printed.name if one.certificate else ""),
        Column("证书编号", 18, lambda one: one.certificate.printed.number if one.certificate else ""),
        Column("发证机构", 26, lambda one: one.certificate.printed.issuer if one.certificate else ""),
        Column("领取方式", 40, lambda one: one.handover.words),
        Column("本人确认", 20, lambda one: one.handover.confirmed_at or ""),
        Column("登记", 14, lambda one: one.handover.by),
    ],
)
HANDOVERS = Listing(
    "/admin/certificates/handovers",
    "certificates/handovers.html",
    Permission.CERTIFICATES_READ,
    HandoverQuery,
    fetched_by(handing.handed_over, HandoverFilter),
    sheet=SHEET,
)


_OF_CLASS = r"/admin/classes/(?P<class_id>[0-9a-f]{24})/certificates/register"
ROUTES: list[Route] = [
    *HANDOVERS.routes,
    (_OF_CLASS, HandoverRegister),
    (rf"{_OF_CLASS}/hand-over", hand_over),
    (rf"{_OF_CLASS}/take-back", take_back),
    (rf"{_OF_CLASS}/print", sheet("certificates", Permission.CERTIFICATES_READ, paper)),
]
