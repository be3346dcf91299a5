"""Which versions of MongoDB a platform should not stand on. Pure; to be carried on with each advisory."""

from __future__ import annotations

SUPPORTED_FROM = (7, 0)
"""6.0 was supported until July 2025 (MongoDB Software Lifecycle Schedules)."""
MENDED = {(4, 4): 30, (5, 0): 32, (6, 0): 27, (7, 0): 28, (8, 0): 17, (8, 2): 3}
"""Series → the first release in which CVE-2025-14847 is mended: before it, whoever reaches the port reads pieces of the memory."""


def weakness(version: str) -> str:
    """What is wrong with this version, and what to do; empty when nothing is known."""
    major, minor, release = ([int(part) for part in version.partition("-")[0].split(".")] + [0, 0])[:3]
    series = (major, minor)
    mended = MENDED.get(series)
    vulnerable = release < mended if mended is not None else series < max(MENDED)
    words = []
    if vulnerable:
        words.append("有已知漏洞 CVE-2025-14847（不登录就能读取数据库内存）")
    if series < SUPPORTED_FROM:
        words.append("已经停止维护")
    return f"MongoDB {version} {'，且'.join(words)}，请尽快升级" if words else ""
