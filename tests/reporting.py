"""Reports of forged certificates, as the public sends them."""

from __future__ import annotations

import io

from PIL import Image

from server.forgeries import service
from server.forgeries.documents import Forgery
from server.forgeries.service import Report
from server.kernel.platform import Platform
from server.kernel.public_questions import Asker
from tests.asking import solved

NONCE = "5" * 32
SEEN = "在某招聘网站上看到这张证书的照片，发证日期被改过。"


def photo() -> bytes:
    """What a phone sends, with the place where it was taken."""
    taken = Image.new("RGB", (320, 200), "white")
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    exif[0x0112] = 6  # lies on its side
    content = io.BytesIO()
    taken.save(content, "JPEG", exif=exif)
    return content.getvalue()


async def reported(
    platform: Platform,
    number: str = "",
    *,
    issuer: str = "",
    nonce: str = NONCE,
    picture: bytes | None = None,
) -> Forgery:
    """A report with picture and contact."""
    wanted = Report(nonce=nonce, number=number, issuer=issuer, description=SEEN, contact="zhang@example.cn")
    asker = Asker("192.0.2.77", solved(platform))
    code = await service.report(platform, asker, wanted, photo() if picture is None else picture)
    row = await platform["forgeries"].find_one({"receipt": service._receipt(platform, code)})
    assert row is not None
    return Forgery.from_mongo(row)
