"""GB 11643-1999: what is repaired, what is refused and why, and that no mask lets the middle through."""

import random
from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from server.accounts import rules
from server.accounts.fictional import NAMES, make_id_number, make_person
from server.accounts.rules import IdNumberInvalid, IdNumberLostDigits
from server.kernel.numbers import bare_id_number, bare_phone
from tests import cast

TODAY = date(2026, 3, 1)

births = st.dates(date(1900, 1, 1), TODAY)
numbers = st.builds(
    make_id_number,
    st.randoms(use_true_random=False),
    births,
    st.sampled_from(["11", "13", "32", "54", "65"]),
    st.sampled_from(["男", "女"]),
)


def number_of(region: str = "139999", born: str = "19850412", sequence: str = "123") -> str:
    return rules.with_check_character(region + born + sequence)


def reason_for(number: str) -> str:
    with pytest.raises(IdNumberInvalid) as refused:
        rules.check_id_number(number, today=TODAY)
    assert refused.value.slug == "id-number-invalid"
    assert refused.value.fields[0].place == "id_number"
    assert len(number) < 15 or number not in refused.value.detail
    return str(refused.value.extra["reason"])


@given(numbers)
def test_a_number_with_its_check_character_is_accepted(number: str) -> None:
    rules.check_id_number(number, today=TODAY)


@given(numbers, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_any_single_wrong_character_is_caught(number: str, place: int, other: str) -> None:
    assume(number[place] != other)
    with pytest.raises(IdNumberInvalid):
        rules.check_id_number(number[:place] + other + number[place + 1 :], today=TODAY)


@given(numbers, st.integers(0, 16))
def test_two_neighbours_written_the_wrong_way_round_are_caught(number: str, place: int) -> None:
    assume(number[place] != number[place + 1])
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    with pytest.raises(IdNumberInvalid):
        rules.check_id_number(swapped, today=TODAY)


@pytest.mark.parametrize("region", ["810000", "820000", "830000", "911156", "710000"])
def test_residence_permits_and_permanent_residence_cards_are_accepted(region: str) -> None:
    rules.check_id_number(number_of(region), today=TODAY)


@pytest.mark.parametrize("region", ["000000", "100000", "160101", "810001", "840000", "660101"])
def test_a_region_that_does_not_exist_is_refused(region: str) -> None:
    assert reason_for(number_of(region)) == "region"


@pytest.mark.parametrize("born", ["19850230", "19851301", "19850400", "18991231", "20260302", "00000101"])
def test_a_date_of_birth_that_cannot_be_is_refused(born: str) -> None:
    assert reason_for(number_of(born=born)) == "born"


@pytest.mark.parametrize("born", ["19000101", "20260301", "20240229"])
def test_the_first_day_today_and_a_leap_day_are_dates_of_birth(born: str) -> None:
    rules.check_id_number(number_of(born=born), today=TODAY)


def test_the_length_is_named() -> None:
    assert reason_for("") == "length"
    assert reason_for(number_of()[:-1]) == "length"
    assert reason_for(number_of()[:15]) == "length"
    with pytest.raises(IdNumberInvalid, match="现在是 17 位"):
        rules.check_id_number(number_of()[:-1], today=TODAY)
    with pytest.raises(IdNumberInvalid, match="15 位的旧证件号码"):
        rules.check_id_number(number_of()[:15], today=TODAY)


def test_the_place_of_a_wrong_character_is_named() -> None:
    number = number_of()
    assert reason_for(number[:4] + "O" + number[5:]) == "characters"
    with pytest.raises(IdNumberInvalid, match="第 5 位"):
        rules.check_id_number(number[:4] + "O" + number[5:], today=TODAY)
    with pytest.raises(IdNumberInvalid, match="第 17 位"):
        rules.check_id_number(number[:16] + "X" + number[17:], today=TODAY)


def test_a_wrong_check_character_is_named_and_the_right_one_is_not_told() -> None:
    number = number_of()
    wrong = number[:-1] + ("1" if number[-1] != "1" else "2")
    assert reason_for(wrong) == "check-character"


@pytest.mark.parametrize("text", ["1.10101E+17", "1.39999198504121E+17", "1.39999198504121e17", "1E+17"])
def test_scientific_notation_has_lost_digits(text: str) -> None:
    assert rules.looks_rounded(text)
    assert reason_for(text) == "lost-digits"


def test_zeros_after_fifteen_digits_have_lost_digits() -> None:
    number = number_of(sequence="100")
    rounded = number[:15] + "000"
    if rounded == number:  # the one in eleven that is right by chance
        rounded = number_of(sequence="200")[:15] + "000"
    assert rules.looks_rounded(rounded)
    assert rules.looks_rounded(rounded + ".0")
    with pytest.raises(IdNumberLostDigits):
        rules.check_id_number(rounded, today=TODAY)


def test_a_genuine_number_that_ends_in_zeros_is_accepted() -> None:
    genuine = next(
        number
        for day in range(400)
        for hundred in range(1, 10)
        if (
            number := number_of(born=f"{date(1985, 1, 1) + timedelta(day):%Y%m%d}", sequence=f"{hundred}00")
        ).endswith("000")
    )
    assert not rules.looks_rounded(genuine)
    rules.check_id_number(genuine, today=TODAY)


@given(numbers)
def test_a_number_with_all_its_digits_does_not_look_rounded(number: str) -> None:
    assert not rules.looks_rounded(number)


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing(raw: str) -> None:
    once = bare_id_number(raw)
    assert bare_id_number(once) == once


@given(st.text(max_size=40))
def test_whatever_is_typed_is_accepted_or_refused_with_a_reason(raw: str) -> None:
    number = bare_id_number(raw)
    try:
        rules.check_id_number(number, today=TODAY)
    except IdNumberInvalid as refused:
        assert refused.detail
        assert not raw or len(raw) < 8 or raw not in refused.detail


@given(
    numbers,
    st.lists(st.sampled_from([" ", "\u3000", "\u00a0", "\u200b", "\ufeff", "\t", "\u202d"]), max_size=6),
)
def test_spaces_and_what_nobody_sees_are_taken_out(number: str, strays: list[str]) -> None:
    shuffled = random.Random(number)
    raw = number
    for stray in strays:
        place = shuffled.randrange(len(raw) + 1)
        raw = raw[:place] + stray + raw[place:]
    assert bare_id_number(raw) == number


def test_full_width_digits_quotes_and_every_x_are_repaired() -> None:
    ending_in_x = next(
        number for sequence in range(100, 200) if (number := number_of(sequence=str(sequence))).endswith("X")
    )
    body = ending_in_x[:-1]
    full_width = "".join(chr(ord(digit) + 0xFEE0) for digit in body)
    for x in "xXｘＸⅩⅹ×Х":
        assert bare_id_number(f"'{full_width}{x} ") == ending_in_x


@given(numbers)
def test_the_mask_shows_three_and_four_and_nothing_between(number: str) -> None:
    masked = rules.mask_id_number(number)
    assert masked == number[:3] + "*" * 11 + number[-4:]


@given(st.text(max_size=40))
def test_no_mask_lets_the_middle_through(text: str) -> None:
    masked = rules.mask_id_number(text)
    assert len(masked) == len(text)
    assert set(masked[3:-4]) <= {"*"}
    assert len(text) >= 15 or set(masked) <= {"*"}


@pytest.mark.parametrize(
    "raw",
    ["154 0000 1234", "154-0000-1234", "+86 15400001234", "0086-154-0000-1234", "１５４００００１２３４"],
)
def test_a_phone_is_repaired(raw: str) -> None:
    phone = bare_phone(raw)
    assert phone == "15400001234"
    rules.check_phone(phone)


@pytest.mark.parametrize("raw", ["", "12400001234", "1540000123", "154000012345", "0319-1234567", "abc"])
def test_what_is_no_mobile_number_is_refused(raw: str) -> None:
    with pytest.raises(rules.PhoneInvalid):
        rules.check_phone(bare_phone(raw))


def test_only_a_look_at_the_card_or_a_provider_is_called_real_name() -> None:
    assert [level for level in rules.Evidence if level.is_real_name] == [
        "staff_confirmed",
        "provider_verified",
    ]
    assert all(("已实名认证" in level.label) == level.is_real_name for level in rules.Evidence)
    assert rules.Evidence.STAFF_CONFIRMED.reaches(rules.Evidence.ROSTER_MATCHED)
    assert not rules.Evidence.FORMAT_OK.reaches(rules.Evidence.ROSTER_MATCHED)


@given(st.integers(0, 10**9))
def test_a_fictional_person_passes_every_check(seed: int) -> None:
    someone = make_person(seed)
    rules.check_name(rules.normalise_name(someone.name))
    rules.check_id_number(someone.id_number, today=TODAY)
    rules.check_phone(someone.phone)
    assert someone == make_person(seed)
    assert (int(someone.id_number[16]) % 2 == 1) == (someone.sex == "男")


def test_fictional_people_of_a_class_are_different_people() -> None:
    assert len({make_person(seed).name for seed in range(NAMES)}) == NAMES
    assert len({make_person(seed).id_number for seed in range(NAMES)}) == NAMES


def test_the_region_of_a_fictional_person_does_not_exist() -> None:
    from stdnum import numdb

    places = numdb.get("cn/loc")
    assert all("county" not in places.info(make_person(seed).id_number[:6])[-1][1] for seed in range(50))
    assert "county" in places.info("130502")[-1][1]


def test_the_cast_can_sign_in_and_be_enrolled() -> None:
    for officer in cast.OFFICERS:
        rules.check_password(officer.password, officer.username)
    for person in (cast.TRAINEE, cast.TRAINEE_WITH_A_DOT, cast.BACKBONE_TEACHER, *cast.people(30)):
        rules.check_name(person.name)
        rules.check_id_number(person.id_number, today=TODAY)
