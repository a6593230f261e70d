"""The plain version of a training step: float32, contiguous, eager, unfused. Ours is held to it.

What the paper's algorithm becomes when it is written down with PyTorch's own modules and nothing
else: autograd differentiates the critic twice, real and made images are scored one after the other,
Adam and the moving average go parameter by parameter. The arithmetic is that of
``services/gan/domain``: the same weights, batches and noise give the same update, to rounding
(``tests/unit/gan/test_plain_step.py``). It knows WGAN-GP alone: no DiffAugment, no consistency.
"""

import copy
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from services.gan.domain.batches import TrainingImages, batch_labels, real_rows
from services.gan.domain.config import Architecture, Training
from services.gan.domain.ema import effective_decay
from services.gan.domain.noise import Purpose, step_noise, uniform
from services.gan.domain.state import TrainingState

_SLOPE = 0.2
_EPSILON = 1e-6


def _convolution(inputs: int, outputs: int, kernel_px: int = 3) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel_px, padding=kernel_px // 2)


def _one_hot(labels: Tensor, categories: int) -> Tensor:
    return functional.one_hot(labels, categories).float()


def _upsampled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class _Norm(nn.Module):
    def __init__(self, width: int, style_size: int) -> None:
        super().__init__()
        self.modulation = nn.Linear(style_size, 2 * width)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        gain, offset = self.modulation(style)[:, :, None, None].chunk(2, dim=1)
        normal = x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + _EPSILON)
        out: Tensor = normal * (1.0 + gain) + offset
        return out


class _Up(nn.Module):
    def __init__(self, inputs: int, outputs: int, style_size: int) -> None:
        super().__init__()
        self.norm1 = _Norm(inputs, style_size)
        self.convolution1 = _convolution(inputs, outputs)
        self.norm2 = _Norm(outputs, style_size)
        self.convolution2 = _convolution(outputs, outputs)
        self.shortcut = _convolution(inputs, outputs, 1)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        h = self.convolution1(functional.relu(self.norm1(x, style)))
        h = self.convolution2(_upsampled(functional.relu(self.norm2(h, style))))
        out: Tensor = h + _upsampled(self.shortcut(x))
        return out


class PlainGenerator(nn.Module):
    """The generator's arithmetic in PyTorch's own modules."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        sizes = architecture.resolutions_px
        widths = [architecture.width_at(size) for size in sizes]
        self.embedding = nn.Linear(len(architecture.categories), architecture.latent_size)
        style_size = 2 * architecture.latent_size
        self.seed_map = nn.Linear(style_size, widths[0] * 16)
        self.blocks = nn.ModuleList(_Up(a, b, style_size) for a, b in pairwise(widths))
        self.norm = _Norm(widths[-1], style_size)
        self.to_image = _convolution(widths[-1], architecture.channels)
        self.to_grain = _convolution(widths[-1], architecture.channels)

    def forward(self, latents: Tensor, grain: Tensor, labels: Tensor) -> Tensor:
        categories = _one_hot(labels, len(self.architecture.categories))
        style = torch.cat((latents, self.embedding(categories)), dim=1)
        h = self.seed_map(style).view(len(style), 4, 4, -1).permute(0, 3, 1, 2).contiguous()
        for block in self.blocks:
            h = block(h, style)
        h = functional.relu(self.norm(h, style))
        return torch.tanh(self.to_image(h) + self.to_grain(h) * grain)


class _Down(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convolution1 = _convolution(inputs, inputs)
        self.convolution2 = _convolution(inputs, outputs)
        self.shortcut = _convolution(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.convolution1(functional.leaky_relu(x, _SLOPE))
        h = self.convolution2(functional.avg_pool2d(functional.leaky_relu(h, _SLOPE), 2))
        out: Tensor = h + self.shortcut(functional.avg_pool2d(x, 2))
        return out


class PlainCritic(nn.Module):
    """The critic's arithmetic in PyTorch's own modules."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        widths = [architecture.width_at(size) for size in reversed(architecture.resolutions_px)]
        self.from_image = _convolution(architecture.channels, widths[0])
        self.blocks = nn.ModuleList(_Down(a, b) for a, b in pairwise(widths))
        self.last = _convolution(widths[-1], widths[-1])
        self.score = nn.Linear(widths[-1], 1)
        self.projection = nn.Linear(len(architecture.categories), widths[-1])

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        h = self.from_image(images)
        for block in self.blocks:
            h = block(h)
        h = functional.leaky_relu(self.last(functional.leaky_relu(h, _SLOPE)), _SLOPE)
        features = h.mean(dim=(2, 3)) * 4.0
        projected = self.projection(_one_hot(labels, len(self.architecture.categories)))
        scores: Tensor = self.score(features).squeeze(1) + (projected * features).sum(dim=1)
        return scores


@dataclass
class PlainState:
    """What a plain step changes."""

    training: Training
    generator: PlainGenerator
    critic: PlainCritic
    average: PlainGenerator
    generator_optimizer: torch.optim.Adam
    critic_optimizer: torch.optim.Adam
    step: int = 0


def plain_copy(state: TrainingState) -> PlainState:
    """The plain version of a state at step 0: the same weights."""
    generator, critic = PlainGenerator(state.architecture), PlainCritic(state.architecture)
    for plain, ours in ((generator, state.generator), (critic, state.critic)):
        weights = {name: tensor.contiguous() for name, tensor in ours.state_dict().items()}
        plain.load_state_dict(weights)
    average = copy.deepcopy(generator).requires_grad_(requires_grad=False)
    optimizers = [
        torch.optim.Adam(
            network.parameters(),
            lr=state.training.learning_rate,
            betas=state.training.betas,
            foreach=False,
        )
        for network in (generator, critic)
    ]
    return PlainState(state.training, generator, critic, average, optimizers[0], optimizers[1])


def plain_step(state: PlainState, data: TrainingImages) -> None:
    """One generator step after ``n_critic`` critic steps."""
    for turn in range(state.training.n_critic):
        _critic_step(state, data, turn)
    _generator_step(state)
    state.step += 1


def _noise(state: PlainState, purpose: Purpose, turn: int) -> tuple[Tensor, Tensor]:
    about, training = state.generator.architecture, state.training
    sizes = (training.batch_size, about.latent_size, about.image_size)
    noise = step_noise(training.seed, purpose, state.step, turn, *sizes)
    return torch.from_numpy(noise.latents), torch.from_numpy(noise.grain)


def _critic_step(state: PlainState, data: TrainingImages, turn: int) -> None:
    training, seed, step = state.training, state.training.seed, state.step
    categories = len(state.generator.architecture.categories)
    chosen = batch_labels(training, Purpose.REAL_IMAGES, step, turn, categories)
    rows = torch.from_numpy(real_rows(seed, step, turn, chosen, data))
    epsilon = uniform(seed, Purpose.INTERPOLATION, step, turn, training.batch_size)
    weight = torch.from_numpy(epsilon.astype(np.float32)).view(-1, 1, 1, 1)
    labels = torch.from_numpy(chosen)
    real = data.images[rows].contiguous().float() * (2.0 / 255.0) - 1.0
    latents, grain = _noise(state, Purpose.CRITIC_NOISE, turn)
    with torch.no_grad():
        fake = state.generator(latents, grain, labels)
    middle = (weight * real + (1.0 - weight) * fake).requires_grad_()
    (gradient,) = torch.autograd.grad(state.critic(middle, labels).sum(), middle, create_graph=True)
    penalty = (gradient.flatten(1).norm(dim=1) - 1.0).square().mean()
    loss = state.critic(fake, labels).mean() - state.critic(real, labels).mean()
    loss = loss + training.gradient_penalty * penalty
    state.critic_optimizer.zero_grad()
    loss.backward()
    state.critic_optimizer.step()


def _generator_step(state: PlainState) -> None:
    training, step = state.training, state.step
    categories = len(state.generator.architecture.categories)
    labels = torch.from_numpy(batch_labels(training, Purpose.GENERATOR_LABELS, step, 0, categories))
    latents, grain = _noise(state, Purpose.GENERATOR_NOISE, 0)
    loss = -state.critic(state.generator(latents, grain, labels), labels).mean()
    state.generator_optimizer.zero_grad()
    loss.backward()
    state.generator_optimizer.step()
    decay = effective_decay(training.ema_decay, step)
    with torch.no_grad():
        for mean, new in zip(state.average.parameters(), state.generator.parameters(), strict=True):
            mean.mul_(decay).add_(new, alpha=1.0 - decay)
