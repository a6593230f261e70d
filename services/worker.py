"""The worker process of every queue: ``python -m services.worker --queues gan-sample``.

Like ``services/app.py`` it sees every service, and loads of them only what its queues need.
"""

import argparse
import importlib
import socket
from collections.abc import Callable, Collection, Iterable

from services.classification.settings import ClassificationSettings
from services.gan.settings import GanSettings
from shared.settings import get_settings
from shared.worker.celery_app import work
from shared.worker.ports import Task

#: Which module's ``TASKS`` translates a kind of job.
TASK_MODULES: dict[str, str] = {
    "ingest": "services.preprocessing.tasks",
    "preprocess": "services.preprocessing.tasks",
    "preprocess-part": "services.preprocessing.tasks",
    "preprocess-preview": "services.preprocessing.tasks",
    "prepare-image": "services.preprocessing.tasks",
    "subset": "services.preprocessing.tasks",
    "augment": "services.augmentation.tasks",
    "augment-part": "services.augmentation.tasks",
    "augment-preview": "services.augmentation.tasks",
    "train-gan": "services.gan.tasks",
    "generate": "services.gan.tasks",
    "generate-set": "services.gan.tasks",
    "regenerate": "services.gan.tasks",
    "train-classifier": "services.classification.tasks",
    "classify": "services.classification.tasks",
    "experiment": "services.classification.experiment_tasks",
    "pseudo-label": "services.classification.tasks",
    "collect": "services.gateway.tasks",
}

#: What a worker imports, and calls where a function is named, before its first job: torch takes
#: seconds that a person would wait for.
PRELOADED: dict[str, str] = {
    "preprocessing": "services.preprocessing.tasks",
    "augmentation": "services.augmentation.tasks",
    "interactive": "services.classification.hot:warm_up",
    "gan-train": "services.gan.hot:warm_up",
    "gan-sample": "services.gan.hot:warm_up",
    "classification": "services.classification.hot:warm_up",
}

#: What the settings say that a queue's jobs compute on; of those that need torch.
DEVICES: dict[str, Callable[[], str | None]] = {
    "gan-train": lambda: GanSettings().device,
    "gan-sample": lambda: GanSettings().device,
    "classification": lambda: ClassificationSettings().device,
    "interactive": lambda: ClassificationSettings().device,
}

#: The queues of trainings: one runs on a GPU at a time.
TRAINING = frozenset({"gan-train", "classification"})


def find_task(kind: str) -> Task:
    """The task of a kind of job; raises :class:`KeyError` for an unknown kind."""
    tasks: dict[str, Task] = importlib.import_module(TASK_MODULES[kind]).TASKS
    return tasks[kind]


def preload(queues: Iterable[str]) -> None:
    """Import what the queues' jobs need, and warm it up."""
    for place in {PRELOADED[queue] for queue in queues if queue in PRELOADED}:
        module, _, function = place.partition(":")
        loaded = importlib.import_module(module)
        if function:
            getattr(loaded, function)()


def find_gpu(queues: Collection[str]) -> str | None:
    """The GPU that the queues' jobs compute on; None on a CPU, and where nothing needs torch."""
    devices = [DEVICES[queue]() for queue in sorted(queues) if queue in DEVICES]
    if not devices:
        return None
    gpu_name = importlib.import_module("shared.compute.device").gpu_name
    return next(filter(None, map(gpu_name, devices)), None)


def find_device(queues: Collection[str]) -> str | None:
    """The device whose trainings run one at a time; None where they may share it, as on a CPU."""
    trainings = TRAINING.intersection(queues)
    if not trainings:
        return None
    return get_settings().device or find_gpu(trainings)


def main() -> None:
    parser = argparse.ArgumentParser(description="Run one LesionGAN worker process.")
    parser.add_argument("--queues", required=True, help="comma-separated names of queues")
    parser.add_argument("--name", help="the worker's name in the ledger; the host's if not given")
    options = parser.parse_args()
    queues = options.queues.split(",")
    # Containers of one service have hosts' names of their own, so any number may run.
    name = options.name or f"worker-{queues[0]}-{socket.gethostname()}"
    work(
        name=name,
        queues=queues,
        find_task=find_task,
        preload=lambda: preload(queues),
        find_device=lambda: find_device(queues),
        find_gpu=lambda: find_gpu(queues),
    )


if __name__ == "__main__":
    main()
