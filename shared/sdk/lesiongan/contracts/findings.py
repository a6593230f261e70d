"""What an experiment found: figures, arms, comparisons."""

from typing import Literal

from pydantic import Field

from lesiongan.contracts.arms import Arm
from lesiongan.contracts.base import Resource
from lesiongan.contracts.categories import Category


class Figure(Resource):
    """A figure from 0 to 1: its mean over seeds, their spread, and a 95 % interval."""

    mean: float
    #: Standard deviation over seeds; null with one seed.
    sd: float | None
    ci: tuple[float, float]


class CategoryFigures(Resource):
    """How an arm does on one category of the test images."""

    n_test: int
    precision: Figure
    recall: Figure
    f1: Figure


class Calibration(Resource):
    """Whether an arm is right as often as it is sure: expected calibration errors, 15 bins."""

    error: Figure
    #: With temperatures that were fitted on ``val``; null without ``val``.
    error_tempered: Figure | None
    #: One a seed.
    temperatures: list[float]


class LearningPoint(Resource):
    """Where an arm's trainings stood after ``step``; means over seeds."""

    step: int
    #: Over the steps since the point before.
    train_loss: float
    #: Null without ``val``.
    val_balanced_accuracy: float | None


class ArmResult(Resource):
    """One arm of an experiment; precision, recall and F1 are means over categories (macro)."""

    arm: Arm
    #: Training images, of which ``synthetic`` and ``augmented``; means over seeds.
    train_images: int
    augmented_images: int
    synthetic_images: int
    pseudo_labelled_images: int = 0
    accuracy: Figure
    balanced_accuracy: Figure
    precision: Figure
    recall: Figure
    f1: Figure
    #: Area under the ROC, one category against the rest; the mean over categories.
    auc: Figure | None = None
    calibration: Calibration | None = None
    per_category: dict[Category, CategoryFigures]
    #: Test images of category i that were taken for j, summed over seeds: ``[i][j]``, in the order
    #: of the experiment's categories.
    confusion: list[list[int]] = Field(default_factory=list)
    learning_curve: list[LearningPoint] = Field(default_factory=list)


class SeedTest(Resource):
    """McNemar's exact test within one seed: images that only one of two arms gets right."""

    seed: int
    only_a: int
    only_b: int
    p: float


class Comparison(Resource):
    """The difference in accuracy of two arms, a - b, on the same images and seeds."""

    a: Arm
    b: Arm
    difference: float
    ci: tuple[float, float]
    #: Two-sided, by the bootstrap that gives the interval: the primary test.
    p: float
    #: Corrected over all comparisons of the experiment, of all numbers of real images (Holm).
    p_holm: float | None = None
    #: A secondary figure: one training of each arm, images taken for independent.
    within_seeds: list[SeedTest] = Field(default_factory=list)

    @property
    def leaves_out_zero(self) -> bool:
        """Whether the interval, which is corrected for no other comparison, does."""
        return not self.ci[0] <= 0.0 <= self.ci[1]

    @property
    def shown(self) -> bool:
        """Whether a difference is shown, in either direction, after all corrections."""
        return self.leaves_out_zero and (self.p_holm is None or self.p_holm < 0.05)


class SweepPoint(Resource):
    """The arms with one number of real training images."""

    train_per_category: int
    arms: list[ArmResult]
    comparisons: list[Comparison]
    trts: Figure | None = None
    location_only: Figure | None = None


class Worth(Resource):
    """How many real images of each category ``baseline`` needs to do as well as ``arm`` does.

    Read off the baseline's curve of accuracy, which is straight between two sizes of the sweep over
    their logarithm and never falls. An end of ``ci`` that is the sweep's smallest or largest size
    is a bound, not a figure.
    """

    arm: Arm
    baseline: Arm
    #: Real images of each category that ``arm`` is given.
    train_per_category: int
    equivalent: float
    ci: tuple[float, float]
    #: ``below``: the baseline does as well with the smallest size already; ``above``: not even with
    #: the largest. ``equivalent`` is that size then.
    beyond: Literal["below", "above"] | None = None


class Sweep(Resource):
    """Accuracy against real images, and what an arm is worth in real images."""

    points: list[SweepPoint]
    worth: list[Worth]


class Ingredient(Resource):
    """Something that took part in an experiment: an id, or the SHA-256 of what it made."""

    what: str
    id: str
