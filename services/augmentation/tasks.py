"""A claimed job becomes a call of its handler."""

from lesiongan.contracts.augmentation import AugmentCommand, AugmentOptions
from services.augmentation import handlers
from shared.jobs.context import JobContext, Outcome
from shared.worker.ports import Ports, Task


def augment(job: JobContext, ports: Ports) -> Outcome:
    command = AugmentCommand.model_validate(job.claim.input)
    return handlers.augment_dataset(job, ports.store, command)


def preview(job: JobContext, ports: Ports) -> Outcome:
    options = AugmentOptions.model_validate(job.claim.input["options"])
    return handlers.preview(job, ports.store, options, job.claim.input["image"])


TASKS: dict[str, Task] = {"augment": augment, "augment-preview": preview}
