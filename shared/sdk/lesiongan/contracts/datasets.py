"""Data sets and the commands that make them."""

from datetime import datetime
from operator import not_
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from lesiongan.contracts.base import STORABLE, Command, Given, Resource, example
from lesiongan.contracts.categories import UNLABELLED, UNSPLIT, Category

DatasetKind = Literal["raw", "preprocessed", "augmented", "synthetic"]
Layout = Literal["deeplesion", "dicom", "folders"]
#: In which files images are sent out.
ImageFormat = Literal["png", "dicom"]
#: How the files of a downloaded archive lie.
ArchiveLayout = Literal["folders", "imagefolder", "webdataset"]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=STORABLE)]
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

    model_config = example(
        {
            "id": "ds_0f3a5c7e9b1d2f4a6c8e0b1d",
            "name": "liver and lung",
            "kind": "raw",
            "parents": [],
            "command": {"layout": "deeplesion"},
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "images": 4550,
            "bytes": 1_310_000_000,
            "phantom": False,
            "counts": {
                "train": {"liver": 400, "lung": 800},
                "val": {"liver": 100, "lung": 200},
                "test": {"liver": 50, "lung": 100},
                UNSPLIT: {UNLABELLED: 2900},
            },
            "skipped": [{"file": 12, "row": 34, "reason": "the PNG is truncated"}],
            "skipped_total": 1,
            "notes": [],
            "created_at": "2026-03-01T09:00:00Z",
        }
    )

    id: str
    name: str
    kind: DatasetKind
    parents: list[str]
    command: Given
    sha256: str
    images: int
    bytes: int
    phantom: bool
    counts: dict[str, dict[str, int]]
    skipped: list[Skipped]
    skipped_total: int
    notes: list[str]
    created_at: datetime


class DuplicatePairs(Resource):
    """Pairs of images that are the same, or look it, and how many lie in two splits.

    ``complete`` is false where there were too many to compare all.
    """

    pairs: int
    crossing: int
    examples: list[tuple[int, int]]
    complete: bool


class SkippedFor(Resource):
    """What was left out for one reason: how many, and the first of them by their place."""

    reason: str
    count: int
    places: list[str]


class Tally(Resource):
    """Images, and the patients whom they show; an unknown patient is not counted."""

    images: int
    patients: int


_NO_PAIRS: dict[str, object] = {"pairs": 0, "crossing": 0, "examples": [], "complete": True}


class DatasetReport(Resource):
    """What a data set holds, and whether its splits are apart."""

    model_config = example(
        {
            "dataset": "ds_0f3a5c7e9b1d2f4a6c8e0b1d",
            "images": 4550,
            "patients": 412,
            "images_without_patient": 0,
            "splits": {"train": {"liver": {"images": 400, "patients": 61}}},
            "patients_in_several_splits": 0,
            "exact_duplicates": {**_NO_PAIRS, "pairs": 1, "examples": [[3, 90]]},
            "near_duplicates": _NO_PAIRS,
            "skipped": [{"reason": "the image is missing", "count": 1, "places": ["row 34"]}],
            "skipped_total": 1,
            "notes": ["split anew, by patient"],
        }
    )

    dataset: str
    images: int
    patients: int
    images_without_patient: int
    splits: dict[str, dict[str, Tally]]
    patients_in_several_splits: int
    exact_duplicates: DuplicatePairs
    #: None where no image was hashed: only preprocessing does.
    near_duplicates: DuplicatePairs | None
    skipped: list[SkippedFor]
    skipped_total: int
    notes: list[str]


class DatasetImage(Resource):
    """One image of a data set, as its manifest describes it."""

    model_config = example(
        {
            "index": 0,
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "category": "liver",
            "split": "train",
            "patient": "3f2a9c1e7b5d4f60a1b2c3d4e5f60718",
            "source": "file 12, row 34",
            "spacing_mm": 0.8,
            "box_px": [200.0, 180.0, 240.0, 215.5],
            "window_hu": [-175.0, 275.0],
            "seed": None,
            "draw": None,
            "bytes": 312_554,
        }
    )

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


def _truth(value: object) -> object:
    """Form fields are text."""
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


class IngestOptions(Command):
    """What is chosen when a data set is taken in, wherever it lies."""

    name: Name
    layout: Layout
    #: Left out of what is stored while it is off: such data sets keep the ids that they had.
    neighbours: Annotated[
        bool,
        BeforeValidator(_truth),
        Field(
            description="keep the slices before and after each lesion's own, where they are "
            "there: for images of 3 channels. The layouts deeplesion and dicom have them",
            exclude_if=not_,
        ),
    ] = False

    @model_validator(mode="after")
    def _has_neighbours(self) -> "IngestOptions":
        if self.neighbours and self.layout == "folders":
            raise ValueError("only the layouts deeplesion and dicom have neighbouring slices")
        return self


class IngestCommand(IngestOptions):
    """Take in a data set that already lies in the object store."""

    model_config = example(
        {"name": "DeepLesion", "layout": "deeplesion", "source": {"s3": "research/deeplesion/"}}
    )

    source: S3Source


class SplitOptions(Command):
    """How patients are divided. Fractions default to the paper's 23205 / 5775 / 3020."""

    train: Annotated[float, Field(gt=0, lt=1)] = 0.725
    val: Annotated[float, Field(gt=0, lt=1)] = 0.18
    test: Annotated[float, Field(gt=0, lt=1)] = 0.095
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    keep: Annotated[
        bool | Literal["always"],
        Field(
            description="keep the source's own split: true where it is complete, with labelled "
            "images in train, val and test; `always` in any case (DeepLesion's official "
            "training split has no labels)"
        ),
    ] = True
    allow_leakage: Annotated[
        bool,
        Field(
            description="go on where a patient, or the same picture or one that looks it, is in "
            "two splits"
        ),
    ] = False

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

    contrast: Annotated[Contrast, Field(description="how HU become grey levels")] = "window"
    window: Annotated[
        NamedWindow | None,
        Field(description="a named window for every image; null takes each lesion's own"),
    ] = None
    crop: Annotated[
        Literal["lesion", "slice"], Field(description="the lesion with its context, or all of it")
    ] = "lesion"
    size: Annotated[ImageSize, Field(description="side of the square result in pixels")] = 64
    context_mm: Annotated[
        float,
        Field(ge=0, le=200, description="millimetres of tissue beyond the lesion, on each side"),
    ] = 10.0
    spacing_mm: Annotated[
        Annotated[float, Field(gt=0, le=20)] | None,
        Field(
            description="resolution of the crops; null shows a field of 64 mm. "
            "Grown where a lesion does not fit"
        ),
    ] = None


class PreprocessSettings(PreprocessOptions):
    """All that makes a preprocessed data set of a raw one."""

    split: SplitOptions = SplitOptions()
    #: Left out of what is stored while it is off: such data sets keep the ids that they had.
    neighbours: Annotated[
        bool,
        Field(
            description="make images of 3 channels: the slice before, the lesion's own, the one "
            "after. The data set must have been taken in with `neighbours`; where one is "
            "missing, the lesion's own slice stands in",
            exclude_if=not_,
        ),
    ] = False


class SubsetCommand(Command):
    """Draw real images for one seed of an experiment: training images, and as many of ``val``.

    Nothing of ``test`` goes along.
    """

    dataset: DatasetId
    #: Training images of each category.
    per_category: Annotated[int, Field(ge=1)]
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    #: The training images that are left over, without their categories, in place of the drawn ones.
    unlabelled: Annotated[bool, Field(exclude_if=not_)] = False
    #: The drawn images, and beside them the left-over ones without their categories.
    unlabelled_beside: Annotated[bool, Field(exclude_if=not_)] = False


class PreprocessCommand(PreprocessSettings):
    """Make a preprocessed data set: split by patient, then HU → contrast → crop."""

    model_config = example(
        {
            "dataset": "ds_0f3a5c7e9b1d2f4a6c8e0b1d",
            "contrast": "window",
            "crop": "lesion",
            "size": 64,
            "context_mm": 10.0,
        }
    )

    dataset: DatasetId
    name: Name | None = None
