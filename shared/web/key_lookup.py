"""Keys that open the door, looked up many at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from sqlalchemy import Select, String, and_, bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from shared.db.engine import Sessions
from shared.db.tables import KeyRow
from shared.jobs.limits import Quota

#: A key in use is marked so once in this time, not at each request.
MARK_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class KnownKey:
    """A key that is not revoked."""

    id: str
    scopes: tuple[str, ...]
    quota: Quota
    expired: bool


def find_keys(sessions: Sessions, digests: Sequence[str]) -> list[KnownKey | None]:
    """The key of each digest, whose use is marked; None: there is none, or it was revoked."""
    with sessions() as session:
        rows = session.connection().execute(_lookup(), {"digests": list(set(digests))}).all()
        unmarked = [row.id for row in rows if row.unmarked and not row.expired]
        if unmarked:
            _mark(session, unmarked)
    found: dict[str, KnownKey] = {}
    for row in rows:
        quota = Quota(
            stored_bytes=row.quota_stored_bytes,
            queued_jobs=row.quota_queued_jobs,
            device_seconds=row.quota_device_seconds,
        )
        key = KnownKey(id=row.id, scopes=tuple(row.scopes), quota=quota, expired=row.expired)
        found[row.sha256] = key
        if row.rotated:
            found[row.previous_sha256] = key
    return [found.get(digest) for digest in digests]


@cache
def _lookup() -> Select[*tuple[object, ...]]:
    """Built once. ``rotated``: the secret before the last rotation opens as well."""
    now = func.clock_timestamp()
    asked = func.any(bindparam("digests", type_=ARRAY(String)))
    rotated = func.coalesce(KeyRow.previous_valid_until > now, False)
    return select(
        KeyRow.id,
        KeyRow.sha256,
        KeyRow.previous_sha256,
        KeyRow.scopes,
        KeyRow.quota_stored_bytes,
        KeyRow.quota_queued_jobs,
        KeyRow.quota_device_seconds,
        func.coalesce(KeyRow.expires_at <= now, False).label("expired"),
        func.coalesce(KeyRow.last_used_at < now - MARK_EVERY, True).label("unmarked"),
        rotated.label("rotated"),
    ).where(
        KeyRow.revoked_at.is_(None),
        or_(KeyRow.sha256 == asked, and_(KeyRow.previous_sha256 == asked, rotated)),
    )


def _mark(session: Session, key_ids: Sequence[str]) -> None:
    """Note that keys are in use; whoever finds a row locked leaves that to the other."""
    free = select(KeyRow.id).where(KeyRow.id.in_(key_ids)).with_for_update(skip_locked=True)
    mark = update(KeyRow).where(KeyRow.id.in_(free)).values(last_used_at=func.clock_timestamp())
    session.execute(mark, execution_options={"synchronize_session": False})
    session.commit()
