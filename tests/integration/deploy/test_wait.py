"""Waiting for the migrations of this version."""

import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, make_url, text

from deploy.local.servers import Servers
from deploy.migrations.run import DatabaseTooNew, upgrade
from deploy.migrations.wait import missing, wait
from shared.db.engine import make_engine
from shared.settings import Settings


@pytest.fixture
def empty(settings: Settings) -> Iterator[Engine]:
    """A database without tables, on the same server."""
    name = f"empty_{uuid.uuid4().hex[:8]}"
    address = settings.database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(address, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        engine = make_engine(_url(settings, database=name), pool_size=1)
        yield engine
        engine.dispose()
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _url(settings: Settings, **changed: object) -> str:
    url = make_url(settings.database_url).set(**changed)  # type: ignore[arg-type]
    return url.render_as_string(hide_password=False)


def test_it_returns_once_the_migrations_have_run(empty: Engine, settings: Settings) -> None:
    before = missing(empty)
    assert before is not None
    assert "has revision none" in before
    waiter = threading.Thread(target=wait, args=(empty,), kwargs={"pause_seconds": 0.02})
    waiter.start()
    waiter.join(0.2)
    assert waiter.is_alive()
    upgrade(empty.url.render_as_string(hide_password=False))
    waiter.join(60)
    assert not waiter.is_alive()
    assert missing(empty) is None


def test_an_older_schema_is_waited_for(empty: Engine) -> None:
    upgrade(empty.url.render_as_string(hide_password=False))
    with empty.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    lacking = missing(empty)
    assert lacking is not None
    assert "has revision 0001, not 0" in lacking


def test_a_newer_schema_is_refused_in_one_sentence(empty: Engine) -> None:
    upgrade(empty.url.render_as_string(hide_password=False))
    with empty.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseTooNew) as refused:
        wait(empty)
    assert "does not know its revision 9999" in refused.value.detail


def test_a_server_that_is_away_is_waited_for(settings: Settings) -> None:
    lacking = missing(make_engine(_url(settings, port=1), pool_size=1))
    assert lacking is not None
    assert lacking.startswith("the database does not answer: ")
    assert "Connection refused" in lacking


def test_it_ends_when_it_is_told_to(servers: Servers, settings: Settings) -> None:
    """By its own handler: the first process of a container dies of no signal that it ignores."""
    away = {"LESIONGAN_DATABASE_URL": _url(settings, port=1)}
    waiting = subprocess.Popen(
        [sys.executable, "-m", "deploy.migrations.wait"],
        env=os.environ | servers.environment | away,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert waiting.stderr is not None
    with waiting.stderr as said:
        assert "waiting: the database does not answer" in said.readline()
        waiting.terminate()
        assert waiting.wait(60) == 143
