"""A 32² network at batch 64, in turns: the plain training step beside ours, and training and
sampling in bfloat16 beside float32.
"""

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from services.gan.domain.batches import TrainingImages, load_training_images
from services.gan.domain.config import Architecture, Training
from services.gan.domain.sampling import sample
from services.gan.domain.state import start_training
from services.gan.domain.training import train
from shared.compute.precision import DTypeName, Precision, choose_precision, reproducible
from tests.benchmarks.arithmetic import best_rate, operations
from tests.benchmarks.plain_step import plain_copy, plain_step

ROUNDS = 5
STEPS = 6
IMAGES = 512
ARCHITECTURE = Architecture(image_size=32, categories=("liver", "lung"), width=16, latent_size=64)


TRAINING = Training(steps=STEPS, batch_size=64, preview_every=STEPS, checkpoint_every=STEPS)


def _images() -> TrainingImages:
    random = np.random.default_rng(0)
    images = random.integers(0, 255, (128, 1, 32, 32), dtype=np.uint8)
    return load_training_images(images, np.arange(128) % 2, ARCHITECTURE)


def plain_seconds(precision: Precision) -> float:
    """Seconds a generator step of the plain version, on as many threads."""
    state, data = plain_copy(start_training(ARCHITECTURE, TRAINING)), _images()
    started = time.perf_counter()
    with reproducible(precision):
        for _ in range(STEPS):
            plain_step(state, data)
    return (time.perf_counter() - started) / STEPS


def training_seconds(precision: Precision) -> float:
    """Seconds a generator step, each with five critic steps."""
    state, data = start_training(ARCHITECTURE, TRAINING), _images()
    started = time.perf_counter()
    train(state, data, precision=precision)
    return (time.perf_counter() - started) / STEPS


def sampling_seconds(precision: Precision) -> float:
    """Seconds an image."""
    state = start_training(ARCHITECTURE, Training())
    indices = range(IMAGES)
    started = time.perf_counter()
    sample(state.average, [0] * IMAGES, seed=0, indices=indices, precision=precision)
    return (time.perf_counter() - started) / IMAGES


def compare(what: str, measure: Callable[[Precision], float]) -> None:
    """Measure both in turns, after a warm-up, and print medians and the ratio's spread."""
    names: tuple[DTypeName, DTypeName] = ("float32", "bfloat16")
    precisions = [choose_precision(dtype_name=name) for name in names]
    for precision in precisions:
        measure(precision)
    pairs = [[measure(precision) for precision in precisions] for _ in range(ROUNDS)]
    ratios = sorted(slow / fast for slow, fast in pairs)
    medians = [statistics.median(pair[place] for pair in pairs) for place in (0, 1)]
    sys.stdout.write(
        f"{what}: float32 {1 / medians[0]:.2f}/s, bfloat16 {1 / medians[1]:.2f}/s, "
        f"ratio {statistics.median(ratios):.2f} (min {ratios[0]:.2f}, max {ratios[-1]:.2f}, "
        f"n = {ROUNDS})\n"
    )


def beside_plain(precision: Precision) -> None:
    """Measure both steps in turns, after a warm-up; the plain one is in float32."""
    plain_seconds(precision), training_seconds(precision)
    pairs = [(plain_seconds(precision), training_seconds(precision)) for _ in range(ROUNDS)]
    ratios = sorted(plain / ours for plain, ours in pairs)
    plain, ours = (statistics.median(pair[place] for pair in pairs) for place in (0, 1))
    sys.stdout.write(
        f"generator steps of training: plain {1 / plain:.2f}/s, ours {1 / ours:.2f}/s "
        f"({64 * TRAINING.n_critic / ours:.0f} real images/s), "
        f"ratio {statistics.median(ratios):.2f} "
        f"(min {ratios[0]:.2f}, max {ratios[-1]:.2f}, n = {ROUNDS})\n"
    )


def beside_best(precision: Precision) -> None:
    """What a training does a second, and the share of what a matrix product does, in turns."""
    each = operations(lambda: training_seconds(precision)) / STEPS
    pairs = []
    for _ in range(ROUNDS):
        rate = each / training_seconds(precision)
        with reproducible(precision):
            pairs.append((rate, best_rate(precision.dtype)))
    shares = sorted(rate / best for rate, best in pairs)
    rate, best = (statistics.median(pair[place] for pair in pairs) for place in (0, 1))
    sys.stdout.write(
        f"a generator step with its critic steps: {each / 1e9:.0f} GFLOP, "
        f"{rate / 1e9:.0f} GFLOP/s, {statistics.median(shares):.0%} of the {best / 1e9:.0f} "
        f"of a matrix product (min {shares[0]:.0%}, max {shares[-1]:.0%}, n = {ROUNDS})\n"
    )


def main() -> None:
    """Print all comparisons."""
    precision = choose_precision(device="cpu")
    sys.stdout.write(f"{precision.device_class}, {precision.threads} threads\n")
    beside_plain(precision)
    beside_best(precision)
    compare("generator steps of training", training_seconds)
    compare("images sampled", sampling_seconds)
