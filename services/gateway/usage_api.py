"""``/usage``: what each key used."""

from typing import Annotated

from fastapi import Query
from sqlalchemy import select

from lesiongan.contracts.base import Page
from lesiongan.contracts.usage import Usage
from services.gateway.usage import Span, usage
from shared.db.pages import newest_first
from shared.db.tables import KeyRow
from shared.web.auth import Admin
from shared.web.paging import EndQuery, FirstQuery, PagingDep
from shared.web.routing import Router
from shared.web.state import SessionDep

router = Router(tags=["usage"])

KeyQuery = Annotated[str | None, Query(max_length=50, description="only this key's")]


@router.get("/usage", summary="See what keys used", operation_id="list_usage")
def list_usage(
    _: Admin,
    session: SessionDep,
    paging: PagingDep,
    key: KeyQuery = None,
    first: FirstQuery = None,
    end: EndQuery = None,
) -> Page[Usage]:
    """Jobs by kind and end, device-seconds and images of each key, revoked ones too."""
    query = select(KeyRow)
    if key is not None:
        query = query.where(KeyRow.id == key)
    page = newest_first(session, query, KeyRow, limit=paging.limit, cursor=paging.cursor)
    items = usage(session, page.rows, Span(first, end))
    return Page(items=items, next_cursor=page.next_cursor)
