"""Checks bearer tokens: JSON Web Tokens (RFC 7519) that an issuer signed for this API."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import jwt
from jwt import PyJWK
from jwt.exceptions import (
    ExpiredSignatureError,
    ImmatureSignatureError,
    InvalidAudienceError,
    InvalidIssuerError,
    MissingRequiredClaimError,
    PyJWTError,
)

from lesiongan.contracts.keys import Scope
from shared.errors import Forbidden, Unauthorized
from shared.settings import Settings
from shared.web.oidc.issuer import Issuer
from shared.web.oidc.key_set import ALGORITHMS
from shared.web.oidc.known_keys import KnownKeys
from shared.web.oidc.roles import scopes_of

#: Between the clocks of two servers.
LEEWAY_SECONDS = 30
_REQUIRED = ["iss", "aud", "exp", "sub"]
#: Larger ones are none: what a stranger sends is decoded before its signature can be checked.
MOST_CHARACTERS = 16 * 1024
#: Kinds of token that are meant for an API (RFC 9068), or say nothing; a logout token is neither.
_KINDS = frozenset({"jwt", "at+jwt", "application/at+jwt"})
#: What PyJWT and the standard library raise for hostile input.
_HOSTILE = (PyJWTError, ValueError, TypeError, OverflowError, RecursionError)
_FAULTS: tuple[tuple[type[PyJWTError], str], ...] = (
    (ExpiredSignatureError, "this token has expired"),
    (ImmatureSignatureError, "this token is not valid yet"),
    (InvalidIssuerError, "this token is of another issuer"),
    (InvalidAudienceError, "this token is for another audience"),
    (MissingRequiredClaimError, f"this token lacks one of {', '.join(_REQUIRED)}"),
)


@dataclass(frozen=True)
class Bearer:
    """Whom a token speaks for, and what its roles allow."""

    issuer: str
    subject: str
    scopes: frozenset[Scope]

    @property
    def digest(self) -> str:
        """What finds the subject's row: the SHA-256 of something that is no key."""
        return _sha256(json.dumps(["oidc", self.issuer, self.subject]))

    @property
    def name(self) -> str:
        """Who knows the subject finds its row by it; it tells nobody who that is."""
        return f"oidc:{_sha256(self.subject)[:12]}"


class Tokens:
    """Checks the tokens of one issuer."""

    def __init__(self, settings: Settings, known: KnownKeys) -> None:
        assert settings.oidc_issuer is not None
        assert settings.oidc_audience is not None
        self._issuer = settings.oidc_issuer
        self._audience = settings.oidc_audience
        self._claim = settings.oidc_roles_claim
        self._roles = settings.oidc_roles
        self._known = known

    @classmethod
    def of(cls, settings: Settings) -> "Tokens | None":
        """Those that the settings trust, if any."""
        if settings.oidc_issuer is None:
            return None
        return cls(settings, KnownKeys(Issuer(settings).key_set))

    async def key_of(self, token: str) -> PyJWK:
        """The key that a token says it is signed with.

        Raises :class:`Unauthorized`, and :class:`shared.errors.Unavailable` if the issuer is away.
        """
        if len(token) > MOST_CHARACTERS:
            raise Unauthorized(f"a token has at most {MOST_CHARACTERS} characters")
        try:
            header = jwt.get_unverified_header(token)
        except _HOSTILE:
            raise Unauthorized("this is neither a key (lg_…) nor a token") from None
        kid, algorithm = header.get("kid"), header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            raise Unauthorized(f"this token is not signed with one of {', '.join(ALGORITHMS)}")
        if str(header.get("typ", "jwt")).lower() not in _KINDS:
            raise Unauthorized("this token is not one for an API")
        if not isinstance(kid, str):
            raise Unauthorized("this token does not name its key (kid)")
        return await self._known.key(kid, algorithm)

    def read(self, token: str, key: PyJWK) -> Bearer:
        """Whom a token speaks for; raises :class:`Unauthorized`, and :class:`Forbidden`."""
        claims = self._claims(token, key)
        subject = claims["sub"]
        if not (isinstance(subject, str) and subject.isascii() and 0 < len(subject) <= 255):
            raise Unauthorized("this token's sub is not 1 to 255 ASCII characters")
        scopes = scopes_of(claims, self._claim, self._roles)
        if not scopes:
            raise Forbidden(f"this token has no role for LesionGAN in its claim {self._claim}")
        return Bearer(self._issuer, subject, scopes)

    def _claims(self, token: str, key: PyJWK) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": _REQUIRED},
            )
        except _HOSTILE as error:
            said = (words for kind, words in _FAULTS if isinstance(error, kind))
            raise Unauthorized(next(said, "this token is not valid")) from None

    async def stop(self) -> None:
        """Ask the issuer no more."""
        await self._known.stop()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
