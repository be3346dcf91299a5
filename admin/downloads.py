"""One way of a download: a function that gives the file, or the use case of a service that does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from admin.handler import PageHandler
from server.kernel import downloads
from server.kernel.downloads import Download
from server.kernel.errors import Forbidden, NotFound, Problem
from server.kernel.permissions import Permission
from server.kernel.web import allow

Give = Callable[..., Awaitable[Download]]


def require_our_page(page: PageHandler) -> None:
    """Raises Forbidden where another site led here: what is taken along is noted under the name of whoever happens to be signed in."""
    if page.request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        raise Forbidden("这个链接来自其他网站，文件没有导出。需要时请在本平台的页面上点击导出或下载。")


def download(
    permission: Permission, *, page: type[PageHandler] | None = None, rate: str | None = None
) -> Callable[[Give], type[PageHandler]]:
    """Makes a function the handler of a download. With `page`, a refusal shows that page again with the reason."""

    def declare(give: Give) -> type[PageHandler]:
        async def get(self: Any, **ids: str) -> None:
            require_our_page(self)
            try:
                file = await give(self, **ids)
            except Problem as problem:
                if page is None or isinstance(problem, NotFound):
                    raise
                await self.show(**ids, outcome=self.refuse(problem))
            else:
                await downloads.send(self, file)

        members = {
            "get": allow(permission, rate=rate)(get),
            "__module__": give.__module__,
            "__qualname__": give.__qualname__,
            "__doc__": give.__doc__,
        }
        return type(give.__name__, (page or PageHandler,), members)

    return declare


def file_of(service: Give, permission: Permission, *, rate: str | None = None) -> type[PageHandler]:
    """What a use case gives to the actor; its arguments are called as the route calls them."""

    async def give(page: PageHandler, **ids: str) -> Download:
        return await service(page.platform, page.actor, **ids)

    give.__qualname__, give.__module__ = service.__qualname__, service.__module__
    return download(permission, rate=rate)(give)
