"""The seal of an issuer (article 17: 加盖印章) and the keys that sign what it issues: whose each step is, and which key will do. Pure.

The guide asks for the issuer's seal on the certificate and says nothing of signatures; both follow from article 18 (谁发证、谁负责).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.kernel import reviews
from server.kernel.errors import FieldError, Invalid
from server.kernel.folding import folded
from server.kernel.identity import INSTITUTION_ROLES, Role
from server.kernel.reviews import NOBODY, PROVINCE, By, Procedure, Waits
from server.kernel.titled import Titled

RSA_BITS_LEAST = 2048
RSA_BITS_MOST = 8192
ONE_DAY = timedelta(days=1)
CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
"""As they are called in words."""


class State(Titled):
    SUBMITTED = "SUBMITTED", "待省级审核"
    RETURNED = "RETURNED", "已退回"
    WITHDRAWN = "WITHDRAWN", "已撤回"
    IN_FORCE = "IN_FORCE", "使用中"
    REPLACED = "REPLACED", "已更换"
    RETIRED = "RETIRED", "已停用"


class Action(Titled):
    FILE = "FILE", "报送印章"
    APPROVE = "APPROVE", "通过"
    RETURN = "RETURN", "退回"
    WITHDRAW = "WITHDRAW", "撤回"
    REPLACE = "REPLACE", "由新版更换"
    RETIRE = "RETIRE", "停用"


STEPS: Procedure[State, Action] = Procedure(
    {
        Action.FILE: By(INSTITUTION_ROLES),
        Action.APPROVE: By(PROVINCE, {State.SUBMITTED: State.IN_FORCE}),
        Action.RETURN: By(PROVINCE, {State.SUBMITTED: State.RETURNED}),
        Action.WITHDRAW: By(INSTITUTION_ROLES, {State.SUBMITTED: State.WITHDRAWN}),
        Action.REPLACE: By(NOBODY, {State.IN_FORCE: State.REPLACED}),
        Action.RETIRE: By(INSTITUTION_ROLES, {State.IN_FORCE: State.RETIRED}),
    },
    reviews.not_yours(
        "seal-not-yours", "印章由培训机构报送、撤回和停用，由省级管理部门审核（指南第十七条、第十八条）。"
    ),
    reviews.not_now("seal-not-now", "印章现在不能这样办理", "这一版印章{state}"),
    reviews.overtaken("seal-overtaken", "印章已有变动", "这一版印章"),
    waits=(Waits(PROVINCE, State.SUBMITTED, "待审核的印章"),),
)


def possible(state: State, roles: Collection[Role]) -> set[Action]:
    """What somebody in these roles may do with a version now."""
    return {action for action in Action if action is not Action.REPLACE and STEPS.may(state, action, roles)}


class KeyRefused(Invalid):
    """An uploaded key that will not do: why stands at the field it is about."""

    slug = "signing-key-refused"
    title = "这个密钥不能使用"

    def __init__(self, detail: str, place: str = "key_file") -> None:
        super().__init__(detail, fields=[FieldError(place, detail)])


@dataclass(frozen=True)
class KeyFacts:
    """What a certificate says that came with a key."""

    algorithm: str
    """rsa, or the name of a curve, or of another kind of key."""
    bits: int
    valid_from: datetime
    valid_to: datetime
    names: tuple[str, ...]
    """Common names and organisations of its subject: what readers of a signature show."""
    signs: bool
    """Its key usage, where it states one, has digital signature or non-repudiation."""
    authority: bool
    """It is the certificate of an authority."""
    other_purpose: bool
    """Its extended key usage allows only servers, code or timestamps."""

    @property
    def in_words(self) -> str:
        return f"RSA {self.bits}" if self.algorithm == "rsa" else CURVES.get(self.algorithm, self.algorithm)


def check_key(
    facts: KeyFacts, now: datetime, institution: Iterable[str], others: Iterable[str] = (), *, must_name: bool
) -> None:
    """Raises KeyRefused. `institution`: its present and its former names; `others`: names that are somebody else's; `must_name`: policy."""
    _check_algorithm(facts)
    if now < facts.valid_from:
        raise KeyRefused(
            f"证书自 {facts.valid_from:%Y-%m-%d} 起才有效，请到期后再上传，或换用现在有效的证书。"
        )
    if now >= facts.valid_to:
        raise KeyRefused(f"证书已于 {facts.valid_to:%Y-%m-%d} 到期，请向发证机构续期后上传新的文件。")
    if facts.authority:
        raise KeyRefused(
            "这是颁发其他证书的 CA 证书，不能用于签署培训证书。请上传以本机构名义申领的签名证书。"
        )
    if not facts.signs:
        raise KeyRefused("证书的密钥用途不包含数字签名（可能是加密证书）。请导出签名证书和对应的私钥后上传。")
    if facts.other_purpose:
        raise KeyRefused("证书的用途是网站、代码签名或时间戳，不能用于签署文件。请上传文件签名（机构）证书。")
    names = [folded(name) for name in institution]
    said = [folded(name) for name in facts.names]
    if taken := next((one for one in others if any(_names(folded(one), each, names) for each in said)), None):
        raise KeyRefused(f"证书的主体写有“{taken}”，那不是本机构的名称。请上传以本机构全称申领的证书。")
    if must_name and not any(name in each for each in said for name in names):
        whose = "、".join(facts.names) or "没有写明主体"
        raise KeyRefused(f"证书的主体是“{whose}”，没有写明本机构的名称。请上传以本机构全称申领的证书。")


def _names(other: str, said: str, own: Iterable[str]) -> bool:
    """Whether a subject says another's name, and not only as a part of the own one."""
    for name in own:
        said = said.replace(name, "")
    return other in said


def _check_algorithm(facts: KeyFacts) -> None:
    if facts.algorithm == "rsa":
        if facts.bits < RSA_BITS_LEAST:
            raise KeyRefused(
                f"RSA 密钥只有 {facts.bits} 位，容易被破解。请换用 {RSA_BITS_LEAST} 位以上的 RSA 或 P-256 证书。"
            )
        if facts.bits > RSA_BITS_MOST:
            raise KeyRefused(
                f"RSA 密钥有 {facts.bits} 位，签署太慢。请换用 2048 至 {RSA_BITS_MOST} 位的证书。"
            )
    elif facts.algorithm not in CURVES:
        raise KeyRefused(
            f"不支持 {facts.algorithm} 密钥（包括 SM2）：PDF 的签名须由各种阅读器验证。请申领 RSA 2048 位以上或 P-256、P-384、P-521 证书。"
        )


def days_left(valid_to: datetime, now: datetime) -> int:
    """Whole days until then; 0 or less once it is over."""
    return max(0, -((now - valid_to) // ONE_DAY))


def warning_due(left: int, warned: int | None, early: int) -> int | None:
    """The step of warning that is due now: `early` days before, a week before, and at the end; None where it was told already."""
    due = next((step for step in sorted({0, 7, early}) if left <= step), None)
    return None if due is None or (warned is not None and warned <= due) else due
