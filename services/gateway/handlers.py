"""Use case: collect what nobody would miss."""

from shared.db.engine import Sessions
from shared.jobs.context import JobContext, Outcome
from shared.retention.collection import Collection
from shared.retention.periods import Periods
from shared.storage.port import ObjectStore


def collect(job: JobContext, sessions: Sessions, store: ObjectStore, periods: Periods) -> Outcome:
    """Remove what has expired and what no row names; the output counts it.

    Raises :class:`shared.storage.port.StoreUnavailable`.
    """
    return Outcome(Collection(job, sessions, store, periods).run())
