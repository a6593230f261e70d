"""The four-arm experiment: does synthetic data help, and how sure are we."""

from datetime import datetime
from operator import not_
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, model_validator

from lesiongan.contracts.arms import USUAL_ARMS, WITH_GAN, Arm
from lesiongan.contracts.augmentation import (
    USUAL_ROTATION,
    Interpolation,
    Operation,
    usual_operations,
)
from lesiongan.contracts.base import Command, Given, Resource, example
from lesiongan.contracts.categories import CATEGORIES, Category
from lesiongan.contracts.classifiers import ClassifierArchitecture, ClassifierOptions
from lesiongan.contracts.datasets import DatasetId, Name, PreprocessSettings
from lesiongan.contracts.findings import ArmResult, Comparison, Figure, Ingredient, Sweep
from lesiongan.contracts.gans import MAX_IMAGES, GanId, GanOptions, Truncation
from lesiongan.contracts.jobs import JobStatus

#: How sure a teacher must be for a GAN to be told what it takes an unlabelled image for.
GAN_PSEUDO_CONFIDENCE = 0.9
#: Of the steps of a GAN that is told nothing of unlabelled images: these see no category at all.
PRETRAINED_SHARE = 0.25


def _is_none(value: object) -> bool:
    """Left out of what is stored: such experiments keep the ids that they had."""
    return value is None


def _is_one(value: object) -> bool:
    return value == 1


PerCategory = Annotated[int, Field(ge=2, le=100_000)]


class ArmClassifier(ClassifierOptions):
    """The classifier of every arm: the same number of optimisation steps in each."""

    architecture: ClassifierArchitecture = "small_cnn"
    steps: Annotated[int, Field(ge=1, le=1_000_000)] = 800
    #: A quarter of a batch did better than half of it or all that there are.
    synthetic_share: Annotated[float, Field(ge=0, le=1)] | None = 0.25


#: What a preset fills in where a command says nothing.
PRESETS: dict[str, dict[str, Any]] = {
    # The protocol of the LesionGAN paper, but for one thing: its best epochs were picked on the
    # test images, and these are picked on ``val``.
    "seed": {
        "preprocess": {"contrast": "lesiongan", "crop": "slice"},
        "operations": ["rotate", "flip"],
        "rotation_degrees": 30.0,
        "copies": 3,
        "classifier": {"architecture": "mobilenet_v2"},
        "test_images": 57,
    },
    # What did best on ``val`` of organ7 with 5 labelled images a category and 32 px.
    "few_labels": {
        "unlabelled": True,
        "pseudo_rounds": 3,
        "synthetic_per_category": 1000,
        "gan": {
            "steps": 1500,
            "batch_size": 32,
            "n_critic": 1,
            "learning_rate": 1e-3,
            "ema_decay": 0.998,
            "width": 16,
            "latent": 64,
            "evaluate_every": 500,
        },
        "classifier": {"synthetic_share": 0.5},
    },
}
#: Nothing asks later whether these were named: what they fill in is stored, and makes the same
#: experiment as if it had been written out.
_SHORTHAND = ("few_labels",)
#: What is given in place of a member.
_INSTEAD = {"gan": "gan_id", "synthetic_per_category": "synthetic_ratio"}


def _ruled_out(name: str, given: dict[str, Any]) -> bool:
    """Whether what is given leaves no room for a preset's ``name``."""
    if name == "pseudo_rounds" and given.get("unlabelled") is False:
        return True
    return given.get(_INSTEAD.get(name, "")) is not None


def _beside(value: Any, own: Any) -> Any:
    """A preset's value, of which what is given for the same member counts first."""
    if isinstance(own, BaseModel):
        own = own.model_dump(exclude_unset=True)
    if isinstance(value, dict) and isinstance(own, dict):
        return value | own
    return value if own is None else own


class ExperimentCommand(Command):
    """Train the same classifier on each arm's training images, ``seeds`` times, and compare."""

    model_config = example(
        {
            "dataset": "ds_0f3a5c7e9b1d2f4a6c8e0b1d",
            "arms": ["none", "combined"],
            "seeds": 5,
            "copies": 3,
            "synthetic_ratio": 3.0,
        },
        not_both=[("gan", "gan_id"), ("gan_pseudo_confidence", "gan_id")],
    )

    #: A raw data set, which is preprocessed first, or a preprocessed one.
    dataset: DatasetId
    name: Name | None = None
    arms: Annotated[list[Arm], Field(min_length=1, json_schema_extra={"uniqueItems": True})] = (
        Field(default_factory=lambda: list(USUAL_ARMS))
    )
    #: ``seed``: after the LesionGAN paper, on a raw data set. Its contrast, whole slices, rotation
    #: by up to 30 degrees and flips, MobileNetV2, 57 test images. ``few_labels``: unlabelled images
    #: named in 3 rounds, 1,500 steps of a small GAN, 1,000 synthetic images of each category, half
    #: of a batch; for a few ``train_per_category``; it is stored as if it had been written out.
    #: What is given beside a preset counts.
    preset: Literal["seed", "few_labels"] | None = None
    #: At most so many test images, drawn by chance and equally many of each category; null: all.
    test_images: Annotated[int, Field(ge=8, le=100_000)] | None = None
    #: Each draws its own initial weights, its own real images where ``train_per_category`` leaves
    #: some over, and its own GAN unless ``gan_id`` is given.
    seeds: Annotated[int, Field(ge=1, le=100)] = 5
    #: Real training images of each category, and at most as many of ``val``; null takes all. A list
    #: is a sweep: the arms are trained and compared with each number of images.
    train_per_category: (
        PerCategory
        | Annotated[
            list[PerCategory],
            Field(min_length=1, max_length=20, json_schema_extra={"uniqueItems": True}),
        ]
        | None
    ) = None
    #: Only for a raw data set.
    preprocess: PreprocessSettings | None = None
    #: Augmented images of each real one; null makes 20 of few (``train_per_category``), or 3.
    copies: Annotated[int, Field(ge=1, le=100)] | None = None
    operations: Annotated[
        list[Operation], Field(min_length=1, json_schema_extra={"uniqueItems": True})
    ] = Field(default_factory=usual_operations)
    rotation_degrees: Annotated[float, Field(ge=0, le=180)] = USUAL_ROTATION
    interpolation: Interpolation = "nearest"
    #: Synthetic images for each real one.
    synthetic_ratio: Annotated[float, Field(gt=0, le=100)] = 3.0
    #: So many synthetic images of each category, in place of ``synthetic_ratio``: a sweep
    #: then has as many beside a few real images as beside many.
    synthetic_per_category: Annotated[
        Annotated[int, Field(ge=1, le=MAX_IMAGES // len(CATEGORIES))] | None,
        Field(exclude_if=_is_none),
    ] = None
    #: As ``truncation`` of ``POST /generate``, of all synthetic images.
    synthetic_truncation: Annotated[Truncation | None, Field(exclude_if=_is_none)] = None
    #: How each seed's GAN is trained; null trains it as ``POST /gans`` does.
    gan: GanOptions | None = None
    #: A GAN that exists, in place of one for each seed; it must have seen no more than R.
    gan_id: GanId | None = None
    #: Synthetic images are kept where a classifier of the real and augmented images names their
    #: category with this probability; null keeps all.
    filter_confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    #: A synthetic image that comes too near to a training image is drawn again, up to 16 times, in
    #: any case. True leaves out those that took the last draw, since they may be copies; false
    #: keeps them. The notes count both.
    filter_copies: Annotated[bool, Field(exclude_if=not_)] = False
    #: Training images without a category are used: those of the data set, and those that
    #: ``train_per_category`` leaves over. Each seed's GAN trains on them too: with the categories
    #: that a teacher names (``gan_pseudo_confidence``), as ``gan`` says, or, where
    #: ``gan_pseudo_confidence`` is null, without categories for the first quarter of its steps. The
    #: arm ``pseudo_label`` says what they alone are worth: it joins the arms where this is true,
    #: and asking for it makes this true.
    unlabelled: bool = False
    #: Each seed's GAN is told the category of an unlabelled image where a classifier of the real
    #: and augmented images is as sure as this; giving it makes ``unlabelled`` true. Where it is
    #: left out, ``unlabelled`` is true and ``gan`` sets neither ``pretrain_steps`` nor
    #: ``unlabelled_share``: 0.9. Null tells the GAN nothing.
    gan_pseudo_confidence: Annotated[
        Annotated[float, Field(ge=0, le=1)] | None, Field(exclude_if=_is_none)
    ] = None
    #: How often unlabelled images are named, for ``pseudo_label`` and for what a GAN is told alike.
    #: The teacher of each round after the first is a classifier that learnt from the images that
    #: the round before named (self-training: Xie et al. 2020). More than one makes ``unlabelled``
    #: true.
    pseudo_rounds: Annotated[int, Field(ge=1, le=5, exclude_if=_is_one)] = 1
    classifier: ArmClassifier = ArmClassifier()

    @model_validator(mode="before")
    @classmethod
    def _with_control(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        arms = given.get("arms", USUAL_ARMS)
        if not isinstance(arms, list | tuple):
            return given
        named = given.get("gan_pseudo_confidence"), given.get("pseudo_rounds")
        if "pseudo_label" in arms or named not in ((None, None), (None, 1)):
            given = {**given, "unlabelled": True}
        if given.get("unlabelled") is True and "pseudo_label" not in arms:
            return {**given, "arms": [*arms, "pseudo_label"]}
        return given

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, given: Any) -> Any:
        """Runs first, since it is the last of those before: what it fills in counts as given."""
        if not isinstance(given, dict):
            return given
        filled = dict(given)
        for name, value in PRESETS.get(str(given.get("preset")), {}).items():
            if not _ruled_out(name, given):
                filled[name] = _beside(value, given.get(name))
        if filled.get("preset") in _SHORTHAND:
            del filled["preset"]
        return filled

    @model_validator(mode="after")
    def _told(self) -> "ExperimentCommand":
        """Written down, so that the stored command makes the same GANs again."""
        gan = self.gan or GanOptions()
        chosen = {"pretrain_steps", "unlabelled_share"} & gan.model_fields_set
        if not self.unlabelled or self.gan_id is not None or chosen:
            return self
        if not WITH_GAN & set(self.arms):
            return self
        if "gan_pseudo_confidence" not in self.model_fields_set:
            object.__setattr__(self, "gan_pseudo_confidence", GAN_PSEUDO_CONFIDENCE)
        elif self.gan_pseudo_confidence is None:
            steps = int(gan.steps * PRETRAINED_SHARE)
            object.__setattr__(self, "gan", gan.model_copy(update={"pretrain_steps": steps}))
        return self

    @model_validator(mode="after")
    def _sizes_in_order(self) -> "ExperimentCommand":
        """One size is no sweep, and the order in which sizes are named means nothing."""
        sizes = self.train_per_category
        if isinstance(sizes, list):
            kept = sorted(sizes) if len(sizes) > 1 else sizes[0]
            object.__setattr__(self, "train_per_category", kept)
        return self

    @property
    def sizes(self) -> list[int | None]:
        """Real training images of each category, ascending; None: all there are."""
        given = self.train_per_category
        return [*given] if isinstance(given, list) else [given]

    @model_validator(mode="after")
    def _each_once(self) -> "ExperimentCommand":
        for name in ("arms", "operations", "sizes"):
            given: list[Any] = getattr(self, name)
            if len(set(given)) != len(given):
                named = "train_per_category" if name == "sizes" else name
                raise ValueError(f"{named} must name each one once")
        for name in ("gan", "gan_pseudo_confidence"):
            if self.gan_id is not None and getattr(self, name) is not None:
                raise ValueError(f"gan_id names a GAN that is trained already: leave {name} out")
        return self


class Experiment(Resource):
    """An experiment and its table. ``arms`` and ``comparisons`` are empty until it has ended."""

    model_config = example(
        {
            "id": "exp_9b1d2f4a6c8e0b1d0f3a5c7e",
            "name": "does it help",
            "dataset": "ds_0f3a5c7e9b1d2f4a6c8e0b1d",
            "phantom": False,
            "status": "succeeded",
            "categories": ["liver", "lung"],
            "n_test": 150,
            "seeds": 5,
            "arms": [
                {
                    "arm": "none",
                    "train_images": 1200,
                    "augmented_images": 0,
                    "synthetic_images": 0,
                    "accuracy": {"mean": 0.81, "sd": 0.02, "ci": [0.77, 0.85]},
                    "balanced_accuracy": {"mean": 0.81, "sd": 0.02, "ci": [0.77, 0.85]},
                    "precision": {"mean": 0.81, "sd": 0.02, "ci": [0.77, 0.85]},
                    "recall": {"mean": 0.81, "sd": 0.02, "ci": [0.77, 0.85]},
                    "f1": {"mean": 0.81, "sd": 0.02, "ci": [0.77, 0.85]},
                    "per_category": {
                        "liver": {
                            "n_test": 50,
                            "precision": {"mean": 0.81, "sd": 0.02, "ci": [0.77, 0.85]},
                            "recall": {"mean": 0.81, "sd": 0.02, "ci": [0.77, 0.85]},
                            "f1": {"mean": 0.81, "sd": 0.02, "ci": [0.77, 0.85]},
                        }
                    },
                }
            ],
            "comparisons": [
                {"a": "combined", "b": "none", "difference": 0.03, "ci": [0.01, 0.05], "p": 0.004}
            ],
            "summary": "Combined is better than none by 3.0 points (1.0 to 5.0).",
            "notes": [],
            "command": {"dataset": "ds_0f3a5c7e9b1d2f4a6c8e0b1d"},
            "job": "job_3f2a9c1e7b5d4f60a1b2c3d4",
            "created_at": "2026-03-01T09:00:00Z",
        }
    )

    id: str
    name: str
    dataset: str
    phantom: bool
    status: JobStatus
    categories: list[Category]
    n_test: int | None = None
    seeds: int
    arms: list[ArmResult] = Field(default_factory=list)
    comparisons: list[Comparison] = Field(default_factory=list)
    #: Share of the synthetic images whose category a classifier of real images names ("train on
    #: real, test on synthetic"): the converse of the arm ``tstr``. Null without a GAN, or without
    #: the arms ``none`` and ``traditional``, whose classifier is asked.
    trts: Figure | None = None
    #: Accuracy on the test images of a model that knows the place of each lesion in the body and no
    #: pixel, learnt from each seed's real images. Null where a data set has no places.
    location_only: Figure | None = None
    #: Of an experiment with several numbers of real images; ``arms``, ``comparisons``, ``trts`` and
    #: ``location_only`` are then those of the fewest.
    sweep: Sweep | None = None
    summary: str = ""
    notes: list[str] = Field(default_factory=list)
    #: All that took part. Lists of experiments leave it out.
    lineage: list[Ingredient] = Field(default_factory=list)
    command: Given
    job: str
    created_at: datetime
