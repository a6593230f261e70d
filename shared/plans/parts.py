"""Dividing a job that makes a large data set."""

from collections.abc import Sequence

from lesiongan.contracts.base import Command
from shared.datasets.parts import Part, cut, unmade
from shared.jobs.context import JobContext
from shared.jobs.dividing import Divided, PartOfJob


def divide_if_large(job: JobContext, images_of_inputs: Sequence[int], command: Command) -> None:
    """Return once all that is to make is made, or is one part.

    Raises :class:`Divided`, for the worker to see to, while parts are not made.
    """
    parts = cut(images_of_inputs)
    if len(parts) < 2:
        return
    with job.reading() as session:
        left = unmade(session, job.target, parts)
    if left:
        raise Divided([_part_of_job(job.target, part, command) for part in left])


def _part_of_job(dataset_id: str, part: Part, command: Command) -> PartOfJob:
    what = {"dataset": dataset_id, "part": part.as_json()}
    given = {**what, "command": command.model_dump(mode="json")}
    return PartOfJob(f"{part.number:04d}", given, part.images)
