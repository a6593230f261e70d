"""``python -m tests.benchmarks.data_plane --slices 4000``: a whole stack, from upload to copies.

Prints how long each step took, the memory of the workers and of the API above what they had while
idle, and how many objects the store holds afterwards.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil

from deploy.local.files import read_object
from deploy.local.layout import open_layout
from deploy.local.servers import child_environment, open_credentials
from shared.settings import Settings
from shared.storage.s3 import S3Store
from tests.benchmarks.data_plane.peaks import Peaks
from tests.benchmarks.data_plane.slices import SIDE_PX, Slices
from tests.whole_stack import whole_stack

WATCHED = ("api", "worker-cpu")
#: Some dozens of drawings lie below all slices: the check that finds them is part of the work.
_ALIKE = {"split": {"allow_leakage": True}}


def _resident(pids: dict[str, int]) -> Callable[[], dict[str, int]]:
    """What processes hold, MiB."""
    processes = {name: psutil.Process(pids[name]) for name in WATCHED}
    return lambda: {name: each.memory_info().rss >> 20 for name, each in processes.items()}


class Client:
    """Submits a step and waits for its end."""

    def __init__(self, url: str, key: str) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=3600, trust_env=False)

    def step(self, path: str, **sent: Any) -> tuple[str, int]:
        """The data set that a request makes, and its images."""
        return self.ended(self.submit(path, **sent))

    def submit(self, path: str, **sent: Any) -> dict[str, Any]:
        """The job of a request."""
        job: dict[str, Any] = self._http.post(path, **sent).raise_for_status().json()
        return job

    def ended(self, job: dict[str, Any]) -> tuple[str, int]:
        """The data set that a job makes, and its images."""
        answer = job
        while answer["status"] not in ("succeeded", "failed", "cancelled"):
            time.sleep(0.5)
            answer = self._http.get(f"/jobs/{answer['id']}").raise_for_status().json()
        if answer["status"] != "succeeded":
            sys.exit(f"{answer['kind']}: {answer['status']} {answer['error']}")
        return answer["output"]["dataset"], answer["output"]["images"]

    def fetch(self, dataset: str) -> int:
        """Bytes of a data set's archive, which is thrown away as it comes."""
        with self._http.stream("GET", f"/datasets/{dataset}/archive") as answer:
            return sum(len(chunk) for chunk in answer.iter_bytes())


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def run(slices: int, folder: Path, side_px: int = SIDE_PX) -> None:
    """All steps, on a stack of its own below ``folder``."""
    archive = folder / "slices.zip"
    started = time.perf_counter()
    lesions = Slices(side_px).write_zip(archive, slices)
    size = archive.stat().st_size / 2**30
    drawn = time.perf_counter() - started
    say(f"{slices} slices of {side_px} px, {lesions} lesions, {size:.2f} GiB; {drawn:.0f} s")
    home = folder / "home"
    with whole_stack(home) as description:
        client = Client(description["url"], description["key"])
        warm(client, folder / "warm.zip")
        with Peaks(_resident(description["processes"])) as peaks:
            sets = _measure(client, peaks, archive)
        say(_objects(home, *sets))


def warm(client: Client, archive: Path) -> None:
    """Have every process import what it works with: idle is what they hold after that."""
    Slices().write_zip(archive, 64)
    with archive.open("rb") as file:
        form = {"layout": "deeplesion", "name": "warm"}
        raw, _ = client.step("/datasets", data=form, files={"file": ("slices.zip", file)})
    crops, _ = client.step("/preprocess", json={"dataset": raw} | _ALIKE)
    copies, _ = client.step("/augment", json={"dataset": crops})
    client.fetch(copies)


def _measure(client: Client, peaks: Peaks, archive: Path) -> tuple[str, ...]:
    def ingest() -> tuple[str, int]:
        with archive.open("rb") as file:
            form = {"layout": "deeplesion", "name": "large"}
            return client.step("/datasets", data=form, files={"file": ("slices.zip", file)})

    raw = _timed("upload and ingest", ingest, peaks)
    archive.unlink()
    asked = {"dataset": raw} | _ALIKE
    crops = _timed("preprocess", lambda: client.step("/preprocess", json=asked), peaks)
    copies = _timed("augment x3", lambda: client.step("/augment", json={"dataset": crops}), peaks)
    started = time.perf_counter()
    fetched = client.fetch(copies)
    say(f"archive of the copies: {fetched >> 20} MiB in {time.perf_counter() - started:.1f} s")
    for name in WATCHED:
        say(f"{name}: at most {peaks.above_idle(name)} MiB above idle")
    return raw, crops, copies


def _timed(what: str, step: Any, peaks: Peaks) -> str:
    started = time.perf_counter()
    dataset, images = step()
    seconds = time.perf_counter() - started
    held = ", ".join(f"{name} {peaks.above_idle(name)} MiB" for name in WATCHED)
    say(f"{what}: {images} images in {seconds:.1f} s, {images / seconds:.0f}/s; so far {held}")
    return str(dataset)


def _objects(home: Path, *datasets: str) -> str:
    layout = open_layout(home)
    ports = read_object(layout.ports)
    assert ports is not None, "the stack runs"
    known = child_environment(open_credentials(layout), ports)
    names = {name.removeprefix("LESIONGAN_").lower(): value for name, value in known.items()}
    store = S3Store(Settings.model_validate(names))
    counts = [str(len(list(store.list(f"datasets/{each}/")))) for each in datasets]
    return f"objects of the three data sets: {', '.join(counts)}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=4000)
    parser.add_argument("--side", type=int, default=SIDE_PX, help="of a slice, in pixels")
    parser.add_argument("--folder", type=Path, help="where there is room for three times the data")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="data-plane-", dir=options.folder) as name:
        run(options.slices, Path(name), options.side)
