"""Which keys of a JWKS are used."""

from typing import Any

import pytest

from shared.web.oidc.key_set import read_key_set
from tests.unit.shared.oidc.signing import Signer, private_jwk


def kids(*keys: Any) -> dict[str, set[str]]:
    """What is read of these keys and a good one: algorithms by kid."""
    good = Signer("ES256", kid="good").jwk
    found = read_key_set({"keys": [*keys, good]})
    assert set(found.pop("good")) == {"ES256"}  # type: ignore[attr-defined]
    return {kid: set(each) for kid, each in found.items()}


def test_keys_check_what_they_can() -> None:
    rsa = Signer("RS256", kid="rsa").jwk
    assert kids(rsa) == {"rsa": {"RS256"}}
    assert kids({name: value for name, value in rsa.items() if name != "alg"}) == {
        "rsa": {"RS256", "PS256"}
    }
    assert kids(Signer("PS256", kid="pss").jwk) == {"pss": {"PS256"}}
    assert kids(Signer("EdDSA", kid="ed").jwk) == {"ed": {"EdDSA"}}


#: By name, since the keys are other ones in each process.
NO_PUBLIC_KEYS: dict[str, Any] = {
    "text": "no key",
    "a secret": {"kty": "oct", "kid": "k", "k": "c2VjcmV0", "alg": "HS256"},
    "a secret without alg": {"kty": "oct", "kid": "k", "k": "c2VjcmV0"},
    "use: enc": {**Signer("RS256").jwk, "use": "enc"},
    "alg: RS512": {**Signer("RS256").jwk, "alg": "RS512"},
    "alg: HS256": {**Signer("RS256").jwk, "alg": "HS256"},
    "alg in a list": {**Signer("RS256").jwk, "alg": ["RS256"]},
    "kid: 7": {**Signer("RS256").jwk, "kid": 7},
    "kty in a list": {**Signer("RS256").jwk, "kty": ["RSA"]},
    "n: !": {**Signer("RS256").jwk, "n": "!"},
    "RSA without n": {"kty": "RSA", "kid": "k"},
    "no point of P-256": {"kty": "EC", "crv": "P-256", "kid": "k", "x": "AA", "y": "AA"},
    "P-384 without a point": {"kty": "EC", "crv": "P-384", "kid": "k"},
    "X25519": {"kty": "OKP", "crv": "X25519", "kid": "k", "x": "AA"},
    "1024 bits": Signer("RS256", bits=1024).jwk,
    "a private key": private_jwk(Signer("RS256")),
}


@pytest.mark.parametrize("key", NO_PUBLIC_KEYS.values(), ids=NO_PUBLIC_KEYS)
def test_what_is_no_public_key_for_signatures_is_left_out(key: Any) -> None:
    assert kids(key) == {}


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"keys": None}, {"keys": []}, {"keys": [{}]}, {"keys": [None] * 101}],
    ids=lambda document: str(document)[:20],
)
def test_a_set_without_keys_is_a_fault(document: Any) -> None:
    with pytest.raises(ValueError, match="key"):
        read_key_set(document)
