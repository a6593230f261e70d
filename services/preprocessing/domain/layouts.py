"""The layouts in which a data set may arrive, by name."""

from collections.abc import Callable
from typing import Final

from lesiongan.contracts.datasets import Layout
from services.preprocessing.domain.archives import Source
from services.preprocessing.domain.deeplesion import DeepLesionImages
from services.preprocessing.domain.dicom.images import DicomImages
from services.preprocessing.domain.folders import FolderImages
from services.preprocessing.domain.raw_images import RawImages

_READERS: Final[dict[Layout, Callable[[Source], RawImages]]] = {
    "deeplesion": DeepLesionImages,
    "dicom": DicomImages,
    "folders": FolderImages,
}
_WITH_NEIGHBOURS: Final[dict[Layout, Callable[..., RawImages]]] = {
    "deeplesion": DeepLesionImages,
    "dicom": DicomImages,
}


def open_layout(source: Source, layout: Layout, *, neighbours: bool = False) -> RawImages:
    """Opens a source in the named layout: its table is parsed and checked, no image is read yet.

    ``neighbours`` asks for the slices beside each image too; the folders layout has none.

    Raises:
        BadInput: the source is not in that layout, or its table is wrong.
    """
    if neighbours and layout in _WITH_NEIGHBOURS:
        return _WITH_NEIGHBOURS[layout](source, neighbours=True)
    return _READERS[layout](source)
