"""What should run: workers of every queue, the API, and where traces go."""

from __future__ import annotations

import importlib.util
import socket
from urllib.parse import urlsplit

import httpx

from deploy.doctor.finding import Findings, error, ok, warning
from deploy.doctor.machine import check_shares
from shared.queue.port import QUEUES
from shared.queue.presence import KEPT_SECONDS, Presence
from shared.settings import Settings

ANSWER_SECONDS = 10.0


def check_workers(settings: Settings) -> Findings:
    """Whether each queue is served. Needs Redis, where workers say that they are there."""
    present = Presence(settings).workers()
    if present is None:
        return
    served = {queue for worker in present for queue in worker.queues}
    missing = [queue for queue in QUEUES if queue not in served]
    if missing:
        said = f"no worker serves {', '.join(missing)}: within {KEPT_SECONDS} s none said so"
        todo = "start them (`docker compose ps`, `lesiongan status`), or look into their logs"
        yield error("workers", said, todo)
    else:
        yield ok("workers", f"{len(present)} serve all {len(QUEUES)} queues")
    yield from check_shares((worker.gpu, worker.share) for worker in present if worker.gpu)


def check_api(url: str, key: str | None, *, named: bool) -> Findings:
    """Whether the API answers at its address, and takes the key.

    ``named``: somebody said that it is there; else it is only where clients are told it is.
    """
    said_away = error if named else warning
    try:
        with httpx.Client(base_url=url, timeout=ANSWER_SECONDS) as client:
            ready = client.get("/health/ready")
            yield from _readiness(url, ready)
            if ready.status_code == 200:
                yield from _key(client, key)
    except (httpx.HTTPError, httpx.InvalidURL) as away:
        said = f"{url} does not answer from here: {type(away).__name__}"
        todo = "start it, or give its address with --url"
        yield said_away("api", said, todo)


def _readiness(url: str, ready: httpx.Response) -> Findings:
    if ready.status_code == 200:
        yield ok("api", f"{url} is ready")
        return
    problem = ready.headers.get("content-type", "").startswith("application/problem+json")
    why = ready.json().get("detail", "") if problem else "what answers is not LesionGAN"
    todo = "see the findings above" if problem else "give its address with --url"
    yield error("api", f"{url} is not ready: {ready.status_code} {why}".strip(), todo)


def _key(client: httpx.Client, key: str | None) -> Findings:
    if key is None:
        yield warning("api", "no key was tried", "give one with --key or LESIONGAN_KEY")
        return
    answer = client.get("/jobs?limit=1", headers={"Authorization": f"Bearer {key}"})
    if answer.status_code == 200:
        yield ok("api", "takes the key")
    else:
        detail = answer.json().get("detail", "") if answer.content else ""
        todo = "make a key with `lesiongan keys create`; the first is LESIONGAN_BOOTSTRAP_KEY"
        yield error("api", f"refuses the key: {answer.status_code} {detail}".strip(), todo)


def check_traces(settings: Settings) -> Findings:
    """Whether traces have where to go, if they are to."""
    if settings.otlp_endpoint is None:
        return
    if importlib.util.find_spec("opentelemetry.exporter") is None:
        todo = "pip install 'lesiongan[otel]', or unset LESIONGAN_OTLP_ENDPOINT"
        yield error("traces", "the extra otel is not installed: nothing starts", todo)
        return
    address = urlsplit(settings.otlp_endpoint)
    where = address.hostname or "", address.port or (443 if address.scheme == "https" else 80)
    try:
        socket.create_connection(where, timeout=5).close()
    except OSError as away:
        said = f"{settings.otlp_endpoint} does not answer: {away.strerror or away}"
        yield warning("traces", said, "start the collector, or correct LESIONGAN_OTLP_ENDPOINT")
    else:
        yield ok("traces", f"go to {settings.otlp_endpoint}")
