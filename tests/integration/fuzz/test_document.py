"""Schemathesis over the whole document, with every check it has, as an admin.

``make fuzz`` runs it longer: ``LESIONGAN_FUZZ_EXAMPLES`` is the number of random cases of each
operation, beside the systematic ones.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live import LiveApi

ROOT = Path(__file__).parents[3]
EXAMPLES = os.environ.get("LESIONGAN_FUZZ_EXAMPLES", "")


@pytest.mark.timeout(3600 if EXAMPLES else 180)
def test_the_server_keeps_to_its_document(target: LiveApi, tmp_path: Path) -> None:
    phases = "examples,coverage,fuzzing,stateful" if EXAMPLES else "examples,coverage"
    run = subprocess.run(
        [
            str(Path(sys.executable).parent / "st"),
            *("--config-file", str(Path(__file__).parent / "schemathesis.toml")),
            *("run", str(ROOT / "docs" / "openapi.json"), "--url", target.url),
            *("--checks", "all", "--phases", phases, "--workers", "1"),
            *("--max-examples", EXAMPLES or "1", "--generation-deterministic"),
            *("--continue-on-failure", "--warnings", "off", "--no-color"),
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "LESIONGAN_FUZZ_URL": target.url,
            "LESIONGAN_FUZZ_KEY": target.key,
        },
        stdout=None if EXAMPLES else subprocess.PIPE,  # hours are watched as they pass
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    with target.client() as client:
        keys = client.get("/keys").json()["items"]
    assert len(keys) > 1, "no shot came past the lock"
    log = target.log.read_text()
    assert "Traceback" not in log, log
