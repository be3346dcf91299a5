"""`/phone/`: the mini-program in a browser, as `client/browser/` built it of the very files that WeChat runs.

Its framework sets styles inline, so its content policy allows them; scripts are files of ours as everywhere. Mounted only while WeChat is
simulated, for the page logs in as whichever phone it is told to be.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from server.kernel.static_files import KINDS, StaticFiles
from server.kernel.web import SECURITY_HEADERS

BUILT = Path(__file__).parent / "client" / "built" / "phone"
ADDRESS = r"/phone/(.*)"


class PhonePage(StaticFiles):
    kinds: ClassVar[dict[str, str]] = KINDS | {".html": "text/html; charset=utf-8"}
    headers: ClassVar[dict[str, str]] = SECURITY_HEADERS | {
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "media-src 'self' blob:; connect-src 'self' blob:; object-src 'none'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'",
    }

    def parse_url_path(self, url_path: str) -> str:
        return url_path or "index.html"
