"""A classifier's step uses no memory of the host, waits for nothing, and may be deterministic."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lesiongan.contracts.classifiers import ClassifierArchitecture
from services.classification.domain.images import LabelledImages, to_input
from services.classification.domain.training import _Lesson
from services.classification.domain.weights import Shape
from tests.unit.classification.builders import labelled, recipe
from tests.unit.classification.test_architectures import ARCHITECTURES
from tests.whereabouts import REFUSED, Whereabouts


def _taught(size: int) -> LabelledImages:
    """Six images that a teacher has looked at."""
    pixels, soft = np.zeros((6, 1, size, size), np.uint8), np.full((6, 2), 0.5, np.float32)
    return replace(labelled([0, 1, 0, 1, 0, 1]), pixels=pixels, soft=soft)


@pytest.mark.parametrize("size", [32, 256])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_step_touches_and_reads_no_memory_of_the_host(
    architecture: ClassifierArchitecture, size: int
) -> None:
    network = Shape(architecture, ("bone", "liver"), size, 1).network(seed=0).to("meta").train()
    every_loss = recipe(architecture=architecture, class_weights=True, distil=0.5)
    lesson = _Lesson(_taught(size), every_loss, "meta")
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
