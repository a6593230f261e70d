"""The published model: the EMA generator's weights and its architecture, as safetensors."""

from collections.abc import Mapping

import torch

from services.gan.domain.config import Architecture
from services.gan.domain.generator import Generator
from shared.compute.tensor_file import fill_parameters, read_tensors, write_tensors

_KIND = "lesiongan-generator"
_OWN_KEYS = ("format", "architecture")


def save_weights(generator: Generator, metadata: Mapping[str, str] | None = None) -> bytes:
    """The generator as safetensors bytes; ``metadata`` adds entries, such as a model card."""
    own = {"format": _KIND, "architecture": generator.architecture.to_json()}
    return write_tensors(dict(generator.state_dict()), {**(metadata or {}), **own})


def load_weights(data: bytes, *, device: str = "cpu") -> tuple[Generator, dict[str, str]]:
    """The generator, ready for sampling on ``device``, and the metadata that were added.

    Raises BadInput for damaged bytes, and for tensors that do not fit the stated architecture.
    """
    tensors, metadata = read_tensors(data, kind=_KIND)
    generator = Generator(Architecture.from_json(metadata.get("architecture", "")))
    fill_parameters(generator.state_dict(), tensors, kind=_KIND)
    generator.requires_grad_(requires_grad=False).eval()
    generator.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return generator, {key: value for key, value in metadata.items() if key not in _OWN_KEYS}
