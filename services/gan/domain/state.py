"""Everything that training changes: networks, averaged weights, optimisers, and the step."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from services.gan.domain.config import Architecture, Training
from services.gan.domain.critic import Critic
from services.gan.domain.generator import Generator
from services.gan.domain.layers import initialise
from services.gan.domain.noise import Purpose, raw_bits


@dataclass
class TrainingState:
    """A run between two steps. ``step`` generator steps are done; ``average`` is the EMA generator.

    Networks lie on the device that training will use, channels last.
    """

    architecture: Architecture
    training: Training
    step: int
    generator: Generator
    critic: Critic
    average: Generator
    generator_optimizer: torch.optim.Adam
    critic_optimizer: torch.optim.Adam


def make_optimizer(parameters: Iterable[nn.Parameter], training: Training) -> torch.optim.Adam:
    return torch.optim.Adam(parameters, lr=training.learning_rate, betas=training.betas, fused=True)


def start_training(
    architecture: Architecture, training: Training, *, device: str = "cpu"
) -> TrainingState:
    """The state at step 0. Initial weights derive from ``training.seed`` only."""
    bits = raw_bits(training.seed, Purpose.INITIAL_WEIGHTS, 0, 0, 1)
    random = torch.Generator().manual_seed(int(bits[0] >> 1))
    generator, critic = Generator(architecture), Critic(architecture)
    initialise(generator, random)
    initialise(critic, random)
    nn.init.zeros_(generator.to_grain.weight)  # structure first: grain grows where images have it
    for network in (generator, critic):
        network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(generator).requires_grad_(requires_grad=False)
    return TrainingState(
        architecture=architecture,
        training=training,
        step=0,
        generator=generator,
        critic=critic,
        average=average,
        generator_optimizer=make_optimizer(generator.parameters(), training),
        critic_optimizer=make_optimizer(critic.parameters(), training),
    )
