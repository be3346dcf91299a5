"""The phones' face: bearer token in, JSON and problem+json out, and the declaration from which OpenAPI is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Generic, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field

from server.accounts.phones import PhoneAuthenticator
from server.kernel import errors
from server.kernel.errors import FieldError, Problem
from server.kernel.identity import ANYBODY, Actor
from server.kernel.permissions import Permission
from server.kernel.web import (
    SECURITY_HEADERS,
    Access,
    Method,
    Model,
    PlatformHandler,
    parse_json,
    parse_values,
    problem_json,
    transport_security,
)

Item = TypeVar("Item")


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Response(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True, use_attribute_docstrings=True)


class TargetAnswer(Response):
    """Where something leads."""

    kind: str
    """"class", "session", "task", "survey", "invitation", "certificate", "me", "message" …"""
    id: str
    """Empty where there is one such page."""


class Page(Response, Generic[Item]):
    """A page of a list; `next` is the cursor of the following page, null at the end."""

    items: list[Item]
    next: str | None


class Paging(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    cursor: Annotated[str | None, Field(pattern=r"^[0-9a-f]{24}$")] = None
    limit: Annotated[int, Field(ge=1, le=100)] = 20


@dataclass(frozen=True)
class Multipart:
    """A body of multipart/form-data (RFC 7578) by its JSON schema, in which `format: binary` is a file."""

    schema: dict[str, Any]


Body = type[BaseModel] | Multipart | str
"""A body: JSON by its model, a form, or a media type."""


@dataclass(frozen=True)
class Operation:
    """What `/api/v1/openapi.json` says of a method. An answer of `str` is a media type of a file."""

    summary: str
    answers: dict[int, type[BaseModel] | str | None]
    body: Body | tuple[Body, ...] | None = None
    query: type[BaseModel] | None = None
    problems: tuple[type[Problem], ...] = ()

    @property
    def pages(self) -> bool:
        """Whether it answers a list by pages."""
        return any(isinstance(one, type) and issubclass(one, Page) for one in self.answers.values())

    @property
    def bodies(self) -> tuple[Body, ...]:
        """What it takes, any of these."""
        if self.body is None:
            return ()
        return self.body if isinstance(self.body, tuple) else (self.body,)


def operation(
    permission: Permission,
    *,
    summary: str,
    answers: dict[int, type[BaseModel] | str | None],
    body: Body | tuple[Body, ...] | None = None,
    query: type[BaseModel] | None = None,
    problems: tuple[type[Problem], ...] = (),
    rate: str | None = None,
    rate_by: str = "address",
    largest: int | None = None,
    anonymous: bool = False,
) -> Callable[[Method], Method]:
    """Declares a method of the API: who may call it, what it takes, what it answers and how it refuses.

    `largest`: bytes of the body, where the usual 64 KiB are too few. `anonymous`: see Access.
    """

    def declare(method: Method) -> Method:
        method.access = Access(permission, rate, rate_by, largest, anonymous)  # type: ignore[attr-defined]
        method.operation = Operation(summary, answers, body, query, problems)  # type: ignore[attr-defined]
        return method

    return declare


HEADERS = SECURITY_HEADERS | {
    "Content-Security-Policy": "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
"""JSON loads nothing and is no page; a file that is handed out carries its own policy."""


class ApiHandler(PlatformHandler):
    def set_default_headers(self) -> None:
        for name, value in {**HEADERS, **transport_security(self.secure)}.items():
            self.set_header(name, value)

    def check_xsrf_cookie(self) -> None:
        """A bearer token is sent by our own code only, never by a browser on its own."""

    async def authenticate(self) -> Actor:
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return ANYBODY
        authenticator: PhoneAuthenticator = self.settings["phone_authenticator"]
        return await authenticator.actor_of(token)

    def show_problem(self, problem: Problem) -> None:
        if problem.status == 401:
            self.set_header("WWW-Authenticate", "Bearer")
        self.set_header("Content-Type", "application/problem+json; charset=utf-8")
        self.finish(orjson.dumps(problem_json(problem, self.request_id)))

    def body(self, model: type[Model]) -> Model:
        """The JSON body as `model`. Raises UnsupportedMediaType, BadRequest or Invalid."""
        kind = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise errors.UnsupportedMediaType("请求内容应为 application/json。")
        return parse_json(model, self.request.body)

    def query(self, model: type[Model]) -> Model:
        """The query string as `model`. Raises Invalid for a parameter that is wrong, unknown or given twice."""
        values: dict[str, str] = {}
        known = {field.alias or name for name, field in model.model_fields.items()}
        for name, given in self.request.query_arguments.items():
            if name not in known:
                raise errors.Invalid(fields=[FieldError(name, "没有这个参数。")])
            if len(given) > 1:
                raise errors.Invalid(fields=[FieldError(name, "参数只能出现一次。")])
            values[name] = self.decode_argument(given[0], name)
        return parse_values(model, values)

    def answer(self, content: BaseModel | dict[str, Any], *, status: int = 200) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(rendered(content))


def rendered(content: BaseModel | dict[str, Any]) -> bytes:
    """JSON as every call tells it: times in UTC with milliseconds, which is what the database keeps and what iOS reads."""
    plain = content.model_dump() if isinstance(content, BaseModel) else content
    return orjson.dumps(plain, default=_stamp, option=orjson.OPT_PASSTHROUGH_DATETIME)


def _stamp(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)


class UnknownPath(ApiHandler):
    """Any address under the API that no route has."""

    async def prepare(self) -> None:
        self.set_header("X-Request-Id", self.request_id)
        raise errors.NotFound("没有这个接口。")
