"""A data set leaves in three layouts, each as the tools that read it expect, and with its card."""

import asyncio
import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import update
from torchvision.datasets import ImageFolder

from services.preprocessing import exports_api
from shared.db.tables import DatasetRow
from tests.integration.services.bench import Bench, archive, pictures


@pytest.fixture
def crops(bench: Bench) -> str:
    raw = bench.made(bench.upload(archive(pictures(40)), "folders"))
    return bench.made(bench.post("/preprocess", {"dataset": raw, "size": 32}))


def files_of(bench: Bench, dataset: str, **query: Any) -> dict[str, bytes]:
    """What its archive holds."""
    answer = bench.client.get(f"/datasets/{dataset}/archive", params=query)
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist()}


def made_off_the_loop(*_: object) -> bytes:
    """Stands for a manifest of a million images: nothing else is served while the loop makes it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return b"made"
    return b"made, and nothing else meanwhile"


def test_torchvision_reads_the_folders_of_each_split(
    bench: Bench, crops: str, tmp_path: Path
) -> None:
    counts = bench.client.get(f"/datasets/{crops}").json()["counts"]
    for name, content in files_of(bench, crops, layout="imagefolder").items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for split, by_category in counts.items():
        read = ImageFolder(str(tmp_path / split))
        assert read.classes == sorted(by_category)
        assert len(read) == sum(by_category.values())


@pytest.mark.parametrize("layout", ["folders", "imagefolder"])
def test_manifests_are_made_while_others_are_served(
    bench: Bench, crops: str, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    with bench.ports.sessions() as session:
        session.execute(update(DatasetRow).where(DatasetRow.id == crops).values(kind="synthetic"))
        session.commit()
    monkeypatch.setattr(exports_api, "manifest_csv", made_off_the_loop)
    monkeypatch.setattr(exports_api, "sampled_manifest", made_off_the_loop)
    files = files_of(bench, crops, layout=layout)
    made = {"manifest.json", "manifest.csv"} if layout == "folders" else {"manifest.json"}
    assert {name for name in files if files[name] == b"made"} == made


def test_shards_leave_as_they_lie(bench: Bench, crops: str) -> None:
    files = files_of(bench, crops, layout="webdataset")
    table = pq.read_table(io.BytesIO(files["manifest.parquet"])).to_pylist()
    samples: dict[str, set[str]] = {}
    for name in sorted(name for name in files if name.endswith(".tar")):
        with tarfile.open(fileobj=io.BytesIO(files[name])) as tar:
            for member in tar:
                key, _, extension = member.name.partition(".")
                samples.setdefault(key, set()).add(extension)
    assert len(samples) == len(table) == 40
    assert all(parts == {"png", "json"} for parts in samples.values())
    record = table[7]
    shard = files[f"shards/{record['shard']:05d}.tar"]
    png = shard[record["offset"] : record["offset"] + record["size"]]
    assert png == bench.client.get(f"/datasets/{crops}/images/7").content


def test_shards_hold_no_dicom(bench: Bench, crops: str) -> None:
    query = {"layout": "webdataset", "format": "dicom"}
    assert bench.client.get(f"/datasets/{crops}/archive", params=query).status_code == 422


def test_dicom_lies_in_folders_too(bench: Bench, crops: str) -> None:
    names = [*files_of(bench, crops, layout="imagefolder", format="dicom")]
    assert sum(name.endswith(".dcm") for name in names) == 40


def test_the_card_says_what_the_data_set_is(bench: Bench, crops: str) -> None:
    answer = bench.client.get(f"/datasets/{crops}/card")
    assert answer.headers["content-type"].startswith("text/markdown")
    card = answer.text
    assert card.startswith("---\npretty_name:")
    assert f"`{crops}`, preprocessed, 40 images" in card
    assert "Nothing made with it is a medical device." in card
    assert "| liver |" in card
    assert card == files_of(bench, crops, layout="imagefolder")["README.md"].decode()


def test_a_name_is_no_markup(bench: Bench) -> None:
    form = {"layout": "folders", "name": "<b>a</b> # b"}
    files = {"file": ("a.zip", archive(pictures(4)))}
    job = bench.client.post("/datasets", data=form, files=files)
    made = bench.made(job.json()["id"])
    card = bench.client.get(f"/datasets/{made}/card").text
    assert "\n# \\<b\\>a\\</b\\>" in card
