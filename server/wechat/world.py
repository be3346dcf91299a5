"""What the simulated WeChat knows and answers: no HTTP here, the moment comes from an injected clock.

Sources: https://developers.weixin.qq.com/miniprogram/dev/server/API/ (each call has its page). What WeChat allows is `terms`.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import secrets
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, get_args

import segno

from server.kernel.clock import Clock, beijing_date
from server.wechat.faces import CERT_TYPE, FACE_PASSED, CertInfo, cert_hash
from server.wechat.terms import (
    CODE_LIFETIME,
    FACE_LIFETIME,
    FACE_NOT_DONE,
    FACE_TOO_LATE,
    FORCED_A_DAY,
    FORCED_EVERY,
    LOGINS_A_MINUTE,
    MEANINGS,
    NO_FILE,
    OPENID,
    OUT_SEQ_NO,
    PAGE,
    SCENE,
    TEMPLATE_ID,
    TOKEN_LIFETIME,
    TOKEN_OVERLAP,
    Json,
    Refused,
    check_message,
    checked,
    ok,
    usual_quotas,
)

Trouble = Literal["hang", "disconnect", "bad-gateway", "gibberish"]
Failure = int | Trouble
"""How a call fails on demand: an errcode, no answer, a closed connection, HTTP 502, HTTP 200 without JSON."""

TROUBLES: tuple[str, ...] = get_args(Trouble)
MESSAGES_KEPT = 100
PUSHES_KEPT = 100

VERDICTS = {"违规内容": ("risky", 20006), "存疑内容": ("review", 21000)}
"""Words → what the content check says of a text with them; every other text passes."""

Purpose = Literal["login", "phone-number", "real-name"]


@dataclass
class Code:
    """What a phone was given and its server redeems: once, within five minutes."""

    openid: str
    purpose: Purpose
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
    sim: str | None = None
    """The telephone number of its owner, where somebody has said which."""
    real_name: tuple[str, str] | None = None
    """Name and ID number with which the person opened WeChat Pay."""

    @property
    def number(self) -> str:
        """Of the SIM; else one that is the same each time, and nobody's, as no number begins with 100."""
        return self.sim or f"100{int(hashlib.sha256(self.openid.encode()).hexdigest(), 16) % 10**8:08d}"


@dataclass
class Face:
    """A face verification: begun by the server, done by the person on the phone, asked for by the server."""

    verify_id: str
    out_seq_no: str
    openid: str
    cert_hash: str
    issued_at: datetime
    verify_ret: int = FACE_NOT_DONE


@dataclass
class Use:
    """How often a call was made on this Beijing day, and in the minute that began at `minute`."""

    day: str = ""
    today: int = 0
    minute: datetime | None = None
    this_minute: int = 0


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
        self.quotas = usual_quotas()
        self.uses: dict[str, Use] = {}
        self.forced: deque[datetime] = deque(maxlen=FORCED_A_DAY)
        self.faces: dict[str, Face] = {}
        """By verify_id."""
        self.on_event: Callable[[Json], None] | None = None
        """Who carries an event to the mini-program's server; None where none is set up."""
        self.on_media: Callable[[str, Json], None] | None = None
        """Who fetches the file of a media check, judges it and tells the server later: (address, event without verdict)."""
        self.holding = False
        """Events wait in `held` instead of leaving: a late push."""
        self.held: list[Json] = []
        self.pushes: deque[Json] = deque(maxlen=PUSHES_KEPT)
        """What was pushed and how that went, newest last."""
        self.failures: dict[str, Failure] = {}
        self.healed = asyncio.Event()

    # What a phone does.

    def phone(self, openid: str) -> Phone:
        return self.phones.setdefault(openid, Phone(openid))

    def give_code(self, openid: str, purpose: Purpose = "login") -> str:
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
        self._tell_of_subscription("subscribe_msg_popup_event", openid, template_id, "accept", PopupScene="0")

    def refuse(self, openid: str, template_id: str) -> None:
        """The person turns messages of this template off, in the settings of the mini-program."""
        self.phone(openid).grants.pop(template_id, None)
        self._tell_of_subscription("subscribe_msg_change_event", openid, template_id, "reject")

    def show_face(self, openid: str, verify_id: str, verify_ret: int = FACE_PASSED) -> bool:
        """The person goes through `wx.requestFacialVerify`, with this outcome. False: nothing to verify (any more)."""
        face = self.faces.get(verify_id)
        if face is None or face.openid != openid or self.clock.now() - face.issued_at >= FACE_LIFETIME:
            return False
        face.verify_ret = verify_ret
        return True

    def _tell_of_subscription(
        self, event: str, openid: str, template_id: str, status: str, **facts: str
    ) -> None:
        row = {"TemplateId": template_id, "SubscribeStatusString": status, **facts}
        self.emit({**self._event(event, openid), "List": [row]})

    def _event(self, name: str, from_: str) -> Json:
        return {
            "ToUserName": "gh_simulated",
            "FromUserName": from_,
            "CreateTime": int(self.clock.now().timestamp()),
            "MsgType": "event",
            "Event": name,
        }

    # What it tells the mini-program's server on its own.

    def emit(self, event: Json) -> None:
        if self.on_event is None:
            return
        if self.holding:
            self.held.append(event)
        else:
            self.on_event(event)

    def hold(self) -> None:
        """Events wait from now on."""
        self.holding = True

    def release(self) -> None:
        """What waited leaves now: late."""
        self.holding = False
        held, self.held = self.held, []
        for event in held:
            self.emit(event)

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
            self._spend_force(now)
            del self.tokens[current]
            current = None
        if current is None or self.tokens[current] - now <= TOKEN_OVERLAP:
            current = secrets.token_urlsafe(96)
            self.tokens[current] = now + TOKEN_LIFETIME
        return {"access_token": current, "expires_in": int((self.tokens[current] - now).total_seconds())}

    def _spend_force(self, now: datetime) -> None:
        if self.forced and now - self.forced[-1] < FORCED_EVERY:
            raise Refused(45011)
        if sum(beijing_date(one) == beijing_date(now) for one in self.forced) >= FORCED_A_DAY:
            raise Refused(45009)
        self.forced.append(now)

    def spend(self, path: str) -> None:
        """Counts one call. Raises Refused 45009 or 45011 when it is one too many for the day or the minute."""
        now = self.clock.now()
        use, quota = self.uses.setdefault(path, Use()), self.quotas[path]
        if use.day != (day := beijing_date(now).isoformat()):
            use.day, use.today = day, 0
        if use.minute is None or now - use.minute >= timedelta(minutes=1):
            use.minute, use.this_minute = now, 0
        if use.today >= quota.a_day:
            raise Refused(45009)
        if use.this_minute >= quota.a_minute:
            raise Refused(45011)
        use.today += 1
        use.this_minute += 1

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
        scene = checked(SCENE, body.get("scene"), 40169)
        page = checked(PAGE, body.get("page", "pages/index/index"), 41030)
        width = body.get("width", 430)
        if not isinstance(width, int) or not 280 <= width <= 1280:
            raise Refused(47001)
        picture = io.BytesIO()
        code = segno.make(f"{page}?scene={scene}", error="m", micro=False)
        code.save(picture, kind="png", scale=width // code.symbol_size()[0])
        return picture.getvalue()

    def send_subscribe_message(self, query: Mapping[str, str], body: Json) -> Json:
        self._check_token(query)
        openid = checked(OPENID, body.get("touser"), 40003)
        template_id = checked(TEMPLATE_ID, body.get("template_id"), 40037)
        page = str(body.get("page") or "")
        if page:
            checked(PAGE, page.partition("?")[0], 41030)
        check_message(body.get("data"))
        phone = self.phone(openid)
        if not phone.grants[template_id]:
            raise Refused(43101)
        phone.grants[template_id] -= 1
        msgid = 10**18 + secrets.randbelow(8 * 10**18)  # 19 digits, as WeChat's are: no ID number has so many
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
        checked(OPENID, body.get("openid"), 40003)
        verdicts = [verdict for words, verdict in VERDICTS.items() if words in content]
        suggest, label = verdicts[0] if verdicts else ("pass", 100)
        return ok(result={"suggest": suggest, "label": label}, trace_id=secrets.token_hex(12))

    def check_media(self, query: Mapping[str, str], body: Json) -> Json:
        """Only says that the question arrived; the verdict is pushed later."""
        self._check_token(query)
        url = body.get("media_url")
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise Refused(47001, "media_url")
        if body.get("version") != 2 or body.get("scene") not in (1, 2, 3, 4):
            raise Refused(47001, "version or scene")
        if body.get("media_type") not in (1, 2):
            raise Refused(47001, "media_type")
        openid = checked(OPENID, body.get("openid"), 40003)
        trace_id = f"{secrets.token_hex(4)}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"
        event = {
            **self._event("wxa_media_check", openid),
            "appid": self.app_id,
            "trace_id": trace_id,
            "version": 2,
        }
        if self.on_media is not None:
            self.on_media(url, event)
        return ok(trace_id=trace_id)

    @staticmethod
    def media_verdict(content: bytes | None) -> Json:
        """What the push says of a file with this content; None could not be fetched."""
        if content is None:
            return {"errcode": NO_FILE, "errmsg": MEANINGS[NO_FILE]}
        found = [verdict for words, verdict in VERDICTS.items() if words.encode() in content]
        suggest, label = found[0] if found else ("pass", 100)
        detail = {"strategy": "content_model", "errcode": 0, "suggest": suggest, "label": label, "prob": 90}
        return ok(result={"suggest": suggest, "label": label}, detail=[detail])

    def check_real_name(self, query: Mapping[str, str], body: Json) -> Json:
        self._check_token(query)
        openid = checked(OPENID, body.get("openid"), 40003)
        name, number = body.get("real_name"), body.get("cred_id")
        if not isinstance(name, str) or not isinstance(number, str) or body.get("cred_type") != "1":
            raise Refused(47001)
        code = self._live_code(str(body.get("code", "")), "real-name")
        if code.used or code.openid != openid:
            raise Refused(40029)
        code.used = True
        known = self.phone(openid).real_name
        if known is None:
            return ok(verify_openid="V_OP_NA", verify_real_name="V_NM_ID_UM")
        return ok(
            verify_openid="V_OP_NM_MA" if known[0] == name else "V_OP_NM_UM",
            verify_real_name="V_NM_ID_MA" if known == (name, number) else "V_NM_ID_UM",
        )

    def begin_face(self, query: Mapping[str, str], body: Json) -> Json:
        self._check_token(query)
        openid = checked(OPENID, body.get("openid"), 40003)
        number = checked(OUT_SEQ_NO, body.get("out_seq_no"), 47001, "out_seq_no")
        given = body.get("cert_info")
        if not isinstance(given, dict) or given.get("cert_type") != CERT_TYPE:
            raise Refused(47001, "cert_info")
        name, cert_no = given.get("cert_name"), given.get("cert_no")
        if not isinstance(name, str) or not isinstance(cert_no, str) or not name or not cert_no:
            raise Refused(47001, "cert_info")
        if any(face.out_seq_no == number for face in self.faces.values()):
            raise Refused(47001, "out_seq_no used")
        verify_id = secrets.token_urlsafe(32)
        proof = cert_hash(CertInfo(name, cert_no))
        self.faces[verify_id] = Face(verify_id, number, openid, proof, self.clock.now())
        return ok(verify_id=verify_id, expires_in=int(FACE_LIFETIME.total_seconds()))

    def face_result(self, query: Mapping[str, str], body: Json) -> Json:
        """Whoever asks must know all that the verification was begun with."""
        self._check_token(query)
        face = self.faces.get(str(body.get("verify_id", "")))
        asked = (body.get("out_seq_no"), body.get("openid"), body.get("cert_hash"))
        if face is None or asked != (face.out_seq_no, face.openid, face.cert_hash):
            raise Refused(47001)
        too_late = face.verify_ret == FACE_NOT_DONE and self.clock.now() - face.issued_at >= FACE_LIFETIME
        return ok(verify_ret=FACE_TOO_LATE if too_late else face.verify_ret)

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
