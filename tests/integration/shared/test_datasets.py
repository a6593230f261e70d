"""Data sets: written in shards, resumed, published, read back, removed."""

import csv
import hashlib
import io
import json
import tarfile
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select, update

from lesiongan.contracts.categories import CATEGORIES, SPLITS, Category
from lesiongan.contracts.datasets import Dataset
from services.preprocessing.domain.folders import FolderImages
from services.preprocessing.domain.raw_images import RawImage
from shared.datasets import catalog, reading, removal
from shared.datasets import shards as shard_files
from shared.datasets.archive import archive_batches, file_name, manifest_csv
from shared.datasets.catalog import Place
from shared.datasets.identity import content_sha256
from shared.datasets.pixels import load_train
from shared.datasets.report import report
from shared.datasets.shards import ShardWriter, read_shard
from shared.datasets.writing import WHOLE, DatasetWriter, growing_shards
from shared.db.engine import Sessions
from shared.db.tables import DatasetRow, GanRow, ShardRow
from shared.errors import BadInput, Conflict, NotFound
from shared.jobs import ledger, sweep
from shared.jobs.claims import Claim, LeaseLost
from shared.storage.port import ObjectMissing
from shared.storage.s3 import S3Store
from tests.integration.shared.builders import (
    claimed,
    committed,
    destination,
    grey_png,
    meta,
    new_dataset,
    row,
    running,
    silence,
    stored_dataset,
)


def four(_number: int) -> int:
    """A plan of small shards."""
    return 4


def write(
    sessions: Sessions, store: S3Store, claim: Claim, numbers: range, *, finish: bool = True
) -> DatasetWriter:
    """Write images from where earlier attempts ended; publish if ``finish``."""
    with DatasetWriter(destination(sessions, store, claim), plan=four) as writer:
        first = writer.resume()
        for number in numbers[first:]:
            writer.add(grey_png(number), meta(seed=number))
        if finish:
            publish = writer.finish(new_dataset(claim))
            committed(sessions, publish)
    return writer


def opened(sessions: Sessions, store: S3Store, dataset_id: str) -> reading.StoredDataset:
    with sessions() as session:
        return reading.open_dataset(session, store, dataset_id)


def shards(sessions: Sessions, dataset_id: str) -> list[ShardRow]:
    with sessions() as session:
        return list(catalog.shards(session, dataset_id))


def below(store: S3Store, dataset_id: str) -> set[str]:
    return {entry.key for entry in store.list(f"datasets/{dataset_id}/")}


def test_every_offset_leads_to_its_image(sessions: Sessions, store: S3Store) -> None:
    claim = running(sessions, target="ds_offsets")
    write(sessions, store, claim, range(10))
    dataset = opened(sessions, store, "ds_offsets")
    assert [r.index for r in dataset.records] == list(range(10))
    assert [r.shard for r in dataset.records] == [0] * 4 + [1] * 4 + [2] * 2
    for record in dataset.records:
        png = reading.read_png(store, dataset, record)
        assert png == grey_png(record.index)
        assert record.sha256 == hashlib.sha256(png).hexdigest()
        assert record.seed == record.index


def test_the_last_shard_becomes_visible_with_the_data_set(
    sessions: Sessions, store: S3Store
) -> None:
    claim = running(sessions, target="ds_last_shard")
    with DatasetWriter(destination(sessions, store, claim), plan=four) as writer:
        assert writer.resume() == 0
        for number in range(6):
            writer.add(grey_png(number), meta(seed=number))
        assert [record.seed for record in writer.records] == list(range(6))
        publish = writer.finish(new_dataset(claim))
        assert [shard.images for shard in shards(sessions, "ds_last_shard")] == [4]
        assert [record.seed for record in writer.records] == list(range(6))
    committed(sessions, publish)
    assert [shard.images for shard in shards(sessions, "ds_last_shard")] == [4, 2]


def test_a_shard_is_a_tar_file_of_png_and_json_pairs() -> None:
    with ShardWriter(3, first_index=100) as writer:
        for number in range(5):
            writer.add(grey_png(number), meta(box_px=(0.0, 1.0, 2.0, 3.5)))
        shard = writer.close()
        data = shard.data
    assert (shard.bytes, shard.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert tar.getnames() == [
            f"{index:08d}.{kind}" for index in range(100, 105) for kind in ("png", "json")
        ]
        content = tar.extractfile("00000102.json")
        assert content is not None
        assert json.load(content)["index"] == 102
    read = list(read_shard(io.BytesIO(data)))
    assert [record for record, _ in read] == writer.records
    for record, png in read:
        assert data[record.offset : record.offset + record.size] == png


def test_neighbours_are_members_of_their_images_sample() -> None:
    beside = {"previous": grey_png(10), "following": grey_png(11)}
    with ShardWriter(0, first_index=0) as writer:
        writer.add(grey_png(0), meta(), **beside)
        writer.add(grey_png(1), meta(), following=beside["following"])
        shard = writer.close()
        data = shard.data
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        names = tar.getnames()
    assert names == [
        "00000000.png",
        "00000000.previous.png",
        "00000000.following.png",
        "00000000.json",
        "00000001.png",
        "00000001.following.png",
        "00000001.json",
    ]
    assert list(read_shard(io.BytesIO(data))) == [
        (record, grey_png(record.index)) for record in writer.records
    ]
    first, second = writer.records
    assert second.previous is None
    for record, place, png in (
        (first, first.previous, grey_png(10)),
        (first, first.following, grey_png(11)),
        (second, second.following, grey_png(11)),
    ):
        assert place is not None
        assert place.offset > record.offset
        assert data[place.offset : place.offset + place.size] == png
        assert place.sha256 == hashlib.sha256(png).hexdigest()


def test_growing_shards_start_small_and_stay_few() -> None:
    sizes = [growing_shards(number) for number in range(9)]
    assert sizes == [32, 64, 128, 256, 512, 1024, 2048, 2048, 2048]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (WHOLE, [(0, 0, 32), (1, 32, 38)]),
        (Place(first_index=50, first_shard=64, end_shard=128), [(64, 50, 70)]),
    ],
)
def test_shards_of_a_whole_set_grow_and_those_of_a_part_are_full(
    sessions: Sessions, store: S3Store, place: Place, expected: list[tuple[int, int, int]]
) -> None:
    claim = running(sessions, target="ds_placed")
    to = replace(destination(sessions, store, claim), place=place)
    with DatasetWriter(to) as writer:
        for number in range(70):
            writer.add(grey_png(number), meta(seed=number))
        writer.flush()
    found = shards(sessions, "ds_placed")
    assert [(shard.number, shard.first_index, shard.images) for shard in found] == expected


def test_a_resumed_attempt_takes_complete_shards(sessions: Sessions, store: S3Store) -> None:
    first = running(sessions, target="ds_resumed")
    write(sessions, store, first, range(10), finish=False)
    assert len(shards(sessions, "ds_resumed")) == 2, "the last shard was not complete"
    committed(sessions, lambda session: ledger.hand_back(session, first))
    second = claimed(sessions, first.job_id)
    assert second is not None
    writer = write(sessions, store, second, range(10))
    assert len(writer) == 10
    keys = [shard.key for shard in shards(sessions, "ds_resumed")]
    assert [key.rpartition("-")[2] for key in keys] == ["1.tar", "1.tar", "2.tar"]
    whole = running(sessions, target="ds_whole")
    write(sessions, store, whole, range(10))
    resumed = opened(sessions, store, "ds_resumed")
    unbroken = opened(sessions, store, "ds_whole")
    assert list(resumed.records) == list(unbroken.records)
    assert resumed.row.sha256 == unbroken.row.sha256
    assert resumed.row.bytes == sum(shard.bytes for shard in shards(sessions, "ds_resumed"))
    for record in resumed.records:
        assert reading.read_png(store, resumed, record) == grey_png(record.index)


def test_shards_that_do_not_say_what_they_hold_are_made_anew(
    sessions: Sessions, store: S3Store
) -> None:
    first = running(sessions, target="ds_older")
    write(sessions, store, first, range(12), finish=False)
    older = update(ShardRow).where(ShardRow.number == 1).values(records=None)
    committed(sessions, lambda session: session.execute(older))
    before = below(store, "ds_older")
    committed(sessions, lambda session: ledger.hand_back(session, first))
    second = claimed(sessions, first.job_id)
    assert second is not None
    with DatasetWriter(destination(sessions, store, second), plan=four) as writer:
        assert writer.resume() == 4
        assert [shard.number for shard in shards(sessions, "ds_older")] == [0]
        assert len(before - below(store, "ds_older")) == 2
    write(sessions, store, second, range(12))
    dataset = opened(sessions, store, "ds_older")
    for record in dataset.records:
        assert reading.read_png(store, dataset, record) == grey_png(record.index)


def test_what_shards_hold_is_said_twice_only_while_the_set_grows(
    sessions: Sessions, store: S3Store
) -> None:
    claim = running(sessions, target="ds_said")

    def said() -> list[bool]:
        with sessions() as session:
            found = session.scalars(select(ShardRow.records).order_by(ShardRow.number))
            return [records is not None for records in found]

    write(sessions, store, claim, range(8), finish=False)
    assert said() == [True, True]
    write(sessions, store, claim, range(8))
    assert said() == [False, False]


def test_a_complete_set_is_never_written_again(sessions: Sessions, store: S3Store) -> None:
    images = [(grey_png(number), meta()) for number in range(3)]
    dataset_id = stored_dataset(sessions, store, images)
    late = running(sessions, target=dataset_id)
    writer = DatasetWriter(destination(sessions, store, late))
    with writer, pytest.raises(Conflict, match=dataset_id):
        writer.resume()
    dataset = opened(sessions, store, dataset_id)
    assert [png for _, png in reading.iterate(store, dataset, dataset.records)] == [
        png for png, _ in images
    ]


def test_a_worker_that_lost_its_lease_shows_no_shard(sessions: Sessions, store: S3Store) -> None:
    stale = running(sessions, target="ds_stale")
    with DatasetWriter(destination(sessions, store, stale), plan=four) as writer:
        for number in range(3):
            writer.add(grey_png(number), meta())
        silence(sessions, stale.job_id)
        committed(sessions, sweep.requeue_expired)
        owner = claimed(sessions, stale.job_id)
        assert owner is not None
        write(sessions, store, owner, range(4, 8), finish=False)
        writer.add(grey_png(3), meta())
        with pytest.raises(LeaseLost):
            writer.flush()
    (shard,) = shards(sessions, "ds_stale")
    assert shard.key.endswith("-2.tar")
    with pytest.raises(LeaseLost), DatasetWriter(destination(sessions, store, stale)) as late:
        late.resume()
    assert store.get(shard.key)


def test_a_shard_is_progress_and_beginning_is_none(sessions: Sessions, store: S3Store) -> None:
    first = running(sessions, target="ds_progress")
    silence(sessions, first.job_id)
    committed(sessions, sweep.requeue_expired)
    second = claimed(sessions, first.job_id)
    assert second is not None
    with DatasetWriter(destination(sessions, store, second), plan=four) as writer:
        writer.resume()
        assert row(sessions, first.job_id).stalls == 1
        for number in range(4):
            writer.add(grey_png(number), meta())
    assert row(sessions, first.job_id).stalls == 0


def test_leaving_early_leaves_no_temporary_file(
    sessions: Sessions, store: S3Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(shard_files, "IN_MEMORY_BYTES", 0)
    claim = running(sessions, target="ds_left")
    for number in (1, 4):
        write(sessions, store, claim, range(number), finish=False)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_fails_is_told_and_leaves_no_temporary_file(
    sessions: Sessions, store: S3Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(shard_files, "IN_MEMORY_BYTES", 0)

    def fail(*_: object, **__: object) -> None:
        raise OSError("no such store")

    monkeypatch.setattr(store, "put_file", fail)
    claim = running(sessions, target="ds_unstored")
    with pytest.raises(OSError, match="no such store"):
        write(sessions, store, claim, range(9), finish=False)
    assert list(tmp_path.iterdir()) == []
    assert shards(sessions, "ds_unstored") == []


def test_a_set_without_images_is_refused(sessions: Sessions, store: S3Store) -> None:
    claim = running(sessions, target="ds_empty")
    with pytest.raises(BadInput, match="no image"):
        write(sessions, store, claim, range(0))
    with sessions() as session, pytest.raises(NotFound):
        catalog.get(session, "ds_empty")


def test_the_row_says_what_is_in_it(sessions: Sessions, store: S3Store) -> None:
    images = [
        (grey_png(0), meta("liver", "train")),
        (grey_png(1), meta("liver", "train")),
        (grey_png(2), meta("lung", "val")),
        (grey_png(3), meta(None, "train")),
        (grey_png(4), meta("bone", None)),
    ]
    dataset_id = stored_dataset(sessions, store, images)
    dataset = opened(sessions, store, dataset_id)
    assert dataset.row.images == 5
    assert dataset.row.counts == {
        "train": {"liver": 2, "unlabelled": 1},
        "val": {"lung": 1},
        "test": {},
        "unsplit": {"bone": 1},
    }
    assert dataset.row.sha256 == content_sha256(dataset.records)
    view = catalog.dataset_view(dataset.row)
    assert (view.id, view.images, view.phantom) == (dataset_id, 5, True)
    (shown,) = Dataset.model_json_schema()["examples"]
    assert shown["counts"].keys() == view.counts.keys()
    with sessions() as session:
        made = catalog.finished_outputs(session, [dataset_id, "ds_none"])
    assert made == {dataset_id: {"dataset": dataset_id, "images": 5}}


def test_of_two_makers_the_first_publishes(sessions: Sessions, store: S3Store) -> None:
    dataset_id = stored_dataset(sessions, store, [(grey_png(1), meta())])
    before = opened(sessions, store, dataset_id)
    late = replace(
        new_dataset(running(sessions, target=dataset_id)), name="another's", job_id="job_late"
    )
    committed(sessions, lambda s: catalog.publish(s, late, before.records))
    after = opened(sessions, store, dataset_id)
    assert (after.row.name, after.row.job_id) == (before.row.name, before.row.job_id)


def test_skipped_files_are_counted_and_the_first_are_named(
    sessions: Sessions, store: S3Store
) -> None:
    claim = running(sessions, target="ds_skipped")
    skipped = [{"file": number, "row": None, "reason": "no"} for number in range(300)]
    with DatasetWriter(destination(sessions, store, claim)) as writer:
        writer.add(grey_png(0), meta())
        publish = writer.finish(replace(new_dataset(claim), skipped=skipped))
    committed(sessions, publish)
    found = opened(sessions, store, "ds_skipped").row
    assert (found.skipped_total, len(found.skipped)) == (300, catalog.MAX_SKIPPED)


def test_a_selection_is_by_category_and_split(sessions: Sessions, store: S3Store) -> None:
    categories: list[Category | None] = [None, "liver", "lung"]
    kinds = [(c, s) for c in categories for s in (None, *SPLITS)]
    images = [(grey_png(number), meta(*kind)) for number, kind in enumerate(kinds)]
    dataset = opened(sessions, store, stored_dataset(sessions, store, images))
    assert len(dataset.select()) == 12
    assert [r.index for r in dataset.select(category="lung")] == [8, 9, 10, 11]
    assert [r.index for r in dataset.select(split="val")] == [2, 6, 10]
    assert [r.index for r in dataset.select(category="liver", split="test")] == [7]
    assert reading.record_at(dataset, 11).index == 11
    for index in (-1, 12, 10**30):
        with pytest.raises(NotFound):
            reading.record_at(dataset, index)


def test_neighbours_are_fetched_together(
    sessions: Sessions, store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = running(sessions, target="ds_spans")
    write(sessions, store, claim, range(10))
    dataset = opened(sessions, store, "ds_spans")
    asked: list[int] = []
    get_range = store.get_range

    def counted(key: str, offset: int, size: int) -> bytes:
        asked.append(size)
        return get_range(key, offset, size)

    monkeypatch.setattr(store, "get_range", counted)
    wanted = [dataset.records[index] for index in (9, 0, 5, 3)]
    read = list(reading.iterate(store, dataset, wanted))
    assert [(record.index, png) for record, png in read] == [
        (index, grey_png(index)) for index in (0, 3, 5, 9)
    ]
    assert len(asked) == 3, "one ranged read a shard"
    monkeypatch.setattr(reading, "SPAN_BYTES", 1500)
    asked.clear()
    assert len(list(reading.iterate(store, dataset, dataset.records))) == 10
    assert len(asked) > 3
    assert max(asked) <= 1500


def test_training_never_sees_validation_or_test_images(sessions: Sessions, store: S3Store) -> None:
    """Each image's grey level names its split, so that one leak would show."""
    levels = {"train": 10, "val": 120, "test": 240, None: 60}
    images = [
        (grey_png(levels[split]), meta(category, split))
        for category in CATEGORIES
        for split in (*SPLITS, None)
    ]
    dataset = opened(sessions, store, stored_dataset(sessions, store, images))
    loaded, labels, _ = load_train(store, dataset, CATEGORIES)
    assert loaded.shape == (8, 1, 8, 8)
    assert loaded.dtype == np.uint8
    assert set(np.unique(loaded[:, :, 1:, 1:])) == {levels["train"]}
    assert sorted(labels.tolist()) == list(range(8))
    some = load_train(store, dataset, ["lung", "bone"])
    assert some.labels.tolist() == [1, 0], (
        "in the order of the store, labelled by place in the request"
    )


@pytest.mark.parametrize(
    ("images", "match"),
    [
        ([(grey_png(0), meta(split="val"))], "no training images"),
        ([(grey_png(0), meta("lung"))], "no training images"),
        ([(grey_png(0), meta(unit="hu16"))], "preprocess it"),
        ([(grey_png(0), meta()), (grey_png(0, size=16), meta())], "differ in size"),
        ([(b"no PNG", meta())], "not an 8-bit PNG"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(
    sessions: Sessions, store: S3Store, images: list[Any], match: str
) -> None:
    dataset = opened(sessions, store, stored_dataset(sessions, store, images))
    with pytest.raises(BadInput, match=match):
        load_train(store, dataset, ["liver"])


def test_a_set_that_lacks_training_images_is_named(sessions: Sessions, store: S3Store) -> None:
    dataset_id = stored_dataset(sessions, store, [(grey_png(0), meta("liver"))])
    with sessions() as session:
        found = catalog.get(session, dataset_id)
    catalog.require_train(found, ["liver"])
    with pytest.raises(BadInput, match="lung, bone"):
        catalog.require_train(found, ["lung", "liver", "bone"])
    with pytest.raises(BadInput, match="fewer than 2 training images of liver"):
        catalog.require_train(found, ["liver"], at_least=2)


def family(sessions: Sessions, store: S3Store) -> tuple[str, str, str]:
    """A raw set, one made from it, and one made from that."""
    images = [(grey_png(0), meta())]
    raw = stored_dataset(sessions, store, images)
    child = stored_dataset(sessions, store, images, parents=[raw])
    return raw, child, stored_dataset(sessions, store, images, parents=[child])


def test_removal_names_what_derives_from_it(sessions: Sessions, store: S3Store) -> None:
    raw, child, grandchild = family(sessions, store)
    with sessions() as session, pytest.raises(Conflict) as caught:
        removal.remove(session, raw, cascade=False)
    assert child in caught.value.detail
    assert grandchild in caught.value.detail
    assert catalog_size(sessions) == 3


def test_removal_takes_what_derives_from_it_along(sessions: Sessions, store: S3Store) -> None:
    raw, child, grandchild = family(sessions, store)
    other = stored_dataset(sessions, store, [(grey_png(0), meta())])
    keys = committed(sessions, lambda session: removal.remove(session, raw, cascade=True))
    assert set(keys) == set().union(*(below(store, name) for name in (raw, child, grandchild)))
    assert catalog_size(sessions) == 1
    assert shards(sessions, raw) == []
    assert len(shards(sessions, other)) == 1
    with sessions() as session, pytest.raises(NotFound):
        removal.remove(session, raw, cascade=True)


def test_what_a_model_was_trained_on_stays_unless_the_model_goes_too(
    sessions: Sessions, store: S3Store
) -> None:
    raw, child, _ = family(sessions, store)
    committed(sessions, lambda session: session.add(gan("gan_1", child)))
    with sessions() as session, pytest.raises(Conflict, match="gan_1"):
        removal.remove(session, child, cascade=False)
    assert catalog_size(sessions) == 3
    committed(sessions, lambda session: removal.remove(session, raw, cascade=True))
    with sessions() as session:
        assert session.get(GanRow, "gan_1") is None


def catalog_size(sessions: Sessions) -> int:
    with sessions() as session:
        return int(session.scalars(select(func.count()).select_from(DatasetRow)).one())


def gan(gan_id: str, dataset_id: str) -> GanRow:
    return GanRow(
        id=gan_id,
        name="g",
        dataset_id=dataset_id,
        job_id="job_1",
        phantom=True,
        categories=["liver"],
        image_size=32,
        channels=1,
        steps=1,
        scores={},
        command={},
    )


def test_a_removed_set_is_made_again_from_nothing(sessions: Sessions, store: S3Store) -> None:
    claim = running(sessions, target="ds_again")
    write(sessions, store, claim, range(3))
    committed(sessions, lambda session: ledger.succeed(session, claim, {}))
    for key in committed(sessions, lambda s: removal.remove(s, "ds_again", cascade=False)):
        store.delete(key)
    with pytest.raises(NotFound):
        opened(sessions, store, "ds_again")
    again = running(sessions, target="ds_again")
    write(sessions, store, again, range(2))
    assert len(opened(sessions, store, "ds_again").records) == 2


class ArchiveSource:
    """The files of an archive, as an ingest reads them."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def names(self) -> list[str]:
        return sorted(self._files)

    def read(self, name: str) -> bytes:
        return self._files[name]


def test_an_archive_can_be_taken_in_again(
    sessions: Sessions, store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [
        (grey_png(0), meta("liver", "train", "p1")),
        (grey_png(1), meta("soft_tissue", "test", "p2")),
        (grey_png(2), meta("liver", "val", "p3")),
    ]
    dataset = opened(sessions, store, stored_dataset(sessions, store, images))
    monkeypatch.setattr("shared.datasets.archive.BATCH_BYTES", 1)
    batches = list(archive_batches(store, dataset))
    assert len(batches) == 3
    files = {"manifest.csv": manifest_csv(dataset.records)}
    files |= dict(entry for batch in batches for entry in batch)
    found = [
        item for item in FolderImages(ArchiveSource(files)).items() if isinstance(item, RawImage)
    ]
    assert sorted((i.category, i.split, i.patient) for i in found) == [
        ("liver", "train", "p1"),
        ("liver", "val", "p3"),
        ("soft_tissue", "test", "p2"),
    ]


def test_an_archive_names_each_image_by_category_and_index(
    sessions: Sessions, store: S3Store
) -> None:
    images = [(grey_png(0), meta()), (grey_png(1), meta(None, None, None))]
    dataset = opened(sessions, store, stored_dataset(sessions, store, images))
    names = [file_name(record) for record in dataset.records]
    assert names == [
        "images/liver/liver_000000.png",
        "images/unlabelled/unlabelled_000001.png",
    ]
    rows = list(csv.reader(io.StringIO(manifest_csv(dataset.records).decode())))
    assert rows == [
        ["file", "category", "patient", "split"],
        [names[0], "liver", "p", "train"],
        [names[1], "", "", ""],
    ]


def test_a_set_whose_objects_are_gone_says_so(sessions: Sessions, store: S3Store) -> None:
    dataset_id = stored_dataset(sessions, store, [(grey_png(0), meta())])
    dataset = opened(sessions, store, dataset_id)
    for key in below(store, dataset_id):
        store.delete(key)
    with pytest.raises(ObjectMissing):
        reading.read_png(store, dataset, dataset.records[0])


@pytest.mark.parametrize("older", [False, True])
def test_reasons_are_counted_of_all_skipped_files(
    sessions: Sessions, store: S3Store, *, older: bool
) -> None:
    claim = running(sessions, target="ds_1")
    skipped = [{"file": f"{n}.png", "row": n, "reason": "damaged"} for n in range(300)]
    skipped.append({"file": None, "row": 300, "reason": "too large"})
    with DatasetWriter(destination(sessions, store, claim)) as writer:
        writer.add(grey_png(0), meta())
        committed(sessions, writer.finish(replace(new_dataset(claim), skipped=skipped)))
    if older:
        query = update(DatasetRow).values(skipped_for=None)
        committed(sessions, lambda session: session.execute(query))
    found = report(opened(sessions, store, "ds_1"))
    counts = {each.reason: each.count for each in found.skipped}
    assert counts == ({"damaged": 200} if older else {"damaged": 300, "too large": 1})
    assert found.skipped[0].places[:2] == ["file 0.png, row 0", "file 1.png, row 1"]
    assert found.skipped_total == 301
