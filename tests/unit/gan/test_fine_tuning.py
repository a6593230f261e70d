from dataclasses import replace

import pytest
import torch

from services.gan.domain.batches import TrainingImages
from services.gan.domain.checkpoint import load_critic, save_checkpoint
from services.gan.domain.config import Architecture, Training
from services.gan.domain.fine_tuning import inherit
from services.gan.domain.state import TrainingState, start_training
from services.gan.domain.training import train
from services.gan.domain.weights import load_weights, save_weights
from shared.compute.precision import Precision
from shared.errors import BadInput


@pytest.fixture
def trained(
    architecture: Architecture, training: Training, data: TrainingImages, precision: Precision
) -> TrainingState:
    state = start_training(architecture, training)
    train(state, data, precision=precision)
    return state


def _inheriting(trained: TrainingState, architecture: Architecture) -> TrainingState:
    state = start_training(architecture, replace(trained.training, seed=9))
    generator, _ = load_weights(save_weights(trained.published()))
    inherit(state, generator, load_critic(save_checkpoint(trained)))
    return state


def test_all_weights_are_taken_over(trained: TrainingState) -> None:
    state = _inheriting(trained, trained.architecture)
    for mine, theirs in (
        (state.generator, trained.average),
        (state.average, trained.average),
        (state.critic, trained.critic),
    ):
        for (name, one), other in zip(mine.named_parameters(), theirs.parameters(), strict=True):
            assert torch.equal(one, other), name


def test_categories_go_by_name_and_new_ones_begin_as_the_token(
    trained: TrainingState, architecture: Architecture
) -> None:
    """bone, liver, lung -> lung, kidney, bone."""
    state = _inheriting(trained, replace(architecture, categories=("lung", "kidney", "bone")))
    images = torch.rand(3, 1, 32, 32) * 2.0 - 1.0
    ours, theirs = torch.tensor([0, 2, 1]), torch.tensor([2, 0, -1])
    torch.testing.assert_close(state.critic(images, ours), trained.critic(images, theirs))
    noise = torch.randn(3, 8), torch.randn(3, 1, 32, 32)
    torch.testing.assert_close(state.generator(*noise, ours), trained.average(*noise, theirs))


def test_an_inherited_state_trains(
    trained: TrainingState, data: TrainingImages, precision: Precision
) -> None:
    state = _inheriting(trained, trained.architecture)
    assert train(state, data, precision=precision)
    assert not torch.equal(state.critic.last.weight, trained.critic.last.weight)


@pytest.mark.parametrize(("name", "value"), [("width", 4), ("latent_size", 4), ("image_size", 64)])
def test_another_shape_is_refused(trained: TrainingState, name: str, value: int) -> None:
    with pytest.raises(BadInput, match="must be 32, 1, 8 and 8"):
        _inheriting(trained, replace(trained.architecture, **{name: value}))  # type: ignore[arg-type]
