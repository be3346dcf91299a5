"""Differences between two versions of a training scheme, in words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.schemes.difference import difference
from tests.scheming import content

WHOLE = content("a" * 24)


def test_a_version_differs_from_itself_in_nothing_and_from_nothing_in_everything() -> None:
    assert difference(WHOLE, WHOLE) == []
    changes = difference(None, WHOLE)
    assert {one.kind for one in changes} == {"added"}
    assert len(changes) == 3 + len(WHOLE.courses) + len(WHOLE.sessions) + len(WHOLE.tasks)


@given(st.lists(st.sampled_from(range(16)), unique=True), st.lists(st.sampled_from(range(16)), unique=True))
def test_a_difference_read_backwards_says_the_contrary(old: list[int], new: list[int]) -> None:
    before, after = (
        WHOLE.model_copy(update={"sessions": tuple(WHOLE.sessions[number] for number in numbers)})
        for numbers in (old, new)
    )
    there, back = difference(before, after), difference(after, before)
    contrary = {"added": "removed", "removed": "added", "changed": "changed"}
    assert sorted((one.what, contrary[one.kind], one.after, one.before) for one in there) == sorted(
        (one.what, one.kind, one.before, one.after) for one in back
    )
    assert len(there) == len(set(old) ^ set(new))


def test_a_changed_row_says_only_what_changed_in_it() -> None:
    first, *rest = WHOLE.sessions
    elsewhere = WHOLE.model_copy(update={"sessions": (first.model_copy(update={"place": "机房 502"}), *rest)})
    [change] = difference(WHOLE, elsewhere)
    assert (change.section, change.kind_title) == ("课表", "修改")
    assert (change.before, change.after) == ("地点：实训楼 301", "地点：机房 502")
    assert change.what == "2026-03-17 08:30 第 1 天上午"


def test_weights_and_texts_are_compared_as_well() -> None:
    changed = WHOLE.model_copy(update={"formative_weight": 50, "materials": ""})
    assert [(one.section, one.kind) for one in difference(WHOLE, changed)] == [
        ("考核权重", "changed"),
        ("教材教具", "removed"),
    ]
