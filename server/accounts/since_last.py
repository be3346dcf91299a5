"""What happened at an account since its user last signed in: told at the next sign-in, for staff have no other place where it would reach
them. ASVS 5.0, 6.3.5 and 6.3.7: whoever did not do it oneself has to hear of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from server.kernel import audit
from server.kernel.identity import Actor
from server.kernel.platform import Platform

SIGNED_IN = "accounts:sign-in"
BY_RECOVERY_CODE = "accounts:use-recovery-code"
REFUSED = "accounts:sign-in-refused"
BY_ANYBODY = {
    "accounts:change-password": "密码被修改",
    "accounts:enrol-second-factor": "开通了两步验证",
    "accounts:remove-second-factor": "停用了两步验证",
    "accounts:renew-recovery-codes": "重新生成了恢复码",
    BY_RECOVERY_CODE: "用恢复码登录",
    "accounts:reset-password": "密码被管理人员重置",
    "accounts:reset-second-factor": "两步验证被重置",
    "accounts:reactivate": "账号被恢复",
}
"""What changes, or has stood in for, how one signs in."""
LOOKED_BACK = 200
"""Entries; who was tried more often than that reads as many."""


async def words(platform: Platform, actor: Actor) -> str:
    """A sentence, or nothing where nothing happened between the last two sign-ins. To be asked just after signing in."""
    entries = await audit.of_subject(platform, actor.id, limit=LOOKED_BACK)
    between = _between([entry["action"] for entry in entries])
    counted = Counter(between)
    happened = [BY_ANYBODY[action] for action in reversed(between) if action in BY_ANYBODY]
    if SIGNED_IN not in between and not counted[REFUSED]:
        return ""  # the first time: what was made for it is no news
    if counted[REFUSED]:
        happened.append(f"密码或验证码输错 {counted[REFUSED]} 次")
    if not happened:
        return ""
    told = "，".join(dict.fromkeys(happened))
    return f"上次登录以来：{told}。如不是您本人所为，请立即修改密码，并查看“我的登录”。"


def _between(actions: Sequence[str]) -> Sequence[str]:
    """Newest first: what lies between the last sign-in and the one before, which is the end of it if there was one."""
    now, *before = [place for place, action in enumerate(actions) if action == SIGNED_IN] or [len(actions)]
    return actions[_behind(now, actions) : _behind(before[0], actions) if before else None]


def _behind(place: int, actions: Sequence[str]) -> int:
    """Where that sign-in began, newest first: a recovery code belongs to the sign-in that it opened, and is news at the next."""
    return place + (2 if actions[place + 1 : place + 2] == [BY_RECOVERY_CODE] else 1)
