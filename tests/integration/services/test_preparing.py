"""One DICOM slice becomes what a classifier is shown, by the preprocessing service's own job."""

from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from lesiongan.contracts.datasets import PreprocessOptions
from services.preprocessing.domain.hounsfield import encode_hu
from services.preprocessing.domain.pipeline import SliceMetadata, preprocess_slice
from services.preprocessing.domain.png import decode_checked
from services.preprocessing.planning import options_of
from services.preprocessing.preparing import prepare_image
from shared.errors import BadInput
from shared.storage.port import ObjectMissing
from shared.storage.s3 import S3Store
from tests.unit.preprocessing.dicom.builders import capture, ct, enhanced, hounsfield, written

OPTIONS = PreprocessOptions(size=32, context_mm=1.0)
HU = hounsfield(5, rows=120, columns=120)
BOX = (40.0, 30.0, 60.0, 55.0)


def prepared(store: S3Store, dataset: Dataset, box: Any = None) -> np.ndarray[Any, Any]:
    store.put("interactive/a", written(dataset))
    outcome = prepare_image(
        store, OPTIONS, box, image_key="interactive/a", prepared_key="interactive/b"
    )
    outcome.afterwards()
    with pytest.raises(ObjectMissing):
        store.get("interactive/a")
    return decode_checked(store.get("interactive/b"))


@pytest.mark.parametrize("box", [None, BOX])
def test_it_is_what_the_data_sets_pipeline_makes(store: S3Store, box: Any) -> None:
    metadata = SliceMetadata(spacing_mm=0.7, box_px=box, window_hu=(-160.0, 240.0))
    expected = preprocess_slice(encode_hu(HU), metadata, options_of(OPTIONS))

    assert np.array_equal(prepared(store, ct(HU + 1024), box), expected.image)
    assert expected.crop == ("slice" if box is None else "lesion")


def test_stored_values_are_rescaled_whatever_the_slope(store: S3Store) -> None:
    coarse = (HU // 2) * 2
    halves = ct((coarse // 2 + 1000).astype(np.int16), RescaleSlope=2, RescaleIntercept=-2000)

    assert np.array_equal(prepared(store, halves, BOX), prepared(store, ct(coarse + 1024), BOX))


def test_an_exported_crop_is_left_as_it_is(store: S3Store) -> None:
    image = np.random.default_rng(0).integers(0, 256, (32, 32)).astype(np.uint8)

    assert np.array_equal(prepared(store, capture(image)), image)


def test_what_it_does_not_take(store: S3Store) -> None:
    def refused(dataset: Dataset, reason: str, box: Any = None) -> None:
        with pytest.raises(BadInput, match=reason):
            prepared(store, dataset, box)

    frame = {"values": HU + 1024, "spacing": 0.7, "rescale": (1, -1024)}
    refused(enhanced([frame, frame], {}), "2 frames: send one")
    refused(ct(HU + 1024, Modality="MR", SOPClassUID="1.2.840.10008.5.1.4.1.1.4"), "another DICOM")
    refused(ct(HU + 1024, BurnedInAnnotation="YES"), "burned into it")
    refused(ct(HU + 1024), "beside the image", (200, 10, 220, 30))
    refused(ct(HU + 1024, PixelSpacing=None), "how large its pixels", BOX)
