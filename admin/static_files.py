"""Style sheets, scripts and fonts: the same headers as pages, and nothing but a file of ours or 404."""

from __future__ import annotations

import posixpath
from typing import Any

from tornado.web import HTTPError, RequestHandler, StaticFileHandler

from admin.rendering import content_of
from server.kernel import errors
from server.kernel.front_door import plain_page
from server.kernel.mongo import new_id
from server.kernel.web import SECURITY_HEADERS, transport_security

KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".png": "image/png",
}
"""What is handed out. Whatever else comes to lie there, by a slip or by the build, is not found."""


class StaticFiles(StaticFileHandler):
    def set_default_headers(self) -> None:
        secure = bool(self.settings.get("secure"))
        for name, value in {**SECURITY_HEADERS, **transport_security(secure)}.items():
            self.set_header(name, value)

    def set_extra_headers(self, path: str) -> None:
        """Kept by the browser, which asks whether there is a newer one; what carries its version in the address is kept for good."""
        if not self.request.arguments.get("v"):
            self.set_header("Cache-Control", "no-cache")

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Raises HTTPError 404 for whatever is no file of ours: a folder, a place outside, a name that no file can have."""
        try:
            return super().validate_absolute_path(root, absolute_path)
        except (HTTPError, ValueError, OSError):
            raise HTTPError(404) from None

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        if posixpath.normpath(path) != path:  # a file has one address
            raise HTTPError(404)
        if posixpath.splitext(path)[1] not in KINDS:
            raise HTTPError(404)
        try:
            return super().get_absolute_path(root, path)
        except (HTTPError, ValueError):
            raise HTTPError(404) from None

    def get_content_type(self) -> str:
        return KINDS[posixpath.splitext(self.path)[1]]

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        problem = errors.MethodNotAllowed() if status_code == 405 else errors.NotFound("没有这个文件。")
        self.set_status(problem.status)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(plain_page(problem, new_id()))


class Bundles(StaticFiles):
    """What every page needs of our sheets and scripts, each kind as one file."""

    async def get(self, path: str, include_body: bool = True) -> None:
        self.set_header("Content-Type", KINDS[posixpath.splitext(path)[1]])
        self.set_header("Cache-Control", f"max-age={self.CACHE_MAX_AGE}")
        self.set_extra_headers(path)
        await self.finish(content_of(path) if include_body else None)

    def compute_etag(self) -> str | None:
        return RequestHandler.compute_etag(self)
