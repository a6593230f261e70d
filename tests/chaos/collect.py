"""A collection that waits for nothing: what no row names goes at once."""

from datetime import timedelta

from shared.db.engine import Sessions
from shared.ids import new_id
from shared.jobs import claims, ledger
from shared.jobs.context import JobContext, StopFlags
from shared.jobs.submit import NewJob, submit
from shared.retention.collection import Collection
from shared.retention.periods import Periods
from shared.retention.schedule import KIND
from shared.storage.port import ObjectStore

NOW, LATER = timedelta(0), timedelta(days=1)
#: Nothing is made while it runs, so that payloads need no grace; the answers of previews stay.
PERIODS = Periods(upload=NOW, result=LATER, checkpoint=NOW, event=LATER, orphan=NOW)
LEASE = timedelta(minutes=5)


def collect(sessions: Sessions, store: ObjectStore) -> dict[str, int]:
    """Run the product's collection in this process; what it counts."""
    job_id = new_id("job")
    new = NewJob(kind=KIND, queue="default", input={}, id=job_id)
    with sessions() as session:
        submit(session, lambda _: new, key_id=None)
        claim = claims.take(session, job_id, worker="chaos", lease=LEASE)
        session.commit()
    assert claim is not None, "nobody else was told of it"
    job = JobContext(claim, sessions, StopFlags())
    output = Collection(job, sessions, store, PERIODS).run()
    with sessions() as session:
        ledger.succeed(session, claim, output)
        session.commit()
    return output
