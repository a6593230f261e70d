"""Where a network looked: Grad-CAM.

Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based
localization", ICCV 2017, equations 1 and 2.
"""

from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from services.classification.domain.architectures import LAST_MAP_PX
from services.classification.domain.images import to_input

#: An overlay's side in pixels, at least: crops of 32 pixels are too small to look at.
_SHOWN_PX: Final = 256
_OPACITY: Final = 0.5


def grad_cam(
    network: nn.Module, image: NDArray[np.uint8], category: int, *, device: str
) -> NDArray[np.float32]:
    """How much each place spoke for ``category`` (an output's place): float32 [H, W], 0 to 1.

    ``image`` is uint8 [C, H, W]. The map is the network's last one of at least 4 by 4 places,
    enlarged; all 0 where nothing spoke for the category.
    """
    activations: list[Tensor] = []

    def keep(_: nn.Module, __: Any, made: Any) -> None:
        if isinstance(made, Tensor) and made.ndim == 4 and min(made.shape[2:]) >= LAST_MAP_PX:
            activations.append(made)

    handles = [module.register_forward_hook(keep) for module in network.modules()]
    try:
        # Weights may be frozen: the input's gradient is what makes activations differentiable.
        inputs = to_input(torch.from_numpy(image[None].copy()).to(device)).requires_grad_()
        with torch.enable_grad():
            logits = network.eval()(inputs)
            (gradient,) = torch.autograd.grad(logits[0, category], activations[-1])
    finally:
        for handle in handles:
            handle.remove()
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    heat = torch.relu((weights * activations[-1]).sum(dim=1, keepdim=True)).detach()
    heat = nn.functional.interpolate(heat, image.shape[1:], mode="bilinear", align_corners=False)
    highest = float(heat.max())
    scaled = heat[0, 0] / highest if highest > 0 else heat[0, 0]
    return np.asarray(scaled.cpu().numpy(), dtype=np.float32)


def overlay(image: NDArray[np.uint8], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The heat map over the image, as RGB uint8 [3, S, S], at least 256 pixels wide."""
    grey = image if image.shape[0] == 3 else np.repeat(image, 3, axis=0)
    times = max(1, -(-_SHOWN_PX // image.shape[2]))
    side = (image.shape[2] * times, image.shape[1] * times)
    below = cv2.resize(
        np.ascontiguousarray(grey.transpose(1, 2, 0)), side, interpolation=cv2.INTER_NEAREST
    )
    warm = np.clip(cv2.resize(heat, side, interpolation=cv2.INTER_LINEAR), 0.0, 1.0)
    bgr = cv2.applyColorMap(np.rint(255 * warm).astype(np.uint8), cv2.COLORMAP_INFERNO)
    share = (_OPACITY * warm)[..., None]
    mixed = (1.0 - share) * below + share * bgr[..., ::-1]
    return np.ascontiguousarray(np.rint(mixed).astype(np.uint8).transpose(2, 0, 1))
