"""Classifiers: commands that train them, and what they answer."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from lesiongan.contracts.base import Command, Resource
from lesiongan.contracts.categories import Category
from lesiongan.contracts.datasets import DatasetId, Name
from lesiongan.contracts.jobs import JobStatus

ClassifierId = Annotated[
    str, Field(pattern=r"^clf_[0-9a-f]{24}$", examples=["clf_7e9b1d2f4a6c8e0b1d0f3a5c"])
]
ClassifierArchitecture = Literal["small_cnn", "resnet18", "mobilenet_v2"]


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


class ClassifierCommand(ClassifierOptions):
    """Train a classifier on the training images of data sets, select it on their ``val``."""

    datasets: Annotated[list[DatasetId], Field(min_length=1, max_length=100)]
    name: Name | None = None
    #: Passes over the training images; 30 where ``steps`` is not given either.
    epochs: Annotated[int, Field(ge=1, le=10_000)] | None = None
    #: Optimisation steps, in place of ``epochs``.
    steps: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    #: Evaluations on ``val`` without a better one after which training ends; null never ends early.
    patience: Annotated[int, Field(ge=1, le=1000)] | None = 10
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0

    @model_validator(mode="after")
    def _datasets_once(self) -> "ClassifierCommand":
        if len(set(self.datasets)) != len(self.datasets):
            raise ValueError("datasets must name each data set once")
        if self.steps is not None and self.epochs is not None:
            raise ValueError("give epochs or steps, not both")
        return self


class Classifier(Resource):
    """A classifier of single lesion images."""

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
    weights_sha256: str | None = None
    command: dict[str, Any]
    job: str
    created_at: datetime


class Classification(Resource):
    """What a classifier says of one image."""

    category: Category
    probabilities: dict[Category, float]
