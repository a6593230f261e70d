"""A claimed job becomes a call of its handler."""

from services.gateway import handlers
from shared.jobs.context import JobContext, Outcome
from shared.retention.periods import periods
from shared.worker.ports import Ports, Task


def collect(job: JobContext, ports: Ports) -> Outcome:
    return handlers.collect(job, ports.sessions, ports.store, periods(ports.settings))


TASKS: dict[str, Task] = {"collect": collect}
