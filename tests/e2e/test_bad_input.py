"""Bad input: a clear 4xx, or a failed job that names the file and row, and nothing half-written."""

import csv
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.e2e.api import Api

Table = list[dict[str, str]]


def _phantom_files(phantoms: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(phantoms) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _zipped(files: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return sink.getvalue()


def _with_table(files: dict[str, bytes], change: Callable[[Table], None]) -> dict[str, bytes]:
    name = next(name for name in files if name.endswith("DL_info.csv"))
    rows = list(csv.DictReader(io.StringIO(files[name].decode())))
    change(rows)
    sink = io.StringIO()
    writer = csv.DictWriter(sink, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return {**files, name: sink.getvalue().encode()}


def _fails(api: Api, data: bytes, *words: str, layout: str = "deeplesion") -> None:
    before = {item["id"] for item in api.json("/datasets", limit=200)["items"]}
    job = api.ended(api.upload(data, "bad.zip", layout))
    assert job["status"] == "failed", job
    detail = job["error"]["detail"]
    assert all(word in detail for word in words), detail
    after = {item["id"] for item in api.json("/datasets", limit=200)["items"]}
    assert after == before


def _is_left_out(api: Api, data: bytes, *words: str) -> None:
    """One wrong row or file among many right ones is reported, and the others are taken in."""
    job = api.ended(api.upload(data, "one-wrong.zip", "deeplesion"))
    assert job["status"] == "succeeded", job
    dataset = api.json(f"/datasets/{api.dataset_of(job)}")
    assert dataset["images"] > 40
    reasons = [f"{each['reason']} (row {each['row']})" for each in dataset["skipped"]]
    assert reasons
    assert all(word in reason for reason in reasons for word in words), reasons


def test_a_truncated_zip(api: Api, phantoms: Path) -> None:
    _fails(api, phantoms.read_bytes()[:-5000], "archive")


def test_a_path_that_climbs(api: Api) -> None:
    _fails(api, _zipped({"../../etc/images/liver/a.png": b"x"}), "path", layout="folders")


def test_an_8_bit_png_in_a_deeplesion_layout(api: Api, phantoms: Path) -> None:
    files = _phantom_files(phantoms)
    name = next(name for name in files if name.endswith(".png"))
    files[name] = cv2.imencode(".png", np.zeros((512, 512), np.uint8))[1].tobytes()
    _is_left_out(api, _zipped(files), "8 bit")


def test_a_missing_column(api: Api, phantoms: Path) -> None:
    def drop(rows: Table) -> None:
        for row in rows:
            del row["Bounding_boxes"]

    _fails(api, _zipped(_with_table(_phantom_files(phantoms), drop)), "Bounding_boxes")


def test_a_box_outside_its_image(api: Api, phantoms: Path) -> None:
    def move(rows: Table) -> None:
        rows[3]["Bounding_boxes"] = "900, 900, 950, 950"

    _is_left_out(api, _zipped(_with_table(_phantom_files(phantoms), move)), "row 5", "box")


def test_an_unknown_category_in_a_table(api: Api, phantoms: Path) -> None:
    def recode(rows: Table) -> None:
        rows[0]["Coarse_lesion_type"] = "9"

    _is_left_out(api, _zipped(_with_table(_phantom_files(phantoms), recode)), "row 2", "9")


def test_an_unknown_category_folder(api: Api) -> None:
    png = cv2.imencode(".png", np.zeros((28, 28), np.uint8))[1].tobytes()
    _fails(api, _zipped({"images/spleen/a.png": png}), "spleen", layout="folders")


def test_a_tar_with_a_link(api: Api) -> None:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as tar:
        link = tarfile.TarInfo("images/liver/a.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    job = api.ended(api.upload(sink.getvalue(), "bad.tar", "folders"))
    assert job["status"] == "failed"
    assert "link" in job["error"]["detail"]


@pytest.mark.parametrize(
    ("params", "status", "word"),
    [
        ({"category": "spleen", "n": 5}, 422, "category"),
        ({"category": "liver", "n": 0}, 422, "n"),
        ({"category": "liver", "n": -1}, 422, "n"),
        ({"category": "liver", "n": 10**9}, 413, "POST /generate"),
        ({"category": "liver", "n": 10**30}, 413, "POST /generate"),
        ({"category": "liver", "n": "many"}, 422, "n"),
        ({"category": "liver", "n": 5, "seed": -1}, 422, "seed"),
        ({"category": "liver", "n": 5, "seed": 2**63}, 422, "seed"),
        ({"category": "liver", "n": 5, "gan": "gan_x"}, 422, "gan"),
        ({"category": "liver", "n": 5, "gan": f"gan_{'0' * 24}"}, 404, "gan_"),
        ({"category": "liver", "n": 5, "format": "gif"}, 422, "format"),
    ],
)
def test_generate_refuses(
    api: Api, gan: str, params: dict[str, Any], status: int, word: str
) -> None:
    answer = api.get("/generate", **params)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert word in answer.text


def test_post_generate_refuses_huge_numbers(api: Api, gan: str) -> None:
    answer = api.post("/generate?category=liver&n=1000000000")
    assert answer.status_code == 422
    assert "100000" in answer.json()["detail"]


def test_a_gan_needs_training_images_of_its_categories(api: Api) -> None:
    png = cv2.imencode(".png", np.full((32, 32), 9, np.uint8))[1].tobytes()
    files = {f"images/liver/{number}.png": png + bytes(0) for number in range(1)}
    job = api.ended(api.upload(_zipped(files), "one.zip", "folders"))
    raw = api.dataset_of(job)
    assert api.post("/gans", {"dataset": raw}).status_code == 422, "a raw data set is refused"
    made = api.dataset_of(api.ended(api.post("/preprocess", {"dataset": raw, "size": 32})))
    answer = api.post("/gans", {"dataset": made, "categories": ["lung"]})
    assert answer.status_code == 422
    assert "lung" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/preprocess", {"dataset": f"ds_{'0' * 24}"}),
        ("/gans", {"dataset": f"ds_{'0' * 24}"}),
    ],
)
def test_unknown_data_sets(api: Api, path: str, body: dict[str, Any]) -> None:
    assert api.post(path, body).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"dataset": 5},
        {"dataset": "ds_\u0000"},
        {"dataset": f"ds_{'0' * 24}", "size": 65},
        {"dataset": f"ds_{'0' * 24}", "contrst": "window"},
        {"dataset": f"ds_{'0' * 24}", "split": {"train": 0.5, "val": 0.1, "test": 0.1}},
    ],
)
def test_preprocess_refuses(api: Api, body: dict[str, Any]) -> None:
    answer = api.post("/preprocess", body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"]


def test_previews_of_what_is_no_image(api: Api) -> None:
    answer = api.http.post("/preprocess/preview", content=b"not an image")
    assert answer.status_code == 422
    assert "PNG" in answer.json()["detail"]
    assert api.http.post("/preprocess/preview", content=b"").status_code == 422


def test_without_a_key(api: Api) -> None:
    answer = api.http.get("/jobs", headers={"Authorization": ""})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
