"""Settings that every process shares, read from ``LESIONGAN_*`` environment variables.

Services add their own knobs in their own ``settings.py``. Nothing is read at import: processes
call :func:`get_settings` once, at their edge.
"""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.errors import LesionGanError

DEFAULT_SECRET = "change-me"  # noqa: S105 - what must not be used


class InvalidSettings(LesionGanError):
    title = "Invalid settings"


class Settings(BaseSettings):
    """Where the three servers are, and who this installation is."""

    model_config = SettingsConfigDict(env_prefix="LESIONGAN_", extra="ignore")

    environment: Literal["development", "local", "production"] = "production"
    public_url: str = "http://127.0.0.1:8000"

    database_url: str = Field(description="postgresql+psycopg://user:password@host:port/database")
    redis_url: SecretStr

    s3_endpoint: str = Field(description="host:port, without a scheme")
    s3_access_key: str
    s3_secret_key: SecretStr
    s3_bucket: str = "lesiongan"
    s3_region: str = "us-east-1"
    s3_secure: bool = False

    secret: SecretStr = Field(description="installation key: pseudonyms of patients derive from it")

    lease_seconds: float = Field(default=30.0, gt=0, description="silent so long: dead")
    device: str | None = Field(
        default=None, description="where one training runs at a time; of a GPU found by itself"
    )
    pulse_file: Path | None = Field(default=None, description="touched while a worker is well")
    upload_max_bytes: int = Field(default=20 * 2**30, gt=0)

    webhook_allow_http: bool = Field(default=False, description="also in production")
    webhook_allowed_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        default=(), description="internal networks that webhooks may reach: 10.1.2.0/24,fd12::/64"
    )

    @field_validator("webhook_allowed_networks", mode="before")
    @classmethod
    def _comma_separated(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("s3_endpoint")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        if not value or "/" in value:
            raise ValueError(f"{value!r} is not host:port; https is LESIONGAN_S3_SECURE=true")
        return value

    @model_validator(mode="after")
    def _no_default_secret(self) -> "Settings":
        if self.environment != "development" and (
            self.secret.get_secret_value() == DEFAULT_SECRET
            or len(self.secret.get_secret_value()) < 16
        ):
            raise ValueError("LESIONGAN_SECRET must be a random string of at least 16 characters")
        return self


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process's settings.

    Raises :class:`InvalidSettings`: one line that names each variable that is missing or wrong.
    """
    try:
        return Settings.model_validate({})
    except ValidationError as error:
        faults = "; ".join(
            f"LESIONGAN_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()
        )
        raise InvalidSettings(f"invalid settings: {faults}") from None
