"""The images that a classifier is trained on: never those that it is judged by."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from lesiongan.contracts.categories import SPLITS
from lesiongan.contracts.datasets import DatasetKind
from lesiongan.contracts.gans import MOST_DRAWS
from services.classification.loading import ClassifierImages, load_images
from shared.datasets import reading
from shared.datasets.records import ImageMeta
from shared.db.engine import Sessions
from shared.errors import BadInput
from shared.storage.s3 import S3Store
from tests.integration.classification.datasets import dataset
from tests.integration.shared.builders import grey_png, meta, stored_dataset

Images = Sequence[tuple[bytes, ImageMeta]]
Load = Callable[..., ClassifierImages]


@pytest.fixture
def load(sessions: Sessions, store: S3Store) -> Load:
    """The images of data sets, by their ids."""

    def load(
        *dataset_ids: str, unlabelled: Sequence[str] = (), without_copies: bool = False
    ) -> ClassifierImages:
        with sessions() as session:
            opened, more = (
                [reading.open_dataset(session, store, each) for each in ids]
                for ids in (dataset_ids, unlabelled)
            )
        return load_images(store, opened, unlabelled=more, without_copies=without_copies)

    return load


@pytest.fixture
def stored(sessions: Sessions, store: S3Store) -> Callable[..., str]:
    """The id of a data set of images."""

    def stored(images: Images, kind: DatasetKind = "preprocessed") -> str:
        return stored_dataset(sessions, store, images, kind=kind)

    return stored


def test_only_training_images_are_trained_on(load: Load, stored: Callable[..., str]) -> None:
    """Each image's grey level names its split, so that one leak would show."""
    levels = {"train": 10, "val": 120, "test": 240, None: 60}
    kinds: list[DatasetKind] = ["preprocessed", "augmented", "synthetic"]
    sets = [
        stored(
            [
                (grey_png(levels[split]), meta(category, split, f"{place} {split}"))
                for category in ("lung", "bone")
                for split in (*SPLITS, None)
            ],
            kind,
        )
        for place, kind in enumerate(kinds)
    ]
    found = load(*sets)
    assert found.categories == ("bone", "lung"), "in their usual order"
    assert found.train.pixels.shape == (6, 1, 8, 8)
    assert set(np.unique(found.train.pixels[:, :, 1:, 1:])) == {levels["train"]}
    assert found.train.labels.tolist() == [1, 0] * 3
    assert found.val is not None
    assert set(np.unique(found.val.pixels[:, :, 1:, 1:])) == {levels["val"]}
    assert found.val.labels.tolist() == [1, 0] * 3
    assert not found.val.synthetic.any()


def test_no_byte_of_val_and_test_is_fetched_to_train(
    sessions: Sessions, store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = dataset(sessions, store)
    with sessions() as session:
        opened = reading.open_dataset(session, store, made)
    fetched: list[bytes] = []
    get_range = store.get_range

    def seen(key: str, offset: int, size: int) -> bytes:
        fetched.append(get_range(key, offset, size))
        return fetched[-1]

    monkeypatch.setattr(reading, "SPAN_BYTES", 1)
    held_out = [
        reading.read_png(store, opened, each) for each in opened.records if each.split == "test"
    ]
    monkeypatch.setattr(store, "get_range", seen)
    load_images(store, [opened])
    assert len(fetched) == 7 + 4
    assert not set(held_out) & set(fetched)


def test_a_patient_on_both_sides_is_refused(load: Load, stored: Callable[..., str]) -> None:
    one = stored([(grey_png(1), meta("liver", "train", "p")), (grey_png(2), meta("lung"))])
    other = stored(
        [
            (grey_png(3), meta("liver", "train", "q")),
            (grey_png(4), meta("lung", "val", "p")),
        ]
    )
    with pytest.raises(BadInput, match="images of 1 of the patients"):
        load(one, other)


def test_images_of_nobody_are_on_no_side(load: Load, stored: Callable[..., str]) -> None:
    one = stored(
        [
            (grey_png(1), meta("liver", "train", None)),
            (grey_png(2), meta("lung", "train", None)),
            (grey_png(3), meta("lung", "val", None)),
        ]
    )
    assert load(one).val is not None


def test_val_images_that_are_also_trained_on_are_dropped(
    load: Load, stored: Callable[..., str]
) -> None:
    one = stored([(grey_png(1), meta("liver")), (grey_png(2), meta("lung"))])
    val = [
        (grey_png(1), meta("lung", "val", "a")),
        (grey_png(7), meta("liver", "val", "b")),
        (grey_png(2), meta("lung", "val", "c")),
    ]
    other = stored([(grey_png(3), meta("liver", "train", "q")), *val])
    found = load(one, other)
    assert found.val is not None
    assert found.val.pixels[:, 0, 1, 1].tolist() == [7]
    assert found.val.labels.tolist() == [0]
    only_seen = stored([(grey_png(3), meta("liver", "train", "q")), val[0], val[2]])
    assert load(one, only_seen).val is None


def test_images_that_a_teacher_will_name_are_held_against_val_too(
    load: Load, stored: Callable[..., str]
) -> None:
    one = stored(
        [
            (grey_png(1), meta("liver", "train", "a")),
            (grey_png(2), meta("lung", "train", "b")),
            (grey_png(3), meta("liver", "val", "c")),
            (grey_png(4), meta("lung", "val", "d")),
        ]
    )
    same = stored([(grey_png(3), meta(None, "train", None))])
    found = load(one, unlabelled=[same])
    assert found.val is not None
    assert found.val.pixels[:, 0, 1, 1].tolist() == [4]
    with pytest.raises(BadInput, match="images of 1 of the patients"):
        load(one, unlabelled=[stored([(grey_png(5), meta(None, "train", "c"))])])


def test_without_val_there_is_none(load: Load, sessions: Sessions, store: S3Store) -> None:
    found = load(dataset(sessions, store, {"liver": (2, 0, 1), "lung": (1, 0, 1)}))
    assert found.val is None
    assert len(found.train) == 3


def test_val_images_of_other_categories_are_left_out(
    load: Load, sessions: Sessions, store: S3Store
) -> None:
    found = load(
        dataset(sessions, store, {"liver": (1, 1, 0), "lung": (1, 0, 0), "bone": (0, 5, 0)})
    )
    assert found.categories == ("liver", "lung")
    assert found.val is not None
    assert len(found.val) == 1
    other = dataset(sessions, store, {"liver": (1, 0, 0), "lung": (1, 0, 0), "bone": (0, 5, 0)})
    assert load(other).val is None


def test_images_are_counted_by_what_they_are(load: Load, stored: Callable[..., str]) -> None:
    real = stored([(grey_png(1), meta("liver")), (grey_png(2), meta("lung"))])
    augmented = stored(
        [
            (grey_png(3), meta("liver")),
            (grey_png(4), meta("liver", draw=1, parent_index=0)),
            (grey_png(5), meta("lung", draw=2, parent_index=0)),
            (grey_png(6), meta("lung", "val", "q")),
        ],
        "augmented",
    )
    drawn = [(grey_png(10 + n), meta("lung", patient=None, draw=n)) for n in range(4)]
    synthetic = stored(drawn, "synthetic")
    found = load(real, augmented, synthetic)
    assert found.counts == {"real": 3, "augmented": 2, "synthetic": 4}
    assert found.train.synthetic.tolist() == [False] * 5 + [True] * 4


def test_what_may_be_a_copy_is_left_out_where_that_is_asked_for(
    load: Load, stored: Callable[..., str]
) -> None:
    last = MOST_DRAWS - 1
    real = [(grey_png(1), meta("liver", draw=last)), (grey_png(2), meta("lung"))]
    drawn = [
        (grey_png(10 + draw), meta("lung", patient=None, draw=draw)) for draw in (0, last - 1, last)
    ]
    sets = stored(real), stored(drawn, "synthetic")
    assert load(*sets).counts["synthetic"] == 3
    found = load(*sets, without_copies=True)
    assert found.counts == {"real": 2, "augmented": 0, "synthetic": 2}
    assert found.train.pixels[:, 0, 1, 1].tolist() == [1, 2, 10, 10 + last - 1]
    assert found.train.synthetic.tolist() == [False, False, True, True]


def test_nothing_is_trained_on_copies_alone(load: Load, stored: Callable[..., str]) -> None:
    copies = [
        (grey_png(1), meta("liver", patient=None, draw=MOST_DRAWS - 1)),
        (grey_png(2), meta("lung", patient=None, draw=MOST_DRAWS - 1)),
    ]
    alone = stored(copies, "synthetic")
    assert len(load(alone).train) == 2
    with pytest.raises(BadInput, match="may be copies: nothing is left"):
        load(alone, without_copies=True)


def test_raw_data_sets_are_refused(load: Load, sessions: Sessions, store: S3Store) -> None:
    raw = dataset(sessions, store, kind="raw")
    with pytest.raises(BadInput, match=f"{raw} is raw"):
        load(dataset(sessions, store), raw)


def test_images_of_two_sizes_are_refused(load: Load, sessions: Sessions, store: S3Store) -> None:
    with pytest.raises(BadInput, match=r"32x32 px.* and 64x64 px"):
        load(dataset(sessions, store), dataset(sessions, store, size=64))


def test_one_category_is_nothing_to_tell_apart(
    load: Load, sessions: Sessions, store: S3Store
) -> None:
    with pytest.raises(BadInput, match="two categories"):
        load(dataset(sessions, store, {"liver": (4, 2, 2), "lung": (0, 2, 2)}))


def test_data_sets_may_bring_a_category_each(
    load: Load, sessions: Sessions, store: S3Store
) -> None:
    one = dataset(sessions, store, {"liver": (4, 2, 2)})
    other = dataset(sessions, store, {"lung": (3, 2, 2)})
    found = load(one, other)
    assert found.train.labels.tolist() == [0] * 4 + [1] * 3
