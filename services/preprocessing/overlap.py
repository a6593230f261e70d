"""Whether the splits of a data set that is about to be published are apart."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from shared.datasets import catalog
from shared.datasets.columns import Records
from shared.datasets.pixels import correlation
from shared.datasets.records import ImageRecord
from shared.datasets.report import refuse_leakage
from shared.jobs.context import JobContext
from shared.storage.port import ObjectStore

#: Of the grey levels: pictures that only look alike stay below it, noise of a scan sees to that.
SAME_PICTURE: Final = 0.98


def refuse_overlap(job: JobContext, store: ObjectStore, records: Records) -> None:
    """Raises :class:`shared.errors.BadInput` where a patient or a picture is in two splits.

    All shards must be stored: pictures that look alike are read again and compared.
    """
    with job.reading() as session:
        keys = {row.number: row.key for row in catalog.shards(session, job.target)}
    refuse_leakage(records, partial(_is_same, store, keys))


def _is_same(
    store: ObjectStore, keys: Mapping[int, str], one: ImageRecord, other: ImageRecord
) -> bool:
    first, second = (
        store.get_range(keys[each.shard], each.offset, each.size) for each in (one, other)
    )
    return correlation(first, second) >= SAME_PICTURE
