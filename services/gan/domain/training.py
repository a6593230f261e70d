"""The training loop: resumable at every step, bit for bit.

Noise, interpolation and the order of images derive from (seed, step), so there is no state of a
random generator to keep: a state that is saved at step k and continued ends with the same weights
as one that never stopped (same thread count, dtype and class of device).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from services.gan.domain.batches import TrainingImages
from services.gan.domain.preview import preview_grid
from services.gan.domain.state import TrainingState
from services.gan.domain.steps import critic_step, generator_step
from shared.compute.precision import Precision, reproducible


@dataclass(frozen=True)
class Metrics:
    """Means over the steps since the last report; ``step`` is the last of them, counted from 1.

    ``gradient_norm`` is the critic's at the interpolates, which the penalty pulls to 1;
    ``generator_gradient_norm`` is that of the generator's loss in its weights.
    ``images_per_second`` counts real images that the critic has seen.
    """

    step: int
    critic_loss: float
    generator_loss: float
    gradient_penalty: float
    wasserstein: float
    gradient_norm: float
    generator_gradient_norm: float
    images_per_second: float


def _never() -> bool:
    return False


def _ignore(*_: object) -> None:
    return None


@dataclass(frozen=True)
class Callbacks:
    """What the loop tells its caller, between steps and in the caller's thread.

    ``on_checkpoint`` gets the live state: save it before returning. It is called every
    ``checkpoint_every`` steps, after the last step, and when ``should_stop`` said so.
    ``on_preview`` gets the step and a uint8 grid [C, H, W]. ``on_turn`` is called within steps,
    which take long where images are large: what it raises loses the step.
    """

    should_stop: Callable[[], bool] = _never
    on_turn: Callable[[], None] = _ignore
    on_metrics: Callable[[Metrics], None] = _ignore
    on_checkpoint: Callable[[TrainingState], None] = _ignore
    on_preview: Callable[[int, NDArray[np.uint8]], None] = _ignore


@dataclass
class _Window:
    """Metrics of the steps since the last report; stays on the device until it is read."""

    critic: list[Tensor] = field(default_factory=list)
    generator: list[Tensor] = field(default_factory=list)
    started_seconds: float = field(default_factory=time.perf_counter)

    def report(self, step: int, batch_size: int) -> Metrics:
        loss, penalty, wasserstein, norm = torch.stack(self.critic).mean(dim=0).tolist()
        generator_loss, generator_norm = torch.stack(self.generator).mean(dim=0).tolist()
        elapsed_seconds = time.perf_counter() - self.started_seconds
        return Metrics(
            step=step,
            critic_loss=loss,
            generator_loss=generator_loss,
            gradient_penalty=penalty,
            wasserstein=wasserstein,
            gradient_norm=norm,
            generator_gradient_norm=generator_norm,
            images_per_second=len(self.critic) * batch_size / elapsed_seconds,
        )


def train(
    state: TrainingState,
    data: TrainingImages,
    *,
    precision: Precision,
    callbacks: Callbacks | None = None,
) -> bool:
    """Train ``state`` in place to ``state.training.steps``.

    Returns True when that step is reached, False when ``should_stop`` ended it before.
    """
    calls, training = callbacks or Callbacks(), state.training
    window = _Window()
    with reproducible(precision):
        while state.step < training.steps:
            if calls.should_stop():
                calls.on_checkpoint(state)
                return False
            for turn in range(training.n_critic):
                window.critic.append(critic_step(state, data, precision, turn=turn))
                calls.on_turn()
            window.generator.append(generator_step(state, precision))
            state.step += 1
            last = state.step == training.steps
            if last or state.step % training.metrics_every == 0:
                calls.on_metrics(window.report(state.step, training.batch_size))
                window = _Window()
            if last or state.step % training.preview_every == 0:
                calls.on_preview(state.step, preview_grid(state.average, training.seed, precision))
            if last or state.step % training.checkpoint_every == 0:
                calls.on_checkpoint(state)
    return True
