"""Which window a lesion is read in, as DeepLesion's readers chose it."""

import numpy as np

from lesiongan.contracts.categories import CATEGORIES, Category
from services.preprocessing.domain.phantom.difficulty import Difficulty

Window = tuple[float, float]
SOFT_TISSUE: Window = (-175.0, 275.0)
LUNG: Window = (-1500.0, 500.0)
_NARROW: Window = (-160.0, 240.0)
_WIDE: Window = (-177.5, 307.5)

_USUAL: dict[Category, Window] = dict.fromkeys(CATEGORIES, SOFT_TISSUE)
_USUAL["lung"] = LUNG
_USUAL["bone"] = LUNG

#: Lesions of these categories are read in the other window now and then: in DeepLesion's test
#: split 29 % of bone and 16 % of lung lesions, and hardly any other.
_FOREIGN: dict[Category, Window] = {"bone": SOFT_TISSUE, "lung": SOFT_TISSUE}


def draw_window(rng: np.random.Generator, category: Category, difficulty: Difficulty) -> Window:
    """The display window (low, high in HU) of one lesion."""
    if category in _FOREIGN:
        foreign = rng.random() < difficulty.foreign_window_share
        return _FOREIGN[category] if foreign else _USUAL[category]
    scanner = rng.random()
    return _NARROW if scanner < 0.05 else _WIDE if scanner < 0.08 else SOFT_TISSUE
