"""``python -m tests.fuzz --uploads 2000``: mutated uploads, and a table of what became of them."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.fuzz.shooting import Shot, shoot, table


def main() -> None:
    """Print the table, and each fault; exit with 1 if there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uploads", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        shots = shoot(options.uploads, Path(folder), seed=options.seed, on_shot=_report)
    sys.stdout.write(table(shots))
    if len(shots) < options.uploads or any(shot.faults for shot in shots):
        sys.exit(1)


def _report(shot: Shot) -> None:
    for fault in shot.faults:
        sys.stdout.write(f"upload {shot.number} ({shot.mutation}): {fault}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
