"""A training state as safetensors bytes: all that is needed to go on, bit for bit.

A snapshot is the state itself; a checkpoint also holds what the run keeps of its past, so that a
run that was killed goes back to where it would have gone back to.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from services.gan.domain.config import Architecture, Training
from services.gan.domain.critic import Critic
from services.gan.domain.state import Kept, TrainingState, begin_moments, start_training
from services.gan.domain.watchdog import Watch
from shared.compute.tensor_file import fill_parameters, read_tensors, write_tensors
from shared.errors import BadInput

_KIND = "lesiongan-checkpoint"
_GOOD, _NEWEST, _BEST = "kept.good", "kept.newest", "best."


def _moments(
    prefix: str, network: nn.Module, optimizer: torch.optim.Adam
) -> Iterator[tuple[str, Tensor]]:
    """Adam's state by the names of the parameters; empty before the first step."""
    for name, parameter in network.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            yield f"{prefix}.{name}.{key}", value


def _tensors(state: TrainingState) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {"watch.sums": state.sums}
    for prefix, network in (
        ("generator", state.generator),
        ("critic", state.critic),
        ("average", state.average),
    ):
        tensors.update({f"{prefix}.{name}": t for name, t in network.state_dict().items()})
    tensors.update(_moments("adam.generator", state.generator, state.generator_optimizer))
    tensors.update(_moments("adam.critic", state.critic, state.critic_optimizer))
    return tensors


def _kept_tensors(state: TrainingState) -> dict[str, Tensor]:
    """What differs from the state itself: most checkpoints are of a healthy evaluation's step."""
    kept = state.kept
    tensors = {f"{_BEST}{name}": tensor for name, tensor in kept.best.items()}
    if kept.good != kept.newest:
        tensors[_GOOD] = _as_tensor(kept.good)
    if kept.newest_step not in (-1, state.step):
        tensors[_NEWEST] = _as_tensor(kept.newest)
    return tensors


def _as_tensor(data: bytes) -> Tensor:
    return torch.from_numpy(np.frombuffer(data, dtype=np.uint8).copy())


def _as_bytes(tensors: Mapping[str, Tensor], name: str) -> bytes:
    return tensors[name].numpy().tobytes() if name in tensors else b""


def _metadata(state: TrainingState) -> dict[str, str]:
    return {
        "format": _KIND,
        "architecture": state.architecture.to_json(),
        "training": state.training.to_json(),
        "step": str(state.step),
        "watch": state.watch.to_json(),
        "newest_step": str(state.kept.newest_step),
    }


def snapshot(state: TrainingState) -> bytes:
    """The state without what it keeps of its past, as safetensors bytes."""
    return write_tensors(_tensors(state), _metadata(state))


def save_checkpoint(state: TrainingState) -> bytes:
    """The state as safetensors bytes."""
    return write_tensors({**_tensors(state), **_kept_tensors(state)}, _metadata(state))


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
    state = start_training(architecture, training, device=device)
    own = {name: t for name, t in tensors.items() if not name.startswith((_BEST, "kept."))}
    _fill(state, own, metadata)
    state.kept = Kept(_as_bytes(tensors, _GOOD), _as_bytes(tensors, _NEWEST))
    state.kept.newest_step = int(metadata["newest_step"])
    state.kept.best = _best(state, tensors)
    if state.kept.newest_step == state.step:
        state.kept.newest = snapshot(state)
    if not state.kept.good:
        state.kept.good = state.kept.newest
    return state


def load_critic(data: bytes) -> Critic:
    """The critic of a checkpoint of any training. Raises BadInput for damaged bytes."""
    tensors, metadata = read_tensors(data, kind=_KIND)
    critic = Critic(Architecture.from_json(metadata.get("architecture", "")))
    own = {n.removeprefix("critic."): t for n, t in tensors.items() if n.startswith("critic.")}
    fill_parameters(critic.state_dict(), own, kind=_KIND)
    return critic


def restore(state: TrainingState, data: bytes) -> None:
    """Put ``state`` back, in place, to a snapshot of an earlier step of the same run."""
    _fill(state, *read_tensors(data, kind=_KIND))


def _fill(state: TrainingState, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    if Architecture.from_json(metadata.get("architecture", "")) != state.architecture:
        raise BadInput("the checkpoint belongs to a GAN of another architecture")
    if Training.from_json(metadata.get("training", "")) != state.training:
        raise BadInput("the checkpoint belongs to a training with other settings")
    step = metadata.get("step", "")
    if not (step.isascii() and step.isdigit() and int(step) <= state.training.steps):
        raise BadInput(f"the checkpoint has no valid step: {step!r}")
    try:
        watch, _ = Watch.from_json(metadata["watch"]), int(metadata["newest_step"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput("the checkpoint was made by another version of this system") from error
    for optimizer in (state.generator_optimizer, state.critic_optimizer):
        optimizer.state.clear()
        if int(step) > 0:
            begin_moments(optimizer)
    fill_parameters(_tensors(state), tensors, kind=_KIND)
    state.step, state.watch = int(step), watch
    state.set_rates()


def _best(state: TrainingState, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    best = {name.removeprefix(_BEST): t for name, t in tensors.items() if name.startswith(_BEST)}
    if best:
        places = {name: torch.empty_like(t) for name, t in state.average.state_dict().items()}
        fill_parameters(places, best, kind=_KIND)
        best = places
    return best
