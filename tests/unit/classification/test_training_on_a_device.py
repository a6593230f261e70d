"""A classifier's step uses no memory of the host, waits for nothing, and may be deterministic."""

from typing import get_args

import numpy as np
import pytest
import torch

from lesiongan.contracts.classifiers import ClassifierArchitecture
from services.classification.domain.images import LabelledImages, to_input
from services.classification.domain.recipe import Recipe
from services.classification.domain.training import _Lesson
from services.classification.domain.weights import Shape
from tests.whereabouts import REFUSED, Whereabouts

ARCHITECTURES: tuple[ClassifierArchitecture, ...] = get_args(ClassifierArchitecture)


def _recipe(architecture: ClassifierArchitecture) -> Recipe:
    """Every kind of loss."""
    return Recipe(
        architecture=architecture,
        steps=2,
        evaluate_every=1,
        patience=None,
        batch_size=4,
        learning_rate=1e-3,
        weight_decay=0.01,
        balance=True,
        synthetic_share=None,
        seed=0,
        class_weights=True,
        distil=0.5,
    )


def _images(size: int) -> LabelledImages:
    return LabelledImages(
        pixels=np.zeros((6, 1, size, size), np.uint8),
        labels=np.array([0, 1, 0, 1, 0, 1]),
        synthetic=np.zeros(6, np.bool_),
        soft=np.full((6, 2), 0.5, np.float32),
    )


@pytest.mark.parametrize("size", [32, 256])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_step_touches_and_reads_no_memory_of_the_host(
    architecture: ClassifierArchitecture, size: int
) -> None:
    network = Shape(architecture, ("bone", "liver"), size, 1).network(seed=0).to("meta").train()
    lesson = _Lesson(_images(size), _recipe(architecture), "meta")
    rows = torch.tensor([0, 1, 2, 5]).to("meta")
    with Whereabouts() as seen:
        loss = lesson.loss(network(to_input(lesson.pixels[rows])), rows)
        loss.backward()  # type: ignore[no-untyped-call]
    assert seen.elsewhere == []
    assert not REFUSED & set(seen.operations)
    assert "aten.convolution_backward.default" in seen.operations
    assert {each.grad.device.type for each in network.parameters() if each.grad is not None} == {
        "meta"
    }
