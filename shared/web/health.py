"""``/health/live``, ``/health/ready`` and ``/metrics`` of every service."""

from fastapi import Request, Response
from fastapi.responses import PlainTextResponse
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from shared.errors import Unavailable
from shared.observability.exposition import MEDIA_TYPE, exposition
from shared.storage.port import StoreUnavailable
from shared.web.responses import Responses
from shared.web.routing import Router
from shared.web.state import StateDep, WebState

router = Router(tags=["health"])

_METRICS = {
    "text/plain": {"schema": {"type": "string"}, "example": "# TYPE jobs gauge\njobs 3.0\n"}
}


def _answers(*statuses: str) -> Responses:
    return {200: {"content": {"application/json": {"example": {"status": statuses[0]}}}}}


@router.get(
    "/health/live",
    summary="The process runs",
    operation_id="get_liveness",
    responses=_answers("alive"),
)
async def live() -> dict[str, str]:
    """Answered by the event loop itself: it waits for no thread."""
    return {"status": "alive"}


@router.get(
    "/health/ready",
    summary="The process can serve",
    operation_id="get_readiness",
    responses={**_answers("ready"), 503: {"description": "Postgres or the object store is away"}},
)
def ready(state: StateDep) -> dict[str, str]:
    """503 names what is away. A Redis that is away does not count: jobs are accepted without it."""
    away = [name for name, check in _checks(state) if not check]
    if "postgres" in away or "s3" in away:
        raise Unavailable(f"away: {', '.join(away)}")
    return {"status": "degraded" if away else "ready"}


def _checks(state: WebState) -> list[tuple[str, bool]]:
    return [
        ("postgres", _postgres_answers(state)),
        ("s3", _store_answers(state)),
        ("redis", _redis_answers(state)),
    ]


def _postgres_answers(state: WebState) -> bool:
    try:
        with state.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True


def _store_answers(state: WebState) -> bool:
    try:
        state.store.check()
    except StoreUnavailable:
        return False
    return True


def _redis_answers(state: WebState) -> bool:
    try:
        state.bell.check()
    except RedisError:
        return False
    return True


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    operation_id="get_prometheus_metrics",
    responses={200: {"content": _METRICS}},
    response_class=PlainTextResponse,
)
def metrics(request: Request) -> Response:
    """Of this process; the gateway's are also of the ledger."""
    registries = request.app.state.registries
    return Response(exposition(*registries), media_type=MEDIA_TYPE)
