"""What WeChat has not (yet) let pass, as it is stored."""

from __future__ import annotations

from datetime import datetime, timedelta

from server.kernel.mongo import Document
from server.kernel.titled import Titled


class State(Titled):
    """Where a check is. The last two are a person's word and final."""

    WAITING = "waiting", "待检查"
    ASKED = "asked", "检查中"
    PASSED = "passed", "检查通过"
    REVIEW = "review", "需人工查看"
    RISKY = "risky", "疑似违规"
    UNCHECKED = "unchecked", "未能自动检查"
    CLEARED = "cleared", "人工查看：没有问题"
    CONFIRMED = "confirmed", "人工查看：确有违规"

    @property
    def pending(self) -> bool:
        return self in PENDING

    @property
    def open(self) -> bool:
        """A person should look at it."""
        return self in OPEN


KEPT = timedelta(days=365)
"""How long a check is kept after it was settled."""
PENDING = (State.WAITING, State.ASKED)
OPEN = (State.REVIEW, State.RISKY, State.UNCHECKED)


class ContentCheck(Document):
    """One text or picture that somebody published from a phone and that did not simply pass."""

    subject: str
    """What it belongs to, e.g. `submission:<id>`."""
    part: str
    """Which text of it, or the id of the file."""
    title: str
    """In Chinese: 学习成果《教学设计》."""
    class_id: str | None
    class_name: str
    institution_code: str
    province_code: str
    person_id: str
    person_name: str
    openid: str
    scene: int
    text: str | None = None
    """The words, as long as somebody may have to look at them."""
    file_id: str | None = None
    file_name: str = ""
    media_type: str = ""
    state: State
    pending: bool
    open: bool
    label: int | None = None
    attempts: int = 0
    next_attempt_at: datetime
    created_at: datetime
    decided_at: datetime | None = None
    decided_by: str = ""
    note: str = ""
    forget_at: datetime | None = None
    """Set when nobody has to look at it any more."""
