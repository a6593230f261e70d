"""Routes of API keys."""

from datetime import timedelta

from fastapi import Response
from sqlalchemy import select

from lesiongan.contracts.base import Page
from lesiongan.contracts.keys import Key, KeyChange, KeyCommand, NewKey, RotateCommand
from services.gateway import keys
from shared.db.pages import newest_first
from shared.db.tables import KeyRow
from shared.web.auth import Admin
from shared.web.paging import PagingDep
from shared.web.responses import header
from shared.web.routing import Router
from shared.web.state import SessionDep

router = Router(prefix="/keys", tags=["keys"])


@router.post(
    "",
    summary="Make a key",
    operation_id="create_key",
    status_code=201,
    responses={201: {"headers": {"Location": header("the key's address", required=True)}}},
)
def create_key(command: KeyCommand, _: Admin, session: SessionDep, response: Response) -> NewKey:
    """The secret is shown once, in this answer."""
    row, secret = keys.create(session, command)
    session.commit()
    response.headers["Location"] = f"/keys/{row.id}"
    return NewKey(**keys.view(row).model_dump(), key=secret)


@router.get("", summary="List keys", operation_id="list_keys")
def list_keys(_: Admin, session: SessionDep, paging: PagingDep) -> Page[Key]:
    page = newest_first(session, select(KeyRow), KeyRow, limit=paging.limit, cursor=paging.cursor)
    return Page(items=[keys.view(row) for row in page.rows], next_cursor=page.next_cursor)


@router.get("/{key_id}", summary="Get a key", operation_id="get_key")
def get_key(key_id: str, _: Admin, session: SessionDep) -> Key:
    return keys.view(keys.get(session, key_id))


@router.patch("/{key_id}", summary="Change a key", operation_id="change_key")
def change_key(key_id: str, command: KeyChange, _: Admin, session: SessionDep) -> Key:
    """Its name, expiry and quota. 409 if no admin key would be left that never expires."""
    row = keys.change(session, key_id, command)
    session.commit()
    return keys.view(row)


@router.post("/{key_id}/rotate", summary="Change a key's secret", operation_id="rotate_key")
def rotate_key(
    key_id: str, _: Admin, session: SessionDep, command: RotateCommand | None = None
) -> NewKey:
    """The new secret is shown once, in this answer; id, scopes, quota and jobs stay the key's.

    The old secret is good for `grace_seconds` more, the one before that no more. 409 if revoked.
    """
    seconds = 0 if command is None else command.grace_seconds
    row, secret = keys.rotate(session, key_id, timedelta(seconds=seconds))
    session.commit()
    return NewKey(**keys.view(row).model_dump(), key=secret)


@router.delete("/{key_id}", summary="Revoke a key", operation_id="revoke_key", status_code=204)
def revoke_key(key_id: str, _: Admin, session: SessionDep) -> Response:
    """Requests with it answer 401 from now on; its jobs go on. 409 for the last admin key."""
    keys.revoke(session, key_id)
    session.commit()
    return Response(status_code=204)
