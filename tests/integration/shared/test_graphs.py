"""Graphs of jobs: written once, ended and retried as a whole."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, select, text

from shared.db.engine import Sessions
from shared.db.tables import JobParentRow, JobRow
from shared.errors import Conflict, NotFound
from shared.jobs import graphs, ledger
from shared.jobs.notices import CHANNEL
from shared.jobs.views import job_view
from tests.integration.shared.builders import (
    committed,
    done_before,
    queued,
    row,
    running,
    submitted,
)
from tests.integration.shared.graph_builders import (
    begin,
    cancel,
    diamond,
    fail,
    job_ids,
    last,
    links,
    part,
    retry,
    states,
    succeed,
)

DIAMOND = ["b < a", "c < a", "last < b", "last < c"]


def targets(sessions: Sessions) -> list[str | None]:
    """What the jobs make, in the order in which they were written."""
    with sessions() as session:
        return list(session.scalars(select(JobRow.target).order_by(JobRow.created_at)))


def progress(sessions: Sessions, target: str) -> tuple[int, int, str]:
    with sessions() as session:
        found = job_view(session, ledger.get(session, job_ids(sessions)[target])).progress
    return found.done, found.total, found.unit


def test_each_target_is_written_once(sessions: Sessions) -> None:
    done = last(sessions, diamond())
    assert done.made
    assert done.job.target == "last"
    assert sorted(map(str, targets(sessions))) == ["a", "b", "c", "last"]
    assert links(sessions) == DIAMOND


def test_only_jobs_that_wait_for_none_are_rung(sessions: Sessions) -> None:
    done = last(sessions, [*diamond(), part("d")])
    assert [ready.target for ready in done.ready] == ["a", "d"]
    again = last(sessions, diamond())
    assert (again.made, list(again.ready)) == (False, [])


def test_a_job_whose_parents_have_succeeded_is_rung(sessions: Sessions) -> None:
    claim = running(sessions)
    committed(sessions, lambda session: ledger.succeed(session, claim, {}))
    done = submitted(sessions, parents=[claim.job_id])
    assert [ready.id for ready in done.ready] == [done.job.id]


def test_what_is_being_made_is_adopted(sessions: Sessions) -> None:
    active = running(sessions, target="b")
    done = last(sessions, diamond())
    assert job_ids(sessions)["b"] == active.job_id
    assert row(sessions, active.job_id).adopted
    assert links(sessions) == ["c < a", "last < b", "last < c"]
    assert [ready.target for ready in done.ready] == ["a"]
    assert not row(sessions, job_ids(sessions)["a"]).adopted


def test_what_an_adopted_job_needs_is_not_made_again(sessions: Sessions) -> None:
    running(sessions, target="b")
    last(sessions, [part("b", part("a"))])
    assert targets(sessions) == ["b", "last"]


def test_what_is_made_already_is_left_out_with_all_it_needed(sessions: Sessions) -> None:
    made = part("b", part("a"), finished=done_before({"dataset": "b"}))
    last(sessions, [made, part("c", made)])
    assert sorted(map(str, targets(sessions))) == ["c", "last"]
    assert links(sessions) == ["last < c"]


def test_a_graph_that_is_made_already_succeeds_at_once(sessions: Sessions) -> None:
    done = last(sessions, diamond(), finished=done_before({"experiment": "last"}))
    assert targets(sessions) == ["last"]
    assert done.job.status == "succeeded"
    assert list(done.ready) == []


def test_parts_run_in_order(sessions: Sessions) -> None:
    last(sessions, diamond())
    succeed(sessions, "a", "c", "b", "last")
    assert set(states(sessions).values()) == {"succeeded"}


def test_cancelling_the_last_cancels_all_that_was_made_for_it(sessions: Sessions) -> None:
    last(sessions, [*diamond(), part("d")])
    succeed(sessions, "d")
    claim = begin(sessions, "a")
    assert cancel(sessions, "last").status == "cancelled"
    assert row(sessions, claim.job_id).cancel_requested
    assert states(sessions) == {
        "a": "running",
        "b": "cancelled",
        "c": "cancelled",
        "d": "succeeded",
        "last": "cancelled",
    }
    committed(sessions, lambda session: ledger.cancelled(session, claim))
    assert states(sessions)["a"] == "cancelled"


def test_cancelling_leaves_what_others_wait_for(sessions: Sessions) -> None:
    """Not only the adopted part: all that it needs as well, though nobody asked for that."""
    last(sessions, [*diamond(), part("d")])
    last(sessions, [part("b", part("a"))], target="other")
    cancel(sessions, "last")
    assert states(sessions) == {
        "a": "queued",
        "b": "queued",
        "c": "cancelled",
        "d": "cancelled",
        "last": "cancelled",
        "other": "queued",
    }
    succeed(sessions, "a", "b", "other")


def test_cancelling_leaves_jobs_that_ran_before(sessions: Sessions) -> None:
    claim = running(sessions, target="b")
    waiting = queued(sessions, target="a")
    last(sessions, diamond())
    cancel(sessions, "last")
    assert not row(sessions, claim.job_id).cancel_requested
    assert row(sessions, waiting).status == "queued"
    assert states(sessions)["c"] == "cancelled"


def test_what_nobody_waits_for_any_more_is_cancelled(sessions: Sessions) -> None:
    """An adopted part that has ended needs nothing more."""
    last(sessions, [*diamond()])
    last(sessions, [part("b", part("a"))], target="other")
    committed(sessions, lambda session: ledger.cancel(session, job_ids(sessions)["b"]))
    assert states(sessions)["other"] == "cancelled"
    cancel(sessions, "last")
    assert states(sessions)["a"] == "cancelled"


def test_cancelling_a_part_ends_what_waits_for_it(sessions: Sessions) -> None:
    last(sessions, diamond())
    cancel(sessions, "b")
    assert states(sessions) == {
        "a": "cancelled",
        "b": "cancelled",
        "c": "cancelled",
        "last": "cancelled",
    }


def test_cancelling_what_has_failed_stops_the_rest(sessions: Sessions) -> None:
    last(sessions, [part("a"), part("d")])
    fail(sessions, "a")
    assert (states(sessions)["last"], states(sessions)["d"]) == ("failed", "queued")
    assert cancel(sessions, "last").status == "failed", "an ended job stays as it is"
    assert states(sessions)["d"] == "cancelled"


def test_cancelling_what_has_succeeded_changes_nothing(sessions: Sessions) -> None:
    last(sessions, diamond())
    succeed(sessions, "a", "b", "c", "last")
    assert cancel(sessions, "last").status == "succeeded"
    with sessions() as session, pytest.raises(NotFound):
        graphs.cancel(session, "job_none")


def test_a_failure_reaches_the_last_with_its_reason(sessions: Sessions) -> None:
    last(sessions, [*diamond(), part("d")])
    fail(sessions, "a", "the disk is full of sand")
    assert states(sessions) == {
        "a": "failed",
        "b": "failed",
        "c": "failed",
        "d": "queued",
        "last": "failed",
    }
    error = row(sessions, job_ids(sessions)["last"]).error
    assert error is not None
    assert error["title"] == "Parent failed"
    assert "the disk is full of sand" in error["detail"]
    assert job_ids(sessions)["a"] in error["detail"]


def test_a_job_whose_parent_has_failed_ends_at_once(sessions: Sessions) -> None:
    claim = running(sessions)
    committed(sessions, lambda session: ledger.cancel(session, claim.job_id))
    committed(sessions, lambda session: ledger.cancelled(session, claim))
    done = submitted(sessions, parents=[claim.job_id])
    assert row(sessions, done.job.id).status == "cancelled"
    assert list(done.ready) == []


def test_retry_brings_back_what_ended_badly_and_nothing_else(sessions: Sessions) -> None:
    last(sessions, [*diamond(), part("d"), part("e")])
    last(sessions, [part("b", part("a"))], target="other")
    unrelated = running(sessions, target="f")
    committed(sessions, lambda session: ledger.cancelled(session, unrelated))
    succeed(sessions, "d")
    committed(sessions, lambda session: ledger.cancel(session, job_ids(sessions)["e"]))
    fail(sessions, "a")
    assert sorted(map(str, retry(sessions, "last"))) == ["a", "b", "c", "e", "last"]
    assert states(sessions) == {
        "a": "queued",
        "b": "queued",
        "c": "queued",
        "d": "succeeded",
        "e": "queued",
        "f": "cancelled",
        "last": "queued",
        "other": "failed",
    }
    succeed(sessions, "a", "b", "c", "e", "last")
    assert row(sessions, job_ids(sessions)["last"]).error is None


def test_retry_of_what_has_not_ended_is_refused(sessions: Sessions) -> None:
    last(sessions, diamond())
    with pytest.raises(Conflict):
        retry(sessions, "last")
    with pytest.raises(NotFound), sessions() as session:
        graphs.retry(session, "job_none")


def test_retry_waits_for_the_job_that_makes_it_now(sessions: Sessions) -> None:
    last(sessions, diamond())
    failed = job_ids(sessions)["a"]
    fail(sessions, "a")
    rival = queued(sessions, target="a")
    assert sorted(map(str, retry(sessions, "last"))) == ["b", "c", "last"]
    assert row(sessions, failed).status == "failed"
    assert row(sessions, rival).adopted
    with sessions() as session:
        assert set(session.scalars(select(JobParentRow.parent_id))) == {
            rival,
            job_ids(sessions)["b"],
            job_ids(sessions)["c"],
        }
    assert links(sessions) == DIAMOND
    succeed(sessions, "a", "b", "c", "last")


def test_a_graph_that_failed_may_be_asked_for_again(sessions: Sessions) -> None:
    first = last(sessions, [*diamond(), part("d")])
    fail(sessions, "a")
    again = last(sessions, [*diamond(), part("d")])
    assert again.made
    assert again.job.id != first.job.id
    assert states(sessions) == dict.fromkeys(["a", "b", "c", "d", "last"], "queued")
    assert row(sessions, job_ids(sessions)["d"]).adopted, "it went on"


def test_progress_counts_the_jobs(sessions: Sessions) -> None:
    last(sessions, diamond())
    assert progress(sessions, "last") == (0, 4, "job")
    assert progress(sessions, "a") == (0, 0, "step")
    succeed(sessions, "a", "b")
    assert progress(sessions, "last") == (2, 4, "job")
    succeed(sessions, "c", "last")
    assert progress(sessions, "last") == (4, 4, "job")


@pytest.mark.parametrize("badly", [False, True])
def test_who_watches_the_last_hears_of_every_end(
    engine: Engine, sessions: Sessions, *, badly: bool
) -> None:
    last(sessions, [part("b", part("a"))])
    known = job_ids(sessions)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as listening:
        listening.execute(text(f"LISTEN {CHANNEL}"))
        connection: Any = listening.connection.driver_connection
        claim = begin(sessions, "a")
        heard = [notice.payload for notice in connection.notifies(timeout=5, stop_after=1)]
        assert heard == [known["a"]], "that it began changes no count"
        end = ledger.cancelled if badly else partial(ledger.succeed, output={})
        committed(sessions, lambda session: end(session, claim))
        ended = {notice.payload for notice in connection.notifies(timeout=5, stop_after=2)}
        listening.execute(text(f"UNLISTEN {CHANNEL}"))
    assert known["last"] in ended
    assert (known["b"] in ended) == badly, "whoever watches b alone sees no change of it"


def test_a_graph_says_how_long_it_goes_on(sessions: Sessions) -> None:
    """As its jobs took so far, as many side by side as so far."""
    parts = [part(target) for target in ("a", "b", "c", "d")]
    job_id = last(sessions, parts, kind="ends").job.id

    def eta() -> float | None:
        with sessions() as session:
            found = session.get_one(JobRow, job_id)
            return job_view(session, found).progress.eta_seconds

    assert eta() is None, "nothing has been done yet"
    succeed(sessions, "a", "b")
    began = row(sessions, job_ids(sessions)["a"]).created_at

    def stretch(session: Any) -> None:
        """Two jobs of 10 s each, side by side."""
        for target in ("a", "b"):
            done = session.get_one(JobRow, job_ids(sessions)[target])
            done.started_at, done.finished_at = began, began + timedelta(seconds=10)
            done.device_seconds = 10.0

    committed(sessions, stretch)
    assert eta() == pytest.approx(10.0), "two are left, and run side by side"
    claim = begin(sessions, "c")
    committed(
        sessions,
        lambda session: ledger.report(
            session, claim, done=3, total=4, unit="step", eta_seconds=None
        ),
    )
    assert eta() == pytest.approx(6.3, abs=0.1), "a quarter of one, and another"
