"""What WeChat pushes to us: proved to come from it, fresh, read safely, and known again when it comes twice.

Source: 消息推送 in WeChat's guide for servers. In the secure mode a body is encrypted with AES-256 and signed as a whole. In
the plain mode the signature covers the token, the moment and the nonce only, so that who has seen one push can send another
body with it: the plain mode is refused where an AES key is set up.

Of wechatpy the cipher and the signature serve. Its reading of bodies does not: it raises KeyError, TypeError, ExpatError and
others on malformed ones, and takes any timestamp (see `opened` and `check_fresh`).
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from xml.etree.ElementTree import Element, ParseError

import orjson
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException
from wechatpy.crypto import PrpCrypto, WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException
from wechatpy.utils import WeChatSigner

from server.kernel.errors import BadRequest, Forbidden

LARGEST = 64 * 1024
"""Bytes of a push; the events that we hear of take one or two thousand."""
NONCE_LONGEST = 64

Json = dict[str, Any]


class PushMalformed(BadRequest):
    slug = "push-malformed"
    title = "推送内容无法识别"
    default_detail = "推送的内容不符合微信的格式。"


class PushForged(Forbidden):
    """The signature is wrong, or of another moment, or was used for something else."""

    slug = "push-forged"
    title = "推送未通过验证"
    default_detail = "推送的签名、时间或随机数未通过验证。"


@dataclass(frozen=True)
class Sealed:
    query: str
    body: bytes


@dataclass(frozen=True)
class PushKeys:
    """What the owner of the mini-program set up: the token, and the EncodingAESKey (43 characters; empty: the plain mode)."""

    app_id: str
    token: str = field(repr=False)
    aes_key: str = field(repr=False)

    def signature(self, timestamp: str, nonce: str, *more: str) -> str:
        """SHA-1 of the parts in alphabetical order."""
        signer = WeChatSigner()
        signer.add_data(self.token, timestamp, nonce, *more)
        return str(signer.signature)

    def seal(self, text: str, to: str, timestamp: str, nonce: str) -> Sealed:
        """A push as WeChat sends it in the secure mode with JSON: query and body."""
        encrypted = PrpCrypto(self._crypto().key).encrypt(text, self.app_id).decode()
        query = {
            "signature": self.signature(timestamp, nonce),
            "timestamp": timestamp,
            "nonce": nonce,
            "encrypt_type": "aes",
            "msg_signature": self.signature(timestamp, nonce, encrypted),
        }
        return Sealed(urlencode(query), orjson.dumps({"ToUserName": to, "Encrypt": encrypted}))

    def open(self, body: Json, msg_signature: str, timestamp: str, nonce: str) -> str:
        """The text inside. Raises PushForged, PushMalformed."""
        if not isinstance(body.get("Encrypt"), str):
            raise PushMalformed()
        try:
            text: str = self._crypto().decrypt_message(body, msg_signature, timestamp, nonce)
        except (InvalidSignatureException, InvalidAppIdException):
            raise PushForged() from None
        except (ValueError, TypeError, KeyError, IndexError, struct.error, binascii.Error):
            raise PushMalformed() from None
        return text

    def _crypto(self) -> WeChatCrypto:
        return WeChatCrypto(self.token, self.aes_key, self.app_id)


@dataclass(frozen=True)
class Push:
    """One event that surely comes from WeChat, just now. `key` is the same when the same event is sent again."""

    nonce: str
    key: str
    name: str
    openid: str
    facts: Json


def echo(keys: PushKeys, query: Mapping[str, str], now: datetime, freshness: timedelta) -> str:
    """What answers WeChat's question whether this is our address. Raises PushForged."""
    timestamp, nonce = _checked(keys, query, now, freshness)
    text = query.get("echostr", "")
    if query.get("encrypt_type") != "aes":
        return text
    return keys.open({"Encrypt": text}, query.get("msg_signature", ""), timestamp, nonce)


def opened(
    keys: PushKeys, query: Mapping[str, str], body: bytes, now: datetime, freshness: timedelta
) -> Push:
    """The event in a push. Raises PushForged, PushMalformed; whether its nonce was seen before is not settled here."""
    timestamp, nonce = _checked(keys, query, now, freshness)
    content = read(body)
    if keys.aes_key:
        if query.get("encrypt_type") != "aes":
            raise PushForged()
        inner = keys.open(content, query.get("msg_signature", ""), timestamp, nonce)
        body = inner.encode()
        content = read(body)
    name, openid = content.get("Event"), content.get("FromUserName")
    return Push(
        nonce,
        _key(content, body),
        name if isinstance(name, str) else "",
        openid if isinstance(openid, str) else "",
        content,
    )


def _checked(
    keys: PushKeys, query: Mapping[str, str], now: datetime, freshness: timedelta
) -> tuple[str, str]:
    """Timestamp and nonce of a request whose signature is right and fresh."""
    timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    if not nonce or len(nonce) > NONCE_LONGEST or not timestamp.isascii() or not timestamp.isdecimal():
        raise PushForged()
    # As bytes: compare_digest refuses text outside of ASCII.
    if not hmac.compare_digest(
        keys.signature(timestamp, nonce).encode(), query.get("signature", "").encode()
    ):
        raise PushForged()
    check_fresh(timestamp, now, freshness)
    return timestamp, nonce


def check_fresh(timestamp: str, now: datetime, freshness: timedelta) -> None:
    """Raises PushForged for a moment that is further away than `freshness`, before or after."""
    try:
        moment = datetime.fromtimestamp(int(timestamp), UTC)
    except (ValueError, OverflowError, OSError):
        raise PushForged() from None
    if abs(now - moment) > freshness:
        raise PushForged()


def read(body: bytes) -> Json:
    """A body in either of WeChat's formats, JSON or XML. Raises PushMalformed.

    A document type, in which entities are declared, is refused: nothing is taken that is not in the body itself.
    """
    try:
        text = body.decode()
        content = orjson.loads(text) if text.lstrip().startswith("{") else _xml(text)
    except (
        UnicodeDecodeError,
        orjson.JSONDecodeError,
        ParseError,
        DefusedXmlException,
        ValueError,
        RecursionError,
    ):
        raise PushMalformed() from None
    if not isinstance(content, dict):
        raise PushMalformed()
    return content


def _xml(text: str) -> Json | str | None:
    return _plain(ElementTree.fromstring(text, forbid_dtd=True))


def _plain(element: Element) -> Json | str | None:
    """An element as JSON would have it; children of one name become a list."""
    if len(element) == 0:
        return element.text
    children: Json = {}
    for child in element:
        value = _plain(child)
        before = children.get(child.tag)
        children[child.tag] = (
            value
            if child.tag not in children
            else [*(before if isinstance(before, list) else [before]), value]
        )
    return children


def _key(content: Json, text: bytes) -> str:
    """A message is known by its MsgId, a verdict by its trace_id, any other event by all that it says, its moment included."""
    named = content.get("MsgId") or content.get("trace_id")
    known_by = f"{content.get('FromUserName')}\x00{named}".encode() if isinstance(named, str | int) else text
    return hashlib.sha256(known_by).hexdigest()
