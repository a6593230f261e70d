"""What is said of a generator in the end: its scores, what it memorised, and the closest pairs."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.gan.domain.generator import Generator
from services.gan.domain.inception import InceptionJudge
from services.gan.domain.judge import Judge, Report, reporting_panel
from services.gan.domain.memorisation import MOST_COPIES, Memorisation, copies, memorisation
from services.gan.domain.neighbours import Neighbours, neighbours, place
from services.gan.domain.preview import tile
from services.gan.domain.reference import Reference
from services.gan.domain.scores import Scores
from shared.compute.precision import Precision, reproducible

#: Samples and their nearest training images that a person is shown.
PAIRS = 16
_PAIRS_A_ROW = 4


@dataclass(frozen=True)
class Examination:
    """``scores`` as the contract names them; ``pairs`` uint8 [C, H, W], where there is a pair."""

    scores: dict[str, Any]
    pairs: NDArray[np.uint8] | None

    @property
    def refused(self) -> bool:
        """Whether the generator gives back its training images."""
        return bool((self.scores.get("memorisation") or {}).get("refused"))


def examine(
    generator: Generator,
    reference: Reference,
    judge: Judge,
    images: NDArray[np.uint8],
    precision: Precision,
    inception: InceptionJudge | None = None,
) -> Examination:
    """Of samples that no evaluation has seen; ``images`` are those of ``reference.train``."""
    panel = reporting_panel(judge)
    made = panel.samples(generator, precision)
    with reproducible(precision):
        places = place(reference.space, made, panel.labels)
    report = panel.report(places)
    scores = {} if report is None else _scores(report, reference, judge, generator)
    beside = None if inception is None else inception.scores(made, panel, judge.against)
    if beside is not None:
        scores["inception"] = beside
    if reference.bounds is None or not len(made):
        return Examination(scores, None)
    found = neighbours(places, reference.train)
    learnt = memorisation(places, found, reference.train, reference.val, reference.bounds)
    near = copies(found.pixels, reference.bounds)
    scores["memorisation"] = _verdict(learnt, reference)
    return Examination(scores, closest_pairs(made, found, near, images))


def _scores(
    report: Report, reference: Reference, judge: Judge, generator: Generator
) -> dict[str, Any]:
    names = generator.architecture.categories
    return {
        **_with_floor(report.scores, report.floor),
        "space": reference.space.name,
        "resizer": reference.space.resizer,
        "against": judge.against,
        "per_category": {
            names[label]: _with_floor(*found) for label, found in report.per_category.items()
        },
    }


def _with_floor(scores: Scores, floor: Scores | None) -> dict[str, Any]:
    values = asdict(scores)
    counts = {"n": values.pop("made"), "n_real": values.pop("real")}
    known = {} if floor is None else asdict(floor)
    floors = {f"{name}_floor": known.get(name) for name in values}
    return {**values, **floors, **counts}


def _verdict(learnt: Memorisation, reference: Reference) -> dict[str, Any]:
    assert reference.bounds is not None, "there are at least two training images"
    return {
        **asdict(learnt),
        "against": reference.bounds.reference,
        "refused": learnt.copies > MOST_COPIES,
    }


def closest_pairs(
    made: NDArray[np.uint8], found: Neighbours, near: NDArray[np.bool_], images: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """A grid of samples [n, C, S, S], each to the left of the training image nearest in pixels.

    Copies come first, then those that are nearest for their crowd.
    """
    closeness = found.pixels.distances / np.maximum(found.pixels.crowd, 1e-9)
    order = np.lexsort((closeness, ~near))[:PAIRS]
    shown = np.stack([made[order], images[found.pixels.rows[order]]], axis=1)
    return tile(shown.reshape(-1, *made.shape[1:]), 2 * _PAIRS_A_ROW)
