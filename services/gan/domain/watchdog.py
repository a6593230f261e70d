"""When a training has run away, and what is done then: pure decisions on a few numbers.

Each ``evaluate_every`` steps gives :class:`Signs`, which :func:`fault` judges by fixed bounds and
by those of the run's last healthy evaluations. Healthy: they join the :class:`Watch`. Not: the run
goes back to a healthy state, with learning rates halved, a bounded number of times.
"""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from statistics import median

#: How many healthy evaluations are remembered.
REMEMBERED = 8
#: By how much the learning rates fall each time.
RATE_DROP = 0.5

#: After so many it is known what is usual; a young generator may well outrun its critic.
SETTLED = 3
#: What has just been is the median of so many: a run that learns leaves its first numbers far
#: behind, and beside those hardly anything would look ill.
RECENT = 3

#: The penalty pulls the critic's gradient to a norm of 1; in sound runs it lies between 0.5 and 2.
MAX_GRADIENT_NORM = 5.0
#: How far a loss or a gradient may leave what was usual.
LOSS_LEAP = 20.0
GRADIENT_LEAP = 100.0
#: D(real) - D(fake) falls below 0 when the generator has left the critic behind, such as one that
#: has stopped to learn: then as far below as it was above, or further.
WASSERSTEIN_LEAP = 1.0
#: Diversity, as a share of what the run had; and below which share of the real images' it matters.
DIVERSITY_DROP = 0.25
LOW_DIVERSITY = 0.3
#: Samples that are all alike, once the run had time to learn better.
NO_DIVERSITY = 0.02
PATIENCE = 4
MAX_FLAT_SHARE = 0.5
SCORE_LEAP = 3.0


@dataclass(frozen=True)
class Signs:
    """What is known of a run's health at an evaluation.

    Losses and norms are means over the steps since the last. ``diversity`` is how far samples of
    one category lie apart, in terms of how far real images do (1: as far), in the category where it
    is least. ``flat`` is the share of images of one grey, beyond that of real ones. ``score`` is
    a distance from real images, such as KID, where one is measured, and ``noise`` how far that
    strays by chance.
    """

    critic_loss: float
    wasserstein: float
    gradient_norm: float
    generator_gradient_norm: float
    diversity: float
    flat: float
    score: float | None = None
    noise: float = 0.0

    def values(self) -> dict[str, float]:
        """Those that are known."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Watch:
    """What the watchdog remembers; it belongs to the state of the training.

    ``best_score`` is the lowest of a healthy evaluation, ``best_step`` when that was.
    """

    rollbacks: int = 0
    healthy: tuple[Signs, ...] = field(default=())
    best_score: float | None = None
    best_step: int | None = None

    @property
    def rate(self) -> float:
        """What the learning rates are multiplied by."""
        return RATE_DROP**self.rollbacks

    def improved_by(self, score: float | None) -> bool:
        return score is not None and (self.best_score is None or score < self.best_score)

    def after_healthy(self, signs: Signs, step: int) -> "Watch":
        healthy = (*self.healthy, signs)[-REMEMBERED:]
        if not self.improved_by(signs.score):
            return replace(self, healthy=healthy)
        return replace(self, healthy=healthy, best_score=signs.score, best_step=step)

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Watch":
        """Raises ValueError, KeyError or TypeError for anything but what :meth:`to_json` wrote."""
        values = json.loads(text)
        values["healthy"] = tuple(Signs(**signs) for signs in values["healthy"])
        return cls(**values)


def fault(signs: Signs, watch: Watch) -> str | None:
    """Why the run is not healthy, in words for a person; None where it is."""
    for field_ in fields(signs):
        value = getattr(signs, field_.name)
        if value is not None and not math.isfinite(value):
            return f"{field_.name} is not finite"
    return _divergence(signs, watch.healthy) or _collapse(signs, watch.healthy)


def _divergence(signs: Signs, healthy: tuple[Signs, ...]) -> str | None:
    if signs.gradient_norm > MAX_GRADIENT_NORM:
        return f"the critic's gradient has a norm of {signs.gradient_norm:.3g} instead of 1"
    if len(healthy) < SETTLED:
        return None
    loss = LOSS_LEAP * _largest(past.critic_loss for past in healthy)
    if abs(signs.critic_loss) > loss:
        return f"the critic's loss leapt to {signs.critic_loss:.3g}"
    usual = median(past.generator_gradient_norm for past in healthy)
    if signs.generator_gradient_norm > GRADIENT_LEAP * usual:
        return f"the generator's gradient leapt to {signs.generator_gradient_norm:.3g}"
    recent = _recent([past.wasserstein for past in healthy])
    if signs.wasserstein < -WASSERSTEIN_LEAP * max(1.0, recent):
        return f"the critic takes samples for real: Wasserstein {signs.wasserstein:.3g}"
    return None


def _collapse(signs: Signs, healthy: tuple[Signs, ...]) -> str | None:
    if signs.flat > MAX_FLAT_SHARE:
        return f"{signs.flat:.0%} of the samples are of one grey"
    if healthy:
        had = median(past.diversity for past in healthy)
        if signs.diversity < min(LOW_DIVERSITY, DIVERSITY_DROP * had):
            return f"samples of a category became alike: diversity {signs.diversity:.3g}"
    if len(healthy) >= PATIENCE and signs.diversity < NO_DIVERSITY:
        return f"samples of a category stay alike: diversity {signs.diversity:.3g}"
    return _score_leap(signs, healthy)


def _score_leap(signs: Signs, healthy: tuple[Signs, ...]) -> str | None:
    scores = [past.score for past in healthy if past.score is not None]
    if signs.score is None or len(scores) < 2:
        return None
    usual = max(0.0, _recent(scores))  # an unbiased distance is around 0 where there is none
    if signs.score > SCORE_LEAP * (usual + signs.noise) > 0.0:
        return f"the score leapt from {scores[-1]:.3g} to {signs.score:.3g}"
    return None


def _recent(values: Sequence[float]) -> float:
    return median(values[-RECENT:])


def _largest(values: Iterable[float]) -> float:
    """The largest size, at least 1: the critic's scores are of the size of a distance in pixels."""
    return max(1.0, *(abs(value) for value in values))
