"""How a file comes in parts over a bad network: which parts there are, and how large each is. Pure. The guide says nothing of it."""

from __future__ import annotations

from collections.abc import Collection

from server.kernel.errors import FieldError, Invalid, NotFound

PART_BYTES = 4 * 2**20
"""What a phone sends in one request: so many whole chunks of a file (kernel.files)."""


def parts_of(size: int) -> int:
    """In how many parts a file comes: one at least."""
    return max(1, -(-size // PART_BYTES))


def bytes_of(size: int, number: int) -> int:
    """How large part `number`, from nought, of a file of this size is. Raises NotFound for one that it has not."""
    if not 0 <= number < parts_of(size):
        raise NotFound(f"这个文件只有 {parts_of(size)} 段，编号从 0 起。")
    return min(PART_BYTES, size - number * PART_BYTES)


def require_whole(size: int, number: int, sent: int) -> None:
    """Raises Invalid unless exactly the bytes of this part were sent: what was cut off on the way is sent again."""
    expected = bytes_of(size, number)
    if sent != expected:
        words = f"第 {number} 段应为 {expected} 字节，收到 {sent} 字节，请重新上传这一段。"
        raise Invalid(fields=[FieldError("part", words)])


def missing(size: int, got: Collection[int]) -> list[int]:
    """Which parts have not come, in their order."""
    return [number for number in range(parts_of(size)) if number not in got]
