"""Passwords that whoever guesses tries first: the commonest of those that became known elsewhere, and the words of this platform.

Known are the 30,000 commonest of the library zxcvbn. Read once; the answer itself is pure.
"""

from __future__ import annotations

import re
from functools import cache

WORDS_OF_OURS = (
    "gongxue", "yitihua", "jigong", "jixiao", "jishi", "xueyuan", "peixun", "shizi", "jidi", "yanxiu", "zhongxin", "jiaoshi", "gugan",
    "renshe",
    "mima", "admin", "training", "platform", "teacher",
    "centre", "center", "province", "welcome",
    "工学", "一体化", "技工", "技师", "院校", "学院", "学校", "培训", "师资", "基地", "研修", "中心", "教师", "骨干", "人社",
    "平台", "密码",
)  # fmt: skip
"""Of the platform and of the units that use it; the own username is refused beside them."""
MARKS_THAT_CHANGE_NOTHING = 6
"""So many digits and signs around a common word are tried with it: 123456, a year, a birthday, an @."""
LETTERS_LEAST = 4
"""Fewer are no word that makes a password guessable."""
LETTERS_MOST = 40
"""More words than that in a row nobody tries, and the pattern need not be tried on them."""


def is_common(password: str, own: str) -> bool:
    """Whether it is one of those, or letters that are, with a few digits and signs. `own` is the username."""
    folded = password.casefold()
    letters = "".join(filter(str.isalpha, folded))
    if folded in _known():
        return True
    if not 0 < len(letters) <= LETTERS_MOST or len(folded) - len(letters) > MARKS_THAT_CHANGE_NOTHING:
        return False
    of_ours = "|".join(map(re.escape, filter(None, (*WORDS_OF_OURS, own.casefold()))))
    return letters in _known() or re.fullmatch(f"(?:{of_ours})+", letters) is not None


@cache
def _known() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # large: only where somebody sets a password

    return frozenset(one for one in FREQUENCY_LISTS["passwords"] if len(one) >= LETTERS_LEAST)
