"""A classifier that others ask: to filter, to soften, to label."""

from functools import partial

from services.classification.domain.prediction import predict
from services.classification.domain.teaching import Teacher
from services.classification.domain.weights import Shape, load_weights
from shared.db.tables import ClassifierRow
from shared.jobs.context import JobContext
from shared.storage.port import ObjectStore


def load_teacher(
    job: JobContext, store: ObjectStore, row: ClassifierRow, device: str
) -> tuple[Teacher, Shape]:
    """A published classifier, and what it tells apart in which images."""
    assert row.weights_key is not None, "published"
    network, shape = load_weights(store.get(row.weights_key), device=device)
    return partial(predict, network, device=device, on_batch=job.check_wanted), shape
