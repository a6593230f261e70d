"""Which data set a request means."""

import hashlib
from dataclasses import replace

import pytest

from shared.datasets import identity
from shared.datasets.columns import Records
from shared.datasets.identity import content_sha256, dataset_id, run_id
from shared.datasets.pseudonyms import pseudonym
from shared.datasets.records import ImageRecord
from shared.ids import content_id, fingerprint, new_id


def record(index: int) -> ImageRecord:
    return ImageRecord(
        index=index,
        sha256=f"{index:064x}",
        category="liver",
        split="train",
        patient="p",
        source="s",
        unit="uint8",
        width=8,
        height=8,
        shard=0,
        offset=512,
        size=9,
    )


def test_an_id_is_the_hash_of_what_makes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(identity.STEP_VERSIONS, "preprocess", 1)
    canonical = b'{"command":{"size":64},"inputs":["ds_1"],"step":"preprocess","version":1}'
    expected = "ds_" + hashlib.sha256(canonical).hexdigest()[:24]
    assert dataset_id("preprocess", ["ds_1"], {"size": 64}) == expected


def test_the_name_does_not_count_and_order_of_members_does_not() -> None:
    first = dataset_id("preprocess", ["ds_1"], {"size": 64, "crop": "lesion", "name": "a"})
    assert dataset_id("preprocess", ["ds_1"], {"crop": "lesion", "size": 64, "name": "b"}) == first
    assert dataset_id("preprocess", ["ds_1"], {"crop": "lesion", "size": 64}) == first


@pytest.mark.parametrize(
    ("step", "inputs", "command"),
    [
        ("augment", ["ds_1", "ds_2"], {"size": 64}),
        ("preprocess", ["ds_1"], {"size": 64}),
        ("preprocess", ["ds_2", "ds_1"], {"size": 64}),
        ("preprocess", ["ds_1", "ds_2"], {"size": 32}),
        ("preprocess", ["ds_1", "ds_2"], {"size": "64"}),
    ],
)
def test_whatever_makes_other_images_makes_another_id(
    step: str, inputs: list[str], command: dict[str, object]
) -> None:
    assert dataset_id(step, inputs, command) != dataset_id(
        "preprocess", ["ds_1", "ds_2"], {"size": 64}
    )


def test_a_raised_version_is_another_id(monkeypatch: pytest.MonkeyPatch) -> None:
    before = dataset_id("augment", [], {})
    monkeypatch.setitem(identity.STEP_VERSIONS, "augment", identity.STEP_VERSIONS["augment"] + 1)
    assert dataset_id("augment", [], {}) != before


def test_a_run_is_its_step_and_its_whole_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(identity.STEP_VERSIONS, "train-gan", 1)
    canonical = b'{"command":{"name":"a","seed":0},"step":"train-gan","version":1}'
    first = run_id("gan", "train-gan", {"seed": 0, "name": "a"})
    assert first == "gan_" + hashlib.sha256(canonical).hexdigest()[:24]
    monkeypatch.setitem(identity.STEP_VERSIONS, "train-gan", 2)
    others = [
        run_id("gan", "train-gan", {"name": "a", "seed": 0}),
        run_id("gan", "train-gan", {"name": "b", "seed": 0}),
        run_id("gan", "train-classifier", {"name": "a", "seed": 0}),
        run_id("clf", "train-classifier", {"name": "a", "seed": 0}),
    ]
    assert len({first, *others}) == 5


def test_a_run_of_an_unknown_step_has_no_id() -> None:
    with pytest.raises(KeyError):
        run_id("gan", "no-such-step", {})


def test_the_content_is_pixels_labels_splits_and_order() -> None:
    records = [record(0), record(1)]
    elsewhere = [replace(r, offset=9999, source="elsewhere") for r in records]
    assert content_sha256(Records.of(records)) == content_sha256(Records.of(elsewhere))
    others = [
        records[::-1],
        records[:1],
        [records[0], replace(records[1], category="lung")],
        [records[0], replace(records[1], split="test")],
        [records[0], replace(records[1], patient=None)],
        [records[0], replace(records[1], sha256="0" * 64)],
    ]
    assert len({content_sha256(Records.of(r)) for r in [records, *others]}) == 7


def test_ids_carry_their_kind() -> None:
    assert new_id("job") != new_id("job")
    assert content_id("gan", {"a": 1}) == "gan_" + fingerprint({"a": 1})[:24]


def test_a_pseudonym_depends_on_the_patient_and_the_installation() -> None:
    one = pseudonym("patient 7", "secret")
    assert one is not None
    assert len(one) == 32
    assert pseudonym(" patient 7 ", "secret") == one
    assert len({one, pseudonym("patient 8", "secret"), pseudonym("patient 7", "other")}) == 3
    assert pseudonym(None, "secret") is None
