"""Where a manifest is read from, and how much of it is sent back."""

import json
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from lesiongan.client.manifests import read_manifest
from tests.unit.sdk.fake_server import Run, Script, client_of, job
from tests.unit.sdk.made import DATASET, GAN

MANIFEST: dict[str, Any] = {
    "dataset": DATASET,
    "gan": GAN,
    "weights_sha256": "0" * 64,
    "category": "liver",
    "synthetic": True,
    "images": [
        {"file": f"{n}.png", "index": n, "seed": 9, "draw": 0, "sha256": "1" * 64}
        for n in range(50)
    ],
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(MANIFEST))
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "images.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("manifest.json", json.dumps(MANIFEST))
    return path


def test_it_is_the_same_wherever_it_lies(file: Path, archive: Path) -> None:
    found = read_manifest(MANIFEST)
    assert found == read_manifest(file) == read_manifest(str(archive)) == read_manifest(found)
    assert len(found.images) == 50


def test_an_archive_without_one(tmp_path: Path) -> None:
    path = tmp_path / "real.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("manifest.csv", "file\n")
    with pytest.raises(FileNotFoundError, match=r"manifest\.json"):
        read_manifest(path)


def test_a_file_that_is_something_else(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"\x89PNG")
    with pytest.raises(ValidationError):
        read_manifest(path)


def test_only_what_is_wanted_is_sent() -> None:
    script = Script(httpx.Response(202, json=job()))
    client_of(script).regenerate(MANIFEST, [7, 2])
    (request,) = script.requests
    sent = json.loads(request.content)
    assert sent["indices"] == [7, 2]
    assert [image["index"] for image in sent["manifest"]["images"]] == [7, 2]
    assert request.url.path == "/regenerate"


def test_an_index_that_it_does_not_have() -> None:
    script = Script()
    with pytest.raises(ValidationError, match="no image 50"):
        client_of(script).regenerate(MANIFEST, [50])
    assert script.requests == []


def test_the_command_saves_a_zip_beside_the_manifest(run: Run, archive: Path) -> None:
    ended = job("succeeded", output={"dataset": DATASET, "images": 1, "identical": 1})
    script = Script(
        httpx.Response(202, json=job()),
        httpx.Response(200, json=ended),
        httpx.Response(200, content=b"zip"),
    )
    result = run(script, "regenerate", str(archive), "--index", "7", "--json")
    assert result.exit_code == 0, result.stderr
    shown = json.loads(result.stdout)
    assert shown["identical"] == 1
    assert Path(shown["path"]).read_bytes() == b"zip"
    assert shown["path"].endswith("images-again.zip")


def test_the_command_says_what_is_wrong_with_the_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("{}")
    result = run(Script(), "regenerate", str(path))
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr
