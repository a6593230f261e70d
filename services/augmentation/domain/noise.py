"""Normal noise out of a counter-based generator, several times as fast as drawing it one by one."""

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

#: Steps into which the distribution is cut: 16 bits of a random word choose one.
_STEPS: Final = 1 << 16
_A_WORD: Final = 4


def normal_noise(random: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Values of ``shape``, of mean 0 and deviation 1.

    Each is one of 65,536 quantiles of the normal distribution, drawn evenly: none lies beyond 4.4
    deviations. Of grey levels, which are whole numbers, nobody can tell the difference.
    """
    count = int(np.prod(shape))
    words = random.bit_generator.random_raw(-(-count // _A_WORD))
    steps = words.astype("<u8", copy=False).view("<u2")[:count]
    return np.take(_quantiles(), steps).reshape(shape)


@lru_cache(maxsize=1)
def _quantiles() -> npt.NDArray[np.float32]:
    return np.asarray(ndtri((np.arange(_STEPS) + 0.5) / _STEPS), dtype=np.float32)
