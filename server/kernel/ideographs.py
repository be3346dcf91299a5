"""Chinese characters as people have them: what is copied out of a PDF, and how a character is shown that is refused.

A PDF often tells radicals of the dictionary where the reader sees characters: ⻩ for 黄, ⼀ for 一. They look the same and are others.
"""

import unicodedata

# Equivalent_Unified_Ideograph of the Unicode Character Database (EquivalentUnifiedIdeograph.txt, UAX #44, versions 15.1 to 17) for the
# block CJK Radicals Supplement, in the order of its code points; a blank has no equivalent. For Kangxi Radicals NFKC says the same.
_SUPPLEMENT = (
    " 厂乛乚乙亻冂𠘨刀刂卜㔾小小兀尣尢𡯂巳幺彑𫜹忄心扌攵 旡日"  # U+2E80 …
    "月歺母民氵氺灬爫爫丬牛犭王𤴔目示礻𥫗糹纟罓罒㓁冗𦉫羊𦍌𦍋耂"  # U+2E9D …
    "肀聿肉𦥑艹艹艹虎衤覀西见角𧢲讠贝𧾷车辶辶辶邑钅長镸长门𨸏阝"  # U+2EBA …
    "雨青韦页风飞食𩙿飠饣𩠐马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀龟"  # U+2ED7 … U+2EF3
)
_UNIFIED = {
    **{code: character for code, character in enumerate(_SUPPLEMENT, start=0x2E80) if character != " "},
    **{code: unicodedata.normalize("NFKC", chr(code)) for code in range(0x2F00, 0x2FD6)},
}

# Blank, though Unicode counts them as letters or symbols: the fillers of Hangul, the empty Braille pattern.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")


def unified(text: str) -> str:
    """`text` with the radicals of the dictionary replaced by the characters that they stand for."""
    return text.translate(_UNIFIED)


def shown(character: str) -> str:
    """One character for a message: as it is, or by its code point where nobody would see it.

    Unseen are blanks, controls, characters of private use, marks without a letter, and what is newer than the table of Python.
    """
    seen = (
        character.isprintable() and unicodedata.category(character)[0] not in "MZ" and character not in _BLANK
    )
    return f"“{character}”" if seen else f"U+{ord(character):04X}（看不见或显示不出的字符）"
