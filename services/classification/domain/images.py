"""Labelled images on the device, and which of them a step sees."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from services.classification.domain.recipe import Recipe


@dataclass(frozen=True)
class LabelledImages:
    """``pixels`` uint8 [N, C, H, W], ``labels`` int64 [N], ``synthetic`` bool [N]."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    synthetic: NDArray[np.bool_]
    #: A teacher's softened probabilities, float32 [N, K].
    soft: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def channels(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def image_size(self) -> int:
        return int(self.pixels.shape[2])


class BatchSampler:
    """Draws the rows of each step's batch from (seed, step), so that no random state is kept."""

    def __init__(self, images: LabelledImages, recipe: Recipe) -> None:
        self._recipe = recipe
        nothing = np.zeros(len(images), dtype=np.int64)
        groups = images.labels if recipe.balance else nothing
        alike = recipe.synthetic_share is None and recipe.synthetic_first is None
        kinds = nothing if alike else images.synthetic
        #: Rows by group (a category, where they are balanced) and by whether they are synthetic.
        self._rows = [
            [np.flatnonzero((groups == group) & (kinds == kind)) for kind in (False, True)]
            for group in np.unique(groups)
        ]

    def rows(self, step: int) -> NDArray[np.int64]:
        """Rows [batch_size] of step ``step``."""
        count = self._recipe.batch_size
        random = np.random.default_rng([self._recipe.seed, step])
        groups = np.resize(random.permutation(len(self._rows)), count).tolist()
        synthetic = random.random(count) < self._synthetic_share(step)
        picks = random.random(count).tolist()
        pools = map(self._pool, groups, synthetic.astype(int).tolist())
        drawn = [pool[int(pick * len(pool))] for pool, pick in zip(pools, picks, strict=True)]
        return np.asarray(drawn, dtype=np.int64)

    def _synthetic_share(self, step: int) -> float:
        if self._recipe.synthetic_first is None:
            return self._recipe.synthetic_share or 0.0
        return float(step < self._recipe.synthetic_first * self._recipe.steps)

    def _pool(self, group: int, kind: int) -> NDArray[np.int64]:
        """Rows of the group, of the other kind where it has none of the wanted one."""
        wanted = self._rows[group][kind]
        return wanted if wanted.size else self._rows[group][1 - kind]


def to_input(pixels: Tensor) -> Tensor:
    """uint8 0..255 [N, C, H, W] to float32 -1..1, channels last."""
    scaled = pixels.to(torch.float32).mul_(2.0 / 255.0).sub_(1.0)
    return scaled.contiguous(memory_format=torch.channels_last)
