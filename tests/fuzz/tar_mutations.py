"""Tars with members that are no files, and headers that lie."""

import gzip
import io
import tarfile
import zlib
from random import Random

from tests.fuzz.good import Upload, files, member, packed, png
from tests.fuzz.zip_mutations import NAMES

_KINDS = (
    tarfile.SYMTYPE,
    tarfile.LNKTYPE,
    tarfile.CHRTYPE,
    tarfile.BLKTYPE,
    tarfile.FIFOTYPE,
    tarfile.CONTTYPE,
    tarfile.GNUTYPE_SPARSE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    b"\0",
    b"V",
    b"Z",
)


def _upload(data: bytes, random: Random) -> Upload:
    if random.random() < 0.4:
        return Upload(gzip.compress(data, mtime=0), "folders", "tar.gz")
    return Upload(data, "folders", "tar")


def _tar(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=form) as tar:
        tar.addfile(member("images/liver/0.png", len(png(0))), io.BytesIO(png(0)))
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return sink.getvalue()


def special(random: Random) -> Upload:
    """Links, devices, pipes, sparse files and headers of headers."""
    info = member("images/liver/special.png")
    info.type = random.choice(_KINDS)
    info.linkname = random.choice(("/etc/passwd", "../../x", "images/liver/0.png", ""))
    info.size = random.choice((0, 5, 2**20))
    return _upload(_tar((info, b"\0" * 2**20)), random)


def names(random: Random) -> Upload:
    """Paths that climb, are absolute, come twice or are not names."""
    chosen = [name for name in random.sample(NAMES, 2) if "\ud800" not in name and "\0" not in name]
    members = [(member(name, len(png(1))), png(1)) for name in chosen]
    form = random.choice((tarfile.GNU_FORMAT, tarfile.PAX_FORMAT))
    return _upload(_tar(*members, form=form), random)


def wrong_header(random: Random) -> Upload:
    """A header's field is another, and its checksum right again."""
    data = bytearray(packed(files("folders"), "tar"))
    start = random.choice((0, 1024))
    place, width = random.choice(((0, 100), (100, 8), (124, 12), (136, 12), (156, 1), (257, 8)))
    field = random.choice((b"\xff", b"\x80", b"7", b"\0", b" ", b"-")) * width
    data[start + place : start + place + width] = field
    data[start + 148 : start + 156] = b" " * 8
    total = sum(data[start : start + 512])
    data[start + 148 : start + 156] = f"{total:06o}\0 ".encode()
    return _upload(bytes(data), random)


def pax(random: Random) -> Upload:
    """Extended headers that change names and sizes, are endless, or are none."""
    info = member("images/liver/1.png", 5)
    info.pax_headers = random.choice(
        (
            {"path": "../../escaped"},
            {"size": "99999999999999"},
            {"size": "-5"},
            {"size": "five"},
            {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9999999999"},
            {"GNU.sparse.map": "0,9999999999", "GNU.sparse.size": "9999999999"},
            {"GNU.sparse.map": "x"},
            {"comment": "x" * 3_000_000},
            {"hdrcharset": "BINARY", "path": "\udcff.png"},
            {"mtime": "nan", "uid": "1e400"},
        )
    )
    return _upload(_tar((info, b"12345"), form=tarfile.PAX_FORMAT), random)


def gzip_bomb(random: Random) -> Upload:
    """Zeros without end, in one stream or in one after the other."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    pieces = [packer.compress(bytes(1 << 20)) for _ in range(random.choice((8, 64, 300)))]
    data = b"".join([*pieces, packer.flush()])
    sound = gzip.compress(packed(files("folders"), "tar"), mtime=0)
    return Upload(random.choice((data, data * 3, sound + data)), "folders", "tar.gz")


def count_bomb(random: Random) -> Upload:
    """Headers without content, up to more than are allowed."""
    count = random.choice((1_000, 50_000, 240_000, 260_000))
    head = member("images/liver/0000000.png").tobuf(tarfile.USTAR_FORMAT)
    pieces = []
    for number in range(count):
        name = f"images/liver/{number:07}.png".encode()
        block = bytearray(head)
        block[: len(name)] = name
        block[148:156] = b" " * 8
        block[148:156] = f"{sum(block):06o}\0 ".encode()
        pieces.append(bytes(block))
    data = b"".join(pieces) + bytes(1024)
    if random.random() < 0.3:
        return Upload(gzip.compress(data, 1, mtime=0), "folders", "tar.gz")
    return Upload(data, "folders", "tar")


def nested(random: Random) -> Upload:
    """Archives in archives."""
    data = packed(files("folders"), "tar")
    for depth in range(random.randint(1, 10)):
        data = packed({f"{depth}/inner.tar": data, f"images/liver/{depth}.png": png(0)}, "tar")
    return _upload(data, random)


MUTATIONS = (special, names, wrong_header, pax, gzip_bomb, count_bomb, nested)
