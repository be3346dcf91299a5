"""What WeChat allows: how long what it gives is good for, how often it is called, how values must look, how it refuses.

Sources: https://developers.weixin.qq.com/miniprogram/dev/server/API/ (each call has its page), and for the
values of a message the table 订阅消息参数值内容限制说明 of the page of `sendMessage`.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

Json = dict[str, Any]
CODE_LIFETIME = timedelta(minutes=5)
TOKEN_LIFETIME = timedelta(seconds=7200)
TOKEN_OVERLAP = timedelta(minutes=5)
"""In its last five minutes a token is replaced, and both are valid."""
LOGINS_A_MINUTE = 100
FORCED_A_DAY, FORCED_EVERY = 20, timedelta(seconds=30)
"""How often a token may be replaced by force."""
FACE_LIFETIME = timedelta(seconds=3600)
FACE_NOT_DONE, FACE_TOO_LATE = 90002, 90017
FACE_FAILURES = range(90001, 90200)

OPENID = re.compile(r"[A-Za-z0-9_-]{1,64}")
TEMPLATE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
PAGE = re.compile(r"[\w-]+(/[\w-]+)*", re.ASCII)
OUT_SEQ_NO = re.compile(r"[A-Za-z0-9_-]{1,64}")
SCENE = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~]{1,32}")

_DAY = r"\d{4}[年./-]\d{1,2}([月./-]\d{1,2}日?)?"
_TIME = r"\d{1,2}:\d{2}(:\d{2})?"
MESSAGE_VALUES = {
    "thing": re.compile(r"[^\r\n]{1,20}"),
    "number": re.compile(r"[\d.]{1,32}"),
    "letter": re.compile(r"[A-Za-z]{1,32}"),
    "symbol": re.compile(r"[^\w\s]{1,5}"),
    "character_string": re.compile(r"[!-~]{1,32}"),
    "time": re.compile(rf"({_DAY} ?)?{_TIME}(~({_DAY} ?)?{_TIME})?"),
    "date": re.compile(rf"{_DAY}( {_TIME})?(~{_DAY}( {_TIME})?)?"),
    "amount": re.compile(r"[¥￥$]?\d{1,10}(\.\d+)?元?"),
    "phone_number": re.compile(r"[\d+ -]{1,17}"),
    "name": re.compile(r"[\u3400-\u9fff·]{1,10}|[A-Za-z .·-]{1,20}"),
    "phrase": re.compile(r"[\u3400-\u9fff]{1,5}"),
}
"""What a value of a subscribe message may be, by the kind that its key begins with (`thing1`, `time2`)."""
NO_VALUE = re.compile(r"(?!)")

NO_FILE = 87009
"""What the later push says of a file that WeChat could not fetch."""


@dataclass
class Quota:
    """How often a call is served: a Beijing day (45009), a minute (45011)."""

    a_day: int
    a_minute: int


def usual_quotas() -> dict[str, Quota]:
    """As the page of each call gives them; where it gives none, what an account gets that has just been opened."""
    return {
        "/cgi-bin/stable_token": Quota(500_000, 10_000),
        "/sns/jscode2session": Quota(10_000_000, 100_000),
        "/wxa/business/getuserphonenumber": Quota(1_000_000, 5_000),
        "/wxa/getwxacodeunlimit": Quota(1_000_000, 5_000),
        "/cgi-bin/message/subscribe/send": Quota(30_000_000, 100_000),
        "/wxa/msg_sec_check": Quota(2_000_000, 4_000),
        "/wxa/media_check_async": Quota(200_000, 2_000),
        "/intp/realname/checkrealnameinfo": Quota(100_000, 5_000),
        "/cityservice/face/identify/getverifyid": Quota(100_000, 5_000),
        "/cityservice/face/identify/queryverifyinfo": Quota(100_000, 5_000),
    }


MEANINGS = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40013: "invalid appid",
    40029: "invalid code",
    40037: "invalid template_id",
    40125: "invalid appsecret",
    40163: "code been used",
    40169: "invalid length for scene, or the data is not json string",
    40226: "code blocked",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41008: "missing code",
    41030: "invalid page",
    42001: "access_token expired",
    43101: "user refuse to accept the msg",
    44002: "empty post data",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    47001: "data format error",
    47003: "argument invalid!",
    61010: "code is expired, the user has not visited for two hours",
    87009: "invalid media url",
}


class Refused(Exception):
    """WeChat's answer to a call that it does not serve."""

    def __init__(self, errcode: int, where: str = "") -> None:
        self.errcode = errcode
        self.errmsg = f"{MEANINGS.get(errcode, 'failed')}{where and f' {where}'} rid: {secrets.token_hex(12)}"
        super().__init__(self.errmsg)


def ok(**fields: Any) -> Json:
    return {"errcode": 0, "errmsg": "ok", **fields}


def checked(pattern: re.Pattern[str], value: object, errcode: int, where: str = "") -> str:
    """The value, if it is text of this pattern; else raises Refused with this code."""
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Refused(errcode, where)
    return value


def check_message(data: object) -> None:
    """`{"thing1": {"value": "…"}, …}`: raises 47003 with the first key whose value is not of its kind."""
    if not isinstance(data, dict) or not data:
        raise Refused(47003)
    for key, entry in data.items():
        kind = MESSAGE_VALUES.get(key.rstrip("0123456789"), NO_VALUE)
        value = entry.get("value") if isinstance(entry, dict) else None
        checked(kind, None if value is None else str(value), 47003, f"data.{key}.value invalid")


CALLS = {
    "/cgi-bin/stable_token": "接口调用凭证",
    "/sns/jscode2session": "小程序登录",
    "/wxa/business/getuserphonenumber": "手机号",
    "/wxa/getwxacodeunlimit": "小程序码",
    "/cgi-bin/message/subscribe/send": "发送订阅消息",
    "/wxa/msg_sec_check": "文字内容检查",
    "/wxa/media_check_async": "图片内容检查",
    "/intp/realname/checkrealnameinfo": "实名信息校验",
    "/cityservice/face/identify/getverifyid": "发起人脸核身",
    "/cityservice/face/identify/queryverifyinfo": "查询人脸核身",
}
"""The calls of WeChat that the platform makes, as people call them."""
FAILURES = [
    ("hang", "一直不回答"),
    ("disconnect", "断开连接"),
    ("bad-gateway", "网关错误 502"),
    ("gibberish", "回答的不是 JSON"),
    ("-1", "-1 系统繁忙"),
    ("40001", "40001 凭证无效"),
    ("40003", "40003 openid 无效"),
    ("40029", "40029 登录凭证无效"),
    ("43101", "43101 用户拒收"),
    ("45009", "45009 当日次数用完"),
    ("45011", "45011 每分钟次数超限"),
    ("47003", "47003 参数有误"),
    ("61010", "61010 用户两小时内未访问"),
]
"""How a call can be made to fail, and what that is called."""
