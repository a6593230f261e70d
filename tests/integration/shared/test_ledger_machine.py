"""The ledger against a model: two workers, one of which may sleep past its lease."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, select

from shared.db.engine import Sessions, make_sessions
from shared.db.tables import KeyRow
from shared.errors import BadInput, Conflict
from shared.jobs import ledger, sweep
from shared.jobs.ledger import MAX_STALLS, Claim, LeaseLost
from tests.conftest import empty_tables
from tests.integration.shared.builders import LEASE, claimed, committed, queued, row, silence

ENDED = ("succeeded", "failed", "cancelled")
WORKERS = st.sampled_from(["steady", "sleepy"])


class LedgerMachine(RuleBasedStateMachine):
    """One job and two workers. ``owner`` is the claim that the model lets write, if any.

    A worker that was presumed dead keeps its claim, and tries to use it as it wakes: ``claims``
    holds what each worker believes, ``owner`` what is true.
    """

    engine: ClassVar[Engine]
    sessions: ClassVar[Sessions]

    def __init__(self) -> None:
        super().__init__()
        self.job_id = queued(self.sessions)
        self.claims: dict[str, Claim] = {}
        self.owner: Claim | None = None
        self.status = "queued"
        self.stalls = 0
        self.attempts = 0
        self.cancel_requested = False
        self.marks = 0
        self.output: dict[str, int] | None = None

    # What workers do.
    @rule(worker=WORKERS)
    def claim(self, worker: str) -> None:
        claim = claimed(self.sessions, self.job_id, worker=worker)
        assert (claim is not None) == (self.status == "queued")
        if claim is not None:
            self.attempts += 1
            assert claim.attempt == self.attempts
            self.claims[worker] = self.owner = claim
            self.status = "running"

    @precondition(lambda self: self.claims)
    @rule(worker=WORKERS)
    def renew(self, worker: str) -> None:
        with self.as_worker(worker) as claim:
            asked = committed(self.sessions, lambda s: ledger.renew(s, claim, lease=LEASE))
            assert asked == self.cancel_requested

    @precondition(lambda self: self.claims)
    @rule(worker=WORKERS, milestone=st.booleans())
    def write_beside(self, worker: str, *, milestone: bool) -> None:
        """A shard or a checkpoint: a row in a transaction that holds the job."""
        with self.as_worker(worker) as claim, self.sessions() as session:
            held = ledger.hold(session, claim)
            name = f"{self.job_id}-{self.marks}"
            session.add(KeyRow(id=name, name=name, sha256=name, scopes=[]))
            if milestone:
                held.stalls = 0
            session.commit()
            self.marks += 1
            self.stalls = 0 if milestone else self.stalls

    @precondition(lambda self: self.claims)
    @rule(worker=WORKERS)
    def succeed(self, worker: str) -> None:
        with self.as_worker(worker) as claim:
            output = {"attempt": claim.attempt}
            committed(self.sessions, lambda s: ledger.succeed(s, claim, output))
            self.end("succeeded")
            self.output = output

    @precondition(lambda self: self.claims)
    @rule(worker=WORKERS)
    def fail(self, worker: str) -> None:
        with self.as_worker(worker) as claim:
            committed(self.sessions, lambda s: ledger.fail(s, claim, BadInput("no")))
            self.end("failed")

    @precondition(lambda self: self.claims)
    @rule(worker=WORKERS)
    def stop(self, worker: str) -> None:
        with self.as_worker(worker) as claim:
            committed(self.sessions, lambda s: ledger.cancelled(s, claim))
            self.end("cancelled")

    @precondition(lambda self: self.claims)
    @rule(worker=WORKERS)
    def hand_back(self, worker: str) -> None:
        with self.as_worker(worker) as claim:
            committed(self.sessions, lambda s: ledger.hand_back(s, claim))
            self.end("cancelled" if self.cancel_requested else "queued")

    # What the sweeper and people do.
    @precondition(lambda self: self.owner)
    @rule()
    def sleep_past_the_lease(self) -> None:
        silence(self.sessions, self.job_id)
        assert committed(self.sessions, sweep.requeue_expired) == 1
        self.stalls += 1
        if self.cancel_requested:
            self.end("cancelled")
        else:
            self.end("failed" if self.stalls >= MAX_STALLS else "queued")

    @rule()
    def sweep_in_time(self) -> None:
        assert committed(self.sessions, sweep.requeue_expired) == 0

    @rule()
    def cancel(self) -> None:
        committed(self.sessions, lambda s: ledger.cancel(s, self.job_id))
        if self.status == "queued":
            self.end("cancelled")
        elif self.status == "running":
            self.cancel_requested = True

    @rule()
    def retry(self) -> None:
        try:
            committed(self.sessions, lambda s: ledger.retry(s, self.job_id))
        except Conflict:
            assert self.status not in ("failed", "cancelled")
        else:
            assert self.status in ("failed", "cancelled")
            self.status, self.stalls, self.cancel_requested = "queued", 0, False

    # What always holds.
    @invariant()
    def the_row_is_what_the_model_says(self) -> None:
        found = row(self.sessions, self.job_id)
        assert found.status == self.status
        assert found.attempts == self.attempts
        assert found.stalls == self.stalls
        assert found.output == self.output
        assert (found.finished_at is not None) == (self.status in ENDED)
        assert (found.lease_expires_at is not None) == (self.status == "running")
        assert (found.error is not None) == (self.status == "failed")

    @invariant()
    def nobody_but_the_owner_wrote(self) -> None:
        with self.sessions() as session:
            assert len(session.scalars(select(KeyRow.id)).all()) == self.marks

    def end(self, status: str) -> None:
        self.status, self.owner = status, None

    @contextmanager
    def as_worker(self, worker: str) -> Iterator[Claim]:
        """A write with the claim that a worker believes in: it counts if the model agrees.

        A worker that never had one tries with the other's.
        """
        claim = self.claims.get(worker) or next(iter(self.claims.values()))
        owner, lost = self.owner, False
        try:
            yield claim
        except LeaseLost:
            lost = True
        assert lost == (claim != owner)

    def teardown(self) -> None:
        empty_tables(self.engine)


def test_two_workers_never_both_own_a_job(engine: Engine) -> None:
    class Machine(LedgerMachine):
        pass

    Machine.engine, Machine.sessions = engine, make_sessions(engine)
    run_state_machine_as_test(
        Machine, settings=hypothesis_settings(max_examples=40, stateful_step_count=25)
    )
