"""What is told to a person when something cannot be done: RFC 9457 problem details, in Chinese.

A `Problem` is named after the rule that refused. `slug` is its stable type, `title` the short words, `detail` what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class FieldError:
    """One field that is wrong. `place` is the field's path in the request (`geofence.radius_m`), `message` is Chinese."""

    place: str
    message: str


class Problem(Exception):
    status: ClassVar[int] = 400
    slug: str = "bad-request"
    title: str = "请求有误"
    default_detail: ClassVar[str] = "请检查填写的内容后重试。"

    def __init__(self, detail: str = "", *, fields: Sequence[FieldError] = (), **extra: str | int) -> None:
        self.detail = detail or self.default_detail
        self.fields = tuple(fields)
        self.extra = extra
        super().__init__(self.detail)

    def __str__(self) -> str:
        return f"{self.slug}: {self.detail}"


class BadRequest(Problem):
    pass


class NotSignedIn(Problem):
    status = 401
    slug = "not-signed-in"
    title = "尚未登录"
    default_detail = "登录已失效，请重新登录。"


class Forbidden(Problem):
    status = 403
    slug = "forbidden"
    title = "没有权限"
    default_detail = "您的账号没有这项权限。如需办理，请联系上级管理部门。"


class RealNameFirst(Forbidden):
    """A phone that speaks for nobody asks for what is somebody's."""

    slug = "real-name-needed"
    title = "请先完成实名绑定"
    default_detail = "本微信还没有绑定姓名和身份证号。请先在“我的”完成实名绑定，再办理这件事。"


class NotFound(Problem):
    status = 404
    slug = "not-found"
    title = "没有找到"
    default_detail = "内容不存在，或不在您的管理范围内。"


class MethodNotAllowed(Problem):
    status = 405
    slug = "method-not-allowed"
    title = "不支持的操作"
    default_detail = "这个地址不支持该操作。"


class Conflict(Problem):
    status = 409
    slug = "conflict"
    title = "与现有数据冲突"
    default_detail = "数据已被修改，请刷新后重试。"


class NonceReused(Conflict):
    """The nonce of a phone makes a request that comes twice one; it never hides another one."""

    slug = "nonce-reused"
    title = "同一编号已用于别的内容"
    default_detail = "这个 nonce 已用于另一次内容不同的请求。请换一个新的 nonce 重新提交。"


def require_same(same: bool) -> None:
    """Of what is there under the nonce of a request: whether it says the same. Raises NonceReused."""
    if not same:
        raise NonceReused()


class TooLarge(Problem):
    status = 413
    slug = "too-large"
    title = "内容太大"
    default_detail = "上传的内容超过了大小限制。"


class UnsupportedMediaType(Problem):
    status = 415
    slug = "unsupported-media-type"
    title = "不支持的内容类型"
    default_detail = "请求的内容类型不被支持。"


class Invalid(Problem):
    status = 422
    slug = "invalid"
    title = "填写的内容有误"
    default_detail = "请按提示改正后再提交。"


class FileUnreadable(Invalid):
    """An uploaded file that cannot be taken as a whole: why stands at its field."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, fields=[FieldError("file", detail)])


class TooManyRequests(Problem):
    status = 429
    slug = "too-many-requests"
    title = "操作过于频繁"
    default_detail = "请稍后再试。"


class Unavailable(Problem):
    status = 503
    slug = "unavailable"
    title = "服务暂时不可用"
    default_detail = "系统繁忙，请稍后重试；已填写的内容不会丢失。"
