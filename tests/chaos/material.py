"""What the asks of a plan send: small archives and images, drawn from seeds."""

import io
import random
import zipfile
from collections.abc import Sequence

import cv2
import numpy as np

from lesiongan.contracts.categories import CATEGORIES, SPLITS, Category, Split

#: Side of the images, and of what the run's classifier takes.
SIZE = 32
#: ZIP keeps the time of each member; the same seed must give the same bytes at any time.
MIDNIGHT = (2000, 1, 1, 0, 0, 0)


def image(seed: int, *, deep: bool = False) -> bytes:
    """A grey PNG of noise: of 8 bits, or of 16, which no classifier takes."""
    kind = np.uint16 if deep else np.uint8
    chance = np.random.default_rng(seed)
    done, png = cv2.imencode(".png", chance.integers(0, 256, (SIZE, SIZE), dtype=kind))
    assert done
    return png.tobytes()


def archive(seed: int) -> bytes:
    """A few images."""
    chance = random.Random(seed)
    drawn = [(chance.choice(CATEGORIES), chance.choice(SPLITS)) for _ in range(4 + seed % 13)]
    return _folders(drawn, seed)


def cohort() -> bytes:
    """Images of every category in every split: enough to train on and to compare with."""
    every = [(category, split) for category in CATEGORIES for split in SPLITS]
    return _folders([*every, *every, *every], 0)


def _folders(images: Sequence[tuple[Category, Split]], seed: int) -> bytes:
    """The layout ``folders``, with patients and splits."""
    files: dict[str, bytes] = {}
    lines = ["file,category,patient,split"]
    for number, (category, split) in enumerate(images):
        name = f"images/{category}/{number}.png"
        files[name] = image(seed + number)
        lines.append(f"{name},{category},p-{split}-{number % 5},{split}")
    return zipped({**files, "manifest.csv": "\n".join(lines).encode()})


def bad_archive(seed: int) -> bytes:
    """An archive that only a worker finds bad: cut off, or without an image that can be read."""
    if seed % 2:
        whole = archive(seed)
        return whole[: len(whole) // 2]
    return zipped({"images/liver/1.png": random.Random(seed).randbytes(200)})


def zipped(files: dict[str, bytes]) -> bytes:
    """A ZIP whose bytes depend on ``files`` alone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive_file:
        for name, content in files.items():
            archive_file.writestr(zipfile.ZipInfo(name, MIDNIGHT), content)
    return buffer.getvalue()
