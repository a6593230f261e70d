"""A training's state as safetensors: it goes on from there to the same weights."""

import json
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from services.classification.domain.recipe import Recipe
from services.classification.domain.training import (
    CurvePoint,
    Evaluation,
    TrainingState,
    start_training,
)
from services.classification.domain.weights import Shape
from shared.compute.tensor_file import fill_parameters, read_tensors, write_tensors
from shared.errors import BadInput

_KIND = "lesiongan-classifier-checkpoint-2"
_NETWORK, _KEPT, _OPTIMISER, _LOSSES = "network.", "kept.", "optimiser.", "losses"


def save_checkpoint(state: TrainingState, recipe: Recipe) -> bytes:
    """The bytes of one checkpoint."""
    tensors = {_NETWORK + name: value for name, value in state.network.state_dict().items()}
    tensors |= {_KEPT + name: value for name, value in (state.kept_weights or {}).items()}
    tensors |= {_OPTIMISER + name: value for name, value in _moments(state).items()}
    if state.losses:
        tensors[_LOSSES] = torch.stack(state.losses)
    progress = {
        "step": state.step,
        "stale": state.stale,
        "highest": None if state.highest is None else asdict(state.highest),
        "kept": None if state.kept is None else asdict(state.kept),
        "curve": [asdict(point) for point in state.curve],
    }
    metadata = {"format": _KIND, "recipe": recipe.fingerprint(), "progress": json.dumps(progress)}
    return write_tensors(tensors, metadata)


def load_checkpoint(data: bytes, shape: Shape, recipe: Recipe, *, device: str) -> TrainingState:
    """The state that was saved; raises :class:`BadInput` for another training's, or damage."""
    tensors, metadata = read_tensors(data, kind=_KIND)
    if metadata.get("recipe") != recipe.fingerprint():
        raise BadInput(f"the {_KIND} belongs to another training")
    progress = json.loads(metadata["progress"])
    state = start_training(shape, recipe, device=device)
    fill_parameters(state.network.state_dict(), _below(_NETWORK, tensors), kind=_KIND)
    kept = _below(_KEPT, tensors)
    state.kept_weights = {name: value.to(device) for name, value in kept.items()} or None
    state.highest, state.kept = (
        None if progress[name] is None else Evaluation(**progress[name])
        for name in ("highest", "kept")
    )
    state.step, state.stale = progress["step"], progress["stale"]
    state.curve = [CurvePoint(**point) for point in progress.get("curve", [])]
    state.losses = [*tensors[_LOSSES].to(device)] if _LOSSES in tensors else []
    _restore_moments(state, _below(_OPTIMISER, tensors))
    return state


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): value for n, value in tensors.items() if n.startswith(prefix)}


def _moments(state: TrainingState) -> dict[str, Tensor]:
    """AdamW's averages by the number of their parameter: ``3.exp_avg``."""
    known: dict[int, dict[str, Any]] = state.optimiser.state_dict()["state"]
    return {f"{n}.{name}": value for n, kept in known.items() for name, value in kept.items()}


def _restore_moments(state: TrainingState, tensors: dict[str, Tensor]) -> None:
    """Each average in the memory layout of its parameter: the fused step walks them side by side.

    A file holds them contiguous, but the weights of convolutions are channels last.
    """
    parameters = state.optimiser.param_groups[0]["params"]
    for name, value in tensors.items():
        number, _, moment = name.partition(".")
        parameter = parameters[int(number)]
        like = parameter if value.shape == parameter.shape else value
        made = torch.empty_like(like, device=parameter.device).copy_(value)
        state.optimiser.state[parameter][moment] = made
