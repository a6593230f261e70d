"""PNGs that are well-formed in part: right checksums over wrong content."""

import struct
import zlib
from collections.abc import Callable
from random import Random

from lesiongan.contracts.datasets import Layout
from tests.fuzz.good import FORMS, Upload, files, packed, png
from tests.unit.preprocessing.builders import after_header, chunk

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: (width, height): beyond what is taken, impossible, or just within the limit of 50 megapixels.
SIZES = (
    (0, 5),
    (2**31 - 1, 2**31 - 1),
    (2**32 - 1, 1),
    (65_500, 65_500),
    (50_000_001, 1),
    (1, 40_000_000),
    (40_000_000, 1),
    (7_000, 7_000),
)
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def made(
    width: int, height: int, depth: int, colour: int, body: bytes, *, interlace: int = 0
) -> bytes:
    """A PNG that says this of itself."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return _SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def huge(random: Random) -> bytes:
    """States a size that its few bytes do not hold."""
    width, height = random.choice(SIZES)
    depth = random.choice((8, 16))
    return made(width, height, depth, random.choice((0, 2, 6)), zlib.compress(b"\0" * 5000))


def bomb(random: Random) -> bytes:
    """Decodes to as much as its header may state: some 50 megapixels of nothing."""
    colour = random.choice(tuple(_CHANNELS))
    depth = random.choice((8, 16)) if colour != 3 else 8
    side = random.choice((3000, 5000, 7000))
    row = 1 + side * _CHANNELS[colour] * depth // 8
    packer = zlib.compressobj(9)
    line = b"\0" * row
    pieces = [packer.compress(line) for _ in range(side)]
    return made(side, side, depth, colour, b"".join([*pieces, packer.flush()]))


def odd_header(random: Random) -> bytes:
    """Colour types, depths and methods that the standard has or does not have."""
    header = struct.pack(
        ">IIBBBBB", 28, 28, *(random.choice((0, 1, 2, 3, 4, 6, 8, 16, 255)) for _ in range(5))
    )
    return _SIGNATURE + chunk(b"IHDR", header) + png(0)[33:]


def extra_chunks(random: Random) -> bytes:
    """Chunks of any kind and length, with right checksums, again and again."""
    kinds = (
        b"tEXt",
        b"iTXt",
        b"zTXt",
        b"iCCP",
        b"PLTE",
        b"tRNS",
        b"acTL",
        b"fdAT",
        b"IHDR",
        b"\0\0\0\0",
    )
    body = random.choice((b"", b"\0" * 70_000, b"Patient\0John", random.randbytes(50)))
    return after_header(png(1), chunk(random.choice(kinds), body) * random.randint(1, 200))


def wrong_length(random: Random) -> bytes:
    """A chunk that claims to be longer, or to have no end."""
    length = random.choice((2**31 - 1, 2**32 - 1, 2**31, 0, 5))
    return png(2)[:33] + struct.pack(">I", length) + png(2)[37:]


def wrong_pixels(random: Random) -> bytes:
    """Pixel data that are no zlib stream, too few, too many, or of a filter that is none."""
    raw = random.choice((b"", b"\xff" * 812, b"\0" * 10, random.randbytes(812), b"\5" * 90_000))
    body = random.choice((raw, zlib.compress(raw), zlib.compress(raw)[:-3]))
    return made(28, 28, 8, 0, body, interlace=random.choice((0, 1)))


def dicom(random: Random) -> bytes:
    """A DICOM file, or its first bytes, where a PNG should be."""
    sequence = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    elements = b"".join(
        struct.pack("<HH2sH", 0x0010, number, b"PN", 10) + b"DOE^JOHN^^"
        for number in range(random.randint(1, 50))
    )
    return b"\0" * 128 + b"DICM" + elements + sequence * random.randint(0, 2000)


KINDS: tuple[Callable[[Random], bytes], ...] = (
    huge,
    odd_header,
    extra_chunks,
    wrong_length,
    wrong_pixels,
    dicom,
)


def _pngs(random: Random) -> tuple[Layout, dict[str, bytes], list[str]]:
    """A sound data set of PNGs, and their names."""
    layout: Layout = random.choice(("deeplesion", "folders"))
    content = files(layout)
    return layout, content, [name for name in content if name.endswith(".png")]


def hostile_png(random: Random) -> Upload:
    """One or more images of a data set are wrong inside."""
    layout, content, images = _pngs(random)
    kind = random.choice(KINDS)
    for name in random.sample(images, random.randint(1, len(images))):
        content[name] = kind(random)
    form = random.choice(FORMS)
    return Upload(packed(content, form), layout, form)


def png_bomb(random: Random) -> Upload:
    """An image of a data set that is large once it is decoded."""
    layout, content, images = _pngs(random)
    content[images[0]] = bomb(random)
    form = random.choice(FORMS)
    return Upload(packed(content, form), layout, form)


MUTATIONS = (hostile_png, png_bomb)
