"""What both faces share: declared access, the current actor, problems, request ids and the log."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ValidationError
from pymongo.errors import DuplicateKeyError, PyMongoError
from tornado.web import HTTPError, RequestHandler

from server.kernel import errors, logs
from server.kernel.addresses import counted_as
from server.kernel.clock import BEIJING
from server.kernel.errors import FieldError, Problem
from server.kernel.identity import ANYBODY, Actor
from server.kernel.mongo import new_id
from server.kernel.permissions import Permission, require
from server.kernel.platform import Platform

Handler = type[RequestHandler]
Route = tuple[str, Handler] | tuple[str, Handler, dict[str, Any]]
Method = TypeVar("Method", bound=Callable[..., Any])
Model = TypeVar("Model", bound=BaseModel)

HTTP_METHODS = ("get", "post", "put", "patch", "delete")
USUAL_BODY = 64 * 2**10
"""Bytes of a body that any route takes; one that needs more declares it."""
UPLOAD_BODY = 8 * 2**20
"""Of a route that takes a sheet or a paper of at most 5 MiB, which then says itself what is too large about it."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
log = logging.getLogger("platform.web")


@dataclass(frozen=True)
class Access:
    """What a request needs: a permission, and at most `rate` ("20/minute") requests from one address, phone, office or account.

    `body`: bytes that it may bring, where that is more than the face's usual. `anonymous`: the log says of it neither who sent it nor how
    long it took nor how exactly it ended, for each of these may tell who wrote something.
    """

    permission: Permission
    rate: str | None = None
    rate_by: str = "address"
    body: int | None = None
    anonymous: bool = False


def allow(
    permission: Permission, *, rate: str | None = None, rate_by: str = "address", body: int | None = None
) -> Callable[[Method], Method]:
    """Declares on a handler's method who may call it; a route without this declaration fails at start-up.

    `rate_by` is "address", "phone", "office" (all accounts of a unit together) or "account"; `body` are bytes.
    """

    def declare(method: Method) -> Method:
        method.access = Access(permission, rate, rate_by, body)  # type: ignore[attr-defined]
        return method

    return declare


def access_of(handler: Handler, http_method: str) -> Access | None:
    """The access declared on the handler's method; None where the handler does not answer that method."""
    function = getattr(handler, http_method.lower())
    if function is getattr(RequestHandler, http_method.lower()):
        return None
    access = getattr(function, "access", None)
    if not isinstance(access, Access):
        raise TypeError(f"{handler.__module__}.{handler.__qualname__}.{http_method} declares no permission")
    return access


def body_most(handler: Handler, http_method: str) -> int:
    """Bytes that a request to this handler may bring."""
    access = _declared(handler, http_method)
    if access and access.body:
        return access.body
    return int(getattr(handler, "usual_body", USUAL_BODY))


def _declared(handler: type[Any], http_method: str) -> Access | None:
    """The same of any handler and any word that came as a method."""
    access = getattr(getattr(handler, http_method.lower(), None), "access", None)
    return access if isinstance(access, Access) else None


def check_routes(routes: Iterable[Route]) -> None:
    """Raises TypeError for the first route that declares no permission: deny by default."""
    for route in routes:
        declared = [access_of(route[1], method) for method in HTTP_METHODS]
        if not any(declared):
            raise TypeError(f"{route[0]} answers no method")


def named(routes: Iterable[Route]) -> list[Route]:
    """The routes as an application takes them: each tells its handler its pattern, by which requests are counted against a rate."""
    return [(one[0], one[1], {**(one[2] if len(one) == 3 else {}), "route": one[0]}) for one in routes]


class PlatformHandler(RequestHandler):
    """The way of every request: request id → who is it → may they → the handler's own method."""

    actor: Actor = ANYBODY
    request_id: str = ""
    route: str = ""
    """The pattern of the route that led here: see `named`."""
    counted_as: ClassVar[str] = ""
    """Under which name its requests are counted against a rate, for routes that share one; by itself each has its own."""
    usual_body: ClassVar[int] = USUAL_BODY

    @property
    def platform(self) -> Platform:
        platform: Platform = self.settings["platform"]
        return platform

    def initialize(self, route: str = "", **given: Any) -> None:
        self.route = route
        offered = self.request.headers.get("X-Request-Id")
        self.request_id = offered if offered and _REQUEST_ID.fullmatch(offered) else new_id()

    @property
    def secure(self) -> bool:
        """Browsers reach us over https, through a proxy."""
        return bool(self.settings.get("secure"))

    def set_default_headers(self) -> None:
        for name, value in {**SECURITY_HEADERS, **transport_security(self.secure)}.items():
            self.set_header(name, value)

    async def authenticate(self) -> Actor:
        """Who sends this request, by the means of the face. ANYBODY when nothing identifies them."""
        raise NotImplementedError

    def show_problem(self, problem: Problem) -> None:
        """Answers with a problem in the manner of the face; the status is set already."""
        raise NotImplementedError

    async def prepare(self) -> None:
        self.set_header("X-Request-Id", self.request_id)
        platform: Platform | None = self.settings.get("platform")
        if platform is not None and (moved_to := platform.moved_to):
            self.set_header(MOVED_TIME, moved_to.astimezone(BEIJING).isoformat(timespec="seconds"))
        access = (
            access_of(type(self), self.request.method or "GET") if self.request.method in _ALLOWED else None
        )
        if access is None:
            raise HTTPError(405)
        self.actor = await self.authenticate()
        require(self.actor, access.permission)
        if access.rate:
            by = {"phone": self.actor.openid, "office": self.actor.office, "account": self.actor.id}
            whom = by.get(access.rate_by) or counted_as(self.request.remote_ip or "")
            name = self.counted_as or f"{self.request.method} {self.route}"
            await self.platform.limiter.hit(name, access.rate, whom)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        problem = as_problem(error, status_code)
        self.set_status(problem.status)
        self.set_header("X-Request-Id", self.request_id)
        if problem.status == 405:
            self.set_header("Allow", ", ".join(m.upper() for m in HTTP_METHODS if access_of(type(self), m)))
        if "retry_after" in problem.extra:
            self.set_header("Retry-After", str(problem.extra["retry_after"]))
        self.show_problem(problem)

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        """A problem told to the person is no fault of ours; anything else is logged with its request id."""
        if isinstance(value, Problem | HTTPError):
            return
        log.error("unhandled %s", typ.__name__, exc_info=value, extra={"request_id": self.request_id})


_ALLOWED = {method.upper() for method in HTTP_METHODS}

MOVED_TIME = "Demonstration-Time"
"""With each answer of a demonstration that was moved on: civil time, which is not that of the machine."""

SECURITY_HEADERS: dict[str, str] = {
    "Content-Security-Policy": "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; object-src 'none'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "gongxue",
}


def transport_security(secure: bool) -> dict[str, str]:
    """HSTS (RFC 6797): whoever came over https once never comes without it again. Of this name only, for others are not ours."""
    return {"Strict-Transport-Security": "max-age=31536000"} if secure else {}


class InternalFault(Problem):
    status: ClassVar[int] = 500
    slug = "internal-fault"
    title = "系统出错了"
    default_detail = "系统出现意外错误，已记录。请稍后重试；如仍有问题，请把请求编号告诉管理员。"


_BY_STATUS: dict[int, type[Problem]] = {
    problem.status: problem
    for problem in (
        errors.BadRequest,
        errors.Forbidden,
        errors.NotFound,
        errors.MethodNotAllowed,
        errors.TooLarge,
        errors.UnsupportedMediaType,
        errors.Invalid,
    )
}


def as_problem(error: BaseException | None, status_code: int) -> Problem:
    """What a person is told of an exception."""
    match error:
        case Problem():
            return error
        case DuplicateKeyError():
            return errors.Conflict()
        case PyMongoError():
            log.error("database: %s", type(error).__name__, exc_info=error)
            return errors.Unavailable(retry_after=5)
        case OverflowError():  # the first and the last day of the calendar have none before or after them
            return errors.Invalid("日期或数字太大或太小，无法处理，请改正后再试。")
        case _:
            return _BY_STATUS.get(status_code, InternalFault)()


def problem_json(problem: Problem, request_id: str) -> dict[str, Any]:
    """The body of an RFC 9457 answer: type, title, status, detail, instance (the request id) and field errors."""
    return {
        "type": problem.slug,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": request_id,
        **(
            {"errors": [{"place": f.place, "message": f.message} for f in problem.fields]}
            if problem.fields
            else {}
        ),
        **problem.extra,
    }


def parse_json(model: type[Model], body: bytes) -> Model:
    """The body as `model`. Raises BadRequest when it is no JSON, Invalid with each field's place when it is wrong."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        wrong = _listed(error)
        if wrong and wrong[0]["type"] == "json_invalid":  # then it is the only one
            raise errors.BadRequest("请求内容不是有效的 JSON。") from None
        raise errors.Invalid(fields=[_field_error(item) for item in wrong]) from None


def parse_values(model: type[Model], values: Mapping[str, Any]) -> Model:
    """A form or a query string as `model`. Raises Invalid with each field's place."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise errors.Invalid(fields=field_errors(error)) from None


def field_errors(error: ValidationError) -> list[FieldError]:
    return [_field_error(item) for item in _listed(error)]


ERRORS_SHOWN = 20
"""More than that nobody reads."""
ERRORS_MADE = 1000
"""The library makes all or none, and a body of nothing but mistakes has one in every seven bytes."""


def _listed(error: ValidationError) -> Sequence[Any]:
    """The first of what is wrong; nothing where so much is that it is no form of ours."""
    if error.error_count() > ERRORS_MADE:
        return ()
    return error.errors(include_url=False, include_input=False)[:ERRORS_SHOWN]


def _field_error(item: Any) -> FieldError:
    return FieldError(".".join(str(part)[:100] for part in item["loc"]), _in_chinese(item))


_MESSAGES = {
    "missing": "必填。",
    "string_too_short": "至少 {min_length} 个字符。",
    "string_too_long": "最多 {max_length} 个字符。",
    "string_type": "应为文字。",
    "string_pattern_mismatch": "格式不正确。",
    "string_unicode": "含有无法识别的字符。",
    "int_parsing": "应为整数。",
    "int_type": "应为整数。",
    "int_from_float": "应为整数。",
    "float_parsing": "应为数字。",
    "float_type": "应为数字。",
    "finite_number": "应为有限的数字。",
    "bool_parsing": "应为是或否。",
    "bool_type": "应为是或否。",
    "greater_than": "应大于 {gt}。",
    "greater_than_equal": "不能小于 {ge}。",
    "less_than": "应小于 {lt}。",
    "less_than_equal": "不能大于 {le}。",
    "enum": "不在可选范围内。",
    "literal_error": "不在可选范围内。",
    "too_short": "至少 {min_length} 项。",
    "too_long": "最多 {max_length} 项。",
    "extra_forbidden": "多余的字段。",
    "date_from_datetime_parsing": "请填写日期，如 2026-03-02。",
    "date_parsing": "请填写日期，如 2026-03-02。",
    "date_type": "请填写日期，如 2026-03-02。",
    "datetime_from_date_parsing": "请填写日期和时间，如 2026-03-02 09:00。",
    "datetime_parsing": "请填写日期和时间，如 2026-03-02 09:00。",
    "time_parsing": "请填写时间，如 09:00。",
    "dict_type": "结构不正确。",
    "list_type": "应为列表。",
    "model_type": "结构不正确。",
    "model_attributes_type": "结构不正确。",
}


def _in_chinese(item: Any) -> str:
    """A pydantic error in Chinese; a validator of ours raises ValueError with Chinese words and is quoted."""
    if item["type"] == "value_error":
        return str(item["ctx"]["error"])
    context = item.get("ctx", {})
    kind = item["type"]
    if context.get("field_type") == "Value":  # the length of a text whose type is narrowed twice
        kind = f"string_{kind}"
    return _MESSAGES.get(kind, "填写有误。").format(**context)


def log_request(handler: RequestHandler) -> None:
    """One line a request: no query string, no body, no personal data."""
    status = handler.get_status()
    if status < 500 and not log.isEnabledFor(logging.INFO):
        return
    access = _declared(type(handler), handler.request.method or "")
    anonymous = access is not None and access.anonymous
    actor = getattr(handler, "actor", ANYBODY)
    said: dict[str, str | float] = {"request_id": getattr(handler, "request_id", "")}
    if not anonymous:
        said["actor"] = actor.id
        said["ms"] = round((time.time() - handler.request._start_time) * 1000, 1)
    # Who is refused may have to be found; of everybody else an address is personal data that nobody needs.
    if status >= 400 and (actor is ANYBODY or not anonymous):
        said["address"] = handler.request.remote_ip or ""
    logs.say(
        logging.ERROR if status >= 500 else logging.INFO,
        log.name,
        f"{handler.request.method} {handler.request.path} {f'{status // 100}xx' if anonymous else status}",
        **said,
    )
