"""API keys, tokens of an OIDC issuer (``Authorization: Bearer …``), and sessions of the console.

A key is looked up by its SHA-256. Whoever measures how long that takes learns about hashes of keys
that they chose, and nothing of one that they do not know: no comparison runs along a secret.

Whoever comes with a token has a row among the keys as well, made at first use: what jobs, usage,
quotas and the audit refer to, and what an admin revokes. Its scopes are each token's own.

A session is its key's: it opens what the key opens, and ends with it.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.types import Scope as AsgiScope

from lesiongan.contracts.keys import Scope
from shared.db.tables import KeyRow
from shared.errors import Forbidden, Unauthorized
from shared.ids import new_id
from shared.jobs.limits import Quota
from shared.web.key_lookup import KnownKey
from shared.web.oidc import Bearer
from shared.web.sessions import key_of_session
from shared.web.state import StateDep, WebState
from shared.web.tickets import CONFIRMATION, Ticket, ticket_of

PREFIX = "lg_"
#: ``admin`` may do all; ``submit`` may also read.
INCLUDED: dict[str, frozenset[Scope]] = {
    "read": frozenset({"read"}),
    "submit": frozenset({"read", "submit"}),
    "admin": frozenset({"read", "submit", "admin"}),
}
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
    #: Of a session, without what only the console's own scripts send: it may read, and no more.
    unconfirmed: bool = False


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
        ticket = ticket_of(scope) if secret is None else None
        if ticket is None:
            caller = await _authenticated(state, secret)
        else:
            caller = await _of_session(state, ticket)
        scope[_CALLER] = caller
    return caller


async def _authenticated(state: WebState, secret: str | None) -> Caller:
    if secret is not None and secret.startswith(PREFIX):
        key = await _key_in_use(state, hashed(secret))
        if key is None:
            raise Unauthorized("this key is not known, or was revoked")
        return _caller(key, key.scopes)
    if state.tokens is None:
        raise Unauthorized("send a key: Authorization: Bearer lg_…")
    if secret is None:
        raise Unauthorized("send a key or a token: Authorization: Bearer …")
    signed_by = await state.tokens.key_of(secret)
    bearer = await run_in_threadpool(state.tokens.read, secret, signed_by)
    return await _of_token(state, bearer)


async def _of_token(state: WebState, bearer: Bearer) -> Caller:
    key = await _key_in_use(state, bearer.digest)
    if key is None:
        await run_in_threadpool(_introduce, state, bearer)
        key = await _key_in_use(state, bearer.digest)
    if key is None:
        raise Unauthorized("this token's subject was shut out: its key was revoked")
    return _caller(key, bearer.scopes)


async def _key_in_use(state: WebState, digest: str) -> KnownKey | None:
    """The key that a secret opens; raises :class:`Unauthorized` if it has expired."""
    key = await state.batches.key(digest)
    if key is not None and key.expired:
        raise Unauthorized("this key has expired")
    return key


async def _of_session(state: WebState, ticket: Ticket) -> Caller:
    digest = await run_in_threadpool(_digest_of, state, ticket.secret)
    key = None if digest is None else await _key_in_use(state, digest)
    if key is None:
        raise Unauthorized("this session has ended: sign in again")
    return replace(_caller(key, key.scopes), unconfirmed=not ticket.confirmed)


def _digest_of(state: WebState, secret: str) -> str | None:
    """What the key of a session is looked up by."""
    with state.glances() as session:
        row = key_of_session(session, secret)
        return None if row is None else row.sha256


def _caller(key: KnownKey, scopes: Iterable[str]) -> Caller:
    return Caller(key.id, frozenset().union(*(INCLUDED[each] for each in scopes)), key.quota)


def _introduce(state: WebState, bearer: Bearer) -> None:
    """Make the row of a token's subject, unless it is there: two requests may be its first."""
    row = insert(KeyRow).values(
        id=new_id("key"), name=bearer.name, sha256=bearer.digest, scopes=[], issuer=bearer.issuer
    )
    with state.sessions() as session:
        session.execute(row.on_conflict_do_nothing(index_elements=[KeyRow.sha256]))
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
        if caller.unconfirmed and self.scope != "read":
            raise Forbidden(f"with a session, a request that is no reading has {CONFIRMATION}: 1")
        if self.scope not in caller.scopes:
            raise Forbidden(f"this key or token lacks the scope {self.scope}")
        return caller


def require(scope: Scope) -> Any:
    """See :class:`Needs`."""
    return Depends(Needs(scope))


Reader = Annotated[Caller, require("read")]
Submitter = Annotated[Caller, require("submit")]
Admin = Annotated[Caller, require("admin")]
