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
        self._categories = np.unique(images.labels)
        self._pools = [
            self._pool(images, keep) for keep in (~images.synthetic, images.synthetic) if keep.any()
        ]
        self._all = self._pool(images, np.ones(len(images), dtype=np.bool_))

    def rows(self, step: int) -> NDArray[np.int64]:
        """Rows [batch_size] of step ``step``."""
        recipe = self._recipe
        random = np.random.default_rng([recipe.seed, step])
        if recipe.synthetic_share is None or len(self._pools) < 2:
            return self._draw(random, self._all, recipe.batch_size)
        synthetic = int(random.binomial(recipe.batch_size, recipe.synthetic_share))
        real = self._draw(random, self._pools[0], recipe.batch_size - synthetic)
        return np.concatenate((real, self._draw(random, self._pools[1], synthetic)))

    def _pool(self, images: LabelledImages, keep: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
        """The rows to draw from: one list a category where they are balanced, else one list."""
        if not self._recipe.balance:
            return [np.flatnonzero(keep)]
        by_category = [np.flatnonzero(keep & (images.labels == k)) for k in self._categories]
        return [rows for rows in by_category if rows.size]

    def _draw(
        self, random: np.random.Generator, pool: list[NDArray[np.int64]], count: int
    ) -> NDArray[np.int64]:
        turns = np.resize(random.permutation(len(pool)), count)
        picks = random.random(count)
        drawn = [
            pool[turn][int(pick * len(pool[turn]))] for turn, pick in zip(turns, picks, strict=True)
        ]
        return np.asarray(drawn, dtype=np.int64)


def to_input(pixels: Tensor) -> Tensor:
    """uint8 0..255 [N, C, H, W] to float32 -1..1, channels last."""
    scaled = pixels.to(torch.float32).mul_(2.0 / 255.0).sub_(1.0)
    return scaled.contiguous(memory_format=torch.channels_last)
