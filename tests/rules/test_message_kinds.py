"""The table of message kinds: what the tree sends has a row, and what a row says fits a phone and WeChat."""

import ast
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.messages.fields import FieldKind, fitted
from server.messages.inbox import MOMENTS, Moment
from server.messages.kind import FIELD_TITLES, Kind, MissingField
from server.messages.kinds import KINDS
from server.messages.targets import TARGETS, target_of
from server.wechat.terms import MESSAGE_VALUES

SERVER = Path(__file__).parents[2] / "server"
EVERY_KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


def notifications() -> Iterator[tuple[str, ast.Call]]:
    """Every `unit.notify(…)` of the tree with a name written out, and where it stands."""
    for path in sorted(SERVER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "notify":
                yield f"{path.relative_to(SERVER)}:{node.lineno}", node


def sample(kind: Kind) -> dict[str, str]:
    """Plausible data of a message of this kind."""
    dates = {name for field, name in kind.wechat if field is FieldKind.DATE}
    return {name: "2026-03-16" if name in dates else f"示例{name}" for name in kind.fields}


def test_every_name_that_the_tree_sends_has_a_row_and_gets_its_fields() -> None:
    found = list(notifications())
    assert len(found) > 10
    for place, call in found:
        if len(call.args) < 2 or not isinstance(call.args[1], ast.Constant):
            continue  # a name from a table: checked when it is sent, by tests/conftest.py
        name = str(call.args[1].value)
        assert name in KINDS, f"{place}: “{name}” has no row in server/messages/kinds.py"
        given_here = {keyword.arg for keyword in call.keywords}
        if None not in given_here:
            assert KINDS[name].fields <= given_here, place


def test_every_kind_of_message_leads_somewhere() -> None:
    assert TARGETS.keys() == KINDS.keys()
    assert target_of("m", "work-remark", {"task_id": "t"}) == ("task", "t")
    assert target_of("m", "work-remark", {}) == ("message", "m")  # of before it carried the id
    assert target_of("m", "duty-warning", {}) == ("duties", "")
    assert target_of("m", "of-a-later-version", {}) == ("message", "m")


def test_a_moment_asks_for_three_kinds_at_most() -> None:
    assert MOMENTS.keys() == set(Moment)
    for kinds in MOMENTS.values():
        assert 0 < len(kinds) <= 3 and set(kinds) <= KINDS.keys()


@EVERY_KIND
def test_a_text_says_every_field(kind: Kind) -> None:
    text = kind.text(sample(kind))
    assert "{" not in text
    assert text.endswith(("。", "：示例reason"))


def test_every_field_has_a_title() -> None:
    assert {name for kind in KINDS.values() for name in kind.fields} <= FIELD_TITLES.keys()


def test_a_sentence_whose_field_is_empty_is_left_out() -> None:
    kind = KINDS["application-rejected"]
    assert kind.text({"class_name": "示例班", "reason": ""}) == "您报名的“示例班”没有通过审核。"


@EVERY_KIND
def test_a_message_without_one_of_its_fields_is_a_mistake(kind: Kind) -> None:
    for name in kind.fields:
        with pytest.raises(MissingField, match=name):
            kind.text({key: value for key, value in sample(kind).items() if key != name})


@EVERY_KIND
@given(words=st.text(max_size=60))
def test_whatever_a_chapter_says_fits_wechats_fields(kind: Kind, words: str) -> None:
    dates = {name: "2026-03-16" for field, name in kind.wechat if field is FieldKind.DATE}
    data = dict.fromkeys(kind.fields, words) | dates
    for key, value in kind.wechat_data(kind.usual_keys, data).items():
        assert MESSAGE_VALUES[key.rstrip("0123456789")].fullmatch(value), (key, value)


@pytest.mark.parametrize(
    ("day", "wakes"),
    [("2026-03-15", False), ("2026-03-16", True), ("2026-03-17", True), ("2026-03-18", False), ("", False)],
)
def test_only_what_is_about_today_or_tomorrow_may_wake_somebody(day: str, wakes: bool) -> None:
    today = date(2026, 3, 16)
    assert KINDS["invitation-cancelled"].may_wake({"starts_on": day}, today) is wakes
    assert KINDS["session-soon"].may_wake({"starts_at": f"{day} 08:00"}, today) is wakes
    assert not KINDS["enrolled"].may_wake({"starts_on": day}, today)


@EVERY_KIND
def test_the_day_that_may_wake_is_a_field_of_the_message(kind: Kind) -> None:
    assert not kind.wakes or (FieldKind.DATE, kind.wakes) in kind.wechat


def test_a_thing_of_twenty_characters_stays_whole_and_one_more_is_cut() -> None:
    assert fitted(FieldKind.THING, "字" * 20) == "字" * 20
    assert fitted(FieldKind.THING, "字" * 21) == "字" * 19 + "…"
    assert fitted(FieldKind.THING, "一\n二") == "一 二"
