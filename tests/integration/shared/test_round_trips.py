"""How often a job's end asks the database: somebody may wait for one image."""

from sqlalchemy import Engine, select

from shared.datasets.writing import DatasetWriter, destination
from shared.db.engine import Sessions
from shared.db.tables import JobRow
from shared.jobs import claims, ledger
from shared.jobs.context import JobContext, StopFlags
from shared.storage.s3 import S3Store
from tests.integration.shared.builders import (
    grey_png,
    meta,
    new_dataset,
    queued,
    running,
)
from tests.integration.statements import statements

#: The content lock, the job's row and its end, the shard, the data set and whether it was
#: withdrawn, deliveries, notices.
STATEMENTS = 8


def test_a_job_that_made_one_shard_ends_in_few_statements(
    sessions: Sessions, store: S3Store, engine: Engine
) -> None:
    claim = running(sessions, target="ds_one_shard")
    for _ in range(3):
        queued(sessions, parents=[claim.job_id])
    job = JobContext(claim, sessions, StopFlags())
    with DatasetWriter(destination(store, job)) as writer:
        writer.resume()
        writer.add(grey_png(1), meta(patient=None))
        publish = writer.finish(new_dataset(claim))
    with statements(engine) as sent, sessions() as session:
        held = claims.hold(session, claim)
        publish(session)
        ledger.succeed_held(session, held, {})
        session.commit()
        assert len(sent) == STATEMENTS, "\n".join(sent)
        ended = select(JobRow.status, JobRow.error.is_(None), JobRow.device_seconds > 0)
        found = session.execute(ended.where(JobRow.id == claim.job_id)).one()
    assert tuple(found) == ("succeeded", True, True)


def test_a_shard_that_is_kept_costs_few_statements(
    sessions: Sessions, store: S3Store, engine: Engine
) -> None:
    claim = running(sessions, target="ds_kept_shard")
    job = JobContext(claim, sessions, StopFlags())
    with DatasetWriter(destination(store, job)) as writer:
        writer.resume()
        writer.add(grey_png(1), meta(patient=None))
        with statements(engine) as sent:
            writer.flush()
    # The content lock, the job's row, the shard, the notice.
    assert len(sent) == 4, "\n".join(sent)
