"""Sessions of the console, by the secret that a browser's cookie holds."""

import hashlib

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.db.tables import KeyRow, SessionRow


def key_of_session(session: Session, secret: str) -> KeyRow | None:
    """The key of a session that lasts, and whose key is good."""
    now, digest = func.clock_timestamp(), hashlib.sha256(secret.encode()).hexdigest()
    query = (
        select(KeyRow)
        .join(SessionRow, SessionRow.key_id == KeyRow.id)
        .where(SessionRow.sha256 == digest, SessionRow.expires_at > now)
        .where(KeyRow.revoked_at.is_(None), func.coalesce(KeyRow.expires_at > now, True))
    )
    return session.scalars(query).one_or_none()
