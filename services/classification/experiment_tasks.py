"""A claimed experiment becomes a call of its handler.

Apart from the other kinds: statistics take seconds to import, which no training waits for.
"""

from services.classification import comparing
from services.classification.planned import PlannedExperiment
from services.classification.settings import ClassificationSettings
from shared.jobs.context import JobContext, Outcome
from shared.worker.ports import Ports, Task


def compare_arms(job: JobContext, ports: Ports) -> Outcome:
    command = PlannedExperiment.model_validate(job.claim.input)
    return comparing.compare_arms(job, ports.store, command, ClassificationSettings())


TASKS: dict[str, Task] = {"experiment": compare_arms}
