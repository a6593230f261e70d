"""The space in which images are compared: what a classifier of the real training images sees.

Distances between images are as good as the features they are taken in. Those of a network that was
trained on photographs say little about CT (Kynkaanniemi et al., "The role of ImageNet classes in
Frechet inception distance", ICLR 2023); so a small CNN learns the categories of the training split,
and its 128 features before the last layer are the space. Where there is one category only it learns
by how many right angles an image was turned (Gidaris et al., "Unsupervised representation learning
by predicting image rotations", ICLR 2018).

Its seed is fixed: trainings of equal length on equal images are scored in one and the same space.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from services.gan.domain.batches import NO_LABEL, to_unit
from services.gan.domain.diff_augment import augment, augment_draws
from services.gan.domain.noise import Purpose, raw_bits, uniform
from shared.compute.precision import Precision, random_kept, reproducible
from shared.compute.small_cnn import SmallCnn

#: Larger images are brought to this side by area, which takes no detail for another.
MAX_SIDE_PX = 64
#: Steps of the CNN, as a share of the GAN's, and the most that it ever needs.
STEPS_SHARE = 1 / 16
MAX_STEPS = 400
_BATCH = 32
_LEARNING_RATE = 2e-3
_SEED = 0
_TURNS = 4

Task = Literal["categories", "rotations"]


@dataclass(frozen=True)
class FeatureSpace:
    """What ``network`` sees before its last layer, times ``scale``: training images have a mean
    square of 1.

    It lies on ``device`` and computes in float32, whatever the GAN computes in. Images have
    ``side_px`` pixels a side before they are resized.
    """

    network: SmallCnn
    task: Task
    side_px: int
    scale: float
    device: str

    @property
    def name(self) -> str:
        """Which space it is; equal names, equal distances."""
        digest = hashlib.sha256(repr(self.scale).encode())
        for tensor in self.network.state_dict().values():
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        return f"small-cnn-{self.task}-{digest.hexdigest()[:12]}"

    @property
    def resizer(self) -> str:
        """How images come to the size that the network sees."""
        return f"area to {MAX_SIDE_PX} px" if self.side_px > MAX_SIDE_PX else "none"

    def features(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Where uint8 images [n, C, S, S] lie: [n, 128].

        Batches are padded to one size: features do not depend on what else is asked.
        """
        embedding = self.network.embedding.eval()
        parts = [np.empty((0, SmallCnn.WIDTHS[-1]), dtype=np.float32)]
        with torch.inference_mode():
            for start in range(0, len(images), _BATCH):
                part = images[start : start + _BATCH]
                padded = np.zeros((_BATCH, *part.shape[1:]), dtype=np.uint8)
                padded[: len(part)] = part
                found = embedding(_seen(torch.from_numpy(padded).to(self.device)))
                parts.append(found[: len(part)].cpu().numpy() * np.float32(self.scale))
        return np.concatenate(parts)


def feature_steps(gan_steps: int) -> int:
    """How long the CNN is trained beside a GAN of so many steps."""
    return max(1, min(MAX_STEPS, int(gan_steps * STEPS_SHARE)))


def train_feature_space(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    *,
    steps: int,
    precision: Precision,
    on_step: Callable[[], None],
) -> FeatureSpace:
    """Learn to tell apart the images [N, C, S, S] of labels [N]; those without one are left out.

    The same images, steps and class of device give the same space.
    """
    known = labels != NO_LABEL
    images, labels = images[known], labels[known]
    classes = int(labels.max()) + 1
    task: Task = "categories" if len(np.unique(labels)) > 1 else "rotations"
    with reproducible(precision), random_kept(precision.device):
        torch.manual_seed(int(raw_bits(_SEED, Purpose.FEATURES, 0, 0, 1)[0] >> 1))
        network = SmallCnn(images.shape[1], classes if task == "categories" else _TURNS)
        network.to(device=precision.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        taught = labels if task == "categories" else None
        _learn(network, images, taught, steps, precision.device, on_step)
        network.requires_grad_(requires_grad=False).eval()
        side = images.shape[-1]
        space = FeatureSpace(network, task, side, 1.0, precision.device)
        mean_square = float(np.square(space.features(images)).mean())
    scale = 1.0 / mean_square**0.5 if mean_square > 0.0 else 1.0
    return replace(space, scale=scale)


def _learn(
    network: nn.Module,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64] | None,
    steps: int,
    device: str,
    on_step: Callable[[], None],
) -> None:
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=_LEARNING_RATE, weight_decay=0.05, fused=True
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    network.train()
    for step in range(steps):
        on_step()
        rows = _rows(labels, len(images), step)
        seen = _seen(torch.from_numpy(images[rows]).to(device))
        draws = augment_draws(_SEED, Purpose.FEATURES, step, 2, _BATCH)
        seen = augment(seen, torch.from_numpy(draws).to(device), ("translation",))
        if labels is None:
            turns = torch.arange(_BATCH, device=device) % _TURNS
            seen, wanted = _turned(seen, turns), turns
        else:
            wanted = torch.from_numpy(labels[rows]).to(device)
        loss = functional.cross_entropy(network(seen), wanted)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()


def _rows(labels: NDArray[np.int64] | None, count: int, step: int) -> NDArray[np.int64]:
    """A batch of rows, balanced over the categories."""
    picks = uniform(_SEED, Purpose.FEATURES, step, 1, _BATCH)
    if labels is None:
        return (picks * count).astype(np.int64)
    pools = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    turn = step * _BATCH
    chosen = [pools[(turn + place) % len(pools)] for place in range(_BATCH)]
    return np.array([pool[int(pick * len(pool))] for pool, pick in zip(chosen, picks, strict=True)])


def _seen(images: Tensor) -> Tensor:
    """uint8 images [n, C, S, S] as the network sees them: -1 to 1, at most MAX_SIDE_PX a side."""
    unit = to_unit(images, torch.float32)
    if unit.shape[-1] > MAX_SIDE_PX:
        factor = unit.shape[-1] // MAX_SIDE_PX
        unit = functional.avg_pool2d(unit, factor)
    return unit.contiguous(memory_format=torch.channels_last)


def _turned(images: Tensor, turns: Tensor) -> Tensor:
    """Each image [n, C, S, S] turned by so many right angles."""
    kinds = torch.stack([torch.rot90(images, turn, (2, 3)) for turn in range(_TURNS)])
    return kinds[turns, torch.arange(len(images), device=images.device)]
