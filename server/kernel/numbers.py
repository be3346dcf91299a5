"""Numbers as people type or paste them, and as they are kept: one way each, for every form, query, roster and call of a phone.

What can be repaired safely is repaired: the words before a number (身份证号：), spaces, hyphens, quotes, widths, signs that look like an X.
It never raises, and a second pass changes nothing. What is wrong beyond that is refused by whoever knows what the number is for.
"""

import re
import unicodedata

from pydantic import AfterValidator

from server.kernel.folding import DOTS, HYPHENS, bare_number

HALF_WIDTH = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
# The roman numeral of the standard, the multiplication sign, and the Cyrillic and Greek letters.
_LOOKS_LIKE_X = dict.fromkeys(map(ord, "xⅩⅹ×ХхΧχ"), "X")
_LEFT_OUT = dict.fromkeys(map(ord, f"'\"`‘’“”′{HYPHENS}"))
_ID_LABEL = re.compile("^(?:(?:(?:居民|公民)?身份证?件?|证件)(?:号码|号)?:?)+")
_PHONE_LABEL = re.compile("^(?:(?:联系)?(?:手机|电话)(?:号码|号)?:?)+")
_APART = rf"[\s{re.escape(HYPHENS + DOTS)}]*"
_WHOLE = re.compile(rf"[0-9](?:{_APART}[0-9]){{13,}}{_APART}[0-9Xx]")
_OF_A_CERTIFICATE = re.compile(r"[0-9]{5}20[0-9]{2}(?:0[1-9]|1[0-2])[123][0-9]{3}")
"""Fifteen digits too, but with a year of this century where an old ID number would have a birth before 1910."""
_BETWEEN = r"[\s\-–—]*"
NO_WHOLE_NUMBER = (
    rf"(?!.*(?!{_OF_A_CERTIFICATE.pattern}(?![0-9]))[0-9０-９](?:{_BETWEEN}[0-9０-９]){{13,}}{_BETWEEN}[0-9０-９XxＸｘ])"
    rf"(?!.*(?<![0-9])(?![0-9]{{5}}20[0-9]{{2}}(?:0[1-9]|1[0-2])(?![0-9]))1[3-9][0-9]{_BETWEEN}[0-9]{{4}}{_BETWEEN}[0-9]{{4}}(?![0-9])).*"
)
"""For the attribute `pattern` of what is looked for: by it a browser, without JavaScript too, sends no whole ID number and no phone. What
begins as the number of a certificate does may be typed."""
_COUNTRY_CODE = re.compile(r"^(?:\+|00)?86(?=1[0-9]{10}$)")


def bare_id_number(typed: str) -> str:
    """An ID number in half width, its check character a capital X."""
    return _ID_LABEL.sub("", _bare(typed)).translate(_LOOKS_LIKE_X)


def bare_phone(typed: str) -> str:
    """A phone number without brackets and the country code of mainland China."""
    return _COUNTRY_CODE.sub("", _PHONE_LABEL.sub("", re.sub("[()]", "", _bare(typed))))


def without_whole_numbers(words: str) -> str:
    """Words that are looked for, of an ID number no more than its last four digits: addresses are kept in logs and histories."""
    found = False

    def cut(match: re.Match[str]) -> str:
        nonlocal found
        digits = re.sub("[^0-9Xx]", "", match[0])
        if _OF_A_CERTIFICATE.fullmatch(digits):
            return match[0]
        found = True
        return f" {digits[-4:]} "

    plain = unicodedata.normalize("NFKC", words).translate(_LOOKS_LIKE_X)
    shorter = _WHOLE.sub(
        cut, "".join(c for c in plain if c.isspace() or unicodedata.category(c) not in ("Cc", "Cf"))
    )
    return " ".join(shorter.split()) if found else words


def holds_whole_number(text: str) -> bool:
    """Whether somebody's ID number may stand in it, however it is written."""
    return without_whole_numbers(text) != text


def _bare(typed: str) -> str:
    plain = typed.translate(HALF_WIDTH).translate(_LEFT_OUT)
    return "".join(c for c in plain if not c.isspace() and unicodedata.category(c) not in ("Cc", "Cf"))


AS_ID_NUMBER = AfterValidator(bare_id_number)
AS_PHONE = AfterValidator(bare_phone)
AS_CERTIFICATE_NUMBER = AfterValidator(bare_number)
"""What makes a field of a form or a request one of these, behind its `Field`: lengths are those of what was typed."""
