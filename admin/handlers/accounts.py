"""Log-in with its two steps, password and sessions of staff."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from pydantic import BaseModel, Field

from admin import kept
from admin.handler import NO_ERRORS, SESSION_COOKIE, SIGN_IN, WHO_COOKIE, Outcome, PageHandler
from admin.steps import Done, shows, step
from server.accounts import sign_in, since_last
from server.accounts.sign_in import HALF_LIFE, Entered, SignInOver, Where
from server.kernel.errors import FieldError, Invalid
from server.kernel.identity import ANYBODY
from server.kernel.permissions import Permission
from server.kernel.web import Route, allow

HALF_COOKIE = "half-sign-in"
CODE = f"{SIGN_IN}/code"
DEVICE_COOKIE = "device"
DEVICE_DAYS = 180


class SignInForm(BaseModel):
    username: Annotated[str, Field(max_length=64)]
    password: Annotated[str, Field(max_length=200)]


class CodeForm(BaseModel):
    code: Annotated[str, Field(title="验证码", max_length=60)]


class PasswordForm(BaseModel):
    current: Annotated[str, Field(max_length=200)]
    new: Annotated[str, Field(max_length=200)]
    again: Annotated[str, Field(max_length=200)]


class SignInHandler(PageHandler):
    """What both steps share: from where, whereto, and what is kept in the browser."""

    def next_url(self) -> str:
        """Where to go afterwards: a page of ours only, never another site, however a browser may read the address."""
        wanted = self.get_argument("next", "")
        return wanted if kept.OUR_PAGE.fullmatch(wanted) else "/admin"

    @property
    def where(self) -> Where:
        device = self.kept(DEVICE_COOKIE, DEVICE_DAYS)
        return Where(self.request.remote_ip or "", self.request.headers.get("User-Agent", ""), device)

    async def enter(self, entered: Entered) -> None:
        """Keeps the token and leads on: to the code, or in, where the new log-in takes the place of one that was open in this browser."""
        if entered.half:
            self.keep(HALF_COOKIE, entered.token, HALF_LIFE.total_seconds() / 86_400, path=SIGN_IN)
            if self.held:
                return self.show_code()
            return self.see_other(f"{CODE}?{urlencode({'next': self.next_url()})}")
        if self.actor.session_id:
            await sign_in.sign_out(self.platform, self.actor)
        self.forget(HALF_COOKIE, path=SIGN_IN)
        self.keep(DEVICE_COOKIE, entered.device, DEVICE_DAYS, path=SIGN_IN)
        self.keep(SESSION_COOKIE, entered.token, self.platform.settings.session_hours / 24)
        entering = await sign_in.actor_of_token(self.platform, entered.token)
        if news := await since_last.words(self.platform, entering):
            self.flash(news, "warning")
        if self.kept(WHO_COOKIE) != entering.id:  # their own forms in other tabs go on
            self.renew_xsrf()
        self.keep(WHO_COOKIE, entering.id, 31)
        if (typed := kept.read(self)) and typed.who == entering.id:
            self.actor = entering
            return self.render_page("accounts/kept.html", problem=None, kept=typed)
        if typed:
            self.flash("刚才填写的内容是另一位用户的，没有保留。", "warning")
        return self.see_other(self.next_url())

    @property
    def held(self) -> str:
        """What was typed before the log-in (admin/kept.py), on its way through it."""
        return self.get_body_argument(kept.FIELD, "") if kept.read(self) else ""

    def show_code(self, *, recovery: bool = False, outcome: Outcome = NO_ERRORS) -> None:
        action = f"{CODE}?{urlencode({'next': self.next_url()} | ({'recovery': '1'} if recovery else {}))}"
        self.render_page(
            "accounts/code.html",
            next=self.next_url(),
            action=action,
            recovery=recovery,
            kept=self.held,
            **outcome,
        )


class SignIn(SignInHandler):
    get = shows(Permission.ANYONE)

    async def show(self, outcome: Outcome = NO_ERRORS) -> None:
        self.render_page("accounts/login.html", action="", kept=self.held, **outcome)


@step(SignIn, Permission.ANYONE, rate="60/minute")
async def enter_password(page: SignIn) -> None:
    form = page.form(SignInForm)
    await page.enter(await sign_in.sign_in(page.platform, form.username, form.password, page.where))


class SecondStep(SignInHandler):
    """`?recovery=1` asks for a recovery code instead of the app's."""

    @allow(Permission.ANYONE)
    async def get(self) -> None:
        try:
            await sign_in.half_signed_in(self.platform, self.half_token())
        except SignInOver as over:
            return self.start_again(over)
        return await self.show()

    async def show(self, outcome: Outcome = NO_ERRORS) -> None:
        self.show_code(recovery=bool(self.get_query_argument("recovery", "")), outcome=outcome)

    def half_token(self) -> str:
        return self.kept(HALF_COOKIE)

    def start_again(self, over: SignInOver) -> None:
        self.flash(over.detail, "warning")
        self.see_other(f"{SIGN_IN}?{urlencode({'next': self.next_url()})}")


@step(SecondStep, Permission.ANYONE, rate="30/minute")
async def enter_code(page: SecondStep) -> None:
    code = page.form(CodeForm).code
    try:
        entered = await sign_in.enter_code(page.platform, page.half_token(), code, page.where)
    except SignInOver as over:
        return page.start_again(over)
    return await page.enter(entered)


class SignOut(PageHandler):
    @allow(Permission.ACCOUNTS_OWN)
    async def post(self) -> None:
        await sign_in.sign_out(self.platform, self.actor)
        self.set_header("Clear-Site-Data", '"cache", "storage"')
        self.forget(SESSION_COOKIE)
        self.forget(WHO_COOKIE)
        self.renew_xsrf()
        self.see_other(SIGN_IN)


class WhoIsSignedIn(PageHandler):
    """Asked by drafts.js before a form is sent: the id of whoever is signed in here, nothing when nobody is."""

    @allow(Permission.ANYONE)
    async def get(self) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish("" if self.actor is ANYBODY else self.actor.id)


class OwnPassword(PageHandler):
    get = shows(Permission.ACCOUNTS_OWN)

    async def show(self, outcome: Outcome = NO_ERRORS) -> None:
        self.render_page("accounts/change_password.html", forced=self.actor.must_change_password, **outcome)


@step(OwnPassword, Permission.ACCOUNTS_OWN, rate="20/minute")
async def change_password(page: OwnPassword) -> Done:
    form = page.form(PasswordForm)
    if form.new != form.again:
        raise Invalid(fields=[FieldError("again", "两次输入的新密码不一致。")])
    await sign_in.change_password(page.platform, page.actor, form.current, form.new)
    return Done("密码已修改，其他设备上的登录已全部退出。", "/admin")


class MySessions(PageHandler):
    address = "/admin/sessions"
    get = shows(Permission.ACCOUNTS_OWN)

    async def show(self, sign_in_id: str = "", outcome: Outcome = NO_ERRORS) -> None:
        """The same page whichever login a step names."""
        sessions = await sign_in.my_sessions(self.platform, self.actor)
        self.render_page(
            "accounts/sessions.html", sessions=sessions, current=self.actor.session_id, **outcome
        )


@step(MySessions, Permission.ACCOUNTS_OWN)
async def revoke(page: MySessions, sign_in_id: str) -> str:
    await sign_in.revoke_session(page.platform, page.actor, sign_in_id)
    return "该登录已退出。"


@step(MySessions, Permission.ACCOUNTS_OWN)
async def revoke_others(page: MySessions) -> str:
    await sign_in.revoke_other_sessions(page.platform, page.actor)
    return "其他设备上的登录已全部退出。"


ROUTES: list[Route] = [
    (SIGN_IN, enter_password),
    (CODE, enter_code),
    (r"/admin/logout", SignOut),
    (r"/admin/session", WhoIsSignedIn),
    (r"/admin/password", change_password),
    (r"/admin/sessions", MySessions),
    (r"/admin/sessions/revoke-others", revoke_others),
    (r"/admin/sessions/(?P<sign_in_id>[0-9a-f]{64})/revoke", revoke),
]
