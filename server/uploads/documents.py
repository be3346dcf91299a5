"""A file that somebody has sent and no document names yet, and content that is kept once."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from server.kernel.mongo import Document
from server.kernel.titled import Titled
from server.uploads import rules


class UploadState(Titled):
    RECEIVING = "RECEIVING", "上传中"
    ARRIVED = "ARRIVED", "已传完，正在检查"
    READY = "READY", "可以提交"
    REFUSED = "REFUSED", "不能使用"
    TAKEN = "TAKEN", "已提交"
    """Its content was there already: what it brought goes with the next sweep."""


class WaitingUpload(Document):
    """`id` is that of its file in GridFS, too. Unique by person and nonce."""

    person_id: str
    nonce: str
    given_name: str
    """As the phone said it."""
    size: int
    """Bytes, as they were announced; no other number of them is taken."""
    got: list[int] = Field(default_factory=list)
    """Numbers of the parts that are kept."""
    state: UploadState = UploadState.RECEIVING
    name: str = ""
    """As its content says (file_types.safe_name)."""
    media_type: str = ""
    kind: str = ""
    """In words: 图片, Word 文档."""
    sha256: str = ""
    refusal: str = ""
    """Why it cannot be used, in words."""
    begun_at: datetime
    """By the machine's clock."""

    @property
    def missing(self) -> list[int]:
        return rules.missing(self.size, self.got) if self.state is UploadState.RECEIVING else []


class KeptContent(Document):
    """Content that documents name, kept once however often it was sent. `id` is its SHA-256. Nobody is told whether it was there before."""

    file_id: str
    size: int
    references: int
    """How many documents name it."""
