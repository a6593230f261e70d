"""API keys: ``Authorization: Bearer lg_…``, with scopes."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import select
from sqlalchemy.orm import Session

from lesiongan.contracts.keys import Scope
from shared.db.tables import KeyRow
from shared.errors import Forbidden, Unauthorized
from shared.ids import new_id
from shared.web.state import StateDep

PREFIX = "lg_"
#: ``admin`` may do all; ``submit`` may also read.
INCLUDED: dict[str, frozenset[Scope]] = {
    "read": frozenset({"read"}),
    "submit": frozenset({"read", "submit"}),
    "admin": frozenset({"read", "submit", "admin"}),
}

_bearer = HTTPBearer(auto_error=False, scheme_name="ApiKey", description="A key: lg_…")


@dataclass(frozen=True)
class Caller:
    """Who sent the request."""

    key_id: str
    scopes: frozenset[Scope]


def make_key() -> str:
    """A new secret of 160 random bits."""
    return PREFIX + secrets.token_hex(20)


def hashed(key: str) -> str:
    """What is stored of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def ensure_key(session: Session, *, key: str, name: str, scopes: list[Scope]) -> KeyRow:
    """The row of ``key``, made if there is none."""
    row = session.scalar(select(KeyRow).where(KeyRow.sha256 == hashed(key)))
    if row is None:
        row = KeyRow(id=new_id("key"), name=name, sha256=hashed(key), scopes=list(scopes))
        session.add(row)
        session.flush()
    return row


def authenticate(
    state: StateDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> Caller:
    """The caller by its key; raises :class:`Unauthorized`.

    The session is its own and short: requests that wait or stream must not hold one.
    """
    if credentials is None or not credentials.credentials.startswith(PREFIX):
        raise Unauthorized("send a key: Authorization: Bearer lg_…")
    digest = hashed(credentials.credentials)
    with state.sessions() as session:
        row = session.scalar(select(KeyRow).where(KeyRow.sha256 == digest))
    if row is None or row.revoked_at is not None:
        raise Unauthorized("this key is not known, or was revoked")
    if row.expires_at is not None and row.expires_at <= datetime.now(UTC):
        raise Unauthorized("this key has expired")
    scopes = frozenset().union(*(INCLUDED[scope] for scope in row.scopes))
    return Caller(row.id, scopes)


CallerDep = Annotated[Caller, Depends(authenticate)]


def require(scope: Scope) -> Any:
    """A dependency that answers 403 to callers without ``scope``."""

    def check(caller: CallerDep) -> Caller:
        if scope not in caller.scopes:
            raise Forbidden(f"this key lacks the scope {scope}")
        return caller

    return Depends(check)


Reader = Annotated[Caller, require("read")]
Submitter = Annotated[Caller, require("submit")]
Admin = Annotated[Caller, require("admin")]
