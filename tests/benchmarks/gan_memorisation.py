"""Whether the memorisation check tells a GAN that knows its images by heart from one that does not.

    python -m tests.benchmarks.gan_memorisation ARCHIVE.zip --categories 2 --images 5 --steps 3000
    python -m tests.benchmarks.gan_memorisation ARCHIVE.zip --categories 7 --images 60 --batch 32

ARCHIVE is in the *folders* layout with a complete split. One GAN is trained on a few images of each
category of ``train``; every 500 steps its averaged generator is judged on 300 samples against those
images and ``val``. One JSON line each, and the closest pairs as a picture if asked.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from lesiongan.contracts.categories import CATEGORIES
from services.gan.domain.batches import load_training_images
from services.gan.domain.config import Architecture, Training
from services.gan.domain.examination import closest_pairs
from services.gan.domain.generator import Generator
from services.gan.domain.memorisation import MOST_COPIES, copies, memorisation
from services.gan.domain.neighbours import neighbours, place
from services.gan.domain.reference import Reference, make_reference
from services.gan.domain.sampling import sample
from services.gan.domain.state import TrainingState, start_training
from services.gan.domain.training import Callbacks, train
from shared.compute.precision import Precision
from shared.datasets.pixels import encode_image
from tests.benchmarks.augmentation_choice import labelled, read
from tests.benchmarks.classifier import Arrays

SAMPLES = 300
FEATURE_STEPS = 60
PRECISION = Precision(device="cpu", dtype_name="float32", threads=1)


def few(known: Arrays, images: int, categories: int) -> Arrays:
    """The first ``images`` of each category, in one random order."""
    pixels, labels = known
    order = np.random.default_rng(0).permutation(len(labels))
    rows = np.concatenate([order[labels[order] == k][:images] for k in range(categories)])
    return pixels[rows], labels[rows]


def judge(
    generator: Generator, step: int, reference: Reference, trained_on: Arrays, pairs: Path | None
) -> None:
    """Print what is found; draw the closest pairs into the folder ``pairs``."""
    labels = np.arange(SAMPLES) % len(generator.architecture.categories)
    made = sample(generator, labels.tolist(), seed=9, indices=range(SAMPLES), precision=PRECISION)
    places = place(reference.space, made, labels)
    found, limits = neighbours(places, reference.train), reference.bounds
    assert limits is not None, "there is more than one image"
    learnt = memorisation(places, found, reference.train, reference.val, limits)
    record = {"step": step, **asdict(learnt), "refused": learnt.copies > MOST_COPIES}
    print(json.dumps({name: _rounded(value) for name, value in record.items()}), flush=True)
    if pairs is not None:
        picture = closest_pairs(made, found, copies(found.pixels, limits), trained_on[0])
        (pairs / f"pairs-{len(trained_on[1])}-{step}.png").write_bytes(encode_image(picture))


def _rounded(value: float | None) -> float | None:
    return round(value, 3) if isinstance(value, float) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive")
    parser.add_argument("--categories", type=int, default=2)
    parser.add_argument("--images", type=int, default=5, help="of each category")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--pairs", type=Path, help="a folder for pictures of the closest pairs")
    options = parser.parse_args()
    trained_on = few(labelled(read(options.archive, "train")), options.images, options.categories)
    pixels, labels = labelled(read(options.archive, "val"))
    val = pixels[labels < options.categories], labels[labels < options.categories]
    reference = make_reference(trained_on, val, steps=FEATURE_STEPS, precision=PRECISION)
    print(json.dumps({"bounds": asdict(reference.bounds) if reference.bounds else None}))
    architecture = Architecture(
        image_size=32, categories=CATEGORIES[: options.categories], width=16, latent_size=64
    )
    training = Training(
        steps=options.steps,
        batch_size=options.batch,
        n_critic=1,
        learning_rate=1e-3,
        ema_decay=0.998,
        metrics_every=100,
        checkpoint_every=500,
        preview_every=10**6,
        evaluate_every=500,
    )

    def look(state: TrainingState) -> None:
        judge(state.average, state.step, reference, trained_on, options.pairs)

    data = load_training_images(*trained_on, architecture)
    state = start_training(architecture, training)
    train(state, data, precision=PRECISION, callbacks=Callbacks(on_checkpoint=look))


if __name__ == "__main__":
    main()
