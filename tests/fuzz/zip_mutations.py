"""ZIPs that lie about themselves."""

import io
import struct
import warnings
import zipfile
import zlib
from random import Random

from tests.fuzz.good import Upload, files, packed, png

_ENTRY = b"PK\x01\x02"
_LOCAL = b"PK\x03\x04"
_END = b"PK\x05\x06"

#: Names that no archive should hold, or not twice, or not for every system.
NAMES = (
    "../../escaped.png",
    "/etc/escaped.png",
    "C:\\escaped.png",
    "images\\..\\..\\escaped.png",
    "images/liver/0.png",
    "images/liver/0.png/",
    "images/./liver/0.png",
    "",
    ".",
    "\0escaped.png",
    "images/liver/" + "a" * 60_000 + ".png",
    "images/" + "d/" * 10_000 + "x.png",
    "images/liver/\ud800.png",
    "images/liver/\u202egnp.exe",
    "images/liver/CON.png",
)


def _sound() -> bytes:
    return packed(files("folders"), "zip")


def _upload(data: bytes) -> Upload:
    return Upload(data, "folders", "zip")


def wrong_fields(random: Random) -> Upload:
    """A field of a local header, a directory entry or the end says something else."""
    data = bytearray(_sound())
    head = random.choice((_ENTRY, _LOCAL, _END))
    start = data.rindex(head) + 4
    width = random.choice((2, 4))
    place = start + random.randrange(0, 18, 2)
    value = random.choice((0, 1, 2 ** (8 * width) - 1, 2 ** (8 * width - 1), 99, 4096))
    data[place : place + width] = value.to_bytes(width, "little")
    return _upload(bytes(data))


def zip64(random: Random) -> Upload:
    """64-bit sizes and offsets: in an extra field, in an end record, true to nothing."""
    value = random.choice((0, 1, 2**63, 2**64 - 1, 2**40))
    extra = struct.pack("<HHQQQ", 1, random.choice((24, 8, 0, 65_535)), value, value, value)
    entry = struct.pack(
        "<4s6H3I5H2I",
        *(_ENTRY, 45, 45, 0, 0, 0, 0, 0, 2**32 - 1, 2**32 - 1),
        *(5, len(extra), 0, 0, 0, 0, 2**32 - 1),
    )
    directory = entry + b"a.png" + extra
    body = _sound()
    end64 = struct.pack(
        "<4sQ2H2I4Q",
        b"PK\x06\x06",
        44,
        45,
        45,
        0,
        0,
        value,
        value,
        random.choice((value, 46)),
        value,
    )
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, random.choice((value, len(body))), 1)
    end = struct.pack("<4s4H2IH", _END, 0, 0, 0xFFFF, 0xFFFF, 2**32 - 1, 2**32 - 1, 0)
    return _upload(body + directory + end64 + locator + end)


def names(random: Random) -> Upload:
    """Paths that climb, are absolute, come twice or are not names."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr(zipfile.ZipInfo("images/liver/0.png"), png(0))
        for name in random.sample(NAMES, random.randint(1, 3)):
            with warnings.catch_warnings(action="ignore"):  # zipfile's, of names that come twice
                archive.writestr(_named(name), png(1))
    return _upload(sink.getvalue())


def _named(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("x")
    info.filename = name.encode("utf-8", "replace").decode()
    return info


def links(random: Random) -> Upload:
    """Symbolic links, devices, pipes and sockets by their Unix mode."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr(zipfile.ZipInfo("images/liver/0.png"), png(0))
        info = zipfile.ZipInfo("images/liver/link.png")
        info.create_system = random.choice((0, 3))
        info.external_attr = random.choice((0o120777, 0o060666, 0o010666, 0o140777)) << 16
        archive.writestr(info, "/etc/passwd")
    return _upload(sink.getvalue())


def ratio_bomb(random: Random) -> Upload:
    """Files that expand a thousand times, one or many, under the limit of one file or over it."""
    size = random.choice((1 << 20, 20 << 20, 127 << 20, 200 << 20))
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("images/liver/0.png"), png(0))
        zeros = zipfile.ZipInfo("images/liver/zeros.png")
        zeros.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(zeros, "w") as target:
            for _ in range(size >> 20):
                target.write(bytes(1 << 20))
    return _upload(sink.getvalue())


def count_bomb(random: Random) -> Upload:
    """Entries without files, up to more than are allowed; the end's own number may be a lie."""
    count = random.choice((1_000, 65_536, 240_000, 260_000, 1_000_000))
    entry = struct.Struct("<4s6H3I5H2I")
    pieces = []
    for number in range(count):
        name = f"images/liver/{number:x}.png".encode()
        pieces.append(
            entry.pack(_ENTRY, 20, 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0) + name
        )
    directory = b"".join(pieces)
    told = random.choice((1, min(count, 0xFFFF)))
    end = struct.pack("<4s4H2IH", _END, 0, 0, told, told, len(directory), 0, 0)
    return _upload(directory + end if random.random() < 0.5 else _sound() + directory + end)


def overlapping(random: Random) -> Upload:
    """Many entries of one and the same data: the quine bomb."""
    body = zlib.compress(bytes(1 << 20), 9)[2:-4]
    local = struct.pack("<4s5H3I2H", _LOCAL, 20, 0, 8, 0, 0, 0, len(body), 1 << 20, 5, 0) + b"a.png"
    entries = b""
    for number in range(random.choice((2, 300))):
        name = f"images/liver/{number}.png".encode()
        entries += struct.pack(
            "<4s6H3I5H2I",
            *(_ENTRY, 20, 20, 0, 8, 0, 0, zlib.crc32(bytes(1 << 20))),
            *(len(body), 1 << 20, len(name), 0, 0, 0, 0, 0, 0),
        )
        entries += name
    start = len(local) + len(body)
    end = struct.pack("<4s4H2IH", _END, 0, 0, 300, 300, len(entries), start, 0)
    return _upload(local + body + entries + end)


def nested(random: Random) -> Upload:
    """Archives in archives, under any name."""
    data = _sound()
    for depth in range(random.randint(1, 30)):
        name = random.choice(("inner.zip", "images/liver/inner.zip", "images/liver/inner.png"))
        data = packed({name: data, f"images/liver/{depth}.png": png(0)}, "zip")
    return _upload(data)


MUTATIONS = (
    wrong_fields,
    zip64,
    names,
    links,
    ratio_bomb,
    count_bomb,
    overlapping,
    nested,
)
