"""From the host's memory to a device, without waiting for it."""

import torch
from torch import Tensor


def pinned(tensor: Tensor) -> Tensor:
    """A copy that a GPU reads while the host goes on; of nothing, nothing is copied."""
    return tensor.pin_memory() if tensor.numel() else tensor


def to_device(tensor: Tensor, device: str) -> Tensor:
    """``tensor`` on ``device``: where that is a GPU, what comes next in its queue finds it there.

    Of memory that is not pinned, the host would wait until the GPU has done all that it was told.
    """
    if torch.device(device).type != "cuda":
        return tensor.to(device)
    return pinned(tensor).to(device, non_blocking=True)
