"""The short form of the chaos run; ``make chaos`` is the long one."""

from pathlib import Path

import pytest

from tests.chaos.plan import make_plan
from tests.chaos.run import Limits, run


@pytest.mark.timeout(400)  # a minute on two idle cores
def test_no_job_is_lost_while_everything_is_killed(tmp_path: Path) -> None:
    plan = make_plan(seed=161, seconds=18, jobs=40)
    broken = run(plan, tmp_path / "home", Limits(remade=5), logs=tmp_path / "logs")
    assert broken == []
