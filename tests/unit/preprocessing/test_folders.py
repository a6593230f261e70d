"""The folders layout: with and without a manifest."""

import zlib

import pytest

from services.preprocessing.domain.folders import COLUMNS, FolderImages
from services.preprocessing.domain.raw_images import Known, RawImage, Skipped
from shared.errors import BadInput
from tests.unit.preprocessing.builders import Files, grey_png, slice_png, table

IMAGES = {
    "images/liver/1.png": grey_png(1),
    "images/Soft tissue/2.PNG": grey_png(2),
    "images/unlabelled/3.png": slice_png(),
}


def manifest(*rows: tuple[str, str, str, str]) -> dict[str, bytes]:
    content = table([dict(zip(COLUMNS, row, strict=True)) for row in rows], COLUMNS)
    return {"manifest.csv": content}


def read(files: dict[str, bytes], root: str = "") -> list[RawImage | Skipped]:
    reader = FolderImages(Files({root + name: content for name, content in files.items()}))
    return [item for item in reader.items() if not isinstance(item, Known)]


def refusal(files: dict[str, bytes]) -> str:
    with pytest.raises(BadInput) as caught:
        read(files)
    return caught.value.detail


def raw(item: RawImage | Skipped) -> RawImage:
    assert isinstance(item, RawImage)
    return item


@pytest.mark.parametrize("root", ["", "organ7/", "upload/organ7/"])
def test_folders_name_the_category(root: str) -> None:
    images = [raw(item) for item in read(IMAGES, root)]
    assert [image.category for image in images] == ["liver", "soft_tissue", None]
    assert [(image.unit, image.bit_depth) for image in images] == [
        ("uint8", 8),
        ("uint8", 8),
        ("hu16", 16),
    ]
    assert [(image.patient, image.split, image.row) for image in images] == [(None, None, None)] * 3
    assert images[0].png == IMAGES["images/liver/1.png"]
    assert images[0].source == "file 1"


def test_a_manifest_adds_patient_and_split_and_may_leave_cells_blank() -> None:
    files = manifest(
        ("images/liver/1.png", "", "p1", "Train"),
        ("Soft tissue/2.PNG", "soft-tissue", "", ""),
        ("images/unlabelled/3.png", "Unlabelled", "p2", "test"),
    )
    images = [raw(item) for item in read(files | IMAGES)]
    assert [image.category for image in images] == ["liver", "soft_tissue", None]
    assert [image.patient for image in images] == ["p1", None, "p2"]
    assert [image.split for image in images] == ["train", None, "test"]
    assert [image.row for image in images] == [2, 3, 4]


def test_a_folder_of_another_name_needs_the_manifest() -> None:
    files = {"images/batch7/1.png": grey_png()}
    detail = refusal(files)
    assert detail.startswith("file 1: unknown category 'batch7'; the categories are bone, abdomen")
    (image,) = read(files | manifest(("images/batch7/1.png", "lung", "", "")))
    assert raw(image).category == "lung"


def test_what_is_left_out_is_reported() -> None:
    files = IMAGES | {"images/liver/notes.txt": b"", "images/liver/9.png": b"broken"}
    files |= manifest(
        ("images/liver/1.png", "liver", "", ""),
        ("images/liver/gone.png", "liver", "", ""),
        ("images/liver/9.png", "liver", "", ""),
    )
    reader = FolderImages(Files(files))
    items = list(reader.items())
    assert reader.expected == len(items) == 6
    assert items[1:] == [
        Skipped(2, None, "manifest.csv does not name it"),
        Skipped(3, None, "manifest.csv does not name it"),
        Skipped(4, None, "it is not a PNG image"),
        Skipped(5, 4, "it is not a PNG image"),
        Skipped(None, 3, "the image is missing"),
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("images/liver/1.png", "spleen", "", ""), "row 2: unknown category 'spleen'"),
        (("images/liver/1.png", "lung", "", ""), "row 2: the category is another one"),
        (("images/1.png", "", "", ""), "row 2: the category is blank"),
        (("images/liver/1.png", "liver", "", "dev"), "row 2: split must be train, val, test"),
        (("../1.png", "liver", "", ""), "row 2: file must be a path such as images/liver/1.png"),
        (("", "liver", "", ""), "row 2: file must be a path such as images/liver/1.png"),
    ],
)
def test_a_bad_manifest_row_fails(row: tuple[str, str, str, str], said: str) -> None:
    assert f"manifest.csv, {said}" in refusal(IMAGES | manifest(row))


def test_a_file_named_twice_and_a_patient_in_two_splits_fail() -> None:
    one = ("images/liver/1.png", "liver", "p", "train")
    assert "row 3: the file is named twice" in refusal(IMAGES | manifest(one, one))
    two = ("images/Soft tissue/2.PNG", "", "p", "test")
    assert "row 3: the patient is in two splits" in refusal(IMAGES | manifest(one, two))


def test_a_missing_column_is_named() -> None:
    content = table([], ["file", "category", "split"])
    assert refusal(IMAGES | {"manifest.csv": content}) == "manifest.csv lacks the column patient."


def test_an_image_outside_any_category_folder_fails() -> None:
    detail = refusal({"images/1.png": grey_png()})
    assert detail.startswith("file 1: the image lies in no category's folder")


def test_nothing_usable_fails() -> None:
    assert "holds no images/ folder" in refusal({"readme.txt": b""})
    assert "holds no usable image" in refusal({"images/liver/1.png": b"broken"})


def test_a_too_large_image_is_skipped_and_named_by_ordinal() -> None:
    png = bytearray(grey_png())
    png[16:20] = (50_000_000).to_bytes(4, "big")
    png[29:33] = zlib.crc32(png[12:29]).to_bytes(4, "big")
    skipped = read(IMAGES | {"images/liver/4.png": bytes(png)})[-1]
    assert isinstance(skipped, Skipped)
    assert skipped.file == 4
    assert skipped.reason.startswith("the image is too large: 50000000 x 28 pixels")


def test_phantoms_are_marked() -> None:
    assert not FolderImages(Files(IMAGES)).is_phantom
    assert FolderImages(Files(IMAGES | {"phantom.json": b"{}"})).is_phantom


BROKEN = "images/lung/broken.png"


def test_known_images_are_not_read_again() -> None:
    files = IMAGES | {"images/liver/notes.txt": b"", BROKEN: b"no PNG"}
    whole = list(FolderImages(Files(files)).items())
    first = next(item for item in whole if isinstance(item, RawImage))
    source = Files(files)
    again = list(FolderImages(source).items({first.source}))
    known = Known(box_clipped=False, noisy=False)
    assert again == [known if item == first else item for item in whole]
    assert source.reads == ["images/Soft tissue/2.PNG", "images/unlabelled/3.png", BROKEN]


def test_a_source_of_known_images_only_is_usable() -> None:
    reader = FolderImages(Files(IMAGES))
    known = {item.source for item in reader.items() if isinstance(item, RawImage)}
    assert all(isinstance(item, Known) for item in reader.items(known))
