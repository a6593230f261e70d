"""What an experiment's comparison needs to know of the graph that was planned for it."""

from lesiongan.contracts.arms import Arm
from lesiongan.contracts.base import Command
from lesiongan.contracts.classifiers import ClassifierId
from lesiongan.contracts.datasets import DatasetId
from lesiongan.contracts.experiments import ExperimentCommand


class Lineage(Command):
    """Something that took part in an experiment, such as ``GAN of seed 0``."""

    what: str
    id: str


class PlannedPoint(Command):
    """What is compared at one number of real images; lists have an entry a seed."""

    #: Real training images of each category; null: all.
    train_per_category: int | None
    classifiers: dict[Arm, list[ClassifierId]]
    #: The drawn images; the same one for all seeds where all images are taken.
    real: list[DatasetId]
    #: Empty where no arm has a GAN.
    synthetic: list[DatasetId]
    #: What each GAN was trained on.
    seen_by_gans: list[DatasetId]


class ExperimentPlan(Command):
    """The preprocessed data set, what is compared, and all that took part."""

    preprocessed: DatasetId
    points: list[PlannedPoint]
    lineage: list[Lineage]


class PlannedExperiment(ExperimentCommand):
    """The input of an experiment's job."""

    plan: ExperimentPlan
