"""PNG headers, metadata and decoding."""

import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.preprocessing.domain.png import (
    MAX_PIXELS,
    UnreadableImage,
    decode_checked,
    decode_grey,
    decode_rows,
    encode_grey,
    read_header,
    strip_metadata,
)
from shared.errors import BadInput
from tests.unit.preprocessing.builders import (
    after_header,
    chunk,
    grey_noise,
    header_only,
    slice_png,
)

SECRET = b"PatientName\0Jane Doe"


def reason(png: bytes) -> str:
    with pytest.raises(UnreadableImage) as caught:
        decode_grey(png)
    return caught.value.detail


def test_header_is_read_without_decoding() -> None:
    header = read_header(header_only(640, 480, bit_depth=16))
    assert (header.width, header.height, header.bit_depth, header.colour_type) == (640, 480, 16, 0)
    assert header.is_plain_grey


def test_an_image_above_the_pixel_cap_is_refused_before_decoding() -> None:
    read_header(header_only(MAX_PIXELS // 1000, 1000))
    with pytest.raises(BadInput, match="too large: 50000 x 1001 pixels; the limit is 50 megapixel"):
        decode_grey(header_only(MAX_PIXELS // 1000, 1001))


@pytest.mark.parametrize(
    ("png", "said"),
    [
        (b"", "it is not a PNG image"),
        (b"\xff\xd8\xff\xe0 a JPEG", "it is not a PNG image"),
        (b"\x89PNG\r\n\x1a\n", "does not begin with a header"),
        (b"\x89PNG\r\n\x1a\n" + chunk(b"IDAT", b""), "does not begin with a header"),
        (header_only(0, 5), "impossible size"),
        (header_only(5, 5, bit_depth=7), "impossible colour type or bit depth"),
        (header_only(5, 5, colour_type=5), "impossible colour type or bit depth"),
        (header_only(5, 5), "truncated"),
        (header_only(5, 5) + chunk(b"IEND", b""), "truncated"),
        (header_only(5, 5) + chunk(b"IDAT", b"not zlib") + chunk(b"IEND", b""), "damaged"),
    ],
)
def test_unreadable_images_say_why(png: bytes, said: str) -> None:
    assert said in reason(png)


def test_truncation_and_changed_bytes_are_found() -> None:
    png = slice_png()
    assert reason(png[: len(png) // 2]) == "the PNG is truncated"
    assert reason(png[:-12]) == "the PNG is truncated"
    changed = bytearray(png)
    changed[len(png) // 2] ^= 1
    assert reason(bytes(changed)) == "the PNG is damaged: a checksum does not match"


@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME", b"tRNS", b"prVt"])
def test_chunks_beside_pixels_are_dropped(kind: bytes) -> None:
    png = slice_png()
    stripped = strip_metadata(after_header(png, chunk(kind, SECRET)) + SECRET)
    assert stripped == png


def test_gamma_does_not_change_pixels() -> None:
    values = grey_noise()
    gamma = chunk(b"gAMA", (45455 // 3).to_bytes(4, "big"))
    decoded = decode_grey(after_header(encode_grey(values), gamma))
    np.testing.assert_array_equal(decoded.values, values)


def test_a_transparent_grey_level_is_a_value_as_others_are() -> None:
    values = grey_noise()
    png = encode_grey(values)
    transparent = chunk(b"tRNS", int(values[0, 0]).to_bytes(2, "big"))
    image = decode_grey(after_header(png, transparent))
    np.testing.assert_array_equal(image.values, values)
    assert image.png == png


@given(bits=st.sampled_from([8, 16]), seed=st.integers(0, 1000), width=st.integers(1, 40))
def test_values_survive_a_round_trip(bits: int, seed: int, width: int) -> None:
    dtype = np.uint8 if bits == 8 else np.uint16
    values = np.random.default_rng(seed).integers(0, 2**bits, (7, width), dtype)
    png = encode_grey(values)
    image = decode_grey(png)
    assert image.png == png
    assert image.bit_depth == bits
    np.testing.assert_array_equal(image.values, values)


def colour_png(values: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", values)[1].tobytes()


@pytest.mark.parametrize("channels", [3, 4])
def test_grey_stored_as_colour_becomes_grey_exactly(channels: int) -> None:
    grey = grey_noise()
    colour = np.repeat(grey[..., None], channels, 2)
    if channels == 4:
        colour[..., 3] = 255
    image = decode_grey(colour_png(colour))
    np.testing.assert_array_equal(image.values, grey)
    assert read_header(image.png).is_plain_grey
    np.testing.assert_array_equal(decode_grey(image.png).values, grey)


def test_colour_and_transparency_are_not_guessed_away() -> None:
    colour = np.repeat(grey_noise()[..., None], 4, 2)
    colour[..., 3] = 255
    transparent = colour.copy()
    transparent[0, 0, 3] = 254
    assert reason(colour_png(transparent)).startswith("it is a transparent picture")
    colour[3, 4, 1] ^= 1
    assert reason(colour_png(colour)).startswith("it is a colour picture")


@settings(max_examples=100)
@given(st.integers(8, 400), st.integers(0, 255))
def test_no_change_of_a_byte_passes_unnoticed(place: int, value: int) -> None:
    png = slice_png(width=16, height=16)
    changed = bytearray(png)
    place %= len(png)
    changed[place] = value
    if bytes(changed) != png:
        with pytest.raises(BadInput):
            decode_grey(bytes(changed))


def filtered(bits: int, strategy: int) -> bytes:
    """A smooth picture, for which the encoder chooses its filters row by row."""
    rows, columns = np.mgrid[0:90, 0:70]
    values = (
        rows * 37 + columns * columns * 11 + grey_noise(size=90)[:, :70].astype(int) % 5
    ) % 2**bits
    kind = np.uint8 if bits == 8 else np.uint16
    options = [cv2.IMWRITE_PNG_FILTER, strategy]
    return cv2.imencode(".png", values.astype(kind), options)[1].tobytes()


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    "strategy",
    [cv2.IMWRITE_PNG_FILTER_UP, cv2.IMWRITE_PNG_FILTER_PAETH, cv2.IMWRITE_PNG_ALL_FILTERS],
)
@pytest.mark.parametrize("rows", [0, 1, 41, 89, 90, 200])
def test_the_first_rows_are_those_of_the_whole(bits: int, strategy: int, rows: int) -> None:
    png = filtered(bits, strategy)
    whole, top = decode_checked(png), decode_rows(png, rows)
    assert top.dtype == whole.dtype
    np.testing.assert_array_equal(top, whole[: max(rows, 1)])


@pytest.mark.parametrize("rows", [1, 40, 90])
def test_damage_behind_the_rows_that_are_wanted_is_found(rows: int) -> None:
    png = bytearray(filtered(16, cv2.IMWRITE_PNG_ALL_FILTERS))
    whole = bytes(png)
    png[-40] ^= 1
    for damaged in (bytes(png), whole[:-12], whole[:-300], whole[:20]):
        with pytest.raises(UnreadableImage):
            decode_rows(damaged, rows)


def test_pixel_data_that_end_too_early_are_found_though_every_checksum_is_right() -> None:
    png = header_only(64, 64, bit_depth=16) + chunk(b"IDAT", zlib.compress(bytes(500)))
    with pytest.raises(UnreadableImage):
        decode_rows(png + chunk(b"IEND", b""), 32)
