"""Which parts of the GAN's training help when images are few: what its defaults rest on.

    python -m tests.benchmarks.gan_ablation ARCHIVE.zip --seeds 3 --images 20 --steps 1500

ARCHIVE is in the *folders* layout with a complete split. Each variant is trained on the same few
images of each category, drawn by the seed; what is left of ``train`` is unlabelled to it, where it
takes such images. Samples are judged against ``val``, whose scans no variant has seen, in the
feature space of a small CNN trained on all of ``train``: KID (Binkowski et al., "Demystifying MMD
GANs", ICLR 2018; unbiased, cubic kernel), and the share of samples that this CNN takes for their
category, and that of samples more speckled than the training images of their category (99 % of all
of ``train``). ``test`` is never opened. One JSON line a run, and a grid of samples if asked.
"""

import argparse
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lesiongan.contracts.categories import CATEGORIES
from lesiongan.contracts.gans import DIFF_AUGMENTATIONS
from services.classification.domain.images import to_input
from services.gan.domain.batches import NO_LABEL, load_training_images
from services.gan.domain.config import Architecture, Training
from services.gan.domain.generator import Generator
from services.gan.domain.preview import tile
from services.gan.domain.sampling import sample
from services.gan.domain.state import TrainingState, start_training
from services.gan.domain.supervision import Measured, Rollback
from services.gan.domain.training import Callbacks, train
from shared.compute.precision import choose_precision
from shared.datasets.pixels import encode_image
from tests.benchmarks.augmentation_choice import labelled, read
from tests.benchmarks.classifier import Arrays, trained
from tests.benchmarks.speckle import speckle_limits, speckled

SIZE_PX = 32
BASE = Training(
    batch_size=32,
    n_critic=1,
    learning_rate=1e-3,
    ema_decay=0.998,
    metrics_every=50,
    checkpoint_every=10_000,
    preview_every=10_000,
)
#: What each variant changes of BASE.
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "base": {},
    "no_average": {"ema_decay": 0.0},
    "diff_augment": {"diff_augment": DIFF_AUGMENTATIONS},
    "geometry": {"diff_augment": ("translation", "cutout")},
    "consistency": {"consistency": 1.0},
    "unlabelled": {"unlabelled_share": 0.5},
    "pretrained": {"pretrain_steps": 0.5},
    "diff_augment+unlabelled": {"diff_augment": DIFF_AUGMENTATIONS, "unlabelled_share": 0.5},
    "geometry+unlabelled": {"diff_augment": ("translation", "cutout"), "unlabelled_share": 0.5},
}


@dataclass(frozen=True)
class Judge:
    """A classifier, its features of ``val``, the labels of those images, and the speckle that the
    training images of each category stay within.
    """

    network: torch.nn.Module
    embedding: torch.nn.Module
    real: NDArray[np.float64]
    labels: NDArray[np.int64]
    limits: NDArray[np.float64]

    def features(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        return _forward(self.embedding, images)

    def distance(self, images: NDArray[np.uint8]) -> float:
        return kid(self.features(images), self.real)

    def agreement(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> float:
        return float((_forward(self.network, images).argmax(axis=1) == labels).mean())

    def record(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> dict[str, float]:
        """All that is said of samples."""
        found = {
            "kid": self.distance(images),
            "agreement": self.agreement(images, labels),
            "speckled": speckled(images, labels, self.limits),
        }
        return {name: round(value, 4) for name, value in found.items()}


def _forward(network: torch.nn.Module, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    network.eval()
    with torch.inference_mode():
        parts = [
            network(to_input(part)).double() for part in torch.split(torch.from_numpy(images), 128)
        ]
        found: NDArray[np.float64] = torch.cat(parts).numpy()
    return found


def kid(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The unbiased squared MMD of features [n, D] and [m, D] under ``(x.y / D + 1)^3``."""
    n, m, width = len(one), len(other), one.shape[1]
    within_one, within_other, between = (
        (a @ b.T / width + 1.0) ** 3 for a, b in ((one, one), (other, other), (one, other))
    )
    return float(
        (within_one.sum() - np.trace(within_one)) / (n * (n - 1))
        + (within_other.sum() - np.trace(within_other)) / (m * (m - 1))
        - 2.0 * between.mean()
    )


def train_judge(train_on: Arrays, val: Arrays, categories: int) -> Judge:
    network = trained(train_on, CATEGORIES[:categories], steps=1500, seed=0, batch_size=64)
    embedding = torch.nn.Sequential(*list(network.children())[:-2])
    real = _forward(embedding, val[0])
    return Judge(network, embedding, real, val[1], speckle_limits(*train_on))


def few(known: Arrays, images: int, seed: int) -> Arrays:
    """All of ``known``; all but ``images`` of each category have lost their labels."""
    pixels, labels = known
    order = np.random.default_rng(seed).permutation(len(labels))
    kept = [order[labels[order] == k][:images] for k in np.unique(labels)]
    with_labels = np.full_like(labels, NO_LABEL)
    for rows in kept:
        with_labels[rows] = labels[rows]
    return pixels, with_labels


def samples(
    generator: Generator, judge: Judge, seed: int, truncation: float | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """As many of each category as ``val`` has."""
    labels = judge.labels
    made = sample(
        generator,
        labels.tolist(),
        seed=seed,
        indices=range(len(labels)),
        precision=choose_precision(device="cpu"),
        truncation=truncation,
    )
    return made, labels


def run(name: str, known: Arrays, judge: Judge, seed: int, options: argparse.Namespace) -> None:
    changes = dict(VARIANTS[name])
    if "pretrain_steps" in changes:
        changes["pretrain_steps"] = int(options.steps * changes["pretrain_steps"])
    training = replace(BASE, steps=options.steps, seed=seed, evaluate_every=options.every)
    training = replace(training, **changes)
    pixels, labels = few(known, options.images, seed)
    if not (training.unlabelled_share or training.pretrain_steps):
        pixels, labels = pixels[labels != NO_LABEL], labels[labels != NO_LABEL]
    names = CATEGORIES[: int(known[1].max()) + 1]
    architecture = Architecture(image_size=SIZE_PX, categories=names, width=16, latent_size=64)
    scores: list[float] = []
    rollbacks: list[Rollback] = []

    def score(state: TrainingState) -> Measured:
        scores.append(judge.distance(samples(state.average, judge, seed + 1000)[0]))
        return Measured(scores[-1])

    state = start_training(architecture, training)
    started = time.perf_counter()
    calls = Callbacks(on_evaluate=score, on_rollback=rollbacks.append)
    data = load_training_images(pixels, labels, architecture)
    train(state, data, precision=choose_precision(device="cpu"), callbacks=calls)
    made, wanted = samples(state.average, judge, seed + 2000)
    record = {
        "variant": name,
        "seed": seed,
        "images": options.images,
        "kid": [round(value, 4) for value in scores],
        "end": judge.record(made, wanted),
        "truncated": {
            limit: judge.record(*samples(state.average, judge, seed + 2000, limit))
            for limit in options.truncations
        },
        "last": state.watch.healthy[-1].values(),
        "rollbacks": [each.reason for each in rollbacks],
        "seconds": round(time.perf_counter() - started),
    }
    print(json.dumps(record), flush=True)
    if options.grids is not None:
        shown = np.concatenate([made[wanted == k][:12] for k in range(len(names))])
        path = options.grids / f"{name}-{options.images}-{seed}.png"
        path.write_bytes(encode_image(tile(shown, 12)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--images", type=int, default=20, help="labelled ones of each category")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--every", type=int, default=250, help="steps between evaluations")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--truncations", nargs="+", type=float, default=[], help="at the end")
    parser.add_argument("--grids", type=Path, help="a folder for a grid of samples of each run")
    options = parser.parse_args()
    known = labelled(read(options.archive, "train"))
    val = labelled(read(options.archive, "val"))
    judge = train_judge(known, val, int(known[1].max()) + 1)
    floor = {
        "floor_train": judge.distance(known[0]),
        "judge": judge.agreement(*val),
        "floor_speckled": speckled(*val, judge.limits),
    }
    for seed in range(options.seeds):
        pixels, labels = few(known, options.images, seed)
        floor[f"floor_few_{seed}"] = judge.distance(pixels[labels != NO_LABEL])
    print(json.dumps({name: round(value, 4) for name, value in floor.items()}), flush=True)
    for seed in range(options.seeds):
        for name in options.variants:
            run(name, known, judge, seed, options)


if __name__ == "__main__":
    main()
