"""How large a PNG says it is."""

import struct

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadInput
from shared.web.png_header import PngHeader, read_header

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def head(width: int, height: int) -> bytes:
    return SIGNATURE + struct.pack(">I4sII", 13, b"IHDR", width, height)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_real_png(channels: int) -> None:
    whole, data = cv2.imencode(".png", np.zeros((5, 9, channels), dtype=np.uint8))
    assert whole
    assert read_header(data.tobytes()) == PngHeader(width=9, height=5)


@given(st.integers(1, 2**31 - 1), st.integers(1, 2**31 - 1), st.binary(max_size=20))
def test_the_stated_size_is_read_without_the_rest(width: int, height: int, rest: bytes) -> None:
    assert read_header(head(width, height) + rest) == PngHeader(width, height)


@given(st.integers(0, 23))
def test_a_truncated_head_is_refused(length: int) -> None:
    with pytest.raises(BadInput, match="not a PNG"):
        read_header(head(32, 32)[:length])


@given(st.binary(max_size=64))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        read_header(data)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff\xe0" + bytes(40),
        b"GIF89a" + bytes(40),
        head(32, 32).replace(b"IHDR", b"IDAT"),
        head(32, 32).replace(b"PNG", b"MNG"),
        b" " + head(32, 32),
    ],
)
def test_other_formats_are_refused(data: bytes) -> None:
    with pytest.raises(BadInput, match="not a PNG"):
        read_header(data)


@pytest.mark.parametrize(("width", "height"), [(0, 32), (32, 0), (0, 0)])
def test_a_size_of_zero_is_refused(width: int, height: int) -> None:
    with pytest.raises(BadInput, match="size of zero"):
        read_header(head(width, height))
