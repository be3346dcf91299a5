"""Two 张伟 of one list are told apart, by no more than it takes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.kernel.namesakes import Listed, namesakes, told_apart

ONE = Listed("张伟", "甲学院", "110***********1234")
OF_ANOTHER_SCHOOL = Listed("张伟", "乙学院", "110***********1234")
OF_THE_SAME = Listed("张伟", "甲学院", "130***********5678")
WITH_THE_SAME_DIGITS = Listed("张伟", "甲学院", "320***********1234")


def test_who_is_alone_is_called_by_the_name() -> None:
    assert told_apart([ONE, Listed("李试", "甲学院", "")]) == ["张伟", "李试"]


def test_namesakes_are_told_apart_by_unit_then_by_the_last_digits_then_by_their_place() -> None:
    assert told_apart([ONE, OF_ANOTHER_SCHOOL]) == ["张伟（甲学院）", "张伟（乙学院）"]
    assert told_apart([ONE, OF_THE_SAME]) == ["张伟（甲学院，尾号 1234）", "张伟（甲学院，尾号 5678）"]
    assert told_apart([ONE, WITH_THE_SAME_DIGITS]) == [
        "张伟（甲学院，尾号 1234，第 1 位）",
        "张伟（甲学院，尾号 1234，第 2 位）",
    ]
    assert told_apart([ONE, OF_ANOTHER_SCHOOL, OF_THE_SAME])[1] == "张伟（乙学院）"


def test_names_that_are_spelt_otherwise_are_namesakes_too() -> None:
    assert namesakes(["Anna Li", "ANNA  LI", "李试"]) == {"Anna Li", "ANNA  LI"}


_PEOPLE = st.builds(
    Listed,
    st.sampled_from(["张伟", "王试", "张·伟"]),
    st.sampled_from(["甲学院", "乙学院", ""]),
    st.integers(0, 99).map(lambda number: f"11{number % 3}***********{number:04}"),
)


@given(st.lists(_PEOPLE, unique_by=lambda one: one.id_number_masked))
def test_nobody_is_called_like_another(people: list[Listed]) -> None:
    called = told_apart(people)
    assert len(set(called)) == len(people)
    assert all(said.startswith(one.name) for said, one in zip(called, people, strict=True))
