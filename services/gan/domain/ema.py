"""The exponential moving average of the generator's weights: what is published and sampled from.

Averaged weights give visibly cleaner images (Yazici et al., "The unusual effectiveness of averaging
in GAN training", ICLR 2019).
"""

import torch
from torch import nn


def effective_decay(decay: float, step: int) -> float:
    """The decay at a step (from 0), smaller at first so that the initial weights fade out."""
    return min(decay, (1 + step) / (10 + step))


@torch.no_grad()
def update_average(average: nn.Module, source: nn.Module, *, decay: float, step: int) -> None:
    """average <- d * average + (1 - d) * source, in place, with d the effective decay."""
    weight = 1.0 - effective_decay(decay, step)
    torch._foreach_lerp_(list(average.parameters()), list(source.parameters()), weight)
