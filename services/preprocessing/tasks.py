"""A claimed job becomes a call of its handler."""

from lesiongan.contracts.datasets import PreprocessCommand, PreprocessOptions, SubsetCommand
from services.preprocessing import handlers
from services.preprocessing.domain.archives import ArchiveLimits
from services.preprocessing.preparing import prepare_image
from services.preprocessing.settings import PreprocessingSettings
from shared.datasets.parts import Part
from shared.jobs.context import JobContext, Outcome
from shared.worker.ports import Ports, Task


def ingest(job: JobContext, ports: Ports) -> Outcome:
    settings = PreprocessingSettings()
    limits = ArchiveLimits(
        max_files=settings.max_files, max_expanded_bytes=settings.max_expanded_bytes
    )
    command = handlers.Ingest(**job.claim.input)
    secret = ports.settings.secret.get_secret_value()
    return handlers.ingest(job, ports.store, command, secret=secret, limits=limits)


def preprocess(job: JobContext, ports: Ports) -> Outcome:
    command = PreprocessCommand.model_validate(job.claim.input)
    return handlers.preprocess(job, ports.store, command)


def preprocess_part(job: JobContext, ports: Ports) -> Outcome:
    given = job.claim.input
    command = PreprocessCommand.model_validate(given["command"])
    part = Part(**given["part"])
    return handlers.preprocess_part(job, ports.store, command, given["dataset"], part)


def preview(job: JobContext, ports: Ports) -> Outcome:
    options = PreprocessOptions.model_validate(job.claim.input["options"])
    return handlers.preview(job, ports.store, options, job.claim.input["image"])


def prepare(job: JobContext, ports: Ports) -> Outcome:
    given = job.claim.input
    options = PreprocessOptions.model_validate(given["options"])
    box_px = None if given["box_px"] is None else tuple(given["box_px"])
    return prepare_image(
        ports.store,
        options,
        box_px,
        image_key=given["image"],
        prepared_key=given["prepared"],
    )


def subset(job: JobContext, ports: Ports) -> Outcome:
    command = SubsetCommand.model_validate(job.claim.input)
    return handlers.draw_subset(job, ports.store, command)


TASKS: dict[str, Task] = {
    "ingest": ingest,
    "preprocess": preprocess,
    "preprocess-part": preprocess_part,
    "subset": subset,
    "preprocess-preview": preview,
    "prepare-image": prepare,
}
