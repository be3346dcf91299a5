"""Log-in, password and sessions of staff."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, SESSION_COOKIE, SIGN_IN, PageHandler
from server.accounts import staff
from server.kernel.errors import FieldError, Invalid, Problem
from server.kernel.permissions import Permission
from server.kernel.web import Route, allow

_OUR_PAGE = re.compile(r"/admin([/?][!-~]*)?")


class SignInForm(BaseModel):
    username: Annotated[str, Field(max_length=64)]
    password: Annotated[str, Field(max_length=200)]


class PasswordForm(BaseModel):
    current: Annotated[str, Field(max_length=200)]
    new: Annotated[str, Field(max_length=200)]
    again: Annotated[str, Field(max_length=200)]


class SignIn(PageHandler):
    def next_url(self) -> str:
        """Where to go afterwards: a page of ours only, never another site, however a browser may read the address."""
        wanted = self.get_argument("next", "")
        return wanted if _OUR_PAGE.fullmatch(wanted) else "/admin"

    @allow(Permission.ANYONE)
    async def get(self) -> None:
        self.render_page("accounts/login.html", next=self.next_url(), **NO_ERRORS)

    @allow(Permission.ANYONE, rate="60/minute")
    async def post(self) -> None:
        try:
            form = self.form(SignInForm)
            token = await staff.sign_in(
                self.platform,
                form.username,
                form.password,
                self.request.remote_ip or "",
                self.request.headers.get("User-Agent", ""),
            )
        except Problem as problem:
            refused = self.refuse(problem)
            refused["values"].pop("password", None)
            return self.render_page("accounts/login.html", next=self.next_url(), **refused)
        hours = self.platform.settings.session_hours
        self.set_signed_cookie(
            SESSION_COOKIE, token, expires_days=hours / 24, path="/", **self.cookie_safety()
        )
        return self.see_other(self.next_url())


class SignOut(PageHandler):
    @allow(Permission.ACCOUNTS_OWN)
    async def post(self) -> None:
        await staff.sign_out(self.platform, self.actor)
        self.clear_cookie(SESSION_COOKIE)
        self.see_other(SIGN_IN)


class ChangePassword(PageHandler):
    @allow(Permission.ACCOUNTS_OWN)
    async def get(self) -> None:
        self.render_page("accounts/change_password.html", forced=self.actor.must_change_password, **NO_ERRORS)

    @allow(Permission.ACCOUNTS_OWN, rate="20/minute")
    async def post(self) -> None:
        try:
            form = self.form(PasswordForm)
            if form.new != form.again:
                raise Invalid(fields=[FieldError("again", "两次输入的新密码不一致。")])
            await staff.change_password(self.platform, self.actor, form.current, form.new)
        except Problem as problem:
            refused = self.refuse(problem) | {"values": {}}
            return self.render_page(
                "accounts/change_password.html", forced=self.actor.must_change_password, **refused
            )
        self.flash("密码已修改，其他设备上的登录已全部退出。")
        return self.see_other("/admin")


class MySessions(PageHandler):
    @allow(Permission.ACCOUNTS_OWN)
    async def get(self) -> None:
        sessions = await staff.my_sessions(self.platform, self.actor)
        self.render_page("accounts/sessions.html", sessions=sessions, current=self.actor.session_id)


class RevokeSession(PageHandler):
    @allow(Permission.ACCOUNTS_OWN)
    async def post(self, sign_in_id: str) -> None:
        await staff.revoke_session(self.platform, self.actor, sign_in_id)
        self.flash("该登录已退出。")
        self.see_other("/admin/sessions")


ROUTES: list[Route] = [
    (r"/admin/login", SignIn),
    (r"/admin/logout", SignOut),
    (r"/admin/password", ChangePassword),
    (r"/admin/sessions", MySessions),
    (r"/admin/sessions/(?P<sign_in_id>[0-9a-f]{64})/revoke", RevokeSession),
]
