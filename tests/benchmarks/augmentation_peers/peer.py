"""What another library must do to be compared with."""

from collections.abc import Callable
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from lesiongan.contracts.augmentation import Interpolation, Operation
from services.augmentation.domain.series import Series

#: uint8 [H, W].
Grey = NDArray[np.uint8]
#: The default series' operations that move pixels.
GEOMETRY: Final[tuple[Operation, ...]] = ("rotate", "scale", "shift", "shear")


class Peer(Protocol):
    """Another library's way."""

    @property
    def name(self) -> str: ...

    def random_series(self, interpolation: Interpolation) -> Callable[[Grey], object]:
        """The default operations within our bounds, each half of the time."""
        ...

    def step_by_step(self, image: Grey, series: Series) -> Grey | None:
        """Geometry and contrast of ``series``, one operation after the other, linear.

        None if it does not go that way.
        """
        ...
