"""Submitting a job: one row, written once, whatever is sent twice."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.db import content_lock
from shared.db.tables import IdempotencyRow, JobFollowerRow, JobParentRow, JobRow
from shared.db.tombstones import refuse_withdrawn
from shared.errors import BadInput
from shared.ids import new_id
from shared.jobs import ledger, locks, queries
from shared.jobs.limits import Limits, enforce
from shared.jobs.outbox import announce
from shared.jobs.states import State
from shared.queue.port import QueueName

Output = dict[str, Any]
#: Of these targets, the output of those that were made before.
Finished = Callable[[Session, Sequence[str]], Mapping[str, Output]]


def nothing_finished(_: Session, _targets: Sequence[str]) -> Mapping[str, Output]:
    """For work that is done anew each time."""
    return {}


@dataclass(frozen=True, kw_only=True)
class NewJob:
    """What to do, before it has a row.

    ``target`` names what the job makes. While a job for the same target is active, submitting
    another answers with that one. ``finished`` is asked for what was made before, once the target
    is locked, so that nobody ends it meanwhile.
    """

    kind: str
    queue: QueueName
    input: dict[str, Any]
    target: str | None = None
    finished: Finished = nothing_finished
    #: What an output of work that was done before says besides.
    says: Output = field(default_factory=dict)
    total: int = 0
    unit: str = "step"
    #: How much work it is, in a measure of its kind; None: as much as ``total`` says.
    work: float | None = None
    #: Of the input: what an earlier job must share for its seconds to be comparable.
    like: Mapping[str, Any] = field(default_factory=dict)
    #: A training: one runs on a device at a time.
    exclusive: bool = False
    parents: Sequence[str] = ()
    #: What must be made before: each is a job of its own, unless it is made already or just now.
    requires: Sequence["NewJob"] = ()
    id: str | None = None
    #: Adds rows that the work needs, in the job's transaction, if this request makes work.
    also: Callable[[Session, JobRow], None] | None = None

    @property
    def amount(self) -> float:
        """The work, in the measure of the kind."""
        return float(self.total) if self.work is None else self.work

    def output(self, session: Session) -> Output | None:
        """That of the work if it was done before; None if there is work to do."""
        if self.target is None:
            return None
        known = self.finished(session, [self.target]).get(self.target)
        return None if known is None else {**known, **self.says}

    def after(self, required: Sequence["NewJob"]) -> "NewJob":
        """This job, which begins when ``required`` have ended well too."""
        return replace(self, requires=(*self.requires, *required))


@dataclass(frozen=True)
class Idempotency:
    """A client's promise that requests with this key are one request."""

    key: str
    #: SHA-256 over method, path, query and body.
    fingerprint: str

    def values(self, key_id: str, job_id: str) -> dict[str, str]:
        """The columns of its row."""
        return {
            "key_id": key_id,
            "idempotency_key": self.key,
            "fingerprint": self.fingerprint,
            "job_id": job_id,
        }


@dataclass(frozen=True)
class Submitted:
    """The job that answers a request, and whether this request made it."""

    job: JobRow
    made: bool
    replayed: bool = False
    #: Jobs that this request made and that could run now.
    ready: Sequence[JobRow] = ()
    #: The job is new and stands in no graph: it has neither parents nor children.
    alone: bool = False


#: What is locked while a graph of jobs is written, cancelled or retried: two such transactions
#: would lock their targets crosswise.
GRAPHS = "graphs"

#: Builds the job from what the database knows; runs in the transaction that writes it.
Plan = Callable[[Session], NewJob]


def submit(
    session: Session,
    plan: Plan,
    *,
    key_id: str | None,
    idempotency: Idempotency | None = None,
    limits: Limits | None = None,
) -> Submitted:
    """Write a job, or find the one that this request already has.

    Raises :class:`BadInput` when the idempotency key was used for another request,
    :class:`shared.errors.Gone` when what it would make was withdrawn, what ``enforce`` raises
    where the request makes work and ``limits`` are given, and whatever ``plan`` raises.
    """
    content_lock.share(session)
    new = plan(session)
    if new.target is not None:
        refuse_withdrawn(session, [new.target])
    if new.requires:
        ledger.lock_target(session, GRAPHS)
        _hold_active(session, new)
    job_id = new.id or new_id("job")
    if idempotency is not None:
        known = _reserve(session, key_id or "", idempotency, job_id)
        if known is not None:
            return Submitted(ledger.get(session, known), made=False, replayed=True)
    if new.target is not None:
        ledger.lock_target(session, new.target)
        active = queries.active(session, new.target)
        if active is not None:
            _follow(session, active, key_id)
            if idempotency is not None:
                _point(session, key_id or "", idempotency, active.id)
            return Submitted(active, made=False)
    writer = _Writer(session, key_id)
    row = writer.insert(new, job_id)
    if limits is not None and row.finished_at is None:
        enforce(session, key_id, limits)
    alone = not new.parents and not new.requires
    return Submitted(row, made=True, ready=writer.ready, alone=alone)


def require(session: Session, row: JobRow, required: Sequence[NewJob]) -> Sequence[JobRow]:
    """Have a job that has begun wait for others, which are made unless they are there already.

    The caller holds the lock of :data:`GRAPHS`. Returns the rows that are new.
    """
    writer = _Writer(session, row.key_id)
    parents = [writer.required(each) for each in required]
    _join(session, row.id, [parent for parent in parents if parent is not None])
    return writer.ready


def replay(session: Session, key_id: str | None, idempotency: Idempotency) -> JobRow | None:
    """The job that an earlier request with this key made.

    Raises :class:`BadInput` when that request was another one.
    """
    row = session.get(IdempotencyRow, (key_id or "", idempotency.key))
    if row is None:
        return None
    if row.fingerprint != idempotency.fingerprint:
        raise BadInput("this Idempotency-Key was used for another request")
    return ledger.get(session, row.job_id)


def with_required(session: Session, new: NewJob) -> list[NewJob]:
    """The job and all that there is to do before it, each target once."""
    found = {new.target: new}
    waiting = [new]
    for job in waiting:
        for each in job.requires if job.output(session) is None else ():
            if each.target not in found and each.output(session) is None:
                found[each.target] = each
                waiting.append(each)
    return waiting


class _Writer:
    """Writes a job, and before it the jobs that it requires; each target once."""

    def __init__(self, session: Session, key_id: str | None) -> None:
        self._session = session
        self._key_id = key_id
        self._known: dict[str, str | None] = {}
        self.ready: list[JobRow] = []

    def insert(self, new: NewJob, job_id: str) -> JobRow:
        """The row of ``new`` and, unless it is finished, the rows of all that it requires."""
        parents = list(new.parents)
        output = new.output(self._session)
        if output is None:
            required = [self.required(each) for each in new.requires]
            parents += dict.fromkeys(parent for parent in required if parent is not None)
        row = _insert(self._session, new, job_id, self._key_id, output)
        waits = _join(self._session, job_id, parents)
        if parents:
            self._session.refresh(row)
        if output is None and new.also is not None:
            new.also(self._session, row)
        if row.status == State.QUEUED and not waits:
            self.ready.append(row)
        return row

    def required(self, new: NewJob) -> str | None:
        """The id of the job that makes what ``new`` would make; None if it is made already."""
        assert new.target is not None, "what others require has a name"
        if new.target not in self._known:
            self._known[new.target] = self._found_or_made(new, new.target)
        return self._known[new.target]

    def _found_or_made(self, new: NewJob, target: str) -> str | None:
        ledger.lock_target(self._session, target)
        active = queries.active(self._session, target)
        if active is not None:
            active.adopted = True
            return active.id
        if new.output(self._session) is not None:
            return None
        return self.insert(new, new.id or new_id("job")).id


def job_values(new: NewJob, job_id: str, key_id: str | None) -> dict[str, Any]:
    """The columns in which jobs differ when they are written."""
    return {
        "id": job_id,
        "kind": new.kind,
        "queue": new.queue,
        "input": new.input,
        "target": new.target,
        "key_id": key_id,
        "total": new.total,
        "unit": new.unit,
        "work": new.amount,
        "exclusive": new.exclusive,
    }


def _insert(
    session: Session, new: NewJob, job_id: str, key_id: str | None, output: Output | None
) -> JobRow:
    row = JobRow(**job_values(new, job_id, key_id))
    if output is not None:
        row.status, row.output, row.done = State.SUCCEEDED, output, new.total
        row.started_at = row.finished_at = func.clock_timestamp()
    session.add(row)
    session.flush()
    if output is not None:
        announce(session, row.id)
    return row


def _follow(session: Session, active: JobRow, key_id: str | None) -> None:
    active.adopted = True
    if key_id not in (None, active.key_id):
        follower = insert(JobFollowerRow).values(job_id=active.id, key_id=key_id)
        session.execute(follower.on_conflict_do_nothing())


def _join(session: Session, job_id: str, parents: Sequence[str]) -> bool:
    """Have the job wait for ``parents``; it ends at once with one that did not succeed.

    Inserting locks the parents (foreign key) against the lock that every end of a job takes, so
    none ends unseen while this transaction lasts. Returns whether there is one to wait for.
    """
    if not parents:
        return False
    session.add_all(JobParentRow(job_id=job_id, parent_id=parent) for parent in parents)
    session.flush()
    query = select(JobRow).where(JobRow.id.in_(parents)).order_by(JobRow.id)
    # One may have ended between the moment it was found and the moment it was locked.
    found = session.scalars(query, execution_options={"populate_existing": True}).all()
    for parent in found:
        if parent.status in (State.FAILED, State.CANCELLED):
            ledger.end_dependents(session, parent)
    return any(parent.status != State.SUCCEEDED for parent in found)


def _hold_active(session: Session, new: NewJob) -> None:
    """Lock the jobs that a graph would adopt, parents first, before it adopts them in any order."""
    query = (
        select(JobRow.id)
        .where(JobRow.target.in_([each.target for each in with_required(session, new)]))
        .where(JobRow.finished_at.is_(None))
        .order_by(JobRow.created_at, JobRow.id)
        .with_for_update()
    )
    session.execute(query)


def _reserve(session: Session, key_id: str, idem: Idempotency, job_id: str) -> str | None:
    """Claim the key for ``job_id``; the id of the job that has it, if another request was first."""
    ledger.lock_target(session, locks.of_idempotency(key_id, idem.key))
    query = (
        insert(IdempotencyRow)
        .values(idem.values(key_id, job_id))
        .on_conflict_do_nothing()
        .returning(IdempotencyRow.job_id)
    )
    if session.scalar(query) is not None:
        return None
    known = replay(session, key_id, idem)
    return None if known is None else known.id


def _point(session: Session, key_id: str, idem: Idempotency, job_id: str) -> None:
    row = session.get(IdempotencyRow, (key_id, idem.key))
    assert row is not None
    row.job_id = job_id
