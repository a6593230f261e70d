"""Weights that an installation lets classifiers begin with: one safetensors file an architecture.

The file is named by its content in whatever is trained from it: another file, another classifier.
"""

import hashlib
from functools import lru_cache
from pathlib import Path

from lesiongan.contracts.classifiers import ClassifierArchitecture
from shared.errors import BadInput


def pretrained_sha256(
    folder: Path | None, architecture: ClassifierArchitecture, wanted: str | None = None
) -> str:
    """SHA-256 of the file; raises :class:`BadInput` where there is none, or not the wanted one."""
    path = _path(folder, architecture)
    about = path.stat()
    found = _sha256(path, about.st_mtime_ns, about.st_size)
    if wanted not in (None, found):
        raise BadInput(f"the pretrained weights of {architecture} are not those with {wanted}")
    return found


def read_pretrained(
    folder: Path | None, architecture: ClassifierArchitecture, sha256: str
) -> bytes:
    """The file whose digest was written down when the training was asked for.

    Raises :class:`BadInput` where it is not there any more.
    """
    data = _path(folder, architecture).read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise BadInput(f"the pretrained weights of {architecture} are others than when it began")
    return data


def _path(folder: Path | None, architecture: ClassifierArchitecture) -> Path:
    if folder is None:
        raise BadInput(
            "pretrained: this installation has no weights to begin with "
            "(LESIONGAN_CLASSIFICATION_PRETRAINED names no folder)"
        )
    path = folder / f"{architecture}.safetensors"
    if not path.is_file():
        raise BadInput(f"pretrained: this installation has no weights of {architecture}")
    return path


@lru_cache(maxsize=16)
def _sha256(path: Path, _modified_ns: int, _size: int) -> str:
    """The times are asked so that a file that was changed is read again."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
