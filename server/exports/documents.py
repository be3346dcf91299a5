"""Exports that are prepared in the background, as they are stored."""

from __future__ import annotations

from datetime import datetime

from server.kernel.mongo import Document
from server.kernel.titled import Titled


class State(Titled):
    PREPARING = "PREPARING", "正在准备"
    READY = "READY", "可以下载"
    FAILED = "FAILED", "没有完成"


class PreparedExport(Document):
    """A list that its owner asked for; nobody else sees it, or what is in it."""

    owner_id: str
    address: str
    """Of the list."""
    title: str
    conditions: dict[str, str]
    """What the list is narrowed to, as its address says it."""
    state: State
    asked_at: datetime
    expires_at: datetime
    attempts: int = 0
    rows: int = 0
    """Written so far; all of them once it is ready."""
    file_id: str | None = None
    file_name: str = ""
    size: int = 0
    error: str = ""
    """What a person is told of a failure."""
