"""Metrics as Prometheus reads them: text, and a port for processes without HTTP of their own."""

import logging

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    disable_created_metrics,
    generate_latest,
    start_http_server,
)

from shared.observability.devices import DeviceCollector
from shared.observed_settings import ObservedSettings

log = logging.getLogger(__name__)

#: A second series beside each counter, which nobody asks for.
disable_created_metrics()  # type: ignore[no-untyped-call]

MEDIA_TYPE = CONTENT_TYPE_LATEST


def exposition(*also: CollectorRegistry) -> bytes:
    """What this process has counted, and what ``also`` says."""
    return b"".join(generate_latest(registry) for registry in (REGISTRY, *also))


def serve_metrics(settings: ObservedSettings) -> None:
    """Answer Prometheus on a port of its own, in a thread, if the settings name one."""
    if settings.metrics_port == 0:
        return
    REGISTRY.register(DeviceCollector())
    start_http_server(settings.metrics_port, settings.metrics_host)
    log.info("metrics at http://%s:%d", settings.metrics_host, settings.metrics_port)
