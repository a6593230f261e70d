"""Which OIDC issuer's tokens are taken beside API keys: none, unless one is named."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode

from lesiongan.contracts.keys import Scope

_OPTIONAL = ("oidc_issuer", "oidc_audience", "oidc_jwks_url", "oidc_ca_file")


class OidcSettings(BaseSettings):
    """The part of :class:`shared.settings.Settings` that speaks of tokens."""

    environment: Literal["development", "local", "production"] = Field(
        default="production", description="development: well-known secrets are allowed"
    )

    oidc_issuer: str | None = Field(default=None, description="as tokens name it in iss")
    oidc_audience: str | None = Field(default=None, description="this API, as in tokens' aud")
    oidc_roles_claim: str = Field(
        default="roles", min_length=1, description="a claim, or a path such as realm_access.roles"
    )
    oidc_roles: Annotated[dict[str, Scope], NoDecode] = Field(
        default_factory=dict, description="role=scope,role=scope"
    )
    oidc_jwks_url: str | None = Field(default=None, description="else the issuer's document's")
    oidc_ca_file: Path | None = Field(
        default=None, description="PEM: who signs the issuer's certificate, in place of the usual"
    )

    @field_validator(*_OPTIONAL, mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("oidc_roles_claim", mode="before")
    @classmethod
    def _empty_is_the_default(cls, value: Any) -> Any:
        return "roles" if value == "" else value

    @field_validator("oidc_roles", mode="before")
    @classmethod
    def _role_to_scope(cls, value: Any) -> Any:
        return _roles(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _an_issuer_is_complete(self) -> "OidcSettings":
        if self.oidc_issuer is None:
            return self
        if self.oidc_audience is None:
            raise ValueError(
                "LESIONGAN_OIDC_ISSUER needs LESIONGAN_OIDC_AUDIENCE: without it, tokens for "
                "any other service of the issuer would open this one"
            )
        if not self.oidc_roles:
            raise ValueError(
                "LESIONGAN_OIDC_ISSUER needs LESIONGAN_OIDC_ROLES, such as "
                "lesiongan-admin=admin,lesiongan-submit=submit,lesiongan-read=read"
            )
        self._check_address("LESIONGAN_OIDC_ISSUER", self.oidc_issuer)
        if self.oidc_jwks_url is not None:
            self._check_address("LESIONGAN_OIDC_JWKS_URL", self.oidc_jwks_url)
        return self

    def _check_address(self, name: str, url: str) -> None:
        """Whoever can change what comes over plain http can make tokens."""
        scheme, host = _scheme_and_host(name, url)
        if scheme == "http" and self.environment == "production" and not is_loopback(host):
            raise ValueError(f"{name} must be https: keys that come over http can be forged")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _scheme_and_host(name: str, url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"{name} is no address") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError(f"{name} is no http(s) address")
    if parts.username is not None or parts.fragment:
        raise ValueError(f"{name} must have neither a user nor a fragment")
    return parts.scheme, host


def _roles(text: str) -> dict[str, str]:
    """``a=admin,b=read`` as a map; which scopes there are, pydantic checks."""
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        role, equals, scope = (piece.strip() for piece in part.rpartition("="))
        if not (role and equals and scope):
            raise ValueError("each role is role=scope, with a comma between two")
        if role in found:
            raise ValueError("a role is there twice: a role has one scope, and admin has all")
        found[role] = scope
    return found
