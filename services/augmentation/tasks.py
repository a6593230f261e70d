"""A claimed job becomes a call of its handler."""

from lesiongan.contracts.augmentation import AugmentCommand, AugmentOptions
from services.augmentation import handlers
from shared.datasets.parts import Part
from shared.jobs.context import JobContext, Outcome
from shared.worker.ports import Ports, Task


def augment(job: JobContext, ports: Ports) -> Outcome:
    command = AugmentCommand.model_validate(job.claim.input)
    return handlers.augment_dataset(job, ports.store, command)


def augment_part(job: JobContext, ports: Ports) -> Outcome:
    given = job.claim.input
    command = AugmentCommand.model_validate(given["command"])
    part = Part(**given["part"])
    return handlers.augment_part(job, ports.store, command, given["dataset"], part)


def preview(job: JobContext, ports: Ports) -> Outcome:
    options = AugmentOptions.model_validate(job.claim.input["options"])
    return handlers.preview(job, ports.store, options, job.claim.input["image"])


TASKS: dict[str, Task] = {
    "augment": augment,
    "augment-part": augment_part,
    "augment-preview": preview,
}
