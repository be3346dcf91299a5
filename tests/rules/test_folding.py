"""What counts as the same name, the same words and the same number."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.accounts.rules import normalise_name
from server.classes.rules import check_name_typed
from server.kernel.errors import Invalid
from server.kernel.folding import bare_number, folded, holding, same

DOTTED = [
    "古丽·试例",
    "古丽•试例",
    "古丽．试例",
    "古丽.试例",
    "古丽・试例",
    "古丽 · 试例",
    "古丽　试例",
    "古丽试例",
]
LATIN = ["Anna Müller", "ANNA MÜLLER", "anna  müller", "Ａｎｎａ Ｍüller", "Anna·Müller", "annamu\u0308ller"]
NUMBERS = [
    "32017202212G001",
    "证书编号：32017202212G001",
    "证书编号: 32017202212g001",
    "编号 32017-2022-12-G-001",
    "３２０１７２０２２１２Ｇ００１",
    "合格证书编号：32017–2022–12–G001",
    "No. 32017202212G001",
]


@pytest.mark.parametrize("name", DOTTED)
def test_a_name_with_a_dot_is_the_same_with_any_dot_and_without_one(name: str) -> None:
    assert same(name, "古丽·试例")


@pytest.mark.parametrize("name", LATIN)
def test_a_name_in_latin_letters_is_the_same_in_any_case_and_width(name: str) -> None:
    assert same(name, "Anna Müller")


@pytest.mark.parametrize(("one", "other"), [("⻩试", "黄试"), ("王\u200b试", "王试"), ("O’Neil", "O'NEIL")])
def test_what_looks_the_same_is_the_same(one: str, other: str) -> None:
    assert same(one, other)


@pytest.mark.parametrize("other", ["古丽·试列", "古·试例", "丽古试例"])
def test_another_name_is_another(other: str) -> None:
    assert not same("古丽·试例", other)


@pytest.mark.parametrize("typed", NUMBERS)
def test_a_number_is_the_same_with_words_before_it_and_hyphens_in_it(typed: str) -> None:
    assert bare_number(typed) == "32017202212G001"


@pytest.mark.parametrize("words", [*DOTTED, "丽试", "丽·试"])
@pytest.mark.parametrize("text", DOTTED)
def test_words_are_found_however_either_is_spelt(words: str, text: str) -> None:
    assert re.search(holding(words), text, re.IGNORECASE)


def test_words_are_no_pattern() -> None:
    assert not re.search(holding("三.*班"), "三级培训班", re.IGNORECASE)
    assert re.search(holding("（第1期）"), "2026年三级班(第1期)", re.IGNORECASE)
    assert re.search(holding("[a-z]^\\"), "x[A-Z]^\\y", re.IGNORECASE)


@given(st.text())
def test_what_is_folded_stays_so(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@given(st.text(alphabet="古丽试例·•． AbéＡ'-"))
def test_folding_does_not_ask_whether_a_name_was_normalised_before(name: str) -> None:
    assert folded(normalise_name(name)) == folded(name)


@given(st.text(alphabet="古丽试例·•． AbcＡ（)[]^$", min_size=1), st.text(), st.text())
def test_a_text_holds_its_own_parts(words: str, before: str, after: str) -> None:
    if folded(words):
        assert re.search(holding(words), f"{before}{words}{after}", re.IGNORECASE)


@given(st.text())
def test_a_bare_number_stays_so(text: str) -> None:
    bare = bare_number(text)
    assert not set(bare) & set(" -－—") and bare_number(bare).endswith(bare[-1:])


def test_the_name_of_a_class_may_be_typed_in_other_widths_and_without_its_spaces() -> None:
    name = "2027年机械类三级教师培训班（2027 年第 1 期）"
    for typed in (name, "2027年机械类三级教师培训班(2027年第1期)", f" {name} "):
        check_name_typed(name, typed)
    with pytest.raises(Invalid):
        check_name_typed(name, name.replace("第 1 期", "第 2 期"))
