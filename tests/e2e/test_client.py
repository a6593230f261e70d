"""The Python client on the running stack, blocking and for asyncio."""

import asyncio
import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from lesiongan import AsyncClient, Client
from lesiongan.arrays import read_images
from lesiongan.client import JobEvent
from lesiongan.contracts.datasets import ArchiveLayout, PreprocessCommand
from lesiongan.contracts.gans import GanCommand
from lesiongan.errors import Conflict, InvalidInput, JobFailed, NotFound, Unauthorized, WaitTimeout
from tests.e2e.api import decoded
from tests.e2e.conftest import Stack, small_training


@pytest.fixture
def client(stack: Stack) -> Iterator[Client]:
    """A client of the stack."""
    with Client(stack.description["url"], stack.description["key"]) as made:
        yield made


@pytest.fixture
def by_category(client: Client, preprocessed: str, tmp_path: Path) -> Path:
    """A folder of PNGs, one folder a category."""
    client.datasets.download(preprocessed, tmp_path / "all.zip")
    folder = tmp_path / "ours"
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        for name in archive.namelist():
            if name.startswith("images/"):
                target = folder / name.removeprefix("images/")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(name))
    return folder


def test_a_folder_is_taken_in_as_it_lies(client: Client, by_category: Path) -> None:
    first = client.jobs.wait(client.datasets.upload(by_category, name="ours"))
    assert first.output is not None
    dataset = client.datasets.get(first.output["dataset"])
    assert (dataset.images, dataset.command["layout"], dataset.skipped_total) == (48, "folders", 0)
    again = client.datasets.upload(by_category, name="ours again")
    assert (again.status, again.output) == ("succeeded", first.output)


def test_a_folder_of_deeplesion_keeps_its_table(
    client: Client, phantoms: Path, raw: str, tmp_path: Path
) -> None:
    with zipfile.ZipFile(phantoms) as archive:
        archive.extractall(tmp_path / "phantoms")
    job = client.jobs.wait(client.datasets.upload(tmp_path / "phantoms", name="as it lies"))
    assert job.output is not None
    made = client.datasets.get(job.output["dataset"])
    assert made.command["layout"] == "deeplesion"
    assert made.counts == client.datasets.get(raw).counts


def test_a_folder_of_dicom_files_is_taken_in(client: Client, raw: str, tmp_path: Path) -> None:
    client.datasets.download(raw, tmp_path / "dicom.zip", image_format="dicom")
    study = tmp_path / "study"
    study.mkdir()
    with zipfile.ZipFile(tmp_path / "dicom.zip") as archive:
        for name in archive.namelist()[:9]:
            if name.endswith(".dcm"):
                (study / Path(name).name).write_bytes(archive.read(name))
    job = client.jobs.wait(client.datasets.upload(study, name="a study"))
    assert job.output is not None
    made = client.datasets.get(job.output["dataset"])
    assert (made.command["layout"], made.images) == ("dicom", 8)


def test_arrays_are_the_images_of_the_server(client: Client, preprocessed: str) -> None:
    found = client.datasets.to_numpy(preprocessed, split="test")
    rows = [*client.datasets.images(preprocessed, split="test")]
    assert found.images.dtype == np.uint8
    assert found.images.shape == (len(rows), 1, 32, 32)
    for row, image, label in zip(rows, found.images, found.labels, strict=True):
        assert np.array_equal(image[0], decoded(client.datasets.image_png(preprocessed, row.index)))
        assert found.categories[label] == row.category


def test_all_layouts_hold_the_same_images(
    client: Client, preprocessed: str, tmp_path: Path
) -> None:
    read = []
    for layout in get_args(ArchiveLayout):
        path = client.datasets.download(preprocessed, tmp_path / layout, layout=layout)
        read.append(read_images(path, split="train"))
    for each in read[1:]:
        assert np.array_equal(each.images, read[0].images)
        assert np.array_equal(each.labels, read[0].labels)
        assert each.categories == read[0].categories


def test_a_torch_data_set_is_downloaded_once(
    client: Client, preprocessed: str, tmp_path: Path
) -> None:
    path = tmp_path / "cache" / f"{preprocessed}.zip"
    dataset = client.datasets.to_torch_dataset(preprocessed, path.parent, split="val")
    written = path.stat().st_mtime_ns
    again = client.datasets.to_torch_dataset(preprocessed, path.parent, split="train")
    assert path.stat().st_mtime_ns == written
    assert len(dataset) + len(again) < 48
    image, label = dataset[0]
    first = next(client.datasets.images(preprocessed, split="val", limit=1))
    assert (tuple(image.shape), dataset.categories[label]) == ((1, 32, 32), first.category)


def test_raw_images_are_no_bytes(client: Client, raw: str) -> None:
    with pytest.raises(Exception, match="hold HU") as caught:
        client.datasets.to_numpy(raw, split="test")
    assert "preprocess" in (caught.value.hint or "")  # type: ignore[attr-defined]


def test_the_same_key_is_the_same_job(client: Client, preprocessed: str) -> None:
    command = GanCommand.model_validate(small_training(preprocessed, steps=2))
    first = client.gans.train(command, idempotency_key="e2e, once")
    assert client.gans.train(command, idempotency_key="e2e, once").id == first.id
    other = GanCommand.model_validate(small_training(preprocessed, steps=3))
    with pytest.raises(InvalidInput):
        client.gans.train(other, idempotency_key="e2e, once")
    heard: list[JobEvent] = []
    client.jobs.wait(first, on_event=heard.append, timeout_seconds=60)
    assert {"metric", "progress", "completed"} <= {event.event for event in heard}
    resumed = next(iter(event.id for event in heard if event.id))
    rest = [*client.jobs.events(first, last_event_id=resumed)]
    assert resumed not in [event.id for event in rest]
    assert rest[-1].event == "completed"


def test_waiting_may_take_too_long(client: Client, preprocessed: str) -> None:
    job = client.gans.train(GanCommand.model_validate(small_training(preprocessed, steps=5000)))
    with pytest.raises(WaitTimeout):
        client.jobs.wait(job, timeout_seconds=0.5)
    client.jobs.cancel(job)
    with pytest.raises(JobFailed, match="was cancelled") as caught:
        client.jobs.wait(job)
    assert caught.value.job.status == "cancelled"


def test_weights_are_what_the_server_says(client: Client, gan: str, tmp_path: Path) -> None:
    path = client.gans.weights(gan, tmp_path / "w")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == client.gans.get(gan).weights_sha256


def test_problems_have_their_own_classes(client: Client, raw: str, gan: str) -> None:
    with pytest.raises(NotFound) as missing:
        client.jobs.get("job_" + "0" * 24)
    assert (missing.value.status, missing.value.type) == (404, "/errors/not-found")
    with pytest.raises(Conflict, match="cascade"):
        client.datasets.delete(raw)
    with pytest.raises(InvalidInput) as wrong:
        client.datasets.contact_sheet_png(raw, n=10**9)
    assert wrong.value.errors[0]["loc"] == ["query", "n"]
    with Client(client.server.url, "lg_wrong") as stranger, pytest.raises(Unauthorized):
        stranger.gans.get(gan)


def test_a_generated_zip_is_an_array(client: Client, gan: str, tmp_path: Path) -> None:
    made = client.generate_zip("lung", 5, tmp_path / "lung.zip", gan=gan, seed=3)
    found = made.to_numpy()
    assert (found.images.shape, found.categories) == ((5, 1, 32, 32), ("lung",))
    assert made.seed == 3


def test_health_needs_no_key(stack: Stack) -> None:
    with Client(stack.description["url"], None) as stranger:
        assert stranger.health.live().status == "alive"
        assert stranger.health.ready().status == "ready"


def test_asyncio_goes_the_same_way(
    stack: Stack, raw: str, gan: str, phantoms: Path, tmp_path: Path
) -> None:
    async def road() -> list[int]:
        async with AsyncClient(stack.description["url"], stack.description["key"]) as client:
            job = await client.datasets.upload(phantoms, layout="deeplesion", name="again")
            assert job.output is not None, "what is there is not taken in again"
            assert job.output["dataset"] == raw
            crops = PreprocessCommand(dataset=raw, size=32, contrast="clahe")
            preprocessing = await client.preprocess(crops)
            ended, *made = await asyncio.gather(
                client.jobs.wait(preprocessing),
                client.generate_zip("liver", 3, tmp_path / "liver.zip", gan=gan),
                client.generate_zip("lung", 4, tmp_path / "lung.zip", gan=gan),
            )
            assert ended.output is not None
            found = await client.datasets.to_numpy(ended.output["dataset"], split="test")
            events = [event.event async for event in client.jobs.events(ended)]
            assert events[-1] == "completed"
            listed = [job.id async for job in client.jobs.list(kind="preprocess", limit=3)]
            assert ended.id in listed
            return [found.images.shape[-1], *(each.images for each in made)]

    assert asyncio.run(road()) == [32, 3, 4]
