"""Words that are looked for: no whole ID number stays in them, and none unfolds into more than the database takes."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from admin.handlers.audit import TrailQuery
from admin.lists import Words
from server.backbone.search import of_words
from server.kernel.found import looking_for, person_looked_for
from server.kernel.grams import WRITTEN_MOST, grams
from server.kernel.numbers import holds_whole_number
from server.kernel.web import as_problem
from tests import cast

NUMBER = cast.person(17).id_number[:17] + "X"
OLD = NUMBER[:6] + NUMBER[8:17]
WIDE = str.maketrans({chr(n): chr(n + 0xFEE0) for n in range(0x21, 0x7F)})
WRITTEN = [
    NUMBER,
    NUMBER.lower(),
    NUMBER.replace("X", "×"),
    NUMBER.translate(WIDE),
    f"{NUMBER[:6]} {NUMBER[6:14]} {NUMBER[14:]}",
    f"{NUMBER[:6]}-{NUMBER[6:14]}—{NUMBER[14:]}",
    f"{NUMBER[:6]}.{NUMBER[6:14]}·{NUMBER[14:]}",
    f"{NUMBER[:6]}\u200b{NUMBER[6:]}",
    " ".join(NUMBER),
    NUMBER[:17],
    OLD,
]
UNFOLDING = "\ufdfa" * 50
"""One sign for a sentence of eighteen characters."""


@pytest.mark.parametrize("written", WRITTEN)
def test_no_more_than_the_last_four_digits_of_an_id_number_are_asked(written: str) -> None:
    asked = TypeAdapter(Words).validate_python(f"王小明{written}")
    assert asked.startswith("王小明 ") and len("".join(filter(str.isalnum, asked))) == 3 + 4
    assert holds_whole_number(f"请查{written}。")


@pytest.mark.parametrize(
    "words",
    ["320172022121001", "32017202212G001", "32017-2022-12-1-001", "2026032345", "王 1234", "２０２６年"],
)
def test_the_number_of_a_certificate_and_other_words_are_asked_as_they_are(words: str) -> None:
    assert TypeAdapter(Words).validate_python(words) == words and not holds_whole_number(words)


@pytest.mark.parametrize("asked", [lambda words: looking_for(words, ["name"]), person_looked_for, of_words])
def test_words_that_unfold_beyond_measure_find_nothing(asked) -> None:  # type: ignore[no-untyped-def]
    [condition] = asked(UNFOLDING).values()
    assert condition == {"$in": []}
    assert "$all" in str(asked("\ufdfa"))
    assert len(grams("\ufdfa" * 500)) < 3 * WRITTEN_MOST


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("end", ["since", "until"])
def test_no_day_is_asked_with_which_the_clock_cannot_reckon(day: str, end: str) -> None:
    with pytest.raises(ValueError, match=end):
        TrailQuery.model_validate({end: day})
    assert as_problem(OverflowError(), 500).status == 422, "wherever else one is sent"
