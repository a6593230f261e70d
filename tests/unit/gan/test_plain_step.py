"""What training is measured against computes the same."""

import numpy as np
import torch

from services.gan.domain.batches import load_training_images
from services.gan.domain.config import Architecture, Training
from services.gan.domain.state import start_training
from services.gan.domain.stepping import Steps
from shared.compute.precision import Precision, reproducible
from tests.benchmarks.plain_step import plain_copy, plain_step

#: Adam's first step moves a weight by the learning rate, in the direction of its gradient's sign:
#: rounding turns those whose gradient is almost 0. The share of such weights is bounded.
TOLERANCE = 5e-5
ODD_SHARE = 0.01


def test_a_plain_step_makes_the_same_update() -> None:
    architecture = Architecture(image_size=32, categories=("liver", "lung"), width=8, latent_size=8)
    training = Training(steps=3, batch_size=8, n_critic=2, learning_rate=1e-3)
    random = np.random.default_rng(0)
    images = random.integers(0, 255, (12, 1, 32, 32), dtype=np.uint8)
    data = load_training_images(images, np.arange(12) % 2, architecture)
    ours = start_training(architecture, training)
    plain = plain_copy(ours)
    precision = Precision(device="cpu", dtype_name="float32", threads=1)
    before = {name: t.clone() for name, t in ours.critic.state_dict().items()}
    steps = Steps(ours, data, precision)
    with reproducible(precision):
        for turn in range(training.n_critic):
            steps.critic(turn)
        steps.generator()
    plain_step(plain, data)
    for mine, other in (
        (ours.critic, plain.critic),
        (ours.generator, plain.generator),
        (ours.average, plain.average),
    ):
        pairs = zip(mine.parameters(), other.parameters(), strict=True)
        apart = torch.cat([(a - b).abs().flatten() for a, b in pairs])
        assert (apart > TOLERANCE).double().mean() < ODD_SHARE
    moved = [(before[name] - t).abs().max() for name, t in ours.critic.state_dict().items()]
    assert max(moved) > 20 * TOLERANCE, "steps move weights far more than the tolerance"
