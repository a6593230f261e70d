"""Keyset pagination, newest first, with opaque cursors."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, tuple_
from sqlalchemy.orm import Session

from shared.errors import BadInput

MAX_LIMIT = 200
Row = TypeVar("Row")


@dataclass(frozen=True)
class RowPage(Generic[Row]):
    """One page of rows, and the cursor of the next."""

    rows: Sequence[Row]
    next_cursor: str | None


def newest_first(
    session: Session, query: Select[Row], table: Any, *, limit: int, cursor: str | None
) -> RowPage[Row]:
    """One page of ``query`` in order of (created_at, id), newest first.

    Raises :class:`BadInput` for a cursor that this server did not make.
    """
    if cursor is not None:
        query = query.where(tuple_(table.created_at, table.id) < decode_cursor(cursor))
    query = query.order_by(table.created_at.desc(), table.id.desc()).limit(limit + 1)
    rows = session.scalars(query).all()
    more = len(rows) > limit
    rows = rows[:limit]
    last: Any = rows[-1] if more else None
    return RowPage(rows, encode_cursor(last.created_at, last.id) if more else None)


def encode_cursor(created_at: datetime, row_id: str) -> str:
    """The opaque form of a place in a list."""
    return base64.urlsafe_b64encode(f"{created_at.isoformat()}|{row_id}".encode()).decode()


def decode_cursor(cursor: str) -> tuple[datetime, str]:
    """The inverse of :func:`encode_cursor`; raises :class:`BadInput` for anything else."""
    try:
        text = base64.urlsafe_b64decode(cursor.encode()).decode()
        created_at, _, row_id = text.partition("|")
        when = datetime.fromisoformat(created_at)
    except (ValueError, binascii.Error):
        raise BadInput("cursor is not one that this server made") from None
    if when.tzinfo is None or "\x00" in row_id:
        raise BadInput("cursor is not one that this server made")
    return when, row_id
