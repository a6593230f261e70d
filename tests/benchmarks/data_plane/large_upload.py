"""``python -m tests.benchmarks.data_plane.large_upload``: a ZIP of 10 GB, from upload to data set.

Some slices are in it again and again, since what is looked at is where the bytes lie: the most that
the API and the worker hold in memory, and the most that lies on disk below the stack's home and its
scratch folder, while the archive is sent and while it is taken in.
"""

import argparse
import os
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from tests.benchmarks.data_plane.__main__ import WATCHED, Client, say, warm
from tests.benchmarks.data_plane.peaks import Peaks
from tests.benchmarks.data_plane.slices import Slices
from tests.whole_stack import whole_stack

_GB = 10**9
#: That are different: the drawings with noise of their own.
_DRAWN = 256


def _held(pids: dict[str, int], folders: Sequence[Path]) -> Callable[[], dict[str, int]]:
    """Bytes in memory of each process (PSS), and on disk below each folder."""
    processes = {name: psutil.Process(pids[name]) for name in WATCHED}

    def measure() -> dict[str, int]:
        held = {name: int(each.memory_full_info().pss) for name, each in processes.items()}
        return held | {folder.name: _on_disk(folder) for folder in folders}

    return measure


def _said(peaks: Peaks, now: dict[str, int]) -> str:
    """What was the most since the last call, and what is now, above the start."""
    words = []
    for name, held in now.items():
        size, unit = (2**20, "MiB") if name in WATCHED else (_GB, "GB")
        most, above = peaks.above_idle(name) / size, (held - peaks.idle[name]) / size
        words.append(f"{name} at most {most:.3g} {unit}, now {above:.3g}")
    peaks.begin_anew()
    return ", ".join(words)


def _on_disk(folder: Path) -> int:
    found = 0
    for place, _, files in os.walk(folder):
        for name in files:
            try:
                found += Path(place, name).stat().st_blocks * 512
            except FileNotFoundError:
                continue  # it was removed since
    return found


def _write(path: Path, size: int) -> int:
    """DeepLesion's layout, one lesion a slice; returns the number of slices."""
    slices = Slices()
    pngs = [slices.png(number) for number in range(_DRAWN)]
    count = size // (sum(map(len, pngs)) // len(pngs))
    rows = [slices.rows(number)[0] for number in range(count)]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(*slices.table(rows))
        for number in range(count):
            png = pngs[number % _DRAWN]
            archive.writestr(f"Images_png/{number:06d}_01_01/010.png", png)
    return count


def run(size: int, folder: Path) -> None:
    """Print what was held in each step, on a stack of its own below ``folder``."""
    home, scratch, archive = folder / "home", folder / "scratch", folder / "slices.zip"
    scratch.mkdir()
    os.environ["TMPDIR"] = str(scratch)
    count = _write(archive, size)
    say(f"{archive.stat().st_size / _GB:.2f} GB, {count} slices")
    with whole_stack(home) as description:
        client = Client(description["url"], description["key"])
        warm(client, folder / "warm.zip")
        measure = _held(description["processes"], (home, scratch))
        with Peaks(measure) as peaks:
            started = time.perf_counter()
            with archive.open("rb") as file:
                job = client.submit(
                    "/datasets",
                    data={"layout": "deeplesion", "name": "large"},
                    files={"file": ("slices.zip", file)},
                )
            say(f"upload, {time.perf_counter() - started:.0f} s: {_said(peaks, measure())}")
            archive.unlink()
            _, images = client.ended(job)
            seconds = time.perf_counter() - started
            say(f"ingest of {images}, until {seconds:.0f} s: {_said(peaks, measure())}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=10.0)
    parser.add_argument("--folder", type=Path, help="where there is room for three times the data")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="large-upload-", dir=options.folder) as name:
        run(int(options.gigabytes * _GB), Path(name))
