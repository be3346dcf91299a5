"""A seal service of others (电子印章系统): it is sent the drawn PDF over https and sends it back signed.

    POST <PLATFORM_SEAL_SERVICE_URL>/institutions/<机构号>/sign
    Authorization: Bearer <PLATFORM_SEAL_SERVICE_TOKEN>      Content-Type: application/pdf
    X-Seal-Reason, X-Seal-Place: percent-encoded UTF-8

answers 200 with the PDF and its signature, added after what was sent (an incremental update); anything else is a failure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote

import httpx

from server.kernel.errors import Unavailable

SECONDS = 30.0
MOST_BYTES = 20 * 1024 * 1024


class SealServiceFailed(Unavailable):
    slug = "seal-service-failed"
    title = "电子印章服务没有签署"


@dataclass(frozen=True)
class SealService:
    url: str
    token: str = field(repr=False)
    institution_code: str

    def sign(self, pdf: bytes, *, reason: str, place: str) -> bytes:
        """Raises SealServiceFailed."""
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/pdf",
            "X-Seal-Reason": quote(reason),
            "X-Seal-Place": quote(place),
        }
        address = f"{self.url.rstrip('/')}/institutions/{self.institution_code}/sign"
        body = bytearray()
        try:
            with (
                httpx.Client(timeout=SECONDS) as client,
                client.stream("POST", address, content=pdf, headers=headers) as answer,
            ):
                if answer.status_code != 200:
                    raise self.failed(f"回答了 {answer.status_code}")
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > MOST_BYTES:
                        raise self.failed("返回的文件太大")
        except httpx.HTTPError as error:
            raise self.failed("没有应答") from error
        return bytes(body)

    def failed(self, how: str) -> SealServiceFailed:
        return SealServiceFailed(
            f"外部电子印章服务{how}，本次没有签署，证书保持“待签”，平台会以同一编号重试。请联系印章服务的管理人员。"
        )
