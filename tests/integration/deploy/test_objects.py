"""Objects out of one bucket and into another."""

import io
from collections.abc import Iterator

import pytest

from deploy.objects import load, save
from shared.settings import Settings
from shared.storage.s3 import S3Store


@pytest.fixture
def buckets(settings: Settings) -> Iterator[tuple[S3Store, S3Store]]:
    """Two empty ones."""
    made = [
        S3Store(settings.model_copy(update={"s3_bucket": name})) for name in ("saved", "loaded")
    ]
    for store in made:
        store.ensure_bucket()
    yield made[0], made[1]
    for store in made:
        for listed in list(store.list("")):
            store.delete(listed.key)


def test_every_object_arrives_as_it_was(buckets: tuple[S3Store, S3Store]) -> None:
    here, there = buckets
    objects = {
        "empty": b"",
        "datasets/ds_1/shards/00000.tar": bytes(range(256)) * 5000,
        "deep/" + "long/" * 60 + "name": b"x",
    }
    for key, data in objects.items():
        here.put(key, data)
    archive = io.BytesIO()
    assert save(here, archive) == len(objects)
    archive.seek(0)
    assert load(there, archive) == len(objects)
    assert {each.key: there.get(each.key) for each in there.list("")} == objects
