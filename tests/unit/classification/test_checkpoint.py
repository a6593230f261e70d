"""A training's state as bytes: whole, or refused."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from services.classification.domain.checkpoint import load_checkpoint, save_checkpoint
from services.classification.domain.training import TrainingState, start_training
from services.classification.domain.weights import Shape, save_weights
from shared.errors import BadInput
from tests.unit.classification.builders import SHAPE, dark_and_bright, misleading, recipe, run

RECIPE = recipe(steps=4, patience=9)


@pytest.fixture(scope="module")
def trained() -> TrainingState:
    """Trained past the best step: it has a best one, and is stale."""
    state = start_training(SHAPE, RECIPE, device="cpu")
    images = dark_and_bright()
    run(state, RECIPE, images, misleading(images))
    return state


@pytest.fixture(scope="module")
def checkpoint(trained: TrainingState) -> bytes:
    return save_checkpoint(trained, RECIPE)


def test_a_checkpoint_keeps_all_that_goes_on(trained: TrainingState, checkpoint: bytes) -> None:
    loaded = load_checkpoint(checkpoint, SHAPE, RECIPE, device="cpu")
    assert (loaded.step, loaded.stale, loaded.kept) == (4, trained.stale, trained.kept)
    assert loaded.curve == trained.curve
    assert [point.step for point in loaded.curve] == [2, 4]
    assert loaded.kept is not None
    assert loaded.kept_weights is not None
    assert trained.kept_weights is not None
    for name, value in trained.kept_weights.items():
        assert torch.equal(loaded.kept_weights[name], value)
    for name, value in trained.network.state_dict().items():
        assert torch.equal(loaded.network.state_dict()[name], value)
    assert save_checkpoint(loaded, RECIPE) == checkpoint


def test_averages_lie_in_memory_as_their_parameters(checkpoint: bytes) -> None:
    """AdamW's fused step pairs them by their place in memory, whatever their shapes say."""
    loaded = load_checkpoint(checkpoint, SHAPE, RECIPE, device="cpu")
    parameters = list(loaded.network.parameters())
    assert any(not parameter.is_contiguous() for parameter in parameters)
    for parameter in parameters:
        for moment in ("exp_avg", "exp_avg_sq"):
            assert loaded.optimiser.state[parameter][moment].stride() == parameter.stride()


def test_a_training_that_has_not_begun_is_a_checkpoint_too() -> None:
    begun = start_training(SHAPE, RECIPE, device="cpu")
    loaded = load_checkpoint(save_checkpoint(begun, RECIPE), SHAPE, RECIPE, device="cpu")
    assert (loaded.step, loaded.stale, loaded.kept, loaded.kept_weights) == (0, 0, None, None)
    assert not loaded.optimiser.state


@pytest.mark.parametrize(
    "changed",
    [
        {"architecture": "resnet18"},
        {"steps": 5},
        {"evaluate_every": 1},
        {"patience": None},
        {"batch_size": 4},
        {"learning_rate": 2e-3},
        {"weight_decay": 0.0},
        {"balance": False},
        {"synthetic_share": 0.5},
        {"seed": 1},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_checkpoint_of_another_recipe_is_refused(
    checkpoint: bytes, changed: dict[str, Any]
) -> None:
    other = recipe(**{**vars(RECIPE), **changed})
    with pytest.raises(BadInput, match="another training"):
        load_checkpoint(checkpoint, SHAPE, other, device="cpu")


@pytest.mark.parametrize(
    "shape",
    [
        Shape("small_cnn", ("bone", "liver"), image_size=32, channels=3),
        Shape("small_cnn", ("bone", "liver", "lung"), image_size=32, channels=1),
    ],
)
def test_a_checkpoint_of_another_shape_is_refused(checkpoint: bytes, shape: Shape) -> None:
    with pytest.raises(BadInput, match="does not fit"):
        load_checkpoint(checkpoint, shape, RECIPE, device="cpu")


@settings(max_examples=25)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_one_changed_bit_anywhere_is_noticed(checkpoint: bytes, place: float, bit: int) -> None:
    damaged = bytearray(checkpoint)
    damaged[int(place * len(damaged))] ^= 1 << bit
    with pytest.raises(BadInput):
        load_checkpoint(bytes(damaged), SHAPE, RECIPE, device="cpu")


@pytest.mark.parametrize("kept", [0, 7, 1000, -1])
def test_a_truncated_checkpoint_is_noticed(checkpoint: bytes, kept: int) -> None:
    with pytest.raises(BadInput, match="damaged"):
        load_checkpoint(checkpoint[:kept], SHAPE, RECIPE, device="cpu")


def test_what_is_no_checkpoint_is_refused(trained: TrainingState) -> None:
    for data in (save_weights(trained.network, SHAPE), save({"x": torch.zeros(1)})):
        with pytest.raises(BadInput, match="no lesiongan-classifier-checkpoint"):
            load_checkpoint(data, SHAPE, RECIPE, device="cpu")
