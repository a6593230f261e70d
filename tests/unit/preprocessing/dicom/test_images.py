"""DICOM without a table: which files are taken, and what is kept of them."""

from typing import Any

import numpy as np
import pytest
from pydicom.uid import (
    EnhancedMRImageStorage,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    LegacyConvertedEnhancedCTImageStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
)

from services.preprocessing.domain.dicom.images import DicomImages
from services.preprocessing.domain.png import decode_grey
from services.preprocessing.domain.raw_images import Known, RawImage, Skipped
from shared.errors import BadInput
from tests.unit.preprocessing.builders import Files, grey_noise, grey_png
from tests.unit.preprocessing.dicom.builders import (
    capture,
    ct,
    enhanced,
    hounsfield,
    hu,
    image,
    of,
    read,
    reason,
    written,
)


def test_a_slice_becomes_hu_with_spacing_window_and_patient() -> None:
    found = image([written(ct())])
    assert np.array_equal(hu(found), hounsfield(1))
    assert (found.width, found.height) == (16, 12)
    assert found.spacing_mm == 0.7
    assert found.window_hu == (-160.0, 240.0)
    assert found.patient == "patient 1"
    assert [found.category, found.split, found.box_px, found.row] == [None] * 4
    assert found.source == "file 1"


def test_files_are_told_by_content_in_any_folder_under_any_name() -> None:
    files = {
        "study/IM0001": written(ct(number=1)),
        "study/a/b/c.dcm": written(ct(number=2)),
        "notes.txt": b"nothing",
        "study/d.png": written(ct(number=3)),
        "really.dcm": grey_png(),
        "empty": b"",
    }
    found = read(files)
    assert [item.file for item in found if isinstance(item, RawImage)] == [1, 2, 4]
    skipped = [item for item in found if isinstance(item, Skipped)]
    assert skipped == [Skipped(file, None, "it is not a DICOM file") for file in (3, 5, 6)]


def test_a_file_without_preamble_is_dicom_too() -> None:
    for syntax in (ImplicitVRLittleEndian, ExplicitVRBigEndian):
        dataset = ct()
        if syntax == ExplicitVRBigEndian:
            dataset.PixelData = (hounsfield(1) + 1024).byteswap().tobytes()
        bare = written(dataset, syntax)
        start = 144 + int.from_bytes(bare[140:144], "little")
        assert np.array_equal(hu(image([bare[start:]])), hounsfield(1))


def test_who_is_shown_is_the_patient_or_the_study_or_the_series() -> None:
    assert image([written(ct(PatientID=None))]).patient == "2.25.7.1000"
    assert image([written(ct(PatientID="  ", StudyInstanceUID=None))]).patient == "2.25.7.2000"
    nobody = ct(PatientID=None, StudyInstanceUID=None, SeriesInstanceUID=None)
    assert image([written(nobody)]).patient is None


def test_windows_that_are_none_are_left_out() -> None:
    for width in (0, -5, 1e9):
        assert image([written(ct(WindowWidth=width))]).window_hu is None
    assert image([written(ct(WindowCenter=None))]).window_hu is None


def test_spacing_may_be_unknown() -> None:
    assert image([written(ct(PixelSpacing=None))]).spacing_mm is None


@pytest.mark.parametrize(
    ("elements", "said"),
    [
        ({"PixelSpacing": [0.7, 0.9]}, "its pixels are not square"),
        ({"PixelSpacing": [70, 70]}, "its pixel spacing is not between 0.01 and 10 mm"),
        ({"PixelSpacing": [0.7]}, "its pixel spacing is malformed"),
        ({"SOPClassUID": EnhancedMRImageStorage}, "another DICOM object than a CT slice"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "it is a localizer"),
        ({"BurnedInAnnotation": "YES"}, "text is burned into it"),
        ({"SamplesPerPixel": 3}, "it is a colour picture"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "it is a colour picture"),
        ({"RescaleSlope": None}, "does not say how its values become HU"),
        ({"RescaleSlope": 0}, "does not say how its values become HU"),
        ({"RescaleType": "Z_EFF"}, "does not say how its values become HU"),
        ({"ModalityLUTSequence": [of(LUTExplanation="x")]}, "become HU by a table"),
        ({"RescaleIntercept": -9000}, "its values are not HU: no pixel is denser than air"),
        ({"BitsAllocated": 32}, "its pixels have 32 bits; 8 and 16 are read"),
        ({"BitsStored": 17}, "says something impossible of its bits"),
        ({"HighBit": 5}, "says something impossible of its bits"),
        ({"Rows": None}, "does not say how its pixels are stored"),
        ({"Rows": 0}, "the image has no size"),
        ({"PixelData": None}, "it holds no pixels"),
    ],
)
def test_what_is_left_out_and_why(elements: dict[str, Any], said: str) -> None:
    assert said in reason(written(ct(**elements)))


def test_captures_of_8_bits_are_grey_levels() -> None:
    grey = grey_noise(3, size=14)
    found = image([written(capture(grey))])
    assert (found.unit, found.bit_depth, found.window_hu) == ("uint8", 8, None)
    assert np.array_equal(decode_grey(found.png).values, grey)
    inverted = image([written(capture(grey, PhotometricInterpretation="MONOCHROME1"))])
    assert np.array_equal(decode_grey(inverted.png).values, 255 - grey)
    plain: dict[str, Any] = {"RescaleSlope": 1, "RescaleIntercept": 0, "RescaleType": "US"}
    unspecified = capture(
        grey, SOPClassUID=MultiFrameGrayscaleByteSecondaryCaptureImageStorage, **plain
    )
    assert np.array_equal(decode_grey(image([written(unspecified)]).png).values, grey)


def test_captures_of_16_bits_are_taken_where_they_are_hu() -> None:
    stored = hounsfield(5)
    said: dict[str, Any] = {"RescaleSlope": 1, "RescaleIntercept": 0}
    for kind in ("HU", None):
        assert np.array_equal(
            hu(image([written(capture(stored, RescaleType=kind, **said))])), stored
        )
    unit = "it is a capture of more than 8 bits whose values are not HU"
    assert reason(written(capture(stored))) == unit
    assert reason(written(capture(stored, Modality="OT", **said))) == unit
    assert reason(written(capture(stored, RescaleType="OD", **said))) == unit


def test_hu_do_not_depend_on_which_end_is_shown_white() -> None:
    found = image([written(ct(PhotometricInterpretation="MONOCHROME1"))])
    assert np.array_equal(hu(found), hounsfield(1))


def test_frames_have_their_own_scale_or_the_one_they_share() -> None:
    values = [hounsfield(n) + 1000 for n in range(3)]
    frames: list[dict[str, Any]] = [
        {"values": values[0]},
        {"values": values[1], "rescale": (2, -1500), "spacing": 0.5, "window": (50, 100)},
        {"values": values[2], "spacing": 0.9},
    ]
    shared = {"rescale": (1, -1000), "spacing": 0.8, "window": (40, 400)}
    found = read([written(enhanced(frames, shared))])
    assert [each.source for each in found if isinstance(each, RawImage)] == [
        f"file 1, frame {n}" for n in (1, 2, 3)
    ]
    expected = [hounsfield(0), np.clip(2 * values[1].astype(int) - 1500, -32768, 32767)]
    for item, one in zip(found, [*expected, hounsfield(2)], strict=True):
        assert np.array_equal(hu(item), one)
    images = [each for each in found if isinstance(each, RawImage)]
    assert [each.spacing_mm for each in images] == [0.8, 0.5, 0.9]
    assert [each.window_hu for each in images] == [(-160, 240), (0, 100), (-160, 240)]


def test_one_bad_frame_leaves_the_others() -> None:
    values = [hounsfield(n) + 1000 for n in range(3)]
    frames: list[dict[str, Any]] = [{"values": each, "spacing": 0.7} for each in values]
    frames[1]["rescale"] = (0, 5)
    found = read([written(enhanced(frames, {"rescale": (1, -1000)}))])
    assert [isinstance(each, RawImage) for each in found] == [True, False, True]
    assert found[1] == Skipped(1, None, "frame 2: its header does not say how its values become HU")


def test_old_multi_frame_files_say_it_for_all_frames() -> None:
    values = np.stack([hounsfield(n) + 1024 for n in range(2)])
    kind = LegacyConvertedEnhancedCTImageStorage
    reader = DicomImages(Files({"a": written(ct(values, NumberOfFrames=2, SOPClassUID=kind))}))
    assert reader.expected == 1
    found = list(reader.items())
    assert reader.expected == len(found) == 2
    assert [hu(each).tolist() for each in found if isinstance(each, RawImage)] == [
        hounsfield(n).tolist() for n in range(2)
    ]


def test_frames_that_are_not_described_are_refused() -> None:
    frames = [{"values": hounsfield(n)} for n in range(2)]
    dataset = enhanced(frames, {"rescale": (1, 0)})
    dataset.PerFrameFunctionalGroupsSequence.pop()
    assert reason(written(dataset)) == "its header does not describe all of its frames"


def test_an_image_that_came_before_is_left_out() -> None:
    damaged = written(ct())[:-10]
    found = read([damaged, written(ct()), written(ct(PatientID="another"))])
    assert [isinstance(each, RawImage) for each in found] == [False, True, False]
    assert found[2] == Skipped(3, None, "an earlier file holds the same image: its UID is the same")


def test_images_without_uid_are_all_taken() -> None:
    found = read([written(ct(SOPInstanceUID=None)), written(ct(SOPInstanceUID=None))])
    assert all(isinstance(each, RawImage) for each in found)


def test_known_images_are_not_decoded_again_and_the_rest_is_the_same() -> None:
    frames = [{"values": hounsfield(n)} for n in range(3)]
    files = {
        "a": written(ct(number=1)),
        "b": written(enhanced(frames, {"rescale": (1, 0)}, SOPInstanceUID="2.25.8")),
        "c": written(ct(number=1)),
        "d": b"no DICOM",
    }
    whole = list(DicomImages(Files(files)).items())
    for known in ({"file 1"}, {"file 2, frame 2"}, {"file 1", "file 2, frame 1"}):
        again = list(DicomImages(Files(files)).items(known))
        assert again == [
            Known(box_clipped=False, noisy=False)
            if isinstance(each, RawImage) and each.source in known
            else each
            for each in whole
        ]


def test_nothing_usable_fails_and_says_what_came_first() -> None:
    with pytest.raises(BadInput) as caught:
        read({"a": b"nothing", "b": b"more of it"})
    assert caught.value.detail == (
        "The source holds no usable DICOM image; the first that was left out is file 1: "
        "it is not a DICOM file."
    )


@pytest.mark.parametrize("root", ["", "scans/"])
def test_phantoms_are_marked(root: str) -> None:
    files = {f"{root}a/1": written(ct())}
    assert not DicomImages(Files(files)).is_phantom
    marked = DicomImages(Files(files | {f"{root}phantom.json": b"{}"}))
    assert marked.is_phantom
    assert len(list(marked.items())) == 1
