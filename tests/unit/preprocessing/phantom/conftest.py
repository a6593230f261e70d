"""One small phantom archive for all tests that read what is written."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from services.preprocessing.domain.phantom import PhantomSummary, write_phantoms

LESIONS_PER_CATEGORY = 4
SEED = 11


@dataclass(frozen=True)
class Written:
    path: Path
    summary: PhantomSummary
    progress: list[tuple[int, int]]


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    path = tmp_path_factory.mktemp("phantom") / "phantom.zip"
    progress: list[tuple[int, int]] = []
    summary = write_phantoms(
        path,
        lesions_per_category=LESIONS_PER_CATEGORY,
        seed=SEED,
        on_progress=lambda done, total: progress.append((done, total)),
    )
    return Written(path, summary, progress)
