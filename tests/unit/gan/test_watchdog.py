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
