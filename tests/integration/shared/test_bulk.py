"""Rows that travel as one document are those that the driver would have written one by one."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from shared.db.bulk import insert_rows
from shared.db.engine import Sessions
from shared.db.tables import AuditRow, JobRow

NOW = datetime(2026, 11, 29, 21, 45, 3, 123456, tzinfo=UTC)
ODD = "quotes ' \" \\ % :name {} \u00e4\u2603\U0001f600\ttab\nline"


def audit(id_: str, **values: Any) -> dict[str, Any]:
    given = {"key_id": "key", "operation": "op", "target": None, "status": 202}
    return {"id": id_, **given, "request_id": "r", "address": "::1", "created_at": NOW, **values}


def job(id_: str, **values: Any) -> dict[str, Any]:
    given = {"kind": "k", "queue": "q", "input": {}, "work": 1.5, "exclusive": False}
    return {"id": id_, **given, "rung_at": NOW, "trace": None, "request_id": None, **values}


def written(sessions: Sessions, table: type[AuditRow | JobRow]) -> list[dict[str, Any]]:
    with sessions() as session:
        rows = session.execute(select(table.__table__).order_by(table.id)).mappings()
        return [dict(row) for row in rows]


def test_a_row_is_what_the_driver_writes_of_it(sessions: Sessions) -> None:
    values: dict[str, Any] = {
        "input": {"text": ODD, "nested": [None, True, 0.1, 10**12], "empty": {}},
        "kind": ODD,
        "work": 1e-17,
        "exclusive": True,
        "rung_at": NOW.astimezone(timezone(timedelta(hours=-7))),
    }
    with sessions() as session:
        insert_rows(session.connection(), JobRow, [job("job_a", **values), job("job_b")])
        session.connection().execute(insert(JobRow), [job("job_c", **values), job("job_d")])
        session.commit()

    found = [{**row, "id": "", "created_at": None} for row in written(sessions, JobRow)]
    assert found[:2] == found[2:]
    assert found[0]["input"] == values["input"]


def test_columns_that_are_not_named_take_their_defaults(sessions: Sessions) -> None:
    with sessions() as session:
        insert_rows(session.connection(), JobRow, [job("job_a"), job("job_b")])
        session.commit()

    for row in written(sessions, JobRow):
        assert (row["status"], row["done"], row["adopted"], row["stalls"]) == (
            "queued",
            0,
            False,
            0,
        )
        assert row["created_at"] is not None


def test_one_that_is_there_already_ends_them_all(sessions: Sessions) -> None:
    with sessions() as session, pytest.raises(IntegrityError):
        insert_rows(session.connection(), AuditRow, [audit("a"), audit("b"), audit("a")])

    assert written(sessions, AuditRow) == []
