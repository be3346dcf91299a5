"""The name of an account, which stands on papers and in the trail for who did what (article 25.1: 一人一个账号). Pure.

It is typed by whoever gives the account, so that it may say nothing that the platform says: no brackets (代办 writes 李某（代王某）),
nothing that nobody sees or that turns the line around, and no office but the account's own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field

from server.kernel.errors import FieldError, Invalid
from server.kernel.folding import folded
from server.kernel.identity import INSTITUTION_ROLES, Role
from server.kernel.reasons import INVISIBLE

_SIGNS = " ·'.,-"
_IN_THE_PLACE_OF = re.compile(r"[^·]{2,}代[^·]{2,}")
"""王某代李某: nobody of four characters, as 欧阳代某, is meant."""
_CENTRE = ("部指导中心", "指导中心", "人力资源社会保障部", "人社部")
_PROVINCIAL = ("省级管理", "省级主管")
_OF_A_PROVINCE = ("省", "市", "自治", "壮族", "回族", "维吾尔", "管理", "人社", "人力资源")
"""After the name of a province: that alone is also a person's (江苏, 宁夏)."""


class AccountNameInvalid(Invalid):
    slug = "account-name-invalid"
    title = "使用人姓名有误"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, fields=[FieldError("name", detail)])


def _of_letters(name: str) -> str:
    """Raises ValueError for anything but letters, digits and the signs of names."""
    for one in name:
        letter = unicodedata.category(one) in ("Lu", "Ll", "Lo", "Nd") and one not in INVISIBLE
        if not letter and one not in _SIGNS:
            raise ValueError("姓名里只能有文字、数字、空格和“·”，不能有括号、其他符号或看不见的字符。")
    if _IN_THE_PLACE_OF.search(name):
        raise ValueError("请只写使用人自己的姓名；替人办理请用“请假代办”，平台会写明两个人。")
    return name


AccountName = Annotated[
    str, Field(title="使用人姓名", min_length=2, max_length=40), AfterValidator(_of_letters)
]


def check_office(name: str, role: Role, own: str, provinces: Iterable[str], units: Iterable[str]) -> None:
    """Raises AccountNameInvalid for a name that holds the title of another office, however it is spelt.

    `own`: the account's own province, or its own institution; empty at the centre. `provinces` and `units`: the names of all.
    """
    titles = {one for one in units if one != own}
    titles |= {place + more for place in provinces if place != own for more in _OF_A_PROVINCE}
    if role is not Role.NATIONAL_CENTRE:
        titles |= set(_CENTRE)
    said = folded(name)
    if role in INSTITUTION_ROLES:
        titles |= set(_PROVINCIAL)
        said = said.replace(folded(own), "/")  # 江苏省常州技师学院 says nothing of the province
    if any(folded(one) in said for one in titles):
        raise AccountNameInvalid("姓名里写了别的单位或管理部门的名称，请写使用人自己的姓名。")
