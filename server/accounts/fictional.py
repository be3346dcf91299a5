"""People who do not exist, for the demonstration and the tests: the same seed gives the same person.

Fictional by construction, so that nobody's data is ever used by chance:

- the ID number carries a region code ending in 9999, a place that GB/T 2260 does not have; the rest of it is valid;
- the phone begins with 154, a prefix that is not allotted to any operator;
- the name has 试, 例, 样, 演 or 拟 in the middle and one of 甲乙丙丁… at its end.
"""

import io
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, Protocol

import xlsxwriter

from server.accounts.rules import with_check_character

Sex = Literal["男", "女"]

_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏"
_MIDDLES = "试例样演拟"
_STEMS = "甲乙丙丁戊己庚辛壬癸"
_DAYS = 30 * 365
NAMES = len(_SURNAMES) * len(_STEMS) * len(_MIDDLES)
"""So many seeds, from 0 on, have different names."""


@dataclass(frozen=True)
class FictionalPerson:
    name: str
    id_number: str
    phone: str
    sex: Sex
    born: date
    unit: str = "示例市技师学院"


class OnRoster(Protocol):
    """What a roster says of a person."""

    @property
    def name(self) -> str: ...
    @property
    def id_number(self) -> str: ...
    @property
    def phone(self) -> str: ...
    @property
    def unit(self) -> str: ...


def roster_of(people: Iterable[OnRoster]) -> bytes:
    """An xlsx roster (名册) of these people, as an institution would upload it."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet("名册")
        sheet.write_row(0, 0, ("姓名", "身份证号", "工作单位", "职务", "手机号", "任教专业"))
        for number, one in enumerate(people, start=1):
            for column, text in enumerate((one.name, one.id_number, one.unit, "讲师", one.phone, "数控加工")):
                sheet.write_string(number, column, text)
    return content.getvalue()


def make_person(seed: int, province_code: str = "13") -> FictionalPerson:
    """The person of a seed (not negative): a working teacher, born between 1968 and 1997."""
    rng = random.Random(seed)  # noqa: S311 - repeatable is what is wanted
    # 7919 is a prime that does not divide _DAYS: so many seeds have different dates, hence different ID numbers.
    born = date(1968, 1, 1) + timedelta(days=seed * 7919 % _DAYS)
    sex: Sex = rng.choice(("男", "女"))
    return FictionalPerson(
        name=_name(seed),
        id_number=make_id_number(rng, born, province_code, sex),
        phone=f"154{rng.randrange(10**8):08d}",
        sex=sex,
        born=born,
    )


def make_id_number(rng: random.Random, born: date, province_code: str, sex: Sex) -> str:
    """An ID number that passes every check and belongs to nobody. `province_code` has two digits (GB/T 2260)."""
    sequence = rng.randrange(50) * 2 + (1 if sex == "男" else 0)
    return with_check_character(f"{province_code}9999{born:%Y%m%d}{rng.randrange(10)}{sequence:02d}")


def _name(seed: int) -> str:
    # 37 surnames and 10 stems share no factor: together they run through 370 pairs before one comes again.
    surname = _SURNAMES[seed % len(_SURNAMES)]
    middle = _MIDDLES[seed // (len(_SURNAMES) * len(_STEMS)) % len(_MIDDLES)]
    return surname + middle + _STEMS[seed % len(_STEMS)]
