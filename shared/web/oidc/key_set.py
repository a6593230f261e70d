"""The issuer's public keys, as its JWKS lists them (RFC 7517)."""

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

#: Asymmetric ones alone: with HS256 the public key, which everyone has, would be the secret.
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
#: By type and curve, for keys that do not say what they are for.
_SUITABLE: dict[tuple[str, str | None], tuple[str, ...]] = {
    ("RSA", None): ("RS256", "PS256"),
    ("EC", "P-256"): ("ES256",),
    ("OKP", "Ed25519"): ("EdDSA",),
}
#: A bit fewer can be broken; many more make each check slow.
_RSA_BITS = range(2048, 8192 + 1)
_MOST_KEYS = 100

#: The keys of an issuer, by their ``kid`` and the algorithm that they check.
KeySet = Mapping[str, Mapping[str, PyJWK]]


def read_key_set(document: Any) -> KeySet:
    """The keys of a JWKS that can check tokens; what else it lists is left out.

    Raises :class:`ValueError` if it is no JWKS, or has no such key.
    """
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
        raise ValueError("no JWKS, or one of too many keys")
    found: dict[str, dict[str, PyJWK]] = {}
    for each in listed:
        kid = each.get("kid") if isinstance(each, dict) else None
        if isinstance(kid, str):
            usable = _usable(each)
            if usable:
                found[kid] = usable
    if not found:
        raise ValueError("no key that could check a token")
    return found


def _usable(jwk: dict[str, Any]) -> dict[str, PyJWK]:
    if jwk.get("use", "sig") != "sig" or "d" in jwk:  # to encrypt, or private
        return {}
    kind, curve, stated = jwk.get("kty"), jwk.get("crv"), jwk.get("alg")
    # A dictionary asks for what can be hashed, and this came from elsewhere.
    suitable = _SUITABLE.get((str(kind), None if curve is None else str(curve)), ())
    keys = (_key(jwk, algorithm) for algorithm in suitable if stated is None or stated == algorithm)
    return {key.algorithm_name: key for key in keys if key is not None}


def _key(jwk: dict[str, Any], algorithm: str) -> PyJWK | None:
    try:
        key = PyJWK(jwk, algorithm)
    except (PyJWTError, ValueError, TypeError, KeyError):
        return None
    is_odd = isinstance(key.key, RSAPublicKey) and key.key.key_size not in _RSA_BITS
    return None if is_odd else key
