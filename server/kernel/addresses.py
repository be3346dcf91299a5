"""Whose address a request comes from. Pure.

A header is the word of whoever sends it. Only a proxy that the operator named is believed, and only about who spoke to it: so the chain of
`X-Forwarded-For` is read from the right, from the connection outwards, until somebody stands there who is no proxy of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def networks(named: str) -> tuple[Network, ...]:
    """Addresses and networks, as in `127.0.0.1, 10.0.0.0/8, ::1`. Raises ValueError."""
    return tuple(ip_network(one.strip()) for one in named.split(",") if one.strip())


def parsed(text: str) -> Address | None:
    """An IPv4 address that came through an IPv6 socket is an IPv4 address."""
    try:
        found = ip_address(text.strip())
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def is_proxy(address: Address | None, proxies: Sequence[Network]) -> bool:
    return address is not None and any(address in network for network in proxies)


def client(peer: str, forwarded_for: str, proxies: Sequence[Network]) -> str:
    """Who sent the request that arrives from `peer` with this `X-Forwarded-For`: `peer` itself, unless it is a proxy."""
    nearest = parsed(peer)
    for one in reversed(forwarded_for.split(",")):
        if not is_proxy(nearest, proxies):
            break
        further = parsed(one)
        if further is None:
            break
        nearest = further
    return str(nearest) if nearest else peer


def scheme(peer: str, forwarded_proto: str, proxies: Sequence[Network]) -> str:
    """`http` or `https`, as the nearest proxy says."""
    said = forwarded_proto.rpartition(",")[2].strip().lower()
    return said if is_proxy(parsed(peer), proxies) and said in ("http", "https") else "http"


def counted_as(address: str) -> str:
    """What limits count together: an address, or the /64 of an IPv6 one, of which a single customer has all 18 quintillion."""
    found = parsed(address)
    if isinstance(found, IPv6Address):
        return str(ip_network((int(found), 64), strict=False))
    return str(found) if found else address
