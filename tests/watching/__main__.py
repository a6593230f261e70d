"""``python -m tests.watching``: every query of the dashboards against a Prometheus that watches a
stack at work, and the picture of docs/operations.md. Needs Debian's ``prometheus``.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import httpx

from deploy.local.servers import erase
from deploy.local.stack import down, up
from tests.e2e.api import Api
from tests.watching.picture import draw
from tests.watching.prometheus import Prometheus, prometheus, targets_of
from tests.watching.work import work

ROOT = Path(__file__).parents[2]
FIRST_PORT = 21_464
#: Of GPUs, failures and what only ends: silent in such a run, on a machine without a GPU.
SILENT = ("device", "errors", "stalls", "expiries")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1500, help="of the training that is watched")
    parser.add_argument("--picture", type=Path, default=ROOT / "docs/images/being-watched.png")
    options = parser.parse_args()
    if shutil.which("prometheus") is None:
        sys.exit("no prometheus: apt-get install prometheus")
    home = Path(tempfile.mkdtemp(prefix="watching-"))
    os.environ["LESIONGAN_METRICS_PORT"] = str(FIRST_PORT)
    try:
        _watch(home, options.picture, steps=options.steps)
    finally:
        down(home / "stack")
        erase(home / "stack")
        shutil.rmtree(home)


def _watch(home: Path, picture: Path, *, steps: int) -> None:
    stack = up(home / "stack", port=0)
    headers = {"Authorization": f"Bearer {stack['key']}"}
    with (
        prometheus(home, targets_of(stack["url"], FIRST_PORT)) as watching,
        httpx.Client(base_url=stack["url"], headers=headers, timeout=60, trust_env=False) as http,
    ):
        time.sleep(10)
        start = time.time()
        work(Api(http), home, steps=steps)
        time.sleep(5)
        end = time.time()
        _say(f"targets that are down: {watching.down() or 'none'}")
        _say(
            f"alerts: {[each['labels']['alertname'] for each in watching.ask('alerts')['alerts']]}"
        )
        for dashboard in sorted((ROOT / "deploy/monitoring/dashboards").glob("*.json")):
            _ask_all(watching, dashboard, start, end)
        draw(watching, picture, start=start, end=end)


def _ask_all(watching: Prometheus, dashboard: Path, start: float, end: float) -> None:
    """Run every query; exits where one that should say something is silent."""
    queries = [
        target["expr"].replace("$__rate_interval", "10s").replace("$gan", ".*")
        for panel in json.loads(dashboard.read_text())["panels"]
        for target in panel.get("targets", ())
    ]
    silent = [query for query in queries if not watching.series(query, start, end)]
    _say(f"{dashboard.name}: {len(queries)} queries, {len(silent)} silent")
    unexpected = [query for query in silent if not any(word in query for word in SILENT)]
    if unexpected:
        sys.exit("\n  ".join(["silent:", *unexpected]))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
