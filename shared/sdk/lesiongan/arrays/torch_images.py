"""An archive as a data set for PyTorch."""

from pathlib import Path

import torch
from torch.utils.data import Dataset

from lesiongan.arrays.images import decode
from lesiongan.arrays.places import index_of


class TorchImages(Dataset[tuple[torch.Tensor, int]]):
    """Pairs of an image, uint8 [C, H, W], and its label, read from the archive as they are needed.

    Labels are places in ``categories``; -1 is an unlabelled image. May be shared by the workers of
    a ``DataLoader``: each reads the file on its own.
    """

    def __init__(self, archive: Path, split: str | None = None) -> None:
        self._archive = archive
        self._index = index_of(archive, split)
        self.categories = self._index.categories

    def __len__(self) -> int:
        return len(self._index.places)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        place = self._index.places[index]
        image = decode(place.read(self._archive))
        return torch.from_numpy(image), self._index.label(place)
