"""Each field that takes an ID number, a phone or the number of a certificate takes it as people type and paste it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

import server.__main__  # noqa: F401  # every model is there once this is imported
from admin.handlers.backbone import PoolQuery
from miniprogram_api.handler import Response
from server.certificates.verify import Paper
from server.kernel.numbers import NO_WHOLE_NUMBER, bare_id_number, bare_phone
from tests import cast

ID_NUMBER = cast.person(17).id_number[:17] + "X"
WIDE = str.maketrans({chr(n): chr(n + 0xFEE0) for n in range(0x21, 0x7F)})
SPACED_ID = f"{ID_NUMBER[:6]} {ID_NUMBER[6:14]} {ID_NUMBER[14:]}"

ID_NUMBERS = [
    SPACED_ID,
    SPACED_ID.replace(" ", "\u3000"),
    SPACED_ID.replace(" ", "-"),
    SPACED_ID.replace(" ", "—"),
    ID_NUMBER.translate(WIDE),
    ID_NUMBER.lower(),
    ID_NUMBER.replace("X", "×"),
    f"身份证号：{ID_NUMBER}",
    f"公民身份号码 {SPACED_ID}",
    f"'{ID_NUMBER}",
    f"\u200e{ID_NUMBER}\n",
]
PHONES = [
    "154 0000 1234",
    "154-0000-1234",
    "+86 154 0000 1234",
    "１５４００００１２３４",
    "手机：15400001234",
    "联系电话 (154)00001234",
]
CERTIFICATE_NUMBERS = [
    "32017202212G001",
    " 32017 202212 g 001 ",
    "32017202212ｇ001",
    "32017-202212-G001",
    "３２０１７２０２２１２Ｇ００１",
    "证书编号：32017202212G001",
    "编号 32017202212g001",
]
SPELLINGS = {
    "id_number": (ID_NUMBERS, ID_NUMBER),
    "phone": (PHONES, "15400001234"),
    "certificate_number": (CERTIFICATE_NUMBERS, "32017202212G001"),
    "held_number": (CERTIFICATE_NUMBERS, "32017202212G001"),
}
HOUSE = ("server.", "admin.", "miniprogram_api.")
NOT_TYPED = (Response, Paper)
"""What is answered; what is stored stands in the documents. Both are of a number that was typed before."""


def models(of: type[BaseModel] = BaseModel) -> Iterator[type[BaseModel]]:
    for one in of.__subclasses__():
        if one.__module__.startswith(HOUSE) and not one.__module__.endswith(".documents"):
            yield one
        yield from models(one)


def fields() -> Iterator[tuple[str, FieldInfo, list[str], str]]:
    for model in {one for one in models() if not issubclass(one, NOT_TYPED)}:
        for name, field in model.model_fields.items():
            if name in SPELLINGS and "str" in str(field.annotation):
                yield f"{model.__name__}.{name}", field, *SPELLINGS[name]
    yield "PoolQuery.number", PoolQuery.model_fields["number"], *SPELLINGS["certificate_number"]


FIELDS = sorted(fields(), key=lambda one: one[0])


def test_all_that_take_a_number_are_found() -> None:
    named = {name.partition(".")[0] for name, *_ in FIELDS}
    assert named >= {
        "RealName", "Entry", "Edit", "TraineeCorrection", "Registration", "NomineeDraft",
        "CertificateQueryRequest", "PoolQuery",
    }  # fmt: skip


@pytest.mark.filterwarnings("ignore:The 'repr' attribute")  # of a field that is looked at by itself
@pytest.mark.parametrize(
    ("field", "typed", "kept"), [one[1:] for one in FIELDS], ids=[one[0] for one in FIELDS]
)
def test_a_number_is_taken_however_it_is_typed(field: FieldInfo, typed: list[str], kept: str) -> None:
    alone: Any = Annotated[field.annotation, field]
    taking: TypeAdapter[Any] = TypeAdapter(alone)
    assert {one: taking.validate_python(one) for one in typed} == dict.fromkeys(typed, kept)


@given(st.text(alphabet="身份证件号码公民手机电话:： -'X×x0123456789+86()", max_size=40))
def test_what_is_bare_stays_so(typed: str) -> None:
    assert bare_id_number(bare_id_number(typed)) == bare_id_number(typed)
    assert bare_phone(bare_phone(typed)) == bare_phone(typed)


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        *(
            (number, False)
            for number in (ID_NUMBER, SPACED_ID, f"王 {ID_NUMBER} 张", ID_NUMBER.translate(WIDE))
        ),
        *((number, False) for number in ("15400001234", "154 0000 1234", "王15400001234", "130000101010001")),
        *((words, True) for words in ("", "王试甲 1234", "2026 年三级班", "13009202603", "320172022121001")),
        *((words, True) for words in ("3201700001", "32017202212G001", "第 12 期 2026-03-16 至 2026-04-24")),
    ],
)
def test_a_browser_sends_no_whole_number_as_what_is_looked_for(typed: str, sent: bool) -> None:
    assert bool(re.fullmatch(NO_WHOLE_NUMBER, typed)) is sent
