"""What comes too near to a training image is drawn again, and each image stays its own."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from lesiongan.contracts.gans import MOST_DRAWS
from services.gan.domain.config import Architecture, Training
from services.gan.domain.generator import Generator
from services.gan.domain.memorisation import Bounds
from services.gan.domain.neighbours import place
from services.gan.domain.reference import Reference, make_reference
from services.gan.domain.sampling import sample, sample_batches
from services.gan.domain.screening import Request, Screened, screened
from services.gan.domain.state import start_training
from shared.compute.precision import Precision
from tests.unit.gan.blobs import blobs

LABELS = [k % 3 for k in range(70)]
#: Only what is the very same image is too near.
THE_SAME = Bounds("val", 20, 1e-3, 1.0, 1.0)


@pytest.fixture
def generator(architecture: Architecture) -> Generator:
    made = start_training(architecture, Training()).generator
    return made.requires_grad_(requires_grad=False).eval()


def _knowing(images: NDArray[np.uint8], precision: Precision) -> Reference:
    """A reference whose training images include ``images``."""
    reference = make_reference(blobs(20), blobs(0), steps=2, precision=precision)
    known = np.concatenate([blobs(20)[0], images])
    train = place(reference.space, known, np.zeros(len(known), dtype=np.int64))
    return replace(reference, train=train, bounds=THE_SAME)


def _screened(
    generator: Generator, reference: Reference | None, precision: Precision, *, first: int = 0
) -> list[Screened]:
    labels, indices = LABELS[first:], range(first, len(LABELS))
    batches = sample_batches(
        generator,
        labels,
        seed=1,
        indices=indices,
        draws=[0] * len(labels),
        precision=precision,
    )
    return list(screened(batches, Request(generator, labels, 1, indices, precision), reference))


def test_without_a_reference_each_is_its_first_draw(
    generator: Generator, precision: Precision
) -> None:
    plain = sample(generator, LABELS, seed=1, indices=range(70), precision=precision)
    found = _screened(generator, None, precision)
    assert [each.draw for each in found] == [0] * 70
    assert (np.stack([each.image for each in found]) == plain).all()


def test_copies_are_drawn_again_and_can_be_made_from_their_draw(
    generator: Generator, precision: Precision
) -> None:
    indices, draws = [3, 40, 40, 69], [0, 0, 1, 0]
    chosen = [LABELS[index] for index in indices]
    known = sample(generator, chosen, seed=1, indices=indices, draws=draws, precision=precision)
    reference = _knowing(known, precision)
    found = _screened(generator, reference, precision)
    assert {k: each.draw for k, each in enumerate(found) if each.draw} == {3: 1, 40: 2, 69: 1}
    assert not any(each.too_near for each in found)
    again = sample(
        generator,
        LABELS,
        seed=1,
        indices=range(70),
        draws=[each.draw for each in found],
        precision=precision,
    )
    assert (np.stack([each.image for each in found]) == again).all()
    rest = _screened(generator, reference, precision, first=35)
    assert [each.draw for each in rest] == [each.draw for each in found[35:]]
    assert all((a.image == b.image).all() for a, b in zip(rest, found[35:], strict=True))


def test_an_image_whose_draws_are_all_copies_is_given_up(
    generator: Generator, precision: Precision
) -> None:
    count = MOST_DRAWS
    known = sample(
        generator,
        [LABELS[5]] * count,
        seed=1,
        indices=[5] * count,
        draws=range(count),
        precision=precision,
    )
    found = _screened(generator, _knowing(known, precision), precision)
    assert found[5].too_near
    assert found[5].draw == count - 1
    assert sum(each.too_near for each in found) == 1
