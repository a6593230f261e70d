"""A row by its id, or the error that says that there is none."""

from typing import TypeVar

from sqlalchemy.orm import Session

from shared.db.tombstones import refuse_withdrawn
from shared.errors import NotFound

Row = TypeVar("Row")


def require(session: Session, table: type[Row], row_id: str, what: str) -> Row:
    """The row; raises :class:`NotFound`, which calls it ``what``, and :class:`Gone`."""
    row = session.get(table, row_id)
    if row is None:
        refuse_withdrawn(session, [row_id])
        raise NotFound(f"there is no {what} {row_id}")
    return row
