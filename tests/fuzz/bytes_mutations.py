"""Damage that needs no knowledge of a format."""

from random import Random

from tests.fuzz.good import Upload, files, packed, upload


def flipped(data: bytes, random: Random, *, most: int = 32) -> bytes:
    """Some bits turned over."""
    changed = bytearray(data)
    for _ in range(random.randint(1, most)):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def truncated(data: bytes, random: Random) -> bytes:
    """Ends too early."""
    return data[: random.randrange(len(data))]


def repeated(data: bytes, random: Random) -> bytes:
    """A piece of it comes again, perhaps often."""
    start = random.randrange(len(data))
    piece = data[start : start + random.randint(1, 600)]
    return data[:start] + piece * random.randint(2, 50) + data[start:]


def swapped(data: bytes, random: Random) -> bytes:
    """Two pieces have changed places."""
    places = sorted(random.randrange(len(data)) for _ in range(4))
    a, b, c, d = places
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def extremes(data: bytes, random: Random) -> bytes:
    """Fields of 2, 4 or 8 bytes that say 0, the most, or the most of a signed one."""
    changed = bytearray(data)
    for _ in range(random.randint(1, 6)):
        width = random.choice((2, 4, 8))
        value = random.choice((0, 2 ** (8 * width) - 1, 2 ** (8 * width - 1)))
        place = random.randrange(max(1, len(changed) - width))
        changed[place : place + width] = value.to_bytes(width, random.choice(("big", "little")))
    return bytes(changed)


DAMAGES = (flipped, truncated, repeated, swapped, extremes)


def damaged_archive(random: Random) -> Upload:
    """Damage anywhere in an archive."""
    sound = upload(random)
    return Upload(random.choice(DAMAGES)(sound.data, random), sound.layout, sound.form)


def damaged_member(random: Random) -> Upload:
    """An archive whose own checksums are right, of damaged files."""
    sound = upload(random)
    content = files(sound.layout)
    for name in random.sample(sorted(content), random.randint(1, len(content))):
        content[name] = random.choice(DAMAGES)(content[name], random)
    return Upload(packed(content, sound.form), sound.layout, sound.form)


def noise(random: Random) -> Upload:
    """No archive at all, perhaps with the first bytes of one."""
    head = random.choice((b"", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08\x00", b"\x00" * 257))
    tail = b"ustar\x0000" if head.startswith(b"\x00") else b""
    sound = upload(random)
    data = head + tail + random.randbytes(random.randint(0, 4000))
    return Upload(data or b"\0", sound.layout, sound.form)


MUTATIONS = (damaged_archive, damaged_member, noise)
