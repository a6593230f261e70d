"""The phantom data set as one ZIP, in DeepLesion's layout."""

import csv
import io
import json
import os
import zipfile
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lesiongan.contracts.categories import SPLITS, Category, Split
from services.preprocessing.domain.phantom.cohort import DEFAULT_SHARES, PatientPlan, draw_cohort
from services.preprocessing.domain.phantom.deeplesion_rows import COLUMNS, image_path, row
from services.preprocessing.domain.phantom.difficulty import Difficulty
from services.preprocessing.domain.phantom.slices import SlicePlan, render_slice

GENERATOR = "lesiongan-ct-phantom"
#: Raised by hand whenever the same seed would give other pixels.
VERSION = 1

_HU_OFFSET = 32768
_WORKERS = 2
_IN_FLIGHT = 6
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
    complete; a few slices are in memory at a time.

    Raises BadInput for fewer than 3 lesions a category or a difficulty outside 0 to 1.
    """
    hardness = Difficulty(difficulty)
    cohort = draw_cohort(seed, lesions_per_category, hardness, shares)
    total = sum(len(plan.slices) for plan in cohort)
    rows: list[list[str]] = []
    partial = path.with_name(path.name + ".part")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
            _add(archive, "phantom.json", _mark(lesions_per_category, seed, difficulty))
            for done, drawn in enumerate(_draw_all(cohort, hardness), start=1):
                _add(archive, drawn.name, drawn.png)
                rows += drawn.rows
                if on_progress is not None:
                    on_progress(done, total)
            _add(archive, "DL_info.csv", _table(rows))
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return PhantomSummary(len(rows), total, len(cohort), _counts(cohort), path.stat().st_size)


def _draw_all(cohort: Sequence[PatientPlan], difficulty: Difficulty) -> Iterator[_Drawn]:
    """Slices in order, drawn a few ahead by threads: numpy and OpenCV let go of the lock."""
    waiting: deque[Future[_Drawn]] = deque()
    with ThreadPoolExecutor(_WORKERS) as pool:
        for patient in cohort:
            for plan in patient.slices:
                waiting.append(pool.submit(_draw, plan, patient.split, difficulty))
                if len(waiting) >= _IN_FLIGHT:
                    yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _draw(plan: SlicePlan, split: Split, difficulty: Difficulty) -> _Drawn:
    drawn = render_slice(plan, difficulty)
    rows = [row(plan, mark, split) for mark in drawn.marks]
    return _Drawn(image_path(plan), encode_hu(drawn.hu), rows)


def encode_hu(hu: NDArray[np.int16]) -> bytes:
    """int16 HU ``[H, W]`` as DeepLesion's PNG: uint16, HU + 32768."""
    stored = (hu.astype(np.int32) + _HU_OFFSET).astype(np.uint16)
    _, encoded = cv2.imencode(".png", stored, _PNG)
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


def _table(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows(rows)
    return text.getvalue().encode()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Add a member with a fixed time and mode, so that the archive's bytes depend on nothing else."""
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
