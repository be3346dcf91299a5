"""Certificates queried in batches: a sheet in, a sheet out (article 18)."""

from __future__ import annotations

from admin.downloads import file_of
from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.steps import shows, step
from server.certificates import batch
from server.certificates.batch_sheet import ROWS_MOST
from server.kernel import downloads
from server.kernel.permissions import Permission
from server.kernel.web import UPLOAD_BODY, Route
from server.kernel.xlsx import PACKED_LARGEST

HOME = "/admin/certificates/query"


class BatchQuery(PageHandler):
    address = HOME
    get = shows(Permission.CERTIFICATES_QUERY)

    async def show(self, outcome: Outcome = NO_ERRORS) -> None:
        self.render_page("certificates/batch.html", largest=PACKED_LARGEST, most=ROWS_MOST, **outcome)


@step(BatchQuery, Permission.CERTIFICATES_QUERY, rate=batch.RATE, rate_by="office", body=UPLOAD_BODY)
async def query_batch(page: BatchQuery) -> None:
    _, content = page.uploaded("file", "请先选择查询表文件。")
    await downloads.send(page, await batch.query(page.platform, page.actor, content))


ROUTES: list[Route] = [
    (HOME, query_batch),
    (f"{HOME}/template", file_of(batch.template, Permission.CERTIFICATES_QUERY)),
]
