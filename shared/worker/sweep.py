"""The sweeper process: ``python -m shared.worker.sweep``. Any number of them may run."""

import logging
import signal
import threading
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from shared.jobs import sweep
from shared.observability.exposition import serve_metrics
from shared.observability.logs import configure_logging
from shared.retention import schedule
from shared.settings import get_settings
from shared.worker.ports import Ports, connect
from shared.worker.pulse import Pulse

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 1.0
#: A doorbell older than this, with an empty queue, was lost.
LOST_AFTER = timedelta(seconds=5)


def sweep_once(ports: Ports) -> None:
    """One pass: leases first, so that what they free is rung in the same pass."""
    with ports.sessions() as session:
        sweep.requeue_expired(session, max_stalls=ports.settings.max_stalls)
        session.commit()
    with ports.sessions() as session:
        sweep.ring_lost(session, ports.bell, rung_before=LOST_AFTER)
        session.commit()
    _collect(ports)


def _collect(ports: Ports) -> None:
    every = timedelta(seconds=ports.settings.collect_every_seconds)
    with ports.sessions() as session:
        row = schedule.submit_due(session, every=every)
        session.commit()
    if row is not None:
        ports.bell.ring(row.queue, row.id)


def main() -> None:
    """Sweep until SIGTERM; servers that are away are tried again."""
    settings = get_settings()
    configure_logging(settings)
    serve_metrics(settings)
    ports = connect(settings)
    pulse = Pulse(settings.pulse_file)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.wait(INTERVAL_SECONDS):
        try:
            sweep_once(ports)
            pulse.beat()
        except SQLAlchemyError as error:
            log.warning("sweep put off: %s", error)


if __name__ == "__main__":
    main()
