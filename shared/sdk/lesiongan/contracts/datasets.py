"""Data sets and the commands that make them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from lesiongan.contracts.base import Command, Resource
from lesiongan.contracts.categories import Category

DatasetKind = Literal["raw", "preprocessed", "augmented", "synthetic"]
Layout = Literal["deeplesion", "folders"]
Name = Annotated[str, Field(min_length=1, max_length=200)]
DatasetId = Annotated[
    str, Field(pattern=r"^ds_[0-9a-f]{24}$", examples=["ds_0f3a5c7e9b1d2f4a6c8e0b1d"])
]


class Skipped(Resource):
    """A file or row that was left out, by its place: names may hold identifiers."""

    file: int | None = None
    row: int | None = None
    reason: str


class Dataset(Resource):
    """An immutable, content-addressed set of images."""

    id: str
    name: str
    kind: DatasetKind
    parents: list[str]
    command: dict[str, Any]
    sha256: str
    images: int
    bytes: int
    phantom: bool
    counts: dict[str, dict[str, int]]
    skipped: list[Skipped]
    skipped_total: int
    notes: list[str]
    created_at: datetime


class DatasetImage(Resource):
    """One image of a data set, as its manifest describes it."""

    index: int
    sha256: str
    category: Category | None
    split: str | None
    patient: str | None
    source: str
    spacing_mm: float | None
    box_px: tuple[float, float, float, float] | None
    window_hu: tuple[float, float] | None
    seed: int | None
    draw: int | None
    bytes: int


class S3Source(Command):
    """Where images already lie: ``bucket/prefix`` in the configured object store."""

    s3: Annotated[
        str, Field(min_length=3, max_length=1000, pattern=r"^[a-z0-9][a-z0-9.-]+/[^\\]*$")
    ]


class IngestCommand(Command):
    """Take in a data set that already lies in the object store."""

    name: Name
    layout: Layout
    source: S3Source


class SplitOptions(Command):
    """How patients are divided. Fractions default to the paper's 23205 / 5775 / 3020."""

    train: Annotated[float, Field(gt=0, lt=1)] = 0.725
    val: Annotated[float, Field(gt=0, lt=1)] = 0.18
    test: Annotated[float, Field(gt=0, lt=1)] = 0.095
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    #: Keep the source's own split when every labelled image has one.
    keep: bool = True

    @model_validator(mode="after")
    def _sums_to_one(self) -> "SplitOptions":
        if abs(self.train + self.val + self.test - 1) > 1e-6:
            raise ValueError("train, val and test must add up to 1")
        return self


Contrast = Literal["window", "gray_bands", "clahe", "lesiongan"]
NamedWindow = Literal["lung", "abdomen", "bone", "mediastinum", "liver", "brain"]


def _whole(value: object) -> object:
    """Query parameters are text."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


ImageSize = Annotated[Literal[32, 64, 128, 256], BeforeValidator(_whole)]


class PreprocessOptions(Command):
    """HU → contrast → crop: what happens to each image."""

    contrast: Contrast = "window"
    #: A named window for every image; null takes each lesion's own.
    window: NamedWindow | None = None
    crop: Literal["lesion", "slice"] = "lesion"
    size: Annotated[ImageSize, Field(description="side of the square result in pixels")] = 64
    #: Millimetres of tissue shown around the lesion's longest side, on each side of it.
    context_mm: Annotated[float, Field(ge=0, le=200)] = 10.0
    #: Resolution of the crops; null shows a field of 64 mm. Grown where a lesion does not fit.
    spacing_mm: Annotated[float, Field(gt=0, le=20)] | None = None


class PreprocessSettings(PreprocessOptions):
    """All that makes a preprocessed data set of a raw one."""

    split: SplitOptions = SplitOptions()


class SubsetCommand(Command):
    """Draw real images for one seed of an experiment: training images, and as many of ``val``.

    Nothing of ``test`` goes along.
    """

    dataset: DatasetId
    #: Training images of each category.
    per_category: Annotated[int, Field(ge=1)]
    seed: Annotated[int, Field(ge=0, lt=2**63)]


class PreprocessCommand(PreprocessSettings):
    """Make a preprocessed data set: split by patient, then HU → contrast → crop."""

    dataset: DatasetId
    name: Name | None = None
