"""A training state as safetensors bytes: all that is needed to go on, bit for bit."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from services.gan.domain.config import Architecture, Training
from services.gan.domain.state import TrainingState, start_training
from shared.compute.tensor_file import fill_parameters, read_tensors, write_tensors
from shared.errors import BadInput

_KIND = "lesiongan-checkpoint"


def _moments(
    prefix: str, network: nn.Module, optimizer: torch.optim.Adam
) -> Iterator[tuple[str, Tensor]]:
    """Adam's state by the names of the parameters; empty before the first step."""
    for name, parameter in network.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            yield f"{prefix}.{name}.{key}", value


def _tensors(state: TrainingState) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for prefix, network in (
        ("generator", state.generator),
        ("critic", state.critic),
        ("average", state.average),
    ):
        tensors.update({f"{prefix}.{name}": t for name, t in network.state_dict().items()})
    tensors.update(_moments("adam.generator", state.generator, state.generator_optimizer))
    tensors.update(_moments("adam.critic", state.critic, state.critic_optimizer))
    return tensors


def _make_moments(optimizer: torch.optim.Adam) -> None:
    """Adam's state as its first step would make it, in the memory layout of the parameters."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            optimizer.state[parameter] = {
                "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
                "exp_avg": torch.zeros_like(parameter, memory_format=torch.preserve_format),
                "exp_avg_sq": torch.zeros_like(parameter, memory_format=torch.preserve_format),
            }


def save_checkpoint(state: TrainingState) -> bytes:
    """The state as safetensors bytes."""
    metadata = {
        "format": _KIND,
        "architecture": state.architecture.to_json(),
        "training": state.training.to_json(),
        "step": str(state.step),
    }
    return write_tensors(_tensors(state), metadata)


def load_checkpoint(
    data: bytes,
    architecture: Architecture,
    training: Training,
    *,
    device: str = "cpu",
) -> TrainingState:
    """The state that was saved.

    Raises BadInput for damaged bytes, and for a checkpoint of another architecture or training.
    """
    tensors, metadata = read_tensors(data, kind=_KIND)
    if Architecture.from_json(metadata.get("architecture", "")) != architecture:
        raise BadInput("the checkpoint belongs to a GAN of another architecture")
    if Training.from_json(metadata.get("training", "")) != training:
        raise BadInput("the checkpoint belongs to a training with other settings")
    step = metadata.get("step", "")
    if not (step.isascii() and step.isdigit() and int(step) <= training.steps):
        raise BadInput(f"the checkpoint has no valid step: {step!r}")
    state = start_training(architecture, training, device=device)
    if int(step) > 0:
        _make_moments(state.generator_optimizer)
        _make_moments(state.critic_optimizer)
    fill_parameters(_tensors(state), tensors, kind=_KIND)
    state.step = int(step)
    return state
