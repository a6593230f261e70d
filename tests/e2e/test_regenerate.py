"""Synthetic images again from what came with them: the same bytes."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import httpx

from lesiongan import Client
from tests.e2e.api import Api
from tests.e2e.conftest import Stack
from tests.e2e.test_main_path import unzipped


def pngs(files: dict[str, bytes]) -> list[bytes]:
    return [content for name, content in sorted(files.items()) if name.endswith(".png")]


def again(api: Api, manifest: dict[str, Any], indices: list[int]) -> dict[str, Any]:
    """The job that made images of a manifest again."""
    return api.ended(api.post("/regenerate", {"manifest": manifest, "indices": indices}))


def archive(api: Api, job: dict[str, Any]) -> dict[str, bytes]:
    return unzipped(api.get(f"/datasets/{api.dataset_of(job)}/archive").content)


def test_images_of_a_stream_are_the_same_bytes_again(api: Api, gan: str) -> None:
    files = unzipped(api.get("/generate", category="liver", n=70, gan=gan, seed=29).content)
    manifest = json.loads(files["manifest.json"])
    wanted = [69, 0, 33]
    job = again(api, manifest, wanted)
    assert job["output"]["identical"] == 3
    expected = [files[manifest["images"][index]["file"]] for index in wanted]
    assert pngs(archive(api, job)) == expected
    dataset = api.json(f"/datasets/{job['output']['dataset']}")
    assert (dataset["kind"], dataset["notes"]) == ("synthetic", [])
    assert dataset["command"]["gan"] == gan


def test_images_made_again_can_be_made_again(api: Api, gan: str) -> None:
    files = unzipped(api.get("/generate", category="lung", n=9, gan=gan, seed=30).content)
    first = archive(api, again(api, json.loads(files["manifest.json"]), [8, 5]))
    manifest = json.loads(first["manifest.json"])
    assert [image["index"] for image in manifest["images"]] == [8, 5], "as they were drawn"
    second = archive(api, again(api, manifest, [5]))
    assert pngs(second) == [pngs(first)[1]]


def test_a_truncated_one_is_cut_off_again(api: Api, gan: str) -> None:
    query = {"category": "bone", "n": 4, "gan": gan, "seed": 31, "truncation": 0.5}
    files = unzipped(api.get("/generate", **query).content)
    job = again(api, json.loads(files["manifest.json"]), [2])
    assert job["output"]["identical"] == 1


def test_bytes_that_differ_are_said_to(api: Api, gan: str) -> None:
    files = unzipped(api.get("/generate", category="bone", n=2, gan=gan, seed=32).content)
    manifest = json.loads(files["manifest.json"])
    manifest["images"][1]["sha256"] = "0" * 64
    job = again(api, manifest, [0, 1])
    assert job["output"]["identical"] == 1
    notes = api.json(f"/datasets/{job['output']['dataset']}")["notes"]
    assert notes[0].startswith("1 of 2 images differ")


def test_the_archive_of_a_data_set_and_the_client(
    stack: Stack, api: Api, gan: str, tmp_path: Path
) -> None:
    job = api.ended(api.post(f"/generate?category=kidney&n=5&gan={gan}&seed=33"))
    path = tmp_path / "set.zip"
    key, url = str(stack.description["key"]), str(stack.description["url"])
    with Client(url, key) as client:
        client.datasets.download(api.dataset_of(job), path)
        made = client.jobs.wait(client.regenerate(path))
        some = client.jobs.wait(client.regenerate(path, [4]))
    assert (made.output or {})["identical"] == 5
    assert (some.output or {})["images"] == 1
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as kept:
        manifest = json.loads(kept.read("manifest.json"))
        assert {image["file"] for image in manifest["images"]} < set(kept.namelist())


def test_an_archive_with_a_manifest_is_taken_in_again(api: Api, gan: str) -> None:
    job = api.ended(api.post(f"/generate?category=kidney&n=5&gan={gan}&seed=33"))
    content = api.get(f"/datasets/{api.dataset_of(job)}/archive").content
    taken: httpx.Response = api.upload(content, "synthetic.zip", "folders")
    back = api.json(f"/datasets/{api.dataset_of(api.ended(taken))}")
    assert (back["images"], back["skipped_total"]) == (5, 0)
