"""``python -m tests.chaos --seconds 180 --jobs 300 --seed 1``; exit code 1 if anything broke."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.chaos.plan import make_plan
from tests.chaos.run import Limits, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--seconds", type=float, default=180.0, help="how long is killed")
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--remade", type=int, default=40, help="results made again and compared")
    parser.add_argument("--logs", type=Path, help="folder that takes what the processes logged")
    options = parser.parse_args()
    plan = make_plan(seed=options.seed, seconds=options.seconds, jobs=options.jobs)
    with tempfile.TemporaryDirectory(prefix="lesiongan-chaos-") as folder:
        limits = Limits(remade=options.remade)
        broken = run(plan, Path(folder) / "home", limits, logs=options.logs)
    sys.stdout.write(f"{len(broken)} broken\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
