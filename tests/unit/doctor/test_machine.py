"""What the doctor says of a machine."""

from pathlib import Path

import pytest

from deploy.doctor.machine import GIB, check_disk, check_shares, check_threads


@pytest.mark.parametrize(
    ("free", "level"), [(100 * GIB, "ok"), (5 * GIB, "warning"), (GIB // 2, "error")]
)
def test_a_disk(free: int, level: str, tmp_path: Path) -> None:
    found = list(check_disk(tmp_path, free=lambda _: free))
    assert [each.level for each in found] == [level, level]
    assert str(tmp_path) in found[1].said
    assert len(list(check_disk(None, free=lambda _: free))) == 1


def test_threads_beyond_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("LESIONGAN_GAN_THREADS", "8")
    (found,) = check_threads(4)
    assert found.level == "warning"
    assert "LESIONGAN_GAN_THREADS is 8" in found.said
    (found,) = check_threads(8)
    assert found.level == "ok"


@pytest.mark.parametrize(
    ("shares", "level"),
    [
        ([("gpu-a", 0.45), ("gpu-a", 0.25), ("gpu-a", 0.15), ("gpu-a", 0.05)], "ok"),
        ([("gpu-a", 0.6), ("gpu-a", 0.6)], "error"),
        ([("gpu-a", None), ("gpu-a", 0.2)], "warning"),
        ([("gpu-a", None)], "ok"),
    ],
)
def test_shares_of_one_gpu(shares: list[tuple[str, float | None]], level: str) -> None:
    (found,) = check_shares(shares)
    assert found.level == level


def test_gpus_are_judged_apart() -> None:
    found = list(check_shares([("gpu-b", 0.7), ("gpu-a", 0.7)]))
    assert [(each.level, each.said[:5]) for each in found] == [("ok", "gpu-a"), ("ok", "gpu-b")]
