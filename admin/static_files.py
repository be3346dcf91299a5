"""What every page needs of our sheets and scripts, each kind as one file."""

from __future__ import annotations

import posixpath

from tornado.web import RequestHandler

from admin.rendering import content_of
from server.kernel.static_files import KINDS, StaticFiles


class Bundles(StaticFiles):
    async def get(self, path: str, include_body: bool = True) -> None:
        self.set_header("Content-Type", KINDS[posixpath.splitext(path)[1]])
        self.set_header("Cache-Control", f"max-age={self.CACHE_MAX_AGE}")
        self.set_extra_headers(path)
        await self.finish(content_of(path) if include_body else None)

    def compute_etag(self) -> str | None:
        return RequestHandler.compute_etag(self)
