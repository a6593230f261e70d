"""Many rows written by one statement, whatever their number: they travel as one JSON document.

A driver sends rows one after the other, and each costs it as much as a statement does.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Insert,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    insert,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.base import Base


def insert_rows(
    connection: Connection, table: type[Base], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Write ``rows``, which all name the same columns; the others take their constant defaults."""
    document = json.dumps([dict(row) for row in rows], default=str)
    connection.execute(_statement(table, tuple(rows[0])), {"rows": document})


@cache
def _statement(table: type[Base], names: tuple[str, ...]) -> Insert:
    """Built once for each set of columns."""
    assert isinstance(table.__table__, Table)
    columns = [column(name, table.__table__.c[name].type) for name in names]
    document = cast(bindparam("rows", type_=Text), JSONB)
    given = func.jsonb_to_recordset(document).table_valued(*columns)
    rows = given.render_derived(name="given", with_types=True)
    return insert(table).from_select(list(names), select(*rows.c))
