"""The updates of a step: eager on a CPU, as CUDA graphs on a GPU."""

from collections.abc import Callable

import torch
from torch import Tensor

from services.gan.domain.batches import TrainingImages
from services.gan.domain.captured import Captured, CudaGraphs, Inputs, Recorder
from services.gan.domain.ema import update_average
from services.gan.domain.state import TrainingState, begin_moments, changed_by
from services.gan.domain.step_inputs import (
    CriticInputs,
    GeneratorInputs,
    critic_inputs,
    generator_inputs,
)
from services.gan.domain.steps import critic_update, generator_update
from shared.compute.precision import Precision

Update = Callable[[Inputs], Tensor]


#: Hears which update was made ready for a GPU, and why it runs without a graph, if it does.
Made = Callable[[str, str | None], None]


def _nobody(_which: str, _eager_because: str | None) -> None:
    """Nobody asks."""


class Steps:
    """Makes the steps of one training, whose state it changes in place.

    Graphs know the memory of the optimisers' moments and their rates: after a run went back, which
    changes both, it takes a new one.
    """

    def __init__(
        self,
        state: TrainingState,
        data: TrainingImages,
        precision: Precision,
        *,
        recorder: Recorder | None = None,
        on_made: Made = _nobody,
    ) -> None:
        self._state = state
        self._data = data
        self._precision = precision
        if recorder is None and torch.device(precision.device).type == "cuda":
            recorder = CudaGraphs(precision.device)
        self._recorder = recorder
        self._on_made = on_made
        self._critic: Update | None = None
        self._generator: Update | None = None

    def critic(self, turn: int) -> Tensor:
        """The ``turn``-th critic update of the current step: as ``critic_update``."""
        inputs = critic_inputs(self._state, self._data, turn)
        if self._critic is None:
            update = _critic_update(self._state, self._data.images, self._precision.dtype)
            self._critic = self._made("critic", update, inputs, self._state.critic_optimizer)
        return self._critic(inputs)

    def generator(self) -> Tensor:
        """The update that ends the current step, and that of the average: as ``generator_update``.

        The average's weight differs from step to step, so no graph holds it.
        """
        state, inputs = self._state, generator_inputs(self._state)
        if self._generator is None:
            update = _generator_update(state, self._precision.dtype)
            self._generator = self._made("generator", update, inputs, state.generator_optimizer)
        found = self._generator(inputs)
        decay = state.training.ema_decay
        update_average(state.average, state.generator, decay=decay, step=state.step)
        return found

    def _made(
        self, which: str, update: Update, example: Inputs, optimizer: torch.optim.Adam
    ) -> Update:
        if self._recorder is None:
            return update
        if not optimizer.state:
            begin_moments(optimizer)
        captured = Captured(
            update,
            example,
            changed_by(optimizer),
            device=self._precision.device,
            recorder=self._recorder,
        )
        self._on_made(which, captured.eager_because)
        return captured


# Methods of ``Steps`` would lead from what it holds back to it: its graphs, and the memory of a
# whole training, would stay until Python looks for cycles.
def _critic_update(state: TrainingState, images: Tensor, dtype: torch.dtype) -> Update:
    return lambda inputs: critic_update(state, images, CriticInputs(*inputs), dtype)


def _generator_update(state: TrainingState, dtype: torch.dtype) -> Update:
    return lambda inputs: generator_update(state, GeneratorInputs(*inputs), dtype)
