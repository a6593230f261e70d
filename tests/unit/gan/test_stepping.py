"""Steps as graphs, with a recorder in the place of CUDA's: the same bytes as eager ones."""

import gc
import logging
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from lesiongan.contracts.gans import DIFF_AUGMENTATIONS
from services.gan.domain import training as loop
from services.gan.domain.batches import TrainingImages
from services.gan.domain.captured import Captured, Inputs, Recorded, Recorder
from services.gan.domain.checkpoint import save_checkpoint
from services.gan.domain.config import Architecture, Training
from services.gan.domain.generator import Generator
from services.gan.domain.state import TrainingState, start_training
from services.gan.domain.stepping import Steps
from services.gan.domain.training import Callbacks, train
from shared.compute.precision import Precision

SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "plain": {},
    "all": {"diff_augment": DIFF_AUGMENTATIONS, "consistency": 0.5, "unlabelled_share": 0.25},
    "pretrained": {"pretrain_steps": 3, "diff_augment": ("translation",)},
}


class Tape:
    """Records as a graph does: runs what it warms up with, and later does the same again."""

    def __init__(self) -> None:
        self.replays = 0

    def __call__(self, run: Callable[[], Tensor]) -> Recorded:
        found = [run() for _ in range(3)][-1].clone()

        def replay() -> None:
            self.replays += 1
            found.copy_(run())

        return Recorded(replay, found)


def _no_graph(_: object) -> Recorded:
    raise RuntimeError("operation not permitted when stream is capturing")


def _deaf(run: Callable[[], Tensor]) -> Recorded:
    """Its replays do nothing."""
    return Recorded(lambda: None, run().clone())


def _trained(
    architecture: Architecture,
    training: Training,
    data: TrainingImages,
    precision: Precision,
    recorder: Recorder | None,
    monkeypatch: pytest.MonkeyPatch,
    callbacks: Callbacks | None = None,
) -> TrainingState:
    state = start_training(architecture, training)
    with monkeypatch.context() as patched:
        patched.setattr(loop, "Steps", partial(Steps, recorder=recorder))
        train(state, data, precision=precision, callbacks=callbacks)
    return state


@pytest.mark.parametrize("name", SETTINGS)
def test_replayed_steps_end_as_eager_ones(
    architecture: Architecture,
    training: Training,
    data: TrainingImages,
    precision: Precision,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    training = replace(training, **SETTINGS[name])
    tape = Tape()
    told: list[tuple[str, str | None]] = []
    calls = Callbacks(on_made=lambda *heard: told.append(heard))
    eager, replayed = (
        _trained(architecture, training, data, precision, recorder, monkeypatch, calls)
        for recorder in (None, tape)
    )
    assert told == [("critic", None), ("generator", None)]
    steps = training.steps * (training.n_critic + 1)
    assert tape.replays == steps + 2, "each step, and one to see whether it does the same"
    assert save_checkpoint(replayed) == save_checkpoint(eager)


@pytest.mark.parametrize(
    ("recorder", "said"), [(_no_graph, "not permitted when stream"), (_deaf, "differs")]
)
def test_a_step_that_cannot_be_recorded_runs_as_it_is(
    architecture: Architecture,
    training: Training,
    data: TrainingImages,
    precision: Precision,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    recorder: Recorder,
    said: str,
) -> None:
    told: list[tuple[str, str | None]] = []
    calls = Callbacks(on_made=lambda *heard: told.append(heard))
    with caplog.at_level(logging.WARNING):
        state = _trained(architecture, training, data, precision, recorder, monkeypatch, calls)
    assert [(which, said in str(reason)) for which, reason in told] == [
        ("critic", True),
        ("generator", True),
    ]
    assert [said in each.getMessage() for each in caplog.records] == [True, True], "one an update"
    eager = _trained(architecture, training, data, precision, None, monkeypatch)
    assert save_checkpoint(state) == save_checkpoint(eager)


def test_a_run_that_went_back_is_recorded_anew(
    architecture: Architecture,
    training: Training,
    data: TrainingImages,
    precision: Precision,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Going back gives the optimisers other moments, which the old graph does not know."""
    training = replace(training, steps=8, evaluate_every=2)
    ends = []
    for recorder in (None, Tape()):
        state = start_training(architecture, training)

        def harm(state: TrainingState = state) -> bool:
            if state.step == 5 and not state.watch.rollbacks:
                torch.nn.init.constant_(state.critic.score.bias, float("nan"))
            return False

        with monkeypatch.context() as patched:
            patched.setattr(loop, "Steps", partial(Steps, recorder=recorder))
            train(state, data, precision=precision, callbacks=Callbacks(should_stop=harm))
        assert state.watch.rollbacks == 1
        ends.append(save_checkpoint(state))
    assert ends[0] == ends[1]


@pytest.fixture
def without_collection() -> Iterator[None]:
    """What dies now dies because nothing holds it."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Graph:
    """Stands for the memory of a CUDA graph."""


def _replay(_: Graph) -> None:
    """Nothing changes."""


class Graphs:
    """Makes graphs whose replays do nothing."""

    def __init__(self) -> None:
        self.made: list[weakref.ref[Graph]] = []

    def __call__(self, run: Callable[[], Tensor]) -> Recorded:
        graph = Graph()
        self.made.append(weakref.ref(graph))
        return Recorded(partial(_replay, graph), run().clone())

    @property
    def alive(self) -> int:
        return sum(each() is not None for each in self.made)


@pytest.mark.usefixtures("without_collection")
@pytest.mark.parametrize("ends", ["well", "after going back", "badly"])
def test_a_training_that_is_over_holds_no_memory(
    architecture: Architecture,
    training: Training,
    data: TrainingImages,
    precision: Precision,
    monkeypatch: pytest.MonkeyPatch,
    ends: str,
) -> None:
    graphs = Graphs()
    monkeypatch.setattr(loop, "Steps", partial(Steps, recorder=graphs))
    monkeypatch.setattr("services.gan.domain.captured._alike", lambda *_: True)
    weights = _train_and_forget(architecture, training, data, precision, ends)
    assert len(graphs.made) == (4 if ends == "after going back" else 2)
    assert graphs.alive == 0
    assert weights() is None


def _train_and_forget(
    architecture: Architecture,
    training: Training,
    data: TrainingImages,
    precision: Precision,
    ends: str,
) -> weakref.ref[Generator]:
    state = start_training(architecture, replace(training, steps=4, evaluate_every=2))

    def harm(step: int, _: object) -> None:
        if ends == "badly":
            raise KeyError(step)
        if ends == "after going back" and not state.watch.rollbacks:
            torch.nn.init.constant_(state.critic.score.bias, float("nan"))
            state.sums.fill_(float("nan"))

    weights = weakref.ref(state.generator)
    with suppress(KeyError):
        train(state, data, precision=precision, callbacks=Callbacks(on_health=harm))
    return weights


def test_inputs_lie_in_the_same_place_each_time() -> None:
    total = torch.zeros(2)
    places: set[int] = set()

    def add(inputs: Inputs) -> Tensor:
        places.add(inputs[0].data_ptr())
        total.add_(inputs[0])
        return total.sum()

    captured = Captured(add, [torch.ones(2)], [total], device="cpu", recorder=Tape())
    assert captured.eager_because is None
    assert total.tolist() == [0.0, 0.0], "what was tried is undone"
    found = [float(captured([torch.full((2,), value)])) for value in (1.0, 2.0)]
    assert found == [2.0, 6.0]
    assert len(places) == 1
