"""How long is kept what nobody would miss."""

from dataclasses import dataclass
from datetime import timedelta

from shared.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Periods:
    """Counted from the end of a job; ``orphan`` from when an object was stored."""

    upload: timedelta
    result: timedelta
    checkpoint: timedelta
    event: timedelta
    #: Payloads are stored before the row that names them is committed: longer than the longest
    #: upload takes.
    orphan: timedelta
    #: From when it was written.
    audit: timedelta = timedelta(days=365)


def periods(settings: Settings) -> Periods:
    """The periods of this installation."""
    return Periods(
        upload=timedelta(hours=settings.upload_keep_hours),
        result=timedelta(hours=settings.result_keep_hours),
        checkpoint=timedelta(days=settings.checkpoint_keep_days),
        event=timedelta(days=settings.event_keep_days),
        orphan=timedelta(hours=settings.orphan_grace_hours),
        audit=timedelta(days=settings.audit_keep_days),
    )
