"""A 32² network at batch 64, in turns: the plain training step beside ours, and training and
sampling in bfloat16 beside float32.
"""

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from services.gan.domain.batches import TrainingImages, load_training_images
from services.gan.domain.config import Architecture, Training
from services.gan.domain.sampling import sample
from services.gan.domain.state import start_training
from services.gan.domain.training import Callbacks, train
from shared.compute.precision import DTypeName, Precision, choose_precision, reproducible
from tests.benchmarks.arithmetic import best_rate, operations
from tests.benchmarks.plain_step import plain_copy, plain_step

ROUNDS = 5
#: The first ones get their memory from the system, which later ones use again.
WARM_UP, STEPS = 2, 8
IMAGES = 512
ARCHITECTURE = Architecture(image_size=32, categories=("liver", "lung"), width=16, latent_size=64)
TRAINING = Training(
    steps=STEPS, batch_size=64, metrics_every=1, preview_every=STEPS, checkpoint_every=STEPS
)


def _images() -> TrainingImages:
    random = np.random.default_rng(0)
    images = random.integers(0, 255, (128, 1, 32, 32), dtype=np.uint8)
    return load_training_images(images, np.arange(128) % 2, ARCHITECTURE)


def _seconds_a_step(ends: Sequence[float]) -> float:
    return statistics.median(end - start for start, end in pairwise(ends[WARM_UP - 1 :]))


def plain_seconds(precision: Precision) -> float:
    """Seconds a generator step of the plain version, on as many threads: the median of a run."""
    state, data = plain_copy(start_training(ARCHITECTURE, TRAINING)), _images()
    ends: list[float] = []
    with reproducible(precision):
        for _ in range(STEPS):
            plain_step(state, data)
            ends.append(time.perf_counter())
    return _seconds_a_step(ends)


def training_seconds(precision: Precision) -> float:
    """Seconds a generator step, each with five critic steps: the median of a run."""
    state, data = start_training(ARCHITECTURE, TRAINING), _images()
    ends: list[float] = []
    told = Callbacks(on_metrics=lambda _: ends.append(time.perf_counter()))
    train(state, data, precision=precision, callbacks=told)
    return _seconds_a_step(ends)


def sampling_seconds(precision: Precision) -> float:
    """Seconds an image."""
    state = start_training(ARCHITECTURE, Training())
    indices = range(IMAGES)
    started = time.perf_counter()
    sample(state.average, [0] * IMAGES, seed=0, indices=indices, precision=precision)
    return (time.perf_counter() - started) / IMAGES


class Paired(NamedTuple):
    """Medians of what was measured in turns, and of the ratios of neighbours, with their spread."""

    first: float
    second: float
    ratio: float
    least: float
    most: float


def paired(pairs: Sequence[tuple[float, float]]) -> Paired:
    """Sum up (first, second) of each turn; the ratio is first / second."""
    ratios = [first / second for first, second in pairs]
    first, second = (statistics.median(each) for each in zip(*pairs, strict=True))
    return Paired(first, second, statistics.median(ratios), min(ratios), max(ratios))


def compare(what: str, measure: Callable[[Precision], float]) -> None:
    """Measure both in turns, after a warm-up, and print medians and the ratio's spread."""
    names: tuple[DTypeName, DTypeName] = ("float32", "bfloat16")
    slow, fast = (choose_precision(dtype_name=name) for name in names)
    measure(slow), measure(fast)
    found = paired([(measure(slow), measure(fast)) for _ in range(ROUNDS)])
    sys.stdout.write(
        f"{what}: float32 {1 / found.first:.2f}/s, bfloat16 {1 / found.second:.2f}/s, "
        f"ratio {found.ratio:.2f} (min {found.least:.2f}, max {found.most:.2f}, n = {ROUNDS})\n"
    )


def beside_plain(precision: Precision) -> None:
    """Measure both steps in turns, after a warm-up; the plain one is in float32."""
    plain_seconds(precision), training_seconds(precision)
    found = paired([(plain_seconds(precision), training_seconds(precision)) for _ in range(ROUNDS)])
    sys.stdout.write(
        f"generator steps of training: plain {1 / found.first:.2f}/s, "
        f"ours {1 / found.second:.2f}/s "
        f"({64 * TRAINING.n_critic / found.second:.0f} real images/s), "
        f"ratio {found.ratio:.2f} (min {found.least:.2f}, max {found.most:.2f}, n = {ROUNDS})\n"
    )


def beside_best(precision: Precision) -> None:
    """What a training does a second, and the share of what a matrix product does, in turns."""
    each = operations(lambda: training_seconds(precision)) / STEPS
    pairs = []
    for _ in range(ROUNDS):
        rate = each / training_seconds(precision)
        with reproducible(precision):
            pairs.append((rate, best_rate(precision.dtype)))
    found = paired(pairs)
    sys.stdout.write(
        f"a generator step with its critic steps: {each / 1e9:.0f} GFLOP, "
        f"{found.first / 1e9:.0f} GFLOP/s, {found.ratio:.0%} of the {found.second / 1e9:.0f} "
        f"of a matrix product (min {found.least:.0%}, max {found.most:.0%}, n = {ROUNDS})\n"
    )


def main() -> None:
    """Print all comparisons."""
    precision = choose_precision(device="cpu")
    sys.stdout.write(f"{precision.device_class}, {precision.threads} threads\n")
    beside_plain(precision)
    beside_best(precision)
    compare("generator steps of training", training_seconds)
    compare("images sampled", sampling_seconds)
