"""Slices with their neighbours: taken in, made into 3 channels, and trained on."""

from typing import Any

import httpx
import numpy as np

from services.preprocessing.domain.pipeline import (
    PreprocessOptions,
    SliceMetadata,
    preprocess_slice,
)
from services.preprocessing.domain.png import decode_grey
from shared.datasets import reading
from shared.datasets.pixels import decode_uint8
from shared.datasets.reading import StoredDataset
from tests.integration.services.bench import Bench, archive
from tests.unit.preprocessing.builders import lesion, slice_png, table

#: Squares of noise in the same place, beside air: they look alike, as no two scans do.
ALIKE = {"split": {"allow_leakage": True}}
#: Of each patient the slices that are there; the lesion lies on slice 10.
PRESENT = ((9, 10, 11), (9, 10), (10,))


def scans(*, patients: int = 12) -> dict[str, bytes]:
    """DeepLesion's layout: two lesions a patient, of two categories; one more is unlabelled."""
    rows, files = [], {}
    for patient in range(patients):
        for number in PRESENT[patient % len(PRESENT)]:
            png = slice_png(seed=100 * patient + number)
            files[f"Images_png/{patient:06d}_01_01/{number:03d}.png"] = png
        about = {
            "File_name": f"{patient:06d}_01_01_010.png",
            "Patient_index": str(patient),
            "Train_Val_Test": str(1 + patient // 3 % 3),
        }
        rows.append(lesion(**about))
        rows.append(lesion(**about, Coarse_lesion_type="5", Bounding_boxes="30, 20, 44, 40"))
    rows.append(lesion(**{**about, "Coarse_lesion_type": "-1"}))
    return {"DL_info.csv": table(rows)} | files


def upload(bench: Bench, files: dict[str, bytes], **fields: str) -> httpx.Response:
    data = {"layout": "deeplesion", "name": "scans", **fields}
    return bench.client.post("/datasets", data=data, files={"file": ("a.zip", archive(files))})


def taken_in(bench: Bench, **fields: str) -> str:
    answer = upload(bench, scans(), **fields)
    assert answer.status_code == 202, answer.text
    return bench.made(answer.json()["id"])


def opened(bench: Bench, dataset: str) -> StoredDataset:
    with bench.ports.sessions() as session:
        return reading.open_dataset(session, bench.ports.store, dataset)


def dataset(bench: Bench, dataset_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = bench.client.get(f"/datasets/{dataset_id}").json()
    return answer


def test_neighbours_are_stored_beside_their_slice_and_change_the_set(bench: Bench) -> None:
    plain, whole = taken_in(bench), taken_in(bench, neighbours="true")
    assert plain != whole
    assert dataset(bench, plain)["command"] == {"layout": "deeplesion"}
    described = dataset(bench, whole)
    assert described["command"] == {"layout": "deeplesion", "neighbours": True}
    assert described["sha256"] != dataset(bench, plain)["sha256"]
    assert described["counts"] == dataset(bench, plain)["counts"]
    lacking = "26 neighbouring slices are missing, or of another kind than their lesion's"
    assert described["notes"] == [lacking]
    found = opened(bench, whole)
    stacks = list(reading.iterate_stacks(bench.ports.store, found, found.records))
    assert len(stacks) == 25
    for record, stack in stacks:
        patient = record.index // 2 if record.index < 24 else 11
        numbers = PRESENT[patient % 3]
        sides = [slice_png(seed=100 * patient + n) if n in numbers else None for n in (9, 11)]
        assert [stack.previous, stack.following] == sides
        assert stack.png == slice_png(seed=100 * patient + 10)
        assert stack.png == reading.read_png(bench.ports.store, found, record)
    plainly = list(reading.iterate(bench.ports.store, found, found.records))
    assert plainly == [(record, stack.png) for record, stack in stacks]


def test_three_channels_are_the_slice_before_the_lesions_own_and_the_one_after(
    bench: Bench,
) -> None:
    raw = taken_in(bench, neighbours="true")
    asked = {"dataset": raw, "size": 32, "neighbours": True, **ALIKE}
    made = bench.made(bench.post("/preprocess", asked))
    assert made != bench.made(bench.post("/preprocess", {"dataset": raw, "size": 32, **ALIKE}))
    lacking = "26 of 50 neighbouring slices are missing: the lesion's stands in"
    assert lacking in dataset(bench, made)["notes"]
    found, source = opened(bench, made), opened(bench, raw)
    for record, png in reading.iterate(bench.ports.store, found, found.records):
        assert record.channels == 3
        assert record.parent_index is not None
        own = source.records[record.parent_index]
        about = SliceMetadata(spacing_mm=own.spacing_mm, box_px=own.box_px, window_hu=own.window_hu)
        ((_, stack),) = reading.iterate_stacks(bench.ports.store, source, [own])
        slices = (stack.previous or stack.png, stack.png, stack.following or stack.png)
        expected = [
            preprocess_slice(decode_grey(each).values, about, PreprocessOptions(size=32)).image
            for each in slices
        ]
        np.testing.assert_array_equal(decode_uint8(png), np.stack(expected))
    sheet = bench.client.get(f"/datasets/{made}/contact-sheet.png")
    assert sheet.status_code == 200


def test_neighbours_that_are_not_there_are_refused(bench: Bench) -> None:
    answer = upload(bench, scans(), layout="folders", neighbours="true")
    assert answer.status_code == 422
    assert "only the layouts deeplesion and dicom" in answer.text
    assert upload(bench, scans(), neighbours="perhaps").status_code == 422
    plain = taken_in(bench)
    for path, body in (
        ("/preprocess", {"dataset": plain, "neighbours": True}),
        ("/experiments", {"dataset": plain, "preprocess": {"neighbours": True}}),
    ):
        refused = bench.client.post(path, json=body)
        assert refused.status_code == 422, refused.text
        assert "take it in again with `neighbours`" in refused.json()["detail"]


def test_everything_downstream_takes_three_channels(bench: Bench) -> None:
    """Unlabelled images, which are there too, are left alone by what needs labels."""
    raw = taken_in(bench, neighbours="true")
    options = {"dataset": raw, "size": 32, "neighbours": True, **ALIKE}
    made = bench.made(bench.post("/preprocess", options))
    assert "unlabelled" in dataset(bench, made)["counts"]["train"]
    augmented = bench.made(bench.post("/augment", {"dataset": made, "copies": 1}))
    assert {record.channels for record in opened(bench, augmented).records} == {3}
    gan = bench.made(
        bench.post("/gans", {"dataset": made, "steps": 1, "batch_size": 2, "width": 4})
    )
    assert bench.client.get(f"/gans/{gan}").json()["channels"] == 3
    sampled = bench.client.post("/generate", params={"gan": gan, "category": "liver", "n": 2})
    synthetic = opened(bench, bench.made(sampled.json()["id"]))
    for record, png in reading.iterate(bench.ports.store, synthetic, synthetic.records):
        assert (record.channels, decode_uint8(png).shape) == (3, (3, 32, 32))
    training = {"architecture": "small_cnn", "steps": 1, "batch_size": 4, "patience": None}
    sets = [augmented, synthetic.row.id]
    classifier = bench.made(bench.post("/classifiers", {"datasets": sets, **training}))
    assert bench.client.get(f"/classifiers/{classifier}").json()["channels"] == 3
    grey = bench.made(bench.post("/preprocess", {"dataset": raw, "size": 32, **ALIKE}))
    job = bench.run(bench.post("/classifiers", {"datasets": [grey, augmented], **training}))
    assert job.error is not None
    assert "1 channel(s) and 32x32 px in 3 channel(s)" in job.error["detail"]
