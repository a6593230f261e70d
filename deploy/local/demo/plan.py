"""What the demo does, and what it made."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lesiongan.client import GeneratedZip
from lesiongan.contracts.datasets import Dataset, PreprocessCommand, SplitOptions
from lesiongan.contracts.experiments import ArmClassifier, Experiment, ExperimentCommand
from lesiongan.contracts.gans import Gan, GanCommand, GanOptions, MetricPoint

Size = Literal[32, 64, 128, 256]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The demo's knobs; the defaults fit two CPU cores and five minutes."""

    out: Path
    lesions: int = 60
    difficulty: float = 0.5
    size: Size = 32
    steps: int = 1200
    #: Of the experiment: real images of a category, and budgets of each seed's GAN and classifiers.
    seeds: int = 2
    train_per_category: int = 20
    arm_gan_steps: int = 700
    classifier_steps: int = 600
    liver_images: int = 500
    sheet_images: int = 8
    seed: int = 0

    def preprocess_command(self, dataset: str) -> PreprocessCommand:
        """Crops, split anew: a third of the patients to test on, so that the table says something.

        The phantoms' own split leaves one in ten.
        """
        split = SplitOptions(train=0.6, val=0.1, test=0.3, seed=self.seed, keep=False)
        return PreprocessCommand(dataset=dataset, size=self.size, split=split)

    def gan_command(self, dataset: str) -> GanCommand:
        """A training that shows something after a minute or two on one core."""
        options = self._gan_options(self.steps).model_dump()
        return GanCommand(dataset=dataset, name="demo", seed=self.seed, **options)

    def experiment_command(self, dataset: Dataset) -> ExperimentCommand:
        """All four arms, with budgets that are too small for the GAN to show what it can."""
        fewest = min(dataset.counts["train"].values())
        return ExperimentCommand(
            dataset=dataset.id,
            name="demo",
            seeds=self.seeds,
            train_per_category=min(self.train_per_category, fewest),
            gan=self._gan_options(min(self.arm_gan_steps, self.steps)),
            classifier=ArmClassifier(
                steps=self.classifier_steps, batch_size=32, synthetic_share=0.25
            ),
        )

    def _gan_options(self, steps: int) -> GanOptions:
        """A small network, one critic step a generator step, ten times the paper's learning rate.

        Measured, that comes furthest in so little time. The API's defaults are the paper's.
        """
        return GanOptions(
            steps=steps,
            batch_size=16,
            n_critic=1,
            learning_rate=1e-3,
            ema_decay=0.995,
            width=16,
            latent=64,
            preview_every=max(1, steps // 5),
        )


@dataclass(frozen=True)
class Timing:
    """How long a step took."""

    step: str
    seconds: float
    made: str


@dataclass(frozen=True, kw_only=True)
class Made:
    """Everything that the demo leaves behind."""

    url: str
    raw: Dataset
    preprocessed: Dataset
    gan: Gan
    experiment: Experiment
    metrics: list[MetricPoint]
    liver: GeneratedZip
    #: Whether ``/generate`` samples this GAN when none is named.
    default: bool
    timings: list[Timing]
    files: list[Path]

    def summary(self) -> dict[str, Any]:
        """The figures, for ``summary.json``. Never the key."""
        return {
            "url": self.url,
            "datasets": {"raw": self.raw.id, "preprocessed": self.preprocessed.id},
            "images": {"raw": self.raw.images, "preprocessed": self.preprocessed.counts},
            "phantom": self.raw.phantom,
            "gan": {
                "id": self.gan.id,
                "steps": self.gan.step,
                "image_size": self.gan.image_size,
                "weights_sha256": self.gan.weights_sha256,
                "last_metrics": self.metrics[-1].values if self.metrics else {},
            },
            "experiment": {
                "id": self.experiment.id,
                "n_test": self.experiment.n_test,
                "seeds": self.experiment.seeds,
                "accuracy": {a.arm: a.accuracy.model_dump() for a in self.experiment.arms},
                "summary": self.experiment.summary,
            },
            "liver": {
                "images": self.liver.images,
                "bytes": self.liver.bytes,
                "seed": self.liver.seed,
                "first_byte_seconds": round(self.liver.first_byte_seconds, 3),
                "seconds": round(self.liver.seconds, 3),
                "images_per_second": round(self.liver.images / self.liver.seconds, 1),
            },
            "steps": [
                {"step": t.step, "seconds": round(t.seconds, 2), "made": t.made}
                for t in self.timings
            ],
            "total_seconds": round(sum(t.seconds for t in self.timings), 2),
            "files": [path.name for path in self.files],
        }
