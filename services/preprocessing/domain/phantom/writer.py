"""The phantom data set as one ZIP, in DeepLesion's layout."""

import json
import zipfile
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lesiongan.contracts.categories import SPLITS, Category, Split
from services.preprocessing.domain.deeplesion_rows import TABLE
from services.preprocessing.domain.hounsfield import encode_hu
from services.preprocessing.domain.layout_root import PHANTOM_MARK
from services.preprocessing.domain.phantom.annotation_rows import image_path, row_of, table
from services.preprocessing.domain.phantom.cohort import DEFAULT_SHARES, PatientPlan, draw_cohort
from services.preprocessing.domain.phantom.difficulty import Difficulty
from services.preprocessing.domain.phantom.slices import render_slice

GENERATOR = "lesiongan-ct-phantom"
#: Raised by hand whenever the same seed would give other pixels.
VERSION = 1

_WORKERS = 2
_PATIENTS_AHEAD = 6
#: Slices below which starting processes takes longer than it saves.
_WORTH_PROCESSES = 100
#: Low compression, with the filter that suits smooth 16-bit images: speed counts, size hardly.
_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_SUB]


@dataclass(frozen=True, slots=True)
class PhantomSummary:
    """What was written. ``counts`` are lesions (rows), by split and category."""

    lesions: int
    slices: int
    patients: int
    counts: dict[Split, dict[Category, int]]
    bytes: int


@dataclass(frozen=True, slots=True)
class _Drawn:
    name: str
    png: bytes
    rows: list[list[str]]


def write_phantoms(
    path: Path,
    *,
    lesions_per_category: int = 100,
    seed: int = 0,
    difficulty: float = 0.5,
    shares: Mapping[Split, float] = DEFAULT_SHARES,
    on_progress: Callable[[int, int], None] | None = None,
) -> PhantomSummary:
    """Write a ZIP of procedural CT slices, annotated like DeepLesion, to ``path``.

    It holds ``Images_png/<patient>_<study>_<series>/<slice>.png`` (uint16 ``[512, 512]``, HU +
    32768), ``DL_info.csv``, and ``phantom.json``, which says that nobody was scanned. The same
    arguments give the same bytes (on the same builds of numpy and OpenCV). ``on_progress`` is
    told slices done and slices in all, from the calling thread. ``path`` appears when it is
    complete; a few patients are in memory at a time. From 100 slices on, two processes draw: a
    script that calls this must guard its entry with ``if __name__ == "__main__"``.

    Raises BadInput for fewer than 3 lesions a category or a difficulty outside 0 to 1.
    """
    hardness = Difficulty(difficulty)
    cohort = draw_cohort(seed, lesions_per_category, hardness, shares)
    total = sum(len(plan.slices) for plan in cohort)
    rows: list[list[str]] = []
    partial = path.with_name(path.name + ".part")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
            _add(archive, PHANTOM_MARK, _mark(lesions_per_category, seed, difficulty))
            for done, drawn in enumerate(_draw_all(cohort, hardness), start=1):
                _add(archive, drawn.name, drawn.png)
                rows += drawn.rows
                if on_progress is not None:
                    on_progress(done, total)
            _add(archive, TABLE, table(rows))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return PhantomSummary(len(rows), total, len(cohort), _counts(cohort), path.stat().st_size)


def _draw_all(cohort: Sequence[PatientPlan], difficulty: Difficulty) -> Iterator[_Drawn]:
    """Slices in the cohort's order. Large cohorts are drawn by processes, a few patients ahead.

    Threads would wait for each other: half of the painting is Python. Processes are spawned, as a
    fork of a process that runs threads may hang.
    """
    if sum(len(plan.slices) for plan in cohort) < _WORTH_PROCESSES:
        for patient in cohort:
            yield from _draw(patient, difficulty)
        return
    waiting: deque[Future[list[_Drawn]]] = deque()
    with ProcessPoolExecutor(_WORKERS, mp_context=get_context("spawn")) as pool:
        for patient in cohort:
            waiting.append(pool.submit(_draw, patient, difficulty))
            if len(waiting) >= _PATIENTS_AHEAD:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _draw(patient: PatientPlan, difficulty: Difficulty) -> list[_Drawn]:
    drawn = []
    for plan in patient.slices:
        rendered = render_slice(plan, difficulty)
        rows = [row_of(plan, mark, patient.split) for mark in rendered.marks]
        drawn.append(_Drawn(image_path(plan), _png_of(rendered.hu), rows))
    return drawn


def _png_of(hu: NDArray[np.int16]) -> bytes:
    _, encoded = cv2.imencode(".png", encode_hu(hu), _PNG)
    return encoded.tobytes()


def _mark(lesions_per_category: int, seed: int, difficulty: float) -> bytes:
    mark = {
        "generator": GENERATOR,
        "version": VERSION,
        "seed": seed,
        "difficulty": difficulty,
        "lesions_per_category": lesions_per_category,
    }
    return (json.dumps(mark, indent=2) + "\n").encode()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Add a member with a fixed time and mode: the archive's bytes depend on nothing else."""
    member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    member.create_system = 3
    member.external_attr = 0o644 << 16
    archive.writestr(member, content)


def _counts(cohort: Sequence[PatientPlan]) -> dict[Split, dict[Category, int]]:
    counts: dict[Split, Counter[Category]] = {split: Counter() for split in SPLITS}
    for patient in cohort:
        for plan in patient.slices:
            counts[patient.split][plan.category] += plan.lesions
    return {split: dict(counter) for split, counter in counts.items()}
