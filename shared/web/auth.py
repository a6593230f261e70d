"""API keys, and tokens of an OIDC issuer: ``Authorization: Bearer …``, with scopes.

A key is looked up by its SHA-256. Whoever measures how long that takes learns about hashes of keys
that they chose, and nothing of one that they do not know: no comparison runs along a secret.

Whoever comes with a token has a row among the keys as well, made at first use: what jobs, usage,
quotas and the audit refer to, and what an admin revokes. Its scopes are each token's own.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from jwt import PyJWK
from sqlalchemy import Select, String, and_, bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.types import Scope as AsgiScope

from lesiongan.contracts.keys import Scope
from shared.db.tables import KeyRow
from shared.errors import Forbidden, Unauthorized
from shared.ids import new_id
from shared.jobs.limits import Quota
from shared.web.oidc import Bearer, Tokens
from shared.web.state import StateDep, WebState

PREFIX = "lg_"
#: ``admin`` may do all; ``submit`` may also read.
INCLUDED: dict[str, frozenset[Scope]] = {
    "read": frozenset({"read"}),
    "submit": frozenset({"read", "submit"}),
    "admin": frozenset({"read", "submit", "admin"}),
}
#: A key in use is marked so once in this time, not at each request.
MARK_EVERY = timedelta(minutes=1)
#: Where a request's caller is kept once the key was checked.
_CALLER = "lesiongan.caller"

_bearer = HTTPBearer(auto_error=False, scheme_name="ApiKey", description="A key: lg_…")
#: For the document alone: both come in the same header.
_token = HTTPBearer(
    auto_error=False,
    scheme_name="OidcToken",
    bearerFormat="JWT",
    description="An access token of the OIDC issuer that this installation trusts, if it does.",
)


@dataclass(frozen=True)
class Caller:
    """Who sent the request."""

    key_id: str
    scopes: frozenset[Scope]
    quota: Quota = field(default_factory=Quota)


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


def known_caller(scope: AsgiScope) -> Caller | None:
    """The caller of a request whose key was found good."""
    caller: Caller | None = scope.get(_CALLER)
    return caller


async def authenticate(
    request: Request,
    state: StateDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    _: Annotated[HTTPAuthorizationCredentials | None, Security(_token)],
) -> Caller:
    """The caller by its key or token; raises what :func:`checked_caller` raises.

    The session is its own and short: requests that wait or stream must not hold one.
    """
    secret = None if credentials is None else credentials.credentials
    return await checked_caller(request.scope, state, secret)


async def checked_caller(scope: AsgiScope, state: WebState, secret: str | None) -> Caller:
    """The caller of a request, by the secret that it carries; looked up once a request.

    Raises :class:`Unauthorized`, and for tokens also :class:`Forbidden` without a role and
    :class:`shared.errors.Unavailable` while their issuer is away.
    """
    caller = known_caller(scope)
    if caller is None:
        caller = scope[_CALLER] = await _authenticated(state, secret)
    return caller


async def _authenticated(state: WebState, secret: str | None) -> Caller:
    if secret is not None and secret.startswith(PREFIX):
        return await run_in_threadpool(_of_key, state, secret)
    if state.tokens is None:
        raise Unauthorized("send a key: Authorization: Bearer lg_…")
    if secret is None:
        raise Unauthorized("send a key or a token: Authorization: Bearer …")
    key = await state.tokens.key_of(secret)
    return await run_in_threadpool(_of_token, state, state.tokens, secret, key)


def _of_key(state: WebState, secret: str) -> Caller:
    with state.glances() as session:
        row = _row_in_use(session, hashed(secret))
        if row is None:
            raise Unauthorized("this key is not known, or was revoked")
        return _caller(row, row.scopes)


def _of_token(state: WebState, tokens: Tokens, token: str, key: PyJWK) -> Caller:
    bearer = tokens.read(token, key)
    with state.glances() as session:
        row = _row_in_use(session, bearer.digest)
        if row is None:
            _introduce(session, bearer)
            row = _row_in_use(session, bearer.digest)
        if row is None:
            raise Unauthorized("this token's subject was shut out: its key was revoked")
        return _caller(row, bearer.scopes)


def _caller(row: KeyRow, scopes: Iterable[str]) -> Caller:
    quota = Quota(
        stored_bytes=row.quota_stored_bytes,
        queued_jobs=row.quota_queued_jobs,
        device_seconds=row.quota_device_seconds,
    )
    return Caller(row.id, frozenset().union(*(INCLUDED[scope] for scope in scopes)), quota)


def _introduce(session: Session, bearer: Bearer) -> None:
    """Make the row of a token's subject, unless it is there: two requests may be its first."""
    row = insert(KeyRow).values(
        id=new_id("key"), name=bearer.name, sha256=bearer.digest, scopes=[], issuer=bearer.issuer
    )
    session.execute(row.on_conflict_do_nothing(index_elements=[KeyRow.sha256]))
    session.commit()


def _row_in_use(session: Session, digest: str) -> KeyRow | None:
    """The row that a secret opens, whose use is marked; None: there is none, or it was revoked.

    Raises :class:`Unauthorized` if it has expired.
    """
    found = session.execute(_lookup(), {"digest": digest}).one_or_none()
    if found is None or found[0].revoked_at is not None:
        return None
    row, has_expired, is_unmarked = found
    if has_expired:
        raise Unauthorized("this key has expired")
    if is_unmarked:
        _mark(session, row)
    return row


@cache
def _lookup() -> Select[KeyRow, bool, bool]:
    """The key, whether it has expired, and whether its use is to be marked: built once."""
    now, digest = func.clock_timestamp(), bindparam("digest", type_=String)
    rotated = and_(KeyRow.previous_sha256 == digest, KeyRow.previous_valid_until > now)
    expired = func.coalesce(KeyRow.expires_at <= now, False)
    unmarked = func.coalesce(KeyRow.last_used_at < now - MARK_EVERY, True)
    return select(KeyRow, expired, unmarked).where(or_(KeyRow.sha256 == digest, rotated))


def _mark(session: Session, row: KeyRow) -> None:
    """Note that the key is in use; whoever finds its row locked leaves that to the other."""
    free = select(KeyRow.id).where(KeyRow.id == row.id).with_for_update(skip_locked=True)
    mark = update(KeyRow).where(KeyRow.id.in_(free)).values(last_used_at=func.clock_timestamp())
    session.execute(mark, execution_options={"synchronize_session": False})
    session.commit()


CallerDep = Annotated[Caller, Depends(authenticate)]


@dataclass(frozen=True)
class Needs:
    """A dependency that answers 403 to callers without ``scope``."""

    scope: Scope

    async def __call__(self, caller: CallerDep) -> Caller:
        return self.checked(caller)

    def checked(self, caller: Caller) -> Caller:
        """The caller; raises :class:`Forbidden`."""
        if self.scope not in caller.scopes:
            raise Forbidden(f"this key or token lacks the scope {self.scope}")
        return caller


def require(scope: Scope) -> Any:
    """See :class:`Needs`."""
    return Depends(Needs(scope))


Reader = Annotated[Caller, require("read")]
Submitter = Annotated[Caller, require("submit")]
Admin = Annotated[Caller, require("admin")]
