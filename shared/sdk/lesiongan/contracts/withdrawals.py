"""A patient withdraws: what is named first, and removed then."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from lesiongan.contracts.base import Command, Resource, example
from lesiongan.contracts.datasets import DatasetKind


class WithdrawalCommand(Command):
    """Whose images go, and whether they go now."""

    model_config = example({"patient": "000123", "dry_run": True})

    patient: Annotated[
        str,
        Field(
            min_length=1,
            max_length=200,
            pattern=r"\S",
            description="the identifier as in the source, or the pseudonym that a manifest shows",
        ),
    ]
    #: Only say what would be removed.
    dry_run: bool


class WithdrawnDataset(Resource):
    """A data set that goes as a whole; ``patient_images`` of its images are the patient's own."""

    id: str
    name: str
    kind: DatasetKind
    images: int
    patient_images: int


class WithdrawnModel(Resource):
    """A GAN, a classifier or an experiment that goes."""

    id: str
    name: str


class Withdrawal(Resource):
    """What a withdrawal removed; of a dry run, what it would remove."""

    model_config = example(
        {
            "id": None,
            "dry_run": True,
            "patient": "3f2a9c1e7b5d4f60a1b2c3d4e5f60718",
            "datasets": [
                {
                    "id": "ds_0f3a5c7e9b1d2f4a6c8e0b1d",
                    "name": "liver and lung",
                    "kind": "raw",
                    "images": 4550,
                    "patient_images": 7,
                }
            ],
            "gans": [{"id": "gan_5b1d2f4a6c8e0b1d0f3a5c7e", "name": "liver and lung"}],
            "classifiers": [],
            "experiments": [],
            "uploads": [],
            "jobs_cancelled": [],
            "jobs_restarted": [],
            "results": [],
            "unfinished_datasets": [],
            "patient_images": 7,
            "objects": 73,
            "bytes": 1_310_000_000,
            "notes": [],
        }
    )

    #: Null for a dry run.
    id: str | None
    dry_run: bool
    #: The pseudonym: the identifier is stored nowhere.
    patient: str
    datasets: list[WithdrawnDataset]
    gans: list[WithdrawnModel]
    classifiers: list[WithdrawnModel]
    experiments: list[WithdrawnModel]
    #: Archives that no job is about to read: nobody can say whom they hold.
    uploads: list[str]
    #: Jobs that read or make something of it, ended at once.
    jobs_cancelled: list[str]
    #: Ingests that may hold the patient: they go on and leave the patient out.
    jobs_restarted: list[str]
    #: Jobs whose result was a file that an affected model made.
    results: list[str]
    #: Data sets that were never complete, whose shards go.
    unfinished_datasets: list[str]
    #: The patient's own, in all data sets together.
    patient_images: int
    #: In the store, whatever they hold.
    objects: int
    bytes: int
    notes: list[str]


class WithdrawalSummary(Resource):
    """A withdrawal in the list: how much of each kind went."""

    model_config = example(
        {
            "id": "wdr_8e0b1d0f3a5c7e9b1d2f4a6c",
            "patient": "3f2a9c1e7b5d4f60a1b2c3d4e5f60718",
            "counts": {"datasets": 1, "gans": 1},
            "patient_images": 7,
            "objects": 73,
            "bytes": 1_310_000_000,
            "created_at": "2026-03-01T09:00:00Z",
        }
    )

    id: str
    patient: str
    counts: dict[str, int]
    patient_images: int
    objects: int
    bytes: int
    created_at: datetime
