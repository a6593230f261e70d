"""Every metric that is counted where it happens, by the conventions of Prometheus.

What is read from the ledger, and only when it is asked for, stands in
:mod:`shared.web.metering.ledger`; what a GPU says in :mod:`shared.observability.devices`.
Labels are bounded: templates of routes, kinds of jobs, queues, our own errors.
"""

from functools import cache
from typing import TypeVar

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from shared.observability import current

#: From a lookup in memory to an upload of gigabytes.
_REQUEST_SECONDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)
#: From a preview to a day of training.
_JOB_SECONDS = (0.05, 0.25, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600)
_STATEMENT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2, 10)
_S3_SECONDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5, 10, 60)

Metric = TypeVar("Metric", bound=MetricWrapperBase)


@cache
def bound(metric: Metric, *labels: str) -> Metric:
    """``metric.labels(*labels)``, found once: a lookup costs as much as counting does."""
    return metric.labels(*labels)


HTTP_REQUESTS = Counter(
    "lesiongan_http_requests",
    "Requests whose answer began.",
    ("method", "route", "status"),
)
HTTP_SECONDS = Histogram(
    "lesiongan_http_request_duration_seconds",
    "From a request's arrival to the beginning of its answer; not of those that ask to wait.",
    ("method", "route"),
    buckets=_REQUEST_SECONDS,
)
HTTP_IN_PROGRESS = Gauge(
    "lesiongan_http_requests_in_progress", "Requests that are not answered to the end, streams too."
)

JOBS_SUBMITTED = Counter(
    "lesiongan_jobs_submitted", "Jobs that requests made; of a graph, the one asked for.", ("kind",)
)
JOBS_ENDED = Counter("lesiongan_jobs_ended", "Jobs that ended, and how.", ("kind", "state"))
JOB_SECONDS = Histogram(
    "lesiongan_job_duration_seconds",
    "What workers spent on a job that ended, over all attempts.",
    ("kind", "state"),
    buckets=_JOB_SECONDS,
)
JOB_STALLS = Counter(
    "lesiongan_job_stalls",
    "Attempts that ended without a result and are tried again or given up.",
    ("kind", "reason"),
)
LEASE_EXPIRIES = Counter(
    "lesiongan_lease_expiries", "Running jobs whose worker went silent.", ("kind",)
)
IMAGES = Counter("lesiongan_images_written", "Images that jobs added to data sets.", ("kind",))
DOORBELL_FAILURES = Counter(
    "lesiongan_doorbell_failures", "Doorbells that could not be rung, because Redis was away."
)

DB_SECONDS = Histogram(
    "lesiongan_db_statement_duration_seconds",
    "Until PostgreSQL answered a statement.",
    ("operation",),
    buckets=_STATEMENT_SECONDS,
)
DB_ERRORS = Counter("lesiongan_db_errors", "Statements that PostgreSQL did not do.", ("error",))
DB_IN_USE = Gauge("lesiongan_db_connections_in_use", "Connections that are lent by the pool.")

S3_SECONDS = Histogram(
    "lesiongan_s3_request_duration_seconds",
    "Until the object store answered, retries included; of a stream, until it began.",
    ("operation",),
    buckets=_S3_SECONDS,
)
S3_ERRORS = Counter(
    "lesiongan_s3_errors",
    "Requests that the object store did not do; objects that are missing count.",
    ("operation", "reason"),
)


def image_written() -> None:
    """Count an image for the job at work."""
    job = current.job()
    bound(IMAGES, "none" if job is None else job.kind).inc()
