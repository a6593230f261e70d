"""What every API has: connections, problems, health, and one look of its documentation."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi_offline import FastAPIOffline

from shared.db.engine import make_engine, make_sessions
from shared.observability.logs import configure_logging
from shared.queue.celery import CeleryDoorbell
from shared.settings import Settings, get_settings
from shared.storage.s3 import S3Store
from shared.web import health, problems
from shared.web.problems import ProblemBody
from shared.web.state import WebState
from shared.web.watcher import Watcher

#: What any operation may answer besides its own responses.
COMMON_RESPONSES: dict[int | str, dict[str, object]] = {
    status: {"description": text, "model": ProblemBody}
    for status, text in {
        401: "No key, or one that is not valid",
        403: "The key lacks the scope",
        404: "There is no such thing",
        409: "The state of things does not allow it",
        422: "The request is not valid",
        503: "A server behind this one is away; try again",
    }.items()
}


def create_app(
    title: str, routers: Sequence[APIRouter], *, document: Path | None = None
) -> FastAPI:
    """An API of ``routers``. Nothing connects before it starts.

    Args:
        title: what it is called in its documentation.
        routers: what it serves, besides health and metrics.
        document: an OpenAPI document to serve in place of its own.
    """
    # Its documentation page loads nothing from elsewhere: labs have servers without internet.
    app: FastAPI = FastAPIOffline(
        title=f"LesionGAN: {title}",
        version="0.1.0",
        summary="Training data for CT lesion classification.",
        lifespan=_lifespan,
        redoc_url=None,
    )
    problems.install(app)
    for router in routers:
        app.include_router(router, responses=COMMON_RESPONSES)
    app.include_router(health.router)
    if document is not None:
        # FastAPI's own way to another document: https://fastapi.tiangolo.com/how-to/extending-openapi
        app.openapi = partial(_read_document, document)  # type: ignore[method-assign]
    return app


@cache
def _read_document(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    configure_logging()
    state = connect(get_settings())
    app.state.web = state
    await state.watcher.start()
    try:
        yield
    finally:
        await state.watcher.stop()
        state.engine.dispose()


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
    )
