"""Logs: one line an event, to standard error, with the ids of its request, job and trace."""

import json
import logging
import sys
from datetime import UTC, datetime

from shared.observability import current, tracing
from shared.observed_settings import ObservedSettings

NOISY = (
    # What was asked for, with its query: nobody's to keep.
    "uvicorn.access",
    "celery",
    "kombu",
    "urllib3",
    "alembic",
    "amqp",
    "httpx",
    "opentelemetry",
)
#: uvicorn brings handlers of its own, which would write in another form.
_UVICORN = ("uvicorn", "uvicorn.error", "uvicorn.access")


def configure_logging(settings: ObservedSettings, level: int = logging.INFO) -> None:
    """Send every logger to standard error. Call it once, at a process's edge."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_name_subject)
    handler.setFormatter(JsonLines() if settings.log_format == "json" else TextLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)
    for name in _UVICORN:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


class TextLines(logging.Formatter):
    """For people: time, level, logger, ``[request job]``, message."""

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s %(levelname)s %(name)s %(subject)s%(message)s", "%Y-%m-%dT%H:%M:%S%z"
        )


class JsonLines(logging.Formatter):
    """For machines: an object a line. ``request_id``, ``job_id`` and ``trace_id`` where known."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{name: value for name, value in _ids().items() if value},
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def _ids() -> dict[str, str | None]:
    job = current.job()
    return {
        "request_id": current.request_id(),
        "job_id": None if job is None else job.id,
        "trace_id": tracing.trace_id(),
    }


def _name_subject(record: logging.LogRecord) -> bool:
    job = current.job()
    known = [each for each in (current.request_id(), None if job is None else job.id) if each]
    record.subject = f"[{' '.join(known)}] " if known else ""
    return True
