"""A real Prometheus (Debian's package) over the processes of an embedded stack."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from deploy.local.programs import WORKER_QUEUES
from tests.integration.watched.processes import free_port

RULES = Path(__file__).parents[2] / "deploy" / "monitoring" / "alerts.yml"
SCRAPE_SECONDS = 1


@dataclass(frozen=True)
class Point:
    """A value at a time, in seconds since 1970."""

    at: float
    value: float


@dataclass(frozen=True)
class Prometheus:
    """Where it answers."""

    http: httpx.Client

    def ask(self, path: str, **parameters: Any) -> Any:
        """The ``data`` of an answer of its HTTP API."""
        answer = self.http.get(f"/api/v1/{path}", params=parameters).json()
        assert answer["status"] == "success", answer
        return answer["data"]

    def series(
        self, query: str, start: float, end: float
    ) -> list[tuple[dict[str, str], list[Point]]]:
        """What a query gave over time, by labels."""
        data = self.ask("query_range", query=query, start=start, end=end, step=SCRAPE_SECONDS)
        return [
            (each["metric"], [Point(at, float(value)) for at, value in each["values"]])
            for each in data["result"]
        ]

    def down(self) -> list[str]:
        """Targets that do not answer."""
        targets = self.ask("targets")["activeTargets"]
        return [each["labels"]["service"] for each in targets if each["health"] != "up"]


@contextmanager
def prometheus(folder: Path, targets: Mapping[str, str]) -> Iterator[Prometheus]:
    """One over ``targets`` (service to host:port), until the end of the context."""
    port = free_port()
    config = folder / "prometheus.yml"
    config.write_text(yaml.safe_dump(_config(targets)))
    command = (
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    )
    with (
        subprocess.Popen(command) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as http,
    ):
        try:
            yield Prometheus(http)
        finally:
            process.terminate()


def targets_of(url: str, first_port: int) -> dict[str, str]:
    """The processes of an embedded stack, in the order of their ports."""
    names = ("sweeper", "webhooks", *WORKER_QUEUES)
    ports = {name: f"127.0.0.1:{port}" for port, name in enumerate(names, start=first_port)}
    return {"api": url.removeprefix("http://"), **ports}


def _config(targets: Mapping[str, str]) -> dict[str, Any]:
    jobs: dict[str, list[dict[str, Any]]] = {"lesiongan-api": [], "lesiongan-worker": []}
    for service, address in targets.items():
        job = "lesiongan-api" if service == "api" else "lesiongan-worker"
        jobs[job].append({"targets": [address], "labels": {"service": service}})
    return {
        "global": {
            "scrape_interval": f"{SCRAPE_SECONDS}s",
            "evaluation_interval": f"{SCRAPE_SECONDS}s",
        },
        "rule_files": [str(RULES)],
        "scrape_configs": [{"job_name": n, "static_configs": each} for n, each in jobs.items()],
    }
