"""Classifiers: commands that train them, and what they answer."""

from datetime import datetime
from operator import not_
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from lesiongan.contracts.base import Command, Given, Resource, example
from lesiongan.contracts.categories import Category
from lesiongan.contracts.datasets import DatasetId, Name
from lesiongan.contracts.jobs import JobStatus

ClassifierId = Annotated[
    str, Field(pattern=r"^clf_[0-9a-f]{24}$", examples=["clf_7e9b1d2f4a6c8e0b1d0f3a5c"])
]
ClassifierArchitecture = Literal["small_cnn", "resnet18", "mobilenet_v2", "convnext_tiny"]


#: The lesion with its context, or the whole slice.
Crop = Literal["lesion", "slice"]


class ClassifierOptions(Command):
    """How a classifier is trained."""

    #: ``small_cnn`` has four convolutions and suits images of up to 64 pixels.
    architecture: ClassifierArchitecture = "resnet18"
    batch_size: Annotated[int, Field(ge=2, le=1024)] = 64
    #: The peak of a cosine schedule that ends at zero (AdamW).
    learning_rate: Annotated[float, Field(gt=0, le=0.1)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.05
    #: Every category is drawn equally often, however rare it is.
    balance: bool = True
    #: Share of synthetic images in a batch; null draws them as often as their number says.
    synthetic_share: Annotated[float, Field(ge=0, le=1)] | None = None
    #: Share of the steps, at the start, that sees synthetic images alone; the rest sees real ones
    #: alone. Takes the place of ``synthetic_share``.
    synthetic_first: Annotated[float, Field(gt=0, lt=1)] | None = None
    #: Weigh the loss of a category by the inverse of its share of the images.
    class_weights: bool = False
    #: Begin with the installation's weights of this architecture (``docs/study.md``).
    pretrained: Annotated[bool, Field(exclude_if=not_)] = False


class ClassifierCommand(ClassifierOptions):
    """Train a classifier on the training images of data sets, select it on their ``val``."""

    model_config = example(
        {
            "datasets": ["ds_0f3a5c7e9b1d2f4a6c8e0b1d"],
            "architecture": "resnet18",
            "epochs": 30,
            "seed": 0,
        },
        not_both=[("epochs", "steps")],
    )

    datasets: Annotated[
        list[DatasetId],
        Field(min_length=1, max_length=100, json_schema_extra={"uniqueItems": True}),
    ]
    name: Name | None = None
    #: Passes over the training images; 30 where ``steps`` is not given either.
    epochs: Annotated[int, Field(ge=1, le=10_000)] | None = None
    #: Optimisation steps, in place of ``epochs``.
    steps: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    #: Evaluations on ``val`` without a better one after which training ends; null never ends early.
    patience: Annotated[int, Field(ge=1, le=1000)] | None = 10
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    #: A classifier that was trained; what follows asks it, and needs it.
    teacher: ClassifierId | None = None
    #: Weight of the teacher's softened probabilities in the loss, beside the labels.
    distil: Annotated[float, Field(gt=0, le=1)] | None = None
    #: Synthetic images are kept where the teacher names their category with this probability.
    filter_confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    #: Synthetic images that took the last of 16 draws are left out: the others of them came too
    #: near to a training image.
    filter_copies: Annotated[bool, Field(exclude_if=not_)] = False
    #: Data sets whose unlabelled training images are labelled by the teacher.
    unlabelled: Annotated[list[DatasetId], Field(max_length=100)] = Field(default_factory=list)
    #: Unlabelled images are used where the teacher is as sure as this.
    pseudo_confidence: Annotated[float, Field(ge=0, le=1)] = 0.9

    #: SHA-256 of the file of ``pretrained`` weights: the server fills it in, and refuses another.
    #: Naming it asks for them.
    pretrained_sha256: Annotated[
        Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None, Field(exclude_if=not_)
    ] = None

    @property
    def asks_teacher(self) -> bool:
        """Whether the command means nothing without a teacher."""
        return bool(self.distil or self.filter_confidence is not None or self.unlabelled)

    @model_validator(mode="before")
    @classmethod
    def _named_is_asked_for(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("pretrained_sha256") is not None:
            return {**given, "pretrained": True}
        return given

    @model_validator(mode="after")
    def _datasets_once(self) -> "ClassifierCommand":
        if len(set(self.datasets)) != len(self.datasets):
            raise ValueError("datasets must name each data set once")
        if self.steps is not None and self.epochs is not None:
            raise ValueError("give epochs or steps, not both")
        return self


class PseudoLabelCommand(Command):
    """Copy a data set; its unlabelled training images get the category that a classifier names."""

    dataset: DatasetId
    #: Trained on real images of the data set alone.
    teacher: ClassifierId
    #: Where it is as sure as this; the other images stay unlabelled.
    confidence: Annotated[float, Field(ge=0, le=1)]


class Classifier(Resource):
    """A classifier of single lesion images."""

    model_config = example(
        {
            "id": "clf_7e9b1d2f4a6c8e0b1d0f3a5c",
            "name": "resnet18 of liver and lung",
            "datasets": ["ds_0f3a5c7e9b1d2f4a6c8e0b1d"],
            "phantom": False,
            "status": "succeeded",
            "architecture": "resnet18",
            "categories": ["liver", "lung"],
            "image_size": 64,
            "channels": 1,
            "train_images": 1200,
            "scores": {"step": 400, "val_images": 300, "val_accuracy": 0.91},
            "resumed_from_step": None,
            "weights_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "command": {"datasets": ["ds_0f3a5c7e9b1d2f4a6c8e0b1d"]},
            "job": "job_3f2a9c1e7b5d4f60a1b2c3d4",
            "created_at": "2026-03-01T09:00:00Z",
        }
    )

    id: str
    name: str
    datasets: list[str]
    phantom: bool
    status: JobStatus
    architecture: ClassifierArchitecture
    #: What it tells apart, in the order of its outputs; empty until it is trained.
    categories: list[Category]
    image_size: int | None = None
    channels: int | None = None
    train_images: int | None = None
    #: Of the weights that were kept: ``{"step", "val_images", "val_accuracy", …}``.
    scores: dict[str, Any] = Field(default_factory=dict)
    resumed_from_step: int | None = None
    weights_sha256: str | None = None
    command: Given
    job: str
    created_at: datetime


class Classification(Resource):
    """What a classifier says of one image."""

    model_config = example({"category": "liver", "probabilities": {"liver": 0.93, "lung": 0.07}})

    category: Category
    probabilities: dict[Category, float]
    #: With ``explain``: a PNG (base64), the image under a heat map of what spoke for its category.
    grad_cam: str | None = None
    #: Of a DICOM file: what of it was classified. A whole slice is not what a classifier of lesion
    #: crops was trained on.
    crop: Crop | None = None
    #: Of a DICOM file, with ``explain``: a PNG (base64), what the classifier was shown.
    prepared: str | None = None
