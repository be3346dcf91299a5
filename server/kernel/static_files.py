"""Style sheets, scripts and pictures: nothing but a file of ours or 404, with the headers of the place they belong to."""

from __future__ import annotations

import posixpath
from typing import Any, ClassVar

from tornado.web import HTTPError, StaticFileHandler

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
    kinds: ClassVar[dict[str, str]] = KINDS
    headers: ClassVar[dict[str, str]] = SECURITY_HEADERS

    def set_default_headers(self) -> None:
        secure = bool(self.settings.get("secure"))
        for name, value in {**self.headers, **transport_security(secure)}.items():
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
        if posixpath.splitext(path)[1] not in cls.kinds:
            raise HTTPError(404)
        try:
            return super().get_absolute_path(root, path)
        except (HTTPError, ValueError):
            raise HTTPError(404) from None

    def get_content_type(self) -> str:
        return self.kinds[posixpath.splitext(self.path)[1]]

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        problem = errors.MethodNotAllowed() if status_code == 405 else errors.NotFound("没有这个文件。")
        self.set_status(problem.status)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(plain_page(problem, new_id()))
