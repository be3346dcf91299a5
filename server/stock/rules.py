"""领取登记: what must be known of a certificate that leaves its issuer (article 18: 登记, 冒领, 流向清晰)."""

from __future__ import annotations

from datetime import date

from server.kernel.errors import Conflict, FieldError, Invalid
from server.kernel.titled import Titled


class How(Titled):
    IN_PERSON = "IN_PERSON", "本人领取"
    PROXY = "PROXY", "他人代领"
    MAIL = "MAIL", "邮寄"


class AlreadyHandedOver(Conflict):
    slug = "certificate-handed-over"
    title = "已登记领取"
    default_detail = "这张证书已登记领取。登记有误的，先撤回登记并写明理由，再重新登记。"


class NotHandedOver(Conflict):
    slug = "certificate-not-handed-over"
    title = "还没有发放登记"
    default_detail = "发证机构还没有登记发放这张证书。如已收到纸质证书，请联系发证机构补登。"


class HolderConfirmed(Conflict):
    slug = "certificate-receipt-confirmed"
    title = "本人已确认收到"
    default_detail = "持证人已在手机上确认收到这张证书，领取登记不能再撤回。"


def require_complete(how: How, recipient: str, reason: str, carrier: str, tracking: str) -> None:
    """Whoever comes for another's certificate is named, with the reason (冒领); of a parcel it is known who carries it. Raises Invalid."""
    missing = []
    if how is How.PROXY:
        missing = [
            ("recipient", recipient, "请填写代领人的姓名。"),
            ("reason", reason, "请写明代领的理由。"),
        ]
    if how is How.MAIL:
        missing = [
            ("carrier", carrier, "请填写承运的邮政或快递公司。"),
            ("tracking", tracking, "请填写运单号。"),
        ]
    if wrong := [FieldError(name, words) for name, given, words in missing if not given]:
        raise Invalid(fields=wrong)


def require_day(on: date, issued_on: date, today: date) -> None:
    """Nothing is handed over before it is issued, nor entered in advance. Raises Invalid."""
    if on < issued_on:
        raise Invalid(fields=[FieldError("on", f"领取日期不能早于发证日期 {issued_on}。")])
    if on > today:
        raise Invalid(fields=[FieldError("on", "领取日期不能晚于今天：证书交出以后再登记。")])
