"""Sessions and sign-in links: made from a key, found by hash, gone with their key."""

import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func
from sqlalchemy.orm import Session

from shared.db.tables import KeyRow, SessionRow, SignInLinkRow
from shared.errors import Conflict, Unauthorized
from shared.web.auth import hashed

#: So that a secret that turns up somewhere says what it is.
_SESSION, _LINK = "lgs_", "lgl_"


def open_session(session: Session, key_id: str, lifetime: timedelta) -> tuple[str, datetime]:
    """A new session of a key: its secret, and when it ends. Those that have ended go.

    Raises :class:`Conflict` for the subject of an OIDC issuer: its scopes are in its tokens.
    """
    _require_key(session, key_id)
    session.execute(delete(SessionRow).where(SessionRow.expires_at <= func.clock_timestamp()))
    secret, expires_at = _secret(_SESSION), datetime.now(UTC) + lifetime
    session.add(SessionRow(sha256=hashed(secret), key_id=key_id, expires_at=expires_at))
    return secret, expires_at


def close_session(session: Session, secret: str) -> None:
    """End a session; one that has ended stays so."""
    session.execute(delete(SessionRow).where(SessionRow.sha256 == hashed(secret)))


def make_link(session: Session, key_id: str, lifetime: timedelta) -> tuple[str, datetime]:
    """A secret that opens one session; raises what :func:`open_session` raises."""
    _require_key(session, key_id)
    session.execute(delete(SignInLinkRow).where(SignInLinkRow.expires_at <= func.clock_timestamp()))
    secret, expires_at = _secret(_LINK), datetime.now(UTC) + lifetime
    session.add(SignInLinkRow(sha256=hashed(secret), key_id=key_id, expires_at=expires_at))
    return secret, expires_at


def use_link(session: Session, secret: str) -> str:
    """The key of a link, which is used up; raises :class:`Unauthorized`.

    Of two requests with one link, the database lets one delete the row.
    """
    used = delete(SignInLinkRow).where(SignInLinkRow.sha256 == hashed(secret))
    row = session.execute(used.returning(SignInLinkRow.key_id, SignInLinkRow.expires_at)).first()
    key = None if row is None else session.get(KeyRow, row.key_id)
    if row is None or key is None or row.expires_at <= datetime.now(UTC) or not _is_good(key):
        raise Unauthorized("this link was used, or is too old: ask for a new one")
    return key.id


def end_all(session: Session, key_id: str) -> None:
    """End a key's sessions, and its links with them."""
    session.execute(delete(SessionRow).where(SessionRow.key_id == key_id))
    session.execute(delete(SignInLinkRow).where(SignInLinkRow.key_id == key_id))


def _secret(prefix: str) -> str:
    return prefix + secrets.token_hex(20)


def _require_key(session: Session, key_id: str) -> None:
    if session.get_one(KeyRow, key_id).issuer is not None:
        raise Conflict("the console takes keys: tokens carry their scopes with them, and end soon")


def _is_good(key: KeyRow) -> bool:
    expired = key.expires_at is not None and key.expires_at <= datetime.now(UTC)
    return key.revoked_at is None and not expired
