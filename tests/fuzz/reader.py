"""Reads uploads with the domain's own readers, in a process that does nothing else.

``python -m tests.fuzz.reader SCRATCH``: a line of JSON in (``path``, ``layout``), one out.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lesiongan.contracts.datasets import Layout
from services.preprocessing.domain.archives import ArchiveLimits, open_archive
from services.preprocessing.domain.layouts import open_layout
from services.preprocessing.domain.raw_images import Skipped
from shared.errors import BadInput

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGING = frozenset({"os.mkdir", "os.link", "os.symlink", "os.rename", "os.remove", "os.rmdir"})


class Watch:
    """Hears, by Python's audit events, of every file that is written or changed elsewhere."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = str(scratch.resolve())
        self.elsewhere: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        changes = event in _CHANGING
        if event == "open":
            mode, flags = arguments[1], arguments[2]
            writes = bool(flags & _WRITING) or any(letter in "wax+" for letter in mode or "")
            changes = writes and not str(arguments[0]).isdigit()
        if changes and not str(arguments[0]).startswith(self._scratch):
            self.elsewhere.append(f"{event} {arguments[0]}")


def peak_bytes() -> int:
    """The most memory that the process held since :func:`forget_peak` (Linux: VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024


def forget_peak() -> None:
    """Peak memory counts from now on."""
    Path("/proc/self/clear_refs").write_text("5")


def read(path: Path, layout: Layout, scratch: Path) -> str:
    """What becomes of an upload: ``taken``, ``refused``, or the name of an unforeseen error."""
    try:
        with (
            path.open("rb") as file,
            open_archive(file, ArchiveLimits(), temporary_folder=str(scratch)) as source,
        ):
            images = open_layout(source, layout)
            items = list(_without_pixels(images.items()))
        assert len(items) <= images.expected
    except BadInput as error:
        return "refused" if error.detail.strip() else "CRASH: a refusal without a reason"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
        return f"CRASH {type(error).__name__}: {error}"[:300]
    return "taken with a report" if "skipped" in items else "taken"


def _without_pixels(items: Iterator[Any]) -> Iterator[str]:
    """As the worker does, hold one image at a time."""
    for item in items:
        yield "skipped" if isinstance(item, Skipped) else "image"


def main() -> None:
    """Answer each line until there is none."""
    scratch = Path(sys.argv[1])
    watch = Watch(scratch)
    idle = None
    for line in sys.stdin:
        asked = json.loads(line)
        watch.elsewhere.clear()
        forget_peak()
        before = peak_bytes()
        idle = before if idle is None else idle
        started = time.perf_counter()
        outcome = read(Path(asked["path"]), asked["layout"], scratch)
        answer = {
            "outcome": outcome,
            "seconds": time.perf_counter() - started,
            "above_idle_bytes": peak_bytes() - idle,
            "left": [each.name for each in scratch.iterdir()],
            "elsewhere": [each for each in watch.elsewhere if "clear_refs" not in each],
        }
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
