"""A browser without a window: it signs in, keeps cookies and sends the XSRF token with each form, as a person's browser would."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httputil import HTTPHeaders

from server.kernel.platform import Platform
from tests import stage
from tests.cast import Officer

BOUNDARY = "a-boundary-that-no-test-writes"
Form = Mapping[str, str | Sequence[str]]


class Shown:
    """What came back: `text` is the page as a person reads it, without tags."""

    def __init__(self, status: int, headers: HTTPHeaders, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def html(self) -> str:
        return self.body.decode("utf-8")

    @property
    def text(self) -> str:
        without_scripts = re.sub(r"(?s)<(script|style)\b.*?</\1>", " ", self.html)
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", without_scripts)).split())

    @property
    def location(self) -> str:
        return str(self.headers.get("Location", ""))


class Browser:
    """Follows no redirect by itself: where a page leads is what a test wants to see."""

    def __init__(self, site: str) -> None:
        self.site = site
        self.cookies: dict[str, str] = {}
        self.set_cookies: list[str] = []

    async def get(self, path: str, **headers: str) -> Shown:
        return await self._send("GET", path, None, headers)

    async def post(self, path: str, form: Form | None = None, *, xsrf: bool = True, **headers: str) -> Shown:
        body = urlencode(await self._with_token(form or {}, xsrf), doseq=True).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self._send("POST", path, body, kind | headers)

    async def review(self, home: str, step: str, form: Form | None = None) -> Shown:
        """Takes a step on a page, naming the version that the page shows, as its forms do."""
        shown = re.search(r'name="seen" value="(\d+)"', (await self.get(home)).html)
        return await self.post(f"{home}/{step}", {"seen": shown[1] if shown else "0", **(form or {})})

    async def save(self, path: str, form: Form | None = None, page: str = "") -> Shown:
        """Sends a form as it stands on its page: with the version that the page shows. It is the page at `page`, at the same address, or at
        the one above."""
        for address in filter(None, (page, path, path.rpartition("/")[0])):
            shown = (await self.get(address)).html
            tags = re.findall(r"(?s)<form\b.*?</form>", shown)
            own = [one for one in tags if f'action="{path}"' in one] or (tags if address == path else [])
            found = [mark for one in own for mark in re.findall(r'name="seen" value="(\w+)"', one)]
            if found:
                return await self.post(path, {"seen": found[0], **(form or {})})
        return await self.post(path, form)

    async def upload(
        self, path: str, field: str, file_name: str, content: bytes, form: Form | None = None
    ) -> Shown:
        parts = []
        for name, value in (await self._with_token(form or {}, xsrf=True)).items():
            parts.append(f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode())
        head = f'Content-Disposition: form-data; name="{field}"; filename="{file_name}"\r\n'
        parts.append(f"{head}Content-Type: application/octet-stream\r\n\r\n".encode() + content)
        body = b"".join(b"--%s\r\n%s\r\n" % (BOUNDARY.encode(), part) for part in parts)
        body += f"--{BOUNDARY}--\r\n".encode()
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        return await self._send("POST", path, body, {"Content-Type": kind})

    async def _with_token(self, form: Form, xsrf: bool) -> dict[str, str | Sequence[str]]:
        if not xsrf:
            return dict(form)
        if "_xsrf" not in self.cookies:
            await self.get("/admin/login")
        return {"_xsrf": self.cookies["_xsrf"], **form}

    async def _send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Shown:
        sent = HTTPHeaders(dict(headers))
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = await AsyncHTTPClient().fetch(
            HTTPRequest(
                self.site + path,
                method,
                sent,
                body,
                follow_redirects=False,
                allow_nonstandard_methods=True,
                request_timeout=60,
            ),
            raise_error=False,
        )
        self.set_cookies = answer.headers.get_list("Set-Cookie")
        for line in self.set_cookies:
            for name, morsel in SimpleCookie(line).items():
                if morsel.value:
                    self.cookies[name] = morsel.coded_value
                else:
                    self.cookies.pop(name, None)
        return Shown(answer.code, answer.headers, answer.body)


async def sign_in(platform: Platform, site: str, officer: Officer) -> Browser:
    """A browser in which the officer has signed in; the account is stored first."""
    await stage.sign_up(platform, officer)
    browser = Browser(site)
    await enter(platform, browser, officer)
    return browser


async def enter(platform: Platform, browser: Browser, officer: Officer) -> None:
    """Both steps of signing in, as the officer takes them; the code is that of the platform's clock, and serves once."""
    form = {"username": officer.username, "password": officer.password}
    answer = await browser.post("/admin/login", form)
    if stage.has_second_factor(officer):
        assert answer.location.startswith("/admin/login/code"), answer.text
        answer = await browser.post("/admin/login/code", {"code": stage.code_for(platform, officer)})
    assert answer.status == 303, answer.text
