"""Whose address a request comes from, by what its proxies say and whether they are ours."""

import pytest

from server.kernel.addresses import client, counted_as, networks, scheme

OURS = networks("127.0.0.1, 10.0.0.0/8, ::1")


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "whose"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.9, 10.0.0.5", "203.0.113.9"),
        ("127.0.0.1", "198.51.100.1, nonsense, 10.0.0.5", "10.0.0.5"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("10.1.2.3", "10.9.9.9", "10.9.9.9"),
        ("::1", "2001:db8::7", "2001:db8::7"),
        ("::ffff:127.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
    ],
)
def test_the_chain_is_read_from_the_right_as_far_as_it_is_ours(
    peer: str, forwarded_for: str, whose: str
) -> None:
    assert client(peer, forwarded_for, OURS) == whose


def test_without_a_proxy_of_ours_nobody_speaks_for_another() -> None:
    assert client("127.0.0.1", "203.0.113.9", ()) == "127.0.0.1"
    assert scheme("127.0.0.1", "https", ()) == "http"


def test_the_nearest_proxy_says_whether_it_was_https() -> None:
    assert scheme("127.0.0.1", "http, https", OURS) == "https"
    assert scheme("127.0.0.1", "https, http", OURS) == "http"
    assert scheme("127.0.0.1", "gopher", OURS) == "http"
    assert scheme("203.0.113.9", "https", OURS) == "http"


def test_a_customer_with_a_64_of_ipv6_counts_once() -> None:
    assert counted_as("2001:db8:1:2::5") == counted_as("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert counted_as("2001:db8:1:3::5") != counted_as("2001:db8:1:2::5")
    assert counted_as("203.0.113.9") == "203.0.113.9"


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match="nginx"):
        networks("127.0.0.1, nginx")
