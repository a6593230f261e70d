"""A plan is data: the same for the same seed, and with everything in it that a run must meet."""

from tests.chaos.material import archive, bad_archive, image
from tests.chaos.plan import FLUSH, PAUSE, SERVERS, WORKERS, Plan, make_plan


def long_plan(seed: int = 1) -> Plan:
    return make_plan(seed=seed, seconds=180, jobs=300)


def test_a_seed_is_a_plan() -> None:
    assert long_plan() == long_plan()
    assert long_plan().kills != long_plan(2).kills
    assert long_plan().asks != long_plan(2).asks


def test_a_long_run_kills_everything() -> None:
    for seed in range(1, 6):
        struck = {kill.target for kill in long_plan(seed).kills}
        assert {*WORKERS, *SERVERS, "supervisor", FLUSH} <= struck
        assert any(target.startswith(PAUSE) for target in struck)


def test_blows_fall_within_the_run() -> None:
    times = [kill.at for kill in long_plan().kills]
    assert times == sorted(times)
    assert 0 < times[0] < times[-1] < 180


def test_a_short_run_spares_what_takes_long_to_start() -> None:
    for seed in range(1, 6):
        short = make_plan(seed=seed, seconds=50, jobs=9)
        struck = {kill.target for kill in short.kills}
        assert not short.long
        assert not struck & {"supervisor", "worker-second", PAUSE + "worker-second"}


def test_few_jobs_are_of_every_kind() -> None:
    few, many = make_plan(seed=3, seconds=15, jobs=40), long_plan(3)
    assert {ask.kind for ask in few.asks} == {ask.kind for ask in many.asks}
    assert {ask.expected for ask in few.asks} == {"succeeded", "failed", "cancelled"}
    assert any(ask.streamed for ask in few.asks)
    assert any(ask.twice for ask in many.asks)


def test_what_repeats_asks_for_the_same() -> None:
    asks = long_plan().asks
    repeats = [ask for ask in asks if ask.repeats is not None]
    assert repeats
    for ask in repeats:
        assert ask.repeats is not None
        first = asks[ask.repeats]
        assert first.at <= ask.at
        assert (first.path, first.params, first.json) == (ask.path, ask.params, ask.json)
        assert first.seed == ask.seed


def test_material_is_drawn_from_its_seed() -> None:
    assert archive(7) == archive(7) != archive(8)
    assert bad_archive(7) == bad_archive(7)
    assert image(7) == image(7) != image(7, deep=True)
