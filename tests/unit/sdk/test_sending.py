"""Folders as uploads."""

import io
import os
import zipfile
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from lesiongan.client.sending import Folder, layout_of, source_of
from lesiongan.errors import ClientError
from tests.unit.sdk.fake_server import Script, client_of, job

DICOM = b"\0" * 128 + b"DICM"


def tree(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def sent(folder: Path) -> zipfile.ZipFile:
    """The ZIP that an upload of ``folder`` sends, read in uneven pieces."""
    with ExitStack() as stack:
        _, file, _ = source_of(folder, None).files(None)(stack)["file"]
        content = b"".join(iter(lambda: file.read(1000), b""))
    return zipfile.ZipFile(io.BytesIO(content))


@pytest.mark.parametrize(
    ("files", "layout"),
    [
        ({"DL_info.csv": b"", "Images_png/s/001.png": b"x"}, "deeplesion"),
        ({"liver/a.png": b"x"}, "folders"),
        ({"images/liver/a.png": b"x"}, "folders"),
        ({"manifest.csv": b"", "a.png": b"x"}, "folders"),
        ({"study/1": DICOM, "lesions.csv": b""}, "dicom"),
    ],
)
def test_the_layout_of_a_folder_is_seen(
    tmp_path: Path, files: dict[str, bytes], layout: str
) -> None:
    assert layout_of(tree(tmp_path, files)) == layout


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="not to be seen"):
        layout_of(tree(tmp_path, {"notes.txt": b"x"}))


def test_categories_come_below_images(tmp_path: Path) -> None:
    files = {"lung/b.png": b"2" * 300_000, "liver/a.png": b"1", "liver/.hidden": b"", ".git/x": b""}
    archive = sent(tree(tmp_path, files))
    assert archive.namelist() == ["images/liver/a.png", "images/lung/b.png"]
    assert archive.read("images/lung/b.png") == b"2" * 300_000
    assert archive.testzip() is None


def test_other_layouts_stay_as_they_are(tmp_path: Path) -> None:
    files = {"DL_info.csv": b"a,b\n", "Images_png/s/001.png": b"x"}
    assert sent(tree(tmp_path, files)).namelist() == sorted(files)


def test_links_are_not_followed(tmp_path: Path) -> None:
    secret = tree(tmp_path / "elsewhere", {"key": b"secret"})
    folder = tree(tmp_path / "scans", {"liver/a.png": b"1"})
    (folder / "liver" / "link.png").symlink_to(secret / "key")
    (folder / "lung").symlink_to(secret)
    assert sent(folder).namelist() == ["images/liver/a.png"]


def test_the_same_folder_is_the_same_bytes(tmp_path: Path) -> None:
    def content(folder: Path) -> bytes:
        with ExitStack() as stack:
            _, file, _ = Folder(folder, "folders").files(None)(stack)["file"]
            read: bytes = file.read(1 << 20)
            return read

    one = tree(tmp_path / "one", {"liver/a.png": b"1", "lung/b.png": b"2"})
    other = tree(tmp_path / "other", {"lung/b.png": b"2", "liver/a.png": b"1"})
    os.utime(other / "lung" / "b.png", (0, 0))
    assert content(one) == content(other)


def test_a_second_attempt_sends_all_of_it_again(tmp_path: Path) -> None:
    bodies: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(request.read())
        return httpx.Response(202, json=job()) if len(bodies) == 2 else httpx.Response(503)

    progress: list[tuple[int, int]] = []
    folder = tree(tmp_path, {"liver/a.png": b"x" * 1000, "liver/b.png": b"y" * 24})
    client_of(answer).datasets.upload(
        folder, name="ours", on_progress=lambda *s: progress.append(s)
    )
    assert all(b"x" * 1000 in body and b'name="layout"' in body for body in bodies)
    assert progress == [(1000, 1024), (1024, 1024)] * 2


def test_an_archive_needs_its_layout(tmp_path: Path) -> None:
    archive = tree(tmp_path, {"a.zip": b"x"}) / "a.zip"
    with pytest.raises(ClientError, match="layout of a"):
        client_of(Script()).datasets.upload(archive, name="ours")
