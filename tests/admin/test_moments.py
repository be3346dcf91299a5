"""What a field for a moment holds: the moment as it is stored, and to the minute where the form proposes it."""

from datetime import UTC, datetime

from admin.moments import as_typed, proposed

MOMENT = datetime(2026, 3, 16, 4, 0, 11, 884000, tzinfo=UTC)


def test_a_stored_moment_is_given_back_unchanged_and_a_proposed_one_to_the_minute() -> None:
    assert as_typed(MOMENT) == "2026-03-16T12:00:11.884"
    assert proposed(MOMENT) == "2026-03-16T12:00"
