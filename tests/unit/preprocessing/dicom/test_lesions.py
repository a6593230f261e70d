"""``lesions.csv``: rows become images, wrong ones are reported, a wrong table is refused."""

from collections.abc import Mapping
from typing import Any

import pytest

from services.preprocessing.domain.dicom.images import DicomImages
from services.preprocessing.domain.raw_images import Known, RawImage, Skipped
from shared.errors import BadInput
from tests.unit.preprocessing.builders import Files, table
from tests.unit.preprocessing.dicom.builders import (
    UID_ROOT,
    ct,
    enhanced,
    hounsfield,
    image,
    read,
    written,
)

SLICES = {f"scan/{n}": written(ct(number=n)) for n in (1, 2, 3)}
UIDS = [f"{UID_ROOT}.{n}" for n in (1, 2, 3)]


def lesions(*rows: Mapping[str, str]) -> dict[str, bytes]:
    columns = [*dict.fromkeys(column for row in rows for column in row)]
    return {"lesions.csv": table([dict.fromkeys(columns, "") | dict(row) for row in rows], columns)}


def box(x1: float, y1: float, x2: float, y2: float) -> dict[str, str]:
    return {"x1": str(x1), "y1": str(y1), "x2": str(x2), "y2": str(y2)}


def refusal(files: Mapping[str, bytes]) -> str:
    with pytest.raises(BadInput) as caught:
        read(files)
    return caught.value.detail


def skipped(files: Mapping[str, bytes]) -> list[Skipped]:
    return [each for each in read(files) if isinstance(each, Skipped)]


@pytest.mark.parametrize("root", ["", "data set/"])
def test_rows_name_a_file_by_uid_or_by_ordinal(root: str) -> None:
    rows = lesions(
        {"sop_instance_uid": UIDS[1], "category": "Soft tissue", "split": "Train"},
        {"file": "4", "category": "unlabelled", "split": ""},
        {"file": "2", "sop_instance_uid": UIDS[0], "category": "", "split": "test"},
    )
    files = {f"scan/{n}": written(ct(number=n, PatientID=f"p{n}")) for n in (1, 2, 3)}
    found = read({root + name: data for name, data in (rows | files).items()})
    images = [each for each in found if isinstance(each, RawImage)]
    assert [each.source for each in images] == ["file 2, row 4", "file 3, row 2", "file 4, row 3"]
    assert [each.category for each in images] == [None, "soft_tissue", None]
    assert [each.split for each in images] == ["test", "train", None]
    assert [each.patient for each in images] == ["p1", "p2", "p3"]
    assert len(found) == 3


def test_lesions_of_a_slice_follow_each_other_and_share_its_picture() -> None:
    rows = lesions(
        {"sop_instance_uid": UIDS[0], "category": "liver", **box(1, 2, 5, 6), "noisy": "1"},
        {"sop_instance_uid": UIDS[2], "category": "lung"},
        {"sop_instance_uid": UIDS[0], "category": "kidney", **box(3.5, 3, 40, 5)},
    )
    first, second, third = read(rows | SLICES)
    assert isinstance(first, RawImage)
    assert isinstance(second, RawImage)
    assert isinstance(third, RawImage)
    assert first.png is second.png
    assert first.sha256 == second.sha256
    assert (first.box_px, first.box_clipped, first.noisy) == ((1, 2, 5, 6), False, True)
    assert (second.box_px, second.box_clipped, second.noisy) == ((3.5, 3, 16, 5), True, False)
    assert (third.box_px, third.box_clipped) == (None, False)
    assert [each.row for each in (first, second, third)] == [2, 4, 3]


def test_rows_that_say_something_wrong_are_reported() -> None:
    sound = [{"sop_instance_uid": uid, "category": "liver"} for uid in (*UIDS, *UIDS, *UIDS, *UIDS)]
    rows = lesions(
        *sound,
        {"sop_instance_uid": UIDS[0], "category": "spleen"},
        {"category": "liver"},
        {"file": "0", "category": "liver"},
        {"file": "two", "category": "liver"},
        {"file": "3", "frame": "0", "category": "liver"},
        {"file": "3", "frame": "2", "category": "liver"},
        {"file": "3", "sop_instance_uid": UIDS[0], "category": "liver"},
        {"file": "3", "category": "liver", **box(5, 5, 5, 9)},
        {"file": "3", "category": "liver", **box(5, 5, float("inf"), 9)},
        {"file": "3", "category": "liver", "x1": "5"},
        {"file": "3", "category": "liver", **box(90, 90, 99, 99)},
        {"file": "77", "category": "liver"},
    )
    found = skipped(rows | SLICES)
    by_row = {each.row or 0: (each.file, each.reason) for each in found}
    first = len(sound) + 2
    number = "must be a whole number from 1 on"
    expected = [
        (None, "unknown category 'spleen'; the categories are "),
        (None, "the row names no file: sop_instance_uid and file are blank"),
        (None, f"file {number}"),
        (None, f"file {number}"),
        (None, f"frame {number}"),
        (3, "frame must be at most 1: the file holds no more"),
        (3, "the file is another one than sop_instance_uid says"),
        (None, "the box has no area; it must be x1 < x2, y1 < y2"),
        (None, "x2 must be a number"),
        (None, "y1 must be a number"),
        (3, "the box lies outside the image"),
        (None, "the image is missing"),
    ]
    assert sorted(by_row) == list(range(first, first + len(expected)))
    for row, (file, reason) in enumerate(expected, start=first):
        assert by_row[row][0] == file
        assert by_row[row][1].startswith(reason)


def test_rows_of_a_file_that_cannot_be_read_are_reported() -> None:
    rows = lesions(
        {"file": "2", "sop_instance_uid": "", "category": "liver"},
        {"file": "2", "sop_instance_uid": "", "category": "liver"},
        {"file": "", "sop_instance_uid": UIDS[0], "category": "liver"},
        {"file": "", "sop_instance_uid": UIDS[1], "category": "liver"},
    )
    files = {"a": b"no DICOM", "b": SLICES["scan/1"], "c": b"neither", "d": written(ct())[:-9]}
    assert skipped(rows | files) == [
        Skipped(2, 2, "it is not a DICOM file"),
        Skipped(2, 3, "it is not a DICOM file"),
        Skipped(4, None, "it is not a DICOM file"),
        Skipped(None, 5, "the image is missing"),
    ]


def test_files_that_no_row_names_are_left_alone() -> None:
    source = Files(lesions({"file": "3", "category": "liver"}) | SLICES | {"x": b"no DICOM"})
    reader = DicomImages(source)
    assert reader.expected == 1
    assert len(list(reader.items())) == 1
    assert source.reads == ["lesions.csv", "scan/2"]


def test_folders_name_no_category() -> None:
    assert image({"images/liver/1.dcm": SLICES["scan/1"]}).category is None


def test_frames_are_named_by_number() -> None:
    frames = [{"values": hounsfield(n)} for n in range(3)]
    data = written(enhanced(frames, {"rescale": (1, 0)}))
    rows = lesions(
        {"file": "2", "frame": "3", "category": "liver"},
        {"file": "2", "frame": "1", "category": "lung"},
        {"file": "2", "frame": "", "category": "bone"},
        {"file": "2", "frame": "4", "category": "bone"},
    )
    wrong = [
        Skipped(2, 4, "the file holds 3 frames, and frame is blank"),
        Skipped(2, 5, "frame must be at most 3: the file holds no more"),
    ]
    found = read(rows | {"a": data})
    assert found[:2] == wrong
    images = [each for each in found if isinstance(each, RawImage)]
    assert [each.source for each in images] == ["file 2, frame 1, row 3", "file 2, frame 3, row 2"]


def test_the_tables_patients_replace_the_headers_all_or_none() -> None:
    rows = [
        {"sop_instance_uid": uid, "category": "liver", "patient": f"p{n}", "split": "train"}
        for n, uid in enumerate(UIDS)
    ]
    found = read(lesions(*rows) | SLICES)
    assert [each.patient for each in found if isinstance(each, RawImage)] == ["p0", "p1", "p2"]
    rows[1]["patient"] = ""
    said = "patient is blank, but other rows name theirs"
    assert skipped(lesions(*rows) | SLICES) == [Skipped(None, 3, said)]


def test_a_patient_in_two_splits_fails() -> None:
    def rows(**patient: str) -> dict[str, bytes]:
        about = [{"sop_instance_uid": uid, "category": "liver", **patient} for uid in UIDS[:2]]
        return lesions(
            *(each | {"split": s} for each, s in zip(about, ("train", "val"), strict=True))
        )

    said = "the patient is in two splits; a patient belongs to one."
    assert refusal(rows(patient="p") | SLICES) == f"lesions.csv, row 3: {said}"
    assert refusal(rows() | SLICES) == f"file 3, row 3: {said}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"file\n1\n", "lesions.csv lacks the column category."),
        (b"category\nliver\n", "lesions.csv lacks the column sop_instance_uid, or file."),
        (b"file,category,x1,y1,x2\n2,liver,1,1,5\n", "lesions.csv lacks the column y2; a box has"),
        (b"file,category\n2,liver,5\n", "lesions.csv, row 2: 3 cells, but the header has 2."),
        (b"file,category\n2,spleen\n", "lesions.csv: 1 of 1 rows are wrong; the first is row 2:"),
        (b"file,category,split\n2,liver,dev\n", "split must be train, val, test or blank"),
        (b"file,category,noisy\n2,liver,2\n", "noisy must be 0, 1 or blank"),
        (b"\xff\xfe", "lesions.csv is not UTF-8 text."),
        (b"file,category\n", "The source holds no usable DICOM image."),
    ],
)
def test_a_wrong_table_is_refused(content: bytes, said: str) -> None:
    assert said in refusal({"lesions.csv": content} | SLICES)


def test_two_tables_are_refused() -> None:
    rows = lesions({"file": "1", "category": "liver"})["lesions.csv"]
    said = refusal({"a/lesions.csv": rows, "b/lesions.csv": rows} | SLICES)
    assert said == "The source holds lesions.csv 2 times; send one data set at a time."


def test_known_rows_are_not_made_again() -> None:
    files = SLICES | lesions(
        {"sop_instance_uid": UIDS[0], "category": "liver", **box(1, 2, 5, 6), "noisy": "1"},
        {"sop_instance_uid": UIDS[0], "category": "kidney", **box(3.5, 3, 40, 5)},
        {"sop_instance_uid": UIDS[2], "category": "kidney", **box(70, 70, 80, 80)},
        {"sop_instance_uid": UIDS[1], "category": "kidney"},
    )
    whole = list(DicomImages(Files(files)).items())
    assert [type(each) for each in whole] == [RawImage, RawImage, RawImage, Skipped]

    def again(known: set[str]) -> list[Any]:
        return [
            Known(box_clipped=each.box_clipped, noisy=each.noisy)
            if isinstance(each, RawImage) and each.source in known
            else each
            for each in whole
        ]

    for known in ({"file 1, row 2"}, {"file 1, row 3", "file 2, row 5"}):
        assert list(DicomImages(Files(files)).items(known)) == again(known)
