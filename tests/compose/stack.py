"""Driving docker-compose.yml from a test: its own project, port, secrets and volumes."""

import os
import shlex
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.api import Api

ROOT = Path(__file__).parents[2]
COMPOSE_FILE = "docker-compose.yml"


def compose_command() -> list[str]:
    """How Compose is called here; ``COMPOSE`` names another way than ``docker compose``."""
    return shlex.split(os.environ.get("COMPOSE", "docker compose"))


@dataclass
class ComposeStack:
    """One project. ``environment`` is what stands in its ``.env``."""

    project: str
    port: int
    folder: Path
    environment: dict[str, str]
    files: list[str] = field(default_factory=lambda: [COMPOSE_FILE])

    @property
    def key(self) -> str:
        return self.environment["LESIONGAN_BOOTSTRAP_KEY"]

    def api(self) -> Api:
        headers = {"Authorization": f"Bearer {self.key}"}
        url = f"http://127.0.0.1:{self.port}"
        return Api(httpx.Client(base_url=url, headers=headers, timeout=120, trust_env=False))

    def compose(
        self, *arguments: str, check: bool = True, **options: Any
    ) -> subprocess.CompletedProcess[bytes]:
        """Run Compose; a failure shows what it said."""
        env_file = self.folder / f"{self.project}.env"
        env_file.write_text("".join(f"{k}={v}\n" for k, v in self.environment.items()))
        files = [word for file in self.files for word in ("--file", file)]
        command = [
            *compose_command(),
            *("--project-name", self.project, "--env-file", str(env_file)),
            *files,
            *arguments,
        ]
        clean = {k: v for k, v in os.environ.items() if not k.startswith("LESIONGAN_")}
        done = subprocess.run(
            command, cwd=ROOT, env=clean, capture_output=True, check=False, **options
        )
        assert not check or done.returncode == 0, done.stderr.decode()[-4000:]
        return done

    def up(self, *arguments: str) -> None:
        self.compose("up", "--detach", "--wait", "--wait-timeout", "300", *arguments)

    def sql(self, query: str) -> str:
        """Psql's bare answer."""
        done = self.compose(
            *("exec", "-T", "postgres", "psql", "--username=lesiongan"),
            *("--no-align", "--tuples-only", "--command", query),
        )
        return done.stdout.decode().strip()

    def containers(self, service: str) -> list[str]:
        return self.compose("ps", "--quiet", service).stdout.decode().split()

    def crash(self, service: str) -> None:
        """Kill everything in the service's containers, as the kernel would."""
        for container in self.containers(service):
            pid = inspect(container, "{{.State.Pid}}")
            done = subprocess.run(["kill", "-KILL", pid], check=False)
            assert done.returncode == 0, "killing a container's process takes root on its host"

    def wait_healthy(self, service: str, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while True:
            states = [
                inspect(each, "{{.State.Status}} {{.State.Health.Status}}")
                for each in self.containers(service)
            ]
            if states and set(states) == {"running healthy"}:
                return
            assert time.monotonic() < deadline, f"{service}: {states}"
            time.sleep(0.5)


def docker(*arguments: str, check: bool = True) -> str:
    """Docker's answer."""
    done = subprocess.run(["docker", *arguments], capture_output=True, check=False)
    assert not check or done.returncode == 0, done.stderr.decode()[-4000:]
    return done.stdout.decode().strip()


def inspect(thing: str, form: str) -> str:
    return docker("inspect", "--format", form, thing)
