"""Under /static there are our files, and nothing else to be found out."""

import pytest

from admin.rendering import STATIC
from server.kernel.static_files import KINDS
from server.kernel.web import SECURITY_HEADERS
from tests.security import raw

ODD = (
    "/static/",
    "/static/vendor",
    "/static/app.css/",
    "/static//etc/passwd",
    "/static/../handler.py",
    "/static/..%2fhandler.py",
    "/static/%2e%2e/handler.py",
    "/static/%00",
    "/static/app.css%00.png",
    "/static/%ff",
    "/static/" + "a" * 5000,
    "/static/vendor/../../handler.py",
    "/static/vendor/built-from",
)


@pytest.mark.parametrize("path", ODD)
async def test_odd_paths_are_not_found_like_any_other(site: str, path: str) -> None:
    answer = await raw.ask(site, "GET", path)
    assert answer.status == 404, answer.body
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value
    assert b"Traceback" not in answer.body and "没有" in answer.body.decode()


@pytest.mark.parametrize("path", ["app.js", "site.css", "site.js"])
async def test_a_file_of_ours_has_the_headers_of_a_page(site: str, path: str) -> None:
    answer = await raw.ask(site, "GET", f"/static/{path}?v=1")
    assert answer.status == 200 and answer.headers["Cache-Control"].startswith("max-age")
    for name, value in SECURITY_HEADERS.items():
        if name != "Cache-Control":
            assert answer.headers[name] == value


@pytest.mark.parametrize("path", ["app.css", "site.css", "site.js", "favicon.svg"])
async def test_a_file_says_what_it_is_and_in_which_characters(site: str, path: str) -> None:
    answer = await raw.ask(site, "GET", f"/static/{path}")
    assert answer.headers["Content-Type"] == KINDS[f".{path.rpartition('.')[2]}"]
    assert "charset=utf-8" in answer.headers["Content-Type"]


def test_whatever_pages_need_has_a_kind_that_is_handed_out() -> None:
    others = {file.name for file in STATIC.rglob("*") if file.is_file() and file.suffix not in KINDS}
    assert others <= {"built-from"}
