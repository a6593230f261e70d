"""The graph of an experiment: which jobs make what its comparison reads.

preprocess → subset → {augment, train GAN → generate} → classifiers, for each seed → comparison.
Everything is named by what makes it, so arms, seeds and experiments share what they have in common.
"""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from lesiongan.contracts.arms import WITH_GAN, Arm
from lesiongan.contracts.augmentation import AugmentCommand
from lesiongan.contracts.categories import Category
from lesiongan.contracts.classifiers import ClassifierCommand, PseudoLabelCommand
from lesiongan.contracts.datasets import SubsetCommand
from lesiongan.contracts.experiments import ExperimentCommand
from lesiongan.contracts.gans import GanCommand, GanOptions, GenerateSetCommand
from services.classification.planned import Lineage
from shared.datasets.identity import run_id
from shared.jobs.submit import NewJob
from shared.plans.classifiers import ClassifierData, train_classifier_job
from shared.plans.datasets import (
    augment_job,
    generate_set_job,
    pseudo_label_job,
    subset_job,
)
from shared.plans.gans import GanData, train_gan_job

#: Which data sets an arm trains on, beside the real images.
AUGMENTED: frozenset[Arm] = frozenset({"traditional", "combined", "distil", "pseudo_label"})
#: Arms without a GAN that ask a teacher: the seed's ``traditional`` classifier.
TAUGHT: frozenset[Arm] = frozenset({"distil", "pseudo_label"})
#: Those that label the unlabelled images; a GAN sees them within its own data set.
UNLABELLED: frozenset[Arm] = frozenset({"pseudo_label"})
#: Weight of the teacher's probabilities in the arm ``distil``.
DISTIL = 0.5
#: Copies of each image where few real ones are drawn, and where all are taken: with few, more
#: copies help (``docs/results.md``); the paper made three.
COPIES_OF_FEW, COPIES_OF_ALL = 20, 3


#: What an arm does to its categories' shares, whatever the other arms do.
_BALANCING: dict[Arm, dict[str, bool]] = {
    "oversample": {"balance": True, "class_weights": False},
    "class_weights": {"balance": False, "class_weights": True},
}


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


class SeedPlan:
    """One seed's part of the graph, with ``size`` real images of each category (None: all).

    What no arm asks for is not planned.
    """

    def __init__(
        self,
        session: Session,
        command: ExperimentCommand,
        source: Source,
        seed: int,
        size: int | None,
        pretrained_sha256: str | None = None,
    ) -> None:
        self._pretrained_sha256 = pretrained_sha256
        self._session = session
        self._size = size
        self._command = command
        self._source = source
        self._seed = seed
        self.lineage: list[Lineage] = []
        self._classifiers: dict[Arm, Made] = {}
        self._filters = command.filter_confidence is not None and self._wanted(WITH_GAN)
        self._names = command.gan_pseudo_confidence is not None and self._wanted(WITH_GAN)
        self._real = self._plan_real()
        augments = self._wanted(AUGMENTED) or self._filters or self._names
        self._augmented = self._plan_augmented() if augments else None
        self._seen_by_gan = self._plan_seen_by_gan() if self._wanted(WITH_GAN) else None
        self._synthetic = self._plan_synthetic() if self._wanted(WITH_GAN) else None
        self._unlabelled = self._plan_unlabelled() if self._wanted(UNLABELLED) else None

    @property
    def real(self) -> str:
        """The seed's real images."""
        return self._real.id

    @property
    def synthetic(self) -> list[str]:
        """The synthetic images, where an arm has some."""
        return [] if self._synthetic is None else [self._synthetic.id]

    @property
    def seen_by_gan(self) -> list[str]:
        """The data set of the seed's own GAN."""
        if self._seen_by_gan is None or self._command.gan_id is not None:
            return []
        return [self._seen_by_gan.id]

    def classifier(self, arm: Arm) -> Made:
        """The classifier of an arm, planned once."""
        if arm not in self._classifiers:
            self._classifiers[arm] = self._plan_classifier(arm)
        return self._classifiers[arm]

    def _plan_classifier(self, arm: Arm) -> Made:
        # An augmented data set holds its originals too.
        real = self._augmented if arm in AUGMENTED else self._real
        parts = [None if arm == "tstr" else real, self._synthetic if arm in WITH_GAN else None]
        training = [part for part in parts if part is not None]
        asks = arm in TAUGHT or (arm in WITH_GAN and self._filters)
        teacher = self.classifier("traditional") if asks else None
        command = ClassifierCommand(
            **(self._command.classifier.model_dump() | _BALANCING.get(arm, {})),
            **self._lessons(arm, teacher),
            filter_copies=self._command.filter_copies and arm in WITH_GAN,
            datasets=[made.id for made in training],
            patience=None,
            seed=self._seed,
            pretrained_sha256=self._pretrained_sha256,
        )
        training += [made for made in (teacher,) if made is not None]
        if arm == "pseudo_label" and self._unlabelled is not None:
            training.append(self._unlabelled)
        classifier_id = run_id("clf", "train-classifier", command.model_dump(mode="json"))
        data = ClassifierData(
            name=self._named(arm),
            phantom=self._source.phantom,
            images=sum(made.train for made in training),
            image_size=self._source.image_size,
            taught_on=self._seen_by_teacher(teacher),
        )
        job = train_classifier_job(
            command,
            data,
            classifier_id=classifier_id,
            for_experiment=True,
            requires=[job for made in training for job in made.requires],
        )
        self._note(f"classifier, {arm}", classifier_id)
        return Made(classifier_id, [job])

    def _named(self, arm: Arm) -> str:
        size = "" if self._size is None else f"{self._size} a category, "
        return f"{arm}, {size}seed {self._seed}, {self._source.name}"

    def _lessons(self, arm: Arm, teacher: Made | None) -> dict[str, Any]:
        """What the arm asks its teacher."""
        if teacher is None:
            return {}
        if arm == "distil":
            return {"teacher": teacher.id, "distil": DISTIL}
        if arm == "pseudo_label":
            assert self._unlabelled is not None, "the command says so"
            return {"teacher": teacher.id, "unlabelled": [self._unlabelled.id]}
        return {"teacher": teacher.id, "filter_confidence": self._command.filter_confidence}

    def _seen_by_teacher(self, teacher: Made | None) -> list[str]:
        return [] if teacher is None or self._augmented is None else [self._augmented.id]

    def _plan_unlabelled(self) -> Made:
        """The images that the seed does not draw; the data set itself where all are drawn."""
        per_category = self._size
        if per_category is None:
            return self._whole()
        asked = SubsetCommand(
            dataset=self._source.dataset_id,
            per_category=per_category,
            seed=self._seed,
            unlabelled=True,
        )
        left = max(0, self._source.train - per_category * len(self._source.categories))
        job = subset_job(asked, images=left)
        requires = self._source.requires
        return self._dataset("unlabelled images", job, requires, images=left, train=left)

    def _plan_real(self) -> Made:
        per_category = self._size
        if per_category is None:
            return self._whole()
        asked = SubsetCommand(
            dataset=self._source.dataset_id, per_category=per_category, seed=self._seed
        )
        train = per_category * len(self._source.categories)
        # As many of `val` come along.
        job, images = subset_job(asked, images=2 * train), 2 * train
        return self._dataset("real images", job, self._source.requires, images=images, train=train)

    def _plan_augmented(self) -> Made:
        command, real = self._command, self._real
        copies = command.copies or (COPIES_OF_ALL if self._size is None else COPIES_OF_FEW)
        asked = AugmentCommand(
            dataset=real.id,
            copies=copies,
            operations=command.operations,
            interpolation=command.interpolation,
            rotation_degrees=command.rotation_degrees,
            seed=self._seed,
        )
        added = copies * real.train
        images = real.images + added
        job = augment_job(asked, likely=images, likely_bytes=self._source.bytes_an_image)
        return self._dataset(
            "augmented", job, real.requires, images=images, train=real.train + added
        )

    def _plan_synthetic(self) -> Made:
        gan = self._plan_gan()
        asked = GenerateSetCommand(
            gan=gan.id,
            dataset=self._real.id,
            ratio=self._command.synthetic_ratio,
            seed=self._seed,
        )
        images = round(self._command.synthetic_ratio * self._real.train)
        requires = [*gan.requires, *self._real.requires]
        job = generate_set_job(asked, likely=images, image_size=self._source.image_size)
        return self._dataset("synthetic", job, requires, images=images, train=images)

    def _plan_seen_by_gan(self) -> Made:
        """The real images; where unlabelled ones are used, with all others beside them.

        The others' categories are forgotten in the data set itself: a GAN cannot look at them. It
        may be told what the teacher takes them for.
        """
        if not self._command.unlabelled:
            return self._real
        beside = self._real if self._size is None else self._plan_beside(self._size)
        return self._plan_named(beside) if self._names else beside

    def _plan_beside(self, per_category: int) -> Made:
        asked = SubsetCommand(
            dataset=self._source.dataset_id,
            per_category=per_category,
            seed=self._seed,
            unlabelled_beside=True,
        )
        images = self._source.images
        job = subset_job(asked, images=images)
        return self._dataset("images of the GAN", job, self._source.requires, images=images)

    def _plan_named(self, beside: Made) -> Made:
        """The same images; the others have the categories that the seed's teacher names."""
        confidence = self._command.gan_pseudo_confidence
        assert confidence is not None, "the caller asked"
        teacher = self.classifier("traditional")
        asked = PseudoLabelCommand(dataset=beside.id, teacher=teacher.id, confidence=confidence)
        job = pseudo_label_job(asked, images=beside.images)
        requires = [*beside.requires, *teacher.requires]
        return self._dataset("images of the GAN, named", job, requires, images=beside.images)

    def _plan_gan(self) -> Made:
        if self._command.gan_id is not None:
            return Made(self._command.gan_id, [])
        seen = self._seen_by_gan
        assert seen is not None, "planned before its GAN"
        options = self._command.gan or GanOptions()
        asked = GanCommand(
            **options.model_dump(),
            dataset=seen.id,
            seed=self._seed,
            categories=self._source.categories,
        )
        gan_id = run_id("gan", "train-gan", asked.model_dump(mode="json"))
        data = GanData(
            name=self._source.name,
            phantom=self._source.phantom,
            categories=self._source.categories,
            image_size=self._source.image_size,
            channels=self._source.channels,
        )
        job = train_gan_job(
            asked,
            data,
            gan_id=gan_id,
            for_experiment=True,
            requires=seen.requires,
        )
        self._note("GAN", gan_id)
        return Made(gan_id, [job])

    def _whole(self) -> Made:
        source = self._source
        return Made(source.dataset_id, source.requires, images=source.images, train=source.train)

    def _dataset(
        self, what: str, job: NewJob, requires: list[NewJob], *, images: int, train: int = 0
    ) -> Made:
        assert job.target is not None, "jobs that make data sets name them"
        self._note(what, job.target)
        return Made(job.target, [job.after(requires)], images=images, train=train)

    def _note(self, what: str, made_id: str) -> None:
        whose = f"seed {self._seed}"
        if len(self._command.sizes) > 1:
            whose = f"{self._size} a category, {whose}"
        self.lineage.append(Lineage(what=f"{whose}: {what}", id=made_id))

    def _wanted(self, arms: frozenset[Arm]) -> bool:
        return bool(arms & set(self._command.arms))
