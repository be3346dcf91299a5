"""What was typed into a form that nobody could take any more: the log-in had run out, or the page's token was too old (decision 0032).

It goes back to the browser that sent it, signed, in a hidden field of the log-in, and from there into a page that sends it once more:
nothing is stored, and nobody but who had signed in here gets it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import orjson
from tornado.web import decode_signed_value

from admin.options import NEVER_KEPT
from server.kernel.numbers import holds_whole_number

if TYPE_CHECKING:
    from admin.handler import PageHandler

FIELD = "kept"
MOST = 30_000
"""Bytes of a body: more would not pass the door of the log-in. A browser with JavaScript keeps more itself (drafts.js)."""
OUR_PAGE = re.compile(r"/admin([/?][!-~]*)?")


@dataclass(frozen=True)
class Kept:
    to: str
    """Where the form goes."""
    page: str
    """Where it stood."""
    who: str
    """Who had signed in, as far as the browser knows."""
    fields: list[tuple[str, str]]

    @property
    def texts(self) -> list[str]:
        """What a person typed, as far as it can be told from ids, versions and ticks."""
        return [value for _, value in self.fields if re.search(r"[^\x00-\x7f]|\s", value)]


def posted(handler: PageHandler, who: str) -> Kept | None:
    """What this request brought; None where it came from elsewhere, holds what is never shown again, or is too much."""
    request = handler.request
    ours = request.headers.get("Sec-Fetch-Site") == "same-origin" or (
        urlsplit(request.headers.get("Origin", "")).netloc == request.host
    )
    uri, page = request.uri or "", urlsplit(request.headers.get("Referer", ""))
    fields = [
        (name, value)
        for name in request.body_arguments
        if not name.startswith("_")
        for value in handler.get_body_arguments(name, strip=False)
    ]
    secret = any(value and (name in NEVER_KEPT or holds_whole_number(value)) for name, value in fields)
    if not ours or secret or request.files or len(request.body) > MOST or not OUR_PAGE.fullmatch(uri):
        return None
    stood = f"{page.path}?{page.query}" if page.query else page.path
    back = stood if page.netloc == request.host and OUR_PAGE.fullmatch(stood) else "/admin"
    return Kept(uri, back, who, fields)


def signed(handler: PageHandler, kept: Kept) -> str:
    said = orjson.dumps([kept.to, kept.page, kept.who, kept.fields]).decode()
    return handler.create_signed_value(FIELD, said).decode()


def read(handler: PageHandler) -> Kept | None:
    """What `signed` put into the log-in, at most a day ago."""
    secret, given = handler.settings["cookie_secret"], handler.get_body_argument(FIELD, "")
    said = decode_signed_value(secret, FIELD, given, max_age_days=1, min_version=2) if given else None
    if said is None:
        return None
    to, page, who, fields = orjson.loads(said)
    return Kept(to, page, who, [(name, value) for name, value in fields])
