"""Accounts in bulk: the sheet to fill in, its preview, and the first passwords as a workbook that exists once."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence

from admin.downloads import file_of
from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.rendering import province_name
from admin.steps import Done, shows, step
from server.accounts.documents import Account, BatchState
from server.institutions import allocation
from server.institutions import service as institutions
from server.institutions.account_sheet import ROWS_MOST
from server.kernel.permissions import Permission
from server.kernel.spreadsheets import XLSX, workbook
from server.kernel.web import UPLOAD_BODY, Route
from server.kernel.xlsx import PACKED_LARGEST

HOME = "/admin/accounts/batches"


class Upload(PageHandler):
    get = shows(Permission.ACCOUNTS_ALLOCATE)

    async def show(self, outcome: Outcome = NO_ERRORS) -> None:
        self.render_page("accounts/batch.html", largest=PACKED_LARGEST, most=ROWS_MOST, **outcome)


@step(Upload, Permission.ACCOUNTS_ALLOCATE, rate="30/minute", body=UPLOAD_BODY)
async def upload(page: Upload) -> Done:
    name, content = page.uploaded("file", "请先选择账号表文件。")
    batch = await allocation.preview(page.platform, page.actor, name, content)
    return Done("", f"{HOME}/{batch.id}")


class OneBatch(PageHandler):
    get = shows(Permission.ACCOUNTS_ALLOCATE)

    async def show(self, batch_id: str, outcome: Outcome = NO_ERRORS) -> None:
        batch = await allocation.get_batch(self.platform, batch_id)
        self.render_page(
            "accounts/batch_preview.html",
            batch=batch,
            done=batch.state is BatchState.CONFIRMED,
            institution_names=await self.names(),
            largest=PACKED_LARGEST,
            most=ROWS_MOST,
            **outcome,
        )

    async def names(self) -> dict[str, str]:
        return {one.id: one.name for one in await institutions.list_institutions(self.platform, self.actor)}

    async def hand_out(self, batch_id: str, given: Sequence[tuple[Account, str]]) -> None:
        """The page after passwords were made. Their workbook is part of it and nowhere else: it is not stored, not even for a while."""
        names = await self.names()
        rows = [
            (
                one.username,
                password,
                one.name,
                one.role.label,
                province_name(one.province_code) if one.province_code else "",
                names.get(one.institution_code or "", ""),
            )
            for one, password in given
        ]
        columns = [
            ("用户名", 22),
            ("初始密码", 24),
            ("使用人", 16),
            ("用户类别", 16),
            ("省份", 10),
            ("培训机构", 34),
        ]
        content = await asyncio.to_thread(workbook, "初始密码", columns, rows)
        self.render_page(
            "accounts/batch_done.html",
            accounts=[one for one, _ in given],
            institution_names=names,
            batch_id=batch_id,
            file_name=f"初始密码-{self.today}.xlsx",
            file=f"data:{XLSX};base64,{base64.b64encode(content).decode()}",
        )


@step(OneBatch, Permission.ACCOUNTS_ALLOCATE, rate="10/minute")
async def allocate_all(page: OneBatch, batch_id: str) -> None:
    await page.hand_out(batch_id, await allocation.confirm(page.platform, page.actor, batch_id))


@step(OneBatch, Permission.ACCOUNTS_ALLOCATE, rate="10/minute")
async def reissue(page: OneBatch, batch_id: str) -> None:
    await page.hand_out(batch_id, await allocation.reissue(page.platform, page.actor, batch_id))


_BATCH = rf"{HOME}/(?P<batch_id>[0-9a-f]{{24}})"
ROUTES: list[Route] = [
    (HOME, upload),
    (rf"{HOME}/template", file_of(allocation.template, Permission.ACCOUNTS_ALLOCATE)),
    (_BATCH, allocate_all),
    (rf"{_BATCH}/reissue", reissue),
]
