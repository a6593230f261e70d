"""Graphs of jobs against a model: two workers, doorbells that ring for anything at any time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from shared.db.engine import Sessions, make_sessions
from shared.db.tables import JobRow
from shared.errors import BadInput, Conflict
from shared.jobs import claims, graphs, ledger, queries, sweep
from shared.jobs.claims import Claim, LeaseLost
from shared.jobs.ledger import MAX_STALLS
from shared.queue.port import QUEUES
from tests.conftest import empty_tables
from tests.integration.shared.builders import LEASE, claimed, committed, queued, silence

ENDED = ("succeeded", "failed", "cancelled")
BROKEN = ("failed", "cancelled")
WORKERS = st.sampled_from(["steady", "sleepy"])


@dataclass(eq=False)
class Model:
    """What one job must be."""

    id: str
    parents: tuple["Model", ...]
    status: str = "queued"
    attempts: int = 0
    stalls: int = 0
    cancel_requested: bool = False
    #: The claim whose writes count.
    owner: Claim | None = None

    @property
    def runnable(self) -> bool:
        return self.status == "queued" and all(p.status == "succeeded" for p in self.parents)


class GraphMachine(RuleBasedStateMachine):
    """Jobs that wait for each other; any worker is told of any job at any time."""

    engine: ClassVar[Engine]
    sessions: ClassVar[Sessions]
    jobs: Bundle[Model] = Bundle("jobs")
    claims: Bundle[tuple[Model, Claim]] = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        #: In order of their submission: parents before those that wait for them.
        self.all: list[Model] = []

    # What clients do.
    @rule(target=jobs, parents=st.lists(jobs, max_size=3, unique_by=id))
    def submit(self, parents: list[Model]) -> Model:
        ids = [parent.id for parent in parents]
        job = Model(queued(self.sessions, parents=ids), tuple(parents))
        self.all.append(job)
        broken = sorted((p for p in parents if p.status in BROKEN), key=lambda p: p.id)
        if broken:
            job.status = broken[0].status
        return job

    @rule(job=jobs)
    def cancel(self, job: Model) -> None:
        committed(self.sessions, lambda session: graphs.cancel(session, job.id))
        if job.status not in ("running", "succeeded"):
            above = set(self._ancestors(job))
            for each in [known for known in self.all if known in above]:
                self._cancel(each)
        self._cancel(job)

    @rule(job=jobs)
    def retry(self, job: Model) -> None:
        possible = job.status in BROKEN
        try:
            committed(self.sessions, lambda session: graphs.retry(session, job.id))
        except Conflict:
            assert not possible
        else:
            assert possible
            self._retry(job)

    # What workers do.
    @rule(target=claims, job=jobs, worker=WORKERS)
    def doorbell(
        self, job: Model, worker: str
    ) -> MultipleResults[tuple[Model, Claim]] | tuple[Model, Claim]:
        """Of any number that ring, one finds a claim, and only if the job may begin."""
        claim = claimed(self.sessions, job.id, worker=worker)
        assert (claim is not None) == job.runnable
        if claim is None:
            return multiple()
        job.status, job.owner, job.attempts = "running", claim, job.attempts + 1
        assert claim.attempt == job.attempts
        return job, claim

    @rule(held=claims, name=st.sampled_from(["renew", "checkpoint"]))
    def work(self, held: tuple[Model, Claim], name: str) -> None:
        if self._written(held, name) and name == "checkpoint":
            held[0].stalls = 0

    @rule(held=claims, name=st.sampled_from(["succeed", "fail", "stop", "hand_back"]))
    def end(self, held: tuple[Model, Claim], name: str) -> None:
        """With a claim that may have been lost long ago, as a worker that wakes up has it."""
        if not self._written(held, name):
            return
        job = held[0]
        ends = {"succeed": "succeeded", "fail": "failed", "stop": "cancelled"}
        back = "cancelled" if job.cancel_requested else "queued"
        self._become(job, ends.get(name, back))

    @rule(held=consumes(claims))
    def sleep_past_the_lease(self, held: tuple[Model, Claim]) -> None:
        job, claim = held
        if claim != job.owner:
            return
        silence(self.sessions, job.id)
        assert committed(self.sessions, sweep.requeue_expired) == 1
        job.stalls += 1
        given_up = "failed" if job.stalls >= MAX_STALLS else "queued"
        self._become(job, "cancelled" if job.cancel_requested else given_up)

    @rule()
    def sweep_in_time(self) -> None:
        assert committed(self.sessions, sweep.requeue_expired) == 0

    # What always holds.
    @invariant()
    def rows_are_what_the_model_says(self) -> None:
        with self.sessions() as session:
            rows = {row.id: row for row in session.scalars(select(JobRow))}
        for job in self.all:
            row = rows[job.id]
            assert row.status == job.status, (row.id, row.error)
            assert (row.attempts, row.stalls) == (job.attempts, job.stalls)
            assert row.cancel_requested == job.cancel_requested
            assert (row.finished_at is not None) == (job.status in ENDED)
            assert (row.lease_expires_at is not None) == (job.status == "running")
            assert (row.error is not None) == (job.status == "failed")

    @invariant()
    def the_sweeper_finds_what_may_run(self) -> None:
        """Were every doorbell lost, all that may run would be rung for, and nothing else."""
        with self.sessions() as session:
            found = queries.waiting(session, rung_before=timedelta(0), empty_queues=QUEUES)
            assert {row.id for row in found} == {job.id for job in self.all if job.runnable}

    # The model.
    def _written(self, held: tuple[Model, Claim], name: str) -> bool:
        """Whether a write with a claim went through; it must, and only, if the model agrees."""
        job, claim = held
        lost = False
        try:
            committed(self.sessions, lambda session: WRITES[name](session, claim))
        except LeaseLost:
            lost = True
        assert lost == (claim != job.owner)
        return not lost

    def _become(self, job: Model, status: str) -> None:
        job.status, job.owner = status, None
        if status in BROKEN:
            for child in self.all:
                if job in child.parents and child.status == "queued":
                    self._become(child, status)

    def _cancel(self, job: Model) -> None:
        if job.status == "queued":
            self._become(job, "cancelled")
        elif job.status == "running":
            job.cancel_requested = True

    def _retry(self, job: Model) -> None:
        for parent in job.parents:
            if parent.status in BROKEN:
                self._retry(parent)
        job.status, job.stalls, job.cancel_requested = "queued", 0, False

    def _ancestors(self, job: Model) -> Iterator[Model]:
        for parent in job.parents:
            yield parent
            yield from self._ancestors(parent)

    def teardown(self) -> None:
        empty_tables(self.engine)


def _checkpoint(session: Session, claim: Claim) -> None:
    claims.hold(session, claim).stalls = 0


WRITES: dict[str, Callable[[Session, Claim], object]] = {
    "renew": lambda session, claim: claims.renew(session, claim, lease=LEASE),
    "checkpoint": _checkpoint,
    "succeed": lambda session, claim: ledger.succeed(session, claim, {}),
    "fail": lambda session, claim: ledger.fail(session, claim, BadInput("no")),
    "stop": ledger.cancelled,
    "hand_back": ledger.hand_back,
}


def test_graphs_end_as_their_parts_do(engine: Engine) -> None:
    class Machine(GraphMachine):
        pass

    Machine.engine, Machine.sessions = engine, make_sessions(engine)
    run_state_machine_as_test(
        Machine, settings=hypothesis_settings(max_examples=12, stateful_step_count=25)
    )
