"""Sessions of the console, and the links that open one. Only hashes of their secrets are stored."""

from datetime import datetime

from sqlalchemy import ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class SessionRow(Base):
    """A browser that signed in with a key. It can do what the key can, while the key is good."""

    __tablename__ = "console_sessions"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    expires_at: Mapped[datetime]


class SignInLinkRow(Base):
    """A link that signs in once: whoever uses it deletes the row."""

    __tablename__ = "sign_in_links"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime]
