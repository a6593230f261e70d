"""The Celery worker: one process, one job at a time, woken by doorbells."""

import logging
import signal
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from celery import Celery, signals
from celery.platforms import EX_FAILURE
from celery.worker import state

from shared.errors import LesionGanError
from shared.observability.devices import memory_fraction
from shared.observability.exposition import serve_metrics
from shared.observability.logs import configure_logging
from shared.observability.tracing import configure_tracing
from shared.queue.celery import make_celery
from shared.queue.port import QUEUES, RUN_JOB
from shared.queue.presence import Presence, Worker
from shared.settings import Settings, get_settings
from shared.worker.ports import Task, connect
from shared.worker.pulse import Pulse
from shared.worker.runner import JobRunner

log = logging.getLogger(__name__)


class UnknownQueue(LesionGanError):
    title = "Unknown queue"


def work(
    *,
    name: str,
    queues: Sequence[str],
    find_task: Callable[[str], Task],
    preload: Callable[[], None],
    find_device: Callable[[], str | None],
    find_gpu: Callable[[], str | None],
) -> None:
    """Serve ``queues`` until SIGTERM, which hands the running job back.

    Also ends, with exit code 1, where it cannot begin, as without the device that it is told to
    compute on, or where only another process can go on: its supervisor starts one.

    Args:
        name: of this worker, as the ledger shows it.
        queues: which to serve, in no order.
        find_task: the task of a kind of job; imports what it needs when it is first asked.
        preload: imports what the first job would otherwise wait for.
        find_device: names the device of which a training takes the lease, if there is one.
        find_gpu: names the GPU that this worker computes on, if it does.

    Raises :class:`UnknownQueue`.
    """
    unknown = set(queues) - set(QUEUES)
    if unknown or not queues:
        raise UnknownQueue(f"queues must be some of {', '.join(QUEUES)}, not {sorted(unknown)}")
    settings = get_settings()
    configure_logging(settings)
    configure_tracing(settings, name)
    serve_metrics(settings)
    runner = JobRunner(connect(settings), find_task, worker=name, find_device=find_device)
    app = make_celery(settings)
    _register(app, runner)
    _on_signals(runner, partial(_get_ready, settings, name, queues, preload, find_gpu))
    app.worker_main(
        [
            "--quiet",
            "worker",
            "--pool=solo",
            "--disable-prefetch",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
            "--loglevel=warning",
            f"--hostname={name}@%h",
            f"--queues={','.join(queues)}",
        ]
    )
    if state.should_stop:
        log.error("ended: another process may do better")
        raise SystemExit(state.should_stop)


def _get_ready(
    settings: Settings,
    name: str,
    queues: Sequence[str],
    preload: Callable[[], None],
    find_gpu: Callable[[], str | None],
) -> None:
    preload()
    Pulse(settings.pulse_file).start()
    gpu = find_gpu()
    share = None if gpu is None else memory_fraction()
    Presence(settings).announce(Worker(name, queues, gpu, share))
    log.info("ready")


def _register(app: Celery, runner: JobRunner) -> None:
    def run_job(job_id: str) -> None:
        try:
            runner.run(job_id)
        except Exception:
            # The ledger could not even be asked: the sweeper finds the lease or the doorbell.
            log.exception("job %s could not be run", job_id)
        if runner.broken:
            state.should_stop = EX_FAILURE

    app.task(name=RUN_JOB, shared=False)(run_job)


def _on_signals(runner: JobRunner, get_ready: Callable[[], None]) -> None:
    def drain(**_: Any) -> None:
        runner.drain()

    def keep_logging(**_: Any) -> None:
        """Logging is configured already."""

    def warm_up(**_: Any) -> None:
        try:
            get_ready()
        except Exception:
            # Celery would go on, and each job fail.
            log.exception("this worker cannot begin")
            runner.drain()
            state.should_stop = EX_FAILURE

    # Whoever listens to it keeps Celery from setting our loggers' levels.
    signals.setup_logging.connect(keep_logging, weak=False)
    signals.worker_shutting_down.connect(drain, weak=False)
    signals.worker_ready.connect(warm_up, weak=False)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
