"""The data sets of one seed that are drawn or copied, before any network is trained."""

from dataclasses import dataclass, field
from functools import cached_property

from lesiongan.contracts.augmentation import AugmentCommand
from lesiongan.contracts.categories import Category
from lesiongan.contracts.datasets import SubsetCommand
from lesiongan.contracts.experiments import ExperimentCommand
from services.classification.planned import Lineage
from shared.jobs.submit import NewJob
from shared.plans.datasets import augment_job, subset_job

#: Copies of each image where few real ones are drawn, and where all are taken: with few, more
#: copies help (``docs/results.md``); the paper made three.
COPIES_OF_FEW, COPIES_OF_ALL = 20, 3


@dataclass(frozen=True, kw_only=True)
class Source:
    """The preprocessed data set that all seeds draw from, made already or by ``requires``."""

    dataset_id: str
    name: str
    phantom: bool
    categories: list[Category]
    image_size: int
    channels: int
    #: How many it has, about how many of them are for training, and about the bytes of one.
    images: int
    train: int
    bytes_an_image: float
    requires: list[NewJob] = field(default_factory=list)


@dataclass(frozen=True)
class Made:
    """Something by its id, and the jobs that must have ended before it is there."""

    id: str
    requires: list[NewJob]
    #: Of a data set: about how many it has, and how many of them are for training.
    images: int = 0
    train: int = 0


class Drawn:
    """A seed's data sets, with ``size`` real images of each category (None: all).

    Each is planned when it is first asked for, and written into ``lineage``.
    """

    def __init__(
        self, command: ExperimentCommand, source: Source, seed: int, size: int | None
    ) -> None:
        self.size = size
        self.lineage: list[Lineage] = []
        self._command = command
        self._source = source
        self._seed = seed

    @cached_property
    def real(self) -> Made:
        """The seed's real images, and as many of ``val``."""
        if self.size is None:
            return self._whole()
        train = self.size * len(self._source.categories)
        asked = self._subset(self.size)
        return self._add("real images", subset_job(asked, images=2 * train), 2 * train, train)

    @cached_property
    def unlabelled(self) -> Made:
        """The images that the seed does not draw; the data set itself where all are drawn."""
        if self.size is None:
            return self._whole()
        left = max(0, self._source.train - self.size * len(self._source.categories))
        asked = self._subset(self.size, unlabelled=True)
        return self._add("unlabelled images", subset_job(asked, images=left), left, left)

    @cached_property
    def beside(self) -> Made:
        """The real images and all others, whose categories are forgotten in the data set itself:
        a GAN cannot look at them.
        """
        if self.size is None:
            return self.real
        images = self._source.images
        asked = self._subset(self.size, unlabelled_beside=True)
        return self._add("images of the GAN", subset_job(asked, images=images), images)

    @cached_property
    def augmented(self) -> Made:
        """The real images and their copies."""
        command, real = self._command, self.real
        copies = command.copies or (COPIES_OF_ALL if self.size is None else COPIES_OF_FEW)
        asked = AugmentCommand(
            dataset=real.id,
            copies=copies,
            operations=command.operations,
            interpolation=command.interpolation,
            rotation_degrees=command.rotation_degrees,
            seed=self._seed,
        )
        added = copies * real.train
        images, train = real.images + added, real.train + added
        job = augment_job(asked, likely=images, likely_bytes=self._source.bytes_an_image)
        return self.add("augmented", job, real.requires, images=images, train=train)

    def add(
        self, what: str, job: NewJob, requires: list[NewJob], *, images: int, train: int = 0
    ) -> Made:
        """The data set that ``job`` makes after ``requires``."""
        assert job.target is not None, "jobs that make data sets name them"
        self.note(what, job.target)
        return Made(job.target, [job.after(requires)], images=images, train=train)

    def note(self, what: str, made_id: str) -> None:
        """Write into the lineage that the seed has something."""
        whose = f"seed {self._seed}"
        if len(self._command.sizes) > 1:
            whose = f"{self.size} a category, {whose}"
        self.lineage.append(Lineage(what=f"{whose}: {what}", id=made_id))

    def _add(self, what: str, job: NewJob, images: int, train: int = 0) -> Made:
        return self.add(what, job, self._source.requires, images=images, train=train)

    def _subset(self, per_category: int, **which: bool) -> SubsetCommand:
        return SubsetCommand(
            dataset=self._source.dataset_id, per_category=per_category, seed=self._seed, **which
        )

    def _whole(self) -> Made:
        source = self._source
        return Made(source.dataset_id, source.requires, images=source.images, train=source.train)
