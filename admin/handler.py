"""The browser's face: session cookie in, pages out; forms come back with what was typed and what is wrong."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Container, Mapping, Sequence
from datetime import date
from itertools import zip_longest
from typing import Any, ClassVar, Protocol
from urllib.parse import urlencode

from jinja2 import Environment
from pydantic import BaseModel, ValidationError
from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError, decode_signed_value

from admin import kept
from admin.navigation import navigation
from admin.options import NEVER_SHOWN_AGAIN
from server.accounts import sign_in
from server.kernel import errors
from server.kernel.clock import beijing_date
from server.kernel.errors import FieldError, Problem
from server.kernel.identity import ANYBODY, Actor
from server.kernel.permissions import Permission, holds
from server.kernel.platform import Platform
from server.kernel.web import Model, PlatformHandler, field_errors
from server.messages import office_inbox

SESSION_COOKIE = "session"
FLASH_COOKIE = "flash"
CHANGE_PASSWORD = "/admin/password"  # noqa: S105 - an address
SECOND_FACTOR = "/admin/second-factor"
SIGN_IN = "/admin/login"
SIGN_OUT = "/admin/logout"
OPEN_BEFORE_CHANGE = frozenset({CHANGE_PASSWORD, SIGN_OUT})
OPEN_BEFORE_ENROLMENT = frozenset({SECOND_FACTOR, f"{SECOND_FACTOR}/confirm", SIGN_OUT})


def cookie_name(name: str, *, secure: bool) -> str:
    """With `__Host-` a browser takes it over https from this very host only (RFC 6265bis 4.1.3.2): no neighbour's, no http page's."""
    return f"__Host-{name}" if secure else name


FLASH_MOST = 600
"""Characters: in a cookie a Chinese one takes four bytes, and browsers keep no cookie of more than 4096."""
WHO_COOKIE = "who"
"""Who signed in here last: what they had typed when their session was over is given back to nobody else."""
DRAFT_COOKIE = "draft-done"
"""Tells drafts.js which of the drafts that the browser keeps has been taken; a script reads it, so it is no secret."""
_DRAFT = re.compile(r"[0-9a-f]{24}")
Outcome = dict[str, Any]
"""What became of a form: `problem`, `errors` by field, `values` as typed, and which form was `wrong`."""


class Desk(Protocol):
    """Where somebody reads a list: a page, or an export that goes on when its page is gone."""

    @property
    def platform(self) -> Platform: ...
    @property
    def actor(self) -> Actor: ...
    @property
    def today(self) -> date: ...


class StaleForm(errors.Forbidden):
    slug = "stale-form"
    default_detail = (
        "页面放得太久、打开以后换了人登录，或浏览器没有保存 Cookie，内容没有提交。请返回上一页刷新后再试。"
    )


class PageHandler(PlatformHandler):
    address: ClassVar[str]
    """Of a page with steps: where they lead back to, with the names of its route, as in "/admin/plans/{plan_id}"."""
    usual_body = 2**20
    """A scheme typed out: a Chinese character takes nine bytes in a form."""
    unread = 0
    """Messages for the bell."""

    @staticmethod
    def vouched_for(request: HTTPServerRequest, settings: Mapping[str, Any]) -> bool:
        """Whether somebody signed in here once, by the cookie's own word: forms are taken apart before anybody is asked who sends them,
        and strangers' large ones are not worth it."""
        name = cookie_name(SESSION_COOKIE, secure=bool(settings.get("secure")))
        kept = request.cookies.get(name)
        secret = settings.get("cookie_secret", "")
        return kept is not None and decode_signed_value(secret, name, kept.value) is not None

    @property
    def today(self) -> date:
        return beijing_date(self.platform.clock.now())

    async def authenticate(self) -> Actor:
        token = self.kept(SESSION_COOKIE)
        return await sign_in.actor_of_token(self.platform, token) if token else ANYBODY

    async def prepare(self) -> None:
        await super().prepare()
        if self.actor.must_change_password and self.request.path not in OPEN_BEFORE_CHANGE:
            self.redirect(CHANGE_PASSWORD)
        elif self._owes_second_factor and self.request.path not in OPEN_BEFORE_ENROLMENT:
            self.redirect(SECOND_FACTOR)
        else:
            self.unread = await office_inbox.unread(self.platform, self.actor)

    @property
    def _owes_second_factor(self) -> bool:
        return self.actor.must_enrol and not self.actor.must_change_password

    def check_xsrf_cookie(self) -> None:
        """Raises Forbidden, in words that help somebody whose page lay open overnight."""
        try:
            super().check_xsrf_cookie()
        except HTTPError:
            raise StaleForm() from None

    def renew_xsrf(self) -> None:
        """A form that was opened before is not sent in the name of whoever signs in now on this computer."""
        self.request.cookies.pop(self.settings["xsrf_cookie_name"], None)
        for remembered in ("_raw_xsrf_token", "_xsrf_token"):  # by Tornado, of this request
            self.__dict__.pop(remembered, None)
        self.xsrf_token  # noqa: B018 - sets the cookie

    def show_problem(self, problem: Problem) -> None:
        if problem.status == 401 and self.request.method == "GET":
            self.redirect(f"{SIGN_IN}?{urlencode({'next': self.request.uri or '/admin'})}")
            return
        found = None
        lost = isinstance(problem, StaleForm) and not self._of_another_log_in
        if self.request.method == "POST" and (lost or isinstance(problem, errors.NotSignedIn)):
            found = kept.posted(self, self.kept(WHO_COOKIE))
        if found and isinstance(problem, StaleForm):
            self.render_page("accounts/kept.html", problem=problem, kept=found)
        elif found and found.who:
            action = f"{SIGN_IN}?{urlencode({'next': found.page})}"
            again = NO_ERRORS | {"problem": problem, "action": action, "kept": kept.signed(self, found)}
            self.render_page("accounts/login.html", **again)
        else:
            self.render_page("errors/error.html", problem=problem)

    @property
    def _of_another_log_in(self) -> bool:
        """Whether a form brought a token that was this browser's before `renew_xsrf`: what stands in it may be somebody else's."""
        return bool(
            self.get_body_argument("_xsrf", "") and self.get_cookie(self.settings["xsrf_cookie_name"])
        )

    def render_page(self, template: str, **context: Any) -> None:
        """Answers with a page. What every page needs is added here; the status stays as it was set."""
        environment: Environment = self.settings["jinja"]
        page = environment.get_template(template).render(
            actor=None if self.actor is ANYBODY else self.actor,
            role_title="、".join(role.label for role in self.actor.roles),
            nav=navigation(self.actor, self.request.path),
            flashes=self._take_flashes(),
            xsrf_token=self.xsrf_token.decode(),
            request_id=self.request_id,
            unread=self.unread,
            now=self.platform.clock.now(),
            today=self.today,
            may=lambda permission: holds(self.actor, Permission(permission)),
            wechat_simulated=self.platform.settings.wechat_simulated,
            demo=self.platform.settings.demo,
            moved_to=self.platform.moved_to,
            **context,
        )
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(page)

    def see_other(self, url: str) -> None:
        """After a POST that worked: the browser fetches `url`, and reloading repeats nothing."""
        if _DRAFT.fullmatch(draft := self.get_body_argument("_draft", "")):
            self.set_cookie(DRAFT_COOKIE, draft, path="/", max_age=600, samesite="Lax", secure=self.secure)
        self.redirect(url, status=303)

    def flash(self, text: str, kind: str = "success") -> None:
        """Words for the next page that this browser sees. `kind`: success, warning or danger."""
        text = text if len(text) <= FLASH_MOST else f"{text[:FLASH_MOST]}…"
        self.keep(FLASH_COOKIE, f"{kind}|{text}", None)

    def _take_flashes(self) -> list[tuple[str, str]]:
        kept = self.kept(FLASH_COOKIE)
        if not kept:
            return []
        self.forget(FLASH_COOKIE)
        kind, _, text = kept.partition("|")
        return [(kind, text)]

    def keep(self, name: str, value: str, days: float | None, path: str = "/") -> None:
        """Signed, in the browser's care; `days` None: until it is closed. Over https `path` is the whole host's: so is the name."""
        self.set_signed_cookie(
            cookie_name(name, secure=self.secure),
            value,
            expires_days=days,
            path="/" if self.secure else path,
            httponly=True,
            samesite="Lax",
            secure=self.secure,
        )

    def kept(self, name: str, days: float = 31) -> str:
        """What `keep` gave this browser at most `days` ago; empty when nothing, or nothing of ours."""
        value = self.get_signed_cookie(
            cookie_name(name, secure=self.secure),
            max_age_days=days,
            min_version=2,  # SHA-256: Tornado would still take its first version, which is SHA-1 and does not sign the name
        )
        return value.decode() if value else ""

    def forget(self, name: str, path: str = "/") -> None:
        path = "/" if self.secure else path
        self.clear_cookie(cookie_name(name, secure=self.secure), path=path, secure=self.secure)

    def form(self, model: type[Model]) -> Model:
        """The posted form as `model`; an empty field counts as not given. Raises Invalid with each field's place."""
        values: dict[str, Any] = {}
        for name, info in model.model_fields.items():
            as_typed = name in NEVER_SHOWN_AGAIN  # a password is what was typed, with its blanks
            given = [value for value in self.get_body_arguments(name, strip=not as_typed) if value]
            if _takes_list(info.annotation):
                values[name] = given
            elif given:
                values[name] = given[-1]
        try:
            return model.model_validate(values)
        except ValidationError as error:
            raise errors.Invalid(fields=[_named(model, wrong) for wrong in field_errors(error)]) from None

    def query(self, model: type[Model]) -> Model:
        """The query string as `model`; what does not fit falls back to the defaults, for a link may be old or cut off."""
        values = {
            name: self.get_query_argument(name)
            for name in model.model_fields
            if self.get_query_argument(name, "")
        }
        try:
            return model.model_validate(values)
        except ValidationError as error:
            for item in error.errors(include_url=False, include_input=False):
                values.pop(str(item["loc"][0]), None)
            return model.model_validate(values)

    def rows(self, kind: str, names: Sequence[str], besides: Container[str] = ()) -> list[dict[str, str]]:
        """The rows of an editor, each cell a field `kind_name`, in which anything was typed but in the fields `besides`."""
        columns = [self.get_body_arguments(f"{kind}_{name}") for name in names]
        rows = [dict(zip(names, cells, strict=True)) for cells in zip_longest(*columns, fillvalue="")]
        return [row for row in rows if any(text for name, text in row.items() if name not in besides)]

    def uploaded(self, field: str, missing: str) -> tuple[str, bytes]:
        """Name and content of an uploaded file. Raises Invalid in the words of `missing`."""
        files = self.request.files.get(field)
        if not files:
            raise errors.Invalid(fields=[FieldError(field, missing)])
        return files[0].filename, files[0].body

    def typed(self) -> dict[str, Any]:
        """What was typed into the form, to be shown again, but for passwords: a list for a field given several times."""
        return {
            name: values[0] if len(values) == 1 else values
            for name in self.request.body_arguments
            if name not in NEVER_SHOWN_AGAIN and (values := self.get_body_arguments(name))
        }

    def refuse(self, problem: Problem, wrong: str = "") -> Outcome:
        """Sets the status of a form that is shown again, and gives its context: `problem`, `errors` by field, `values`, and
        which of the page's forms was `wrong`."""
        self.set_status(problem.status)
        if "retry_after" in problem.extra:
            self.set_header("Retry-After", str(problem.extra["retry_after"]))
        return {
            "problem": problem,
            "errors": {field.place.split(".")[0]: field.message for field in problem.fields},
            "values": self.typed(),
            "wrong": wrong,
        }


NO_ERRORS: Outcome = {"problem": None, "errors": {}, "values": {}, "wrong": ""}
"""The context of a form that is shown for the first time."""


def _named(model: type[BaseModel], wrong: FieldError) -> FieldError:
    """The message after the title of its field, if the model gives one: in a list of messages each says which is meant."""
    info = model.model_fields.get(wrong.place.split(".")[0])
    return FieldError(wrong.place, f"{info.title}：{wrong.message}") if info and info.title else wrong


def _takes_list(annotation: Any) -> bool:
    if isinstance(annotation, types.UnionType):
        return any(_takes_list(option) for option in typing.get_args(annotation))
    return typing.get_origin(annotation) in (list, tuple, set)


class UnknownPage(PageHandler):
    """Any address that no route has."""

    async def prepare(self) -> None:
        self.set_header("X-Request-Id", self.request_id)
        self.actor = await self.authenticate()
        raise errors.NotFound("没有这个页面。请检查地址，或从首页重新进入。")
