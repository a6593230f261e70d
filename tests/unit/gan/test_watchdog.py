from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gan.domain.watchdog import PATIENCE, REMEMBERED, SETTLED, Signs, Watch, fault

_SOUND = Signs(
    critic_loss=-3.0,
    wasserstein=3.2,
    gradient_norm=1.1,
    generator_gradient_norm=4.0,
    diversity=0.8,
    flat=0.0,
    score=0.2,
)
_FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def _after(count: int, signs: Signs = _SOUND) -> Watch:
    watch = Watch()
    for step in range(count):
        watch = watch.after_healthy(signs, step)
    return watch


@pytest.mark.parametrize("past", [0, 1, 3, 20])
def test_a_sound_run_is_left_alone(past: int) -> None:
    assert fault(_SOUND, _after(past)) is None
    assert fault(replace(_SOUND, score=None), _after(past)) is None
    assert fault(replace(_SOUND, critic_loss=-9.0, wasserstein=9.5), _after(past)) is None
    assert fault(replace(_SOUND, wasserstein=-0.5, critic_loss=1.0), _after(past)) is None


@pytest.mark.parametrize("name", [field.name for field in fields(Signs)])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_is_named(name: str, value: float) -> None:
    assert fault(replace(_SOUND, **{name: value}), Watch()) == f"{name} is not finite"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"gradient_norm": 6.0}, "norm of 6 instead of 1"),
        ({"critic_loss": 80.0}, "critic's loss leapt to 80"),
        ({"generator_gradient_norm": 500.0}, "generator's gradient leapt"),
        ({"wasserstein": -4.0}, "takes samples for real"),
        ({"flat": 0.6}, "60% of the samples are of one grey"),
        ({"diversity": 0.1}, "became alike"),
        ({"score": 0.7}, "score leapt from 0.2 to 0.7"),
    ],
)
def test_each_way_to_fail_is_seen_and_named(changes: dict[str, float], reason: str) -> None:
    assert reason in str(fault(replace(_SOUND, **changes), _after(SETTLED)))


def test_what_is_usual_is_not_known_at_first() -> None:
    young = replace(_SOUND, wasserstein=-4.0, critic_loss=80.0)
    assert fault(young, _after(SETTLED - 1)) is None


def test_a_run_that_never_becomes_diverse_is_given_time() -> None:
    alike = replace(_SOUND, diversity=0.01)
    assert fault(alike, _after(PATIENCE - 1, alike)) is None
    assert "stay alike" in str(fault(alike, _after(PATIENCE, alike)))


def _signs(wasserstein: float, diversity: float, score: float) -> Signs:
    """As a 32 px GAN on organ7 showed them every 50 steps (docs/results.md)."""
    return Signs(-wasserstein, wasserstein, 1.1, 24.0, diversity, 0.0, score, noise=0.048)


#: The first 1,000 steps of a GAN that nobody harmed.
_LEARNING = (
    *(_signs(14.0, 0.75, 31.0), _signs(9.5, 0.8, 8.7), _signs(5.2, 0.71, 0.65)),
    *(_signs(3.6, 0.85, 0.39), _signs(3.3, 0.88, 0.3), _signs(3.0, 0.89, 0.29)),
    *(_signs(2.6, 0.87, 0.17), _signs(2.7, 0.85, 0.12), _signs(2.6, 0.89, 0.082)),
    *(_signs(2.4, 0.69, 0.086), _signs(2.5, 0.84, 0.091), _signs(2.4, 0.85, 0.131)),
    *(_signs(2.4, 0.84, 0.099), _signs(2.4, 0.8, 0.103), _signs(2.4, 0.72, 0.072)),
    *(_signs(2.4, 0.85, 0.067), _signs(2.3, 0.87, 0.06), _signs(2.1, 0.82, 0.055)),
)


def _watched(seen: tuple[Signs, ...]) -> Watch:
    watch = Watch()
    for step, signs in enumerate(seen):
        assert fault(signs, watch) is None, step
        watch = watch.after_healthy(signs, step)
    return watch


def test_a_run_that_learns_is_never_ill() -> None:
    _watched(_LEARNING)


@pytest.mark.parametrize("when", range(SETTLED + 1, len(_LEARNING)))
def test_a_critic_that_stopped_to_learn_is_seen_however_bad_the_run_began(when: int) -> None:
    """The generator leaves it behind: 50 steps turned 2.4 to -4.7, and KID 0.086 to 0.70."""
    watch = _watched(_LEARNING[:when])
    usual = _LEARNING[when - 1]
    left_behind = replace(usual, wasserstein=-2.0 * usual.wasserstein, critic_loss=5.3)
    assert "takes samples for real" in str(fault(left_behind, watch))


@pytest.mark.parametrize("when", range(9, len(_LEARNING)))
def test_a_score_of_the_first_steps_excuses_no_leap(when: int) -> None:
    watch = _watched(_LEARNING[:when])
    leapt = replace(_LEARNING[when - 1], score=0.7)
    assert "leapt" in str(fault(leapt, watch))
    assert fault(replace(leapt, score=0.18), watch) is None


def test_a_leap_within_the_noise_of_a_score_is_none() -> None:
    watch = _after(5, replace(_SOUND, score=0.01, noise=0.1))
    assert fault(replace(_SOUND, score=0.3, noise=0.1), watch) is None
    assert fault(replace(_SOUND, score=0.4, noise=0.1), watch) is not None


def test_a_score_about_zero_is_no_reason() -> None:
    perfect = replace(_SOUND, score=-0.01)
    assert fault(replace(_SOUND, score=0.05), _after(5, perfect)) is None


@given(scores=st.lists(st.none() | _FLOATS, max_size=2 * REMEMBERED), rollbacks=st.integers(0, 9))
def test_what_is_remembered_survives_json(scores: list[float | None], rollbacks: int) -> None:
    watch = Watch(rollbacks=rollbacks)
    for step, score in enumerate(scores):
        watch = watch.after_healthy(replace(_SOUND, score=score), step)
    assert Watch.from_json(watch.to_json()) == watch
    assert watch.rate == 0.5**rollbacks
    assert len(watch.healthy) == min(len(scores), REMEMBERED)
    known = [score for score in scores if score is not None]
    assert watch.best_score == min(known, default=None)
    if known:
        assert watch.best_step is not None
        assert scores[watch.best_step] == min(known)
