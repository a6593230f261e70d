"""Copies are caught, new images pass, and blurs that are near to everything are no copies."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn.functional import mse_loss

from services.gan.domain.batches import to_unit
from services.gan.domain.config import Architecture, Training
from services.gan.domain.examination import Examination, examine
from services.gan.domain.judge import appoint
from services.gan.domain.memorisation import Memorisation, copies, memorisation
from services.gan.domain.neighbours import neighbours, place
from services.gan.domain.noise import Purpose, step_noise
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
    assert found.authenticity > 0.3
    assert 0.7 < found.nearest_ratio < 1.4
    assert 0.7 < found.nearest_ratio_pixels < 1.4


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
    found = neighbours(place(reference.space, blur, np.array([1])), reference.train)
    assert found.pixels.distances[0] < reference.bounds.usual_pixel
    assert not copies(found, reference.bounds).any()


def _examined(steps: int, precision: Precision) -> Examination:
    """Of a generator that has learnt one image a category for so many steps, by heart."""
    images = TRAIN[0][:10]
    labels = np.arange(10)
    val = (VAL[0], np.arange(40) % 10)
    names = tuple(f"k{label}" for label in labels)
    architecture = Architecture(
        image_size=32, categories=names, width=8, max_width=16, latent_size=8
    )
    generator = start_training(architecture, Training()).generator
    optimiser = torch.optim.Adam(generator.parameters(), lr=5e-3)
    wanted = to_unit(torch.from_numpy(images), torch.float32)
    for step in range(steps):
        noise = step_noise(0, Purpose.GENERATOR_NOISE, step, 0, 10, 8, 32)
        latents, grain = map(torch.from_numpy, noise)
        loss = mse_loss(generator(latents, grain, torch.from_numpy(labels)), wanted)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    reference = make_reference((images, labels), val, steps=20, precision=precision)
    generator.requires_grad_(requires_grad=False).eval()
    return examine(generator, reference, appoint(reference), images, precision)


def test_a_generator_that_learnt_ten_images_by_heart_is_refused(precision: Precision) -> None:
    learnt = _examined(150, precision)
    assert learnt.refused
    assert learnt.scores["memorisation"]["copies"] > 0.5
    assert learnt.scores["memorisation"]["membership_auc"] > 0.95
    assert learnt.pairs is not None
    assert learnt.pairs.shape == (1, 4 * 34 + 2, 8 * 34 + 2)
    fresh = _examined(1, precision)
    assert not fresh.refused
    assert fresh.scores["kid"] > learnt.scores["kid"]
