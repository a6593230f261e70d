"""One stack in containers for all of these tests. They run only where they are asked for."""

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.env import SECRETS
from services.preprocessing.domain.phantom import write_phantoms
from tests.compose.stack import ComposeStack, compose_command
from tests.e2e.api import Api
from tests.e2e.conftest import small_training

HERE = Path(__file__).parent
ASKED = "LESIONGAN_TEST_COMPOSE"
#: A worker that is killed is missed after so long; the shipped default is 30.
LEASE_SECONDS = 5
VERSION = "test"


def _require_docker() -> None:
    """Who asks for these tests wants to see them run: a machine without Docker is an error."""
    try:
        done = subprocess.run([*compose_command(), "version"], capture_output=True, check=False)
        server = subprocess.run(["docker", "info"], capture_output=True, check=False)
    except FileNotFoundError as error:
        raise pytest.UsageError(f"{error.filename} is not installed") from None
    if done.returncode or server.returncode:
        raise pytest.UsageError("docker does not answer")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mine = [item for item in items if HERE in item.path.parents]
    if mine and os.environ.get(ASKED):
        _require_docker()
        return
    for item in mine:
        item.add_marker(
            pytest.mark.skip(reason="needs docker compose: make test-compose runs them")
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def new_stack(project: str, folder: Path) -> ComposeStack:
    """A project that does not run yet."""
    port = free_port()
    environment = {name: make() for name, make in SECRETS.items()}
    environment |= {
        "LESIONGAN_PORT": str(port),
        "LESIONGAN_BIND": "127.0.0.1",
        "LESIONGAN_VERSION": VERSION,
        "LESIONGAN_LEASE_SECONDS": str(LEASE_SECONDS),
    }
    return ComposeStack(project, port, folder, environment)


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tag of both images, built from this working tree."""
    new_stack("lesiongan-test", tmp_path_factory.mktemp("build")).compose("build")
    return VERSION


@pytest.fixture(scope="session")
def stack(images: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeStack]:
    """Started once, and removed with its volumes."""
    made = new_stack("lesiongan-test", tmp_path_factory.mktemp("stack"))
    try:
        made.up()
        yield made
    finally:
        made.compose("down", "--volumes", "--timeout", "5", check=False)


@pytest.fixture
def api(stack: ComposeStack) -> Iterator[Api]:
    api = stack.api()
    with api.http:
        yield api


@pytest.fixture(scope="session")
def preprocessed(stack: ComposeStack, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Phantoms as 32-pixel crops."""
    path = tmp_path_factory.mktemp("phantoms") / "phantoms.zip"
    write_phantoms(path, lesions_per_category=6, seed=7)
    api = stack.api()
    with api.http:
        raw = api.dataset_of(api.ended(api.upload(path.read_bytes(), path.name, "deeplesion")))
        return api.dataset_of(api.ended(api.post("/preprocess", {"dataset": raw, "size": 32})))


@pytest.fixture(scope="session")
def gan(stack: ComposeStack, preprocessed: str) -> str:
    """A GAN of a few steps."""
    api = stack.api()
    with api.http:
        job = api.ended(api.post("/gans", small_training(preprocessed, steps=4)))
    return str(job["output"]["gan"])
