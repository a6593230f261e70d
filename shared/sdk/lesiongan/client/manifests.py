"""Manifests of synthetic images: read from where they lie, and sent back to make images again."""

import errno
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lesiongan.client.call import Call
from lesiongan.client.flow import Flow, block
from lesiongan.client.submitting import post_command
from lesiongan.contracts.gans import Manifest, RegenerateCommand

#: A ZIP that holds ``manifest.json``, that file, or its content.
ManifestSource = Manifest | Mapping[str, Any] | Path | str
_MEMBER = "manifest.json"


def regenerate_call(source: ManifestSource, indices: Sequence[int] | None) -> Flow[Call]:
    """The request for some images of a manifest, or for all; it carries no more than those.

    Raises :class:`pydantic.ValidationError` for what is no such manifest, and :class:`OSError`.
    """
    manifest = yield from block(lambda: read_manifest(source))
    wanted = [image.index for image in manifest.images] if indices is None else list(indices)
    command = RegenerateCommand(manifest=manifest, indices=wanted).trimmed()
    return post_command("/regenerate", command)


def read_manifest(source: ManifestSource) -> Manifest:
    """What makes the images again; raises as :func:`regenerate_call` does."""
    if isinstance(source, Manifest):
        return source
    if isinstance(source, Mapping):
        return Manifest.model_validate(dict(source))
    path = Path(source)
    if not zipfile.is_zipfile(path):
        return Manifest.model_validate_json(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        if _MEMBER not in archive.namelist():
            raise FileNotFoundError(errno.ENOENT, f"it holds no {_MEMBER}", str(path))
        return Manifest.model_validate_json(archive.read(_MEMBER))
