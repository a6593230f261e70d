"""A claimed job becomes a call of its handler."""

from lesiongan.contracts.gans import (
    GanCommand,
    GenerateCommand,
    GenerateSetCommand,
    RegenerateCommand,
)
from services.gan import handlers, regeneration
from services.gan.settings import GanSettings
from shared.jobs.context import JobContext, Outcome
from shared.worker.ports import Ports, Task


def train_gan(job: JobContext, ports: Ports) -> Outcome:
    command = GanCommand.model_validate(job.claim.input)
    return handlers.train_gan(job, ports.store, command, GanSettings())


def generate(job: JobContext, ports: Ports) -> Outcome:
    command = GenerateCommand.model_validate(job.claim.input)
    return handlers.generate(job, ports.store, command, GanSettings())


def generate_set(job: JobContext, ports: Ports) -> Outcome:
    command = GenerateSetCommand.model_validate(job.claim.input)
    return handlers.generate_set(job, ports.store, command, GanSettings())


def regenerate(job: JobContext, ports: Ports) -> Outcome:
    command = RegenerateCommand.model_validate(job.claim.input)
    return regeneration.regenerate(job, ports.store, command, GanSettings())


TASKS: dict[str, Task] = {
    "train-gan": train_gan,
    "generate": generate,
    "generate-set": generate_set,
    "regenerate": regenerate,
}
