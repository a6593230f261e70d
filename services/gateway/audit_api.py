"""``/audit``: who did what."""

from typing import Annotated

from fastapi import Query
from sqlalchemy import select

from lesiongan.contracts.base import Page
from lesiongan.contracts.usage import AuditEntry
from shared.db.pages import newest_first
from shared.db.tables import AuditRow
from shared.web.auth import Admin
from shared.web.paging import EndQuery, FirstQuery, PagingDep
from shared.web.routing import Router
from shared.web.state import SessionDep

router = Router(tags=["usage"])

KeyQuery = Annotated[str | None, Query(max_length=50, description="only this key's requests")]
ActionQuery = Annotated[
    str | None, Query(max_length=100, description="only this operation", examples=["revoke_key"])
]


@router.get("/audit", summary="See who did what", operation_id="list_audit")
def list_audit(
    _: Admin,
    session: SessionDep,
    paging: PagingDep,
    key: KeyQuery = None,
    action: ActionQuery = None,
    first: FirstQuery = None,
    end: EndQuery = None,
) -> Page[AuditEntry]:
    """Requests that changed something or were refused for their key, newest first.

    Entries appear within moments of the answer, and are kept for a year unless the server's
    settings say otherwise.
    """
    query = select(AuditRow)
    if key is not None:
        query = query.where(AuditRow.key_id == key)
    if action is not None:
        query = query.where(AuditRow.operation == action)
    if first is not None:
        query = query.where(AuditRow.created_at >= first)
    if end is not None:
        query = query.where(AuditRow.created_at < end)
    page = newest_first(session, query, AuditRow, limit=paging.limit, cursor=paging.cursor)
    return Page(items=[_view(row) for row in page.rows], next_cursor=page.next_cursor)


def _view(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        at=row.created_at,
        key=row.key_id,
        action=row.operation,
        target=row.target,
        status=row.status,
        request_id=row.request_id,
        address=row.address,
    )
