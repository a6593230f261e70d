"""Submitting many jobs in one transaction: what :func:`submit` does for one, in as many statements.

Only what nothing stands in the way of is written here; :func:`submit` decides about all else. Every
lock but the first is taken only where it is free: nobody waits here who holds what another one
waits for. What is asked for twice at the same moment is written once.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import event, select, tuple_
from sqlalchemy.orm import Session

from shared.db import content_lock
from shared.db.bulk import insert_rows
from shared.db.tables import IdempotencyRow, JobRow
from shared.errors import LesionGanError
from shared.ids import new_id
from shared.jobs import locks
from shared.jobs.headroom import Headroom, spare_of
from shared.jobs.limits import Limits, Quota
from shared.jobs.obstacles import Obstacles, obstacles
from shared.jobs.states import State
from shared.jobs.submit import Finished, Idempotency, NewJob, Plan, Submitted, job_values
from shared.observability import current, tracing


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request for a job, made where that request is the current one."""

    plan: Plan
    key_id: str
    idempotency: Idempotency | None
    limits: Limits
    request_id: str | None = field(default_factory=current.request_id)
    trace: str | None = field(default_factory=tracing.carried)


@dataclass(frozen=True)
class _Planned:
    place: int
    asked: Asked
    new: NewJob
    target: str

    def values(self, now: datetime) -> dict[str, Any]:
        """The columns of its row that say anything."""
        return {
            **job_values(self.new, new_id("job"), self.asked.key_id),
            "status": State.QUEUED,
            "done": 0,
            "attempts": 0,
            "request_id": self.asked.request_id,
            "trace": self.asked.trace,
            "created_at": now,
            "rung_at": now,
        }


#: None: nothing was written, and :func:`submit` must see to the request.
Answer = Submitted | LesionGanError | None


def submit_together(
    session: Session, asked: Sequence[Asked], headroom: Headroom | None = None
) -> list[Answer]:
    """What became of each request, in order; its plan's error, if it raised one of ours.

    The caller commits. Any other error ends the transaction, and each request is to be tried by
    itself. Without ``headroom`` the queues are counted.
    """
    content_lock.share(session)
    answers: list[Answer] = [None] * len(asked)
    planned = []
    _remember_rows(session)
    for place in _first_uses(session, asked):
        try:
            new = asked[place].plan(session)
        except LesionGanError as error:
            answers[place] = error
        else:
            if new.target is not None and _is_lone(new, asked[place]):
                planned.append(_Planned(place, asked[place], new, new.target))
    if not planned:
        return answers
    free, now = _unobstructed(session, planned, headroom or Headroom())
    if not free:
        return answers
    for each, row in zip(free, _written(session, free, now), strict=True):
        answers[each.place] = Submitted(row, made=True, ready=[row], alone=True)
    return answers


def _remember_rows(session: Session) -> None:
    """A session forgets a row that nobody holds, and the next plan may well read the same."""
    read: list[object] = []
    event.listen(session, "loaded_as_persistent", lambda _, row: read.append(row))


def _first_uses(session: Session, asked: Sequence[Asked]) -> list[int]:
    """The places of requests without an idempotency key, or with one that is new."""
    keyed: dict[tuple[str, str], int] = {}
    for place, each in enumerate(asked):
        if each.idempotency is not None:
            keyed.setdefault((each.key_id, each.idempotency.key), place)
    if keyed:
        names = {locks.of_idempotency(*key): key for key in keyed}
        new = {names[name] for name in locks.lock_free(session, names)} - _used(session, keyed)
        keyed = {key: place for key, place in keyed.items() if key in new}
    first = set(keyed.values())
    return [p for p, each in enumerate(asked) if each.idempotency is None or p in first]


def _used(session: Session, keys: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    key = (IdempotencyRow.key_id, IdempotencyRow.idempotency_key)
    return {(row[0], row[1]) for row in session.execute(select(*key).where(tuple_(*key).in_(keys)))}


def _is_lone(new: NewJob, asked: Asked) -> bool:
    """Whether it is one row and nothing beside it, for a key without a quota."""
    beside = new.requires or new.parents or new.also is not None or new.id is not None
    return not beside and asked.limits.quota == Quota()


def _unobstructed(
    session: Session, planned: Iterable[_Planned], headroom: Headroom
) -> tuple[list[_Planned], datetime]:
    """What nobody makes, has made or was made to forget, and the time; its targets are locked.

    Nothing while as many jobs are queued as may be.
    """
    wanted: dict[str, _Planned] = {}
    for each in planned:
        wanted.setdefault(each.target, each)
    targets = locks.lock_free(session, wanted)
    found = _looked(session, targets, _limit(wanted[name] for name in targets), headroom)
    if found.queues_full:
        return [], found.now
    obstructed = set(found.targets)
    asked_of: dict[Finished, list[str]] = defaultdict(list)
    for target in targets:
        asked_of[wanted[target].new.finished].append(target)
    for finished, its_own in asked_of.items():
        obstructed |= finished(session, its_own).keys()
    return [wanted[target] for target in targets if target not in obstructed], found.now


def _limit(planned: Iterable[_Planned]) -> int:
    """As many jobs may be queued; 0: there is no limit."""
    limits = (each.asked.limits.queued_jobs for each in planned)
    return min((limit for limit in limits if limit), default=0)


def _looked(session: Session, targets: Sequence[str], limit: int, headroom: Headroom) -> Obstacles:
    """What stands in the way, full queues among it; they are counted where no headroom is left."""
    new = len(targets)
    if not limit or headroom.take(new, limit):
        return obstacles(session, targets, queued_jobs=None)
    room = max(0, limit - new)
    spare = spare_of(limit, new)
    found = obstacles(session, targets, queued_jobs=room - spare)
    if not found.queues_full:
        headroom.seen(spare, limit)
    elif spare:
        found = obstacles(session, targets, queued_jobs=room)
    return found


def _written(session: Session, free: Sequence[_Planned], now: datetime) -> list[JobRow]:
    """The rows as they are written, by one statement for all; none is read back."""
    jobs = [each.values(now) for each in free]
    keys = [
        each.asked.idempotency.values(each.asked.key_id, job["id"])
        for each, job in zip(free, jobs, strict=True)
        if each.asked.idempotency is not None
    ]
    insert_rows(session.connection(), JobRow, jobs)
    if keys:
        insert_rows(session.connection(), IdempotencyRow, keys)
    return [JobRow(**job) for job in jobs]
