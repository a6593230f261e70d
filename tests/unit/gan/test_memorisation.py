"""Copies are caught, new images pass, and blurs that are near to everything are no copies."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from services.gan.domain.batches import to_unit
from services.gan.domain.config import Architecture, Training
from services.gan.domain.examination import Examination, examine
from services.gan.domain.generator import Generator
from services.gan.domain.judge import appoint
from services.gan.domain.memorisation import Memorisation, bounds, copies, memorisation
from services.gan.domain.neighbours import nearest_pixels, neighbours, place, thumbnails
from services.gan.domain.reference import Reference, make_reference
from services.gan.domain.state import start_training
from shared.compute.precision import Precision
from tests.unit.gan.blobs import blobs

TRAIN, VAL = blobs(60), blobs(40, seed=1)


@pytest.fixture(scope="module")
def reference() -> Reference:
    precision = Precision(device="cpu", dtype_name="float32", threads=1)
    return make_reference(TRAIN, VAL, steps=12, precision=precision)


@pytest.fixture(scope="module")
def without_val() -> Reference:
    precision = Precision(device="cpu", dtype_name="float32", threads=1)
    return make_reference(TRAIN, (VAL[0][:0], VAL[1][:0]), steps=12, precision=precision)


def _found(reference: Reference, images: NDArray[np.uint8]) -> Memorisation:
    assert reference.bounds is not None
    places = place(reference.space, images, np.arange(len(images)) % 2)
    found = neighbours(places, reference.train)
    return memorisation(places, found, reference.train, reference.val, reference.bounds)


def _noisy(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    noise = np.random.default_rng(3).normal(0, 3, images.shape)
    return np.clip(images + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("which", ["reference", "without_val"])
def test_noisy_copies_are_found(which: str, request: pytest.FixtureRequest) -> None:
    reference: Reference = request.getfixturevalue(which)
    found = _found(reference, _noisy(TRAIN[0]))
    assert found.copies > 0.9
    assert found.authenticity < 0.1
    assert found.nearest_ratio < 0.5
    assert found.nearest_ratio_pixels < 0.5


@pytest.mark.parametrize("which", ["reference", "without_val"])
def test_new_images_are_none(which: str, request: pytest.FixtureRequest) -> None:
    reference: Reference = request.getfixturevalue(which)
    found = _found(reference, blobs(60, seed=2)[0])
    assert found.copies < 0.05
    # As often as for the real images of `val`, and not by another rule than theirs.
    assert abs(found.authenticity - _found(reference, VAL[0]).authenticity) < 0.15
    assert 0.7 < found.nearest_ratio < 1.4
    assert 0.7 < found.nearest_ratio_pixels < 1.4


@pytest.mark.parametrize("which", ["reference", "without_val"])
def test_an_image_that_was_kept_twice_hides_no_copies(
    which: str, request: pytest.FixtureRequest
) -> None:
    known: Reference = request.getfixturevalue(which)
    twice = np.concatenate((np.arange(len(known.train)), [0, 1, 2]))
    train = known.train.take(twice)
    val = replace(known.val, pixels=np.concatenate((known.train.pixels[:3], known.val.pixels[3:])))
    held_out = val if len(known.val) else known.val
    limits, usual = bounds(train, held_out, enough=16), known.bounds
    assert limits is not None
    assert usual is not None
    assert limits.reference == usual.reference
    assert limits.pixel > 0.8 * usual.pixel
    assert Reference(known.space, train, held_out, limits).too_near(TRAIN[0]).all()


def test_of_equal_images_nothing_can_be_said(reference: Reference) -> None:
    same = reference.train.take(np.zeros(5, dtype=np.int64))
    assert bounds(same, reference.val, enough=16) is None


def test_who_has_copies_tells_members_from_others(reference: Reference) -> None:
    told = _found(reference, _noisy(TRAIN[0])).membership_auc
    untold = _found(reference, blobs(60, seed=2)[0]).membership_auc
    assert told is not None
    assert untold is not None
    assert told > 0.95
    assert abs(untold - 0.5) < 0.2


def test_without_val_nothing_is_said_of_members(without_val: Reference) -> None:
    found = _found(without_val, TRAIN[0])
    assert (found.membership_auc, found.authenticity_floor) == (None, None)
    assert without_val.bounds is not None
    assert without_val.bounds.reference == "training"


def test_a_blur_is_near_to_all_and_a_copy_of_none(reference: Reference) -> None:
    bright = TRAIN[0][TRAIN[1] == 1].astype(float)
    blur = bright.mean(axis=0, keepdims=True).round().astype(np.uint8)
    assert reference.bounds is not None
    found = nearest_pixels(thumbnails(blur), reference.train.pixels)
    assert found.distances[0] < reference.bounds.usual_pixel
    assert not copies(found, reference.bounds).any()


@pytest.mark.parametrize("shape", [(1, 32), (3, 32), (1, 64), (1, 256)])
def test_thumbnails_are_the_means_of_areas(shape: tuple[int, int]) -> None:
    channels, side = shape
    images = np.random.default_rng(0).integers(0, 256, (5, channels, side, side), dtype=np.uint8)
    means = adaptive_avg_pool2d(torch.from_numpy(images).float(), 16).round().to(torch.uint8)
    np.testing.assert_array_equal(thumbnails(images), means.flatten(1).numpy())


def test_what_is_too_near_is_found_without_asking_for_every_crowd(reference: Reference) -> None:
    """The short way and the rule agree, on copies, blurs and new images."""
    blur = TRAIN[0].astype(float).mean(axis=0, keepdims=True).round().astype(np.uint8)
    images = np.concatenate([_noisy(TRAIN[0]), blobs(40, seed=5)[0], blur])
    assert reference.bounds is not None
    by_rule = copies(nearest_pixels(thumbnails(images), reference.train.pixels), reference.bounds)
    np.testing.assert_array_equal(reference.too_near(images), by_rule)
    assert 0 < by_rule.sum() < len(images)
    assert not reference.too_near(images[:0]).size


class ByHeart(Generator):
    """Gives back one image a category, with grain: what a perfect memory would learn.

    A GAN that gets there by training takes minutes: ``tests.benchmarks.gan_memorisation``.
    """

    def __init__(self, architecture: Architecture, images: NDArray[np.uint8]) -> None:
        super().__init__(architecture)
        self._known = to_unit(torch.from_numpy(images), torch.float32)

    def forward(
        self, latents: Tensor, grain: Tensor, labels: Tensor, dtype: torch.dtype = torch.float32
    ) -> Tensor:
        del latents
        return (self._known[labels] + 0.02 * grain).clamp(-1.0, 1.0).to(dtype)


def _examined(precision: Precision, *, by_heart: bool) -> Examination:
    """Of a generator that knows ten images by heart, or of one that has learnt nothing."""
    images, labels = TRAIN[0][:10], np.arange(10)
    architecture = Architecture(
        image_size=32,
        categories=tuple(f"k{label}" for label in labels),
        width=8,
        max_width=16,
        latent_size=8,
    )
    fresh = start_training(architecture, Training()).generator
    generator = ByHeart(architecture, images) if by_heart else fresh
    generator.requires_grad_(requires_grad=False).eval()
    val = (VAL[0], np.arange(40) % 10)
    reference = make_reference((images, labels), val, steps=4, precision=precision)
    return examine(generator, reference, appoint(reference), images, precision)


def test_a_generator_that_knows_ten_images_by_heart_is_refused(precision: Precision) -> None:
    learnt = _examined(precision, by_heart=True)
    assert learnt.refused
    assert learnt.scores["memorisation"]["copies"] > 0.5
    assert learnt.scores["memorisation"]["membership_auc"] > 0.95
    assert learnt.pairs is not None
    assert learnt.pairs.shape == (1, 4 * 34 + 2, 8 * 34 + 2)
    fresh = _examined(precision, by_heart=False)
    assert not fresh.refused
    assert fresh.scores["kid"] > learnt.scores["kid"]
