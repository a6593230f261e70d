"""Sampling over HTTP beside the bare generator and PNG encoder in one process, in turns.

Real servers, one API process and one sampling worker, which holds each sample against the training
images, as always. ``python -m tests.benchmarks.sampling``.
"""

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from deploy.local.processes import die_with_parent
from deploy.local.servers import Servers, erase, start_servers
from deploy.prepare import prepare
from services.gan.domain.config import Architecture, Training
from services.gan.domain.generator import Generator
from services.gan.domain.reference import make_reference, save_reference
from services.gan.domain.sampling import sample_batches
from services.gan.domain.state import start_training
from services.gan.domain.weights import load_weights, save_weights
from services.gan.references import REFERENCE, put_file
from shared.compute.precision import Precision, choose_precision
from shared.datasets.pixels import encode_image
from shared.db.engine import Sessions, make_engine, make_sessions
from shared.db.tables import GanRow
from shared.ids import new_id, sha256_of
from shared.settings import Settings
from shared.storage.s3 import S3Store
from tests.live import live_api

ROUNDS = 5
IMAGES = 500
SINGLES = 32
#: Of the GAN: each sample is held against all of them.
TRAINING_IMAGES = 2000
ARCHITECTURES = (
    Architecture(image_size=32, categories=("liver",), width=16, latent_size=64),
    Architecture(image_size=64, categories=("liver",), width=32, latent_size=128),
)


@dataclass(frozen=True)
class Streamed:
    """One ``GET /generate``: seconds to the first and the last byte, and what was made by then."""

    first_byte_seconds: float
    seconds: float
    made_at_first_byte: float


def run() -> None:
    """Print every figure of one run."""
    home = Path(tempfile.mkdtemp(prefix="sampling-"))
    try:
        with start_servers(home) as servers:
            environment = servers.environment.items()
            named = {name.removeprefix("LESIONGAN_").lower(): value for name, value in environment}
            settings = Settings.model_validate(named)
            prepare(settings)
            engine = make_engine(settings.database_url)
            sessions, store = make_sessions(engine), S3Store(settings)
            with (
                live_api(servers, sessions, home / "api.log") as api,
                _worker(servers, home / "worker.log"),
                api.client(timeout=600) as client,
            ):
                for architecture in ARCHITECTURES:
                    _Bench(client, _published(sessions, store, architecture), architecture).run()
            engine.dispose()
    finally:
        erase(home)


@contextmanager
def _worker(servers: Servers, log: Path) -> Iterator[None]:
    with log.open("wb") as sink:
        process = subprocess.Popen(
            (sys.executable, "-m", "services.worker", "--queues", "gan-sample"),
            env={**os.environ, **servers.environment},
            stdout=sink,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - no lock is taken in it
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def _weights(architecture: Architecture) -> bytes:
    return save_weights(start_training(architecture, Training()).average)


def _published(sessions: Sessions, store: S3Store, architecture: Architecture) -> str:
    """A generator that was never trained: it takes as long."""
    gan_id, weights = new_id("gan"), _weights(architecture)
    key = f"gans/{gan_id}/weights.safetensors"
    store.put(key, weights)
    row = GanRow(
        id=gan_id,
        name="bench",
        dataset_id=new_id("ds"),
        job_id=new_id("job"),
        phantom=True,
        categories=list(architecture.categories),
        image_size=architecture.image_size,
        channels=1,
        steps=1,
        weights_key=key,
        weights_sha256=sha256_of(weights),
        scores={},
        command={},
    )
    reference = put_file(store, gan_id, REFERENCE, _reference(architecture), "safetensors")
    with sessions() as session:
        session.add(row)
        session.flush()
        session.add(reference)
        session.commit()
    return gan_id


def _reference(architecture: Architecture) -> bytes:
    """Of training images that no sample comes near to: each is held against them, none redrawn."""
    random, side = np.random.default_rng(0), architecture.image_size
    coarse = random.integers(0, 256, (TRAINING_IMAGES, 1, 4, 4), dtype=np.uint8)
    images = coarse.repeat(side // 4, axis=2).repeat(side // 4, axis=3)
    labels = np.zeros(len(images), dtype=np.int64)
    precision = Precision(device="cpu", dtype_name="float32", threads=1)
    made = make_reference((images, labels), (images[:0], labels[:0]), steps=1, precision=precision)
    return save_reference(made)


class _Bench:
    def __init__(self, client: httpx.Client, gan: str, architecture: Architecture) -> None:
        self._client = client
        self._gan = gan
        self._architecture = architecture
        self._generator: Generator = load_weights(_weights(architecture))[0]
        self._precision: Precision = choose_precision(device="cpu")
        self._seed = 0

    def run(self) -> None:
        for n in (IMAGES, 1):  # the worker loads, and connections open
            self._stream(n)
            self._bare(n)
        side = self._architecture.image_size
        sys.stdout.write(f"{side}x{side}, width {self._architecture.width}\n")
        self._throughput()
        self._single()
        self._together()
        sys.stdout.flush()

    def _throughput(self) -> None:
        pairs = [(self._bare(IMAGES), self._stream(IMAGES)) for _ in range(ROUNDS)]
        ratios = sorted(bare / streamed.seconds for bare, streamed in pairs)
        first = sorted(streamed.made_at_first_byte for _, streamed in pairs)
        bare = statistics.median(bare for bare, _ in pairs)
        _say(
            f"{IMAGES} images over HTTP at {100 * statistics.median(ratios):.0f} % of the bare "
            f"rate of {IMAGES / bare:.0f}/s (min {100 * ratios[0]:.0f}, max {100 * ratios[-1]:.0f})"
        )
        _say(
            f"first byte when {100 * statistics.median(first):.0f} % of the sampling was done "
            f"(min {100 * first[0]:.0f}, max {100 * first[-1]:.0f})"
        )

    def _single(self) -> None:
        over = sorted(1000 * (self._stream(1).seconds - self._bare(1)) for _ in range(4 * ROUNDS))
        bare = 1000 * min(self._bare(1) for _ in range(ROUNDS))
        _say(
            f"one image takes {statistics.median(over):.0f} ms more than its forward pass and PNG "
            f"of {bare:.0f} ms (min {over[0]:.0f}, n = {len(over)})"
        )

    def _together(self) -> None:
        ratios = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            for _ in range(SINGLES):
                self._finish([self._post()])
            one_by_one = time.perf_counter() - began
            began = time.perf_counter()
            self._finish([self._post() for _ in range(SINGLES)])
            ratios.append(one_by_one / (time.perf_counter() - began))
        ratios.sort()
        _say(
            f"{SINGLES} requests for one image, sent at once, end {statistics.median(ratios):.1f} "
            f"times as soon as one after the other (min {ratios[0]:.1f}, max {ratios[-1]:.1f})"
        )

    def _bare(self, n: int) -> float:
        """Seconds of the generator's forward passes and of PNGs, in this process."""
        began = time.perf_counter()
        batches = sample_batches(
            self._generator,
            [0] * n,
            seed=self._next_seed(),
            indices=range(n),
            draws=[0] * n,
            precision=self._precision,
        )
        for batch in batches:
            for image in batch:
                encode_image(image)
        return time.perf_counter() - began

    def _stream(self, n: int) -> Streamed:
        query = self._query(n)
        began, first, at = time.perf_counter(), 0.0, 0.0
        with self._client.stream("GET", "/generate", params=query) as answer:
            for _ in answer.iter_raw():
                if not first:
                    first, at = time.perf_counter() - began, time.time()
            answer.raise_for_status()
        seconds = time.perf_counter() - began
        job = self._client.get(f"/jobs/{answer.headers['X-Job-Id']}").json()
        assert job["output"]["redrawn"] == 0, "a forward pass that the bare rate does not pay for"
        start, end = (_unix(job[name]) for name in ("started_at", "finished_at"))
        return Streamed(first, seconds, min(1.0, (at - start) / (end - start)))

    def _post(self) -> str:
        answer = self._client.post("/generate", params=self._query(1)).raise_for_status()
        return str(answer.json()["id"])

    def _finish(self, jobs: list[str]) -> None:
        for job_id in jobs:
            while self._client.get(f"/jobs/{job_id}").json()["status"] != "succeeded":
                time.sleep(0.005)

    def _query(self, n: int) -> dict[str, Any]:
        return {"category": "liver", "n": n, "gan": self._gan, "seed": self._next_seed()}

    def _next_seed(self) -> int:
        self._seed += 1
        return self._seed


def _unix(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _say(text: str) -> None:
    sys.stdout.write(f"  {text}\n")


def main() -> None:
    """Print what one run measures, and how busy the machine was with other things."""
    load = os.getloadavg()[0]
    sys.stdout.write(f"sampling: {os.cpu_count()} processors, load {load:.1f} when it began\n")
    run()


if __name__ == "__main__":
    main()
