"""LesionGAN's own processes: the API, the sweeper, webhooks, and workers of each kind of work."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from deploy.local.credentials import Credentials
from deploy.local.health import is_ready
from deploy.local.layout import Layout
from deploy.local.ports import LOOPBACK
from deploy.local.program import Program, always_ready

SERVERS = ("postgres", "valkey", "seaweedfs")
PREPARED = ("prepare", "api")
# The queues each worker listens on, in the order of their share of its attention.
WORKER_QUEUES = {
    "worker-cpu": "preprocessing,augmentation,default",
    "worker-classification": "classification",
    "worker-gan-train": "gan-train",
    "worker-gan-sample": "gan-sample",
    "worker-interactive": "interactive",
}
# A worker that is asked to stop writes a checkpoint and hands its job back.
WORKER_STOP_SECONDS = 20.0
# Migrations and the imports of torch, on a machine that is busy with something else.
START_SECONDS = 90.0
QUIET = {
    # Otherwise every thread of a worker keeps freed memory in an arena of its own.
    "MALLOC_ARENA_MAX": "2",
    # Threads that wait for each other sleep: spinning, they would keep the cores from the others.
    "OMP_WAIT_POLICY": "PASSIVE",
    "PYTHONUNBUFFERED": "1",
}


def application_programs(
    layout: Layout, credentials: Credentials, ports: dict[str, int], environment: Mapping[str, str]
) -> list[Program]:
    """What runs on the servers.

    `prepare` (once) and the API, whose imports take longest, start together. The workers come
    last: they load torch while the API accepts jobs already. `environment` holds the LESIONGAN_
    variables.
    """
    complete = _inherited() | dict(environment) | {"LESIONGAN_DATA_FOLDER": str(layout.data)}
    prepare = _python(
        layout,
        "prepare",
        ("deploy.prepare",),
        complete | {"LESIONGAN_BOOTSTRAP_KEY": credentials.api_key},
        after=SERVERS,
        once=True,
    )
    sweeper = _python(layout, "sweeper", ("shared.worker.sweep",), complete, after=PREPARED)
    webhooks = _python(layout, "webhooks", ("shared.worker.deliver",), complete, after=PREPARED)
    workers = [_worker(layout, name, queues, complete) for name, queues in WORKER_QUEUES.items()]
    others = _watched([sweeper, webhooks, *workers])
    return [prepare, _api(layout, ports["api"], complete), *others]


def _watched(programs: list[Program]) -> list[Program]:
    """Each with a metrics port of its own, from LESIONGAN_METRICS_PORT upwards, if that is set."""
    name = "LESIONGAN_METRICS_PORT"
    first = int(os.environ.get(name) or 0)
    if first == 0:
        return programs
    return [
        replace(each, environment={**each.environment, name: str(port)})
        for port, each in enumerate(programs, start=first)
    ]


def _api(layout: Layout, port: int, environment: Mapping[str, str]) -> Program:
    arguments = (
        "--host",
        LOOPBACK,
        "--port",
        str(port),
        "--no-proxy-headers",
        # Clients close idle connections first: httpx after 5 s, which is uvicorn's own limit.
        "--timeout-keep-alive",
        "75",
        "--log-level",
        "warning",
    )
    return _python(
        layout,
        "api",
        ("uvicorn", "services.app:app", *arguments),
        environment,
        after=SERVERS,
        ready=partial(is_ready, f"http://{LOOPBACK}:{port}"),
    )


def _worker(layout: Layout, name: str, queues: str, environment: Mapping[str, str]) -> Program:
    return _python(
        layout,
        name,
        ("services.worker", "--queues", queues, "--name", name),
        environment,
        after=PREPARED,
        stop_seconds=WORKER_STOP_SECONDS,
    )


def _python(
    layout: Layout,
    name: str,
    module: tuple[str, ...],
    environment: Mapping[str, str],
    *,
    after: tuple[str, ...],
    once: bool = False,
    ready: Callable[[], bool] = always_ready,
    stop_seconds: float = 5.0,
) -> Program:
    return Program(
        name=name,
        # -P: the home folder, where it runs, is no place to import from.
        command=(sys.executable, "-P", "-m", *module),
        environment=environment,
        folder=layout.home,
        log=layout.log(name),
        after=after,
        once=once,
        ready=ready,
        ready_seconds=START_SECONDS,
        stop_seconds=stop_seconds,
        umask=0o077,
    )


def _inherited() -> dict[str, str]:
    """Our own environment: knobs such as LESIONGAN_LEASE_SECONDS reach every process.

    Where the servers are is the stack's own to say, and replaces what is set here.
    """
    kept = dict(os.environ)
    if "PYTHONPATH" in kept:  # its entries may be relative to a folder that is not the children's
        entries = kept["PYTHONPATH"].split(os.pathsep)
        kept["PYTHONPATH"] = os.pathsep.join(str(Path(entry).absolute()) for entry in entries)
    return kept | QUIET
