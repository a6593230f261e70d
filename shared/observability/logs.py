"""Logs: one line an event, to standard error."""

import logging
import sys


def configure_logging(level: int = logging.INFO) -> None:
    """Send every logger to standard error. Call it once, at a process's edge."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S%z")
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("celery", "kombu", "urllib3", "alembic", "amqp"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
