"""The file by which a container's health check sees that its process is well."""

import os
import time
from pathlib import Path

import pytest

from shared.worker import pulse
from shared.worker.pulse import Pulse


def test_a_started_pulse_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0.01)
    path = tmp_path / "pulse"
    Pulse(path).start()
    os.utime(path, (0, 0))
    for _ in range(1000):
        if path.stat().st_mtime > 0:
            return
        time.sleep(0.01)
    pytest.fail("it beat once only")


def test_one_beat_is_one_touch(tmp_path: Path) -> None:
    path = tmp_path / "pulse"
    Pulse(path).beat()
    assert path.exists()


def test_without_a_file_nothing_happens(tmp_path: Path) -> None:
    Pulse(None).start()
    Pulse(None).beat()
    assert not list(tmp_path.iterdir())
