"""A DICOM file at the door: its picture passes, and nothing that says whose it is."""

import io
import random

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

from shared.datasets.dicom_stripping import KEPT, is_dicom, stripped
from shared.errors import BadInput, TooLarge
from tests.unit.preprocessing.dicom.builders import compressed, ct, enhanced, hounsfield, written
from tests.unit.preprocessing.dicom.test_privacy import MARK, UID_MARK, marked

MAX_PIXELS = 1 << 16


def test_only_the_picture_passes() -> None:
    sound = written(marked(1))
    made = stripped(sound, max_pixels=MAX_PIXELS)
    found = dcmread(io.BytesIO(made))

    assert MARK.encode() in sound
    assert MARK.encode() not in made
    assert UID_MARK.encode() not in made
    assert {element.keyword for element in found} <= {*KEPT, "SOPInstanceUID"}
    assert found.PixelData == dcmread(io.BytesIO(sound)).PixelData
    assert (found.RescaleSlope, found.RescaleIntercept) == (1, -1024)
    assert list(found.PixelSpacing) == [0.7, 0.7]


def test_items_of_sequences_are_gone_through() -> None:
    frame = {"values": hounsfield() + 1024, "spacing": 0.7, "rescale": (1, -1024)}
    dataset = enhanced([frame], {})
    (group,) = dataset.PerFrameFunctionalGroupsSequence
    group.PatientName = f"{MARK}^NESTED"
    group.PixelMeasuresSequence[0].InstitutionName = MARK
    made = stripped(written(dataset), max_pixels=MAX_PIXELS)

    assert MARK.encode() not in made
    (group,) = dcmread(io.BytesIO(made)).PerFrameFunctionalGroupsSequence
    assert list(group.PixelMeasuresSequence[0].PixelSpacing) == [0.7, 0.7]


def test_compressed_pixels_stay_as_they_are() -> None:
    sound = compressed(ct(), RLELossless, b"\1" * 64)
    made = dcmread(io.BytesIO(stripped(sound, max_pixels=MAX_PIXELS)))

    assert made.file_meta.TransferSyntaxUID == RLELossless
    assert made.PixelData == dcmread(io.BytesIO(sound)).PixelData


def test_the_same_file_is_the_same_bytes() -> None:
    first, second = (stripped(written(ct(number=2)), max_pixels=MAX_PIXELS) for _ in range(2))

    assert first == second
    assert is_dicom(first)


def test_what_has_no_picture_or_too_large_a_one_is_refused() -> None:
    with pytest.raises(BadInput, match="no picture"):
        stripped(written(ct(PixelData=None)), max_pixels=MAX_PIXELS)
    with pytest.raises(TooLarge, match="16x12 px"):
        stripped(written(ct()), max_pixels=16 * 12 - 1)
    with pytest.raises(BadInput, match="deflated"):
        stripped(written(ct(), DeflatedExplicitVRLittleEndian), max_pixels=MAX_PIXELS)


def test_a_header_without_end_is_refused() -> None:
    elements = b"".join(
        group + number.to_bytes(2, "little") + b"LO\x00\x00"
        for group in (b"\x09\x00", b"\x0b\x00")
        for number in range(1, 60_000)
    )
    sound = written(ct())
    at = sound.index(b"\x10\x00\x20\x00LO")  # the patient's id
    with pytest.raises(BadInput, match="damaged"):
        stripped(sound[:at] + elements + sound[at:], max_pixels=MAX_PIXELS)


def test_damage_leads_nowhere_else() -> None:
    sound = bytearray(written(marked(1)))
    chance = random.Random(0)
    reasons = []
    for _ in range(300):
        damaged = bytearray(sound)
        for _ in range(4):
            damaged[chance.randrange(132, 2_000)] = chance.randrange(256)
        try:
            stripped(bytes(damaged), max_pixels=MAX_PIXELS)
        except (BadInput, TooLarge) as error:
            reasons.append(str(error))
    assert 0 < len(reasons) < 300
    assert MARK not in "".join(reasons)


def test_what_is_none_is_known_by_its_prefix() -> None:
    assert is_dicom(written(ct()))
    assert not is_dicom(b"\x89PNG\r\n\x1a\n" + b"\0" * 200)
    assert not is_dicom(b"")
    assert np.array_equal(dcmread(io.BytesIO(written(ct()))).pixel_array, hounsfield(1) + 1024)
