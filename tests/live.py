"""An API in a process of its own, over real servers: what is measured, or shot at, shares no thread
with whoever does it.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deploy.local.processes import die_with_parent
from deploy.local.servers import Servers
from shared.db.engine import Sessions
from shared.web.auth import ensure_key, make_key

#: No rate limit, no wait for a worker that is not there, and receivers on loopback.
UNHINDERED = {
    "LESIONGAN_REQUESTS_PER_SECOND": "0",
    "LESIONGAN_FAILED_KEYS_PER_MINUTE": "0",
    "LESIONGAN_MAX_QUEUED_JOBS": "1000000",
    "LESIONGAN_PREPROCESSING_PREVIEW_WAIT_SECONDS": "0.05",
    "LESIONGAN_AUGMENTATION_PREVIEW_WAIT_SECONDS": "0.05",
    "LESIONGAN_CLASSIFICATION_CLASSIFY_WAIT_SECONDS": "0.05",
    "LESIONGAN_WEBHOOK_ALLOW_HTTP": "true",
    "LESIONGAN_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
}


@dataclass(frozen=True)
class LiveApi:
    """Where it listens, a key that may do everything, its process and its log."""

    url: str
    key: str
    pid: int
    log: Path

    @property
    def headers(self) -> dict[str, str]:
        """What carries the key."""
        return {"Authorization": f"Bearer {self.key}"}

    def client(self, **options: Any) -> httpx.Client:
        """A client with the key."""
        given: dict[str, Any] = {"timeout": 60, "headers": self.headers, **options}
        return httpx.Client(base_url=self.url, trust_env=False, **given)


@contextmanager
def live_api(
    servers: Servers,
    sessions: Sessions,
    log: Path,
    *,
    app: str = "services.app:app",
    **environment: str,
) -> Iterator[LiveApi]:
    """All services behind a port of loopback, ended with the context. ``app``: as uvicorn's."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ("--port", str(port), "--no-access-log", "--timeout-keep-alive", "75")
    module = ("uvicorn", app, *options)
    with log.open("wb") as sink:
        process = subprocess.Popen(
            (sys.executable, "-m", *module),
            env={**os.environ, **servers.environment, **UNHINDERED, **environment},
            stdout=sink,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - no lock is taken in it
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _await(url, process, log)
        yield LiveApi(url, _admin_key(sessions), process.pid, log)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _admin_key(sessions: Sessions) -> str:
    secret = make_key()
    with sessions() as session:
        ensure_key(session, key=secret, name="a test's", scopes=["admin"])
        session.commit()
    return secret


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(f"{url}/health/ready", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"the API does not start: {log.read_text()}")
