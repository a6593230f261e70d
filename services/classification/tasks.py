"""A claimed job becomes a call of its handler."""

from lesiongan.contracts.classifiers import ClassifierCommand, PseudoLabelCommand
from services.classification import handlers
from services.classification.labelling import label_by_teacher
from services.classification.settings import ClassificationSettings
from shared.jobs.context import JobContext, Outcome
from shared.worker.ports import Ports, Task


def train_classifier(job: JobContext, ports: Ports) -> Outcome:
    command = ClassifierCommand.model_validate(job.claim.input)
    return handlers.train_classifier(job, ports.store, command, ClassificationSettings())


def classify(job: JobContext, ports: Ports) -> Outcome:
    classifier_id, image = job.claim.input["classifier"], job.claim.input["image"]
    return handlers.classify(
        job,
        ports.store,
        classifier_id,
        image,
        ClassificationSettings(),
        explain=job.claim.input.get("explain", False),
        crop=job.claim.input.get("crop"),
    )


def pseudo_label(job: JobContext, ports: Ports) -> Outcome:
    command = PseudoLabelCommand.model_validate(job.claim.input)
    return label_by_teacher(job, ports.store, command, ClassificationSettings())


TASKS: dict[str, Task] = {
    "train-classifier": train_classifier,
    "classify": classify,
    "pseudo-label": pseudo_label,
}
