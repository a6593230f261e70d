"""The watchdog at work: it looks at a run now and then, and keeps it or takes it back."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from services.gan.domain.batches import TrainingImages
from services.gan.domain.checkpoint import restore, snapshot
from services.gan.domain.health import real_reference, variety
from services.gan.domain.state import TrainingState
from services.gan.domain.watchdog import Signs, fault
from shared.compute.precision import Precision
from shared.errors import Diverged


@dataclass(frozen=True)
class Measured:
    """How far samples are from real images, such as KID, and how far that strays by chance."""

    score: float
    noise: float = 0.0


Score = Callable[[TrainingState], Measured | None]


@dataclass(frozen=True)
class Rollback:
    """A run was found ill at ``step`` and goes on from ``to_step``; the ``number``-th time."""

    step: int
    reason: str
    to_step: int
    learning_rate: float
    number: int


class Supervisor:
    """Watches over one training, whose state it changes in place."""

    def __init__(self, state: TrainingState, data: TrainingImages, precision: Precision) -> None:
        self._state = state
        self._precision = precision
        self._reference = real_reference(data)
        if state.training.watchdog and not state.kept.newest:
            self._keep()
            state.kept.good = state.kept.newest

    def add(self, critic: Tensor | None = None, generator: Tensor | None = None) -> None:
        """Note what a step reported: critic [4] or generator [2]."""
        if critic is not None:
            self._state.sums[:4] += critic
        if generator is not None:
            self._state.sums[4:] += generator

    @torch.no_grad()
    def evaluate(self, score: Score) -> Signs | Rollback:
        """Judge the steps since the last evaluation.

        Raises :class:`Diverged` when the run has gone back too often, or must not.
        """
        state = self._state
        signs = self._signs(score)
        reason = fault(signs, state.watch) if state.training.watchdog else None
        if reason is not None:
            return self.roll_back(reason)
        if state.watch.improved_by(signs.score):
            tensors = state.average.state_dict().items()
            state.kept.best = {name: tensor.detach().clone() for name, tensor in tensors}
        state.watch = state.watch.after_healthy(signs, state.step)
        state.sums.zero_()
        if state.training.watchdog:
            state.kept.good = state.kept.newest
            self._keep()
        return signs

    def roll_back(self, reason: str) -> Rollback:
        """Go back to the last good state, and on from there at half the learning rates.

        Raises :class:`Diverged` when that is not allowed any more.
        """
        state, training = self._state, self._state.training
        step, watch = state.step, state.watch
        if not training.watchdog or watch.rollbacks >= training.max_rollbacks:
            tries = f" for the {watch.rollbacks + 1}. time" if watch.rollbacks else ""
            raise Diverged(f"at step {step}{tries}: {reason}; train with a lower learning_rate")
        restore(state, state.kept.good)
        state.watch = replace(
            state.watch,
            rollbacks=watch.rollbacks + 1,
            best_score=watch.best_score,
            best_step=watch.best_step,
        )
        state.set_rates()
        self._keep()
        state.kept.good = state.kept.newest
        return Rollback(step, reason, state.step, state.learning_rate, state.watch.rollbacks)

    def _keep(self) -> None:
        kept = self._state.kept
        kept.newest_step = self._state.step
        kept.newest = snapshot(self._state)

    def _signs(self, score: Score) -> Signs:
        state, training = self._state, self._state.training
        steps = state.step % training.evaluate_every or training.evaluate_every
        critic = (state.sums[:4] / (steps * training.n_critic)).tolist()
        generator = (state.sums[4:] / steps).tolist()
        generators = (state.average, state.generator)
        found = variety(generators, self._reference, training.seed, self._precision)
        measured = score(state)
        return Signs(
            critic_loss=critic[0],
            wasserstein=critic[2],
            gradient_norm=critic[3],
            generator_gradient_norm=generator[1],
            diversity=found.diversity,
            flat=found.flat,
            score=None if measured is None else measured.score,
            noise=0.0 if measured is None else measured.noise,
        )
