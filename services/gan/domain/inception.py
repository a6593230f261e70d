"""FID in the features of Inception v3, as others report it, where its weights are given.

Szegedy et al., "Rethinking the Inception architecture for computer vision", CVPR 2016; Heusel et
al., NeurIPS 2017. The network is torchvision's and its features are the 2,048 after the last
pooling. It learnt from photographs: these scores stand beside those in the system's own space.
Published figures are comparable only where weights, resizer and n are the same.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn
from torch.nn import functional

from services.gan.domain.batches import to_unit
from services.gan.domain.frechet_distance import frechet_distance
from services.gan.domain.judge import Against, Panel
from services.gan.domain.scores import FEWEST
from shared.compute.precision import Precision, reproducible
from shared.errors import BadInput

SIDE_PX = 299
FEATURES = 2048
_BATCH = 8
#: What classifies, and what only helps to train: a file may have them.
_IGNORED = ("fc.", "AuxLogits.")


@dataclass(frozen=True)
class InceptionSpace:
    """What ``network`` sees before its last layer; ``sha256`` is that of the weights' file."""

    network: nn.Module
    sha256: str
    precision: Precision

    @property
    def name(self) -> str:
        """Which space it is; equal names, equal distances."""
        return f"inception-v3-{self.sha256[:12]}"

    @property
    def resizer(self) -> str:
        """How images come to the size that the network sees."""
        return f"bilinear to {SIDE_PX} px"

    def features(
        self, images: NDArray[np.uint8], on_batch: Callable[[], None]
    ) -> NDArray[np.float32]:
        """Where uint8 images [n, C, S, S] lie: [n, 2048]. ``on_batch`` may end it by raising.

        Batches are padded to one size: features do not depend on what else is asked.
        """
        parts = [np.empty((0, FEATURES), dtype=np.float32)]
        with torch.inference_mode(), reproducible(self.precision):
            for start in range(0, len(images), _BATCH):
                on_batch()
                part = images[start : start + _BATCH]
                padded = np.zeros((_BATCH, *part.shape[1:]), dtype=np.uint8)
                padded[: len(part)] = part
                seen = _seen(torch.from_numpy(padded).to(self.precision.device))
                parts.append(self.network(seen)[: len(part)].float().cpu().numpy())
        return np.concatenate(parts)


@dataclass(frozen=True)
class InceptionJudge:
    """Scores in ``space``, of the images that the other scores are of.

    ``train`` and ``val`` are uint8 images [n, C, S, S], in the order of the reference.
    """

    space: InceptionSpace
    train: NDArray[np.uint8]
    val: NDArray[np.uint8]
    on_batch: Callable[[], None]

    def scores(
        self, made: NDArray[np.uint8], panel: Panel, against: Against
    ) -> dict[str, Any] | None:
        """FID of the panel's samples, beside its floor; None where there are too few images."""
        real = (self.val if against == "val" else self.train)[panel.real_rows]
        others = self.train[panel.other_rows]
        if min(len(made), len(real)) < FEWEST:
            return None
        features = self.space.features(real, self.on_batch)

        def fid(images: NDArray[np.uint8]) -> float | None:
            if len(images) < FEWEST:
                return None
            return frechet_distance(self.space.features(images, self.on_batch), features)

        return {
            "fid": fid(made),
            "fid_floor": fid(others),
            "space": self.space.name,
            "resizer": self.space.resizer,
            "n": len(made),
            "n_real": len(real),
        }


def load_inception(data: bytes, precision: Precision) -> InceptionSpace:
    """From a safetensors file whose names and shapes are those of torchvision's ``inception_v3``.

    Raises :class:`BadInput` for damage, values that are not finite, and another architecture.
    """
    from torchvision.models import inception_v3  # noqa: PLC0415 - slow, and few need it

    try:
        tensors = load(data)
    except (SafetensorError, ValueError, RuntimeError) as error:
        raise BadInput("Inception's weights are damaged, or no safetensors file") from error
    network = inception_v3(
        weights=None, aux_logits=False, transform_input=False, init_weights=False
    )
    network.fc = nn.Identity()
    _fill(network, tensors)
    network.requires_grad_(requires_grad=False).eval()
    network.to(device=precision.device, memory_format=torch.channels_last)
    return InceptionSpace(network, hashlib.sha256(data).hexdigest(), precision)


def _fill(network: nn.Module, tensors: dict[str, Tensor]) -> None:
    # How many batches a normalisation has seen matters to its training alone.
    wanted = {
        name: tensor
        for name, tensor in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    strange = {name for name in tensors if not name.startswith(_IGNORED)} - {*network.state_dict()}
    unfit = sorted(
        strange | {name for name, tensor in wanted.items() if not _fits(tensors.get(name), tensor)}
    )
    if unfit:
        raise BadInput(
            "Inception's weights are not those of torchvision's inception_v3: "
            f"{len(unfit)} tensors are missing, strange or of another shape, such as {unfit[0]}"
        )
    for name, target in wanted.items():
        if not torch.isfinite(tensors[name]).all():
            raise BadInput(f"Inception's weights hold values that are not finite, in {name}")
        target.copy_(tensors[name])


def _fits(tensor: Tensor | None, target: Tensor) -> bool:
    return tensor is not None and tensor.is_floating_point() and tensor.shape == target.shape


def _seen(images: Tensor) -> Tensor:
    """uint8 images [n, C, S, S] as the network sees them: -1 to 1, three channels, 299 px.

    Grey is shown in all three; torchvision's weights were learnt on values of -1 to 1.
    """
    unit = to_unit(images, torch.float32).expand(-1, 3, -1, -1)
    large = functional.interpolate(
        unit, size=(SIDE_PX, SIDE_PX), mode="bilinear", align_corners=False, antialias=True
    )
    return large.contiguous(memory_format=torch.channels_last)
