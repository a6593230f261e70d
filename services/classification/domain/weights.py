"""A published classifier: its weights and what they belong to, as safetensors."""

import json
from dataclasses import asdict, dataclass
from typing import cast, get_args

from torch import nn

from lesiongan.contracts.categories import CATEGORIES, Category
from lesiongan.contracts.classifiers import ClassifierArchitecture
from services.classification.domain.architectures import build
from shared.compute.tensor_file import fill_parameters, read_tensors, write_tensors
from shared.errors import BadInput

_KIND = "lesiongan-classifier"


@dataclass(frozen=True)
class Shape:
    """What a network looks at and what it tells apart, in the order of its outputs."""

    architecture: ClassifierArchitecture
    categories: tuple[Category, ...]
    image_size: int
    channels: int

    def network(self, *, seed: int) -> nn.Module:
        """A network of this shape with new weights."""
        return build(
            self.architecture,
            channels=self.channels,
            image_size=self.image_size,
            classes=len(self.categories),
            seed=seed,
        )


def save_weights(network: nn.Module, shape: Shape) -> bytes:
    """The network as safetensors bytes; equal networks give equal bytes."""
    metadata = {"format": _KIND, "shape": json.dumps(asdict(shape), sort_keys=True)}
    return write_tensors(dict(network.state_dict()), metadata)


def load_weights(data: bytes, *, device: str = "cpu") -> tuple[nn.Module, Shape]:
    """The network, ready for prediction on ``device``.

    Raises :class:`BadInput` for damaged bytes, and for tensors that do not fit the stated shape.
    """
    tensors, metadata = read_tensors(data, kind=_KIND)
    shape = _shape(metadata.get("shape", ""))
    network = shape.network(seed=0)
    fill_parameters(network.state_dict(), tensors, kind=_KIND)
    return network.requires_grad_(requires_grad=False).eval().to(device), shape


def _shape(text: str) -> Shape:
    try:
        values = json.loads(text)
        shape = Shape(
            architecture=cast("ClassifierArchitecture", str(values["architecture"])),
            categories=tuple(cast("Category", str(name)) for name in values["categories"]),
            image_size=int(values["image_size"]),
            channels=int(values["channels"]),
        )
    except (ValueError, KeyError, TypeError):
        raise BadInput(f"the {_KIND} does not say what it is") from None
    if not _known(shape):
        raise BadInput(f"the {_KIND} is of a kind that this version does not know")
    return shape


def _known(shape: Shape) -> bool:
    return (
        shape.architecture in get_args(ClassifierArchitecture)
        and set() < set(shape.categories) <= set(CATEGORIES)
        and shape.image_size > 0
        and shape.channels in (1, 3)
    )
