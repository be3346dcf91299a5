"""The offices of staff, and what is said to one of them: a message of an office is one row, however many people work there.

Their messages stand in the web's inbox only; what goes to a person's phone is the outbox (server/decisions/0034).
"""

from __future__ import annotations

from dataclasses import dataclass

from server.kernel.titled import Titled

CENTRE = "centre"


def province(code: str) -> str:
    return f"province:{code}"


def institution(code: str) -> str:
    return f"institution:{code}"


def account(account_id: str) -> str:
    """Not an office, but one member of staff: for what nobody else there has asked for."""
    return f"account:{account_id}"


class Topic(Titled):
    """What a message to staff is about."""

    ASKED = "ASKED", "本人申请"
    DECIDED = "DECIDED", "审核结果"
    RETURNED = "RETURNED", "退回"
    URGED = "URGED", "催办"
    OVERDUE = "OVERDUE", "逾期"
    WINDOW = "WINDOW", "报送通知"
    MOVED = "MOVED", "调动"
    DELEGATED = "DELEGATED", "代办"
    READY = "READY", "文件已生成"
    EXPIRING = "EXPIRING", "到期提醒"
    REPORTED = "REPORTED", "证书举报"
    FAILED = "FAILED", "没有办成"


@dataclass(frozen=True)
class Said:
    """What is said to an office (`to`): `words` are a sentence, `href` leads to the thing below /admin."""

    to: str
    topic: Topic
    words: str
    href: str
