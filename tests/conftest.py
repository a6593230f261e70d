"""What every test may ask for: the three real servers, migrated, and clean for each test."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from redis import Redis
from sqlalchemy import Engine, func, select, text

from deploy.local.servers import Servers, erase, start_servers
from deploy.migrations.run import upgrade
from shared.db.base import Base
from shared.db.engine import Sessions, make_engine, make_sessions
from shared.queue.celery import CeleryDoorbell
from shared.settings import Settings
from shared.storage.s3 import S3Store

# The same examples in every run: a test that fails here fails anywhere. Timings say nothing about
# the code on a machine that others use as well.
hypothesis_settings.register_profile(
    "lesiongan",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
hypothesis_settings.load_profile("lesiongan")


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """PostgreSQL, Valkey and SeaweedFS on loopback, with a data folder that goes with them."""
    home = tmp_path_factory.mktemp("servers")
    try:
        with start_servers(home) as started:
            yield started
    finally:
        erase(home)


@pytest.fixture(scope="session")
def settings(servers: Servers) -> Settings:
    """The settings of a process that uses these servers."""
    prefix = "LESIONGAN_"
    given = {name.removeprefix(prefix).lower(): v for name, v in servers.environment.items()}
    return Settings.model_validate(given)


@pytest.fixture(scope="session")
def engine(settings: Settings) -> Iterator[Engine]:
    """Connections to the migrated database."""
    upgrade(settings.database_url)
    made = make_engine(settings.database_url)
    with made.begin() as connection:
        # These data do not outlive the run, so no commit need wait for the disk.
        name = connection.scalar(select(func.current_database()))
        connection.execute(text(f'ALTER DATABASE "{name}" SET synchronous_commit = off'))
    made.dispose()
    yield made
    made.dispose()


@pytest.fixture
def sessions(engine: Engine) -> Iterator[Sessions]:
    """Sessions on tables that are empty before the test and after it."""
    yield make_sessions(engine)
    empty_tables(engine)


@pytest.fixture(scope="session")
def store(settings: Settings) -> S3Store:
    """The bucket. Objects stay until the session ends: tests name theirs apart."""
    return S3Store(settings)


@pytest.fixture
def bell(settings: Settings, servers: Servers) -> Iterator[CeleryDoorbell]:
    """The doorbell, over a Redis that is empty before the test and after it."""
    with Redis.from_url(servers.redis_url) as redis:
        redis.flushall()
        yield CeleryDoorbell(settings)
        redis.flushall()


def empty_tables(engine: Engine) -> None:
    """Delete every row: for small tables much faster than TRUNCATE, which makes new files."""
    with engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())
