"""Archives as arrays: ``images`` uint8 [N, C, H, W] and ``labels``, or a PyTorch data set.

Any archive that the API sends will do: ``GET /datasets/{id}/archive`` in its three layouts, and
``GET /generate``. What the core install does without is imported when it is asked for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lesiongan.contracts.categories import Split
from lesiongan.errors import MissingExtra

if TYPE_CHECKING:
    from lesiongan.arrays.images import Images
    from lesiongan.arrays.torch_images import TorchImages

__all__ = ["read_images", "torch_dataset"]


def read_images(archive: Path | str, *, split: Split | None = None) -> "Images":
    """All images of an archive, or of one of its splits, in memory.

    Raises :class:`lesiongan.errors.MissingExtra` without NumPy and Pillow, and
    :class:`lesiongan.errors.UnexpectedAnswer` for images that are not 8-bit and of one size.
    """
    with _extra("NumPy and Pillow", "pip install 'lesiongan[arrays]'"):
        from lesiongan.arrays.images import load  # noqa: PLC0415 - see above
    return load(Path(archive), split)


def torch_dataset(archive: Path | str, *, split: Split | None = None) -> "TorchImages":
    """A data set for ``torch.utils.data.DataLoader`` that reads images when they are asked for.

    Raises :class:`lesiongan.errors.MissingExtra` without PyTorch, NumPy and Pillow.
    """
    with _extra("PyTorch, NumPy and Pillow", "pip install 'lesiongan[arrays]' torch"):
        from lesiongan.arrays.torch_images import TorchImages  # noqa: PLC0415 - see above
    return TorchImages(Path(archive), split)


@contextmanager
def _extra(needs: str, command: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtra(f"this needs {needs}: there is no {error.name}", hint=command) from None
