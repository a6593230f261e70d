"""DeepLesion's layout: rows, images, what fails and what is skipped."""

from collections.abc import Mapping
from itertools import product

import numpy as np
import pytest

from services.preprocessing.domain.deeplesion import DeepLesionImages
from services.preprocessing.domain.deeplesion_rows import COLUMNS, read_rows
from services.preprocessing.domain.png import encode_grey
from services.preprocessing.domain.raw_images import Known, RawImage, Skipped
from shared.errors import BadInput
from tests.unit.preprocessing.builders import (
    Files,
    grey_png,
    header_only,
    lesion,
    slice_png,
    table,
)

PATH = "Images_png/000001_01_01/010.png"
#: 40 HU stored as HU + 1024.
OTHER_CONVENTION = encode_grey(np.full((48, 64), 1064, np.uint16))
NINE = "Images_png/000001_01_01/009.png"


def source(
    rows: list[dict[str, str]], images: Mapping[str, bytes] | None = None, root: str = ""
) -> Files:
    images = {PATH: slice_png()} if images is None else images
    files = {"DL_info.csv": table(rows)} | dict(images)
    return Files({root + name: content for name, content in files.items()})


def read(files: Files) -> list[RawImage | Skipped]:
    return [item for item in DeepLesionImages(files).items() if not isinstance(item, Known)]


def two_slices(path: str, png: bytes) -> tuple[list[dict[str, str]], dict[str, bytes]]:
    """A lesion on a slice of this content, and one on a good slice."""
    good = lesion(File_name="000002_01_01_001.png", Patient_index="2")
    return [lesion(), good], {path: png, "Images_png/000002_01_01/001.png": slice_png()}


def refusal(files: Files) -> str:
    with pytest.raises(BadInput) as caught:
        read(files)
    return caught.value.detail


def test_a_row_is_parsed_in_full() -> None:
    (row,) = read_rows(table([lesion()])).rows
    assert row.number == 2
    assert row.path == PATH
    assert (row.patient, row.study, row.series, row.key_slice) == (1, 1, 1, 10)
    assert row.measurement_px == (20.0, 20.0, 30.0, 20.0, 25.0, 18.0, 25.0, 22.0)
    assert row.box_px == (15.0, 13.0, 35.0, 27.0)
    assert not row.box_clipped
    assert row.diameters_px == (10.0, 4.0)
    assert row.location == (0.4, 0.4, 0.5)
    assert row.category == "liver"
    assert not row.noisy
    assert row.slice_range == (5, 15)
    assert row.spacing_mm == (0.8, 0.8, 5.0)
    assert row.image_size_px == (64, 48)
    assert row.window_hu == (-175.0, 275.0)
    assert (row.gender, row.age_years, row.split) == ("F", 62, "test")


def test_unknown_values_that_deeplesion_allows() -> None:
    cells = {"Coarse_lesion_type": "-1", "Patient_gender": "", "Patient_age": "NaN"}
    (row,) = read_rows(table([lesion(**cells, Possibly_noisy="1", Train_Val_Test="1")])).rows
    assert (row.category, row.gender, row.age_years) == (None, None, None)
    assert row.noisy
    assert row.split == "train"


def test_an_image_carries_what_its_row_says() -> None:
    (image,) = read(source([lesion()], root="some/folder/"))
    assert isinstance(image, RawImage)
    assert (image.width, image.height, image.bit_depth, image.unit) == (64, 48, 16, "hu16")
    assert (image.category, image.patient, image.split) == ("liver", "1", "test")
    assert (image.spacing_mm, image.window_hu) == (0.8, (-175, 275))
    assert (image.box_px, image.box_clipped, image.noisy) == ((15, 13, 35, 27), False, False)
    assert image.png == slice_png()
    assert image.source == "file 2, row 2"


def test_lesions_of_a_slice_are_adjacent_and_it_is_read_once() -> None:
    other = "000002_01_01_020.png"
    rows = [
        lesion(),
        lesion(File_name=other, Patient_index="2"),
        lesion(Coarse_lesion_type="7", Bounding_boxes="1, 1, 9, 9"),
    ]
    neighbour = "Images_png/000001_01_01/011.png"
    second = "Images_png/000002_01_01/020.png"
    files = source(rows, {second: slice_png(seed=1), neighbour: b"", PATH: slice_png()})
    images = read(files)
    assert [(image.file, image.row) for image in images] == [(2, 3), (4, 2), (4, 4)]
    assert files.reads == ["DL_info.csv", second, PATH]


def test_lesions_of_several_categories_on_a_slice_are_an_image_each() -> None:
    rows = [lesion(), lesion(Coarse_lesion_type="6", Bounding_boxes="40, 30, 60, 44")]
    first, second = read(source(rows))
    assert isinstance(first, RawImage)
    assert isinstance(second, RawImage)
    assert (first.category, second.category) == ("liver", "kidney")
    assert (first.box_px, second.box_px) == ((15, 13, 35, 27), (40, 30, 60, 44))
    assert first.sha256 == second.sha256


def test_slices_of_768_pixels_are_taken_as_they_are() -> None:
    row = lesion(Image_size="768, 768", Spacing_mm_px_="0.5, 0.5, 1", Bounding_boxes="9, 9, 99, 99")
    (image,) = read(source([row], {PATH: slice_png(width=768, height=768)}))
    assert isinstance(image, RawImage)
    assert (image.width, image.height, image.spacing_mm) == (768, 768, 0.5)


def test_a_box_partly_outside_is_clipped_and_says_so() -> None:
    (image,) = read(source([lesion(Bounding_boxes="-3.5, 40, 20, 60.25")]))
    assert isinstance(image, RawImage)
    assert image.box_px == (0.0, 40.0, 20.0, 48.0)
    assert image.box_clipped


def test_a_missing_and_a_damaged_image_are_skipped_and_reported() -> None:
    rows = [
        lesion(),
        lesion(File_name="000002_01_01_001.png", Patient_index="2"),
        lesion(File_name="000003_01_01_001.png", Patient_index="3"),
    ]
    damaged = slice_png()[:-40]
    files = source(rows, {PATH: slice_png(), "Images_png/000003_01_01/001.png": damaged})
    assert read(files)[1:] == [
        Skipped(3, 4, "the PNG is truncated"),
        Skipped(None, 3, "the image is missing"),
    ]
    assert DeepLesionImages(files).expected == 3


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (
            {"Image_size": "64, 64"},
            "the image is 64 x 48 pixels, which is not what Image_size says",
        ),
        ({"Spacing_mm_px_": "0.8, 0.9, 5"}, "its pixels are not square"),
    ],
)
def test_contradictions_between_image_and_row_are_skipped(
    cells: dict[str, str], reason: str
) -> None:
    good = lesion(File_name="000002_01_01_001.png", Patient_index="2")
    images = {PATH: slice_png(), "Images_png/000002_01_01/001.png": slice_png()}
    skipped = read(source([lesion(**cells), good], images))[0]
    assert isinstance(skipped, Skipped)
    assert (skipped.file, skipped.row, skipped.reason) == (2, 2, reason)


@pytest.mark.parametrize(
    ("png", "said"),
    [
        (grey_png(size=64), "the image has 8 bits; the DeepLesion layout holds 16-bit PNG"),
        (OTHER_CONVENTION, "its 16-bit values are not HU + 32768"),
        (header_only(50_000, 50_000), "the image is too large: 50000 x 50000 pixels"),
    ],
)
def test_an_image_of_another_kind_is_skipped(png: bytes, said: str) -> None:
    skipped, usable = read(source(*two_slices(PATH, png)))
    assert isinstance(skipped, Skipped)
    assert (skipped.file, skipped.row) == (2, 2)
    assert skipped.reason.startswith(said)
    assert isinstance(usable, RawImage)


def test_images_that_mostly_do_not_belong_fail_the_ingest() -> None:
    small = grey_png(size=64)
    assert refusal(source([lesion()], {PATH: small})).startswith(
        "More than half of the 1 lesions lie on images that do not fit the layout; "
        "the first is file 2, row 2: the image has 8 bits"
    )
    rows, images = two_slices(PATH, small)
    rows.append(lesion(Bounding_boxes="1, 1, 5, 5"))
    assert refusal(source(rows, images)).startswith("More than half of the 3 lesions")


def test_images_that_are_missing_or_damaged_never_fail_it_while_one_is_usable() -> None:
    rows = [lesion()] + [
        lesion(File_name=f"00000{n}_01_01_001.png", Patient_index=str(n)) for n in range(2, 9)
    ]
    images = {PATH: slice_png()}
    images |= {f"Images_png/00000{n}_01_01/001.png": b"damaged" for n in range(2, 5)}
    items = read(source(rows, images))
    assert [isinstance(item, RawImage) for item in items] == [True] + [False] * 7


def test_a_table_without_images_fails() -> None:
    assert "None of the 1 lesions" in refusal(source([lesion()], {}))


def test_phantoms_are_marked() -> None:
    files = source([lesion()], root="demo/")
    assert not DeepLesionImages(files).is_phantom
    marked = Files({name: files.read(name) for name in files.names()} | {"demo/phantom.json": b""})
    assert DeepLesionImages(marked).is_phantom


def test_no_table_or_two_fail() -> None:
    assert refusal(Files({"a.png": b""})) == (
        "The source holds no DL_info.csv; is the layout right?"
    )
    assert "holds DL_info.csv 2 times" in refusal(
        Files({"a/DL_info.csv": b"", "b/DL_info.csv": b""})
    )


@pytest.mark.parametrize("column", COLUMNS)
def test_a_missing_column_is_named(column: str) -> None:
    content = table([lesion()], [name for name in COLUMNS if name != column])
    with pytest.raises(BadInput) as caught:
        read_rows(content)
    assert caught.value.detail == f"DL_info.csv lacks the column {column}."


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("File_name", "../../etc/passwd_1.png", "File_name must be <series>_<slice>.png"),
        ("File_name", "slice.png", "File_name must be <series>_<slice>.png"),
        ("Patient_index", "Jane", "Patient_index must be a whole number"),
        ("Study_index", "", "Study_index must be a whole number"),
        ("Series_ID", "1.5", "Series_ID must be a whole number"),
        ("Key_slice_index", "x", "Key_slice_index must be a whole number"),
        ("Measurement_coordinates", "1, 2, 3", "Measurement_coordinates must be 8 numbers"),
        ("Bounding_boxes", "1, 2, 3", "Bounding_boxes must be 4 numbers"),
        ("Bounding_boxes", "1, 2, 3, nan", "Bounding_boxes must be 4 numbers"),
        ("Bounding_boxes", "9, 9, 9, 20", "Bounding_boxes has no area"),
        ("Bounding_boxes", "20, 5, 10, 9", "Bounding_boxes has no area"),
        ("Bounding_boxes", "64, 5, 80, 9", "Bounding_boxes lies outside the image"),
        ("Bounding_boxes", "5, -9, 8, 0", "Bounding_boxes lies outside the image"),
        ("Lesion_diameters_Pixel_", "1", "Lesion_diameters_Pixel_ must be 2 numbers"),
        ("Normalized_lesion_location", "", "Normalized_lesion_location must be 3 numbers"),
        ("Coarse_lesion_type", "9", "Coarse_lesion_type: unknown category '9'"),
        ("Coarse_lesion_type", "0", "Coarse_lesion_type: unknown category '0'"),
        ("Coarse_lesion_type", "liver", "Coarse_lesion_type must be a whole number"),
        ("Possibly_noisy", "2", "Possibly_noisy must be 0 or 1"),
        ("Slice_range", "5", "Slice_range must be 2 whole numbers"),
        ("Spacing_mm_px_", "0, 0, 5", "Spacing_mm_px_ must be between 0.01 and 10 mm"),
        ("Spacing_mm_px_", "0.8", "Spacing_mm_px_ must be 3 numbers"),
        ("Image_size", "big", "Image_size must be 2 whole numbers"),
        ("DICOM_windows", "275, -175", "DICOM_windows must be the lowest and then the highest HU"),
        ("Patient_gender", "X", "Patient_gender must be M, F or blank"),
        ("Patient_age", "old", "Patient_age must be a number or blank"),
        ("Train_Val_Test", "4", "Train_Val_Test must be 1, 2 or 3"),
    ],
)
def test_a_row_of_a_bad_value_is_skipped_and_names_the_column(
    column: str, cell: str, said: str
) -> None:
    good = lesion(File_name="000009_01_01_010.png", Patient_index="9")
    found = read_rows(table([good, lesion(**{column: cell})]))
    assert [row.number for row in found.rows] == [2]
    (skipped,) = found.skipped
    assert (skipped.file, skipped.row) == (None, 3)
    assert skipped.reason.startswith(said)


def test_a_wrong_row_is_reported_beside_the_images() -> None:
    rows = [lesion(), lesion(Coarse_lesion_type="9", Bounding_boxes="1, 1, 9, 9")]
    images = DeepLesionImages(source(rows))
    assert images.expected == 2
    wrong, usable = images.items()
    assert isinstance(wrong, Skipped)
    assert wrong.row == 3
    assert isinstance(usable, RawImage)


def test_a_table_that_is_mostly_wrong_fails() -> None:
    swapped = lesion(DICOM_windows="275, -175")
    assert len(read_rows(table([lesion(), swapped])).rows) == 1
    with pytest.raises(BadInput) as caught:
        read_rows(table([lesion(), swapped, swapped]))
    assert caught.value.detail == (
        "DL_info.csv: 2 of 3 rows are wrong; the first is row 3: "
        "DICOM_windows must be the lowest and then the highest HU."
    )


def test_no_cell_of_a_wrong_row_is_repeated_but_its_category() -> None:
    (skipped,) = read_rows(table([lesion(), lesion(Patient_index="Jane Doe")])).skipped
    assert "Jane" not in skipped.reason


def test_a_patient_in_two_splits_fails() -> None:
    rows = [lesion(), lesion(Train_Val_Test="1")]
    with pytest.raises(BadInput, match="row 3: the patient is in two splits"):
        read_rows(table(rows))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "lacks the columns File_name, Patient_index"),
        (table([lesion()]) + b"1,2\n", "row 3: 2 cells, but the header has 18"),
        (table([lesion()]).replace(b"62.0", b"\xff"), "not UTF-8"),
        (table([lesion()]) + b'"open', "not a well-formed CSV"),
        (table([], [*COLUMNS, "File_name"]), "two columns of the same name"),
    ],
)
def test_a_damaged_table_fails(content: bytes, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_rows(content)
    assert said in caught.value.detail


def test_whatever_is_known_the_rest_is_the_same() -> None:
    rows = [
        lesion(Possibly_noisy="1"),
        lesion(Image_size="64, 64"),
        lesion(Bounding_boxes="-3, 1, 9, 9"),
        lesion(File_name="000002_01_01_020.png", Patient_index="2"),
        lesion(File_name="000003_01_01_001.png", Patient_index="3"),
    ]
    images = {PATH: slice_png(), "Images_png/000002_01_01/020.png": slice_png(seed=1)}
    whole = list(DeepLesionImages(source(rows, images)).items())
    usable = [item for item in whole if isinstance(item, RawImage)]
    assert len(usable) == 3
    for known in product([False, True], repeat=3):
        names = {item.source for item, is_known in zip(usable, known, strict=True) if is_known}
        files = source(rows, images)
        again = list(DeepLesionImages(files).items(names))
        assert again == [
            Known(box_clipped=item.box_clipped, noisy=item.noisy)
            if isinstance(item, RawImage) and item.source in names
            else item
            for item in whole
        ]
        # A lesion that was skipped has its slice read again, for the reason.
        unread = {"Images_png/000002_01_01/020.png"} if known[2] else set()
        assert set(images) - set(files.reads) == unread


def series(*numbers: int, width: int = 3) -> dict[str, bytes]:
    """Slices of one series, each of its own noise."""
    return {f"Images_png/000001_01_01/{n:0{width}d}.png": slice_png(seed=n) for n in numbers}


def on_slices(*numbers: int) -> list[dict[str, str]]:
    """A lesion on each slice of that series."""
    return [lesion(File_name=f"000001_01_01_{number:03d}.png") for number in numbers]


def beside(files: Files) -> list[tuple[bytes | None, bytes | None]]:
    items = DeepLesionImages(files, neighbours=True).items()
    return [(i.previous_png, i.following_png) for i in items if isinstance(i, RawImage)]


def test_neighbours_come_along_where_they_are_wanted_and_present() -> None:
    images = series(9, 10, 11, 19, 20)
    rows = [*on_slices(10), lesion(Bounding_boxes="1, 1, 9, 9"), *on_slices(20)]
    nine, _, eleven, nineteen, _ = images.values()
    assert beside(source(rows, images, root="a/")) == [
        (nine, eleven),
        (nine, eleven),
        (nineteen, None),
    ]
    plain = [item for item in read(source(rows, images)) if isinstance(item, RawImage)]
    assert {(item.previous_png, item.following_png) for item in plain} == {(None, None)}


def test_slices_that_are_key_and_neighbour_are_read_once() -> None:
    files = source(on_slices(10, 11, 12), series(8, 9, 10, 11, 12, 13, 14))
    nine, ten, eleven, twelve, thirteen = list(series(9, 10, 11, 12, 13).values())
    assert beside(files) == [(nine, eleven), (ten, twelve), (eleven, thirteen)]
    reads = [name[-7:-4] for name in files.reads if name.endswith(".png")]
    assert sorted(reads) == ["009", "010", "011", "012", "013"]


@pytest.mark.parametrize(
    "other",
    [
        b"damaged",
        slice_png(width=32),
        grey_png(size=64),
        OTHER_CONVENTION,
    ],
    ids=["damaged", "of another size", "of 8 bits", "not HU"],
)
def test_a_neighbour_that_is_no_slice_of_the_scan_is_taken_as_missing(other: bytes) -> None:
    images = series(9, 10) | {"Images_png/000001_01_01/011.png": other}
    assert beside(source(on_slices(10), images)) == [(images[NINE], None)]


def test_the_first_slice_has_none_before_it_and_other_series_have_their_own() -> None:
    strange = {"Images_png/000001_01_02/001.png": slice_png(seed=5)}
    first, second = series(0, 1).values()
    assert beside(source(on_slices(0), series(0, 1) | strange)) == [(None, second)]
    wide = [lesion(File_name="000001_01_01_09.png")]
    images = series(8, 10, width=2) | {"Images_png/000001_01_01/09.png": first}
    eight, ten = series(8, 10).values()
    assert beside(source(wide, images)) == [(eight, ten)]
