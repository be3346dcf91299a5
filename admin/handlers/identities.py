"""Requests to release the phone of a person: the list, and the decision of who answers for them."""

from __future__ import annotations

from typing import Annotated

from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.lists import ByAge, Filter, Listing, Words, fetched_by, named
from admin.steps import shows, step
from server.identities import service
from server.identities.documents import ReleaseFilter, ReleaseRequest
from server.identities.rules import State
from server.kernel.permissions import Permission
from server.kernel.reviews import Return, Review
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route


class ReleaseQuery(ByAge):
    q: Annotated[Words, Filter("姓名、培训班或培训机构")] = ""
    state: Annotated[State | None, Filter("状态", named(State))] = None


SHEET = Sheet[ReleaseRequest](
    "解除微信绑定",
    [
        Column("姓名", 14, lambda one: one.name),
        Column("证件号", 22, lambda one: one.id_number_masked),
        Column("工作单位", 30, lambda one: one.work_unit),
        Column("提出申请", 30, lambda one: one.institution_name),
        Column("培训班", 36, lambda one: one.class_name),
        Column("申请日期", 12, lambda one: one.due_on),
        Column("状态", 12, lambda one: one.state.label),
    ],
)
REQUESTS = Listing(
    service.PAGE,
    "identities/list.html",
    Permission.IDENTITIES_DECIDE,
    ReleaseQuery,
    fetched_by(service.list_requests, ReleaseFilter),
    sheet=SHEET,
)


class OneRequest(PageHandler):
    address = f"{service.PAGE}/{{release_id}}"
    get = shows(Permission.IDENTITIES_DECIDE)

    async def show(self, release_id: str, outcome: Outcome = NO_ERRORS) -> None:
        found = await service.request(self.platform, self.actor, release_id)
        self.render_page(
            "identities/one.html",
            asked=found,
            may_decide=found.open and found.kept_by.is_(self.actor),
            may_retract=found.open and found.institution_code == self.actor.institution_code,
            **outcome,
        )


@step(OneRequest, Permission.IDENTITIES_DECIDE)
async def release(page: OneRequest, release_id: str) -> str:
    await service.release(page.platform, page.actor, release_id, page.form(Review))
    return "已解除绑定，原手机和本人已收到通知。请本人用新的微信证明身份后重新绑定。"


@step(OneRequest, Permission.IDENTITIES_DECIDE)
async def decline(page: OneRequest, release_id: str) -> str:
    await service.decline(page.platform, page.actor, release_id, page.form(Return))
    return "已答复不予解除，提出申请的培训机构会看到理由。"


@step(OneRequest, Permission.IDENTITIES_DECIDE)
async def retract(page: OneRequest, release_id: str) -> str:
    await service.retract(page.platform, page.actor, release_id)
    return "已撤回申请，绑定不变。"


_ONE = rf"{service.PAGE}/(?P<release_id>[0-9a-f]{{24}})"
ROUTES: list[Route] = [
    *REQUESTS.routes,
    (_ONE, OneRequest),
    (rf"{_ONE}/release", release),
    (rf"{_ONE}/decline", decline),
    (rf"{_ONE}/retract", retract),
]
