"""What the simulated WeChat knows and answers: no HTTP here, the moment comes from an injected clock.

Sources: https://developers.weixin.qq.com/miniprogram/dev/server/API/ (each call has its page), and for the
values of a message the table 订阅消息参数值内容限制说明 of the page of `sendMessage`.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import re
import secrets
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

import segno

from server.kernel.clock import Clock

Json = dict[str, Any]
Trouble = Literal["hang", "disconnect", "bad-gateway", "gibberish"]
Failure = int | Trouble
"""How a call fails on demand: an errcode, no answer, a closed connection, HTTP 502, HTTP 200 without JSON."""

TROUBLES: tuple[str, ...] = get_args(Trouble)
CODE_LIFETIME = timedelta(minutes=5)
TOKEN_LIFETIME = timedelta(seconds=7200)
TOKEN_OVERLAP = timedelta(minutes=5)
"""In its last five minutes a token is replaced, and both are valid."""
LOGINS_A_MINUTE = 100
MESSAGES_KEPT = 100

OPENID = re.compile(r"[A-Za-z0-9_-]{1,64}")
TEMPLATE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
PAGE = re.compile(r"[\w-]+(/[\w-]+)*", re.ASCII)
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

VERDICTS = {"违规内容": ("risky", 20006), "存疑内容": ("review", 21000)}
"""Words → what the content check says of a text with them; every other text passes."""

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
}


class Refused(Exception):
    """WeChat's answer to a call that it does not serve."""

    def __init__(self, errcode: int, where: str = "") -> None:
        self.errcode = errcode
        self.errmsg = f"{MEANINGS.get(errcode, 'failed')}{where and f' {where}'} rid: {secrets.token_hex(12)}"
        super().__init__(self.errmsg)


@dataclass
class Code:
    """What a phone was given and its server redeems: once, within five minutes."""

    openid: str
    purpose: Literal["login", "phone-number"]
    issued_at: datetime
    used: bool = False


@dataclass
class Phone:
    openid: str
    grants: Counter[str] = field(default_factory=Counter)
    """Template id → messages that the person has agreed to receive and has not received yet."""
    messages: deque[Json] = field(default_factory=lambda: deque(maxlen=MESSAGES_KEPT))
    logins: deque[datetime] = field(default_factory=lambda: deque(maxlen=LOGINS_A_MINUTE))
    blocked: bool = False

    @property
    def number(self) -> str:
        """A telephone number that is the same each time; nobody's, as no number begins with 100."""
        return f"100{int(hashlib.sha256(self.openid.encode()).hexdigest(), 16) % 10**8:08d}"


class World:
    """What WeChat knows: its one mini-program, the phones, the codes and tokens it gave out."""

    def __init__(self, clock: Clock, app_id: str, secret: str) -> None:
        self.clock = clock
        self.app_id = app_id
        self.secret = secret
        self.phones: dict[str, Phone] = {}
        self.codes: dict[str, Code] = {}
        self.tokens: dict[str, datetime] = {}
        """Every token → when it expires; the last one is the current one."""
        self.calls: Counter[str] = Counter()
        """Path → how often it was called."""
        self.failures: dict[str, Failure] = {}
        self.healed = asyncio.Event()

    # What a phone does.

    def phone(self, openid: str) -> Phone:
        return self.phones.setdefault(openid, Phone(openid))

    def give_code(self, openid: str, purpose: Literal["login", "phone-number"] = "login") -> str:
        """What `wx.login` (or the button `getPhoneNumber`) gives the mini-program on this phone."""
        now = self.clock.now()
        self.codes = {
            value: code for value, code in self.codes.items() if now - code.issued_at < CODE_LIFETIME
        }
        value = secrets.token_urlsafe(24)
        self.codes[value] = Code(self.phone(openid).openid, purpose, now)
        return value

    def grant(self, openid: str, template_id: str) -> None:
        """The person agrees to one message of this template (`wx.requestSubscribeMessage`)."""
        self.phone(openid).grants[template_id] += 1

    # How it can be made to fail.

    def fail(self, path: str, failure: Failure) -> None:
        """Every call of `path` fails in this way until `heal`."""
        self.failures[path] = failure

    def heal(self) -> None:
        """Nothing fails any more, and the calls that hang are let go."""
        self.failures.clear()
        self.healed.set()
        self.healed = asyncio.Event()

    # What the server API answers.

    def stable_token(self, query: Mapping[str, str], body: Json) -> Json:
        if body.get("grant_type") != "client_credential":
            raise Refused(40002)
        self._check_account(body.get("appid"), body.get("secret"))
        now = self.clock.now()
        current = next(reversed(self.tokens), None)
        if current is not None and body.get("force_refresh") is True:
            del self.tokens[current]
            current = None
        if current is None or self.tokens[current] - now <= TOKEN_OVERLAP:
            current = secrets.token_urlsafe(96)
            self.tokens[current] = now + TOKEN_LIFETIME
        return {"access_token": current, "expires_in": int((self.tokens[current] - now).total_seconds())}

    def code_to_session(self, query: Mapping[str, str], body: Json) -> Json:
        self._check_account(query.get("appid"), query.get("secret"))
        if not query.get("js_code"):
            raise Refused(41008)
        if query.get("grant_type") != "authorization_code":
            raise Refused(40002)
        code = self._live_code(query["js_code"], "login")
        phone = self.phone(code.openid)
        now = self.clock.now()
        if phone.blocked:
            raise Refused(40226)
        if len(phone.logins) == LOGINS_A_MINUTE and now - phone.logins[0] < timedelta(minutes=1):
            raise Refused(45011)
        if code.used:
            raise Refused(40163)
        code.used = True
        phone.logins.append(now)
        return {"openid": phone.openid, "session_key": base64.b64encode(secrets.token_bytes(16)).decode()}

    def phone_number(self, query: Mapping[str, str], body: Json) -> Json:
        self._check_token(query)
        code = self._live_code(str(body.get("code", "")), "phone-number")
        if code.used:
            raise Refused(40029)
        code.used = True
        number = self.phone(code.openid).number
        return ok(
            phone_info={
                "phoneNumber": number,
                "purePhoneNumber": number,
                "countryCode": "86",
                "watermark": {"timestamp": int(self.clock.now().timestamp()), "appid": self.app_id},
            }
        )

    def mini_program_code(self, query: Mapping[str, str], body: Json) -> bytes:
        """A PNG as the real call gives. It shows a QR code: only Tencent can draw the round one."""
        self._check_token(query)
        scene = _checked(SCENE, body.get("scene"), 40169)
        page = _checked(PAGE, body.get("page", "pages/index/index"), 41030)
        width = body.get("width", 430)
        if not isinstance(width, int) or not 280 <= width <= 1280:
            raise Refused(47001)
        picture = io.BytesIO()
        code = segno.make(f"{page}?scene={scene}", error="m", micro=False)
        code.save(picture, kind="png", scale=width // code.symbol_size()[0])
        return picture.getvalue()

    def send_subscribe_message(self, query: Mapping[str, str], body: Json) -> Json:
        self._check_token(query)
        openid = _checked(OPENID, body.get("touser"), 40003)
        template_id = _checked(TEMPLATE_ID, body.get("template_id"), 40037)
        page = str(body.get("page") or "")
        if page:
            _checked(PAGE, page.partition("?")[0], 41030)
        _check_message(body.get("data"))
        phone = self.phone(openid)
        if not phone.grants[template_id]:
            raise Refused(43101)
        phone.grants[template_id] -= 1
        msgid = secrets.randbelow(10**18)
        phone.messages.append(
            {
                "msgid": msgid,
                "template_id": template_id,
                "page": page,
                "data": body["data"],
                "received_at": self.clock.now().isoformat(),
            }
        )
        return ok(msgid=msgid)

    def check_text(self, query: Mapping[str, str], body: Json) -> Json:
        self._check_token(query)
        content = body.get("content")
        if not content:
            raise Refused(44002)
        if body.get("version") != 2 or body.get("scene") not in (1, 2, 3, 4):
            raise Refused(47001, "version or scene")
        if not isinstance(content, str) or len(content) > 2500:
            raise Refused(47001, "content")
        _checked(OPENID, body.get("openid"), 40003)
        verdicts = [verdict for words, verdict in VERDICTS.items() if words in content]
        suggest, label = verdicts[0] if verdicts else ("pass", 100)
        return ok(result={"suggest": suggest, "label": label}, trace_id=secrets.token_hex(12))

    def _check_account(self, app_id: object, secret: object) -> None:
        if not app_id:
            raise Refused(41002)
        if not secret:
            raise Refused(41004)
        if app_id != self.app_id:
            raise Refused(40013)
        if secret != self.secret:
            raise Refused(40125)

    def _check_token(self, query: Mapping[str, str]) -> None:
        token = query.get("access_token")
        if not token:
            raise Refused(41001)
        if token not in self.tokens:
            raise Refused(40001)
        if self.clock.now() >= self.tokens[token]:
            raise Refused(42001)

    def _live_code(self, value: str, purpose: str) -> Code:
        code = self.codes.get(value)
        if code is None or code.purpose != purpose or self.clock.now() - code.issued_at >= CODE_LIFETIME:
            raise Refused(40029)
        return code


def ok(**fields: Any) -> Json:
    return {"errcode": 0, "errmsg": "ok", **fields}


def _checked(pattern: re.Pattern[str], value: object, errcode: int, where: str = "") -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Refused(errcode, where)
    return value


def _check_message(data: object) -> None:
    """`{"thing1": {"value": "…"}, …}`: raises 47003 with the first key whose value is not of its kind."""
    if not isinstance(data, dict) or not data:
        raise Refused(47003)
    for key, entry in data.items():
        kind = MESSAGE_VALUES.get(key.rstrip("0123456789"), NO_VALUE)
        value = entry.get("value") if isinstance(entry, dict) else None
        _checked(kind, None if value is None else str(value), 47003, f"data.{key}.value invalid")
