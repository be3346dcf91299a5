"""Money is whole fen; people type and read yuan."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

LARGEST_FEN = 10**11
"""A milliard yuan: more than a province spends on training teachers. What is above is a slip of the finger."""


def fen_of(typed: str) -> int:
    """ "12,000" or "350.5" yuan as fen. Raises ValueError, in Chinese, for what is no amount of money."""
    try:
        yuan = Decimal(typed.replace(",", "").replace("，", "").strip())
    except InvalidOperation:
        raise ValueError("请填写金额，如 120000 或 350.50。") from None
    if not yuan.is_finite() or not 0 <= yuan <= LARGEST_FEN // 100:
        raise ValueError("金额应在 0 至 10 亿元之间。")
    fen = yuan * 100
    if fen != fen.to_integral_value():
        raise ValueError("金额最多到分，即两位小数。")
    return int(fen)


def yuan_of(fen: int) -> str:
    """Fen as somebody would type them: 12000000 → "120000", 35050 → "350.50"."""
    whole, rest = divmod(fen, 100)
    return f"{whole}.{rest:02d}" if rest else str(whole)


def yuan(fen: int) -> str:
    """Fen as pages show them: 12000000 → "120,000.00 元"."""
    return f"{fen // 100:,}.{fen % 100:02d} 元"
