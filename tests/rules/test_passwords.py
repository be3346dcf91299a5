"""What a password must be."""

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY
from hypothesis import given
from hypothesis import strategies as st

from server.accounts.rules import PasswordTooWeak, check_password


@pytest.mark.parametrize(
    "password", ["abcdefgh12", "1234567-90", "correct horse", "汉字汉字汉字汉字汉1", "a1" * 64]
)
def test_long_enough_and_of_two_kinds_is_accepted(password: str) -> None:
    check_password(password, "xingtai")


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("abcdefg12", "至少 10 个"),
        ("", "至少 10 个"),
        ("a1" * 64 + "b", "最多 128 个"),
        ("abcdefghij", "一种字符"),
        ("1234567890", "一种字符"),
        ("----------", "一种字符"),
        ("my-xingtai-1", "用户名"),
        ("my-XingTai-1", "用户名"),
    ],
)
def test_a_weak_password_is_refused_with_what_to_do(password: str, words: str) -> None:
    with pytest.raises(PasswordTooWeak, match=words) as refused:
        check_password(password, "xingtai")
    assert len(password) < 10 or password not in refused.value.detail


@given(st.text(max_size=140), st.text(max_size=20))
def test_anything_is_accepted_or_refused(password: str, username: str) -> None:
    try:
        check_password(password, username)
    except PasswordTooWeak as refused:
        assert refused.detail
    else:
        assert 10 <= len(password) <= 128
        assert not username or username not in password


def test_a_password_is_hashed_as_rfc_9106_recommends(real_hasher: PasswordHasher) -> None:
    assert extract_parameters(real_hasher.hash("correct horse")) == RFC_9106_LOW_MEMORY
