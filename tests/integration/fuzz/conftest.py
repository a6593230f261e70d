"""The API that is shot at: a process of its own."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from deploy.local.servers import Servers
from shared.db.engine import make_sessions
from tests.conftest import empty_tables
from tests.live import LiveApi, live_api


@pytest.fixture(scope="module")
def target(
    servers: Servers, engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveApi]:
    """All services, without limits; what the shots wrote is gone afterwards."""
    log = tmp_path_factory.mktemp("target") / "api.log"
    with live_api(servers, make_sessions(engine), log) as api:
        yield api
    empty_tables(engine)
