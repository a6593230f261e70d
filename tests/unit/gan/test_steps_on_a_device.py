"""A step of the GAN uses no memory of the host, waits for nothing, and may be deterministic."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from services.gan.domain import generator
from services.gan.domain.batches import TrainingImages
from services.gan.domain.config import Architecture, Training
from services.gan.domain.ema import update_average
from services.gan.domain.state import TrainingState, start_training
from services.gan.domain.step_inputs import (
    CriticInputs,
    GeneratorInputs,
    critic_inputs,
    generator_inputs,
)
from services.gan.domain.steps import critic_update, generator_update
from services.gan.domain.upsampling import upsample_fixed_order
from tests.unit.gan.test_stepping import SETTINGS
from tests.whereabouts import REFUSED, Whereabouts


class _Optimizer:
    """In the place of Adam, whose fused kernel knows no ``meta``."""

    def __init__(self, network: nn.Module) -> None:
        self._parameters = list(network.parameters())
        self.given: list[Tensor | None] = []

    def zero_grad(self, *, set_to_none: bool) -> None:
        assert set_to_none
        for each in self._parameters:
            each.grad = None

    def step(self) -> None:
        self.given = [each.grad for each in self._parameters]


@pytest.fixture
def state(
    architecture: Architecture,
    training: Training,
    settings: Mapping[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> TrainingState:
    """As on a GPU: the networks there, and upsampling in the order that is taken there."""
    monkeypatch.setattr(generator, "upsample", upsample_fixed_order)
    made = start_training(architecture, replace(training, **settings))
    for network in (made.generator, made.critic, made.average):
        network.to("meta")
    optimizers = (_Optimizer(made.critic), _Optimizer(made.generator))
    made.critic_optimizer, made.generator_optimizer = cast("Any", optimizers)
    return made


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_a_step_touches_and_reads_no_memory_of_the_host(
    state: TrainingState, data: TrainingImages, dtype: torch.dtype
) -> None:
    images = data.images.to("meta")
    for_critic = CriticInputs(*(each.to("meta") for each in critic_inputs(state, data, 0)))
    for_generator = GeneratorInputs(*(each.to("meta") for each in generator_inputs(state)))
    with Whereabouts() as seen:
        critic = critic_update(state, images, for_critic, dtype)
        made = generator_update(state, for_generator, dtype)
        update_average(state.average, state.generator, decay=0.99, step=state.step)
    assert seen.elsewhere == []
    assert not REFUSED & set(seen.operations)
    assert seen.operations.count("aten.convolution_backward.default") > 20
    assert (critic.shape, made.shape) == ((4,), (2,))
    for optimizer in cast("list[_Optimizer]", [state.critic_optimizer, state.generator_optimizer]):
        assert {each.device.type for each in optimizer.given if each is not None} == {"meta"}


def test_what_touches_or_reads_the_host_is_found() -> None:
    there = torch.ones(3, device="meta")
    with Whereabouts() as seen:
        torch.mul(there, torch.tensor(2.0))
    assert "aten.mul.Tensor" in seen.elsewhere
    with Whereabouts(), pytest.raises(RuntimeError, match="meta"):
        float(there.sum())


def test_what_has_no_deterministic_kernel_is_found() -> None:
    there = torch.ones(1, 1, 4, 4, device="meta", requires_grad=True)
    larger = functional.interpolate(there, scale_factor=2.0, mode="bilinear")
    with Whereabouts() as seen:
        larger.sum().backward()  # type: ignore[no-untyped-call]
    assert REFUSED & set(seen.operations)
