"""Tokens, as far as they can be judged without their issuer."""

import asyncio
import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Forbidden, Unauthorized
from shared.settings import InvalidSettings, Settings
from shared.web.auth import hashed
from shared.web.oidc import Bearer, Tokens
from shared.web.oidc.key_set import KeySet, read_key_set
from shared.web.oidc.known_keys import KnownKeys
from shared.web.oidc.tokens import MOST_CHARACTERS
from tests.unit.shared.oidc.signing import AUDIENCE, Signer, claims
from tests.unit.shared.test_settings import GIVEN

ISSUER = "https://issuer.example/realms/lab"
SIGNER = Signer("ES256")
OIDC = {
    "oidc_issuer": ISSUER,
    "oidc_audience": AUDIENCE,
    "oidc_roles": "lesiongan-read=read",
}


async def _answer() -> KeySet:
    return read_key_set({"keys": [SIGNER.jwk]})


def read(token: str) -> Bearer:
    """What a token says; raises what the server answers with."""
    tokens = Tokens(Settings.model_validate({**GIVEN, **OIDC}), KnownKeys(_answer))

    async def run() -> Bearer:
        return tokens.read(token, await tokens.key_of(token))

    return asyncio.run(run())


def test_a_good_token_says_who_and_what() -> None:
    found = read(SIGNER.sign(claims(ISSUER, sub="a", aud=["other", AUDIENCE])))
    assert found == Bearer(ISSUER, "a", frozenset({"read"}))


def test_subjects_of_two_issuers_are_two() -> None:
    bearers = [
        Bearer("https://a.example", "b", frozenset()),
        Bearer("https://a.example", "c", frozenset()),
        Bearer("https://a.exampl", "eb", frozenset()),
        Bearer('https://a.example", "b', "", frozenset()),
    ]
    assert len({each.digest for each in bearers}) == 4
    assert hashed("a") not in {each.digest for each in bearers}


@given(header=st.binary(max_size=60), payload=st.binary(max_size=60))
def test_whatever_a_stranger_sends_is_refused(header: bytes, payload: bytes) -> None:
    parts = (base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (header, payload))
    for token in (f"{'.'.join(parts)}.AAAA", header.decode("latin-1")):
        with pytest.raises(Unauthorized):
            read(token)


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "header",
    [
        "[" * 9_000,
        "null",
        "[]",
        '{"alg": ["ES256"], "kid": "k"}',
        '{"alg": {"a": 1}, "kid": "k"}',
        '{"alg": "ES256", "kid": 7}',
        '{"alg": "ES256", "kid": null}',
        '{"alg": "ES256"}',
        '{"alg": "ES256", "kid": "k", "typ": {"a": []}}',
        '{"alg": "ES256", "kid": "k", "b64": false}',
        '{"alg": "ES256", "kid": "k", "crit": 7}',
        '{"alg": "ES256", "kid": "\\ud800"}',
    ],
    ids=lambda header: str(header)[:60],
)
def test_an_odd_header_is_refused(header: str) -> None:
    with pytest.raises(Unauthorized):
        read(f"{encoded(header)}.{encoded('{}')}.AAAA")


def test_a_token_has_a_size() -> None:
    with pytest.raises(Unauthorized, match="characters"):
        read(SIGNER.sign(claims(ISSUER, much="x" * MOST_CHARACTERS)))


ODD = [float("inf"), float("nan"), -1, 10**400, "soon", [], {}, True, 1e308]
#: Times long ago or far ahead, on the right side of now.
STILL_GOOD: list[Any] = [
    *(("exp", value) for value in (10**400, 1e308)),
    *((name, value) for name in ("nbf", "iat") for value in (-1, True)),
    ("sub", "soon"),
]


@pytest.mark.parametrize("name", ["exp", "nbf", "iat", "sub", "aud", "iss", "roles"])
@pytest.mark.parametrize("value", ODD, ids=lambda value: str(value)[:8])
def test_an_odd_claim_is_refused_and_breaks_nothing(name: str, value: Any) -> None:
    """Whoever the issuer lets choose a claim must not break a server with it."""
    token = SIGNER.sign(claims(ISSUER, **{name: value}))
    if (name, value) in STILL_GOOD:
        read(token)
    else:
        with pytest.raises((Unauthorized, Forbidden)):
            read(token)


def test_nothing_is_trusted_unless_an_issuer_is_named() -> None:
    assert Tokens.of(Settings.model_validate(GIVEN)) is None


def test_authorities_that_cannot_be_read_stop_the_start(tmp_path: Any) -> None:
    damaged = tmp_path / "damaged.pem"
    damaged.write_text("no certificate")
    for path in (tmp_path / "none.pem", damaged):
        settings = Settings.model_validate({**GIVEN, **OIDC, "oidc_ca_file": str(path)})
        with pytest.raises(InvalidSettings, match="LESIONGAN_OIDC_CA_FILE"):
            Tokens.of(settings)
