"""Settings that every process shares, read from ``LESIONGAN_*`` environment variables.

Services add their own knobs in their own ``settings.py``. Nothing is read at import: processes
call :func:`get_settings` once, at their edge.
"""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from shared.errors import LesionGanError
from shared.observed_settings import ObservedSettings
from shared.oidc_settings import OidcSettings

DEFAULT_SECRET = "change-me"  # noqa: S105 - what must not be used
#: What servers are shipped with, and what examples show.
WELL_KNOWN = frozenset(
    {DEFAULT_SECRET, "minioadmin", "minio", "minio123", "postgres", "password", "admin", "secret"}
)


class InvalidSettings(LesionGanError):
    title = "Invalid settings"


class Settings(OidcSettings, ObservedSettings):
    """Where the three servers are, and who this installation is."""

    model_config = SettingsConfigDict(env_prefix="LESIONGAN_", extra="ignore")

    public_url: str = Field(
        default="http://127.0.0.1:8000", description="how clients call this installation"
    )

    database_url: str = Field(description="postgresql+psycopg://user:password@host:port/database")
    redis_url: SecretStr = Field(description="redis://:password@host:port/number")

    s3_endpoint: str = Field(description="host:port, without a scheme")
    s3_access_key: str = Field(description="may read, write and delete in the bucket")
    s3_secret_key: SecretStr = Field(description="of the access key")
    s3_bucket: str = Field(default="lesiongan", description="made at the first start")
    s3_region: str = Field(default="us-east-1", description="as the server names it")
    s3_secure: bool = Field(default=False, description="whether the endpoint speaks https")

    secret: SecretStr = Field(description="installation key: pseudonyms of patients derive from it")

    lease_seconds: float = Field(default=30.0, gt=0, description="silent so long: dead")
    max_stalls: int = Field(
        default=3, ge=1, description="attempts without a checkpoint or shard between them"
    )
    device: str | None = Field(
        default=None, description="where one training runs at a time; of a GPU found by itself"
    )
    pulse_file: Path | None = Field(default=None, description="touched while a worker is well")
    upload_max_bytes: int = Field(default=20 * 2**30, gt=0, description="of one upload")

    collect_every_seconds: float = Field(default=3600, gt=0, description="between two collections")
    upload_keep_hours: float = Field(
        default=48, ge=0, description="of an ingest that can be retried"
    )
    result_keep_hours: float = Field(default=24, ge=0, description="of previews and /classify")
    checkpoint_keep_days: float = Field(
        default=30, ge=0, description="of trainings that ended badly"
    )
    event_keep_days: float = Field(default=90, ge=0, description="after the end of their job")
    orphan_grace_hours: float = Field(default=24, ge=0, description="more than the longest upload")

    json_max_bytes: int = Field(default=2**20, gt=0, description="of a body that is no file")
    requests_per_second: float = Field(default=50, ge=0, description="of a key; 0: no limit")
    request_burst: int = Field(default=200, ge=1, description="at once, after a pause")
    failed_keys_per_minute: float = Field(default=30, ge=0, description="of an address; 0: any")
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        default=(), description="whose X-Forwarded-For is believed: 10.1.2.0/24,fd12::/64"
    )
    max_queued_jobs: int = Field(default=10_000, ge=0, description="of all keys; 0: no limit")
    audit_keep_days: float = Field(default=365, gt=0, description="entries of GET /audit")

    session_hours: float = Field(default=12, gt=0, description="of a browser that signed in")
    sign_in_link_minutes: float = Field(default=15, gt=0, description="a link that signs in once")
    data_folder: Path | None = Field(
        default=None, description="whose disk `GET /status` tells: where the servers' data lie"
    )

    webhook_allow_http: bool = Field(default=False, description="also in production")
    webhook_allowed_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        default=(), description="internal networks that webhooks may reach: 10.1.2.0/24,fd12::/64"
    )

    @field_validator("webhook_allowed_networks", "trusted_proxies", mode="before")
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

    @model_validator(mode="after")
    def _no_well_known_password(self) -> "Settings":
        """The servers hold patients' images: only a developer's may have such a password."""
        known = [name for name, value in self._passwords() if value in WELL_KNOWN]
        if known and self.environment != "development":
            raise ValueError(f"a well-known password in {', '.join(known)}: choose a random one")
        return self

    def _passwords(self) -> list[tuple[str, str | None]]:
        return [
            ("LESIONGAN_DATABASE_URL", _password_in(self.database_url)),
            ("LESIONGAN_REDIS_URL", _password_in(self.redis_url.get_secret_value())),
            ("LESIONGAN_S3_ACCESS_KEY", self.s3_access_key),
            ("LESIONGAN_S3_SECRET_KEY", self.s3_secret_key.get_secret_value()),
        ]


def _password_in(url: str) -> str | None:
    try:
        return urlsplit(url).password
    except ValueError:
        return None  # no address: connecting says so


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process's settings.

    Raises :class:`InvalidSettings`: one line that names each variable that is missing or wrong.
    """
    try:
        return Settings.model_validate({})
    except ValidationError as error:
        faults = "; ".join(_fault(each["loc"], each["msg"]) for each in error.errors())
        raise InvalidSettings(f"invalid settings: {faults}") from None


def _fault(loc: tuple[int | str, ...], said: str) -> str:
    """What is wrong, and with which variable; a fault of several names them itself."""
    what = said.removeprefix("Value error, ")
    if not loc:
        return what
    name, *within = map(str, loc)
    return f"LESIONGAN_{name.upper()}{''.join(f' ({each})' for each in within)}: {what}"
