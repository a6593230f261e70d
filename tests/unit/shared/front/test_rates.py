"""How often a client may ask, and where it comes from."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.settings import Settings
from shared.web.front.addresses import client_address, origin
from shared.web.front.buckets import Buckets
from shared.web.front.rates import Rates

GIVEN = {
    "database_url": "postgresql+psycopg://u:p@127.0.0.1:5432/d",
    "redis_url": "redis://:p@127.0.0.1:6379/0",
    "s3_endpoint": "127.0.0.1:9000",
    "s3_access_key": "access",
    "s3_secret_key": "hunter2",
    "secret": "0123456789abcdef",
}


class Clock:
    """Time that goes on when it is told to."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def rates(**settings: Any) -> Rates:
    return Rates(Settings.model_validate({**GIVEN, **settings}))


@given(
    rate=st.floats(0.1, 100),
    burst=st.integers(1, 20),
    pauses=st.lists(st.floats(0, 1), max_size=100),
)
def test_no_more_pass_than_rate_and_burst_allow(
    rate: float, burst: int, pauses: list[float]
) -> None:
    clock = Clock()
    buckets = Buckets(rate, burst, now=clock)
    passed = 0
    for pause in pauses:
        clock.seconds += pause
        passed += buckets.take("a") == 0.0
    assert passed <= burst + rate * clock.seconds + 1e-6


@given(rate=st.floats(0.1, 100), burst=st.integers(1, 20))
def test_whoever_waits_as_long_as_asked_passes(rate: float, burst: int) -> None:
    clock = Clock()
    buckets = Buckets(rate, burst, now=clock)
    for _ in range(burst):
        assert buckets.take("a") == 0.0
    wait = buckets.take("a")
    assert wait > 0
    assert buckets.seconds_until_one("a") == wait
    assert buckets.take("b") == 0.0, "another's bucket"
    clock.seconds += wait * 1.001
    assert buckets.take("a") == 0.0


def test_memory_is_bounded() -> None:
    buckets = Buckets(1, 1, now=Clock(), most=2)
    for name in "abc":
        buckets.take(name)
    assert buckets.take("c") > 0
    assert buckets.take("a") == 0.0, "the longest unused was forgotten"


def test_an_address_without_a_key_has_a_rate() -> None:
    limited = rates(requests_per_second=0.01, request_burst=2)
    waits = [limited.seconds_to_wait(None, "192.0.2.1") for _ in range(3)]
    assert waits[:2] == [0.0, 0.0]
    assert waits[2] > 0
    assert limited.seconds_to_wait(None, "192.0.2.2") == 0.0
    assert limited.seconds_to_wait(b"Bearer lg_a", "192.0.2.1") == 0.0


def test_keys_that_are_refused_cost_their_address() -> None:
    limited = rates(failed_keys_per_minute=2)
    limited.found_good(b"good", "key_a")
    for key in (b"a", b"b"):
        assert limited.seconds_to_wait(key, "192.0.2.1") == 0.0
        limited.refused(key, "192.0.2.1")
    assert limited.seconds_to_wait(b"c", "192.0.2.1") > 0
    assert limited.seconds_to_wait(b"good", "192.0.2.1") == 0.0, "a neighbour of theirs"
    assert limited.seconds_to_wait(b"c", "192.0.2.2") == 0.0
    limited.refused(b"good", "192.0.2.1")
    assert limited.seconds_to_wait(b"good", "192.0.2.1") > 0, "revoked since"


def test_a_key_has_one_rate_whatever_it_comes_with() -> None:
    limited = rates(requests_per_second=0.01, request_burst=3)
    for token in (b"first", b"second", b"third"):
        assert limited.seconds_to_wait(token, "192.0.2.1") == 0.0
        limited.found_good(token, "key_a")
    for token in (b"first", b"second", b"third"):
        assert limited.seconds_to_wait(token, "192.0.2.1") > 0
    assert limited.seconds_to_wait(b"another's", "192.0.2.1") == 0.0


def test_zero_is_no_limit() -> None:
    free = rates(requests_per_second=0, failed_keys_per_minute=0)
    for _ in range(1000):
        free.refused(b"a", "192.0.2.1")
        assert free.seconds_to_wait(b"a", "192.0.2.1") == 0.0
        assert free.seconds_to_wait(None, "192.0.2.1") == 0.0


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "expected"),
    [
        ("192.0.2.1", "198.51.100.7", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "10.0.0.0/8", "192.0.2.1"),
        ("10.0.0.2", "198.51.100.7", "10.0.0.0/8", "198.51.100.7"),
        ("10.0.0.2", "203.0.113.9, 198.51.100.7", "10.0.0.0/8", "198.51.100.7"),
        ("10.0.0.2", "198.51.100.7, 10.0.0.3", "10.0.0.0/8", "198.51.100.7"),
        ("10.0.0.2", "198.51.100.7, <script>", "10.0.0.0/8", "10.0.0.2"),
        ("10.0.0.2", None, "10.0.0.0/8", "10.0.0.2"),
        ("::ffff:10.0.0.2", "198.51.100.7", "10.0.0.0/8", "198.51.100.7"),
        ("testclient", "198.51.100.7", "0.0.0.0/0", "unknown"),
        (None, "198.51.100.7", "0.0.0.0/0", "unknown"),
    ],
)
def test_only_trusted_proxies_name_the_client(
    peer: str | None, forwarded: str | None, trusted: str, expected: str
) -> None:
    settings = Settings.model_validate({**GIVEN, "trusted_proxies": trusted})
    headers = [] if forwarded is None else [(b"x-forwarded-for", forwarded.encode())]
    scope = {"client": None if peer is None else (peer, 1), "headers": headers}
    assert client_address(scope, settings.trusted_proxies) == expected


def test_one_client_has_a_whole_network_of_ipv6() -> None:
    assert origin("2001:db8:0:1::1") == origin("2001:db8:0:1:ffff::2") == "2001:db8:0:1::/64"
    assert origin("2001:db8:0:2::1") != origin("2001:db8:0:1::1")
    assert origin("192.0.2.1") == "192.0.2.1"
