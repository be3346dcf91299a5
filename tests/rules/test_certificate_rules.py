from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from server.certificates.rules import (
    NUMBER_LAST,
    SERIAL_LAST,
    NumberInvalid,
    NumberParts,
    SerialInvalid,
    SerialParts,
    asked,
    is_number,
    is_serial,
    number,
    number_sequence,
    obstacles,
    parse_number,
    parse_serial,
    serial,
    serial_sequence,
    year_month,
)
from server.institutions.annex1 import INSTITUTIONS
from server.institutions.rules import Level
from tests.printed import a_snapshot

institutions = st.sampled_from(INSTITUTIONS)
levels = st.sampled_from(Level)
months = st.dates(date(2022, 1, 1), date(2099, 12, 31)).map(year_month)
serial_orders = st.integers(1, SERIAL_LAST)
number_orders = st.integers(1, NUMBER_LAST)


# ---- serial


@given(institutions.map(lambda each: (each.province_code, each.code)), serial_orders)
def test_a_serial_has_ten_digits_and_gives_its_parts_back(place: tuple[str, str], order: int) -> None:
    text = serial(*place, order)
    assert len(text) == 10
    assert text.isdecimal()
    assert is_serial(text)
    assert parse_serial(text) == SerialParts(*place, order)
    assert serial(*parse_serial(text)) == text


@pytest.mark.parametrize(("order", "text"), [(1, "1100100001"), (99_999, "1100199999")])
def test_the_order_of_a_serial_runs_from_1_to_99999(order: int, text: str) -> None:
    assert serial("11", "001", order) == text


@pytest.mark.parametrize("order", [-1, 0, SERIAL_LAST + 1])
def test_an_order_outside_its_five_digits_makes_no_serial(order: int) -> None:
    with pytest.raises(SerialInvalid):
        serial("11", "001", order)


@pytest.mark.parametrize(
    ("province", "institution"), [("1", "1001"), ("110", "01"), ("11", "1"), ("", ""), ("１１", "001")]
)
def test_parts_of_another_length_make_no_serial_even_when_the_sum_is_right(
    province: str, institution: str
) -> None:
    with pytest.raises(SerialInvalid):
        serial(province, institution, 1)


@given(st.text())
def test_what_is_read_as_a_serial_is_written_the_same(text: str) -> None:
    if is_serial(text):
        assert serial(*parse_serial(text)) == text
    else:
        with pytest.raises(SerialInvalid):
            parse_serial(text)


# ---- number


@given(institutions.map(lambda each: (each.province_code, each.code)), months, levels, number_orders)
def test_a_number_has_fifteen_characters_and_gives_its_parts_back(
    place: tuple[str, str], month: str, level: Level, order: int
) -> None:
    text = number(*place, month, level, order)
    assert len(text) == 15
    assert text[11] == level
    assert is_number(text)
    assert parse_number(text) == NumberParts(*place, month, level, order)
    assert number(*parse_number(text)) == text


@pytest.mark.parametrize(("order", "text"), [(1, "130092022063001"), (999, "130092022063999")])
def test_the_order_of_a_number_runs_from_1_to_999(order: int, text: str) -> None:
    assert number("13", "009", "202206", Level.THREE, order) == text


@pytest.mark.parametrize("order", [-1, 0, NUMBER_LAST + 1])
def test_an_order_outside_its_three_digits_makes_no_number(order: int) -> None:
    with pytest.raises(NumberInvalid):
        number("13", "009", "202206", Level.THREE, order)


@pytest.mark.parametrize("month", ["202200", "202213", "2022", "20226", "2022-6", "２０２２０６", ""])
def test_a_month_that_does_not_exist_makes_no_number(month: str) -> None:
    with pytest.raises(NumberInvalid):
        number("13", "009", month, Level.THREE, 1)


@pytest.mark.parametrize(
    "text",
    [
        "13009202206300",  # one short
        "1300920220630011",  # one long
        "130092022060001",  # no such level
        "13009202206g001",  # a small letter: tidy it first
        "130092022063000",  # the order begins with 001
        "130092022063001\n",
        "13009202206３001",
    ],
)
def test_what_is_no_number_is_refused_with_words_that_help(text: str) -> None:
    assert not is_number(text)
    with pytest.raises(NumberInvalid) as refusal:
        parse_number(text)
    assert "15位" in refusal.value.detail


@given(st.text("0123456789G", min_size=15, max_size=15))
def test_what_is_read_as_a_number_is_written_the_same(text: str) -> None:
    if is_number(text):
        assert number(*parse_number(text)) == text


def test_the_month_of_a_number_is_that_of_the_first_day_of_the_class() -> None:
    assert year_month(date(2022, 6, 30)) == "202206"
    assert year_month(date(2022, 12, 1)) == "202212"


# ---- sequences


def test_classes_of_the_same_institution_month_and_level_share_one_sequence() -> None:
    assert number_sequence("13", "009", "202206", Level.THREE) == "certificate-number:130092022063"
    assert serial_sequence("13", "009") == "certificate-serial:13009"


@given(st.lists(st.tuples(institutions, months, levels), min_size=2, max_size=2, unique=True))
def test_two_sequences_never_make_the_same_code(two: list[tuple[object, str, Level]]) -> None:
    names = [number_sequence(i.province_code, i.code, month, level) for i, month, level in two]  # type: ignore[attr-defined]
    codes = [number(i.province_code, i.code, month, level, 1) for i, month, level in two]  # type: ignore[attr-defined]
    assert names[0] != names[1]
    assert codes[0] != codes[1]


# ---- who may get one

CAN: dict[str, Any] = {"passed": True, "attended_enough": True, "survey_done": True, "survey_required": True}


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({}, ()),
        ({"passed": None}, ("考核成绩尚未发布",)),
        ({"passed": False}, ("未通过考核",)),
        ({"arrived": True}, ()),
        ({"arrived": False}, ("没有报到，未签署承诺书",)),
        ({"lacking": "𱅒"}, ("姓名中的“𱅒”无法打印",)),
        ({"attended_enough": False}, ("出勤不足",)),
        ({"survey_done": False}, ("未完成满意度评价",)),
        ({"survey_done": False, "survey_required": False}, ()),
        ({"survey_required": False}, ()),
        (
            {"passed": False, "attended_enough": False, "survey_done": False},
            ("未通过考核", "出勤不足", "未完成满意度评价"),
        ),
    ],
)
def test_every_reason_against_a_certificate_is_told(
    changes: dict[str, Any], reasons: tuple[str, ...]
) -> None:
    assert obstacles(asked(**(CAN | changes))) == reasons


# ---- the snapshot


@pytest.mark.parametrize(
    "changes",
    [
        {"training_to": date(2022, 6, 5)},
        {"serial": serial("13", "008", 1)},  # of another institution
        {"number": number("11", "009", "202206", Level.THREE, 1)},  # of another province
        {"number": number("13", "009", "202206", Level.TWO, 1)},  # of another level
        {"number": "13009202206300X"},
        {"serial": "130090000X"},
        {"courses": ()},
        {"courses": ("课程",) * 9},
        {"name": " "},
        {"name": "张\n三"},
        {"class_hours": 0},
        {"id_number": "1234"},
    ],
)
def test_a_snapshot_that_contradicts_itself_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        a_snapshot(**changes)


def test_a_snapshot_never_shows_the_id_number_by_accident() -> None:
    snapshot = a_snapshot()
    assert snapshot.id_number not in repr(snapshot)
    with pytest.raises(ValidationError) as refusal:
        a_snapshot(id_number=snapshot.id_number + "0")
    assert snapshot.id_number not in str(refusal.value)
