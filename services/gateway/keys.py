"""The gateway's own rows: API keys."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from lesiongan.contracts.keys import (
    Key,
    KeyChange,
    KeyCommand,
    KeyQuota,
    QuotaCommand,
)
from services.gateway.console.sessions import end_all
from shared.db.rows import require
from shared.db.tables import KeyRow
from shared.errors import BadInput, Conflict
from shared.jobs import ledger
from shared.web.auth import ensure_key, hashed, make_key

#: Locked while a key may lose what it could do: two admins must not lock each other out.
_KEYS = "keys"


def view(row: KeyRow) -> Key:
    """A key as it is shown."""
    old = row.previous_valid_until
    return Key.model_validate(
        {
            "id": row.id,
            "name": row.name,
            "issuer": row.issuer,
            "scopes": row.scopes,
            "created_at": row.created_at,
            "expires_at": row.expires_at,
            "revoked_at": row.revoked_at,
            "last_used_at": row.last_used_at,
            "old_secret_valid_until": old if old and old > datetime.now(UTC) else None,
            "quota": quota(row),
        }
    )


def quota(row: KeyRow) -> KeyQuota:
    """The limits of a key."""
    return KeyQuota(
        stored_bytes=row.quota_stored_bytes,
        queued_jobs=row.quota_queued_jobs,
        device_seconds=row.quota_device_seconds,
    )


def get(session: Session, key_id: str) -> KeyRow:
    """The row; raises :class:`shared.errors.NotFound`."""
    return require(session, KeyRow, key_id, "key")


def create(session: Session, command: KeyCommand) -> tuple[KeyRow, str]:
    """A new key and its secret."""
    secret = make_key()
    row = ensure_key(session, key=secret, name=command.name, scopes=command.scopes)
    row.expires_at = command.expires_at
    _set_quota(row, command.quota)
    session.flush()
    session.refresh(row)
    return row, secret


def rotate(session: Session, key_id: str, grace: timedelta) -> tuple[KeyRow, str]:
    """Replace a key's secret; the old one is good for ``grace``, the one before it no more.

    Browsers that signed in with it are signed out: the secret may have leaked.

    Raises :class:`shared.errors.NotFound`, and :class:`Conflict` for a key that was revoked, or
    that is an issuer's subject: a secret would take its row away from its tokens.
    """
    row = _held(session, key_id)
    if row.issuer is not None:
        raise Conflict(f"{key_id} has no secret: it comes with tokens of {row.issuer}")
    if row.revoked_at is not None:
        raise Conflict(f"key {key_id} was revoked: make another with POST /keys")
    secret = make_key()
    until = datetime.now(UTC) + grace if grace else None
    row.previous_sha256, row.previous_valid_until = (row.sha256, until) if grace else (None, None)
    row.sha256 = hashed(secret)
    end_all(session, key_id)
    return row, secret


def change(session: Session, key_id: str, command: KeyChange) -> KeyRow:
    """Change what the command names.

    Raises :class:`shared.errors.NotFound`, and :class:`Conflict` when no admin key would be left
    that never expires.
    """
    row = _held(session, key_id)
    if "name" in command.model_fields_set:
        if command.name is None:
            raise BadInput("name is null: leave it out, or name the key")
        row.name = command.name
    if "expires_at" in command.model_fields_set:
        if command.expires_at is not None:
            _keep_an_admin(session, row)
        row.expires_at = command.expires_at
    if command.quota is not None:
        _set_quota(row, command.quota)
    return row


def revoke(session: Session, key_id: str) -> None:
    """Make a key worthless from now on; raises what :func:`change` raises."""
    row = _held(session, key_id)
    if row.revoked_at is None:
        _keep_an_admin(session, row)
        row.revoked_at = func.clock_timestamp()
        row.previous_sha256 = row.previous_valid_until = None
        end_all(session, key_id)


def _held(session: Session, key_id: str) -> KeyRow:
    ledger.lock_target(session, _KEYS)
    return get(session, key_id)


def _keep_an_admin(session: Session, row: KeyRow) -> None:
    """Raises :class:`Conflict` if nobody could make keys once ``row`` is gone."""
    others = select(KeyRow.id).where(KeyRow.id != row.id, KeyRow.expires_at.is_(None), _is_admin())
    itself = select(KeyRow.id).where(KeyRow.id == row.id, _in_force(), _is_admin())
    if session.scalar(itself) is not None and session.scalar(others.limit(1)) is None:
        raise Conflict(
            f"key {row.id} is the last with scope admin that would not expire: make another first"
        )


def _is_admin() -> ColumnElement[bool]:
    return and_(KeyRow.revoked_at.is_(None), KeyRow.scopes.contains(["admin"]))


def _in_force() -> ColumnElement[bool]:
    return or_(KeyRow.expires_at.is_(None), KeyRow.expires_at > func.clock_timestamp())


def _set_quota(row: KeyRow, command: QuotaCommand) -> None:
    given: dict[str, Any] = command.model_dump(exclude_unset=True)
    for name, limit in given.items():
        setattr(row, f"quota_{name}", limit)
