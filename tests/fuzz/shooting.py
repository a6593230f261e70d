"""Sends mutated uploads to :mod:`tests.fuzz.reader` and says what came back."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fuzz.good import Upload
from tests.fuzz.mutations import MUTATIONS, uploads

#: What reading one upload may hold beyond what the process holds when it does nothing.
MEMORY_LIMIT_BYTES = 300 * 2**20


@dataclass(frozen=True)
class Shot:
    """One upload, by the number that it has in its seed's series, and what became of it."""

    number: int
    mutation: str
    outcome: str
    seconds: float
    above_idle_bytes: int
    faults: tuple[str, ...]


def shoot(
    count: int,
    folder: Path,
    *,
    seed: int,
    heavy: bool = True,
    on_shot: Callable[[Shot], None] = lambda _: None,
) -> list[Shot]:
    """``count`` uploads of a seed, one after the other; ``folder`` holds one of them at a time."""
    scratch = folder / "scratch"
    scratch.mkdir()
    shots = []
    with subprocess.Popen(
        (sys.executable, "-m", "tests.fuzz.reader", str(scratch)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as reader:
        for number, (mutation, upload) in enumerate(uploads(count, seed=seed, heavy=heavy)):
            answer = _ask(reader, folder / "upload", upload)
            shots.append(_shot(number, mutation, answer))
            on_shot(shots[-1])
            if reader.poll() is not None:
                break
        assert reader.stdin is not None
        reader.stdin.close()
    return shots


def _ask(reader: subprocess.Popen[str], path: Path, upload: Upload) -> dict[str, Any]:
    assert reader.stdin is not None
    assert reader.stdout is not None
    path.write_bytes(upload.data)
    reader.stdin.write(json.dumps({"path": str(path), "layout": upload.layout}) + "\n")
    reader.stdin.flush()
    line = reader.stdout.readline()
    if not line:
        return {"outcome": f"CRASH: the process ended with {reader.wait()}"}
    answer: dict[str, Any] = json.loads(line)
    return answer


def _shot(number: int, mutation: str, answer: dict[str, Any]) -> Shot:
    outcome: str = answer["outcome"]
    above = int(answer.get("above_idle_bytes", 0))
    faults = [outcome] if outcome.startswith("CRASH") else []
    faults += [f"left behind: {name}" for name in answer.get("left", [])]
    faults += [f"written elsewhere: {event}" for event in answer.get("elsewhere", [])]
    if above > MEMORY_LIMIT_BYTES:
        faults.append(f"{above >> 20} MiB above idle")
    seconds = float(answer.get("seconds", 0))
    return Shot(number, mutation, outcome.split(":", maxsplit=1)[0], seconds, above, tuple(faults))


def table(shots: Sequence[Shot]) -> str:
    """Mutation by outcome, with the peak of memory above idle and the slowest."""
    outcomes = sorted({shot.outcome for shot in shots})
    head = _line(["mutation", *outcomes, "MiB above idle", "slowest (s)"])
    grouped = {name: [s for s in shots if s.mutation == name] for name in sorted(MUTATIONS)}
    lines = [_summary(name, group, outcomes) for name, group in grouped.items() if group]
    return "\n".join([head, *lines, _summary("all", shots, outcomes)]) + "\n"


def _summary(name: str, shots: Sequence[Shot], outcomes: Iterable[str]) -> str:
    counts = Counter(shot.outcome for shot in shots)
    peak = max(shot.above_idle_bytes for shot in shots) / 2**20
    slowest = max(shot.seconds for shot in shots)
    return _line([name, *(str(counts[each]) for each in outcomes), f"{peak:.0f}", f"{slowest:.2f}"])


def _line(cells: Sequence[str]) -> str:
    return f"{cells[0]:24}" + "".join(f"{cell:>21}" for cell in cells[1:])
