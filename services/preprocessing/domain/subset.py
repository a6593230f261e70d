"""One seed's real images: as many of each category to train on, and no more of ``val``."""

from collections.abc import Sequence

import numpy as np

from lesiongan.contracts.categories import CODES, Category, Split
from shared.errors import BadInput


def left_over(
    known: Sequence[tuple[Category | None, Split | None]], *, per_category: int, seed: int
) -> list[int]:
    """Places of the training images that :func:`draw` leaves, and of those without a category."""
    drawn = set(draw(known, per_category=per_category, seed=seed))
    return [
        place for place, (_, split) in enumerate(known) if split == "train" and place not in drawn
    ]


def draw(
    known: Sequence[tuple[Category | None, Split | None]], *, per_category: int, seed: int
) -> list[int]:
    """Places in ``known`` (category and split of each image), in order.

    Every category that has training images gives ``per_category`` of them, and at most as many of
    ``val``: whoever has few images to train on has few to choose a model by. ``test`` stays behind.
    What a category gives depends on the seed and its own images alone.

    Raises :class:`BadInput` naming the categories that have fewer training images.
    """
    places: dict[tuple[Category, Split], list[int]] = {}
    for place, (category, split) in enumerate(known):
        if category is not None and split in ("train", "val"):
            places.setdefault((category, split), []).append(place)
    lacking = [c for (c, s), found in places.items() if s == "train" and len(found) < per_category]
    if lacking:
        names = ", ".join(sorted(lacking))
        raise BadInput(f"fewer than {per_category} training images of {names}")
    chosen: list[int] = []
    for (category, split), found in places.items():
        if (category, "train") in places:
            random = np.random.default_rng([seed, CODES[category], split == "val"])
            chosen += random.permutation(found)[:per_category].tolist()
    return sorted(chosen)
