"""Who scores a training while it runs, and in the end what it publishes."""

import numpy as np
import numpy.typing as npt

from services.gan.domain.config import Training
from services.gan.domain.examination import Examination, examine
from services.gan.domain.generator import Generator
from services.gan.domain.inception import InceptionJudge
from services.gan.domain.judge import appoint, looking_panel
from services.gan.domain.reference import Reference
from services.gan.domain.scores import Scores
from shared.compute.precision import Precision


class Examiner:
    """Holds the samples of one training against its reference."""

    def __init__(
        self,
        reference: Reference,
        training: Training,
        precision: Precision,
        inception: InceptionJudge | None = None,
    ) -> None:
        self._reference = reference
        self._precision = precision
        self._inception = inception
        self._judge = appoint(reference)
        self._panel = looking_panel(self._judge, training)

    @property
    def noise(self) -> float:
        """How far a KID strays by chance."""
        return self._panel.noise

    @property
    def floors(self) -> dict[str, float]:
        """The KID of real images, which goes beside that of samples."""
        floor = self._panel.floor
        return {} if floor is None else {"kid_floor": floor.kid}

    def look(self, generator: Generator) -> Scores | None:
        """Scores of the same latents always; None where there are too few real images."""
        return self._panel.look(generator, self._precision)

    def examine(self, generator: Generator, images: npt.NDArray[np.uint8]) -> Examination:
        """All that is said of a generator in the end; ``images`` are the training images."""
        return examine(
            generator, self._reference, self._judge, images, self._precision, self._inception
        )
