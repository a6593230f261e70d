"""What an experiment's comparison needs to know of the graph that was planned for it."""

from lesiongan.contracts.base import Command
from lesiongan.contracts.classifiers import ClassifierId
from lesiongan.contracts.datasets import DatasetId
from lesiongan.contracts.experiments import Arm, ExperimentCommand


class Lineage(Command):
    """Something that took part in an experiment, such as ``GAN of seed 0``."""

    what: str
    id: str


class ExperimentPlan(Command):
    """The preprocessed data set, each arm's classifiers by seed, and all that took part."""

    preprocessed: DatasetId
    classifiers: dict[Arm, list[ClassifierId]]
    lineage: list[Lineage]


class PlannedExperiment(ExperimentCommand):
    """The input of an experiment's job."""

    plan: ExperimentPlan
