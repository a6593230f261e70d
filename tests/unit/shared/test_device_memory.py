import gc
import sys

import pytest
import torch

from shared.worker import device_memory


@pytest.mark.parametrize("used", [True, False])
def test_memory_is_given_back_where_a_gpu_was_used(
    monkeypatch: pytest.MonkeyPatch, *, used: bool
) -> None:
    said: list[str] = []
    monkeypatch.setattr(gc, "collect", lambda: said.append("collects"))
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: used)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: said.append("empties"))
    device_memory.give_back()
    assert said == (["collects", "empties"] if used else [])


def test_a_process_without_torch_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    device_memory.give_back()
    assert "torch" not in sys.modules
