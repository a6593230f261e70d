"""A training ends with the weights that did best on ``val``, and always with the same."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from services.classification.domain import training
from services.classification.domain.checkpoint import load_checkpoint, save_checkpoint
from services.classification.domain.prediction import predict
from services.classification.domain.recipe import Recipe
from services.classification.domain.training import (
    Callbacks,
    Evaluation,
    TrainingState,
    balanced_accuracy,
    learning_rate,
    start_training,
    train,
)
from services.classification.domain.weights import Shape
from shared.compute.precision import DTypeName, Precision
from tests.unit.classification.builders import (
    PRECISION,
    SHAPE,
    dark_and_bright,
    misleading,
    recipe,
    run,
)

TRAIN = dark_and_bright()
VAL = dark_and_bright(1, each=4)


def begin(settings: Recipe, shape: Shape = SHAPE) -> TrainingState:
    return start_training(shape, settings, device="cpu")


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one | other)


@given(steps=st.integers(1, 3000), peak=st.floats(1e-6, 0.1))
def test_the_learning_rate_rises_to_its_peak_and_falls(steps: int, peak: float) -> None:
    rates = [learning_rate(recipe(steps=steps, learning_rate=peak), step) for step in range(steps)]
    top = rates.index(max(rates))
    assert max(rates) == pytest.approx(peak)
    assert max(rates) <= peak * (1 + 1e-12)
    assert min(rates) > 0
    assert top <= max(1, math.ceil(0.05 * steps))
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    if steps >= 20:
        assert rates[0] <= peak / max(1, math.floor(0.05 * steps)) * (1 + 1e-12)
        assert rates[-1] < 0.01 * peak


def test_each_step_uses_its_learning_rate() -> None:
    settings = recipe(steps=5)
    state = begin(settings)
    used: list[float] = []

    def keep(state: TrainingState) -> None:
        used.append(state.optimiser.param_groups[0]["lr"])

    callbacks = Callbacks(keep, lambda *_: None)
    train(state, TRAIN, None, settings, PRECISION, callbacks)
    assert used == [learning_rate(settings, step) for step in range(5)]


def test_a_step_does_not_wait_for_the_rows_of_its_images(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    def to_device(rows: Tensor, device: str) -> Tensor:
        sent.append(device)
        return rows

    monkeypatch.setattr(training, "to_device", to_device)
    settings = recipe(steps=3)
    callbacks = Callbacks(lambda _: None, lambda *_: None)
    train(begin(settings), TRAIN, None, settings, PRECISION, callbacks)
    assert sent == 3 * ["cpu"]


def test_balanced_accuracy_is_the_mean_of_the_categories() -> None:
    labels, predicted = np.array([0, 0, 0, 0, 2]), np.array([0, 0, 0, 1, 0])
    assert balanced_accuracy(labels, predicted)[0] == pytest.approx(0.375)
    assert balanced_accuracy(labels, labels) == (1.0, 0.0)


def rights(*categories: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Labels, and predictions that are right on (so many, of so many) of each category."""
    labels = np.repeat(np.arange(len(categories)), [images for _, images in categories])
    right = np.concatenate([np.arange(images) < right for right, images in categories])
    return labels, np.where(right, labels, -1)


@pytest.mark.parametrize(
    ("categories", "error"),
    [
        ([(80, 100)], 0.04),
        ([(40, 50), (40, 50)], 0.04),  # alike, and of as many images: as of all of them at once
        ([(180, 200), (3, 5)], 0.5 * (0.09 / 200 + 0.24 / 5) ** 0.5),  # the few decide
        ([(8, 10)], 0.4 / 10**0.5),
    ],
)
def test_the_error_of_balanced_accuracy_is_that_of_a_mean_of_shares(
    categories: list[tuple[int, int]], error: float
) -> None:
    assert balanced_accuracy(*rights(*categories))[1] == pytest.approx(error)


def evaluation(step: int, right: float) -> Evaluation:
    error = (right * (1.0 - right) / 100) ** 0.5
    return Evaluation(step, right, right, loss=1.0, images=100, standard_error=error)


@pytest.mark.parametrize(
    ("accuracies", "kept", "stale"),
    [
        ([0.5, 0.8, 0.79], 3, 1),  # within a standard error of the highest, and later
        ([0.5, 0.8, 0.7], 2, 1),
        ([0.8, 0.5, 0.9], 3, 0),
        ([0.8, 0.5, 0.5], 1, 2),
        ([0.8, 0.8, 0.8], 3, 2),
        ([1.0, 0.99, 0.99], 1, 2),  # no error at all leaves no room
    ],
)
def test_the_last_step_near_the_highest_is_kept(
    accuracies: list[float], kept: int, stale: int
) -> None:
    state = begin(recipe())
    for step, accuracy in enumerate(accuracies, start=1):
        state.judge(evaluation(step, accuracy))
    assert state.kept is not None
    assert (state.kept.step, state.stale) == (kept, stale)


@pytest.mark.parametrize("dtype_name", ["float32", "bfloat16"])
def test_the_same_recipe_gives_the_same_weights(dtype_name: DTypeName) -> None:
    precision = Precision(device="cpu", dtype_name=dtype_name, threads=1)
    made: list[dict[str, Tensor]] = []
    for seed in (0, 0, 1):
        torch.manual_seed(len(made))
        state = begin(recipe(seed=seed))
        run(state, recipe(seed=seed), TRAIN, VAL, precision)
        made.append(state.network.state_dict())
    assert same(made[0], made[1])
    assert not same(made[0], made[2])


def test_the_callers_random_state_and_settings_stay() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    run(begin(recipe()), recipe(), TRAIN, VAL)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.are_deterministic_algorithms_enabled()


def saved_at(step: int, settings: Recipe, shape: Shape) -> tuple[bytes, TrainingState]:
    """The checkpoint after ``step`` of a training on misleading ``val``, and its end."""
    state = begin(settings, shape)
    saved: dict[int, bytes] = {}

    def keep(state: TrainingState) -> None:
        if state.step == step:
            saved[step] = save_checkpoint(state, settings)

    callbacks = Callbacks(keep, lambda *_: None)
    train(state, TRAIN, misleading(VAL), settings, PRECISION, callbacks)
    return saved[step], state


@pytest.mark.parametrize(
    ("shape", "step"),
    [
        (SHAPE, 1),
        (SHAPE, 4),
        (SHAPE, 7),
        (SHAPE, 8),
        (Shape("mobilenet_v2", SHAPE.categories, image_size=32, channels=1), 1),
        (Shape("resnet18", SHAPE.categories, image_size=32, channels=1), 1),
    ],
    ids=lambda value: value.architecture if isinstance(value, Shape) else str(value),
)
def test_an_interrupted_training_ends_with_the_same_weights(shape: Shape, step: int) -> None:
    steps = 8 if shape is SHAPE else 2
    settings = recipe(
        architecture=shape.architecture, steps=steps, evaluate_every=2, batch_size=4, patience=9
    )
    data, whole = saved_at(step, settings, shape)
    resumed = load_checkpoint(data, shape, settings, device="cpu")
    assert resumed.step == step
    run(resumed, settings, TRAIN, misleading(VAL))
    assert (resumed.step, resumed.kept, resumed.stale) == (whole.step, whole.kept, whole.stale)
    assert resumed.highest == whole.highest
    assert same(resumed.network.state_dict(), whole.network.state_dict())
    ends = [save_checkpoint(state, settings) for state in (resumed, whole)]
    assert ends[0] == ends[1], "the optimiser's averages are the same as well"


def test_it_learns_what_is_plain_to_see() -> None:
    settings = recipe(steps=30, evaluate_every=10)
    state = begin(settings)
    said = run(state, settings, TRAIN, VAL)
    assert [each.step for each in said if each] == [10, 20, 30]
    assert state.kept is not None
    assert state.kept.balanced_accuracy == state.kept.accuracy == 1.0
    probabilities = predict(state.network, VAL.pixels, device="cpu")
    assert (probabilities.argmax(axis=1) == VAL.labels).all()


def test_the_weights_of_the_kept_step_are_published() -> None:
    settings = recipe(steps=12)
    state = begin(settings)
    seen: list[tuple[Evaluation, dict[str, Tensor]]] = []

    def keep(now: TrainingState, loss: float, evaluation: Evaluation | None) -> None:
        assert evaluation is not None
        assert math.isfinite(loss)
        seen.append((evaluation, copy.deepcopy(now.network.state_dict())))

    held_out = misleading(TRAIN)
    train(state, TRAIN, held_out, settings, PRECISION, Callbacks(lambda _: None, keep))
    kept, weights = next(each for each in seen if each[0] == state.kept)
    assert kept.step < settings.steps, "else the last weights would pass as well"
    assert same(state.network.state_dict(), weights)
    probabilities = predict(state.network, held_out.pixels, device="cpu")
    of_truth = probabilities[np.arange(len(held_out)), held_out.labels]
    assert kept.loss == pytest.approx(-np.log(of_truth).mean(), rel=1e-5)


def test_patience_ends_a_training_early_and_a_resumed_one_too() -> None:
    settings = recipe(steps=60, patience=2)
    data, state = saved_at(1, settings, SHAPE)
    assert state.highest is not None
    assert state.step == state.highest.step + settings.evaluate_every * 2 < settings.steps
    assert state.stale == 2
    resumed = load_checkpoint(data, SHAPE, settings, device="cpu")
    run(resumed, settings, TRAIN, misleading(VAL))
    assert resumed.step == state.step
    assert run(state, settings, TRAIN, misleading(VAL)) == [], "it is at its end"


def test_a_better_evaluation_begins_the_count_anew() -> None:
    settings = recipe(steps=4)
    state = begin(settings)
    state.stale = 7
    run(state, settings, TRAIN, VAL)
    assert state.highest is not None
    assert state.stale == (state.step - state.highest.step) // settings.evaluate_every


def test_without_val_the_last_weights_are_kept_and_val_never_changes_them() -> None:
    settings = recipe(steps=7, patience=1)
    blind = begin(settings)
    assert run(blind, settings, TRAIN) == [None] * 4, "at 2, 4, 6 and the end"
    assert (blind.step, blind.kept, blind.kept_weights) == (7, None, None)

    last: dict[str, Tensor] = {}
    seeing = begin(recipe(steps=7))

    def keep(now: TrainingState, _: float, __: Evaluation | None) -> None:
        last.update(copy.deepcopy(now.network.state_dict()))

    callbacks = Callbacks(lambda _: None, keep)
    train(seeing, TRAIN, misleading(VAL), recipe(steps=7), PRECISION, callbacks)
    assert same(blind.network.state_dict(), last)
