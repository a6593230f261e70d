"""Mutated uploads through the domain's readers; ``python -m tests.fuzz`` sends thousands."""

from pathlib import Path

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


def test_a_seed_stands_for_the_same_uploads() -> None:
    first, again = ([u.data for _, u in uploads(60, seed=3, heavy=False)] for _ in range(2))
    assert first == again
    assert first != [u.data for _, u in uploads(60, seed=4, heavy=False)]


def test_every_mutation_comes_up() -> None:
    assert set(MUTATIONS) > HEAVY
    light = {name for name, _ in uploads(8 * len(MUTATIONS), seed=0, heavy=False)}
    assert light == set(MUTATIONS) - HEAVY
