"""The ledger against a model: two workers, one of which may sleep past its lease."""

from collections.abc import Callable
from functools import partial
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
from sqlalchemy.orm import Session

from shared.db.engine import Sessions, make_sessions
from shared.db.tables import KeyRow
from shared.errors import BadInput, Conflict
from shared.jobs import claims, ledger, sweep
from shared.jobs.claims import Claim, LeaseLost
from shared.jobs.ledger import MAX_STALLS
from tests.conftest import empty_tables
from tests.integration.shared.builders import LEASE, claimed, committed, queued, row, silence

Write = Callable[[Session, Claim], object]

ENDED = ("succeeded", "failed", "cancelled")
ENDS = {"succeed": "succeeded", "fail": "failed", "stop": "cancelled"}
WORKERS = st.sampled_from(["steady", "sleepy"])


def output_of(claim: Claim) -> dict[str, int]:
    """What an attempt leaves, so that one can tell whose it is."""
    return {"attempt": claim.attempt}


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
    @rule(worker=WORKERS, write=st.sampled_from(["renew", "shard", "checkpoint", "fail", "hold"]))
    def use_claim(self, worker: str, write: str) -> None:
        """A write with the claim that a worker believes in: it counts if the model agrees.

        A worker that never had one tries with the other's.
        """
        claim = self.claims.get(worker) or next(iter(self.claims.values()))
        self.attempt_write(claim, write)

    @precondition(lambda self: self.claims)
    @rule(worker=WORKERS, end=st.sampled_from(["succeed", "stop", "hand_back"]))
    def end_claim(self, worker: str, end: str) -> None:
        claim = self.claims.get(worker) or next(iter(self.claims.values()))
        self.attempt_write(claim, end)

    def attempt_write(self, claim: Claim, name: str) -> None:
        owner, lost = self.owner, False
        try:
            committed(self.sessions, lambda session: self.writes[name](session, claim))
        except LeaseLost:
            lost = True
        assert lost == (claim != owner), (name, claim, owner)
        if not lost:
            self.expect(name, claim)

    @property
    def writes(self) -> dict[str, Write]:
        return {
            "hold": claims.hold,
            "renew": self.renew,
            "shard": partial(self.mark, milestone=False),
            "checkpoint": partial(self.mark, milestone=True),
            "succeed": lambda session, claim: ledger.succeed(session, claim, output_of(claim)),
            "fail": lambda session, claim: ledger.fail(session, claim, BadInput("no")),
            "stop": ledger.cancelled,
            "hand_back": ledger.hand_back,
        }

    def renew(self, session: Session, claim: Claim) -> None:
        assert claims.renew(session, claim, lease=LEASE) == self.cancel_requested

    def mark(self, session: Session, claim: Claim, *, milestone: bool) -> None:
        """A row in a transaction that holds the job."""
        held = claims.hold(session, claim)
        name = f"{self.job_id}-{self.marks}"
        session.add(KeyRow(id=name, name=name, sha256=name, scopes=[]))
        if milestone:
            held.stalls = 0

    def expect(self, name: str, claim: Claim) -> None:
        """What the model says of a write by the owner."""
        if name in ("shard", "checkpoint"):
            self.marks += 1
        if name == "checkpoint":
            self.stalls = 0
        if name == "succeed":
            self.output = output_of(claim)
        if name == "hand_back":
            self.end("cancelled" if self.cancel_requested else "queued")
        elif name in ENDS:
            self.end(ENDS[name])

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

    @precondition(lambda self: self.status == "queued" or self.owner)
    @rule(sleeper=WORKERS)
    def wake_up_replaced(self, sleeper: str) -> None:
        """A worker sleeps past its lease, and another has its job when it wakes."""
        other = {"steady": "sleepy", "sleepy": "steady"}[sleeper]
        if self.status == "queued":
            self.claim(sleeper)
        self.sleep_past_the_lease()
        if self.status == "queued":
            self.claim(other)

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

    def teardown(self) -> None:
        empty_tables(self.engine)


def test_two_workers_never_both_own_a_job(engine: Engine) -> None:
    class Machine(LedgerMachine):
        pass

    Machine.engine, Machine.sessions = engine, make_sessions(engine)
    run_state_machine_as_test(
        Machine, settings=hypothesis_settings(max_examples=20, stateful_step_count=20)
    )
