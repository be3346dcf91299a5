"""A reason is words (article 25 (4)): nothing that nobody sees counts as one."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from server.kernel.reasons import LONGEST, OptionalReason, Reason, ShortReason, readable

REASON: TypeAdapter[str] = TypeAdapter(Reason)
OPTIONAL: TypeAdapter[str] = TypeAdapter(OptionalReason)
UNSEEN = " \t\n\u00a0\u3000\u200b\u200c\u200d\u2060\ufeff\u00ad\u202e\u3164\u2800\0"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("台风停课", "台风停课"),
        ("  本人来电说明 \u200b", "本人来电说明"),
        ("\u200b台\u200b风\u200b停\u200b课", "台风停课"),
        ("一行。\n两行。", "一行。\n两行。"),
        ("OK, 同意", "OK, 同意"),
    ],
)
def test_words_are_kept_without_what_nobody_sees(typed: str, kept: str) -> None:
    assert REASON.validate_python(typed) == kept == OPTIONAL.validate_python(typed)


@pytest.mark.parametrize(
    "typed", ["\u200b\u200b", "\u200b" * 9, "停电", "停电 \u3000", "。。。。", "！？……", "㈠" + "\u3164" * 5]
)
def test_what_says_nothing_is_no_reason(typed: str) -> None:
    with pytest.raises(ValidationError):
        REASON.validate_python(typed)


@given(st.text(alphabet=UNSEEN, max_size=30))
def test_nothing_unseen_is_ever_a_reason_and_it_is_as_good_as_nothing_where_none_is_needed(
    typed: str,
) -> None:
    with pytest.raises(ValidationError):
        REASON.validate_python(typed)
    assert OPTIONAL.validate_python(typed) == ""


@given(st.text(max_size=LONGEST + 20))
@example("重新评阅" * 200)
def test_what_is_kept_is_kept_again(typed: str) -> None:
    try:
        kept = REASON.validate_python(typed)
    except ValidationError:
        return
    assert REASON.validate_python(kept) == kept == readable(kept)
    assert 4 <= len(kept) <= LONGEST


@pytest.mark.parametrize(
    ("typed", "kept"), [("病假", True), ("年休假", True), ("无", False), ("。。", False)]
)
def test_where_a_word_is_a_whole_reason_it_is_two_letters(typed: str, kept: bool) -> None:
    adapter: TypeAdapter[str] = TypeAdapter(ShortReason)
    if kept:
        assert adapter.validate_python(typed) == typed
    else:
        with pytest.raises(ValidationError):
            adapter.validate_python(typed)


def test_a_reason_that_is_too_short_or_too_long_says_so() -> None:
    for typed, words in (("停电", "string_too_short"), ("长" * (LONGEST + 1), "string_too_long")):
        with pytest.raises(ValidationError) as raised:
            REASON.validate_python(typed)
        assert raised.value.errors()[0]["type"] == words
