"""Archives as arrays."""

import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from torch.utils.data import DataLoader

from lesiongan.arrays import read_images, torch_dataset
from lesiongan.errors import UnexpectedAnswer
from shared.datasets.pixels import encode_image, encode_png
from tests.unit.sdk.test_files import zip_of


def image(value: int, *, side: int = 4, channels: int = 1) -> npt.NDArray[np.uint8]:
    """An image whose pixels and channels all differ."""
    shape = (channels, side, side)
    return (np.arange(channels * side * side, dtype=np.uint8) + value).reshape(shape)


def archive(folder: Path, files: dict[str, bytes], *, compression: int = 0) -> Path:
    path = folder / "a.zip"
    with zipfile.ZipFile(path, "w", compression) as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    return path


def shard(samples: list[tuple[str, dict[str, Any]]], png: bytes) -> bytes:
    """A tar file as the server keeps it, with a slice beside the first sample."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for sample, said in samples:
            for kind, content in (
                ("png", png),
                ("previous.png", b"beside"),
                ("json", json.dumps(said).encode()),
            ):
                member = tarfile.TarInfo(f"{sample}.{kind}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return sink.getvalue()


@pytest.fixture
def by_split(tmp_path: Path) -> Path:
    """An archive in the layout *imagefolder*."""
    files = {
        "README.md": b"# a card",
        "train/lung/lung_000000.png": encode_image(image(0)),
        "train/liver/liver_000001.png": encode_image(image(10)),
        "test/bone/bone_000002.png": encode_image(image(20)),
        "test/unlabelled/unlabelled_000003.png": encode_image(image(30)),
    }
    return archive(tmp_path, files)


def test_pixels_and_labels_are_those_of_the_files(by_split: Path) -> None:
    found = read_images(by_split)
    assert found.images.dtype == np.uint8
    assert found.images.shape == (4, 1, 4, 4)
    assert np.array_equal(found.images[1], image(10))
    assert found.categories == ("bone", "liver", "lung")
    assert found.labels.tolist() == [2, 1, 0, -1]
    assert found.labels.dtype == np.int64


def test_labels_of_splits_agree(by_split: Path) -> None:
    assert read_images(by_split, split="train").labels.tolist() == [2, 1]
    assert read_images(by_split, split="test").labels.tolist() == [0, -1]


def test_three_channels_keep_their_order(tmp_path: Path) -> None:
    pixels = image(0, channels=3)
    path = archive(tmp_path, {"train/lung/a.png": encode_image(pixels)})
    assert np.array_equal(read_images(path).images[0], pixels)


def test_folders_have_their_splits_in_the_manifest(tmp_path: Path) -> None:
    rows = "file,category,patient,split\nimages/lung/a.png,lung,p,val\nimages/lung/b.png,lung,,\n"
    files = {
        "manifest.csv": rows.encode(),
        "images/lung/a.png": encode_image(image(1)),
        "images/lung/b.png": encode_image(image(2)),
    }
    path = archive(tmp_path, files)
    assert len(read_images(path).images) == 2
    assert np.array_equal(read_images(path, split="val").images, image(1)[None])


def test_shards_are_read_where_they_lie(tmp_path: Path) -> None:
    png = encode_image(image(7))
    first = [("00000000", {"category": "lung", "split": "train"})]
    second = [("00000001", {"category": None, "split": "test"})]
    files = {"shards/00000.tar": shard(first, png), "shards/00001.tar": shard(second, png)}
    found = read_images(archive(tmp_path, files))
    assert np.array_equal(found.images, np.stack([image(7), image(7)]))
    assert found.labels.tolist() == [0, -1]
    assert len(read_images(tmp_path / "a.zip", split="test").images) == 1


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"train/lung/a.png": encode_png(np.zeros((4, 4), np.uint16))}, "hold HU"),
        ({"train/lung/a.png": b"\x89PNG\r\n\x1a\n"}, "not a whole PNG"),
        (
            {
                "train/lung/a.png": encode_image(image(0)),
                "train/lung/b.png": encode_image(image(0, side=8)),
            },
            "differ in size",
        ),
        ({"train/lung/a.dcm": b""}, "has no images"),
    ],
)
def test_what_is_no_set_of_images(tmp_path: Path, files: dict[str, bytes], words: str) -> None:
    with pytest.raises(UnexpectedAnswer, match=words):
        read_images(archive(tmp_path, files))


def test_what_is_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "half.zip"
    path.write_bytes(zip_of(["a.png"])[:-30])
    with pytest.raises(UnexpectedAnswer, match="whole archive"):
        read_images(path)


def test_an_archive_that_was_packed_again(tmp_path: Path) -> None:
    path = archive(tmp_path, {"train/lung/a.png": b"x" * 99}, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(UnexpectedAnswer, match="compressed anew"):
        read_images(path)


def test_a_data_set_for_torch_has_the_same_images(by_split: Path) -> None:
    dataset = torch_dataset(by_split, split="train")
    assert len(dataset) == 2
    assert dataset.categories == ("bone", "liver", "lung")
    loaded = [*DataLoader(dataset, batch_size=2)]
    images, labels = loaded[0]
    assert np.array_equal(images.numpy(), read_images(by_split, split="train").images)
    assert labels.tolist() == [2, 1]


def test_a_generated_zip_is_read_too(tmp_path: Path) -> None:
    files = {"images/liver/liver_000000.png": encode_image(image(3)), "manifest.json": b"{}"}
    found = read_images(archive(tmp_path, files))
    assert (found.categories, found.labels.tolist()) == (("liver",), [0])
