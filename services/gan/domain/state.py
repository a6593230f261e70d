"""Everything that training changes: networks, averaged weights, optimisers, and the step."""

import copy
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from services.gan.domain.config import Architecture, Training
from services.gan.domain.critic import Critic
from services.gan.domain.generator import Generator
from services.gan.domain.layers import initialise
from services.gan.domain.noise import Purpose, raw_bits
from services.gan.domain.watchdog import Watch

#: What a step reports: four numbers of the critic, two of the generator.
SIGNALS = 6


@dataclass
class Kept:
    """Earlier states that a run keeps at hand; empty until there are any.

    ``good`` is what it goes back to, a snapshot. ``newest``, that of the last healthy evaluation,
    becomes it when the next is healthy too: a run may be lost before it shows. ``best`` are the
    averaged weights of the lowest score.
    """

    good: bytes = b""
    newest: bytes = b""
    newest_step: int = -1
    best: dict[str, Tensor] = field(default_factory=dict)


@dataclass
class TrainingState:
    """A run between two steps. ``step`` generator steps are done; ``average`` is the EMA generator.

    Networks lie on the device that training will use, channels last. ``sums`` [SIGNALS] adds up
    what the steps since the last evaluation reported.
    """

    architecture: Architecture
    training: Training
    step: int
    generator: Generator
    critic: Critic
    average: Generator
    generator_optimizer: torch.optim.Adam
    critic_optimizer: torch.optim.Adam
    sums: Tensor
    watch: Watch = field(default_factory=Watch)
    kept: Kept = field(default_factory=Kept)

    @property
    def learning_rate(self) -> float:
        """What is left of it after rollbacks."""
        return self.training.learning_rate * self.watch.rate

    def set_rates(self) -> None:
        """Let both optimisers learn at :attr:`learning_rate`."""
        for optimizer in (self.generator_optimizer, self.critic_optimizer):
            for group in optimizer.param_groups:
                group["lr"] = self.learning_rate

    def published(self) -> Generator:
        """The averaged generator of the lowest score; without scores, as it is now."""
        if not self.kept.best:
            return self.average
        best = copy.deepcopy(self.average)
        best.load_state_dict(self.kept.best)
        return best

    @property
    def published_step(self) -> int:
        """The step of :meth:`published`."""
        return self.step if self.watch.best_step is None else self.watch.best_step


def make_optimizer(network: nn.Module, training: Training) -> torch.optim.Adam:
    """On a GPU its step counter lies there too, so that a CUDA graph can hold a step."""
    parameters = list(network.parameters())
    return torch.optim.Adam(
        parameters,
        lr=training.learning_rate,
        betas=training.betas,
        fused=True,
        capturable=parameters[0].is_cuda,
    )


def begin_moments(optimizer: torch.optim.Adam) -> None:
    """Give it the moments that its first step would, in the memory layout of the parameters."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            optimizer.state[parameter] = {
                "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
                "exp_avg": torch.zeros_like(parameter, memory_format=torch.preserve_format),
                "exp_avg_sq": torch.zeros_like(parameter, memory_format=torch.preserve_format),
            }


def changed_by(optimizer: torch.optim.Adam) -> list[Tensor]:
    """The tensors that its step changes in place: parameters, moments, counters of steps."""
    parameters = [each for group in optimizer.param_groups for each in group["params"]]
    return parameters + [t for each in parameters for t in optimizer.state[each].values()]


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
    if training.pretrain_steps:  # each category then begins as what all of them have in common
        nn.init.zeros_(generator.embedding.weight)
        nn.init.zeros_(critic.projection.weight)
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
        generator_optimizer=make_optimizer(generator, training),
        critic_optimizer=make_optimizer(critic, training),
        sums=torch.zeros(SIGNALS, device=device),
    )
