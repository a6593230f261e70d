"""The space is learnt from the real images, the same each time, and survives being stored."""

import numpy as np
import pytest
import torch

from services.gan.domain.feature_space import feature_steps, train_feature_space
from services.gan.domain.neighbours import nearest, place
from services.gan.domain.reference import (
    Reference,
    load_reference,
    make_reference,
    save_reference,
)
from shared.compute.precision import Precision
from shared.errors import BadInput
from tests.unit.gan.blobs import blobs

STEPS = 12


@pytest.fixture
def reference(precision: Precision) -> Reference:
    return make_reference(blobs(40), blobs(20, seed=1), steps=STEPS, precision=precision)


def test_categories_lie_apart(reference: Reference) -> None:
    found = nearest(reference.val.features, reference.train.features)
    assert (reference.train.labels[found.rows] == reference.val.labels).all()
    assert np.square(reference.train.features).mean() == pytest.approx(1.0, rel=1e-4)


def test_it_is_the_same_each_time_and_the_random_state_is_left_alone(
    reference: Reference, precision: Precision
) -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    again = make_reference(blobs(40), blobs(20, seed=1), steps=STEPS, precision=precision)
    assert torch.equal(before, torch.random.get_rng_state())
    assert save_reference(again) == save_reference(reference)
    other = make_reference(blobs(40, seed=2), blobs(20), steps=STEPS, precision=precision)
    assert other.space.name != reference.space.name


def test_it_survives_being_stored(reference: Reference) -> None:
    data = save_reference(reference)
    again = load_reference(data)
    assert save_reference(again) == data
    assert (again.bounds, again.space.name) == (reference.bounds, reference.space.name)
    images, _ = blobs(7, seed=3)
    assert (again.space.features(images) == reference.space.features(images)).all()


@pytest.mark.parametrize("change", ["truncated", "changed"])
def test_damage_is_noticed(reference: Reference, change: str) -> None:
    data = bytearray(save_reference(reference))
    data = data[:-9] if change == "truncated" else data
    data[-20] ^= 1
    with pytest.raises(BadInput):
        load_reference(bytes(data))


def test_features_do_not_depend_on_what_else_is_asked(reference: Reference) -> None:
    images, labels = blobs(40)
    together = place(reference.space, images, labels)
    for row in (0, 17, 39):
        alone = place(reference.space, images[row : row + 1], labels[row : row + 1])
        assert (alone.features[0] == together.features[row]).all()


@pytest.mark.parametrize(("side", "resizer"), [(32, "none"), (128, "area to 64 px")])
def test_one_category_and_unlabelled_images_make_a_space_too(
    precision: Precision, side: int, resizer: str
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 3, side, side), dtype=np.uint8)
    labels = np.array([0, 0, 0, 0, -1, -1])
    space = train_feature_space(images, labels, steps=2, precision=precision, on_step=lambda: None)
    assert (space.task, space.resizer) == ("rotations", resizer)
    assert space.features(images).shape == (6, 128)
    assert np.isfinite(space.features(images)).all()


def test_what_its_learning_is_told_ends_it(precision: Precision) -> None:
    def stop() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        make_reference(blobs(4), blobs(0), steps=2, precision=precision, on_step=stop)


def test_a_short_training_learns_a_short_space() -> None:
    assert [feature_steps(steps) for steps in (1, 320, 20_000)] == [1, 20, 400]
