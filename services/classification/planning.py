"""The graph of an experiment: which jobs make what its comparison reads.

preprocess → subset → {augment, train GAN → generate} → classifiers, for each seed → comparison.
Everything is named by what makes it, so arms, seeds and experiments share what they have in common.
"""

from functools import cached_property
from typing import Any

from lesiongan.contracts.arms import WITH_GAN, Arm
from lesiongan.contracts.classifiers import ClassifierCommand, PseudoLabelCommand
from lesiongan.contracts.experiments import ArmClassifier, ExperimentCommand
from lesiongan.contracts.gans import GanCommand, GanOptions, GenerateSetCommand
from services.classification.drawing import Drawn, Made, Source
from services.classification.planned import Lineage
from shared.datasets.identity import run_id
from shared.plans.classifiers import ClassifierData, train_classifier_job
from shared.plans.datasets import generate_set_job, pseudo_label_job
from shared.plans.gans import GanData, train_gan_job

#: Which data sets an arm trains on, beside the real images.
AUGMENTED: frozenset[Arm] = frozenset({"traditional", "combined", "distil", "pseudo_label"})
#: Weight of the teacher's probabilities in the arm ``distil``.
DISTIL = 0.5
#: Added to the seed of that arm, whose images are its teacher's: with the same initial weights and
#: batches it would be its teacher once more, and no control for training twice.
DISTIL_SEED = 1_000

#: The arms whose batches hold real and synthetic images; to others it says nothing how these mix.
_MIXED: frozenset[Arm] = WITH_GAN - {"tstr"}
_UNMIXED = ArmClassifier().model_dump(include={"synthetic_share", "synthetic_first"})

#: What an arm does to its categories' shares, whatever the other arms do.
_BALANCING: dict[Arm, dict[str, bool]] = {
    "oversample": {"balance": True, "class_weights": False},
    "class_weights": {"balance": False, "class_weights": True},
}


class SeedPlan:
    """One seed's part of the graph, with ``size`` real images of each category (None: all).

    What no arm asks for is not planned.
    """

    def __init__(
        self,
        command: ExperimentCommand,
        source: Source,
        seed: int,
        size: int | None,
        pretrained_sha256: str | None = None,
    ) -> None:
        self._command = command
        self._source = source
        self._seed = seed
        self._pretrained_sha256 = pretrained_sha256
        self._drawn = Drawn(command, source, seed, size)
        self._classifiers: dict[str, Made] = {}

    @property
    def lineage(self) -> list[Lineage]:
        """All that was planned so far."""
        return self._drawn.lineage

    @property
    def real(self) -> str:
        """The seed's real images."""
        return self._drawn.real.id

    @property
    def synthetic(self) -> list[str]:
        """The synthetic images, where an arm has some."""
        return [self._synthetic.id] if self._has_gan else []

    @property
    def seen_by_gan(self) -> list[str]:
        """The data set of the seed's own GAN."""
        own = self._has_gan and self._command.gan_id is None
        return [self._seen_by_gan.id] if own else []

    def classifier(self, arm: Arm) -> Made:
        """The classifier of an arm, planned once."""
        if arm == "pseudo_label":
            return self._namer(self._command.pseudo_rounds)
        filters = self._command.filter_confidence is not None and arm in WITH_GAN
        teacher = self.classifier("traditional") if arm == "distil" or filters else None
        return self._trained(arm, arm, teacher)

    def _namer(self, rounds: int) -> Made:
        """A classifier that learnt from unlabelled images in so many rounds of naming.

        Each round's teacher is the one of a round less. After none it is the arm ``traditional``,
        after all the arm ``pseudo_label``.
        """
        if rounds == 0:
            return self.classifier("traditional")
        last = rounds == self._command.pseudo_rounds
        name = "pseudo_label" if last else f"pseudo_label after round {rounds}"
        return self._trained("pseudo_label", name, self._namer(rounds - 1))

    def _trained(self, arm: Arm, name: str, teacher: Made | None) -> Made:
        if name not in self._classifiers:
            self._classifiers[name] = self._plan_classifier(arm, name, teacher)
        return self._classifiers[name]

    def _plan_classifier(self, arm: Arm, name: str, teacher: Made | None) -> Made:
        training = self._training_images(arm)
        command = ClassifierCommand(
            **self._options(arm),
            **self._lessons(arm, teacher),
            filter_copies=self._command.filter_copies and arm in WITH_GAN,
            datasets=[made.id for made in training],
            patience=None,
            seed=self._seed + (DISTIL_SEED if arm == "distil" else 0),
            pretrained_sha256=self._pretrained_sha256,
        )
        training += [] if teacher is None else [teacher]
        training += [self._drawn.unlabelled] if arm == "pseudo_label" else []
        classifier_id = run_id("clf", "train-classifier", command.model_dump(mode="json"))
        data = ClassifierData(
            name=self._named(name),
            phantom=self._source.phantom,
            images=sum(made.train for made in training),
            image_size=self._source.image_size,
            taught_on=[] if teacher is None else [self._drawn.augmented.id],
        )
        job = train_classifier_job(
            command,
            data,
            classifier_id=classifier_id,
            for_experiment=True,
            requires=[job for made in training for job in made.requires],
        )
        self._drawn.note(f"classifier, {name}", classifier_id)
        return Made(classifier_id, [job])

    def _options(self, arm: Arm) -> dict[str, Any]:
        """Those that can change the arm's classifier: another mixture finds the baselines made, and
        all that was taught by them.
        """
        unmixed = {} if arm in _MIXED else _UNMIXED
        return self._command.classifier.model_dump() | _BALANCING.get(arm, {}) | unmixed

    def _training_images(self, arm: Arm) -> list[Made]:
        """Of an arm, but for those that a teacher names; augmented ones come with the real."""
        real = self._drawn.augmented if arm in AUGMENTED else self._drawn.real
        synthetic = [self._synthetic] if arm in WITH_GAN else []
        return synthetic if arm == "tstr" else [real, *synthetic]

    def _named(self, name: str) -> str:
        size = "" if self._drawn.size is None else f"{self._drawn.size} a category, "
        return f"{name}, {size}seed {self._seed}, {self._source.name}"

    def _lessons(self, arm: Arm, teacher: Made | None) -> dict[str, Any]:
        """What the arm asks its teacher."""
        if teacher is None:
            return {}
        if arm == "distil":
            return {"teacher": teacher.id, "distil": DISTIL}
        if arm == "pseudo_label":
            return {"teacher": teacher.id, "unlabelled": [self._drawn.unlabelled.id]}
        return {"teacher": teacher.id, "filter_confidence": self._command.filter_confidence}

    @cached_property
    def _synthetic(self) -> Made:
        gan, real = self._gan, self._drawn.real
        asked = GenerateSetCommand(
            gan=gan.id,
            dataset=real.id,
            ratio=self._command.synthetic_ratio,
            per_category=self._command.synthetic_per_category,
            seed=self._seed,
            truncation=self._command.synthetic_truncation,
        )
        images = self._likely(asked, real)
        requires = [*gan.requires, *real.requires]
        job = generate_set_job(asked, likely=images, image_size=self._source.image_size)
        return self._drawn.add("synthetic", job, requires, images=images, train=images)

    def _likely(self, asked: GenerateSetCommand, real: Made) -> int:
        """Synthetic images of all categories."""
        if asked.per_category is not None:
            return asked.per_category * len(self._source.categories)
        return asked.images_of(real.train)

    @cached_property
    def _seen_by_gan(self) -> Made:
        """The real images; where unlabelled ones are used, with all others beside them, of which
        the GAN may be told what a teacher takes them for.
        """
        if not self._command.unlabelled:
            return self._drawn.real
        confidence = self._command.gan_pseudo_confidence
        return self._drawn.beside if confidence is None else self._plan_named(confidence)

    def _plan_named(self, confidence: float) -> Made:
        """The same images; the others have the categories that the last round names."""
        beside, teacher = self._drawn.beside, self._namer(self._command.pseudo_rounds - 1)
        asked = PseudoLabelCommand(dataset=beside.id, teacher=teacher.id, confidence=confidence)
        job = pseudo_label_job(asked, images=beside.images)
        requires = [*beside.requires, *teacher.requires]
        return self._drawn.add("images of the GAN, named", job, requires, images=beside.images)

    @cached_property
    def _gan(self) -> Made:
        if self._command.gan_id is not None:
            return Made(self._command.gan_id, [])
        seen = self._seen_by_gan
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
        job = train_gan_job(asked, data, gan_id=gan_id, for_experiment=True, requires=seen.requires)
        self._drawn.note("GAN", gan_id)
        return Made(gan_id, [job])

    @property
    def _has_gan(self) -> bool:
        return bool(WITH_GAN & set(self._command.arms))
