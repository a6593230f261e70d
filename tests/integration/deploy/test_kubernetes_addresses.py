"""The addresses that Kubernetes puts together open the real servers."""

import shutil
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from redis import Redis
from sqlalchemy import text

from deploy.local.servers import Servers
from shared.db.engine import make_engine
from shared.settings import Settings
from tests.unit.deploy.kubernetes.environment import variables
from tests.unit.deploy.kubernetes.rendering import overlay


@pytest.fixture(scope="module")
def given() -> dict[str, str]:
    """Variables of an API."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl renders the manifests, and it is not here")
    rendered = overlay("cpu")
    return variables(rendered, rendered.workload("gateway").container)


def there(address: str, real: str) -> str:
    """``address``, with the server and the password of ``real``."""
    wanted, found = urlsplit(address), urlsplit(real)
    return urlunsplit((wanted.scheme, found.netloc, found.path, wanted.query, ""))


def test_postgres(given: dict[str, str], settings: Settings) -> None:
    address = there(given["LESIONGAN_DATABASE_URL"], settings.database_url)
    assert "sslmode=disable" in address
    engine = make_engine(address, pool_size=1)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
    engine.dispose()
    # As the watcher does.
    plain = address.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(plain) as connection_of_watcher:
        assert connection_of_watcher.execute("SELECT 1").fetchone() == (1,)


def test_redis(given: dict[str, str], servers: Servers) -> None:
    address = there(given["LESIONGAN_REDIS_URL"], servers.redis_url)
    with Redis.from_url(address) as client:
        assert client.ping()
