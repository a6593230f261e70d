"""Use case: one DICOM slice as a network sees it, for a job of another service."""

from functools import partial

from lesiongan.contracts.datasets import PreprocessOptions
from services.preprocessing.domain.dicom.admission import read_images
from services.preprocessing.domain.dicom.decoder import Decoder
from services.preprocessing.domain.dicom.header import read_header
from services.preprocessing.domain.dicom.slices import Slice, read_slices
from services.preprocessing.domain.pipeline import SliceMetadata, preprocess_slice
from services.preprocessing.domain.png import decode_checked, encode_grey
from services.preprocessing.domain.raw_images import Box
from services.preprocessing.planning import options_of
from shared.errors import BadInput
from shared.jobs.context import Outcome
from shared.storage.port import ObjectStore


def prepare_image(
    store: ObjectStore,
    options: PreprocessOptions,
    box_px: Box | None,
    *,
    image_key: str,
    prepared_key: str,
) -> Outcome:
    """Rescale a DICOM file to HU and preprocess it, into the PNG ``prepared_key``.

    A capture without HU that has the wanted size already is left as it is: an image of a
    preprocessed data set, exported. Raises :class:`BadInput` for what is not one slice of CT or one
    grey capture, and for a box that lies beside it or cannot be cut to scale.
    """
    found = _the_slice(store.get(image_key))
    values = decode_checked(found.png)
    if box_px is not None:
        _check(box_px, found, values.shape)
    if found.unit == "uint8" and values.shape == (options.size, options.size):
        image = values
    else:
        metadata = SliceMetadata(
            spacing_mm=found.spacing_mm, box_px=box_px, window_hu=found.window_hu
        )
        image = preprocess_slice(values, metadata, options_of(options)).image
    store.put(prepared_key, encode_grey(image), content_type="image/png")
    return Outcome({}, afterwards=partial(store.delete, image_key))


def _the_slice(content: bytes) -> Slice:
    header = read_header(content)
    images = read_images(header)
    if len(images.frames) != 1:
        raise BadInput(f"the DICOM file has {len(images.frames)} frames: send one")
    with Decoder() as decoder:
        _, found = next(read_slices(header.parsed, images, {1}, decoder))
    if isinstance(found, BadInput):
        raise found
    return found


def _check(box_px: Box, found: Slice, shape: tuple[int, ...]) -> None:
    height, width = shape
    left, top, right, bottom = box_px
    if right <= 0 or bottom <= 0 or left >= width or top >= height:
        raise BadInput(f"the box lies beside the image, which is {width}x{height} px")
    if found.spacing_mm is None:
        raise BadInput("the DICOM file does not say how large its pixels are, as a box needs")
