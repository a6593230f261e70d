"""Progress without a terminal."""

import pytest

from lesiongan.cli.progress import display


def test_lines_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    with display() as shown, shown.step("train") as step:
        for done in range(10):
            clock[0] += 1
            step.update(done, 10, f"{done} steps", eta_seconds=75)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "train: …",
        "train: 40 % 4 steps  ETA 1:15",
        "train: 90 % 9 steps  ETA 1:15",
        "train: done in 10.0 s 9 steps",
    ]


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with display(quiet=True) as shown, shown.step("train") as step:
        step.update(1, 1)
    assert capsys.readouterr().err == ""


def test_a_step_that_fails_is_not_called_done(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError), display() as shown, shown.step("train"):
        raise RuntimeError
    assert capsys.readouterr().err == "train: …\n"
