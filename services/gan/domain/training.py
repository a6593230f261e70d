"""The training loop: resumable at every step, bit for bit.

Noise, interpolation and the order of images derive from (seed, step), so there is no state of a
random generator to keep: a state that is saved at step k and continued ends with the same weights
as one that never stopped (same thread count, dtype and class of device).
"""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from services.gan.domain.batches import TrainingImages
from services.gan.domain.preview import preview_grid
from services.gan.domain.state import TrainingState
from services.gan.domain.stepping import Made, Steps
from services.gan.domain.supervision import Rollback, Score, Supervisor
from services.gan.domain.watchdog import Signs
from shared.compute.memory import freed_memory_kept
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

    @property
    def finite(self) -> bool:
        return all(math.isfinite(value) for value in asdict(self).values())


def _never() -> bool:
    return False


def _ignore(*_: object) -> None:
    return None


@dataclass(frozen=True)
class Callbacks:
    """What the loop tells its caller, between steps and in the caller's thread.

    ``on_checkpoint`` gets the live state: save it before returning. It is called every
    ``checkpoint_every`` steps, after the last step, when ``should_stop`` said so, and when the run
    went back. ``on_preview`` gets the step and a uint8 grid [C, H, W]. ``on_turn`` is called within
    steps, which take long where images are large: what it raises loses the step.

    ``on_evaluate`` gets the live state every ``evaluate_every`` steps and answers how far its
    samples are from real images, such as KID, or None; it must draw on streams of its own.
    ``on_health`` gets the step and what the watchdog found sound, ``on_rollback`` what it did not.
    ``on_made`` is told on a GPU which update was made ready, and why it is no graph, if it is none.
    """

    should_stop: Callable[[], bool] = _never
    on_turn: Callable[[], None] = _ignore
    on_metrics: Callable[[Metrics], None] = _ignore
    on_checkpoint: Callable[[TrainingState], None] = _ignore
    on_preview: Callable[[int, NDArray[np.uint8]], None] = _ignore
    on_evaluate: Score = _ignore
    on_health: Callable[[int, Signs], None] = _ignore
    on_rollback: Callable[[Rollback], None] = _ignore
    on_made: Made = _ignore


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

    Returns True when that step is reached, False when ``should_stop`` ended it before. Raises
    :class:`Diverged` when the run is lost.
    """
    return _Loop(state, data, precision, callbacks or Callbacks()).run()


class _Loop:
    def __init__(
        self, state: TrainingState, data: TrainingImages, precision: Precision, calls: Callbacks
    ) -> None:
        self._state = state
        self._data = data
        self._precision = precision
        self._calls = calls
        self._supervisor = Supervisor(state, data, precision)
        self._steps = self._new_steps()
        self._window = _Window()

    def run(self) -> bool:
        state = self._state
        with reproducible(self._precision), freed_memory_kept():
            while state.step < state.training.steps:
                if self._calls.should_stop():
                    self._calls.on_checkpoint(state)
                    return False
                self._step()
                fault = self._report() or self._evaluate()
                if fault is not None:
                    self._window = _Window()
                    self._steps = self._new_steps()
                    self._calls.on_rollback(fault)
                    self._calls.on_checkpoint(state)
                    continue
                self._show()
        return True

    def _new_steps(self) -> Steps:
        return Steps(self._state, self._data, self._precision, on_made=self._calls.on_made)

    def _step(self) -> None:
        state, window = self._state, self._window
        for turn in range(state.training.n_critic):
            window.critic.append(self._steps.critic(turn))
            self._supervisor.add(critic=window.critic[-1])
            self._calls.on_turn()
        window.generator.append(self._steps.generator())
        self._supervisor.add(generator=window.generator[-1])
        state.step += 1

    def _due(self, every: int) -> bool:
        step = self._state.step
        return step == self._state.training.steps or step % every == 0

    def _report(self) -> Rollback | None:
        training = self._state.training
        if not self._due(training.metrics_every):
            return None
        metrics = self._window.report(self._state.step, training.batch_size)
        self._window = _Window()
        if not metrics.finite:
            return self._supervisor.roll_back("losses are not finite")
        self._calls.on_metrics(metrics)
        return None

    def _evaluate(self) -> Rollback | None:
        if not self._due(self._state.training.evaluate_every):
            return None
        found = self._supervisor.evaluate(self._calls.on_evaluate)
        if isinstance(found, Rollback):
            return found
        self._calls.on_health(self._state.step, found)
        return None

    def _show(self) -> None:
        state, training = self._state, self._state.training
        if self._due(training.preview_every):
            grid = preview_grid(state.average, training.seed, self._precision)
            self._calls.on_preview(state.step, grid)
        if self._due(training.checkpoint_every):
            self._calls.on_checkpoint(state)
