"""Keys of an issuer, and tokens that they sign."""

import json
import time
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

AUDIENCE = "lesiongan-api"


@cache
def _rsa(name: str, bits: int) -> rsa.RSAPrivateKey:
    """Made once in a run for each name: making one takes long."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


class Signer:
    """A private key, under the name that the issuer gives it."""

    def __init__(self, algorithm: str, *, kid: str = "k", bits: int = 2048) -> None:
        self.algorithm = algorithm
        self.kid = kid
        self.private: Any
        if algorithm == "ES256":
            self.private = ec.generate_private_key(ec.SECP256R1())
        elif algorithm == "EdDSA":
            self.private = ed25519.Ed25519PrivateKey.generate()
        else:
            self.private = _rsa(kid, bits)

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key, as a JWKS lists it."""
        described = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        return {**_as_jwk(self.private.public_key(), self.algorithm), **described}

    def sign(self, claims: dict[str, Any], **headers: Any) -> str:
        """A token; also of claims that a library would not sign."""
        given = {"kid": self.kid, **headers}
        named = {name: value for name, value in given.items() if value is not None}
        payload = json.dumps(claims).encode()
        return jwt.PyJWS().encode(payload, self.private, self.algorithm, named)


def private_jwk(signer: Signer) -> dict[str, Any]:
    """What an issuer must keep to itself."""
    return {**_as_jwk(signer.private, signer.algorithm), "kid": signer.kid}


def _as_jwk(key: Any, algorithm: str) -> dict[str, Any]:
    kinds: dict[str, Any] = {"ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}
    made = kinds.get(algorithm, RSAAlgorithm).to_jwk(key, as_dict=True)
    # What a public key is good for stands there already, in some of them.
    return {name: value for name, value in made.items() if name != "key_ops"}


def claims(issuer: str, **members: Any) -> dict[str, Any]:
    """Those of a good token; members that are None are left out."""
    now = int(time.time())
    given = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
        "iat": now,
        "exp": now + 300,
        "roles": ["lesiongan-read"],
        **members,
    }
    return {name: value for name, value in given.items() if value is not None}
