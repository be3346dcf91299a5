"""Names as they come in rosters, and as they stand on a certificate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.accounts.rules import NameInvalid, check_name, mask_name, normalise_name
from server.kernel.ideographs import unified

HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=2, max_size=12)


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing(raw: str) -> None:
    once = normalise_name(raw)
    assert normalise_name(once) == once


@given(HAN)
def test_a_chinese_name_stays_as_it_is(name: str) -> None:
    assert normalise_name(name) == name
    check_name(name)


@given(HAN, st.sampled_from(" \u3000\u00a0\t\u200b\ufeff\u2003"))
def test_spaces_inside_a_chinese_name_go(name: str, space: str) -> None:
    assert normalise_name(f"{space}{space.join(name)}{space}") == name


@pytest.mark.parametrize("dot", ["·", "．", "•", "・", "･", "‧", ".", "∙", "⋅", " · ", " •", "\u0387"])
def test_every_dot_becomes_the_one_dot(dot: str) -> None:
    assert normalise_name(f"古丽{dot}试例") == "古丽·试例"


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("⼀⼆", "一二"),  # Kangxi radicals, copied out of a PDF
        ("⻩⻢", "黄马"),  # radicals of the supplement, which NFKC leaves as they are
        ("⻰⻓", "龙长"),
        ("⻩　⺠ ⽣", "黄民生"),
        ("⻢⽊•⻘⻛", "马木·青风"),
        ("\uf900试", "豈试"),  # a compatibility ideograph
        ("Ａｎｎａ　Ｓｍｉｔｈ", "Anna Smith"),
        ("  Anna   Smith ", "Anna Smith"),
        ("J. Smith", "J. Smith"),
        ("辻\U000e0100试", "辻试"),  # a variation selector
        ("\U00020bb7试", "\U00020bb7试"),
    ],
)
def test_other_spellings_of_the_same_name(raw: str, name: str) -> None:
    assert normalise_name(raw) == name
    check_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "张三",
        "古丽·试例",
        "阿卜杜·试·例",
        "㑇试",
        "\U00020bb7试",
        "\U00031350试",
        "\U000323b0试",
        "〇试",
        "試" * 30,
    ]
    + ["Anna Smith", "O'Neil-Smith", "José Núñez", "J. R. Smith", "Smith, Anna", "Sammy Davis Jr.", "A" * 60],
)
def test_names_that_are_accepted(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "张",
        "試" * 31,
        "A" * 61,
        "张三1",
        "张三（组长）",
        "张三,李四",
        "·张三",
        "张三·",
        "张··三",
        "张 三",
        "Anna张",
    ]
    + ["张三、李四", "Anna  Smith", "12345", "-Anna", "张\u200b三", "ひろし", "🙂🙂", "TRUE\n"],
)
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(NameInvalid) as refused:
        check_name(name)
    assert refused.value.fields[0].place == "name"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张三（组长）", "姓名里的“(”不能用"),
        ("张三1", "姓名里的“1”不能用"),
        ("张三、李四", "姓名里的“、”不能用"),
        ("张三,李四", "姓名里的“,”不能用"),
        ("Anna张", "姓名里的“A”不能用"),
        ("张三🙂", "姓名里的“🙂”不能用"),
        ("ひろし", "姓名里的“ひ”不能用"),
        ("张三\u2800", "姓名里的U+2800（看不见"),
        ("张\u3164三", "姓名里的U+1160（看不见"),
        ("张三\u0301", "姓名里的U+0301（看不见"),
        ("张⺀三", "姓名里的“⺀”不能用"),  # the one radical that stands for no character
        ("张\ue863三", "私用区编码 U+E863"),
    ],
)
def test_the_character_that_is_refused_is_shown(name: str, shown: str) -> None:
    with pytest.raises(NameInvalid) as refused:
        check_name(normalise_name(name))
    assert shown in refused.value.detail and refused.value.fields[0].message == refused.value.detail


def test_every_radical_of_both_blocks_but_one_becomes_a_character_that_names_may_have() -> None:
    for code in (*range(0x2E81, 0x2E9A), *range(0x2E9B, 0x2EF4), *range(0x2F00, 0x2FD6)):
        check_name(normalise_name(f"张{chr(code)}"))
    assert normalise_name("⺀⺚") == "⺀⺚"  # a mark of repetition, and a code that nothing has


@given(st.text(st.characters(min_codepoint=0x2E80, max_codepoint=0x2FDF), max_size=20))
def test_radicals_are_unified_once_and_for_all(raw: str) -> None:
    once = unified(raw)
    assert unified(once) == once and len(once) == len(raw)


def test_a_private_use_character_has_words_of_its_own() -> None:
    with pytest.raises(NameInvalid, match="自造字"):
        check_name(normalise_name("张\ue863"))


def test_a_character_newer_than_the_table_of_python_is_not_dropped() -> None:
    assert normalise_name("张\U000323b0") == "张\U000323b0"


@given(st.text(max_size=80))
def test_whatever_is_typed_is_accepted_or_refused_with_words(raw: str) -> None:
    try:
        check_name(normalise_name(raw))
    except NameInvalid as refused:
        assert refused.detail


@pytest.mark.parametrize(
    ("name", "masked"),
    [("", "*"), ("张", "张*"), ("张三", "张*"), ("张试三", "张*三"), ("古丽·试例", "古***例")],
)
def test_a_masked_name_shows_its_ends(name: str, masked: str) -> None:
    assert mask_name(name) == masked
