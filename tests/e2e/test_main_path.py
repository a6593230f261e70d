"""Images in, ``GET /generate`` out: the road a lab walks, over HTTP."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
from pydicom import dcmread

from tests.e2e.api import Api, decoded
from tests.e2e.conftest import Stack

CATEGORIES = {"bone", "abdomen", "mediastinum", "liver", "lung", "kidney", "soft_tissue", "pelvis"}


def unzipped(content: bytes) -> dict[str, bytes]:
    """A ZIP's files."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_phantoms_are_taken_in_whole(api: Api, raw: str) -> None:
    dataset = api.json(f"/datasets/{raw}")
    assert dataset["kind"] == "raw"
    assert dataset["phantom"] is True
    assert dataset["images"] == 48
    assert set(dataset["counts"]["train"]) == CATEGORIES
    assert dataset["skipped_total"] == 0


def test_raw_images_are_16_bit_hu(api: Api, raw: str) -> None:
    image = decoded(api.get(f"/datasets/{raw}/images/0").content)
    assert image.dtype == np.uint16
    assert image.shape == (512, 512)
    assert int(image.min()) - 32768 <= -900, "there is air around a body"


def test_patients_are_pseudonyms(api: Api, raw: str) -> None:
    patients = {item["patient"] for item in api.json(f"/datasets/{raw}/images", limit=100)["items"]}
    assert all(len(patient) == 32 for patient in patients)


def test_the_same_upload_twice_is_one_data_set(api: Api, raw: str, phantoms: Path) -> None:
    answer = api.upload(phantoms.read_bytes(), "again.zip", "deeplesion")
    assert answer.status_code == 202
    job = answer.json()
    assert (job["status"], job["attempts"]) == ("succeeded", 0), "nothing was left to do"
    assert job["output"]["dataset"] == raw


def test_crops_keep_split_and_parent(api: Api, raw: str, preprocessed: str) -> None:
    dataset = api.json(f"/datasets/{preprocessed}")
    assert dataset["parents"] == [raw]
    assert dataset["phantom"] is True
    assert dataset["counts"] == api.json(f"/datasets/{raw}")["counts"]
    image = api.json(f"/datasets/{preprocessed}/images", category="liver", limit=1)["items"][0]
    png = api.get(f"/datasets/{preprocessed}/images/{image['index']}").content
    crop = decoded(png)
    assert crop.shape == (32, 32)
    assert crop.dtype == np.uint8


def test_no_patient_is_in_two_splits(api: Api, preprocessed: str) -> None:
    splits: dict[str, set[str]] = {}
    for item in api.json(f"/datasets/{preprocessed}/images", limit=200)["items"]:
        splits.setdefault(item["patient"], set()).add(item["split"])
    assert {len(found) for found in splits.values()} == {1}


def test_images_page_by_page(api: Api, preprocessed: str) -> None:
    seen: list[int] = []
    cursor = None
    while True:
        params = {"limit": 20} | ({"cursor": cursor} if cursor else {})
        page = api.json(f"/datasets/{preprocessed}/images", **params)
        seen += [item["index"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == list(range(48))


def test_an_archive_can_be_taken_in_again(api: Api, preprocessed: str) -> None:
    archive = api.get(f"/datasets/{preprocessed}/archive")
    assert archive.headers["content-type"] == "application/zip"
    job = api.ended(api.upload(archive.content, "back.zip", "folders"))
    again = api.json(f"/datasets/{api.dataset_of(job)}")
    assert again["counts"] == api.json(f"/datasets/{preprocessed}")["counts"]


def test_a_format_that_is_not_made_is_refused(api: Api, preprocessed: str) -> None:
    assert api.get(f"/datasets/{preprocessed}/archive", format="jpeg").status_code == 422


def test_a_stream_of_dicom_is_the_same_as_the_archive(api: Api, gan: str) -> None:
    query = {"category": "liver", "n": 3, "gan": gan, "seed": 11, "format": "dicom"}
    streamed = api.get("/generate", **query)
    files = unzipped(streamed.content)
    names = [name for name in files if name.endswith(".dcm")]
    assert len(names) == 3
    read = dcmread(io.BytesIO(files[names[0]]))
    assert (read.SyntheticData, read.Modality) == ("YES", "CT")
    assert api.json(f"/gans/{gan}")["weights_sha256"] in read.DerivationDescription
    job = api.json(f"/jobs/{streamed.headers['X-Job-Id']}")
    archive = api.get(f"/datasets/{api.dataset_of(job)}/archive", format="dicom")
    kept = unzipped(archive.content)
    assert [kept[name] for name in names] == [files[name] for name in names]


def test_a_trained_gan_is_published(api: Api, gan: str, preprocessed: str) -> None:
    found = api.json(f"/gans/{gan}")
    assert (found["status"], found["step"], found["dataset"]) == ("succeeded", 4, preprocessed)
    assert found["phantom"] is True
    assert found["default"] is True
    assert set(found["categories"]) == CATEGORIES
    assert api.json(f"/gans/{gan}/metrics")["points"][-1]["step"] == 4
    assert api.get(f"/gans/{gan}/preview.png").content.startswith(b"\x89PNG")


def test_generate_streams_a_whole_zip(api: Api, gan: str) -> None:
    answer = api.get("/generate", category="liver", n=70, seed=3)
    assert answer.status_code == 200
    assert answer.headers["x-gan-id"] == gan
    assert answer.headers["x-seed"] == "3"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    manifest = json.loads(archive.read("manifest.json"))
    assert manifest["weights_sha256"] == api.json(f"/gans/{gan}")["weights_sha256"]
    assert len(manifest["images"]) == 70
    assert len({entry["sha256"] for entry in manifest["images"]}) == 70, "no image twice"
    image = decoded(archive.read(manifest["images"][69]["file"]))
    assert image.shape == (32, 32)


def test_the_same_seed_is_the_same_data_set(api: Api, gan: str) -> None:
    first = api.get("/generate", category="lung", n=5, seed=11)
    again = api.ended(api.post("/generate?category=lung&n=5&seed=11"))
    dataset = api.json(f"/datasets/{api.dataset_of(again)}")
    assert again["attempts"] == 0
    assert first.headers["x-job-id"] != again["id"]
    assert dataset["kind"] == "synthetic"
    assert dataset["counts"] == {"train": {"lung": 5}, "val": {}, "test": {}}


def test_more_images_begin_like_fewer(api: Api, gan: str) -> None:
    """An image depends on (weights, seed, index) alone, not on how many were asked for."""

    def hashes(n: int) -> list[str]:
        content = api.get("/generate", category="bone", n=n, seed=5).content
        manifest = json.loads(zipfile.ZipFile(io.BytesIO(content)).read("manifest.json"))
        return [entry["sha256"] for entry in manifest["images"]]

    assert hashes(40)[:3] == hashes(3)


def test_preview_shows_before_and_after(api: Api, raw: str) -> None:
    image = api.get(f"/datasets/{raw}/images/0").content
    answer = api.http.post(
        "/preprocess/preview",
        content=image,
        params={"contrast": "clahe", "crop": "slice", "size": 64},
    )
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"\x89PNG")


def test_contact_sheet(api: Api, raw: str) -> None:
    answer = api.get(f"/datasets/{raw}/contact-sheet.png", category="lung", n=4)
    assert answer.content.startswith(b"\x89PNG")


def test_deleting_names_what_derives(api: Api, raw: str, gan: str) -> None:
    answer = api.http.delete(f"/datasets/{raw}")
    assert answer.status_code == 409
    assert "cascade" in answer.json()["detail"]
    assert api.json(f"/datasets/{raw}")["images"] == 48


def test_stack_json_names_what_runs(stack: Stack) -> None:
    assert {"supervisor", "api", "worker-cpu", "worker-gan-train"} <= set(
        stack.description["processes"]
    )
