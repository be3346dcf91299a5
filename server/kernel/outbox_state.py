"""What becomes of a message on its way to WeChat. Pure, for the rules that ask it."""

from __future__ import annotations

from server.kernel.titled import Titled


class State(Titled):
    """What has become of a message on its way to WeChat; the inbox has it in every state."""

    WAITING = "waiting", "待发送"
    SENDING = "sending", "发送中"
    SENT = "sent", "已发送"
    KEPT = "kept", "仅站内"
    """In the inbox only, and nothing is wrong: no phone, no template, no grant."""
    UNCERTAIN = "uncertain", "结果不明"
    """Sent, perhaps: the answer never came. Never sent again."""
    DEAD = "dead", "发送失败"
    """Refused for good, or given up after the last attempt."""
    STOPPED = "stopped", "不再发送"
    """Somebody of the centre has looked at it and let it be."""
