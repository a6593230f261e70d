"""A training that begins with what another GAN has learnt."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from services.gan.domain.config import Architecture
from services.gan.domain.critic import Critic
from services.gan.domain.generator import Generator
from services.gan.domain.state import TrainingState
from shared.errors import BadInput

#: Linear maps of labels: a column a category, which goes by its name.
_BY_CATEGORY = frozenset({"embedding.weight", "projection.weight"})


def inherit(state: TrainingState, generator: Generator, critic: Critic | None) -> None:
    """Give a state at step 0 the weights of a trained generator and, where there is one, critic.

    Categories that they do not know begin as the label-free token, what all have in common.
    Raises BadInput for networks of another shape.
    """
    _require_same_shape(generator.architecture, state.architecture)
    known = generator.architecture.categories
    for target in (state.generator, state.average):
        _copy(target, generator.state_dict(), known, state.architecture.categories)
    if critic is not None:
        _require_same_shape(critic.architecture, state.architecture)
        names = critic.architecture.categories
        _copy(state.critic, critic.state_dict(), names, state.architecture.categories)


def _require_same_shape(old: Architecture, new: Architecture) -> None:
    if replace(old, categories=new.categories) != new:
        raise BadInput(
            "the GAN to begin with has another shape: image size, channels, width and latent "
            f"must be {old.image_size}, {old.channels}, {old.width} and {old.latent_size}"
        )


@torch.no_grad()
def _copy(
    target: nn.Module, source: Mapping[str, Tensor], known: Sequence[str], wanted: Sequence[str]
) -> None:
    for name, parameter in target.state_dict().items():
        if name in _BY_CATEGORY:
            parameter.copy_(_columns(source[name], known, wanted))
        else:
            parameter.copy_(source[name])


def _columns(weight: Tensor, known: Sequence[str], wanted: Sequence[str]) -> Tensor:
    """[D, known] -> [D, wanted] by name; 0 for what is new."""
    columns = [
        weight[:, known.index(name)] if name in known else torch.zeros_like(weight[:, 0])
        for name in wanted
    ]
    return torch.stack(columns, dim=1)
