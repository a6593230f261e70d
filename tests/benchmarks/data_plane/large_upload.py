"""``python -m tests.benchmarks.data_plane.large_upload``: a ZIP of 10 GB, from upload to data set.

Some slices are in it again and again, since what is looked at is where the bytes lie: the most that
the API and the worker hold in memory, and the most that lies on disk below the stack's home and its
scratch folder, while the archive is sent and while it is taken in.
"""

import argparse
import os
import tempfile
import threading
import time
import zipfile
from pathlib import Path

import psutil

from deploy.local.stack import down, up
from tests.benchmarks.data_plane.__main__ import Client, say, warm
from tests.benchmarks.data_plane.slices import Slices

_WATCHED = ("api", "worker-cpu")
_GB = 10**9
#: That are different: the drawings with noise of their own.
_DRAWN = 256


class Watch:
    """The most since the last look: MiB of memory above the start, GB on disk above the start."""

    def __init__(self, pids: dict[str, int], *folders: Path) -> None:
        self._processes = {name: psutil.Process(pids[name]) for name in _WATCHED}
        self._folders = folders
        self._idle = self._now()
        self._most = dict(self._idle)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no longer."""
        self._ended.set()
        self._thread.join()

    def most(self) -> str:
        """What was the most since the last call, and what is now."""
        most, now = self._most, self._now()
        self._most = dict(now)
        return ", ".join(
            f"{name} at most {self._above(name, most):.3g} {unit}, now {self._above(name, now):.3g}"
            for name, unit in zip(most, ("MiB", "MiB", "GB", "GB"), strict=True)
        )

    def _above(self, name: str, found: dict[str, int]) -> float:
        unit = 2**20 if name in _WATCHED else _GB
        return (found[name] - self._idle[name]) / unit

    def _now(self) -> dict[str, int]:
        held = {name: int(each.memory_full_info().pss) for name, each in self._processes.items()}
        return held | {folder.name: _on_disk(folder) for folder in self._folders}

    def _watch(self) -> None:
        while not self._ended.wait(0.2):
            for name, found in self._now().items():
                self._most[name] = max(self._most[name], found)


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
    description = up(home, 0)
    try:
        client = Client(description["url"], description["key"])
        warm(client, folder / "warm.zip")
        watch = Watch(description["processes"], home, scratch)
        started = time.perf_counter()
        with archive.open("rb") as file:
            job = client.submit(
                "/datasets",
                data={"layout": "deeplesion", "name": "large"},
                files={"file": ("slices.zip", file)},
            )
        say(f"upload, {time.perf_counter() - started:.0f} s: {watch.most()}")
        archive.unlink()
        _, images = client.ended(job)
        say(f"ingest of {images}, until {time.perf_counter() - started:.0f} s: {watch.most()}")
        watch.stop()
    finally:
        down(home)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=10.0)
    parser.add_argument("--folder", type=Path, help="where there is room for three times the data")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="large-upload-", dir=options.folder) as name:
        run(int(options.gigabytes * _GB), Path(name))
