"""WeChat's server API behind asyncio: wechatpy 1.8.18, which is synchronous, on a bounded pool of threads.

What must not happen, and why it does not:

- *A hanging WeChat stalls the loop, or piles up work.* A caller waits at most `timeout_seconds`, the wait
  for a thread included; one who finds four times as many waiting as there are threads is refused at once;
  a thread that hangs counts as taken until it really is free.
- *A log-in fails because the token endpoint does.* `code_to_session` fetches no access token.
- *A lasting 40001 is retried until the stack ends.* wechatpy's own retry is off; here a call is tried
  twice at most.
- *The secret gets into a log.* It stands in the address of `jscode2session`: the records of urllib3 lose
  their queries, and no exception of requests (its text holds the address) leaves the thread.

Source: https://developers.weixin.qq.com/miniprogram/dev/server/API/
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import urlsplit

import requests
from motor.motor_asyncio import AsyncIOMotorDatabase
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError
from wechatpy.client import WeChatClient
from wechatpy.exceptions import WeChatClientException

from server.kernel.clock import Clock
from server.kernel.errors import Problem
from server.wechat.errors import (
    SubscriptionRefused,
    WeChatCodeInvalid,
    WeChatLimited,
    WeChatRefused,
    WeChatUnavailable,
    WeChatUncertain,
)
from server.wechat.faces import CertInfo, FaceSession, cert_hash
from server.wechat.tokens import AccessToken, Token

P = ParamSpec("P")
R = TypeVar("R")
Query = Mapping[str, str]

logger = logging.getLogger(__name__)

TOKEN_REJECTED = {40001, 40014, 42001}
CODE_REFUSED = {40029, 40163, 40226, 41008}
SUBSCRIPTION_REFUSED = 43101
DAILY_QUOTA = 45009
REFUSED_FOR_GOOD = {40003, 40037, 40169, 41030, 44002, 47001, 47003}
"""The call is at fault. Every other code is WeChat's state or the account's settings: it may work later."""

PICTURE = 2
"""media_type of `mediaCheckAsync`; 1 is audio."""
WAITING_PER_THREAD = 4
PICTURE_BEGINNINGS = (b"\x89PNG", b"\xff\xd8\xff")
CODE = re.compile(r"[!-~]{1,512}")
"""What a code can be at all: WeChat says only "string"; those seen are letters, digits, `-` and `_`."""


@dataclass(frozen=True)
class WeChatSession:
    """Who opened the mini-program: `openid` within it, `unionid` across all programs of its owner."""

    openid: str
    session_key: str = field(repr=False)
    unionid: str | None = None


@dataclass(frozen=True)
class Verdict:
    """`suggest`: pass, review (let a person look) or risky; `label`: WeChat's number of what it found, 100 for nothing."""

    suggest: str
    label: int


@dataclass(frozen=True)
class RealNameMatch:
    """What `checkrealnameinfo` compared: the phone's owner with the name, and the name with the number."""

    openid_and_name: bool
    name_and_number: bool


@dataclass(frozen=True)
class _Failure:
    """A call that gave nothing usable: WeChat's errcode (None if WeChat did not answer) and its words."""

    call: str
    errcode: int | None
    reason: str
    arrived: bool = True
    """False when no connection was made, so that WeChat cannot have done anything."""

    def problem(self) -> Problem:
        if self.errcode in CODE_REFUSED:
            return WeChatCodeInvalid()
        if self.errcode == SUBSCRIPTION_REFUSED:
            return SubscriptionRefused()
        logger.warning("WeChat failed at %s: errcode %s, %s", self.call, self.errcode, self.reason)
        if self.errcode in REFUSED_FOR_GOOD:
            return WeChatRefused(errcode=self.errcode)
        if self.errcode == DAILY_QUOTA:
            return WeChatLimited(errcode=self.errcode)
        if self.errcode is not None:
            return WeChatUnavailable(errcode=self.errcode)
        return WeChatUncertain() if self.arrived else WeChatUnavailable()


class WeChat:
    """One mini-program's WeChat.

    `timeout_seconds` is the longest that a method keeps its caller waiting, token and second try included.
    Every method raises WeChatUnavailable when there is no usable answer (WeChatUncertain when WeChat may have
    done what it was asked all the same, WeChatLimited when the day's quota is used up), WeChatRefused when this
    call will never be accepted. `extra` holds WeChat's errcode where there is one.
    """

    def __init__(
        self,
        *,
        app_id: str,
        secret: str,
        api_base: str,
        timeout_seconds: float,
        threads: int,
        db: AsyncIOMotorDatabase[dict[str, Any]],
        clock: Clock,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._calls = _Calls(app_id, secret, api_base, timeout_seconds, threads)
        self._token = AccessToken(app_id, self._fetch_token, timeout_seconds, db, clock)
        self._threads = _Threads(threads, waiting=threads * WAITING_PER_THREAD)
        self._checks = asyncio.Semaphore(max(1, threads // 4))

    async def code_to_session(self, js_code: str) -> WeChatSession:
        """Redeems the code of `wx.login`, once. Raises WeChatCodeInvalid."""
        if not CODE.fullmatch(js_code):
            raise WeChatCodeInvalid()
        async with _deadline(self._timeout_seconds):
            answer = await self._threads.attempt(self._calls.code_to_session, js_code)
        return _unless_failed(answer)

    async def phone_number(self, code: str) -> str:
        """The number without country code, for a code of `getPhoneNumber`. Raises WeChatCodeInvalid."""
        if not CODE.fullmatch(code):
            raise WeChatCodeInvalid()
        return await self._with_token(self._calls.phone_number, code)

    async def send_subscribe_message(
        self, openid: str, template_id: str, page: str, data: Mapping[str, str]
    ) -> str:
        """Sends one message and gives its msgid. Raises SubscriptionRefused.

        `data` maps the template's keys to their words: `{"thing1": "汽车维修"}`; a `thing` holds 20
        characters. Nothing was sent if this raises, except for WeChatUncertain: its answer was lost on the way.
        """
        return await self._with_token(self._calls.send_subscribe_message, openid, template_id, page, data)

    async def mini_program_code(self, scene: str, page: str) -> bytes:
        """The picture (PNG or JPEG) that opens `page` with `scene`.

        `scene` is 1 to 32 letters, digits and `!#$&'()*+,/:;=?@-._~`.
        """
        return await self._with_token(self._calls.mini_program_code, scene, page)

    async def check_text(self, openid: str, scene: int, text: str) -> Verdict:
        """What WeChat says of a text (at most 2500 characters) that the phone's owner wants to publish.

        At most a quarter of the threads is with such checks, so that a hanging check keeps nobody from logging in; the others wait
        for their turn, beyond `timeout_seconds` if need be.
        """
        async with self._checks:
            return await self._with_token(self._calls.check_text, openid, scene, text)

    async def check_media(self, openid: str, scene: int, url: str) -> str:
        """Has WeChat fetch and judge a picture; gives the trace_id by which the verdict is pushed within 30 minutes."""
        return await self._with_token(self._calls.check_media, openid, scene, url)

    async def check_real_name(self, openid: str, name: str, number: str, code: str) -> RealNameMatch:
        """Whether name and number are those of the person's WeChat Pay. Raises WeChatCodeInvalid."""
        if not CODE.fullmatch(code):
            raise WeChatCodeInvalid()
        return await self._with_token(self._calls.check_real_name, openid, name, number, code)

    async def begin_face(self, openid: str, out_seq_no: str, name: str, number: str) -> FaceSession:
        """Begins a face verification against this card; `out_seq_no` is ours and serves once."""
        return await self._with_token(self._calls.begin_face, openid, out_seq_no, CertInfo(name, number))

    async def face_result(self, openid: str, out_seq_no: str, verify_id: str, name: str, number: str) -> int:
        """WeChat's verify_ret: only faces.FACE_PASSED means passed."""
        cert = CertInfo(name, number)
        return await self._with_token(self._calls.face_result, openid, out_seq_no, verify_id, cert)

    async def close(self) -> None:
        """Gives up what is under way; a thread that still waits for WeChat ends with its own timeout."""
        self._token.close()
        self._threads.close()
        self._calls.close()

    async def _with_token(
        self, call: Callable[Concatenate[str, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """One call with the access token, tried once more with another token if WeChat rejects this one."""
        progress = _Progress()
        async with _deadline(self._timeout_seconds, progress):
            token = await self._token.current()
            answer = await self._threads.tracked(progress, call, token, *args, **kwargs)
            if isinstance(answer, _Failure) and answer.errcode in TOKEN_REJECTED:
                token = await self._token.instead_of(token)
                answer = await self._threads.tracked(progress, call, token, *args, **kwargs)
        return _unless_failed(answer)

    async def _fetch_token(self) -> Token:
        """Never WeChatUncertain: asking for a token again takes none away."""
        async with _deadline(self._timeout_seconds):
            answer = await self._threads.attempt(self._calls.stable_token)
        try:
            value, seconds = _unless_failed(answer)
        except WeChatUncertain:
            raise WeChatUnavailable() from None
        return Token(value, self._clock.now() + timedelta(seconds=seconds))


class _Calls(WeChatClient):  # type: ignore[misc]
    """The calls as they go over the wire, one blocking method each; `token` is the access token.

    They raise what wechatpy and requests raise, and KeyError, TypeError or ValueError for an answer that
    is not as documented. A token of None keeps wechatpy from fetching one of its own and is left out of
    the address.
    """

    def __init__(self, app_id: str, secret: str, api_base: str, timeout_seconds: float, threads: int) -> None:
        super().__init__(app_id, secret, timeout=timeout_seconds, auto_retry=False)
        self.API_BASE_URL = api_base.rstrip("/") + "/"
        self._http.mount(self.API_BASE_URL, HTTPAdapter(pool_connections=1, pool_maxsize=threads))
        # The simulator is never behind the proxy that the environment may name.
        self._http.trust_env = urlsplit(api_base).hostname not in {"127.0.0.1", "localhost"}

    def close(self) -> None:
        self._http.close()

    def fetch_access_token(self) -> None:
        raise AssertionError("the token is fetched by WeChat, not by wechatpy")

    def stable_token(self) -> tuple[str, int]:
        body = {"grant_type": "client_credential", "appid": self.appid, "secret": self.secret}
        answer = self._json("post", "cgi-bin/stable_token", None, data={**body, "force_refresh": False})
        return str(answer["access_token"]), int(answer["expires_in"])

    def code_to_session(self, js_code: str) -> WeChatSession:
        account = {"appid": self.appid, "secret": self.secret}
        query = {**account, "js_code": js_code, "grant_type": "authorization_code"}
        answer = self._json("get", "sns/jscode2session", None, params=query)
        return WeChatSession(answer["openid"], answer["session_key"], answer.get("unionid"))

    def phone_number(self, token: str, code: str) -> str:
        answer = self._json("post", "wxa/business/getuserphonenumber", token, data={"code": code})
        return str(answer["phone_info"]["purePhoneNumber"])

    def send_subscribe_message(
        self, token: str, openid: str, template_id: str, page: str, data: Mapping[str, str]
    ) -> str:
        body = {
            "touser": openid,
            "template_id": template_id,
            "page": page,
            "data": {key: {"value": value} for key, value in data.items()},
            "miniprogram_state": "formal",
            "lang": "zh_CN",
        }
        return str(self._json("post", "cgi-bin/message/subscribe/send", token, data=body)["msgid"])

    def mini_program_code(self, token: str, scene: str, page: str) -> bytes:
        body = {"scene": scene, "page": page, "check_path": False, "env_version": "release", "width": 430}
        answer = self._answer("post", "wxa/getwxacodeunlimit", token, data=body)
        if not isinstance(answer, requests.Response) or not answer.content.startswith(PICTURE_BEGINNINGS):
            raise ValueError("not a picture")
        return answer.content

    def check_text(self, token: str, openid: str, scene: int, text: str) -> Verdict:
        body = {"version": 2, "openid": openid, "scene": scene, "content": text}
        result = self._json("post", "wxa/msg_sec_check", token, data=body)["result"]
        return Verdict(str(result["suggest"]), int(result["label"]))

    def check_media(self, token: str, openid: str, scene: int, url: str) -> str:
        body = {"version": 2, "openid": openid, "scene": scene, "media_url": url, "media_type": PICTURE}
        return str(self._json("post", "wxa/media_check_async", token, data=body)["trace_id"])

    def check_real_name(self, token: str, openid: str, name: str, number: str, code: str) -> RealNameMatch:
        body = {"openid": openid, "real_name": name, "cred_id": number, "cred_type": "1", "code": code}
        answer = self._json("post", "intp/realname/checkrealnameinfo", token, data=body)
        return RealNameMatch(
            openid_and_name=answer["verify_openid"] == "V_OP_NM_MA",
            name_and_number=answer["verify_real_name"] == "V_NM_ID_MA",
        )

    def begin_face(self, token: str, openid: str, out_seq_no: str, cert: CertInfo) -> FaceSession:
        body = {"out_seq_no": out_seq_no, "cert_info": cert.to_json(), "openid": openid}
        answer = self._json("post", "cityservice/face/identify/getverifyid", token, data=body)
        return FaceSession(str(answer["verify_id"]), timedelta(seconds=int(answer["expires_in"])))

    def face_result(self, token: str, openid: str, out_seq_no: str, verify_id: str, cert: CertInfo) -> int:
        body = {
            "verify_id": verify_id,
            "out_seq_no": out_seq_no,
            "cert_hash": cert_hash(cert),
            "openid": openid,
        }
        return int(
            self._json("post", "cityservice/face/identify/queryverifyinfo", token, data=body)["verify_ret"]
        )

    def _json(self, method: str, path: str, token: str | None, **kwargs: Any) -> dict[str, Any]:
        answer = self._answer(method, path, token, **kwargs)
        if not isinstance(answer, dict):
            raise TypeError("not a JSON object")
        return answer

    def _answer(
        self, method: str, path: str, token: str | None, params: Query | None = None, **kwargs: Any
    ) -> Any:
        query = {**(params or {}), "access_token": token}
        return self._request(method, path, params=query, allow_redirects=False, **kwargs)


def _attempt(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | _Failure:
    """The answer, or why there is none. Exceptions end here: their request holds the secret."""
    try:
        return call(*args, **kwargs)
    except WeChatClientException as refusal:
        errcode, reason = refusal.errcode, str(refusal.errmsg)
    except requests.ConnectionError as trouble:
        return _Failure(call.__name__, None, type(trouble).__name__, arrived=not _unreachable(trouble))
    except (requests.RequestException, KeyError, TypeError, ValueError) as trouble:
        errcode, reason = None, type(trouble).__name__
    return _Failure(call.__name__, errcode, reason)


def _unreachable(trouble: requests.ConnectionError) -> bool:
    """Whether the connection itself could not be made: nothing has left this machine then."""
    if isinstance(trouble, requests.ConnectTimeout):
        return True
    cause = trouble.args[0] if trouble.args else None
    return isinstance(getattr(cause, "reason", None), NewConnectionError)


@dataclass
class _Progress:
    """Whether a call is on its way, for who has waited too long: from before its thread has it until there is an answer."""

    under_way: bool = False


def _unless_failed(answer: R | _Failure) -> R:
    if isinstance(answer, _Failure):
        raise answer.problem()
    return answer


@asynccontextmanager
async def _deadline(seconds: float, progress: _Progress | None = None) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        logger.warning("WeChat gave no answer within %.1f s", seconds)
        raise (WeChatUncertain() if progress and progress.under_way else WeChatUnavailable()) from None


class _Threads:
    """So many threads, and at most so many callers that wait for one."""

    def __init__(self, threads: int, waiting: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="wechat")
        self._free = asyncio.Semaphore(threads)
        self._waiting = 0
        self._waiting_most = waiting

    async def attempt(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | _Failure:
        """`call` in a thread. Raises WeChatUnavailable when too many wait already."""
        return await self.tracked(_Progress(), call, *args, **kwargs)

    async def tracked(
        self, progress: _Progress, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R | _Failure:
        """The same, with `progress` kept."""
        if self._free.locked() and self._waiting >= self._waiting_most:
            logger.warning("%d calls wait for WeChat already; one more is refused", self._waiting)
            raise WeChatUnavailable()
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        loop = asyncio.get_running_loop()
        progress.under_way = True
        done = self._executor.submit(lambda: _attempt(call, *args, **kwargs))
        done.add_done_callback(lambda _: self._release(loop))
        answer = await asyncio.wrap_future(done)
        progress.under_way = False
        return answer

    def _release(self, loop: asyncio.AbstractEventLoop) -> None:
        """Called in the thread; a loop that has been closed meanwhile has nobody who waits."""
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(self._free.release)

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)


class _WithoutQuery(logging.Filter):
    """Takes the query out of every address that urllib3 logs: secrets, codes and tokens stand there."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = re.sub(r"\?\S*", "?…", record.getMessage())
        record.args = ()
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_WithoutQuery())
