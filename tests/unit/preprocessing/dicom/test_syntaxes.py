"""Transfer syntaxes: the same slice comes out of all, and what is not read says so."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.pixels.encoders.base import get_encoder
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    MPEG2MPML,
    UID,
    CTImageStorage,
    ExplicitVRBigEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from services.preprocessing.domain.dicom.syntaxes import DECODERS, NATIVE
from services.preprocessing.domain.png import decode_grey
from tests.unit.preprocessing.builders import grey_noise
from tests.unit.preprocessing.dicom import codestreams
from tests.unit.preprocessing.dicom.builders import (
    capture,
    compressed,
    ct,
    enhanced,
    hounsfield,
    hu,
    image,
    read,
    reason,
    written,
)

PICTURE = codestreams.picture()
EXPECTED_HU = PICTURE.astype(int) - 1024


def encoded(syntax: UID, stored: NDArray[np.uint16], **options: Any) -> bytes:
    """By pydicom, or what it calls."""
    about: dict[str, Any] = {
        "rows": stored.shape[0],
        "columns": stored.shape[1],
        "samples_per_pixel": 1,
        "photometric_interpretation": "MONOCHROME2",
        "bits_allocated": 16,
        "bits_stored": 16,
        "pixel_representation": 0,
        "number_of_frames": 1,
    }
    return next(get_encoder(syntax).iter_encode(stored, **about, **options))


LOSSLESS: dict[UID, bytes] = {
    RLELossless: encoded(RLELossless, PICTURE),
    JPEGLossless: codestreams.JPEG_LOSSLESS,
    JPEGLosslessSV1: codestreams.JPEG_LOSSLESS,
    JPEGLSLossless: codestreams.JPEG_LS,
    JPEGLSNearLossless: codestreams.JPEG_LS,
    JPEG2000Lossless: codestreams.JPEG_2000,
    JPEG2000: codestreams.JPEG_2000,
    HTJ2KLossless: codestreams.HTJ2K,
    HTJ2KLosslessRPCL: codestreams.HTJ2K,
    HTJ2K: codestreams.HTJ2K,
}
OF_8_BITS = {JPEGBaseline8Bit, JPEGExtended12Bit}


def test_each_syntax_is_tried_here() -> None:
    assert LOSSLESS.keys() | OF_8_BITS == DECODERS.keys()


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: UID(syntax).keyword)
def test_compressed_slices_come_out_exactly(syntax: UID) -> None:
    found = image([compressed(ct(PICTURE), syntax, LOSSLESS[syntax])])
    assert np.array_equal(hu(found), EXPECTED_HU)


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: UID(syntax).keyword)
def test_signed_values_of_12_bits_come_out_exactly(syntax: UID) -> None:
    """No stream says of itself that it is signed: the header counts."""
    dataset = ct(PICTURE, BitsStored=12, HighBit=11, PixelRepresentation=1)
    found = hu(image([compressed(dataset, syntax, LOSSLESS[syntax])]))
    signed = (PICTURE.astype(int) + 2048) % 4096 - 2048
    assert signed.min() < 0
    assert np.array_equal(found, signed - 1024)


@pytest.mark.parametrize(
    "syntax", sorted(NATIVE - {ExplicitVRBigEndian}), ids=lambda syntax: UID(syntax).keyword
)
def test_plain_slices_come_out_exactly(syntax: UID) -> None:
    assert np.array_equal(hu(image([written(ct(PICTURE), syntax)])), EXPECTED_HU)


def test_big_endian_slices_come_out_exactly() -> None:
    dataset = ct(PICTURE, PixelData=PICTURE.byteswap().tobytes())
    assert np.array_equal(hu(image([written(dataset, ExplicitVRBigEndian)])), EXPECTED_HU)
    grey = written(capture(grey_noise()), ExplicitVRBigEndian)
    assert reason(grey) == "its 8-bit pixels are in big-endian order, which is not read"


@pytest.mark.parametrize("syntax", sorted(OF_8_BITS), ids=lambda syntax: UID(syntax).keyword)
def test_lossy_captures_come_out_nearly(syntax: UID) -> None:
    y, x = np.mgrid[0:24, 0:32]
    grey = (4 * x + 3 * y).astype(np.uint8)
    sink = io.BytesIO()
    Image.fromarray(grey).save(sink, "JPEG", quality=95)
    found = image([compressed(capture(grey), syntax, sink.getvalue())])
    assert found.unit == "uint8"
    values = decode_grey(found.png).values.astype(int)
    assert np.abs(values - grey).max() <= 3


def test_lossy_jpeg_2000_comes_out_nearly() -> None:
    stored = (hounsfield(2, rows=64, columns=64) + 1024).astype(np.uint16)
    stream = encoded(JPEG2000, stored, j2k_psnr=[90])
    found = hu(image([compressed(ct(stored), JPEG2000, stream)])).astype(int)
    difference = np.abs(found - (stored.astype(int) - 1024))
    assert 0 < difference.max() <= 20


def test_frames_are_put_together_and_told_apart() -> None:
    frames = [{"values": PICTURE}] * 3
    dataset = enhanced(frames, {"rescale": (1, -1024)})
    streams = [codestreams.JPEG_2000] * 3
    for data in (
        compressed(dataset, JPEG2000Lossless, *streams),
        compressed(dataset, JPEGLSLossless, *[codestreams.JPEG_LS] * 3),
    ):
        found = read([data])
        assert len(found) == 3
        assert all(np.array_equal(hu(each), EXPECTED_HU) for each in found)


def test_a_frame_in_pieces_is_put_together() -> None:
    stream = codestreams.JPEG_2000
    dataset = ct(PICTURE)
    compressed(dataset, JPEG2000Lossless, stream)
    pieces = (stream[:100], stream[100:200], stream[200:])
    items = [b"", *pieces]
    dataset.PixelData = b"".join(
        b"\xfe\xff\x00\xe0" + len(each).to_bytes(4, "little") + each for each in items
    )
    assert np.array_equal(hu(image([written(dataset, JPEG2000Lossless)])), EXPECTED_HU)


def test_what_is_not_read_says_so() -> None:
    said = "its transfer syntax is not read: "
    data = compressed(ct(PICTURE), MPEG2MPML, codestreams.JPEG_LS)
    assert reason(data) == said + "MPEG2 Main Profile / Main Level"
    unknown = b"1.2.999.10008.1.2.4.66"
    data = compressed(ct(PICTURE), JPEG2000, codestreams.JPEG_2000)
    assert reason(data.replace(JPEG2000.encode(), unknown)) == said + "a private one"


def test_lossy_jpeg_of_12_bits_is_not_read() -> None:
    stream = bytearray(codestreams.JPEG_LOSSLESS)
    at = stream.index(b"\xff\xc3")
    stream[at + 1], stream[at + 4] = 0xC1, 12
    said = "it is lossy JPEG of 12 bits, which is not read"
    assert reason(compressed(ct(PICTURE), JPEGExtended12Bit, bytes(stream))) == said


MR_FILES = (
    *("MR_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "MR_small_expb.dcm"),
    *("MR_small_implicit.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm"),
    "MR_small_padded.dcm",
)


def as_ct(name: str) -> bytes:
    """A file of pydicom's own tests, said to be CT: its encoding is what is tried."""
    path = get_testdata_file(name, download=False)
    assert isinstance(path, str)
    dataset = dcmread(path)
    dataset.SOPClassUID = CTImageStorage
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
    dataset.PixelSpacing = [0.5, 0.5]
    sink = io.BytesIO()
    dataset.save_as(sink)
    return sink.getvalue()


@pytest.mark.parametrize("name", MR_FILES)
def test_one_picture_written_by_others_is_the_same_in_all(name: str) -> None:
    found = hu(image([as_ct(name)]))
    plain = dcmread(str(get_testdata_file("MR_small.dcm", download=False))).pixel_array
    assert np.array_equal(found, plain.astype(int) - 1024)


def test_pydicoms_truncated_file_is_left_out() -> None:
    assert reason(as_ct("MR_truncated.dcm")) == "its pixel data are truncated"


@pytest.mark.parametrize("name", ["CT_small.dcm", "J2K_pixelrep_mismatch.dcm", "693_J2KI.dcm"])
def test_pydicoms_slices_come_out_as_pydicom_has_them(name: str) -> None:
    path = Path(str(get_testdata_file(name, download=False)))
    dataset = dcmread(path)
    expected = dataset.pixel_array.astype(int) + int(dataset.RescaleIntercept)
    padding = dataset.get("PixelPaddingValue")
    expected[dataset.pixel_array == padding] = -1024
    assert np.array_equal(hu(image([path.read_bytes()])), expected)


SHARED = Path(__file__).parents[5] / "shared" / "data" / "dicom"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="needs shared/data/dicom")
SAME_SLICE = (
    "DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99",
    "JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90",
    "JPEGProcess14SV1TransferSyntax_1.2.840.10008.1.2.4.70",
    "LittleEndianExplicitTransferSyntax_1.2.840.10008.1.2.1",
    "LittleEndianImplicitTransferSyntax_1.2.840.10008.1.2",
)


@needs_shared
@pytest.mark.parametrize("name", SAME_SLICE)
def test_a_real_slice_is_the_same_in_every_syntax(name: str) -> None:
    plain = dcmread(SHARED / f"CTImage.dcm_{SAME_SLICE[3]}.dcm").pixel_array.astype(int) - 1024
    found = image([(SHARED / f"CTImage.dcm_{name}.dcm").read_bytes()])
    assert np.array_equal(hu(found), plain)
    assert (found.width, found.height, found.spacing_mm) == (512, 512, 0.675781)
    assert found.window_hu == (-160, 240)


@needs_shared
def test_the_other_real_files_are_read_or_say_why_not() -> None:
    progressive = "CTImage.dcm_JPEGProcess10_12TransferSyntax_1.2.840.10008.1.2.4.55.dcm"
    said = "its transfer syntax is not read: JPEG Full Progression, Non-Hierarchical"
    assert said in reason((SHARED / progressive).read_bytes())
    assert hu(image([(SHARED / "CT1_J2KR").read_bytes()])).shape == (512, 512)
    other = reason((SHARED / "no-pixel-data.dcm").read_bytes())
    assert other == "it is another DICOM object than a CT slice or a grey capture"
