"""API keys, of which only hashes are stored, and subjects that come with tokens."""

from datetime import datetime

from sqlalchemy import BigInteger, func
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class KeyRow(Base):
    """An API key. ``sha256`` is of the whole key, whose 160 random bits need no salt."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    sha256: Mapped[str] = mapped_column(unique=True)
    #: After a rotation, the secret before it, which is good until then.
    previous_sha256: Mapped[str | None] = mapped_column(unique=True)
    previous_valid_until: Mapped[datetime | None]
    #: Of a subject that comes with tokens of an OIDC issuer: ``sha256`` is of both, and the scopes
    #: are in each token. Null: a key.
    issuer: Mapped[str | None]
    scopes: Mapped[list[str]]
    #: What its holder may use; null: no limit. Device-seconds count for 30 days.
    quota_stored_bytes: Mapped[int | None] = mapped_column(BigInteger)
    quota_queued_jobs: Mapped[int | None]
    quota_device_seconds: Mapped[float | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    #: To the minute: it costs a request in use one write a minute.
    last_used_at: Mapped[datetime | None]
