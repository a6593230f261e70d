"""The training images on the device, and which of them a step sees.

Each batch is balanced over the categories, however rare one is, and derives from (seed, step).
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from services.gan.domain.config import Architecture, Training
from services.gan.domain.noise import Purpose, uniform
from shared.errors import BadInput

#: The label-free class token: "some image, of whichever category".
NO_LABEL = -1


@dataclass(frozen=True)
class TrainingImages:
    """The training split: ``images`` uint8 [N, C, H, W], channels last, on the device.

    ``members[k]`` are the rows of the images of category ``k``. Images without a label are in none.
    """

    images: Tensor
    members: tuple[NDArray[np.int64], ...]


def load_training_images(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    architecture: Architecture,
    *,
    device: str = "cpu",
) -> TrainingImages:
    """Check images [N, C, H, W] and labels [N] against the architecture; move them to the device.

    A label of -1 (``NO_LABEL``) is that of an unlabelled image.
    Raises BadInput for a wrong shape or type, an unknown label, or a category without images.
    """
    size, channels = architecture.image_size, architecture.channels
    if images.dtype != np.uint8 or images.shape[1:] != (channels, size, size):
        raise BadInput(
            f"the GAN needs uint8 images of {channels}x{size}x{size}, "
            f"but these are {images.dtype} of {'x'.join(map(str, images.shape[1:]))}"
        )
    if labels.shape != (len(images),):
        raise BadInput(f"there are {len(images)} images but {labels.size} labels")
    if labels.size and not NO_LABEL <= labels.min() <= labels.max() < len(architecture.categories):
        raise BadInput(f"labels must be {NO_LABEL} to {len(architecture.categories) - 1}")
    members = tuple(np.flatnonzero(labels == k) for k in range(len(architecture.categories)))
    for name, rows in zip(architecture.categories, members, strict=True):
        if not rows.size:
            raise BadInput(f"there are no training images of category {name}")
    tensor = torch.from_numpy(np.ascontiguousarray(images)).to(device)
    return TrainingImages(tensor.contiguous(memory_format=torch.channels_last), members)


def balanced_labels(
    seed: int, purpose: Purpose, step: int, turn: int, count: int, categories: int
) -> NDArray[np.int64]:
    """Labels [count] in which each category occurs equally often, to within one.

    Which categories get the odd ones out is random; so no category is favoured over many steps.
    """
    order = np.argsort(uniform(seed, purpose, step, 2 * turn, categories), kind="stable")
    return np.resize(order, count).astype(np.int64)


def batch_labels(
    training: Training, purpose: Purpose, step: int, turn: int, categories: int
) -> NDArray[np.int64]:
    """The labels [batch] of a step: balanced, and the token for the share that goes without."""
    count = training.batch_size
    share = 1.0 if step < training.pretrain_steps else training.unlabelled_share
    free = round(share * count)
    labelled = balanced_labels(training.seed, purpose, step, turn, count - free, categories)
    return np.concatenate((labelled, np.full(free, NO_LABEL, dtype=np.int64)))


def real_rows(
    seed: int, step: int, turn: int, labels: NDArray[np.int64], data: TrainingImages
) -> NDArray[np.int64]:
    """For each label [n] the row of a random image of that category; of any for the token."""
    picks = uniform(seed, Purpose.REAL_IMAGES, step, 2 * turn + 1, len(labels))
    everything = np.arange(len(data.images))
    pools = {NO_LABEL: everything, **dict(enumerate(data.members))}
    chosen = [
        pools[label][int(pick * len(pools[label]))]
        for label, pick in zip(labels.tolist(), picks, strict=True)
    ]
    return np.array(chosen, dtype=np.int64)


def to_unit(images: Tensor, dtype: torch.dtype) -> Tensor:
    """uint8 0..255 to -1..1."""
    return images.to(dtype).mul_(2.0 / 255.0).sub_(1.0)


def to_bytes(images: Tensor) -> Tensor:
    """-1..1 to uint8 0..255, rounded."""
    return images.float().add(1.0).mul_(127.5).round_().clamp_(0.0, 255.0).to(torch.uint8)
