"""Who scores a training: a feature space, and the real images that samples are held against.

Those of ``val`` where there are enough, which the GAN never sees. Where there are not, one half of
the training images, and what is scored then says so. Beside each score stands its floor: that of
the training images (of the other half), which no generator should beat by much.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from services.gan.domain.batches import NO_LABEL
from services.gan.domain.config import Training
from services.gan.domain.feature_space import FeatureSpace
from services.gan.domain.generator import Generator
from services.gan.domain.kernel_distance import kernel_distance
from services.gan.domain.neighbours import Places
from services.gan.domain.noise import Purpose, raw_bits, uniform
from services.gan.domain.reference import ENOUGH, Reference
from services.gan.domain.sampling import sample
from services.gan.domain.scores import FEWEST, Scores, compare
from shared.compute.precision import Precision, reproducible

#: Samples of an evaluation: at most, at least, and as a share of the images that the critic saw
#: since the last. A sample costs about a sixth of what training costs on an image.
MOST_LOOKED_AT, LEAST_LOOKED_AT, SHARE = 512, 64, 1 / 8
#: Samples of the last, full report.
REPORTED = 1000
#: Sets of real images that show how far a score strays by chance.
_DRAWS = 4
#: How far it may stray where too few images are left to show it.
_UNKNOWN_NOISE = 1.0

Against = Literal["val", "training"]


@dataclass(frozen=True)
class Judge:
    """Samples are compared with ``real``; their floor is how ``others`` compare with it.

    ``real_rows`` [n] are their rows in the ``val`` of the reference, or in its ``train``, as
    ``against`` says; ``other_rows`` [m] those of ``others``, in ``train``.
    """

    space: FeatureSpace
    against: Against
    real: Places
    others: Places
    real_rows: NDArray[np.int64]
    other_rows: NDArray[np.int64]


@dataclass(frozen=True)
class Report:
    """Scores of all samples and of each category, by its place; floors where there are any."""

    scores: Scores
    floor: Scores | None
    per_category: Mapping[int, tuple[Scores, Scores | None]]


def appoint(reference: Reference) -> Judge:
    """The judge of a GAN that learns from ``reference.train``, but for images without a label."""
    space, train, val = reference.space, reference.train, reference.val
    known = np.flatnonzero(train.labels != NO_LABEL)
    if len(val) >= ENOUGH:
        return Judge(space, "val", val, train.take(known), np.arange(len(val)), known)
    order = known[_shuffled(len(known), 0)]
    real, others = order[::2], order[1::2]
    return Judge(space, "training", train.take(real), train.take(others), real, others)


class Panel:
    """Samples of the same latents and labels, asked for each time, against the same images.

    ``real_rows`` and ``other_rows`` say which images those are, as in :class:`Judge`.
    """

    def __init__(self, judge: Judge, count: int, *, stream: int) -> None:
        self._space = judge.space
        rows = _shuffled(len(judge.real), 1)[:count]
        self.real, self.real_rows = judge.real.take(rows), judge.real_rows[rows]
        #: As often as in ``real``, and again where that holds few: what a few latents happen to
        #: become says little of a generator.
        repeated = max(1, count // max(1, len(rows)))
        self.labels = np.tile(self.real.labels, repeated)
        self._seed = int(raw_bits(0, Purpose.SCORES, stream, 0, 1)[0] >> 1)
        alike = _alike(judge.others, self.labels, 0)
        self.others, self.other_rows = judge.others.take(alike), judge.other_rows[alike]
        self.floor = compare(self.others.features, self.real.features)
        self.noise = _noise(judge, self.real)

    def samples(self, generator: Generator, precision: Precision) -> NDArray[np.uint8]:
        """Images [n, C, S, S] of the panel's labels."""
        return sample(
            generator,
            self.labels.tolist(),
            seed=self._seed,
            indices=range(len(self.labels)),
            precision=precision,
        )

    def look(self, generator: Generator, precision: Precision) -> Scores | None:
        """Scores of a generator as it is; None where there are too few real images."""
        images = self.samples(generator, precision)
        with reproducible(precision):
            return compare(self._space.features(images), self.real.features)

    def report(self, made: Places) -> Report | None:
        """Of the panel's samples; None where there are too few real images."""
        scores = compare(made.features, self.real.features)
        if scores is None:
            return None
        each = {
            int(label): found
            for label in np.unique(self.labels)
            if (found := self._category(made, label)) is not None
        }
        return Report(scores, self.floor, each)

    def _category(self, made: Places, label: int) -> tuple[Scores, Scores | None] | None:
        one, real, others = (
            each.take(each.labels == label).features for each in (made, self.real, self.others)
        )
        scores = compare(one, real)
        return None if scores is None else (scores, compare(others, real))


def looking_panel(judge: Judge, training: Training) -> Panel:
    """The panel of the evaluations during a training, which cost a few hundredths of it."""
    seen = training.evaluate_every * training.batch_size * training.n_critic
    count = max(LEAST_LOOKED_AT, min(MOST_LOOKED_AT, int(seen * SHARE)))
    return Panel(judge, count, stream=1)


def reporting_panel(judge: Judge) -> Panel:
    """The panel of the report on what is published.

    Its latents are others: the best of many looks at the same ones is partly luck. That of the
    real images stays in it, since they are those that chose.
    """
    return Panel(judge, REPORTED, stream=2)


def _shuffled(count: int, turn: int) -> NDArray[np.int64]:
    order: NDArray[np.int64] = np.argsort(uniform(0, Purpose.SCORES, 0, turn, count), kind="stable")
    return order


def _alike(known: Places, labels: NDArray[np.int64], turn: int) -> NDArray[np.int64]:
    """Rows: of each category as many as in ``labels``, as far as there are so many; shuffled."""
    order = _shuffled(len(known), 2 + turn)
    if not len(labels):
        return order
    chosen = [
        order[known.labels[order] == label][: int((labels == label).sum())]
        for label in np.unique(labels)
    ]
    return order[np.isin(order, np.concatenate(chosen))]


def _noise(judge: Judge, real: Places) -> float:
    """The largest KID of some sets of as many real images against ``real``."""
    if min(len(judge.others), len(real)) < FEWEST:
        return _UNKNOWN_NOISE
    sets = [
        judge.others.features[_alike(judge.others, real.labels, turn)] for turn in range(_DRAWS)
    ]
    usable = [each for each in sets if len(each) >= FEWEST]
    distances = [abs(kernel_distance(each, real.features)) for each in usable]
    return max(distances, default=_UNKNOWN_NOISE)
