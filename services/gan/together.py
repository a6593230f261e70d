"""Small requests that wait together are sampled in one forward pass, each with its own noise.

A batch has a fixed shape, padded where images are few: so the places that a small job leaves cost
nothing, and images of jobs that wait for the same generator fill them. Those are kept until their
job's turn comes, a moment later. It is claimed, fenced and cancelled as ever, and finds its images
made. What nobody comes for, such as those of a job that another worker took, is dropped with time.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from services.gan.domain.generator import Generator
from services.gan.domain.sampling import sample_batches, sampling_batch
from shared.compute.precision import Precision

Images = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Wanted:
    """Images of one job: the first draws of ``labels[i]``, image ``first + i`` of ``seed``."""

    job_id: str
    seed: int
    labels: Sequence[int]
    first: int = 0


@dataclass
class KeptImages:
    """Images of jobs that wait, by job; those of the jobs that came first go first."""

    at_most: int
    _kept: OrderedDict[str, Images] = field(default_factory=OrderedDict)

    def put(self, job_id: str, images: Images) -> None:
        self._kept[job_id] = images
        if len(self._kept) > self.at_most:
            self._kept.popitem(last=False)

    def take(self, job_id: str) -> Images | None:
        return self._kept.pop(job_id, None)

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._kept


def places_left(generator: Generator, images: int, precision: Precision) -> int:
    """Places of the last batch that ``images`` images leave empty."""
    return -images % sampling_batch(generator.architecture, precision.device)


def fitting(jobs: Sequence[Wanted], places: int) -> list[Wanted]:
    """As many of ``jobs`` as fit, in their order, each whole."""
    chosen = []
    for job in jobs:
        if len(job.labels) <= places:
            chosen.append(job)
            places -= len(job.labels)
    return chosen


def sample_together(
    generator: Generator,
    own: Wanted,
    others: Sequence[Wanted],
    kept: KeptImages,
    *,
    precision: Precision,
    truncation: float | None,
) -> Iterator[Images]:
    """Yield ``own`` images in batches, uint8 [n, C, H, W]; those of ``others`` are kept."""
    every = [own, *others]
    batches = sample_batches(
        generator,
        [label for each in every for label in each.labels],
        seed=[each.seed for each in every for _ in each.labels],
        indices=[each.first + place for each in every for place in range(len(each.labels))],
        draws=[0] * sum(len(each.labels) for each in every),
        precision=precision,
        truncation=truncation,
    )
    missing = len(own.labels)
    for batch in batches:
        missing -= len(batch)
        if missing >= 0:
            yield batch
        else:  # the last: `others` fit into what is left of it
            _keep(batch[missing:], others, kept)
            yield batch[:missing]


def _keep(images: Images, others: Sequence[Wanted], kept: KeptImages) -> None:
    for each in others:
        kept.put(each.job_id, images[: len(each.labels)].copy())
        images = images[len(each.labels) :]
