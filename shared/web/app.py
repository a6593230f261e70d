"""What every API has: connections, problems, health, and one look of its documentation."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry

from shared.db.engine import make_engine, make_sessions
from shared.observability.logs import configure_logging
from shared.observability.tracing import configure_tracing
from shared.queue.celery import CeleryDoorbell
from shared.settings import Settings, get_settings
from shared.storage.s3 import S3Store
from shared.version import VERSION
from shared.web import health, problems
from shared.web.collecting import collecting_seldom
from shared.web.document import described
from shared.web.documentation import add_documentation
from shared.web.front import Front
from shared.web.front.state import FrontState
from shared.web.metering.ledger import LedgerCollector
from shared.web.oidc import Tokens
from shared.web.state import WebState
from shared.web.watcher import Watcher


def create_app(
    title: str,
    routers: Sequence[APIRouter],
    *,
    document: Path | None = None,
    watches_ledger: bool = False,
) -> FastAPI:
    """An API of ``routers``. Nothing connects before it starts.

    Args:
        title: what it is called in its documentation.
        routers: what it serves, besides health and metrics.
        document: an OpenAPI document to serve in place of its own.
        watches_ledger: whether its metrics are also of queues, workers and trainings.
    """
    app = FastAPI(
        title=f"LesionGAN: {title}",
        version=VERSION,
        summary="Training data for CT lesion classification.",
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        # A redirect would name the scheme that a proxy before us has taken off.
        redirect_slashes=False,
    )
    app.state.watches_ledger = watches_ledger
    problems.install(app)
    app.add_middleware(Front)
    add_documentation(app)
    for router in routers:
        app.include_router(router)
    app.include_router(health.router)
    # FastAPI's own way to another document: https://fastapi.tiangolo.com/how-to/extending-openapi
    made = partial(described, app) if document is None else partial(_read_document, document)
    app.openapi = made  # type: ignore[method-assign]
    return app


@cache
def _read_document(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings = get_settings()
    configure_logging(settings)
    end_tracing = configure_tracing(settings, app.title)
    state = connect(settings)
    app.state.web = state
    app.state.registries = [_of_ledger(state)] if app.state.watches_ledger else []
    app.state.front = FrontState.of(state)
    await state.watcher.start()
    await app.state.front.audit.start()
    try:
        with collecting_seldom():
            yield
    finally:
        await app.state.front.audit.stop()
        if state.tokens is not None:
            await state.tokens.stop()
        await state.watcher.stop()
        state.batches.close()
        state.presence.close()
        state.engine.dispose()
        # uvicorn ends by the signal that it was sent, so nothing runs at its exit.
        await asyncio.to_thread(end_tracing)


def _of_ledger(state: WebState) -> CollectorRegistry:
    made = CollectorRegistry()
    made.register(LedgerCollector(state.glances, state.presence.by_queue))
    return made


def connect(settings: Settings) -> WebState:
    """Connections to the three servers; they are made when they are first used."""
    engine = make_engine(settings.database_url)
    return WebState(
        settings=settings,
        engine=engine,
        sessions=make_sessions(engine),
        store=S3Store(settings),
        bell=CeleryDoorbell(settings),
        watcher=Watcher(settings.database_url),
        tokens=Tokens.of(settings),
    )
