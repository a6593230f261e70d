"""Induced collapses are found and undone; what was undone stays so across kills."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from torch.nn.functional import adaptive_avg_pool2d

from lesiongan.contracts.gans import DIFF_AUGMENTATIONS
from services.gan.domain.batches import TrainingImages, load_training_images
from services.gan.domain.checkpoint import load_checkpoint, save_checkpoint
from services.gan.domain.config import Architecture, Training
from services.gan.domain.judge import appoint, looking_panel
from services.gan.domain.layers import one_hot
from services.gan.domain.reference import load_reference, make_reference, save_reference
from services.gan.domain.sampling import sample
from services.gan.domain.state import TrainingState, start_training
from services.gan.domain.supervision import Measured, Rollback
from services.gan.domain.training import Callbacks, train
from services.gan.domain.watchdog import Signs
from shared.compute.precision import Precision
from shared.errors import Diverged
from tests.unit.gan.blobs import blobs

EVERY = 20

Harm = Callable[[TrainingState], None]


@pytest.fixture
def training() -> Training:
    return Training(
        steps=140,
        batch_size=6,
        n_critic=1,
        learning_rate=2e-3,
        ema_decay=0.9,
        metrics_every=10,
        evaluate_every=EVERY,
        checkpoint_every=2 * EVERY,
        preview_every=1000,
        diff_augment=DIFF_AUGMENTATIONS,
    )


@pytest.fixture
def architecture() -> Architecture:
    return Architecture(
        image_size=32, categories=("dark", "bright"), width=4, max_width=16, latent_size=8
    )


@pytest.fixture
def data(architecture: Architecture) -> TrainingImages:
    """Blobs somewhere on dark or bright ground."""
    return load_training_images(*blobs(48), architecture)


@dataclass
class Observed:
    """What a run told, and how it is harmed: at each turn, with the live state."""

    harm: Harm = lambda _: None
    rollbacks: list[Rollback] = field(default_factory=list)
    health: list[tuple[int, Signs]] = field(default_factory=list)
    #: How many of ``health`` are from before the run went back.
    known: int = 0
    last: bytes = b""
    score: Callable[[TrainingState], Measured | None] = lambda _: None

    def callbacks(self, state: TrainingState) -> Callbacks:
        return Callbacks(
            on_turn=lambda: self.harm(state),
            on_rollback=self._note,
            on_health=lambda step, signs: self.health.append((step, signs)),
            on_checkpoint=self._save,
            on_evaluate=self.score,
        )

    def _note(self, rollback: Rollback) -> None:
        self.rollbacks.append(rollback)
        self.known = len(self.health)

    def _save(self, state: TrainingState) -> None:
        self.last = save_checkpoint(state)


def _between(first: int, last: int, change: Harm) -> Harm:
    """Harm during some steps, once: a run that went back is left in peace."""

    def harm(state: TrainingState) -> None:
        if state.watch.rollbacks == 0 and first <= state.step < last:
            change(state)

    return harm


def _learn_times(*, critic: float, generator: float) -> Harm:
    def change(state: TrainingState) -> None:
        for factor, optimizer in (
            (critic, state.critic_optimizer),
            (generator, state.generator_optimizer),
        ):
            for group in optimizer.param_groups:
                group["lr"] = state.learning_rate * factor

    return change


def _lose_numbers(state: TrainingState) -> None:
    torch.nn.init.constant_(state.critic.score.bias, float("nan"))


def _distance(state: TrainingState, data: TrainingImages, precision: Precision) -> float:
    """The energy distance of samples and real images, as thumbnails beside their category.

    Szekely & Rizzo, "Energy statistics", 2013.
    """
    labels = [label for label, rows in enumerate(data.members) for _ in rows]
    places = range(len(labels))
    made = sample(state.average, labels, seed=7, indices=places, precision=precision)
    real = data.images[torch.from_numpy(np.concatenate(data.members))]
    ours, theirs = (
        torch.cat((adaptive_avg_pool2d(images.float(), 8).flatten(1), category), dim=1)
        for category in [255.0 * one_hot(torch.tensor(labels), 2)]
        for images in (torch.from_numpy(made), real)
    )
    between, within = torch.cdist(ours, theirs).mean(), torch.cdist(theirs, theirs).mean()
    return float(2.0 * between - within - torch.cdist(ours, ours).mean())


@pytest.fixture
def run(
    architecture: Architecture, data: TrainingImages, precision: Precision
) -> Callable[[Training, Harm], tuple[TrainingState, Observed]]:
    def run(training: Training, harm: Harm) -> tuple[TrainingState, Observed]:
        state = start_training(architecture, training)
        observed = Observed(harm, score=lambda state: Measured(_distance(state, data, precision)))
        assert train(state, data, precision=precision, callbacks=observed.callbacks(state))
        return state, observed

    return run


Run = Callable[[Training, Harm], tuple[TrainingState, Observed]]

HARMS = {
    "rates times 50": _learn_times(critic=50.0, generator=50.0),
    "critic frozen": _learn_times(critic=0.0, generator=1.0),
    "critic frozen, generator fast": _learn_times(critic=0.0, generator=10.0),
    "not a number": _lose_numbers,
}


def test_a_sound_run_is_not_disturbed(run: Run, training: Training) -> None:
    _, observed = run(training, lambda _: None)
    assert observed.rollbacks == []
    assert [step for step, _ in observed.health] == list(range(EVERY, 141, EVERY))


@pytest.mark.parametrize(
    ("name", "first"), [("rates times 50", 95), *((name, 80) for name in HARMS)]
)
def test_a_collapse_is_found_in_two_intervals_and_undone(
    run: Run, training: Training, name: str, first: int
) -> None:
    state, observed = run(training, _between(first, first + 2 * EVERY, HARMS[name]))
    assert observed.rollbacks
    found = observed.rollbacks[0]
    assert first < found.step <= first + 2 * EVERY
    assert found.to_step <= first
    assert found.learning_rate == training.learning_rate / 2
    assert state.step == training.steps
    before = [signs for step, signs in observed.health if step <= first][-1]
    # The best one: scores of so short a run rise by a fifth of themselves where nothing is wrong.
    reached = min(signs.score or math.inf for _, signs in observed.health[observed.known :])
    assert before.score is not None
    assert reached <= 1.1 * before.score
    assert abs(observed.health[-1][1].gradient_norm - 1.0) < 0.5


def test_a_run_that_keeps_failing_is_given_up(
    architecture: Architecture, training: Training, data: TrainingImages, precision: Precision
) -> None:
    training = replace(training, max_rollbacks=2)
    state = start_training(architecture, training)

    def harm(state: TrainingState) -> None:
        if state.step >= 40:
            _lose_numbers(state)

    observed = Observed(harm)
    with pytest.raises(Diverged, match=r"for the 3\. time: .*lower learning_rate"):
        train(state, data, precision=precision, callbacks=observed.callbacks(state))
    assert [each.number for each in observed.rollbacks] == [1, 2]
    rates = [each.learning_rate / training.learning_rate for each in observed.rollbacks]
    assert rates == [0.5, 0.25]


def test_without_the_watchdog_numbers_that_are_none_end_the_run(
    architecture: Architecture, training: Training, data: TrainingImages, precision: Precision
) -> None:
    state = start_training(architecture, replace(training, watchdog=False))
    observed = Observed(_lose_numbers)
    with pytest.raises(Diverged, match="at step 10: losses are not finite"):
        train(state, data, precision=precision, callbacks=observed.callbacks(state))


def test_killed_anywhere_a_run_that_goes_back_ends_the_same(
    architecture: Architecture, training: Training, data: TrainingImages, precision: Precision
) -> None:
    """With DiffAugment, averages, unlabelled images, KID and a rollback in its middle."""
    training = replace(training, steps=48, evaluate_every=8, unlabelled_share=0.25, consistency=0.5)
    harm = _between(18, 34, HARMS["rates times 50"])
    reference = make_reference(blobs(32), blobs(16, seed=1), steps=4, precision=precision)

    def attempt(state: TrainingState, stop: int | None) -> tuple[TrainingState, bool]:
        observed, done = Observed(harm), count()
        # As another process would: what judges comes from the store.
        known = load_reference(save_reference(reference))
        panel = looking_panel(appoint(known), training)

        def score(state: TrainingState) -> Measured | None:
            scores = panel.look(state.average, precision)
            return None if scores is None else Measured(scores.kid, panel.noise)

        calls = replace(
            observed.callbacks(state), should_stop=lambda: next(done) == stop, on_evaluate=score
        )
        ended = train(state, data, precision=precision, callbacks=calls)
        return load_checkpoint(observed.last, architecture, training), ended

    whole, _ = attempt(start_training(architecture, training), None)
    assert whole.watch.rollbacks >= 1
    assert whole.watch.best_score is not None
    assert whole.kept.best
    expected = save_checkpoint(whole)

    @hypothesis_settings(max_examples=3, deadline=None)
    @given(kills=st.lists(st.integers(1, 40), min_size=1, max_size=3))
    def same(kills: list[int]) -> None:
        part, ended = start_training(architecture, training), False
        for stop in [*kills, None]:
            if not ended:
                part, ended = attempt(part, stop)
        assert save_checkpoint(part) == expected

    same()


def test_the_best_is_published(
    architecture: Architecture, training: Training, data: TrainingImages, precision: Precision
) -> None:
    training = replace(training, steps=60)
    scores = {20: 0.5, 40: 0.3, 60: 0.4}
    seen: dict[int, torch.Tensor] = {}

    def score(state: TrainingState) -> Measured:
        seen[state.step] = state.average.to_image.weight.clone()
        return Measured(scores[state.step])

    state, observed = start_training(architecture, training), Observed()
    calls = replace(observed.callbacks(state), on_evaluate=score)
    train(state, data, precision=precision, callbacks=calls)
    again = load_checkpoint(observed.last, architecture, training)
    for each in (state, again):
        assert each.published_step == 40
        assert torch.equal(each.published().to_image.weight, seen[40])
        assert torch.equal(each.average.to_image.weight, seen[60])
