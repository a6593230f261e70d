import pytest
import torch
from torch import nn

from services.gan.domain.ema import effective_decay, update_average


def _network(value: float) -> nn.Module:
    network = nn.Linear(2, 1, bias=False)
    nn.init.constant_(network.weight, value)
    return network


def test_average_moves_by_one_minus_decay() -> None:
    average, source = _network(1.0), _network(3.0)
    update_average(average, source, decay=0.75, step=10_000)
    torch.testing.assert_close(average.get_parameter("weight"), torch.full((1, 2), 1.5))
    torch.testing.assert_close(source.get_parameter("weight"), torch.full((1, 2), 3.0))


def test_many_updates_follow_the_closed_form() -> None:
    average, source = _network(0.0), _network(1.0)
    for _ in range(20):
        update_average(average, source, decay=0.9, step=10_000)
    expected = 1.0 - 0.9**20
    assert average.get_parameter("weight")[0, 0].item() == pytest.approx(expected, rel=1e-5)


def test_decay_grows_to_its_limit() -> None:
    assert effective_decay(0.999, 0) == pytest.approx(0.1)
    decays = [effective_decay(0.95, step) for step in range(500)]
    assert decays == sorted(decays)
    assert decays[-1] == 0.95
