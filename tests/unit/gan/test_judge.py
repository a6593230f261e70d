"""Whom samples are held against, and on how many."""

from dataclasses import replace

import numpy as np
import pytest

from services.gan.domain.config import Architecture, Training
from services.gan.domain.judge import Panel, appoint, looking_panel, reporting_panel
from services.gan.domain.neighbours import place
from services.gan.domain.reference import Reference, make_reference
from services.gan.domain.state import start_training
from shared.compute.precision import Precision
from tests.unit.gan.blobs import blobs

TRAINING = Training(batch_size=16, n_critic=1, evaluate_every=250)
ARCHITECTURE = Architecture(
    image_size=32, categories=("dark", "bright"), width=4, max_width=8, latent_size=8
)


@pytest.fixture(scope="module")
def reference() -> Reference:
    precision = Precision(device="cpu", dtype_name="float32", threads=1)
    return make_reference(blobs(60), blobs(40, seed=1), steps=12, precision=precision)


def test_val_is_what_is_scored_against_where_it_is_enough(reference: Reference) -> None:
    judge = appoint(reference)
    assert (judge.against, len(judge.real), len(judge.others)) == ("val", 40, 60)
    few = replace(reference, val=reference.val.take(np.arange(15)))
    judge = appoint(few)
    assert (judge.against, len(judge.real), len(judge.others)) == ("training", 30, 30)


def test_images_without_a_label_are_not_scored_against(reference: Reference) -> None:
    labels = np.where(np.arange(60) < 20, -1, reference.train.labels)
    judge = appoint(replace(reference, train=replace(reference.train, labels=labels)))
    assert len(judge.others) == 40


@pytest.mark.parametrize("held_out", [40, 0])
def test_a_panel_knows_which_images_it_holds(reference: Reference, held_out: int) -> None:
    labels = np.where(np.arange(60) % 3 == 0, -1, reference.train.labels)
    train = replace(reference.train, labels=labels)
    known = replace(reference, train=train, val=reference.val.take(np.arange(held_out)))
    panel = reporting_panel(appoint(known))
    real = (known.val if held_out else train).take(panel.real_rows)
    others = train.take(panel.other_rows)
    for found, held in ((real, panel.real), (others, panel.others)):
        np.testing.assert_array_equal(found.pixels, held.pixels)
        np.testing.assert_array_equal(found.labels, held.labels)


@pytest.mark.parametrize(("every", "times"), [(1, 1), (250, 12), (10_000, 12)])
def test_samples_are_of_the_categories_of_the_real_images(
    reference: Reference, every: int, times: int
) -> None:
    panel = looking_panel(appoint(reference), replace(TRAINING, evaluate_every=every))
    assert len(panel.real) == 40
    assert sorted(panel.labels) == sorted(np.tile(panel.real.labels, times))


def test_few_real_images_are_asked_for_several_times(reference: Reference) -> None:
    few = replace(reference, val=reference.val.take(np.arange(20)))
    panel = reporting_panel(appoint(few))
    assert len(panel.real) == 20
    assert len(panel.labels) == 1000
    np.testing.assert_array_equal(panel.labels[:20], panel.real.labels)


def test_the_latents_of_a_look_hardly_matter_where_real_images_are_few(
    reference: Reference, precision: Precision
) -> None:
    """They are the same at each look: 40 of them would say more of themselves than of the GAN."""
    average = start_training(ARCHITECTURE, TRAINING).average
    judge = appoint(reference)

    def spread(count: int) -> float:
        looks = [Panel(judge, count, stream=s).look(average, precision) for s in range(10, 22)]
        return float(np.std([each.kid for each in looks if each is not None]))

    assert 0.0 < spread(480) < 0.6 * spread(40)


def test_new_real_images_score_as_the_floor_and_noise_does_not(reference: Reference) -> None:
    panel = reporting_panel(appoint(reference))
    new = panel.report(place(reference.space, *blobs(1000, seed=2)))
    noise = np.random.default_rng(0).integers(0, 256, (1000, 1, 32, 32), dtype=np.uint8)
    bad = panel.report(place(reference.space, noise, panel.labels))
    assert new is not None
    assert bad is not None
    assert new.floor is not None
    assert new.scores.kid < 3 * panel.noise + 0.05 < bad.scores.kid
    assert new.scores.coverage > 0.8
    assert bad.scores.coverage < 0.2
    assert set(new.per_category) == {0, 1}


def test_a_look_is_always_the_same_and_moves_no_other_stream(
    reference: Reference, precision: Precision
) -> None:
    average = start_training(ARCHITECTURE, TRAINING).average
    one, other = (looking_panel(appoint(reference), TRAINING) for _ in range(2))
    first = one.look(average, precision)
    assert first is not None
    assert first == one.look(average, precision) == other.look(average, precision)
    seen, last = (
        panel.samples(average, precision)[:40]
        for panel in (one, reporting_panel(appoint(reference)))
    )
    assert (last != seen).any()
