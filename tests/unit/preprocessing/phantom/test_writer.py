import hashlib
import json
import zipfile
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import pytest

from lesiongan.contracts.categories import CATEGORIES, SPLITS
from services.preprocessing.domain.deeplesion_rows import COLUMNS, DeepLesionRow, read_rows
from services.preprocessing.domain.hounsfield import decode_hu
from services.preprocessing.domain.phantom import write_phantoms, writer
from services.preprocessing.domain.phantom.patients import SPACING_MM
from shared.errors import BadInput
from tests.unit.preprocessing.phantom.conftest import LESIONS_PER_CATEGORY, SEED, Written


@pytest.fixture(scope="module")
def archive(written: Written) -> zipfile.ZipFile:
    with zipfile.ZipFile(written.path) as archive:
        members = {info.filename: info for info in archive.infolist()}
        assert all(info.compress_type == zipfile.ZIP_STORED for info in members.values())
        assert all(info.date_time == (1980, 1, 1, 0, 0, 0) for info in members.values())
    return zipfile.ZipFile(written.path)


@pytest.fixture(scope="module")
def rows(archive: zipfile.ZipFile) -> list[DeepLesionRow]:
    return list(read_rows(archive.read("DL_info.csv")).rows)


def test_header_has_the_original_columns_in_order(archive: zipfile.ZipFile) -> None:
    header = archive.read("DL_info.csv").decode().splitlines()[0]
    assert header.split(",") == list(COLUMNS)


def test_every_row_parses_and_names_a_slice_in_the_archive(
    archive: zipfile.ZipFile, rows: list[DeepLesionRow]
) -> None:
    images = {name for name in archive.namelist() if name.startswith("Images_png/")}
    assert {row.path for row in rows} == images
    for row in rows:
        patient, study, series = (row.path.split("/")[1]).split("_")
        assert (int(patient), int(study), int(series)) == (row.patient, row.study, row.series)
        assert row.slice_range[0] <= row.key_slice <= row.slice_range[1]
        assert all(0.0 <= value <= 1.0 for value in row.location)
        assert SPACING_MM[0] <= row.spacing_mm[0] <= SPACING_MM[1]
        assert not row.box_clipped


def test_slices_are_16_bit_and_hold_air_and_tissue(archive: zipfile.ZipFile) -> None:
    for name in archive.namelist():
        if not name.endswith(".png"):
            continue
        stored = cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_UNCHANGED)
        assert stored is not None
        assert stored.dtype == np.uint16
        assert stored.shape == (512, 512)
        hu = decode_hu(np.asarray(stored, dtype=np.uint16))
        assert -1024 <= hu.min() < -980
        assert 400 < hu.max() <= 3071
        assert 0.08 < ((hu > -200) & (hu < 200)).mean() < 0.8


def test_patients_are_in_one_split_and_categories_in_all(rows: list[DeepLesionRow]) -> None:
    splits_of_patient = defaultdict(set)
    for row in rows:
        splits_of_patient[row.patient].add(row.split)
    assert all(len(splits) == 1 for splits in splits_of_patient.values())
    for category in CATEGORIES:
        of_category = [row for row in rows if row.category == category]
        assert len(of_category) == LESIONS_PER_CATEGORY
        assert {row.split for row in of_category} == set(SPLITS)


def test_summary_counts_what_the_archive_holds(
    written: Written, archive: zipfile.ZipFile, rows: list[DeepLesionRow]
) -> None:
    summary = written.summary
    assert summary.lesions == len(rows) == LESIONS_PER_CATEGORY * len(CATEGORIES)
    assert summary.slices == sum(name.endswith(".png") for name in archive.namelist())
    assert summary.patients == len({row.patient for row in rows})
    assert summary.bytes == written.path.stat().st_size
    for split in SPLITS:
        for category in CATEGORIES:
            count = sum(row.split == split and row.category == category for row in rows)
            assert summary.counts[split][category] == count
    assert written.progress == [(n, summary.slices) for n in range(1, summary.slices + 1)]


def test_mark_says_that_it_is_a_phantom(archive: zipfile.ZipFile) -> None:
    mark = json.loads(archive.read("phantom.json"))
    assert mark["generator"] == "lesiongan-ct-phantom"
    assert mark["version"] >= 1
    assert (mark["seed"], mark["difficulty"]) == (SEED, 0.5)


def test_same_seed_gives_the_same_bytes(written: Written, tmp_path: Path) -> None:
    again = tmp_path / "again.zip"
    write_phantoms(again, lesions_per_category=LESIONS_PER_CATEGORY, seed=SEED)
    digests = [hashlib.sha256(path.read_bytes()).digest() for path in (written.path, again)]
    assert digests[0] == digests[1]


def test_another_seed_gives_other_images(written: Written, tmp_path: Path) -> None:
    other = tmp_path / "other.zip"
    write_phantoms(other, lesions_per_category=3, seed=SEED + 1)
    checksums = []
    for path in (written.path, other):
        with zipfile.ZipFile(path) as archive:
            checksums.append({info.CRC for info in archive.infolist()})
    assert not checksums[0] & checksums[1]


def test_nothing_is_left_when_the_caller_stops_it(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "phantom.zip"
    path.write_bytes(b"what was good before")
    with pytest.raises(KeyboardInterrupt):
        write_phantoms(path, lesions_per_category=3, on_progress=stop)
    assert path.read_bytes() == b"what was good before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["phantom.zip"]


@pytest.mark.parametrize("difficulty", [-0.01, 1.01, float("nan")])
def test_refuses_a_difficulty_outside_its_range(tmp_path: Path, difficulty: float) -> None:
    with pytest.raises(BadInput, match="difficulty"):
        write_phantoms(tmp_path / "phantom.zip", difficulty=difficulty)


def test_refuses_too_few_lesions_for_three_splits(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="at least 3"):
        write_phantoms(tmp_path / "phantom.zip", lesions_per_category=2)


def test_processes_draw_what_one_process_draws(
    written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_WORTH_PROCESSES", 0)
    path = tmp_path / "parallel.zip"
    write_phantoms(path, lesions_per_category=LESIONS_PER_CATEGORY, seed=SEED)
    assert path.read_bytes() == written.path.read_bytes()
