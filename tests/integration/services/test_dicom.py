"""DICOM comes in over HTTP, with a table and without; what went out as DICOM comes back."""

import csv
import io
import json
import logging
from typing import Any

import numpy as np
import pytest
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1
from sqlalchemy import text

from services.preprocessing.domain.hounsfield import decode_hu
from services.preprocessing.domain.png import decode_grey
from shared.datasets import reading
from shared.worker.ports import Ports
from tests.integration.services.bench import Bench, archive, slices
from tests.unit.preprocessing.dicom import codestreams
from tests.unit.preprocessing.dicom.builders import UID_ROOT, compressed, ct, hounsfield, written

#: In names, headers and the table: nothing of it may be stored or said.
MARK = "Zyxwv"


def scans(*, patients: int = 12) -> dict[str, bytes]:
    """A slice and a lesion a patient, two of the first; one slice is damaged, one has no lesion."""
    files, rows = {}, []
    for number in range(patients):
        about = {"PatientID": f"{MARK}{number}", "PatientName": f"{MARK}^{number}"}
        data = written(ct(hounsfield(number, rows=64, columns=64) + 1024, number, **about))
        files[f"{MARK}/{number}/IM"] = data[:-50] if number == 7 else data
        category = "liver" if number % 2 else "lung"
        rows.append([f"{UID_ROOT}.{number}", category, "10", "12", "30", "33.5"])
    rows.append([f"{UID_ROOT}.0", "kidney", "-5", "-5", "20", "20"])
    rows.append([f"{UID_ROOT}.99", "liver", "", "", "", ""])
    picture = codestreams.picture()
    files[f"{MARK}/alone"] = compressed(ct(picture, 98), JPEG2000Lossless, codestreams.JPEG_2000)
    sink = io.StringIO()
    csv.writer(sink).writerows([["sop_instance_uid", "category", "x1", "y1", "x2", "y2"], *rows])
    return {"lesions.csv": sink.getvalue().encode()} | files


def dataset(bench: Bench, dataset_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = bench.client.get(f"/datasets/{dataset_id}").json()
    return answer


def images(bench: Bench, dataset_id: str) -> list[dict[str, Any]]:
    answer = bench.client.get(f"/datasets/{dataset_id}/images", params={"limit": 200})
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def png(bench: Bench, dataset_id: str, index: int) -> bytes:
    return bench.client.get(f"/datasets/{dataset_id}/images/{index}").content


def test_lesions_on_slices_are_taken_in_and_preprocessed(bench: Bench) -> None:
    raw = bench.made(bench.upload(archive(scans()), "dicom"))
    described = dataset(bench, raw)
    assert described["command"] == {"layout": "dicom"}
    assert described["counts"]["unsplit"] == {"lung": 6, "liver": 5, "kidney": 1}
    assert described["notes"] == ["1 boxes clipped to their image"]
    assert described["skipped"] == [
        {"file": 9, "row": 9, "reason": "its pixel data are truncated"},
        {"file": None, "row": 15, "reason": "the image is missing"},
    ]
    found = images(bench, raw)
    assert [each["source"] for each in found[:3]] == [
        "file 2, row 2",
        "file 2, row 14",
        "file 3, row 3",
    ]
    assert found[0]["box_px"] == [10, 12, 30, 33.5]
    assert found[1]["box_px"] == [0, 0, 20, 20]
    assert found[0]["patient"] == found[1]["patient"] != found[2]["patient"]
    assert (found[0]["spacing_mm"], found[0]["window_hu"]) == (0.7, [-160, 240])
    stored: Any = decode_grey(png(bench, raw, 2)).values
    assert np.array_equal(decode_hu(stored), hounsfield(1, rows=64, columns=64))
    made = bench.made(
        bench.post("/preprocess", {"dataset": raw, "size": 32, "split": {"allow_leakage": True}})
    )
    assert dataset(bench, made)["images"] == 12


def test_without_a_table_every_slice_is_unlabelled(bench: Bench) -> None:
    picture = codestreams.picture()
    files = {
        "a": written(ct(number=1)),
        "b": compressed(ct(picture, 2), JPEGLosslessSV1, codestreams.JPEG_LOSSLESS),
        "c.txt": b"no DICOM",
    }
    raw = bench.made(bench.upload(archive(files), "dicom"))
    assert dataset(bench, raw)["counts"]["unsplit"] == {"unlabelled": 2}
    stored: Any = decode_grey(png(bench, raw, 1)).values
    assert np.array_equal(decode_hu(stored), picture.astype(int) - 1024)


def test_a_data_set_that_went_out_as_dicom_comes_back(bench: Bench) -> None:
    raw = bench.made(bench.upload(archive(slices(patients=6)), "deeplesion"))
    sent = bench.client.get(f"/datasets/{raw}/archive", params={"format": "dicom"})
    back = bench.made(bench.upload(sent.content, "dicom"))
    count = dataset(bench, raw)["images"]
    assert dataset(bench, back)["images"] == count > 6
    known = {each["sha256"]: each["spacing_mm"] for each in images(bench, raw)}
    again = {each["sha256"]: each["spacing_mm"] for each in images(bench, back)}
    assert again == known, "the very bytes"


def test_nothing_of_names_and_headers_is_stored_or_said(
    bench: Bench, ports: Ports, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    before = {each.key for each in ports.store.list("")}
    job = bench.upload(archive(scans()), "dicom")
    caplog.clear()
    made = bench.made(job)
    nothing = {f"{MARK}.dcm": written(ct(PatientID=MARK))[:-50], f"{MARK}.txt": MARK.encode()}
    failed = bench.run(bench.upload(archive(nothing), "dicom"))
    assert failed.status == "failed"
    assert failed.error is not None
    assert "no usable DICOM image" in failed.error["detail"]
    said = [json.dumps(dataset(bench, made)), json.dumps(images(bench, made)), caplog.text]
    said += [bench.client.get(f"/jobs/{each}").text for each in (job, failed.id)]
    with ports.sessions() as session:
        names = session.execute(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        )
        for (name,) in names.all():
            rows = session.execute(text(f'SELECT row_to_json(t)::text FROM "{name}" t'))
            said += [row for (row,) in rows.all()]
    stored = {each.key for each in ports.store.list("")} - before
    assert stored, "its shard and its manifest"
    for key in stored:
        content = ports.store.get(key)
        assert MARK.encode() not in content
        assert UID_ROOT.encode() not in content
    assert not [each for each in said if MARK in each or UID_ROOT in each]


def test_the_slices_beside_a_lesions_own_become_channels(bench: Bench, ports: Ports) -> None:
    places = {n: {"ImagePositionPatient": [0, 0, 5 * n]} for n in range(4)}
    axes = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
    files = {
        f"{n}": written(ct(hounsfield(n, rows=64, columns=64) + 1024, n, **axes, **places[n]))
        for n in (2, 0, 3, 1)
    }
    files["lesions.csv"] = f"sop_instance_uid,category\n{UID_ROOT}.2,liver\n".encode()
    form = {"layout": "dicom", "name": "scans", "neighbours": "true"}
    answer = bench.client.post("/datasets", data=form, files={"file": ("a.zip", archive(files))})
    raw = bench.made(answer.json()["id"])
    assert dataset(bench, raw)["command"] == {"layout": "dicom", "neighbours": True}
    assert dataset(bench, raw)["notes"] == []
    with ports.sessions() as session:
        opened = reading.open_dataset(session, ports.store, raw)
    ((_, stack),) = reading.iterate_stacks(ports.store, opened, opened.records)
    found = [
        decode_grey(each or b"").values for each in (stack.previous, stack.png, stack.following)
    ]
    for number, values in enumerate(found, start=1):
        stored: Any = values
        assert np.array_equal(decode_hu(stored), hounsfield(number, rows=64, columns=64))
    asked = {"dataset": raw, "size": 32, "neighbours": True, "split": {"allow_leakage": True}}
    made = bench.made(bench.post("/preprocess", asked))
    assert dataset(bench, made)["images"] == 1
