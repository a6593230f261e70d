"""What a web process is connected to, and how routes get at it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from shared.db.engine import Sessions
from shared.queue.celery import CeleryDoorbell
from shared.settings import Settings
from shared.storage.port import ObjectStore
from shared.web.watcher import Watcher


@dataclass(frozen=True)
class WebState:
    """Made when the process starts, closed when it stops."""

    settings: Settings
    engine: Engine
    sessions: Sessions
    store: ObjectStore
    bell: CeleryDoorbell
    watcher: Watcher


def get_state(request: Request) -> WebState:
    """The process's connections."""
    state: WebState = request.app.state.web
    return state


StateDep = Annotated[WebState, Depends(get_state)]


def get_session(state: StateDep) -> Iterator[Session]:
    """A session for the length of a request; routes that write commit it themselves, once."""
    with state.sessions() as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session, scope="function")]


def get_store(state: StateDep) -> ObjectStore:
    """The object store."""
    return state.store


StoreDep = Annotated[ObjectStore, Depends(get_store)]
