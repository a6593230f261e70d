"""GANs, and the commands that train and sample them."""

from datetime import datetime
from operator import not_
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from lesiongan.contracts.base import Command, Given, Resource, example
from lesiongan.contracts.categories import Category
from lesiongan.contracts.datasets import DatasetId, Name
from lesiongan.contracts.jobs import JobStatus

GanId = Annotated[
    str, Field(pattern=r"^gan_[0-9a-f]{24}$", examples=["gan_5b1d2f4a6c8e0b1d0f3a5c7e"])
]
Seed = Annotated[int, Field(ge=0, lt=2**63)]

#: Sides of the images that a GAN can be trained on, in pixels.
IMAGE_SIZES = (32, 64, 128, 256)
#: What DiffAugment may do to what the critic sees.
DIFF_AUGMENTATIONS = ("brightness", "contrast", "translation", "cutout")
DiffAugmentation = Literal["brightness", "contrast", "translation", "cutout"]
#: The most images that one generate job makes; it is also what fits the manifest comfortably.
MAX_IMAGES = 100_000
#: The most images that one streamed ``GET /generate`` makes; larger sets go through ``POST``.
MAX_STREAMED_IMAGES = 2_000
#: So often a synthetic image is drawn while it comes too near to a training image. One that took
#: the last draw may be a copy; only a GAN of an experiment makes one.
MOST_DRAWS = 16


class Measures(Resource):
    """How near samples are to real images, each beside its floor: real images against real ones.

    ``n`` samples against ``n_real`` images. Distances (KID, FID) are best at 0, shares at 1;
    density is about 1 where both are alike.
    """

    kid: float | None = None
    kid_floor: float | None = None
    fid: float | None = None
    fid_floor: float | None = None
    precision: float | None = None
    precision_floor: float | None = None
    recall: float | None = None
    recall_floor: float | None = None
    density: float | None = None
    density_floor: float | None = None
    coverage: float | None = None
    coverage_floor: float | None = None
    n: int | None = None
    n_real: int | None = None


class InceptionScores(Resource):
    """FID of ``n`` samples against ``n_real`` images in the features of Inception v3.

    There are such scores where the installation was given its weights. FID is biased upwards where
    images are few: read it beside its floor.
    """

    fid: float
    fid_floor: float | None = None
    space: str
    resizer: str
    n: int
    n_real: int


class MemorisationReport(Resource):
    """Whether samples are training images given back. ``*_floor``: the same of new, real images."""

    #: Share of ``n`` samples that lie further from their nearest training image than that from its.
    authenticity: float
    authenticity_floor: float | None = None
    #: Median distance to the nearest training image, over that of real images; 0 for copies.
    nearest_ratio: float
    nearest_ratio_pixels: float
    #: Share of the samples that come nearer than all but one in a hundred real images.
    copies: float
    #: How well training images are told from new ones by their nearest sample; 0.5: not at all.
    membership_auc: float | None = None
    n: int
    #: Whose distances samples are held against: ``val``, or training images among themselves.
    against: Literal["val", "training"]
    #: Then neither weights nor images leave.
    refused: bool


class GanScores(Measures):
    """Scores of the published weights; all null until there are any.

    ``space`` names the features that distances are taken in; scores of two spaces cannot be
    compared. ``against``: ``val``, or one half of the training images where ``val`` is too small.
    """

    space: str | None = None
    resizer: str | None = None
    against: Literal["val", "training"] | None = None
    per_category: dict[Category, Measures] = Field(default_factory=dict)
    memorisation: MemorisationReport | None = None
    inception: Annotated[InceptionScores | None, Field(exclude_if=not_)] = None


class Gan(Resource):
    """A class-conditional WGAN-GP and how its training goes."""

    model_config = example(
        {
            "id": "gan_5b1d2f4a6c8e0b1d0f3a5c7e",
            "name": "liver and lung",
            "dataset": "ds_0f3a5c7e9b1d2f4a6c8e0b1d",
            "phantom": False,
            "default": True,
            "status": "succeeded",
            "step": 20_000,
            "steps": 20_000,
            "resumed_from_step": None,
            "weights_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "scores": {
                "kid": 0.021,
                "kid_floor": 0.004,
                "precision": 0.83,
                "recall": 0.71,
                "density": 0.9,
                "coverage": 0.8,
                "n": 700,
                "n_real": 700,
                "space": "small-cnn-categories-9f86d081884c",
                "resizer": "none",
                "against": "val",
                "memorisation": {
                    "authenticity": 0.74,
                    "authenticity_floor": 0.78,
                    "nearest_ratio": 0.93,
                    "nearest_ratio_pixels": 1.02,
                    "copies": 0.0,
                    "membership_auc": 0.52,
                    "n": 700,
                    "against": "val",
                    "refused": False,
                },
            },
            "categories": ["liver", "lung"],
            "image_size": 64,
            "channels": 1,
            "command": {"dataset": "ds_0f3a5c7e9b1d2f4a6c8e0b1d"},
            "job": "job_3f2a9c1e7b5d4f60a1b2c3d4",
            "created_at": "2026-03-01T09:00:00Z",
        }
    )

    id: str
    name: str
    dataset: str
    phantom: bool
    default: bool
    status: JobStatus
    step: int
    steps: int
    resumed_from_step: int | None = None
    weights_sha256: str | None = None
    scores: GanScores = Field(default_factory=GanScores)
    categories: list[Category]
    image_size: int
    channels: int
    command: Given
    job: str
    created_at: datetime


class MetricPoint(Resource):
    """Training metrics at one generator step."""

    step: int
    values: dict[str, float]


class MetricSeries(Resource):
    """The metrics of a GAN in order of steps."""

    model_config = example(
        {
            "gan": "gan_5b1d2f4a6c8e0b1d0f3a5c7e",
            "points": [{"step": 250, "values": {"critic_loss": -3.1, "gradient_penalty": 0.4}}],
        }
    )

    gan: str
    points: list[MetricPoint]


class GanPreviews(Resource):
    """The steps of a GAN's training that have a grid of samples, in order."""

    model_config = example({"gan": "gan_5b1d2f4a6c8e0b1d0f3a5c7e", "steps": [250, 500]})

    gan: str
    steps: list[int]


class GanOptions(Command):
    """How a WGAN-GP is trained (Gulrajani et al. 2017), and with what where images are few."""

    steps: Annotated[
        int,
        Field(ge=1, le=1_000_000, description="of the generator, each after `n_critic` critic's"),
    ] = 20_000
    batch_size: Annotated[int, Field(ge=2, le=1024)] = 64
    n_critic: Annotated[int, Field(ge=1, le=20)] = 5
    gradient_penalty: Annotated[float, Field(ge=0, le=1000)] = 10.0
    learning_rate: Annotated[float, Field(ge=1e-7, le=0.1)] = 1e-4
    beta1: Annotated[float, Field(ge=0, le=0.9999)] = 0.0
    beta2: Annotated[float, Field(ge=0, le=0.9999)] = 0.9
    ema_decay: Annotated[float, Field(ge=0, le=0.99999)] = 0.999
    #: Channels of the networks' narrowest layers.
    width: Annotated[int, Field(ge=4, le=256)] = 32
    latent: Annotated[int, Field(ge=8, le=1024)] = 128
    checkpoint_every: Annotated[int, Field(ge=1, le=1_000_000)] = 500
    preview_every: Annotated[int, Field(ge=1, le=1_000_000)] = 250
    diff_augment: Annotated[
        list[DiffAugmentation],
        Field(
            description="what happens to all that the critic sees (DiffAugment, Zhao et al. 2020), "
            "each named once; samples stay as they are",
            json_schema_extra={"uniqueItems": True},
        ),
    ] = Field(default_factory=list)
    consistency: Annotated[
        float,
        Field(ge=0, le=1000, description="weight of equal scores for shifted images (bCR); 0: off"),
    ] = 0.0
    unlabelled_share: Annotated[
        float,
        Field(
            ge=0,
            le=0.9,
            description="of each batch: any training images, without their labels; "
            "it counts where the data set has unlabelled training images",
        ),
    ] = 0.0
    pretrain_steps: Annotated[
        int,
        Field(ge=0, le=1_000_000, description="the first of `steps`, without any labels"),
    ] = 0
    evaluate_every: Annotated[
        int, Field(ge=1, le=1_000_000, description="steps between two looks of the watchdog")
    ] = 250
    watchdog: Annotated[
        bool,
        Field(description="go back to the last good state, at half the rates, after a collapse"),
    ] = True
    max_rollbacks: Annotated[
        int, Field(ge=0, le=100, description="how often, before the training fails")
    ] = 5

    @property
    def sees_unlabelled(self) -> bool:
        """Whether training images without a category are trained on."""
        return self.unlabelled_share > 0 or self.pretrain_steps > 0

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if len(set(self.diff_augment)) != len(self.diff_augment):
            raise ValueError("diff_augment must name each operation once")
        if self.pretrain_steps >= self.steps:
            raise ValueError("pretrain_steps must be fewer than steps")
        return self


class GanCommand(GanOptions):
    """Train a class-conditional WGAN-GP on a data set's training split."""

    model_config = example(
        {"dataset": "ds_0f3a5c7e9b1d2f4a6c8e0b1d", "steps": 20_000, "batch_size": 64, "seed": 0}
    )

    dataset: DatasetId
    name: Name | None = None
    seed: Seed = 0
    #: Every category needs at least this many training images.
    categories: (
        Annotated[list[Category], Field(json_schema_extra={"minItems": 1, "uniqueItems": True})]
        | None
    ) = None
    init_from: Annotated[
        GanId | None,
        Field(
            description="go on from this GAN's weights: same size, channels, width and latent; "
            "categories by name"
        ),
    ] = None

    @model_validator(mode="after")
    def _categories_once(self) -> "GanCommand":
        if self.categories is not None and (
            not self.categories or len(set(self.categories)) != len(self.categories)
        ):
            raise ValueError("categories must name each category once, and at least one")
        return self


#: The truncation trick (Brock et al. 2019).
Truncation = Annotated[float, Field(ge=0.1, le=8.0)]
TRUNCATION_HELP = (
    "latents come from a normal distribution cut off at so many standard deviations: "
    "fewer are more typical, and more alike"
)


class GenerateSetCommand(Command):
    """Sample each category of a data set's training images: ``ratio`` times as often as it has
    images there, or ``per_category`` times.
    """

    gan: GanId
    dataset: DatasetId
    ratio: Annotated[float, Field(gt=0, le=MAX_IMAGES)] = 1.0
    per_category: Annotated[
        Annotated[int, Field(ge=1, le=MAX_IMAGES)] | None, Field(exclude_if=not_)
    ] = None
    seed: Seed
    truncation: Annotated[Truncation | None, Field(description=TRUNCATION_HELP)] = None

    def images_of(self, training_images: int) -> int:
        """How many of a category that has so many training images: one at least, if it has any."""
        if not training_images:
            return 0
        return self.per_category or max(1, round(self.ratio * training_images))


class GenerateCommand(Command):
    """Sample synthetic images of one category."""

    category: Category
    n: Annotated[int, Field(ge=1, le=MAX_IMAGES)]
    gan: GanId
    seed: Seed
    truncation: Annotated[Truncation | None, Field(description=TRUNCATION_HELP)] = None


Sha256 = Annotated[
    str,
    Field(
        pattern=r"^[0-9a-f]{64}$",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    ),
]


_MANIFEST: dict[str, Any] = {
    "gan": "gan_5b1d2f4a6c8e0b1d0f3a5c7e",
    "weights_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "category": "liver",
    "truncation": None,
    "images": [
        {
            "index": 7,
            "seed": 42,
            "draw": 0,
            "sha256": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
            "category": None,
        }
    ],
}


class ManifestImage(Command):
    """An image of a manifest: what makes it again, and what it was."""

    model_config = ConfigDict(extra="ignore")

    index: Annotated[int, Field(ge=0, lt=2**63)]
    seed: Seed
    draw: Annotated[int, Field(ge=0, lt=2**31)]
    #: Of its PNG.
    sha256: Sha256
    #: That of the whole manifest, if it is not here.
    category: Category | None = None


class Manifest(Command):
    """``manifest.json`` of a synthetic ZIP, or as much of it as it takes to make images again.

    Members that it has besides are passed over.
    """

    model_config = example(_MANIFEST) | ConfigDict(extra="ignore")

    gan: GanId
    weights_sha256: Sha256
    category: Category | None = None
    truncation: Annotated[Truncation | None, Field(description=TRUNCATION_HELP)] = None
    #: Those that ``indices`` does not name may be left out.
    images: Annotated[list[ManifestImage], Field(json_schema_extra={"minItems": 1})]

    def category_of(self, image: ManifestImage) -> Category | None:
        """What an image shows."""
        return image.category or self.category


class RegenerateCommand(Command):
    """Make images of a manifest again."""

    model_config = example({"manifest": _MANIFEST, "indices": [7]})

    manifest: Manifest
    indices: Annotated[
        list[Annotated[int, Field(ge=0, lt=2**63)]],
        Field(
            description="of images of the manifest, in the order in which they are wanted",
            json_schema_extra={
                "minItems": 1,
                "maxItems": MAX_STREAMED_IMAGES,
                "uniqueItems": True,
            },
        ),
    ]

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if not 1 <= len(self.indices) <= MAX_STREAMED_IMAGES:
            raise ValueError(f"indices must name 1 to {MAX_STREAMED_IMAGES} images")
        if len(set(self.indices)) != len(self.indices):
            raise ValueError("indices must name each image once")
        known = [image.index for image in self.manifest.images]
        if len(set(known)) != len(known):
            raise ValueError("the manifest has two images of one index")
        missing = sorted(set(self.indices) - set(known))
        if missing:
            raise ValueError(f"the manifest has no image {missing[0]}")
        if any(self.manifest.category_of(image) is None for image in self.wanted()):
            raise ValueError("the manifest does not say what its images show: category is missing")
        return self

    def wanted(self) -> list[ManifestImage]:
        """The images that ``indices`` names, in its order."""
        known = {image.index: image for image in self.manifest.images}
        return [known[index] for index in self.indices]

    def trimmed(self) -> Self:
        """This command with a manifest of the wanted images alone."""
        manifest = self.manifest.model_copy(update={"images": self.wanted()})
        return self.model_copy(update={"manifest": manifest})
