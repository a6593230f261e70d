"""Weights of another task as the beginning of a training: Yosinski et al., NIPS 2014."""

from typing import Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from shared.errors import BadInput

#: Below this share of a network's tensors a file is of another architecture.
_LEAST: Final = 0.5


def fill_pretrained(network: nn.Module, data: bytes) -> list[str]:
    """Copy what fits of a safetensors file into ``network``; names of what stays new.

    Names and shapes are torchvision's. New stay the last layer, which tells other classes apart,
    and a first convolution of another size (small images). One that takes colours is summed over
    them for a network that sees grey: the same as to show it grey in all three.

    Raises :class:`BadInput` for damage, values that are not finite, and another architecture.
    """
    try:
        tensors = load(data)
    except (SafetensorError, ValueError, RuntimeError) as error:
        raise BadInput("the pretrained weights are damaged, or no safetensors file") from error
    new = []
    state = network.state_dict()
    with torch.no_grad():
        for name, target in state.items():
            found = _fitted(tensors.get(name), target)
            if found is None:
                new.append(name)
                continue
            if not torch.isfinite(found).all():
                raise BadInput(f"the pretrained weights hold values that are not finite, in {name}")
            target.copy_(found)
    if len(state) - len(new) < _LEAST * len(state):
        raise BadInput(
            f"the pretrained weights are of another architecture: {len(state) - len(new)} of "
            f"{len(state)} tensors fit"
        )
    return new


def _fitted(tensor: Tensor | None, target: Tensor) -> Tensor | None:
    if tensor is None or tensor.is_floating_point() != target.is_floating_point():
        return None
    if tensor.ndim == 4 and tensor.shape[1] == 3 and target.ndim == 4 and target.shape[1] == 1:
        tensor = tensor.float().sum(dim=1, keepdim=True)
    return tensor if tensor.shape == target.shape else None
