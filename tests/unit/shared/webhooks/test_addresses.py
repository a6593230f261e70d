"""What a webhook may reach, in every form that an address has."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.webhooks.addresses import is_reachable, parse_address

INTERNAL = [
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255"),
    *("192.168.1.1", "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200"),
    *("192.0.0.192", "168.63.129.16", "198.18.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.9"),
    *("192.88.99.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fe80::1%1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1"),
    *("64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "5f00::1"),
    *("2002:7f00:1::1", "2002:a9fe:a9fe::1", "2002:0808:0808::1", "2001::1", "2001:db8::1"),
    *("2001:20::1", "3fff::1", "::ffff:0:127.0.0.1"),
]
PUBLIC = [
    *("1.1.1.1", "8.8.8.8", "93.184.216.34", "172.32.0.1", "100.128.0.1", "169.253.0.1"),
    *("2606:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::808:808"),
]


def reachable(text: str, *allowed: str) -> bool:
    return is_reachable(parse_address(text), [ip_network(each) for each in allowed])


@pytest.mark.parametrize("text", INTERNAL)
def test_internal_and_reserved_addresses_are_not_reached(text: str) -> None:
    assert not reachable(text)


@pytest.mark.parametrize("text", PUBLIC)
def test_the_internet_is_reached(text: str) -> None:
    assert reachable(text)


@given(st.ip_addresses(v=4).map(str) | st.ip_addresses(v=6).map(str))
def test_nothing_is_reached_that_the_standard_library_calls_special(text: str) -> None:
    address = parse_address(text)
    special = (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or (isinstance(address, IPv6Address) and address.is_site_local)
    )
    assert not (special and reachable(text))


@given(st.ip_addresses(v=4))
def test_an_embedded_address_is_judged_by_itself(address: IPv4Address) -> None:
    packed = int(address)
    forms = [IPv6Address((0xFFFF << 32) | packed), IPv6Address((0x64_FF9B << 96) | packed)]
    assert {reachable(str(form)) for form in forms} == {reachable(str(address))}
    for disguised in (IPv6Address((0x2002 << 112) | packed << 80), IPv6Address(packed)):
        assert not reachable(str(disguised))


@given(st.ip_addresses(v=6, network=IPv6Network("fc00::/7")))
def test_unique_local_addresses_are_not_reached(address: IPv6Address) -> None:
    assert not reachable(str(address))


def test_what_an_operator_allows_is_reached_and_nothing_beside_it() -> None:
    assert reachable("10.1.2.3", "10.1.2.0/24")
    assert not reachable("10.1.3.3", "10.1.2.0/24")
    assert reachable("::ffff:10.1.2.3", "10.1.2.0/24")
    assert reachable("fd12::5", "10.1.2.0/24", "fd12::/64")
    assert not reachable("fd12:0:0:1::5", "fd12::/64")
    assert not reachable("127.0.0.1", "::/0")
