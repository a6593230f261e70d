"""DiffAugment: what the critic sees of an image, real or made, is augmented; samples never are.

Zhao et al., "Differentiable augmentation for data-efficient GAN training", NeurIPS 2020: with few
images a critic learns them by heart, unless ``T`` stands before it wherever it looks, and the
generator's gradient comes back through ``T``. Grey levels, shift and cutout are the paper's, in
its order and strength; saturation means nothing in CT, and images are not flipped, since a
flipped liver lies on the wrong side.

Moving whole pixels is a product with matrices of 0 and 1: exact in bfloat16, deterministic on a
GPU, where gathering is not, and differentiable as often as anybody likes.
"""

from collections.abc import Collection

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from services.gan.domain.noise import Purpose, uniform

#: Random numbers an image; drawn whichever operations are on, so that each keeps its own.
DRAWS = 6
_SHIFT_SHARE = 1 / 8
_HOLE_SHARE = 1 / 2


def augment_draws(
    seed: int, purpose: Purpose, step: int, turn: int, count: int
) -> NDArray[np.float32]:
    """The random numbers [count, DRAWS] on [0, 1) of a batch's augmentations."""
    numbers = uniform(seed, purpose, step, turn, count * DRAWS)
    return numbers.reshape(count, DRAWS).astype(np.float32)


def augment(images: Tensor, draws: Tensor, operations: Collection[str]) -> Tensor:
    """T(x): images [N, C, S, S] in [-1, 1] and draws [N, DRAWS] -> images of the same kind.

    ``operations`` are some of ``DIFF_AUGMENTATIONS``; none leave the images as they are.
    """
    each = draws[:, :, None, None, None].unbind(dim=1)  # DRAWS times [N, 1, 1, 1]
    if "brightness" in operations:
        images = images + (each[0] - 0.5).to(images.dtype)
    if "contrast" in operations:
        mean = images.float().mean(dim=(1, 2, 3), keepdim=True).to(images.dtype)
        images = (images - mean) * (each[1] + 0.5).to(images.dtype) + mean
    if "translation" in operations:
        images = _translate(images, draws[:, 2], draws[:, 3])
    if "cutout" in operations:
        images = images * _cutout(images, draws[:, 4], draws[:, 5])
    return images


def _translate(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Shifted by up to an eighth each way; what comes in from outside is 0."""
    rows, columns = (_shift_matrices(images, each) for each in (down, right))
    moved = rows @ images @ columns.transpose(2, 3)
    return moved.contiguous(memory_format=torch.channels_last)


def _shift_matrices(images: Tensor, draws: Tensor) -> Tensor:
    """Matrices [N, 1, S, S] that move S pixels by whole steps, from draws [N] on [0, 1)."""
    size = images.shape[-1]
    reach = int(size * _SHIFT_SHARE + 0.5)
    steps = (draws * (2 * reach + 1)).floor() - reach
    place = torch.arange(size, device=images.device)
    source = place[None, :, None] + steps[:, None, None]
    return (source == place[None, None, :]).to(images.dtype)[:, None]


def _cutout(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """0 within a square of half the image's side, 1 elsewhere: [N, 1, S, S]."""
    inside_rows, inside_columns = (_within_hole(images.shape[-1], each) for each in (down, right))
    hole = inside_rows[:, :, None] & inside_columns[:, None, :]
    return (~hole).to(images.dtype)[:, None]


def _within_hole(size: int, draws: Tensor) -> Tensor:
    """Which of S rows lie in a hole whose middle may be any of them: [N, S]."""
    side = int(size * _HOLE_SHARE + 0.5)
    first = (draws * (size + 1 - side % 2)).floor() - side // 2
    place = torch.arange(size, device=draws.device)
    return (place >= first[:, None]) & (place < first[:, None] + side)
