"""A browser and a phone that visit a running server over HTTP, and what whoever walks with them needs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Iterable
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any, TypeVar

import httpx

from server.accounts import totp
from server.accounts.fictional import FictionalPerson
from server.kernel.clock import BEIJING

AT_ONCE = 8
"""Phones that talk to the server at the same moment, except at check-in, when they all do."""
TIME = "/simulator/time"
T = TypeVar("T")


class Stop(Exception):
    """A step did not go as it must; the message says which and what came back."""


def require(done: bool, what: str, answer: httpx.Response) -> None:
    if not done:
        raise Stop(f"{what}：{answer.status_code} {answer.text[:600]}")


class Browser:
    """Somebody of the staff: keeps cookies, fills in forms."""

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=60)

    async def get(self, path: str) -> httpx.Response:
        page = await self._http.get(path)
        require(page.status_code == 200, f"打开 {path}", page)
        return page

    async def leads_to(self, path: str) -> str:
        """Where a page sends its visitor; nothing where it is shown."""
        return str((await self._http.get(path)).headers.get("Location", ""))

    async def submit(
        self, path: str, form: dict[str, Any], files: dict[str, Any] | None = None, *, leads_on: bool = True
    ) -> httpx.Response:
        """Sends a form. A form that was accepted leads to another page; one that was refused is shown again."""
        form = {"_xsrf": self._http.cookies["_xsrf"], **form}
        page = await self._http.post(path, data=form, files=files)
        require(page.status_code == (303 if leads_on else 200), f"提交 {path}", page)
        return page

    async def sign_in(self, username: str, password: str, key: str = "") -> None:
        """`key` is what the authenticator app keeps, for an account that has one."""
        await self.get("/admin/login")
        entered = await self.submit("/admin/login", {"username": username, "password": password})
        if entered.headers["Location"].startswith("/admin/login/code"):
            if not key:
                raise Stop(f"账号 {username} 已开通两步验证：请用 --centre-key 给出验证器的密钥")
            await self.submit("/admin/login/code", {"code": shown_code(key)})

    async def change_first_password(self, first: str) -> str:
        """What everybody must do before anything else; returns the new password."""
        changed = f"{first}-changed"
        await self.submit("/admin/password", {"current": first, "new": changed, "again": changed})
        return changed

    async def must_change_password(self) -> bool:
        home = await self._http.get("/admin")
        return "/admin/password" in home.headers.get("Location", "")

    async def enrol_if_asked(self, password: str) -> str:
        """Enrols an authenticator app where the platform asks for one before anything else; returns its key, or nothing."""
        home = await self._http.get("/admin")
        if "/admin/second-factor" not in home.headers.get("Location", ""):
            return ""
        await self.get("/admin/second-factor")
        await self.submit("/admin/second-factor", {"password": password})
        key = found('data-key="([A-Z2-7]+)"', await self.get("/admin/second-factor"))
        await self.submit("/admin/second-factor/confirm", {"code": shown_code(key)}, leads_on=False)
        return key

    async def close(self) -> None:
        await self._http.aclose()


def shown_code(key: str) -> str:
    """What an authenticator app shows now."""
    return totp.code_at(key, totp.step_at(datetime.now(UTC)))


class FilledForm(HTMLParser):
    """What the fields of a page hold, by name, as a browser would send them along with what is typed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "input" and said.get("name"):
            self._add(said["name"] or "", said.get("value") or "")
        elif tag == "select":
            self._select = said.get("name") or ""
            self._add(self._select, "")
        elif tag == "option" and "selected" in said:
            self.values[self._select][-1] = said.get("value") or ""

    def _add(self, name: str, value: str) -> None:
        self.values.setdefault(name, []).append(value)


class Phone:
    """The mini-program on one phone."""

    def __init__(self, url: str, openid: str, person: FictionalPerson) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=60)
        self.openid = openid
        self.person = person

    async def call(self, method: str, path: str, expected: int = 200, **content: Any) -> Any:
        """One call of the API; its JSON, or its bytes when it is a file."""
        answer = await self._http.request(method, f"/api/v1{path}", **content)
        require(answer.status_code == expected, f"{self.person.name} {method} {path}", answer)
        is_json = answer.headers["Content-Type"].startswith("application/json")
        return answer.json() if is_json else answer.content

    async def log_in(self) -> None:
        """wx.login gives a code (here the simulated WeChat does), the platform exchanges it for a session."""
        given = await self._http.post(f"/simulator/phones/{self.openid}/code")
        require(given.status_code == 200, "模拟微信没有给出登录凭证（服务器用的是真实微信？）", given)
        session = await self.call("POST", "/login", json={"code": given.json()["code"]})
        self._http.headers["Authorization"] = f"Bearer {session['token']}"

    @property
    def claimed(self) -> dict[str, str]:
        """Who the owner of this phone says they are."""
        return {
            "name": self.person.name,
            "id_number": self.person.id_number,
            "consent_version": "2026-11",
        }

    async def bind_real_name(self) -> dict[str, Any]:
        """With the number of the SIM, which WeChat tells the mini-program when the owner agrees."""
        path = f"/simulator/phones/{self.openid}/phone-number-code"
        given = await self._http.post(path, json={"number": self.person.phone})
        require(given.status_code == 200, "模拟微信没有给出手机号凭证", given)
        shown = {"phone_code": given.json()["code"]}
        bound: dict[str, Any] = await self.call("POST", "/real-name", json=self.claimed | shown)
        return bound

    async def close(self) -> None:
        await self._http.aclose()


class CivilTime:
    """The clock of a demonstration, which the journey moves on from one day of its class to the next."""

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=600)

    async def now(self) -> datetime:
        """Raises Stop where the clock cannot be moved."""
        told = await self._http.get(TIME)
        if told.status_code == 404:
            raise Stop("这台服务器的时间不能推进，十天的班走不完：请用 scripts/run --demo 启动服务器")
        return self._in(told)

    async def move_to(self, moment: datetime) -> datetime:
        """Answered when the work of every day between is done and every process of the server has followed."""
        return self._in(await self._http.put(TIME, json={"to": moment.isoformat()}))

    @staticmethod
    def _in(told: httpx.Response) -> datetime:
        require(told.status_code == 200, "演示时间", told)
        return datetime.fromisoformat(told.json()["civil"]).astimezone(BEIJING)

    async def close(self) -> None:
        await self._http.aclose()


async def some_at_once(work: Iterable[Awaitable[T]]) -> list[T]:
    """All of it, a few at a time, in order."""
    lanes = asyncio.Semaphore(AT_ONCE)

    async def in_a_lane(one: Awaitable[T]) -> T:
        async with lanes:
            return await one

    return list(await asyncio.gather(*map(in_a_lane, work)))


def say(text: str) -> None:
    print(text, flush=True)


def found(pattern: str, page: httpx.Response) -> str:
    match = re.search(pattern, page.text)
    if match is None:
        raise Stop(f"页面 {page.url.path} 上没有找到 {pattern}")
    return match[1]


def typed(moment: datetime) -> str:
    """A moment as a form's field takes it: Beijing time."""
    return f"{moment.astimezone(BEIJING):%Y-%m-%dT%H:%M}"
