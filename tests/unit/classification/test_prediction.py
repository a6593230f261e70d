"""Probabilities of images, however they are cut into batches."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from lesiongan.contracts.categories import CATEGORIES
from services.classification.domain import prediction
from services.classification.domain.prediction import predict
from services.classification.domain.weights import Shape

SHAPE = Shape("small_cnn", CATEGORIES, image_size=32, channels=3)
PIXELS = np.random.default_rng(0).integers(0, 256, (7, 3, 32, 32), dtype=np.uint8)


def test_probabilities_sum_to_one_and_differ_between_images() -> None:
    made = predict(SHAPE.network(seed=0), PIXELS, device="cpu")
    assert made.shape == (7, 8)
    assert made.dtype == np.float32
    assert (made > 0).all()
    assert made.sum(axis=1) == pytest.approx(np.ones(7), abs=1e-6)
    assert len(np.unique(made[:, 0])) == 7


def test_the_cut_into_batches_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    network = SHAPE.network(seed=0)
    # Random running averages: a network that used those of the batch would differ by far more.
    network(torch.rand(8, 3, 32, 32))
    whole = predict(network.train(), PIXELS, device="cpu")
    for size in (1, 3, 7):
        monkeypatch.setattr(prediction, "BATCH", size)
        assert predict(network.train(), PIXELS, device="cpu") == pytest.approx(whole, abs=1e-6)
    one_by_one = [predict(network, PIXELS[i : i + 1], device="cpu")[0] for i in range(7)]
    assert np.stack(one_by_one) == pytest.approx(whole, abs=1e-6)


def test_prediction_leaves_weights_and_images() -> None:
    network = SHAPE.network(seed=0)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    pixels = PIXELS.copy()
    predict(network.train(), pixels, device="cpu")
    assert np.array_equal(pixels, PIXELS)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_a_view_with_steps_is_read_as_it_looks() -> None:
    network = SHAPE.network(seed=0)
    whole = predict(network, PIXELS, device="cpu")
    assert predict(network, PIXELS[::-1], device="cpu") == pytest.approx(whole[::-1], abs=1e-6)


def test_a_gpu_predicts_the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    within: list[str] = []

    @contextmanager
    def kept(device: str) -> Iterator[None]:
        within.append(device)
        yield
        within.append("left")

    monkeypatch.setattr(prediction, "reproducible_on_gpu", kept)
    seen: list[list[str]] = []
    predict(SHAPE.network(seed=0), PIXELS, device="cpu", on_batch=lambda: seen.append([*within]))
    assert (seen, within) == ([["cpu"]], ["cpu", "left"])
