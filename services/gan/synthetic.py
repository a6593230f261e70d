"""What is said of images that a GAN made, and of the data set that they are."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from lesiongan.contracts.categories import Category
from shared.compute.precision import Precision
from shared.datasets.catalog import NewDataset
from shared.datasets.records import ImageMeta
from shared.db.tables import GanRow
from shared.jobs.context import JobContext


def categories_of(gan: GanRow) -> list[Category]:
    """Label ``k`` is category ``k``."""
    return cast("list[Category]", gan.categories)


def synthetic_meta(
    gan: GanRow,
    label: int,
    image: npt.NDArray[np.uint8],
    *,
    seed: int,
    index: int,
    draw: int = 0,
    again: bool = False,
) -> ImageMeta:
    """Of the image (seed, index, draw).

    One that is made ``again`` need not lie at the place ``index`` of its data set.
    """
    return ImageMeta(
        category=categories_of(gan)[label],
        split="train",
        patient=None,
        source=f"{gan.id}, image {index}",
        unit="uint8",
        width=image.shape[2],
        height=image.shape[1],
        parent_index=index if again else None,
        seed=seed,
        draw=draw,
        channels=1 if len(image) == 1 else 3,
    )


def synthetic_dataset(
    job: JobContext,
    gan: GanRow,
    precision: Precision,
    *,
    name: str,
    command: dict[str, Any],
    notes: Sequence[str] = (),
) -> NewDataset:
    """The data set that a job samples."""
    made_by = {"weights_sha256": gan.weights_sha256, "device_class": precision.device_class}
    return NewDataset(
        id=job.target,
        name=name,
        kind="synthetic",
        parents=[gan.dataset_id],
        command={**command, **made_by},
        phantom=gan.phantom,
        job_id=job.job_id,
        notes=notes,
    )
