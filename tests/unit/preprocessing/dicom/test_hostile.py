"""Files that lie: each is left out with a reason, and nothing is allocated on their word."""

import struct
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from tests.unit.preprocessing.dicom import codestreams
from tests.unit.preprocessing.dicom.builders import compressed, ct, read, reason, written

LIMIT_BYTES = 300 << 20


@contextmanager
def bounded() -> Iterator[None]:
    """Fails where reading takes more memory above idle than it may, or too long."""
    reason(b"nothing")  # what is imported and made once
    Path("/proc/self/clear_refs").write_text("5")
    before, started = _peak(), time.process_time()
    yield
    assert _peak() - before < LIMIT_BYTES
    assert time.process_time() - started < 20


def _peak() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024


def said_of(data: bytes) -> str:
    with bounded():
        return reason(data)


def after_preamble(body: bytes) -> bytes:
    """An Explicit VR Little Endian data set of any bytes."""
    syntax = b"1.2.840.10008.1.2.1\0"
    meta = struct.pack("<HH2sH", 2, 0x10, b"UI", len(syntax)) + syntax
    return b"\0" * 128 + b"DICM" + meta + body


def element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2sH", group, number, vr, len(value)) + value


def sequence(group: int, number: int, content: bytes, *, length: int = 0xFFFF_FFFF) -> bytes:
    return struct.pack("<HH2sHI", group, number, b"SQ", 0, length) + content


ITEM = b"\xfe\xff\x00\xe0"
CLASS = element(8, 0x16, b"UI", b"1.2.840.10008.5.1.4.1.1.2\0")


@pytest.mark.parametrize(
    ("elements", "said"),
    [
        ({"Rows": 65_535, "Columns": 65_535}, "the image is too large: 65535 x 65535 pixels"),
        ({"NumberOfFrames": 2**31 - 1}, "it claims 2,147,483,647 frames; 1 to 4,096 are read"),
        ({"NumberOfFrames": 0}, "it claims 0 frames"),
        ({"NumberOfFrames": -7}, "it claims -7 frames"),
        ({"NumberOfFrames": 4096}, "its pixel data are truncated"),
        ({"Rows": 4096, "Columns": 4096}, "its pixel data are truncated"),
    ],
)
def test_sizes_that_are_claimed_are_not_allocated(elements: dict[str, Any], said: str) -> None:
    assert said_of(written(ct(**elements))).startswith(said)


def test_pixels_that_end_early_are_refused() -> None:
    whole = written(ct())
    for size in (len(whole) - 1, len(whole) - 200, len(whole) - 380):
        assert said_of(whole[:size]) == "its pixel data are truncated"


def test_every_cut_of_a_file_is_left_out() -> None:
    whole = written(ct())
    said = {reason(whole[:size]) for size in range(0, len(whole) - 1, 7)}
    assert said <= {
        "it is not a DICOM file",
        "its DICOM header is truncated",
        "its DICOM header is damaged",
        "a value in its DICOM header is malformed",
        "it is another DICOM object than a CT slice or a grey capture",
        "it is a colour picture; CT images are grey",
        "its header does not say how its pixels are stored",
        "it holds no pixels",
        "its pixel data are truncated",
    }


def test_deep_nesting_is_refused() -> None:
    nested = (sequence(8, 0x1140, b"") + ITEM + b"\xff\xff\xff\xff") * 20_000
    assert said_of(after_preamble(CLASS + nested)) == "its DICOM header is damaged"


@pytest.mark.parametrize("known_length", [True, False])
def test_sequences_of_very_many_items_are_refused(known_length: bool) -> None:
    items = (ITEM + b"\0\0\0\0") * 2_000_000
    groups = sequence(0x5200, 0x9230, items, length=len(items) if known_length else 0xFFFF_FFFF)
    pixels = written(ct())
    body = pixels[pixels.index(CLASS) :]
    at = body.index(b"\xe0\x7f\x10\x00")
    data = after_preamble(body[:at] + groups + body[at:])
    assert said_of(data) == "its DICOM header is too long"


def test_very_many_elements_are_refused_or_skipped() -> None:
    body = b"".join(struct.pack("<HH2sH", 9, n % 65_536, b"LO", 0) for n in range(3_000_000))
    assert said_of(after_preamble(CLASS + body)) == "its DICOM header is too long"
    inside = sequence(0x5200, 0x9229, ITEM + b"\xff\xff\xff\xff" + body)
    assert said_of(after_preamble(CLASS + inside)) == "its DICOM header is too long"


def test_long_values_are_refused() -> None:
    value = b"1\\" * 1_000_000
    spacing = struct.pack("<HH2sHI", 0x28, 0x30, b"UT", 0, len(value)) + value
    pixels = written(ct(PixelSpacing=None))
    body = pixels[pixels.index(CLASS) :]
    at = body.index(b"\x28\x00\x00\x01")
    data = after_preamble(body[:at] + spacing + body[at:])
    assert said_of(data) == "its DICOM header is too long"


def test_deflated_bombs_and_damage_are_refused() -> None:
    data = written(ct(), DeflatedExplicitVRLittleEndian)
    start = 144 + int.from_bytes(data[140:144], "little")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(200)), packer.flush()])
    said = said_of(data[:start] + bomb)
    assert said == "its deflated data expand to more than 64 MiB"
    assert said_of(data[:-10]) == "its deflated data are truncated"
    assert said_of(data[:start] + b"\xff" * 50) == "its deflated data are damaged"


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless])
@pytest.mark.parametrize("fragments", [b"", b"\0" * 9, ITEM * 9, b"\xff" * 300])
def test_fragments_that_make_no_sense_are_refused(syntax: Any, fragments: bytes) -> None:
    dataset = ct(PixelData=b"\xfe\xff\x00\xe0\0\0\0\0")
    data = compressed(dataset, syntax, b"\0\0")
    at = data.rindex(b"OB\0\0\xff\xff\xff\xff") + 8
    assert said_of(data[:at] + fragments) in (
        "its pixel data are damaged",
        "its pixel data are truncated",
        "its table of frames is too long",
    )


def test_very_many_fragments_are_refused() -> None:
    data = compressed(ct(), JPEG2000Lossless, b"\0\0")
    at = data.rindex(b"OB\0\0\xff\xff\xff\xff") + 8
    said = said_of(data[:at] + (ITEM + b"\0\0\0\0") * 3_000_000)
    assert said == "its compressed pixels are not what its transfer syntax says"


def test_a_stream_of_another_size_is_not_decompressed() -> None:
    picture = codestreams.picture()
    said = "its compressed pixels are of another size than its header says"
    for syntax, stream, at in (
        (JPEG2000Lossless, codestreams.JPEG_2000, 8),
        (JPEGLSLossless, codestreams.JPEG_LS, codestreams.JPEG_LS.index(b"\xff\xf7") + 5),
        (
            JPEGLosslessSV1,
            codestreams.JPEG_LOSSLESS,
            codestreams.JPEG_LOSSLESS.index(b"\xff\xc3") + 5,
        ),
    ):
        larger = stream[:at] + b"\x7f\xff" + stream[at + 2 :]
        assert said_of(compressed(ct(picture), syntax, larger)) == said
    jpeg = codestreams.JPEG_LS
    assert "not what its transfer syntax says" in reason(
        compressed(ct(picture), JPEG2000Lossless, b"\0" * 300)
    )
    assert reason(compressed(ct(picture), JPEGLSLossless, jpeg[:12])) in (
        "its compressed pixels are truncated",
        "its compressed pixels are damaged",
    )
    assert "larger than plain" in reason(
        compressed(ct(picture), JPEGLSLossless, jpeg + bytes(200_000))
    )


def test_streams_that_are_cut_or_damaged_never_end_the_reader() -> None:
    picture = codestreams.picture()
    for syntax, stream in (
        (JPEG2000Lossless, codestreams.JPEG_2000),
        (JPEGLSLossless, codestreams.JPEG_LS),
        (JPEGLosslessSV1, codestreams.JPEG_LOSSLESS),
    ):
        for at in range(60, len(stream) - 4, 72):
            damaged = stream[:at] + b"\xff\x00\xff\xff" + stream[at + 4 :]
            found = read([written(ct(number=9)), compressed(ct(picture), syntax, damaged)])
            assert len(found) == 2
