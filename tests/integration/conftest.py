"""What integration tests add: all services behind one port of loopback, in this process."""

import logging
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest
import uvicorn
from minio import Minio

from deploy.local.servers import Servers
from lesiongan.contracts.keys import Scope
from services.app import app
from shared.db.engine import Sessions
from shared.settings import Settings, get_settings
from shared.web.auth import ensure_key, make_key
from tests.integration.holders import Holders, watched_holders

#: Makes a key with these scopes, and answers with the headers that carry it.
KeyMaker = Callable[..., dict[str, str]]


@pytest.fixture(scope="session")
def environment(servers: Servers, settings: Settings) -> Iterator[Settings]:
    """The process's own settings are those of the servers."""
    handlers, level = logging.root.handlers[:], logging.root.level
    with pytest.MonkeyPatch.context() as patch:
        for name, value in servers.environment.items():
            patch.setenv(name, value)
        # All tests come from one address, some of them with many keys that are refused.
        patch.setenv("LESIONGAN_REQUESTS_PER_SECOND", "0")
        patch.setenv("LESIONGAN_FAILED_KEYS_PER_MINUTE", "0")
        get_settings.cache_clear()
        yield settings
    get_settings.cache_clear()
    logging.basicConfig(handlers=handlers, level=level, force=True)


@pytest.fixture(scope="session")
def base_url(environment: Settings) -> Iterator[str]:
    """All services, started once; no worker serves their queues."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, ws="none", log_config=None)
    server = uvicorn.Server(config)
    ready = threading.Event()
    startup = server.startup

    async def started(sockets: object = None) -> None:
        await startup()
        ready.set()

    server.startup = started  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, name="api")
    thread.start()
    assert ready.wait(30), "the API does not start"
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="session")
def anonymous(base_url: str) -> Iterator[httpx.Client]:
    """A client without a key."""
    with httpx.Client(base_url=base_url, timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture
def make_headers(sessions: Sessions) -> KeyMaker:
    """See :data:`KeyMaker`."""

    def make(*scopes: Scope) -> dict[str, str]:
        secret = make_key()
        with sessions() as session:
            ensure_key(session, key=secret, name="a test's", scopes=list(scopes))
            session.commit()
        return {"Authorization": f"Bearer {secret}"}

    return make


@pytest.fixture
def client(base_url: str, make_headers: KeyMaker) -> Iterator[httpx.Client]:
    """A client with a key that may do everything, on empty tables."""
    headers = make_headers("admin")
    with httpx.Client(base_url=base_url, headers=headers, timeout=30, trust_env=False) as made:
        yield made


@pytest.fixture(scope="session")
def s3(settings: Settings) -> Minio:
    """The object store as others reach it, for buckets that are not the service's."""
    return Minio(
        settings.s3_endpoint,
        settings.s3_access_key,
        settings.s3_secret_key.get_secret_value(),
        secure=False,
        region=settings.s3_region,
    )


@pytest.fixture
def holders(base_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Holders]:
    """See :class:`tests.integration.holders.Holders`."""
    assert base_url, "the API has started"
    with watched_holders(monkeypatch) as made:
        yield made
