"""Two 张伟 of one list are told apart, by no more than it takes."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from admin.rendering import by
from server.kernel.history import Step
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


def test_two_of_one_name_in_two_offices_are_told_apart_in_a_history() -> None:
    document = SimpleNamespace(institution_code="009", institution_name="邢台技师学院", later=None)
    steps = [
        Step(
            at=datetime(2026, 3, 16, tzinfo=UTC), actor_id="a", actor_name="王试甲", action="A", office=office
        )
        for office in ("centre", "province:13", "institution:009", "institution:017", "")
    ]
    assert [by(one, document) for one in steps] == [
        "王试甲，部指导中心",
        "王试甲，河北省级管理部门",
        "王试甲，邢台技师学院",
        "王试甲",
        "王试甲",
    ]
