"""What a web process is connected to, and how routes get at it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from shared.db.engine import Sessions, make_sessions
from shared.queue.celery import CeleryDoorbell
from shared.queue.presence import Presence
from shared.settings import Settings
from shared.storage.port import ObjectStore
from shared.web.batches import Batches
from shared.web.oidc import Tokens
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
    #: None: keys alone open the doors.
    tokens: Tokens | None

    @cached_property
    def glances(self) -> Sessions:
        """Sessions for one statement each: without BEGIN and ROLLBACK, in a third of the trips."""
        return make_sessions(self.engine.execution_options(isolation_level="AUTOCOMMIT"))

    @cached_property
    def presence(self) -> Presence:
        """Which workers are there."""
        return Presence(self.settings)

    @cached_property
    def batches(self) -> Batches:
        """What requests ask for together."""
        return Batches(self.sessions, self.glances, self.bell)


async def get_state(request: Request) -> WebState:
    """The process's connections."""
    state: WebState = request.app.state.web
    return state


StateDep = Annotated[WebState, Depends(get_state)]


#: The parameter of a route that takes a session.
SESSION = "session"


async def get_session(state: StateDep) -> AsyncIterator[Session]:
    """A session for a plain function; routes that write commit it themselves, once.

    It has no connection before it is used, and none when :class:`shared.web.routing.Router` has
    closed it: so nothing here blocks the event loop.
    """
    with state.sessions() as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session, scope="function")]


async def get_store(state: StateDep) -> ObjectStore:
    """The object store."""
    return state.store


StoreDep = Annotated[ObjectStore, Depends(get_store)]
