"""Codes by time: RFC 6238, the drift of a phone's clock, and one use a code."""

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.accounts import totp

SECRET = base64.b32encode(b"12345678901234567890").decode()
"""Of RFC 6238 appendix B."""
NOON = datetime(2026, 3, 16, 4, 0, tzinfo=UTC)
STEP = timedelta(seconds=totp.STEP_SECONDS)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    """RFC 6238 appendix B, SHA-1; its codes have 8 digits, of which an app shows the last 6."""
    moment = datetime.fromtimestamp(seconds, UTC)
    assert totp.code_at(SECRET, totp.step_at(moment)) == code
    assert totp.step_of(SECRET, code, moment, last_step=0) == seconds // 30


@given(offset=st.integers(-3, 3), second=st.integers(0, 29))
def test_a_clock_may_be_one_step_off_and_no_more(offset: int, second: int) -> None:
    now = NOON + timedelta(seconds=second)
    shown = totp.code_at(SECRET, totp.step_at(now) + offset)
    found = totp.step_of(SECRET, shown, now, last_step=0)
    assert found == (totp.step_at(now) + offset if abs(offset) <= totp.DRIFT_STEPS else None)


@given(first=st.integers(-1, 1), second=st.integers(-1, 1))
def test_after_a_code_only_a_later_one_serves(first: int, second: int) -> None:
    present = totp.step_at(NOON)
    used = totp.step_of(SECRET, totp.code_at(SECRET, present + first), NOON, last_step=0)
    assert used == present + first
    again = totp.step_of(SECRET, totp.code_at(SECRET, present + second), NOON, last_step=used)
    assert again == (present + second if second > first else None)


@given(st.text(max_size=12))
def test_nothing_else_is_a_code(typed: str) -> None:
    present = totp.step_at(NOON)
    right = {totp.code_at(SECRET, present + drift) for drift in (-1, 0, 1)}
    assert (totp.step_of(SECRET, typed, NOON, last_step=0) is not None) is (typed in right)


def test_a_secret_has_160_bits_and_differs_from_every_other() -> None:
    secrets = {totp.new_secret() for _ in range(50)}
    assert len(secrets) == 50
    assert all(len(base64.b32decode(one)) == 20 for one in secrets)


def test_the_qr_code_tells_the_app_all_it_needs() -> None:
    uri = urlsplit(totp.enrolment_uri(SECRET, "hebei-sheng"))
    told = parse_qs(uri.query)
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert unquote(uri.path) == f"/{totp.ISSUER}:hebei-sheng"
    assert (told["secret"], told["digits"], told["period"]) == ([SECRET], ["6"], ["30"])


@pytest.mark.parametrize(
    ("typed", "code"), [("123 456", "123456"), ("１２３４５６", "123456"), (" ABCD-efgh ", "abcd-efgh")]
)
def test_what_is_typed_is_brought_into_one_form(typed: str, code: str) -> None:
    assert totp.normalise(typed) == code
