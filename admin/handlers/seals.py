"""Seals and signing keys of institutions: what an institution files and uploads, and the review by the province (articles 17 and 18)."""

from __future__ import annotations

from typing import Annotated

from admin.downloads import file_of
from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.lists import ByAge, Filter, Listing, ProvinceCode, Words, fetched_by
from admin.steps import Done, shows, step
from server.institutions import service as institutions
from server.kernel.clock import beijing_date
from server.kernel.permissions import Permission
from server.kernel.reviews import Return, Review
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import UPLOAD_BODY, Route, allow
from server.seals import filing, keys, rules, service
from server.seals.documents import PAGE, Seal
from server.seals.filing import Retirement
from server.seals.keys import KeyUpload, KeyWithdrawal
from server.seals.rules import State


class SealQuery(ByAge):
    q: Annotated[Words, Filter("培训机构")] = ""
    state: Annotated[State | None, Filter("状态")] = None
    province: ProvinceCode = ""


SHEET = Sheet[Seal](
    "培训机构印章",
    [
        Column("培训机构", 32, lambda one: one.institution_name),
        Column("版本", 8, lambda one: one.version),
        Column("大小", 14, lambda one: one.size),
        Column("报送", 14, lambda one: one.history[0].actor_name),
        Column("报送日期", 12, lambda one: beijing_date(one.history[0].at)),
        Column("状态", 12, lambda one: one.state.label),
    ],
)
SEALS = Listing(
    PAGE, "seals/list.html", Permission.SEALS_READ, SealQuery, fetched_by(filing.list_seals), sheet=SHEET
)


class Signing(PageHandler):
    """印章与签名 of one institution."""

    address = "/admin/institutions/{code}/signing"
    get = shows(Permission.SEALS_READ)

    async def show(self, code: str, key_id: str = "", outcome: Outcome = NO_ERRORS) -> None:
        institution = await institutions.institution(self.platform, self.actor, code)
        own = await keys.own_key(self.platform, code)
        self.render_page(
            "seals/signing.html",
            institution=institution,
            seals=await filing.seals_of(self.platform, self.actor, code),
            keys=await keys.keys_of(self.platform, self.actor, code),
            own=own,
            unusable=await keys.usable(self.platform, own) if own else "",
            elsewhere=bool(self.platform.settings.seal_service_url),
            **outcome,
        )


@step(Signing, Permission.SEALS_MANAGE, rate="30/minute", body=UPLOAD_BODY)
async def file_seal(page: Signing, code: str) -> Done:
    _, content = page.uploaded("file", "请先选择印章图片。")
    filed = await filing.file(page.platform, page.actor, code, content)
    return Done(
        f"已报送印章（第 {filed.version} 版），请在下面核对图样。省级管理部门通过后使用。", filed.address
    )


@step(Signing, Permission.SEALS_MANAGE, rate="30/minute", body=UPLOAD_BODY)
async def upload_key(page: Signing, code: str) -> str:
    _, content = page.uploaded("key_file", "请先选择 .p12 或 .pfx 文件。")
    key = await keys.upload(page.platform, page.actor, code, content, page.form(KeyUpload))
    return f"试签通过，密钥已加密保存，从现在起用它签署证书，有效期至 {beijing_date(key.valid_to)}。"


@step(Signing, Permission.SEALS_MANAGE)
async def withdraw_key(page: Signing, code: str, key_id: str) -> str:
    await keys.withdraw(page.platform, page.actor, key_id, page.form(KeyWithdrawal))
    return "已停用，私钥已删除。此后核发的证书由平台代签；已核发的证书不受影响。"


class OneSeal(PageHandler):
    address = f"{PAGE}/{{seal_id}}"
    get = shows(Permission.SEALS_READ)

    async def show(self, seal_id: str, outcome: Outcome = NO_ERRORS) -> None:
        found = await filing.seal(self.platform, self.actor, seal_id)
        self.render_page(
            "seals/one.html", seal=found, actions=rules.possible(found.state, self.actor.roles), **outcome
        )


@step(OneSeal, Permission.SEALS_REVIEW)
async def approve(page: OneSeal, seal_id: str) -> str:
    done = await filing.approve(page.platform, page.actor, seal_id, page.form(Review))
    return f"已通过，{done.institution_name}从现在起核发的证书加盖这枚印章。"


@step(OneSeal, Permission.SEALS_REVIEW)
async def send_back(page: OneSeal, seal_id: str) -> str:
    await filing.send_back(page.platform, page.actor, seal_id, page.form(Return))
    return "已退回，培训机构会看到理由。"


@step(OneSeal, Permission.SEALS_MANAGE)
async def withdraw(page: OneSeal, seal_id: str) -> str:
    await filing.withdraw(page.platform, page.actor, seal_id)
    return "已撤回，可以重新报送。"


@step(OneSeal, Permission.SEALS_MANAGE)
async def retire(page: OneSeal, seal_id: str) -> str:
    await filing.retire(page.platform, page.actor, seal_id, page.form(Retirement))
    return "已停用，此后核发的证书标明未盖章，直到新的印章通过审核。"


class AuthorityCertificate(PageHandler):
    """The certificates of the platform's own authority, for whoever checks a file without us."""

    @allow(Permission.ANYONE)
    async def get(self) -> None:
        self.set_header("Content-Type", "application/x-pem-file")
        self.finish(await service.certificates(self.platform))


_ONE = r"/admin/seals/(?P<seal_id>[0-9a-f]{24})"
_OF = r"/admin/institutions/(?P<code>[0-9]{3})/signing"
ROUTES: list[Route] = [
    *SEALS.routes,
    (_ONE, OneSeal),
    (rf"{_ONE}/image", file_of(filing.image, Permission.SEALS_READ)),
    (rf"{_ONE}/approve", approve),
    (rf"{_ONE}/return", send_back),
    (rf"{_ONE}/withdraw", withdraw),
    (rf"{_ONE}/retire", retire),
    (_OF, Signing),
    (rf"{_OF}/seal", file_seal),
    (rf"{_OF}/key", upload_key),
    (rf"{_OF}/keys/(?P<key_id>[0-9a-f]{{24}})/withdraw", withdraw_key),
    (r"/certificates/authority\.pem", AuthorityCertificate),
]
