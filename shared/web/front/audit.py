"""The audit: who changed what, and who was refused.

Every request of a known key that is no plain reading is noted when its answer begins, and a task
writes what was noted, many in one commit. An entry waits for no more than the write before it, but
those that wait are lost with a process that is killed.
"""

import asyncio
import logging
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Message, Scope

from shared.db.bulk import insert_rows
from shared.db.engine import Sessions
from shared.db.tables import AuditRow
from shared.ids import new_id
from shared.web.auth import known_caller
from shared.web.front.buckets import Buckets

log = logging.getLogger(__name__)

#: Entries that may wait while the database is away; more are counted, and named in the log.
MOST_WAITING = 10_000
_BATCH = 500
_RETRY_SECONDS = 1.0
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
#: Operations that are read with GET and make a job.
_MAKING = frozenset({"stream_images"})
#: Refusals that are recorded: so many a second in each process, and so many at once.
_REFUSALS_PER_SECOND, _REFUSALS_AT_ONCE = 2.0, 100.0
#: Ids of ours. Whatever else stands in an address may be personal.
_ID = re.compile(r"[a-z]{2,12}_[A-Za-z0-9]{1,64}")


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """One row of the audit."""

    key_id: str | None
    operation: str
    target: str | None
    status: int
    request_id: str
    address: str
    id: str = field(default_factory=lambda: new_id("audit"))
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))


class Audit:
    """Takes entries from the event loop, and writes them in a thread."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._waiting: list[AuditEntry] = []
        self._noted = asyncio.Event()
        self._dropped = 0
        self._refusals = Buckets(_REFUSALS_PER_SECOND, _REFUSALS_AT_ONCE)
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._write_for_ever(), name="audit")

    async def stop(self) -> None:
        """Write what waits, and end."""
        if self._task is not None:
            self._stopping = True
            self._noted.set()
            await self._task

    def note(self, scope: Scope, answer: Message, *, request_id: str, address: str) -> None:
        """Note the request of ``scope``, whose answer begins, if it is one for the audit."""
        operation = getattr(scope.get("route"), "operation_id", None)
        if operation is None:
            return
        caller, status = known_caller(scope), int(answer["status"])
        if status in (401, 403):
            if self._refusals.take("all") > 0:
                return
        elif caller is None or (scope["method"] in _READING and operation not in _MAKING):
            return
        self._add(
            AuditEntry(
                key_id=None if caller is None else caller.key_id,
                operation=operation,
                target=_target(scope, answer),
                status=status,
                request_id=request_id,
                address=address,
            )
        )

    def _add(self, entry: AuditEntry) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self._dropped += 1
            return
        self._waiting.append(entry)
        self._noted.set()

    async def _write_for_ever(self) -> None:
        while not self._stopping:
            await self._noted.wait()
            self._noted.clear()
            while not await self._write_waiting() and not self._stopping:
                await asyncio.sleep(_RETRY_SECONDS)

    async def _write_waiting(self) -> bool:
        """Whether all that waited is written."""
        while self._waiting:
            batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
            try:
                # A thread of its own: requests may have taken all of those that serve them.
                await asyncio.to_thread(self._write, batch)
            except SQLAlchemyError as error:
                self._waiting = [*batch, *self._waiting]
                log.warning("the audit waits for the database: %s", type(error).__name__)
                return False
        if self._dropped:
            log.error("the audit lacks %d entries: the database was away", self._dropped)
            self._dropped = 0
        return True

    def _write(self, batch: list[AuditEntry]) -> None:
        with self._sessions() as session:
            insert_rows(session.connection(), AuditRow, [vars(entry) for entry in batch])
            session.commit()


def _target(scope: Scope, answer: Message) -> str | None:
    """The id of what was made, else the first that the address names."""
    headers: dict[bytes, bytes] = dict(answer.get("headers", ()))
    made = headers.get(b"location", b"").decode("latin-1").rpartition("/")[2]
    named: dict[str, str] = scope.get("path_params", {})
    return next((text for text in (made, *named.values()) if _ID.fullmatch(text)), None)
