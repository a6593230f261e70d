"""Mutated uploads through the domain's readers; ``python -m tests.fuzz`` sends thousands."""

import hashlib
import time
from pathlib import Path

import pytest

from tests.fuzz.mutations import HEAVY, MUTATIONS, uploads
from tests.fuzz.shooting import shoot, table

COUNT = 150


def test_every_upload_is_taken_in_or_refused(tmp_path: Path) -> None:
    shots = shoot(COUNT, tmp_path, seed=0, heavy=False)
    assert len(shots) == COUNT
    assert not [shot for shot in shots if shot.faults], table(shots)
    outcomes = {shot.outcome for shot in shots if shot.mutation == "sound"}
    assert outcomes == {"taken"}, "nothing reaches the readers"
    assert {shot.outcome for shot in shots} == {"taken", "taken with a report", "refused"}


def test_a_seed_stands_for_the_same_uploads(monkeypatch: pytest.MonkeyPatch) -> None:
    first = _digests(3)
    monkeypatch.setattr(time, "time", lambda: 1e9)  # what archives note of a member
    assert _digests(3) == first
    assert _digests(4) != first


def _digests(seed: int) -> list[str]:
    made = uploads(160, seed=seed, heavy=False)
    return [hashlib.sha256(each.data).hexdigest() for _, each in made]


def test_every_mutation_comes_up() -> None:
    assert set(MUTATIONS) > HEAVY
    light = {name for name, _ in uploads(8 * len(MUTATIONS), seed=0, heavy=False)}
    assert light == set(MUTATIONS) - HEAVY
