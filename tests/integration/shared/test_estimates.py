"""What a graph of jobs would cost."""

from functools import partial

from sqlalchemy import update
from sqlalchemy.orm import Session

from shared.db.engine import Sessions
from shared.db.tables import JobRow
from shared.jobs import estimates, ledger
from tests.integration.shared.builders import committed, done_before, running
from tests.integration.shared.graph_builders import part


def test_the_estimate_adds_up_what_there_is_to_do(sessions: Sessions) -> None:
    for kind, seconds in {"draw": 10.0, "train": 200.0}.items():
        claim = running(sessions, kind=kind, total=10)
        committed(sessions, partial(ledger.succeed, claim=claim, output={}))
        took = update(JobRow).where(JobRow.id == claim.job_id).values(device_seconds=seconds)
        committed(sessions, partial(Session.execute, statement=took))
    drawn = part("a", kind="draw", total=4, unit="image")
    before = done_before({})
    made = part("made", part("never"), kind="draw", total=1000, unit="image", finished=before)
    trained = [part(name, drawn, made, kind="train", total=5) for name in ("b", "c")]
    with sessions() as session:
        found = estimates.estimate(session, part("last", *trained, kind="new", unit="job"))
    assert found.images == 4
    assert found.device_seconds == 4 * 1.0 + 2 * 5 * 20.0
    assert "no new job has ended here yet" in found.based_on
    assert found.based_on.count("earlier train jobs") == 1
