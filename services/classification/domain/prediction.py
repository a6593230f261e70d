"""What a trained network says of images."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from services.classification.domain.images import to_input
from shared.compute.precision import reproducible_on_gpu

#: Images in one forward pass.
BATCH = 128


def _nothing() -> None:
    """Nobody waits between two batches."""


def predict(
    network: nn.Module,
    pixels: NDArray[np.uint8],
    *,
    device: str,
    on_batch: Callable[[], None] = _nothing,
) -> NDArray[np.float32]:
    """Probabilities float32 [N, K] of uint8 images [N, C, H, W], computed in float32.

    ``on_batch`` is called before each batch; what it raises ends the work.
    """
    network.eval()
    made = []
    with torch.inference_mode(), reproducible_on_gpu(device):
        for start in range(0, len(pixels), BATCH):
            on_batch()
            batch = torch.from_numpy(np.ascontiguousarray(pixels[start : start + BATCH]))
            logits = network(to_input(batch.to(device)))
            made.append(torch.softmax(logits.float(), dim=1).cpu().numpy())
    return np.concatenate(made)
