"""DICOM files that lie: about lengths, sizes, syntaxes, sequences and compressed pixels."""

import struct
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from services.preprocessing.domain.dicom.syntaxes import DECODERS, NATIVE
from tests.fuzz.bytes_mutations import DAMAGES
from tests.fuzz.good import FORMS, Upload, dicoms, files, packed
from tests.fuzz.table_mutations import CELLS
from tests.unit.preprocessing.dicom import codestreams
from tests.unit.preprocessing.dicom.builders import UID_ROOT, compressed, ct, written

#: Where a file's data set begins, behind preamble and prefix.
_META = 132
_ITEM = b"\xfe\xff\x00\xe0"
_UNDEFINED = b"\xff\xff\xff\xff"
_STREAMS = {
    JPEG2000Lossless: codestreams.JPEG_2000,
    JPEGLosslessSV1: codestreams.JPEG_LOSSLESS,
    JPEGLSLossless: codestreams.JPEG_LS,
}
_NUMBERS = {
    "Rows": (0, 1, 15, 17, 4096, 65_535),
    "Columns": (0, 1, 15, 17, 4096, 65_535),
    "NumberOfFrames": (0, -1, 2, 4096, 4097, 2**31 - 1, -(2**31)),
    "BitsAllocated": (0, 1, 8, 12, 32, 64, 65_535),
    "BitsStored": (0, 1, 8, 12, 17, 65_535),
    "HighBit": (0, 7, 15, 16, 65_535),
    "PixelRepresentation": (1, 2, 65_535),
    "SamplesPerPixel": (0, 3, 65_535),
    "RescaleSlope": (0, -1, 1e300, 1e-300, "0.000000000001"),
    "RescaleIntercept": (1e308, -1e308),
    "PixelSpacing": ([0, 0], [-1, -1], [1e300, 1e300], [0.7], [0.7, 0.7, 0.7]),
    "WindowWidth": (0, -1, 1e300),
}
_VRS = (b"OB", b"OW", b"UN", b"SQ", b"UT", b"DS", b"IS", b"US", b"AT", b"PN", b"??", b"\0\0")


def _upload(random: Random, mutated: bytes) -> Upload:
    """With sound files beside it, and perhaps a table."""
    content = files("dicom") if random.random() < 0.5 else {}
    content["scan/mutated"] = mutated
    if random.random() < 0.3:
        rows = "".join(f"{UID_ROOT}.{n},liver,1,1,5,5\n" for n in range(5))
        content["lesions.csv"] = b"sop_instance_uid,category,x1,y1,x2,y2\n" + rows.encode()
    form = random.choice(FORMS)
    return Upload(packed(content, form), "dicom", form)


def _header_end(data: bytes) -> int:
    return data.rindex(b"\xe0\x7f\x10\x00")


def damaged(random: Random) -> Upload:
    """Any damage, before the pixels or in them."""
    data = random.choice(dicoms())
    at = random.choice((0, _META, _header_end(data)))
    return _upload(random, data[:at] + random.choice(DAMAGES)(data[at:], random))


def wrong_numbers(random: Random) -> Upload:
    """Sizes, bits and scales that are impossible, enormous or another file's."""
    chosen = random.sample(sorted(_NUMBERS), random.randint(1, 3))
    elements: dict[str, Any] = {name: random.choice(_NUMBERS[name]) for name in chosen}
    if random.random() < 0.5:
        return _upload(random, written(ct(codestreams.picture(), **elements)))
    syntax = random.choice(sorted(_STREAMS))
    dataset = ct(codestreams.picture(), **elements)
    return _upload(random, compressed(dataset, UID(syntax), _STREAMS[UID(syntax)]))


def wrong_lengths(random: Random) -> Upload:
    """Elements that claim to be longer or shorter, or to have no end."""
    data = bytearray(random.choice(dicoms()))
    vr = random.choice((b"UI", b"DS", b"US", b"CS", b"LO", b"SQ", b"OW", b"OB"))
    places = [at for at in range(_META, len(data) - 12) if data[at : at + 2] == vr]
    for at in random.sample(places, min(len(places), 2)):
        length = random.choice((0, 1, 3, 0xFFFF, 0xFFFE, 0x7FFF))
        if vr in (b"SQ", b"OW", b"OB"):
            wide = random.choice((length, 0xFFFF_FFFF, 0xFFFF_FFFE, 0x7FFF_FFFF, 5))
            data[at + 4 : at + 8] = struct.pack("<I", wide)
        else:
            data[at + 2 : at + 4] = struct.pack("<H", length)
    return _upload(random, bytes(data))


def wrong_vrs(random: Random) -> Upload:
    """Elements of another kind than the standard says."""
    data = bytearray(random.choice(dicoms()))
    places = [
        at
        for at in range(_META, len(data) - 12)
        if bytes(data[at : at + 2]) in (b"US", b"DS", b"UI")
    ]
    for at in random.sample(places, random.randint(1, 4)):
        data[at : at + 2] = random.choice(_VRS)
    return _upload(random, bytes(data))


def wrong_syntax(random: Random) -> Upload:
    """Pixels that are in another transfer syntax than the file says, or in none."""
    data = random.choice(dicoms())
    start = data.index(b"\x02\x00\x10\x00UI")
    length = int.from_bytes(data[start + 6 : start + 8], "little")
    said = random.choice([*sorted(NATIVE | DECODERS.keys()), "1.2.3", "", "9" * 64, "../../x"])
    value = said.encode() + b"\0" * (len(said) % 2)
    element = data[start : start + 6] + struct.pack("<H", len(value)) + value
    return _upload(random, data[:start] + element + data[start + 8 + length :])


def nested(random: Random) -> Upload:
    """Sequences in sequences, or items without end, of known length or of none."""
    data = random.choice(dicoms())
    depth = random.choice((5, 300, 20_000))
    kind = struct.pack("<HH2sH", 0x0008, 0x1140, b"SQ", 0)
    pieces = random.choice(
        (
            (kind + _UNDEFINED + _ITEM + _UNDEFINED) * depth,
            kind + _UNDEFINED + (_ITEM + b"\0\0\0\0") * depth,
            kind + struct.pack("<I", 8 * depth) + (_ITEM + b"\0\0\0\0") * depth,
            (kind + struct.pack("<I", 8 * depth) + _ITEM + struct.pack("<I", 8 * depth)) * depth,
        )
    )
    if random.random() < 0.5:
        pieces = pieces.replace(b"\x08\x00\x40\x11", b"\x00\x52\x30\x92")
    at = random.choice((data.index(b"\x08\x00\x16\x00"), _header_end(data)))
    return _upload(random, data[:at] + pieces + data[at:])


def broken_streams(random: Random) -> Upload:
    """Compressed pixels that are damaged inside sound fragments: this is what decoders see."""
    syntax = UID(random.choice(sorted(_STREAMS)))
    stream = _STREAMS[syntax]
    at = random.randrange(2, len(stream))
    damage = random.choice(DAMAGES)
    broken = stream[:at] + (damage(stream[at:], random) if stream[at:] else b"")
    frames = [broken] * random.choice((1, 1, 3))
    dataset = ct(codestreams.picture(), NumberOfFrames=len(frames))
    return _upload(random, compressed(dataset, syntax, *frames))


def run_lengths(random: Random) -> Upload:
    """RLE segments that begin nowhere, and runs without end."""
    count = random.choice((0, 1, 2, 3, 15, 16, 2**32 - 1))
    offsets = [random.choice((0, 64, 65, 100, 2**31, 2**32 - 1)) for _ in range(15)]
    head = struct.pack("<16I", count, *offsets)
    body = random.choice((b"\x81\x00" * 400, b"\x7f" + bytes(128), b"\x80" * 50, b""))
    return _upload(random, compressed(ct(codestreams.picture()), RLELossless, head + body))


def wrong_fragments(random: Random) -> Upload:
    """Items that overlap, end nowhere, are something else, or are far too many."""
    syntax = UID(random.choice(sorted(_STREAMS)))
    data = compressed(ct(codestreams.picture()), syntax, _STREAMS[syntax])
    at = _header_end(data) + 12
    tables = (
        _ITEM + b"\0\0\0\0",
        _ITEM + struct.pack("<II", 4, 2**31),
        _ITEM + struct.pack("<I", 2**32 - 4) + bytes(100),
        _ITEM + struct.pack("<I", 3) + bytes(3),
        b"\xfe\xff\xdd\xe0\0\0\0\0",
        _ITEM + struct.pack("<I", 16_384) + bytes(16_384),
    )
    items = (
        data[at + 8 :],
        (_ITEM + b"\0\0\0\0") * random.choice((10, 500_000)),
        _ITEM + _UNDEFINED + data[at + 16 :],
        _ITEM + struct.pack("<I", 2**31) + data[at + 16 :],
        b"\xff\xd8" * 100,
        b"",
    )
    return _upload(random, data[:at] + random.choice(tables) + random.choice(items))


def wrong_lesions(random: Random) -> Upload:
    """A table in which some cells are no numbers, no categories, enormous, or another's."""
    columns = ["sop_instance_uid", "file", "frame", "category", "patient", "split", "noisy"]
    columns = [*columns, "x1", "y1", "x2", "y2"][: random.choice((4, 7, 10, 11))]
    rows = []
    for number in range(8):
        uid = f"{UID_ROOT}.{number % 4}"
        rows.append([uid, "", "", "liver", f"p{number}", "train", "0", "1", "1", "9", "9"])
    for _ in range(random.randint(1, 5)):
        random.choice(rows)[random.randrange(len(columns))] = random.choice((*CELLS, "2", "5"))
    lines = [
        ",".join('"' + cell.replace('"', '""') + '"' for cell in row[: len(columns)])
        for row in rows
    ]
    text = "\n".join([",".join(columns), *lines])
    content = {"lesions.csv": text.encode("utf-8", "surrogatepass"), **files("dicom")}
    form = random.choice(FORMS)
    return Upload(packed(content, form), "dicom", form)


def inflating(random: Random) -> Upload:
    """A deflated data set that expands a thousand times."""
    data = written(ct(), DeflatedExplicitVRLittleEndian)
    start = 144 + int.from_bytes(data[140:144], "little")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    sound = data[start:] if random.random() < 0.3 else b""
    pieces = [packer.compress(bytes(1 << 20)) for _ in range(random.choice((8, 63, 65, 400)))]
    return _upload(random, data[:start] + sound + b"".join([*pieces, packer.flush()]))


def endless_header(random: Random) -> Upload:
    """Elements, items or values in millions, noisy enough to be no compression bomb."""
    data = dicoms()[0]
    at = data.index(b"\x08\x00\x16\x00")
    vr = random.choice((b"LO", b"US", b"SQ", b"UN"))
    count = random.choice((50_000, 1_000_000, 4_000_000))
    tags = random.randbytes(4 * 4096)
    element = [tags[4 * n : 4 * n + 4] + vr + b"\0\0" for n in range(4096)]
    if vr in (b"SQ", b"UN"):
        element = [each + b"\0\0\0\0" for each in element]
    block = b"".join(element)
    elements = block * (count // 4096)
    if random.random() < 0.5:
        kind = struct.pack("<HH2sH", 0x5200, 0x9229, b"SQ", 0)
        elements = kind + _UNDEFINED + _ITEM + _UNDEFINED + elements
    return _upload(random, data[:at] + elements + data[at:])


def large_frame(random: Random) -> Upload:
    """The largest image that is read, of noise; or a compressed one that claims to be as large."""
    side = random.choice((2048, 4096))
    if random.random() < 0.5:
        dataset = ct(Rows=side, Columns=side, PixelData=random.randbytes(2 * side * side))
        return _upload(random, written(dataset))
    size = struct.pack(">II", side, side)
    stream = bytearray(codestreams.JPEG_2000)
    stream[8:16] = stream[24:32] = size
    dataset = ct(codestreams.picture(), Rows=side, Columns=side)
    return _upload(random, compressed(dataset, JPEG2000Lossless, bytes(stream)))


MUTATIONS: tuple[Callable[[Random], Upload], ...] = (
    damaged,
    wrong_numbers,
    wrong_lengths,
    wrong_vrs,
    wrong_syntax,
    nested,
    broken_streams,
    run_lengths,
    wrong_fragments,
    wrong_lesions,
    inflating,
    endless_header,
    large_frame,
)
