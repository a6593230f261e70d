"""Checks the licences of everything installed: ``python -m deploy.checks.licences``.

Permissive and weak copyleft licences pass, and so do CUDA's libraries, which torch links. A package
whose metadata does not name its licence passes only if it was read by a person, who names it here.
"""

import json
import subprocess
import sys
from pathlib import Path

ALLOWED = (
    "Apache",
    "BSD",
    "ISC",
    "LGPL",
    "MIT",
    "MPL",
    "Mozilla",
    "NVIDIA",
    "PSF",
    "Python Software Foundation",
)

#: Package and the licence that its own files state.
READ_BY_A_PERSON = {
    "axe-playwright-python": "MIT; the axe-core that it carries: MPL 2.0",
    "cuda-toolkit": "a metapackage of NVIDIA's libraries, under the CUDA EULA",
}
#: This project.
OURS = frozenset({"lesiongan"})


def refused() -> list[str]:
    """``name: licence`` of each installed package whose licence is not allowed."""
    tool = Path(sys.executable).parent / "pip-licenses"
    listing = subprocess.run(
        [str(tool), "--python", sys.executable, "--format", "json", "--from", "mixed"],
        capture_output=True,
        check=True,
        text=True,
    )
    found = [(entry["Name"], entry["License"]) for entry in json.loads(listing.stdout)]
    return [
        f"{name}: {licence}"
        for name, licence in found
        if name not in OURS
        and name not in READ_BY_A_PERSON
        and not any(allowed in licence for allowed in ALLOWED)
    ]


def main() -> None:
    """Exit with the names of packages whose licence is not allowed."""
    names = refused()
    if names:
        sys.exit("licences that are not allowed:\n  " + "\n  ".join(names))
    sys.stdout.write("Licences of all dependencies are allowed.\n")


if __name__ == "__main__":
    main()
