"""What GPUs say, as far as a machine without one can tell."""

import sys

import pytest

from shared.observability.devices import DeviceCollector, memory_fraction


def test_a_process_without_torch_is_not_made_to_load_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert [family.samples for family in DeviceCollector().collect()] == [[], []]
    assert "torch" not in sys.modules


@pytest.mark.parametrize(
    ("configuration", "fraction"),
    [
        ("per_process_memory_fraction:0.45", 0.45),
        ("expandable_segments:True,per_process_memory_fraction:0.15", 0.15),
        ("expandable_segments:True", None),
        ("", None),
    ],
)
def test_the_fraction_of_an_allocators_configuration(
    monkeypatch: pytest.MonkeyPatch, configuration: str, fraction: float | None
) -> None:
    monkeypatch.setenv("PYTORCH_ALLOC_CONF", configuration)
    assert memory_fraction() == fraction
