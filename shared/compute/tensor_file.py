"""Named tensors and text as safetensors bytes with a digest: never pickle, damage is noticed.

safetensors finds a truncated file by itself; the SHA-256 over all names, types, shapes, values and
metadata also finds a changed bit.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from shared.errors import BadInput

_LENGTH_BYTES = 8
_ALIGNMENT_BYTES = 8
_DIGEST = "sha256"


def _digest(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(dict(metadata), sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)};".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def write_tensors(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """The bytes of one file; the same tensors and metadata give the same bytes."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return _sort_header(save(plain, metadata={**metadata, _DIGEST: _digest(plain, metadata)}))


def _split_header(data: bytes) -> tuple[dict[str, Any], bytes]:
    """A safetensors file is the length of its JSON header, the header, and the values."""
    end = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "little")
    return json.loads(data[_LENGTH_BYTES:end]), data[end:]


def _sort_header(data: bytes) -> bytes:
    """The library writes metadata in an order that changes from run to run; here it is fixed."""
    header, values = _split_header(data)
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT_BYTES)
    return len(text).to_bytes(_LENGTH_BYTES, "little") + text + values


def _read_metadata(data: bytes) -> dict[str, str]:
    header, _ = _split_header(data)
    return {str(key): str(value) for key, value in header.get("__metadata__", {}).items()}


def read_tensors(data: bytes, *, kind: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a file whose metadata say ``format = kind``.

    Raises BadInput for anything else: not safetensors, truncated, changed, or of another kind.
    """
    try:
        tensors = load(data)
        metadata = _read_metadata(data)
    except (SafetensorError, ValueError, RuntimeError) as error:
        raise BadInput(f"the {kind} is damaged, or no safetensors file") from error
    if metadata.get("format") != kind:
        raise BadInput(f"the file is no {kind} of this system")
    if metadata.pop(_DIGEST, None) != _digest(tensors, metadata):
        raise BadInput(f"the {kind} is damaged: its digest does not match")
    return tensors, metadata


def unchanged(data: bytes, sha256: str | None) -> bytes:
    """``data``, if it is what was stored; raises :class:`BadInput`."""
    if hashlib.sha256(data).hexdigest() != sha256:
        raise BadInput("its bytes changed in the store")
    return data


def fill_parameters(
    targets: Mapping[str, Tensor], tensors: Mapping[str, Tensor], *, kind: str
) -> None:
    """Copy ``tensors`` into ``targets`` of the same names, keeping their memory layout.

    Raises BadInput when a name, shape or type differs, or a value is not finite; then nothing was
    copied.
    """
    if set(targets) != set(tensors):
        odd = sorted(set(targets) ^ set(tensors))[0]
        raise BadInput(f"the {kind} does not fit the architecture: {odd} is missing or too much")
    for name, target in targets.items():
        tensor = tensors[name]
        if tensor.shape != target.shape or tensor.dtype != target.dtype:
            raise BadInput(
                f"the {kind} does not fit the architecture: {name} is {tuple(tensor.shape)} "
                f"instead of {tuple(target.shape)}"
            )
        if not torch.isfinite(tensor).all():
            raise BadInput(f"the {kind} holds values that are not finite, in {name}")
    with torch.no_grad():
        for name, target in targets.items():
            target.copy_(tensors[name])
