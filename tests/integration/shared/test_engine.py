"""No connection waits for ever, and none makes others wait for ever."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from shared.db.engine import Patience, Sessions, make_engine, make_sessions
from shared.db.tables import KeyRow
from shared.errors import LesionGanError
from shared.jobs import claims, ledger
from shared.settings import Settings
from shared.worker import faults
from tests.integration.shared.builders import committed, row, running

SHORT = Patience(statement=0.5, lock=0.3, idle_in_transaction=0.5)


@pytest.fixture
def hurried(settings: Settings, sessions: Sessions) -> Iterator[Sessions]:
    """Sessions of little patience."""
    engine = make_engine(settings.database_url, pool_size=2, patience=SHORT)
    yield make_sessions(engine)
    engine.dispose()


@contextmanager
def passing() -> Iterator[list[LesionGanError]]:
    """Collects what a worker would say of the failure within."""
    said: list[LesionGanError] = []
    with pytest.raises(DBAPIError) as caught:
        yield said
    fault = faults.passing(caught.value)
    assert fault is not None
    said.append(fault)


def test_a_statement_is_ended(hurried: Sessions) -> None:
    with passing() as said, hurried() as session:
        session.execute(text("SELECT pg_sleep(20)"))
    assert said[0].detail == "the database took too long"


def test_waiting_for_a_row_ends(hurried: Sessions, sessions: Sessions) -> None:
    claim = running(sessions)
    with sessions() as other:
        claims.hold(other, claim)
        with passing() as said, hurried() as session:
            claims.hold(session, claim)
    assert said[0].detail == "the database did not free a row in time"


def test_a_frozen_process_does_not_keep_its_rows(hurried: Sessions, sessions: Sessions) -> None:
    claim = running(sessions)
    with passing() as said, hurried() as frozen:
        claims.hold(frozen, claim)
        began = time.monotonic()
        committed(sessions, lambda session: ledger.cancel(session, claim.job_id))
        assert time.monotonic() - began > 0.2, "the row was locked"
        ledger.succeed(frozen, claim, {})
    assert row(sessions, claim.job_id).cancel_requested
    assert said[0].title == "Database unavailable"
    with hurried() as session:
        assert session.scalar(text("SELECT 1")) == 1, "the pool lends no dead connection"


def test_times_are_in_utc_wherever_the_database_thinks_it_is(
    engine: Engine, settings: Settings, sessions: Sessions
) -> None:
    job_id = running(sessions).job_id
    with engine.begin() as connection:
        name = connection.scalar(select(func.current_database()))
        connection.execute(text(f"ALTER DATABASE \"{name}\" SET timezone = 'Europe/Berlin'"))
    fresh = make_engine(settings.database_url)
    try:
        created = row(make_sessions(fresh), job_id).created_at
    finally:
        fresh.dispose()
        with engine.begin() as connection:
            connection.execute(text(f'ALTER DATABASE "{name}" RESET timezone'))
    assert created.isoformat().endswith("+00:00")


def test_the_usual_limits_reach_the_server(sessions: Sessions) -> None:
    with sessions() as session:
        found = {
            name: session.scalar(text(f"SHOW {name}"))
            for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        }
    assert list(found.values()) == ["1min", "10s", "15s"]


def test_errors_quote_no_values(sessions: Sessions) -> None:
    def key() -> KeyRow:
        return KeyRow(id="k", name="Doe^John", sha256="k", scopes=[])

    committed(sessions, lambda session: session.add(key()))
    with pytest.raises(IntegrityError) as caught:
        committed(sessions, lambda session: session.add(key()))
    assert "Doe" not in str(caught.value)


def _lost(sessions: Sessions, hurried: Sessions) -> None:
    """End the connection that the pool holds, as a database that starts anew does."""
    with hurried() as session:
        process_id = session.scalar(text("SELECT pg_backend_pid()"))
    with sessions() as other:
        other.execute(text("SELECT pg_terminate_backend(:it, 5000)"), {"it": process_id})


def test_a_connection_that_lay_idle_is_asked_before_it_is_lent(
    hurried: Sessions, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.db.engine.TRUSTED_SECONDS", 0.0)
    _lost(sessions, hurried)
    with hurried() as session:
        assert session.scalar(text("SELECT 1")) == 1


def test_a_connection_that_was_just_used_is_not_asked(
    hurried: Sessions, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.db.engine.TRUSTED_SECONDS", 60.0)
    _lost(sessions, hurried)
    with pytest.raises(DBAPIError), hurried() as session:
        session.execute(text("SELECT 1"))
    with hurried() as session:
        assert session.scalar(text("SELECT 1")) == 1
