"""What the documents say is done: each command and each cell, in order, on the running stack."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image

from tests.e2e.conftest import Stack
from tests.unit.preprocessing.dicom.builders import ct, written

DOCS = Path(__file__).parents[2] / "docs"
NOTEBOOK = DOCS / "notebooks" / "from-upload-to-report.ipynb"


def blocks(document: str, language: str) -> str:
    """All code blocks of one language, one behind the other."""
    text = (DOCS / document).read_text(encoding="utf-8")
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE))


def run(
    program: list[str], stack: Stack, folder: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """A program in ``folder`` that finds the stack by its environment."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "LESIONGAN_URL": stack.description["url"],
        "LESIONGAN_KEY": stack.description["key"],
        "XDG_CONFIG_HOME": str(folder / "config"),
        **variables,
    }
    return subprocess.run(
        program, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def folder(tmp_path: Path, phantoms: Path) -> Path:
    """A folder with the archive that the documents upload."""
    shutil.copy(phantoms, tmp_path / "phantoms.zip")
    return tmp_path


@pytest.mark.timeout(300)
def test_every_command_of_the_command_lines_page(stack: Stack, folder: Path) -> None:
    script = f"set -euo pipefail\n{blocks('cli.md', 'sh')}"
    done = run(["bash", "-c", script], stack, folder)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    for name in ("sheet.png", "grid.png", "images.zip", "liver.zip", "report.html", "lesion.png"):
        assert (folder / name).stat().st_size > 100, name
    assert json.loads((folder / "job.json").read_text())["status"] == "succeeded"
    assert "there is no" in done.stderr, "the data set that is not there is named"


def test_every_line_of_the_clients_page(stack: Stack, folder: Path) -> None:
    done = run([sys.executable, "-W", "error", "-c", blocks("client.md", "python")], stack, folder)
    assert done.returncode == 0, done.stderr
    assert "404 /errors/not-found Not found" in done.stdout
    assert "uint8 ('bone', 'abdomen'" in done.stdout
    for name in ("liver.zip", "a.zip", "b.zip", "generator.safetensors"):
        assert (folder / name).stat().st_size > 100, name


@pytest.mark.timeout(300)
def test_the_tutorial(stack: Stack, tmp_path: Path) -> None:
    commands = blocks("tutorial.md", "sh")
    assert "lesions_per_category=40" in commands
    fewer = commands.replace("lesions_per_category=40", "lesions_per_category=16")
    script = f"set -euo pipefail\n{fewer}"
    few = {"STEPS": "4", "CLASSIFIER_STEPS": "4"}
    done = run(["bash", "-c", script], stack, tmp_path, **few)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "(100, 1, 32, 32)" in done.stdout
    for name in ("crops.png", "samples.png", "metrics.json", "liver.zip", "report.html"):
        assert (tmp_path / name).stat().st_size > 100, name


def test_bringing_dicom_files(stack: Stack, raw: str, preprocessed: str, tmp_path: Path) -> None:
    with ZipFile(tmp_path / "scans.zip", "w") as archive:
        for number in (1, 2):
            archive.writestr(f"study/{number}", written(ct(number=number)))
        rows = ["sop_instance_uid,category", f"{ct(number=2).SOPInstanceUID},liver"]
        archive.writestr("lesions.csv", "\n".join(rows))
    (tmp_path / "slice.dcm").write_bytes(stack.api.dicom(raw, 0))
    command = {"datasets": [preprocessed], "architecture": "small_cnn", "steps": 1}
    trained = stack.api.ended(stack.api.post("/classifiers", command))["output"]["classifier"]
    script = f"set -euo pipefail\n{blocks('dicom.md', 'sh')}"
    done = run(["bash", "-c", script], stack, tmp_path, CLASSIFIER=trained)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    made = stack.api.json("/datasets", limit=1)["items"][0]
    assert (made["images"], made["name"]) == (1, "ours"), "the second upload finds it made"
    assert '"crop":"lesion"' in done.stdout.replace(" ", "")


def test_bringing_ones_own_images(stack: Stack, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for category in ("liver", "lung"):
        for patient in range(12):
            for number in range(2):
                pixels = random.integers(0, 255, (40, 40), dtype=np.uint8)
                name = f"{category}-{patient:02}-slice{number}.png"
                Image.fromarray(pixels).save(tmp_path / name)
    script = f"set -euo pipefail\n{blocks('own-data.md', 'sh')}"
    done = run(["bash", "-c", script], stack, tmp_path)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    rows = (tmp_path / "mine" / "manifest.csv").read_text().splitlines()
    assert rows[1] == "images/liver/liver-00-slice0.png,liver,liver-00,"
    assert "patients: 24 in all" in done.stdout
    assert (tmp_path / "mine.png").stat().st_size > 100


def test_calling_it_from_another_system(stack: Stack, folder: Path) -> None:
    script = f"set -euo pipefail\n{blocks('other-systems.md', 'sh')}"
    done = run(["bash", "-c", script], stack, folder)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "event: completed" in done.stdout
    assert "train/bone/" in done.stdout


def cells() -> Iterator[str]:
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            yield "".join(cell["source"])


def test_every_cell_of_the_notebook(stack: Stack, tmp_path: Path) -> None:
    done = run(
        [sys.executable, "-c", "\n".join(cells())],
        stack,
        tmp_path,
        MPLBACKEND="Agg",
    )
    assert done.returncode == 0, done.stderr
    assert "accuracy" in done.stdout
    assert "<html" in (tmp_path / "report.html").read_text()


def test_the_notebook_is_one(tmp_path: Path) -> None:
    notebook: dict[str, Any] = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    kept = [cell for cell in notebook["cells"] if cell.get("outputs")]
    assert not kept, "outputs are made by whoever runs it"
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
