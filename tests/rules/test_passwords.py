"""What a password must be."""

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY
from hypothesis import given
from hypothesis import strategies as st

from server.accounts import common_passwords
from server.accounts.rules import PasswordTooWeak, check_password


@pytest.mark.parametrize(
    "password", ["abdefghk12", "1234567-90", "correct horse", "汉字汉字汉字汉字汉1", "a1" * 64]
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


@pytest.mark.parametrize(
    "password",
    [
        "password123", "Password-12", "1q2w3e4r5t", "a123456789", "P-assword.2026", "sunshine2026",
        "gongxue-2026", "GongXue@PeiXun1", "xing tai-2026", "技工院校培训2026", "pei-xun-ji-di-1",
    ],
)  # fmt: skip
def test_what_everybody_tries_is_refused(password: str) -> None:
    with pytest.raises(PasswordTooWeak, match="太常见"):
        check_password(password, "xingtai")


@pytest.mark.parametrize(
    "password", ["sunshine-over-46-hills", "dragon 7 7132 4419 2", "培训之后一起去爬山12"]
)
def test_words_that_are_common_may_stand_among_others(password: str) -> None:
    check_password(password, "xingtai")


def test_the_commonest_passwords_that_could_be_one_here_are_known() -> None:
    """ASVS 5.0, 6.2.4: of the commonest there are, what has our length."""
    known = common_passwords._known()
    assert len(known) > 15_000
    could_be = {word + tail for word in known if word.isalpha() for tail in ("123456", "@2026")}
    assert len(could_be) > 30_000
    assert not [one for one in could_be if len(one) >= 10 and not common_passwords.is_common(one, "")]


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
