"""What a process has imported."""

import subprocess
import sys
from collections.abc import Sequence


def imported(program: str, modules: Sequence[str]) -> list[str]:
    """Those of ``modules`` that a new interpreter has loaded once it has run ``program``."""
    asked = f"import sys; {program}; print(*[m for m in {list(modules)!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", asked], capture_output=True, check=True, text=True)
    return run.stdout.split()
