"""Where a request comes from."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.types import Scope

Networks = Sequence[IPv4Network | IPv6Network]
UNKNOWN = "unknown"


def client_address(scope: Scope, trusted: Networks) -> str:
    """The address of the peer or, where that is a trusted proxy, of the client that it names.

    Of several in ``X-Forwarded-For``, the last that is no trusted proxy counts: whatever stands
    before it was written by a stranger.
    """
    peer = scope["client"]
    address = None if peer is None else _parsed(peer[0])
    if address is None:
        return UNKNOWN
    if trusted and _within(address, trusted):
        for hop in reversed(_forwarded(scope)):
            before = _parsed(hop)
            if before is None:
                break
            address = before
            if not _within(before, trusted):
                break
    return str(address)


def origin(address: str) -> str:
    """What one client has: an IPv4 address, or a network of 64 bits of IPv6."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((int(parsed) >> 64 << 64, 64)))
    return address


def _forwarded(scope: Scope) -> list[str]:
    values = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return [hop.strip() for hop in b",".join(values).decode("latin-1").split(",")]


@lru_cache(maxsize=4096)
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _within(address: IPv4Address | IPv6Address, networks: Networks) -> bool:
    return any(address in network for network in networks)
