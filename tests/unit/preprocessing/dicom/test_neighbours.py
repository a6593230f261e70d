"""The slices before and after: by place, by number, within a file; never of another scan."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000Lossless

from services.preprocessing.domain.dicom.images import DicomImages
from services.preprocessing.domain.hounsfield import decode_hu
from services.preprocessing.domain.layouts import open_layout
from services.preprocessing.domain.png import decode_grey
from services.preprocessing.domain.raw_images import Known, RawImage
from tests.unit.preprocessing.builders import Files
from tests.unit.preprocessing.dicom import codestreams
from tests.unit.preprocessing.dicom.builders import (
    UID_ROOT,
    compressed,
    ct,
    enhanced,
    hounsfield,
    of,
    written,
)

AXIAL = [1, 0, 0, 0, 1, 0]


def placed(number: int, mm: float, **elements: Any) -> Dataset:
    place = {"ImagePositionPatient": [-100, -90, mm], "ImageOrientationPatient": AXIAL}
    return ct(number=number, **{**place, **elements})


def stacks(files: Mapping[str, bytes]) -> list[list[Any]]:
    """Previous, own, following of each image; None where there is none."""
    found = []
    for item in DicomImages(Files(files), neighbours=True).items():
        if isinstance(item, RawImage):
            pngs = (item.previous_png, item.png, item.following_png)
            found.append([None if png is None else pixels(png) for png in pngs])
    return found


def pixels(png: bytes) -> list[list[int]]:
    values: Any = decode_grey(png).values
    listed: list[list[int]] = decode_hu(values).tolist()
    return listed


def numbers(files: Sequence[Dataset] | Mapping[str, bytes]) -> list[list[int | None]]:
    """The same, by the number of the slice that each is; -1 for another picture."""
    if not isinstance(files, Mapping):
        files = {f"{n}": written(each) for n, each in enumerate(files)}
    known = {str(hounsfield(n).tolist()): n for n in range(20)}
    return [
        [None if each is None else known.get(str(each), -1) for each in stack]
        for stack in stacks(files)
    ]


def test_slices_are_ordered_by_place_whatever_their_order_in_the_source() -> None:
    files = [placed(n, mm) for n, mm in ((3, 15.0), (1, 5), (4, 20), (2, 10))]
    assert numbers(files) == [[2, 3, 4], [None, 1, 2], [3, 4, None], [1, 2, 3]]


def test_only_slices_of_the_same_scan_are_beside_each_other() -> None:
    other = {"SeriesInstanceUID": f"{UID_ROOT}.2001"}
    sagittal = {"ImageOrientationPatient": [0, 1, 0, 0, 0, 1]}
    small = hounsfield(5, rows=4, columns=4) + 1024
    for alien in (
        placed(2, 6, **other),
        placed(2, 6, **sagittal),
        placed(2, 15.5),
        placed(2, 5.001),
        placed(2, 6, Rows=4, Columns=4, PixelData=small.tobytes()),
        placed(2, 6, RescaleSlope=0),
        ct(number=2),
    ):
        assert numbers([placed(1, 5), alien])[0] == [None, 1, None]


def test_a_place_that_comes_twice_is_passed_over() -> None:
    files = [placed(1, 5), placed(2, 10), placed(3, 10), placed(4, 15)]
    found = numbers(files)
    assert found[1] == [1, 2, 4]
    assert found[2] == [1, 3, 4]


def test_without_places_the_number_counts() -> None:
    files = [ct(number=n, InstanceNumber=n) for n in (7, 5, 6, 9)]
    assert numbers(files) == [[6, 7, None], [None, 5, 6], [5, 6, 7], [None, 9, None]]
    files = [ct(number=n, InstanceNumber=None) for n in (7, 5)]
    assert numbers(files) == [[None, 7, None], [None, 5, None]]


@pytest.mark.parametrize("with_places", [True, False])
def test_frames_lie_beside_frames_of_their_own_file(with_places: bool) -> None:
    order = (2, 0, 1) if with_places else (0, 1, 2)
    frames = [{"values": hounsfield(n)} for n in order]
    dataset = enhanced(frames, {"rescale": (1, 0)}, SOPInstanceUID=f"{UID_ROOT}.50")
    if with_places:
        axes = of(ImageOrientationPatient=AXIAL)
        dataset.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence = [axes]
        for n, group in zip(order, dataset.PerFrameFunctionalGroupsSequence, strict=True):
            group.PlanePositionSequence = [of(ImagePositionPatient=[0, 0, 2.5 * n])]
    alone = placed(9, 2.5, InstanceNumber=1)
    found = numbers([dataset, alone])
    by_own = {stack[1]: stack for stack in found}
    assert by_own == {0: [None, 0, 1], 1: [0, 1, 2], 2: [1, 2, None], 9: [None, 9, None]}


def test_lesions_share_the_slices_beside_them() -> None:
    uid = f"{UID_ROOT}.2"
    files = {f"{n}": written(placed(n, 5 * n)) for n in (1, 2, 3)}
    files["lesions.csv"] = f"sop_instance_uid,category\n{uid},liver\n{uid},lung\n".encode()
    assert numbers(files) == [[1, 2, 3], [1, 2, 3]]


def test_compressed_and_damaged_slices_lie_beside_others() -> None:
    picture = codestreams.picture()
    place = {"ImagePositionPatient": [0, 0, 5], "ImageOrientationPatient": AXIAL}
    files = {
        "a": compressed(ct(picture, 1, **place), JPEG2000Lossless, codestreams.JPEG_2000),
        "b": written(ct(picture, 2, **{**place, "ImagePositionPatient": [0, 0, 6]})),
        "c": written(ct(picture, 3, **{**place, "ImagePositionPatient": [0, 0, 7]}))[:-9],
    }
    first, second = stacks(files)
    expected = (picture.astype(int) - 1024).tolist()
    assert first == [None, expected, expected]
    assert second == [expected, expected, None]


def test_known_images_leave_the_others_as_they_were() -> None:
    files = {f"{n}": written(placed(n, 5 * n)) for n in range(6)}
    whole = list(open_layout(Files(files), "dicom", neighbours=True).items())
    again = list(DicomImages(Files(files), neighbours=True).items({"file 2", "file 3"}))
    known = Known(box_clipped=False, noisy=False)
    assert again == [whole[0], known, known, *whole[3:]]


def test_nothing_beside_is_read_unless_it_is_asked_for() -> None:
    source = Files({f"{n}": written(placed(n, 5 * n)) for n in range(3)})
    items = list(open_layout(source, "dicom").items())
    assert all(isinstance(each, RawImage) and each.previous_png is None for each in items)
    assert source.reads == ["0", "1", "2"]
