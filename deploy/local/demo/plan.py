"""What the demo does, and what it made."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lesiongan.client import GeneratedZip
from lesiongan.contracts.datasets import Dataset
from lesiongan.contracts.gans import Gan, GanCommand, MetricPoint

Size = Literal[32, 64, 128, 256]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The demo's knobs; the defaults fit two CPU cores and three minutes."""

    out: Path
    lesions: int = 60
    difficulty: float = 0.5
    size: Size = 32
    steps: int = 1600
    liver_images: int = 500
    sheet_images: int = 8
    seed: int = 0

    def gan_command(self, dataset: str) -> GanCommand:
        """A training that shows something after two minutes on two cores.

        A small network, one critic step a generator step and ten times the paper's learning rate:
        measured, that comes furthest in so little time. The API's defaults are the paper's.
        """
        return GanCommand(
            dataset=dataset,
            name="demo",
            steps=self.steps,
            batch_size=16,
            n_critic=1,
            learning_rate=1e-3,
            ema_decay=0.995,
            width=16,
            latent=64,
            seed=self.seed,
            preview_every=max(1, self.steps // 5),
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
