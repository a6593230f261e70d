"""Addresses of receivers: what is refused at once, and what a name may stand for."""

import socket
from collections.abc import Sequence
from ipaddress import ip_network

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.errors import BadInput
from shared.settings import Settings
from shared.webhooks.target import Rules, Unreachable, checked_addresses, parse_target

OPEN = Rules(https_only=False)
LAB = Rules(allowed=[ip_network("10.1.0.0/16")], https_only=False)


def answering(*addresses: str) -> object:
    def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


def test_an_address_in_parts() -> None:
    target = parse_target("https://Lab.example/hooks?x=1&y=%20", OPEN)
    assert (target.scheme, target.host, target.port) == ("https", "lab.example", 443)
    assert target.path == "/hooks?x=1&y=%20"
    assert target.authority == "lab.example"
    assert parse_target("http://lab.example:8443", OPEN).authority == "lab.example:8443"
    assert parse_target("http://[2606:4700::1]/", OPEN).authority == "[2606:4700::1]"
    assert parse_target("https://bücher.example/", OPEN).host == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("lab.example/hook", "web address"),
        ("", "web address"),
        ("ftp://lab.example/", "web address"),
        ("file:///etc/passwd", "web address"),
        ("gopher://lab.example/", "web address"),
        ("https://", "web address"),
        ("https://lab.example:99999/", "port 99999"),
        ("https://lab .example/", "web address"),
        ("https://lab.example/\r\nX: y", "web address"),
        ("https://user:secret@lab.example/", "password"),
        ("https://user@lab.example/", "password"),
        ("https://lab.example/#part", "fragment"),
        ("https://lab.example:22/", "port 22"),
        ("https://lab.example:25/", "port 25"),
        ("https://lab.example:0/", "port"),
    ],
)
def test_what_is_no_receivers_address_is_refused_with_the_reason(url: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        parse_target(url, OPEN)


@given(st.text(max_size=60).map("https://".__add__) | st.text(max_size=60))
@example("https://[::1")
@example("https://xn--/")
@example("https://a" + "." * 300)
@example("https://" + "a" * 300)
def test_no_text_does_worse_than_being_refused(url: str) -> None:
    try:
        target = parse_target(url, Rules())
        checked_addresses(target.host, target.port, Rules(), answering("127.0.0.1"))  # type: ignore[arg-type]
    except BadInput:
        return
    pytest.fail("it leads to loopback")


def test_https_is_asked_for_in_production_unless_an_operator_says_otherwise(
    settings_of: "SettingsMaker",
) -> None:
    with pytest.raises(BadInput, match="https"):
        parse_target("http://lab.example/", Rules.of(settings_of()))
    for settings in (settings_of(webhook_allow_http="true"), settings_of(environment="local")):
        assert parse_target("http://lab.example/", Rules.of(settings)).scheme == "http"


class SettingsMaker:
    """Settings as a process would read them."""

    def __call__(self, **given: str) -> Settings:
        needed = {
            "database_url": "postgresql+psycopg://x",
            "redis_url": "redis://x",
            "s3_endpoint": "s3:1",
            "s3_access_key": "x",
            "s3_secret_key": "x",
            "secret": "0123456789abcdef",
            "environment": "production",
        }
        return Settings.model_validate(needed | given)


@pytest.fixture
def settings_of() -> SettingsMaker:
    return SettingsMaker()


def test_networks_are_named_in_one_variable(
    settings_of: SettingsMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings_of().webhook_allowed_networks == ()
    monkeypatch.setenv("LESIONGAN_WEBHOOK_ALLOWED_NETWORKS", "10.1.2.0/24, fd12::/64,")
    expected = (ip_network("10.1.2.0/24"), ip_network("fd12::/64"))
    assert settings_of().webhook_allowed_networks == expected
    monkeypatch.setenv("LESIONGAN_WEBHOOK_ALLOWED_NETWORKS", "the lab")
    with pytest.raises(ValueError, match="webhook_allowed_networks"):
        settings_of()


LOOPBACK = [
    *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001"),
    *("localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0", "0.0.0.0"),
]


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(BadInput):
        checked_addresses(parse_target(f"http://{host}:8080/", OPEN).host, 8080, OPEN)


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "localhost"])
def test_the_resolver_that_judges_is_the_one_that_connects(host: str) -> None:
    """The forms above are not refused for being unknown: they do lead to loopback."""
    rules = Rules(allowed=[ip_network("127.0.0.0/8"), ip_network("::1/128")], https_only=False)
    assert "127.0.0.1" in checked_addresses(host, 80, rules)


def test_one_internal_address_among_others_is_enough_to_refuse() -> None:
    mixed = answering("8.8.8.8", "10.0.0.1")
    with pytest.raises(Unreachable, match="internal"):
        checked_addresses("lab.example", 443, OPEN, mixed)  # type: ignore[arg-type]
    with pytest.raises(Unreachable):
        checked_addresses("lab.example", 443, OPEN, answering())  # type: ignore[arg-type]


def test_a_refusal_does_not_say_what_an_internal_name_stands_for() -> None:
    with pytest.raises(Unreachable) as refused:
        checked_addresses("db.corp", 443, OPEN, answering("10.9.8.7"))  # type: ignore[arg-type]
    assert "10.9" not in refused.value.detail
    assert "LESIONGAN_WEBHOOK_ALLOWED_NETWORKS" in refused.value.detail


def test_an_allowed_network_is_reached_by_name() -> None:
    assert checked_addresses("hook.lab", 443, LAB, answering("10.1.2.3")) == ["10.1.2.3"]  # type: ignore[arg-type]


@pytest.mark.parametrize("error", [socket.gaierror("?"), UnicodeError(), ValueError("null")])
def test_a_name_that_is_not_known(error: Exception) -> None:
    def resolve(host: str, port: int) -> Sequence[str]:
        raise error

    with pytest.raises(Unreachable, match="not known"):
        checked_addresses("lab.example", 443, OPEN, resolve)


def test_the_parser_is_the_one_whose_parts_are_used() -> None:
    """What two parsers read differently is what such checks are fooled with."""
    for url in ("https://lab.example\\@127.0.0.1/", "https://127.0.0.1#@lab.example/"):
        try:
            target = parse_target(url, OPEN)
        except BadInput:
            continue
        assert target.host == httpx.URL(url).raw_host.decode()
