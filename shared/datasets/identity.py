"""Which data set or shared run a request means: its id is derived from what makes it."""

import hashlib
from collections.abc import Sequence
from typing import Any

from shared.datasets.columns import Records
from shared.ids import content_id, fingerprint

#: Raised by hand when a step's output changes for the same input.
STEP_VERSIONS = {
    "ingest": 1,
    "preprocess": 2,
    "subset": 1,
    "pseudo-label": 1,
    "augment": 3,
    "generate": 4,
    "generate-set": 4,
    "regenerate": 1,
    "train-gan": 3,
    "train-classifier": 4,
    "experiment": 5,
}


def dataset_id(step: str, inputs: Sequence[str], command: dict[str, Any]) -> str:
    """The id of the data set that ``step`` makes from ``inputs`` (ids or content hashes).

    The name given to a data set does not change what is in it, so it is left out.
    """
    made_from = {
        "step": step,
        "version": STEP_VERSIONS[step],
        "inputs": list(inputs),
        "command": unnamed(command),
    }
    return content_id("ds", made_from)


def unnamed(command: dict[str, Any]) -> dict[str, Any]:
    """``command`` without the name that it gives to what it makes."""
    return {key: value for key, value in command.items() if key != "name"}


def run_id(kind: str, step: str, command: dict[str, Any]) -> str:
    """The id of a run that others share: the same command, the same GAN, classifier, experiment.

    ``kind`` is the id's own, such as ``gan``. A model that a client asks for is a run of its own.
    """
    made_from = {"step": step, "version": STEP_VERSIONS[step], "command": command}
    return content_id(kind, made_from)


def content_sha256(records: Records) -> str:
    """SHA-256 over the images' SHA-256 and what is said of them, in order.

    Two data sets with the same pixels but other labels, splits or neighbouring slices differ.
    """
    digest = hashlib.sha256()
    names = ("sha256", "category", "split", "patient", "previous", "following")
    for *said, previous, following in records.members(*names):
        beside = (previous, following)
        if any(beside):
            said += [None if each is None else each.sha256 for each in beside]
        digest.update(fingerprint(said).encode())
    return digest.hexdigest()
