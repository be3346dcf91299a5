"""补发、换发 and 撤销: asked for on the page of a certificate, decided on the page of the request (article 18)."""

from __future__ import annotations

from typing import Annotated

from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.handlers.certificates import OneCertificate, years_of_issue
from admin.lists import ByAge, Filter, Listing, ProvinceCode, Words, Year, fetched_by, named
from admin.steps import Done, shows, step
from server.certificates.issue import Revocation
from server.kernel.clock import beijing_date
from server.kernel.permissions import Permission
from server.kernel.reviews import Return, Review, Withdrawal
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route
from server.reissues import history, revoking, service
from server.reissues.documents import Reissue, ReissueFilter
from server.reissues.printing import Wanted
from server.reissues.revoking import Decision, Proposal, Renewal
from server.reissues.rules import Kind, State
from server.reissues.service import FiledAgain, ReissueRequest


class ReissueQuery(ByAge):
    q: Annotated[Words, Filter("姓名、培训班或培训机构")] = ""
    kind: Annotated[Kind | None, Filter("事项", named(Kind))] = None
    state: Annotated[State | None, Filter("状态", named(State))] = None
    year: Annotated[Year, Filter("年份", years_of_issue)] = None
    province: ProvinceCode = ""


SHEET = Sheet[Reissue](
    "证书补发换发撤销",
    [
        Column("姓名", 14, lambda one: one.name),
        Column("证件号", 22, lambda one: one.id_number_masked),
        Column("证书编号", 18, lambda one: one.certificate_number),
        Column("事项", 16, lambda one: one.kind.label),
        Column("理由", 40, lambda one: one.reason),
        Column("培训班", 36, lambda one: one.class_name),
        Column("发证机构", 30, lambda one: one.institution_name),
        Column("提出", 14, lambda one: one.history[0].actor_name),
        Column("提出日期", 12, lambda one: beijing_date(one.asked_at)),
        Column("状态", 16, lambda one: one.state.label),
    ],
)
REISSUES = Listing(
    service.PAGE,
    "reissues/list.html",
    Permission.REISSUES_READ,
    ReissueQuery,
    fetched_by(service.list_reissues, ReissueFilter),
    sheet=SHEET,
)


# ---- on the page of a certificate


@step(OneCertificate, Permission.REISSUES_MANAGE)
async def reissue(page: OneCertificate, certificate_id: str) -> Done:
    asked = await service.ask(page.platform, page.actor, certificate_id, page.form(ReissueRequest))
    return Done("补发申请已记下，请核实后办理。", asked.address)


@step(OneCertificate, Permission.REISSUES_MANAGE)
async def replace(page: OneCertificate, certificate_id: str) -> Done:
    filed = await service.file_new(page.platform, page.actor, certificate_id, page.form(Wanted))
    return Done("换发申请已报省级管理部门审核，同意前原证书仍然有效。", filed.address)


@step(OneCertificate, Permission.CERTIFICATES_REVOKE)
async def revoke(page: OneCertificate, certificate_id: str) -> str:
    ended = await revoking.revoke(page.platform, page.actor, certificate_id, page.form(Revocation))
    return (
        "证书已撤销，公开验证页即时显示“已撤销”。"
        if ended.status.issued
        else "已作废：这张证书没有制成，从未生效。"
    )


@step(OneCertificate, Permission.CERTIFICATES_REVOKE)
async def propose(page: OneCertificate, certificate_id: str) -> Done:
    heard = await revoking.propose(page.platform, page.actor, certificate_id, page.form(Proposal))
    return Done(f"已通知持证人，陈述期限到 {heard.until}；决定以前证书仍然有效。", heard.address)


@step(OneCertificate, Permission.CERTIFICATES_ISSUE)
async def renew(page: OneCertificate, certificate_id: str) -> Done:
    new = await revoking.renew(page.platform, page.actor, certificate_id, page.form(Renewal))
    return Done(f"已重新核发，证书编号 {new.printed.number}。", f"/admin/certificates/{new.id}")


# ---- on its own page


class OneReissue(PageHandler):
    address = "/admin/reissues/{reissue_id}"
    get = shows(Permission.REISSUES_READ)

    async def show(self, reissue_id: str, outcome: Outcome = NO_ERRORS) -> None:
        found = await service.reissue(self.platform, self.actor, reissue_id)
        seen = await history.matter(self.platform, self.actor, found)
        self.render_page("reissues/one.html", reissue=found, matter=seen, **outcome)


@step(OneReissue, Permission.REISSUES_MANAGE)
async def grant(page: OneReissue, reissue_id: str) -> str:
    await service.grant(page.platform, page.actor, reissue_id, page.form(Review))
    return "已同意补发，新证书签发后原证书作废，持证人会收到通知。"


@step(OneReissue, Permission.REISSUES_MANAGE)
async def file(page: OneReissue, reissue_id: str) -> str:
    await service.file(page.platform, page.actor, reissue_id, page.form(FiledAgain))
    return "已报省级管理部门审核，同意前原证书仍然有效。"


@step(OneReissue, Permission.REISSUES_MANAGE)
async def decline(page: OneReissue, reissue_id: str) -> str:
    await service.decline(page.platform, page.actor, reissue_id, page.form(Return))
    return "已答复不予办理，证书继续有效，持证人会看到理由。"


@step(OneReissue, Permission.REISSUES_MANAGE)
async def withdraw(page: OneReissue, reissue_id: str) -> str:
    await service.withdraw(page.platform, page.actor, reissue_id, page.form(Withdrawal))
    return "已撤回，证书继续有效。"


@step(OneReissue, Permission.CERTIFICATES_REVOKE)
async def decide(page: OneReissue, reissue_id: str) -> str:
    await revoking.decide(page.platform, page.actor, reissue_id, page.form(Decision))
    return "证书已撤销，公开验证页即时显示“已撤销”。"


@step(OneReissue, Permission.REISSUES_REVIEW)
async def approve(page: OneReissue, reissue_id: str) -> str:
    await service.approve(page.platform, page.actor, reissue_id, page.form(Review))
    return "已同意换发，新证书签发后原证书作废，持证人会收到通知。"


@step(OneReissue, Permission.REISSUES_REVIEW)
async def send_back(page: OneReissue, reissue_id: str) -> str:
    await service.return_(page.platform, page.actor, reissue_id, page.form(Return))
    return "已退回，发证机构可以修改后重新报送。"


_CERTIFICATE = r"/admin/certificates/(?P<certificate_id>[0-9a-f]{24})"
_ONE = r"/admin/reissues/(?P<reissue_id>[0-9a-f]{24})"
ROUTES: list[Route] = [
    (rf"{_CERTIFICATE}/reissue", reissue),
    (rf"{_CERTIFICATE}/replace", replace),
    (rf"{_CERTIFICATE}/revoke", revoke),
    (rf"{_CERTIFICATE}/propose", propose),
    (rf"{_CERTIFICATE}/renew", renew),
    *REISSUES.routes,
    (_ONE, OneReissue),
    (rf"{_ONE}/grant", grant),
    (rf"{_ONE}/file", file),
    (rf"{_ONE}/decline", decline),
    (rf"{_ONE}/withdraw", withdraw),
    (rf"{_ONE}/decide", decide),
    (rf"{_ONE}/approve", approve),
    (rf"{_ONE}/return", send_back),
]
