"""What a GAN is (`Architecture`) and how it is trained (`Training`): frozen, validated, JSON.

Defaults of ``Training`` are the paper's (Gulrajani et al., "Improved training of Wasserstein GANs",
NeurIPS 2017, Algorithm 1): gradient penalty 10, five critic steps a generator step, Adam with a
learning rate of 1e-4 and betas (0, 0.9).
"""

import json
import math
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from lesiongan.contracts.gans import DIFF_AUGMENTATIONS, IMAGE_SIZES
from shared.errors import BadInput

CHANNELS = (1, 3)


def _require(condition: object, sentence: str) -> None:
    if not condition:
        raise BadInput(sentence)


def _require_whole(name: str, value: Any, low: int, high: int) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    _require(
        whole and low <= value <= high, f"{name} must be a whole number of {low} to {high}: {value}"
    )


def _require_number(name: str, value: Any, low: float, high: float) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    _require(
        number and math.isfinite(value) and low <= value <= high,
        f"{name} must be a number of {low:g} to {high:g}: {value}",
    )


def _require_known(name: str, values: Any, known: Collection[str]) -> None:
    _require(
        isinstance(values, tuple) and len(set(values)) == len(values) and set(values) <= set(known),
        f"{name} must name each once, of {', '.join(known)}: {values}",
    )


class _JsonRecord:
    """Round trip of a flat, frozen dataclass through JSON; lists come back as tuples."""

    def to_dict(self) -> dict[str, Any]:
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()  # type: ignore[call-overload]
        }

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, no white space, so that equal records are equal text."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Missing fields take their defaults; raises BadInput for unknown or invalid ones."""
        known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
        unknown = sorted(set(values) - known)
        _require(not unknown, f"{cls.__name__} has no setting named {', '.join(unknown)}")
        tuples = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
        }
        try:
            return cls(**tuples)
        except TypeError as error:
            raise BadInput(f"{cls.__name__} lacks a setting: {error}") from error

    @classmethod
    def from_json(cls, text: str) -> Self:
        try:
            values = json.loads(text)
        except ValueError as error:
            raise BadInput(f"{cls.__name__} is not valid JSON") from error
        _require(isinstance(values, dict), f"{cls.__name__} is not a JSON object")
        return cls.from_dict(values)


@dataclass(frozen=True)
class Architecture(_JsonRecord):
    """The shape of a generator and its critic; weights fit one architecture only.

    ``categories`` gives the order of the labels: label ``k`` is ``categories[k]``.
    ``width`` is the number of feature maps at full resolution; it doubles with each halving of the
    resolution up to ``max_width``.
    """

    image_size: int
    categories: tuple[str, ...]
    channels: int = 1
    width: int = 32
    max_width: int = 128
    latent_size: int = 64

    def __post_init__(self) -> None:
        _require(
            self.image_size in IMAGE_SIZES and not isinstance(self.image_size, bool),
            f"image_size must be one of {', '.join(map(str, IMAGE_SIZES))}: {self.image_size}",
        )
        _require(
            self.channels in CHANNELS and not isinstance(self.channels, bool),
            f"channels must be 1 or 3: {self.channels}",
        )
        _require_whole("width", self.width, 4, 512)
        _require_whole("max_width", self.max_width, self.width, 1024)
        _require_whole("latent_size", self.latent_size, 4, 1024)
        names: Any = self.categories
        _require(
            isinstance(names, tuple)
            and 1 <= len(names) <= 1000
            and all(isinstance(name, str) and name for name in names),
            "categories must be 1 to 1000 names",
        )
        _require(len(set(names)) == len(names), "categories must not name one twice")

    def width_at(self, resolution_px: int) -> int:
        """Feature maps at a resolution of ``resolution_px``."""
        return min(self.max_width, self.width * self.image_size // resolution_px)

    @property
    def resolutions_px(self) -> tuple[int, ...]:
        """The resolutions of the feature maps, 4 px first, ``image_size`` last."""
        levels = (self.image_size // 4).bit_length()
        return tuple(4 << level for level in range(levels))


@dataclass(frozen=True)
class Training(_JsonRecord):
    """How a GAN is trained. ``steps`` counts generator steps, each after ``n_critic`` critic steps.

    ``ema_decay`` is that of the generator's averaged weights, a step. ``*_every`` count steps.
    ``diff_augment`` names what stands before the critic; ``consistency`` weighs that its scores
    should not depend on such changes. ``unlabelled_share`` of a batch goes without labels, and
    during the first ``pretrain_steps`` all of it. The watchdog looks every ``evaluate_every``.
    """

    steps: int = 20_000
    batch_size: int = 64
    n_critic: int = 5
    gradient_penalty: float = 10.0
    learning_rate: float = 1e-4
    betas: tuple[float, float] = (0.0, 0.9)
    ema_decay: float = 0.999
    seed: int = 0
    checkpoint_every: int = 1000
    preview_every: int = 500
    metrics_every: int = 50
    evaluate_every: int = 250
    diff_augment: tuple[str, ...] = ()
    consistency: float = 0.0
    unlabelled_share: float = 0.0
    pretrain_steps: int = 0
    watchdog: bool = True
    max_rollbacks: int = 5

    def __post_init__(self) -> None:
        _require_whole("steps", self.steps, 1, 10_000_000)
        _require_whole("batch_size", self.batch_size, 2, 1024)
        _require_whole("n_critic", self.n_critic, 1, 20)
        _require_number("gradient_penalty", self.gradient_penalty, 0.0, 1000.0)
        _require_number("learning_rate", self.learning_rate, 1e-7, 0.1)
        betas: Any = self.betas
        _require(isinstance(betas, tuple) and len(betas) == 2, "betas must be two numbers")
        for position, beta in enumerate(self.betas):
            _require_number(f"betas[{position}]", beta, 0.0, 0.9999)
        _require_number("ema_decay", self.ema_decay, 0.0, 0.99999)
        _require_whole("seed", self.seed, 0, 2**63 - 1)
        for name in ("checkpoint_every", "preview_every", "metrics_every", "evaluate_every"):
            _require_whole(name, getattr(self, name), 1, 10_000_000)
        _require_known("diff_augment", self.diff_augment, DIFF_AUGMENTATIONS)
        _require_number("consistency", self.consistency, 0.0, 1000.0)
        _require_number("unlabelled_share", self.unlabelled_share, 0.0, 0.9)
        _require_whole("pretrain_steps", self.pretrain_steps, 0, self.steps - 1)
        _require(
            isinstance(self.watchdog, bool), f"watchdog must be true or false: {self.watchdog}"
        )
        _require_whole("max_rollbacks", self.max_rollbacks, 0, 100)
