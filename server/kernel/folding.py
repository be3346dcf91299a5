"""What counts as the same: one way for names and words, one for numbers, whoever typed them (by hand, from a PDF, in full width).

A name is kept and printed as on the card; only when it is compared or looked for is it folded. `folded` drops what people write or
leave out: case, widths, spaces, invisible characters and the dots of names (古丽·试例, 古丽．试例, 古丽试例). `bare_number` does the
same for numbers.
"""

from __future__ import annotations

import re
import unicodedata

from server.kernel.ideographs import unified

DOTS = ".·•‧∙⋅˙·・．･。"
"""Between the parts of a name, or a slip of the input method for one."""
_APOSTROPHES = str.maketrans("‘’ʼ′`", "'''''")
HYPHENS = "-‐‑‒–—―−－"
_SPACES = " \t\u00a0\u2000-\u200f\u202f\u205f\u2060\u3000\ufeff"
_GAP = f"[{_SPACES}{re.escape(DOTS)}]*"
_LABEL = re.compile(r"^(?:(?:培训)?(?:合格)?证书)?(?:编号|号码|号|序号|流水号)?:?(?:NO\.?:?)?")
_LEFT_OUT = ("Cc", "Cf")


def folded(text: str) -> str:
    """What two spellings of one name have in common; folded again, it stays."""
    plain = unicodedata.normalize("NFKC", unified(unicodedata.normalize("NFD", text)).casefold())
    plain = unicodedata.normalize("NFKC", plain.casefold()).translate(_APOSTROPHES)
    return unicodedata.normalize("NFKC", "".join(c for c in plain if _counts(c)))


def same(one: str, other: str) -> bool:
    """Whether two names are spellings of one."""
    return folded(one) == folded(other)


def holding(words: str) -> str:
    """The pattern (to be matched in any case) of the texts that hold `words`, however either is spelt."""
    plain = folded(words)
    if not plain:
        return re.escape(words.strip())
    return _GAP.join(f"[{_in_a_class(c)}]" for c in plain)


def bare_number(typed: str) -> str:
    """A number as it is kept: without the words before it (证书编号：), spaces and hyphens, half width, its letters capital."""
    plain = unicodedata.normalize("NFKC", typed).upper()
    plain = "".join(c for c in plain if c not in HYPHENS and _is_seen(c))
    return unicodedata.normalize("NFKC", _LABEL.sub("", plain))  # what stood apart may have come together


def _counts(character: str) -> bool:
    return _is_seen(character) and character not in DOTS


def _is_seen(character: str) -> bool:
    unseen = character.isspace() or unicodedata.category(character) in _LEFT_OUT
    return (
        not unseen and not "\ufe00" <= character <= "\ufe0f" and not "\U000e0100" <= character <= "\U000e01ef"
    )


def _in_a_class(character: str) -> str:
    """The character, and the one of full width that looks like it."""
    wide = chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else ""
    return re.sub(r"([\\\]\[^-])", r"\\\1", character) + wide
