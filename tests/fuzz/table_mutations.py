"""Tables that say what no table should."""

from random import Random

from tests.fuzz.good import Upload, files, packed, rows, table, upload
from tests.unit.preprocessing.builders import lesion

CELLS = (
    "",
    "nan",
    "NaN, NaN, NaN, NaN",
    "inf",
    "-inf, inf, 0, 1",
    "1e309",
    "-0",
    "9" * 5000,
    "٣, ٤",
    "0x10",
    "1_000",
    "../../etc/passwd",
    "/etc/passwd",
    "a" * 200_000,
    '"',
    "\r",
    "=cmd|' /C calc'!A0",
    "\u202e\u0000",
    "1, 2, 3, 4, 5, 6, 7, 8, 9",
    "1e300, 1e300, 1e308, 1e308",
    "-1e308, -1e308, 1e308, 1e308",
    "2147483648, 2147483648",
)


def wrong_cells(random: Random) -> Upload:
    """Numbers that are none, too large or not finite, paths that climb, enormous fields."""
    lesions = rows()
    for _ in range(random.randint(1, 3)):
        row = random.choice(lesions)
        row[random.choice(sorted(row))] = random.choice(CELLS)
    return _deeplesion(random, table(lesions))


def wrong_manifest(random: Random) -> Upload:
    """The same, in the manifest of the folders layout."""
    cells = [random.choice((*CELLS, "liver", "images/liver/1.png")) for _ in range(4)]
    line = ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)
    content = files("folders")
    content["manifest.csv"] += line.encode("utf-8", "surrogatepass") + b"\n"
    return Upload(packed(content, "zip"), "folders", "zip")


def wrong_encoding(random: Random) -> Upload:
    """UTF-16, UTF-32, Latin-1, NUL bytes, no end of lines, a byte order mark in the middle."""
    sound = files("deeplesion")["DL_info.csv"].decode()
    data = random.choice(
        (
            sound.encode("utf-16"),
            sound.encode("utf-32"),
            sound.replace("F", "é").encode("latin-1"),
            sound.replace(",", "\0").encode(),
            sound.replace("\n", "").encode(),
            sound.replace("\r\n", "\r").encode(),
            ("\ufeff" * 3 + sound).encode(),
            sound.replace('"', "").encode(),
            b"\0" * 10_000,
            b"",
            b"\n" * 100_000,
            sound.splitlines()[0].encode(),
            (sound.splitlines()[0] + ",File_name\r\n").encode(),
        )
    )
    return _deeplesion(random, data)


def long_table(random: Random) -> Upload:
    """Megabytes of rows, or one of very many cells, noisy enough to be no compression bomb."""
    head = table([]).decode()
    noise = [f"{random.random():.9f}" for _ in range(10_000)]
    line = ",".join(f'"{cell}"' for cell in lesion(Patient_age="AGE").values()) + "\r\n"
    data = random.choice(
        (
            lambda: (
                head + "".join(line.replace("AGE", random.choice(noise)) for _ in range(200_000))
            ),
            lambda: (
                head + "".join(line.replace("AGE", random.choice(noise)) for _ in range(400_000))
            ),
            lambda: head + ",".join(random.choices(noise, k=3_000_000)),
            lambda: head + ",".join(f'"{each}\n"' for each in random.choices(noise, k=3_000_000)),
            lambda: head + "".join(f"{each}\r\n" for each in random.choices(noise, k=3_000_000)),
            lambda: head + "\r\n" * 3_000_000,
            lambda: ",".join(f"c{each}" for each in random.choices(noise, k=3_000_000)),
            lambda: "😀".join(random.choices(noise, k=2_000_000)),
        )
    )()
    return _deeplesion(random, data.encode(), form="zip")


def long_manifest(random: Random) -> Upload:
    """As many rows as an archive may have files, and more."""
    content = files("folders")
    count = random.choice((100_000, 1_000_000))
    lines = "".join(f"images/liver/{number}.png,liver,p{number},train\n" for number in range(count))
    content["manifest.csv"] = b"file,category,patient,split\n" + lines.encode()
    return Upload(packed(content, "zip"), "folders", "zip")


def _deeplesion(random: Random, data: bytes, *, form: str | None = None) -> Upload:
    sound = upload(random)
    content = {**files("deeplesion"), "DL_info.csv": data}
    kept = sound.form if form is None else "zip"
    return Upload(packed(content, kept), "deeplesion", kept)


MUTATIONS = (wrong_cells, wrong_manifest, wrong_encoding, long_table, long_manifest)
