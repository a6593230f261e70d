"""What is in the images, and what a process may do inside."""

import re

import pytest

from tests.compose.stack import ROOT, ComposeStack, docker, inspect

MEGABYTE = 1_000_000
API, WORKER = "lesiongan-api:test", "lesiongan-worker:test"


def run(image: str, *command: str, check: bool = True) -> str:
    """A command in a container of its own, as Compose would confine it."""
    confined = ("--rm", "--read-only", "--cap-drop=ALL", "--network=none")
    return docker("run", *confined, "--entrypoint", command[0], image, *command[1:], check=check)


def test_the_api_image_is_small(images: str) -> None:
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    base = re.search(r"^FROM (\S+) AS base$", dockerfile, re.MULTILINE)
    assert base is not None
    sizes = [int(inspect(image, "{{.Size}}")) for image in (API, base[1])]
    assert sizes[0] - sizes[1] <= 400 * MEGABYTE


@pytest.mark.parametrize("image", [API, WORKER])
def test_versions_are_the_locks(images: str, image: str) -> None:
    program = (
        "from importlib.metadata import distributions as all\n"
        "for one in all():\n"
        "  name = one.metadata['Name'].lower().replace('_', '-')\n"
        "  print(f'{name}=={one.version}')"
    )
    installed = set(run(image, "python", "-c", program).split())
    lock = (ROOT / "deploy" / "requirements.lock").read_text()
    locked = {name.lower() for name in re.findall(r"^([\w.-]+==\S+)", lock, re.MULTILINE)}
    system = set(run(image, "/usr/bin/env", "-i", "python3", "-c", program, check=False).split())
    assert len(installed) > 30
    assert installed - system <= locked


@pytest.mark.parametrize("image", [API, WORKER])
def test_nothing_that_builds_is_inside(images: str, image: str) -> None:
    found = run(image, "sh", "-c", "command -v gcc cc g++ make uv git; true")
    assert found == ""


def test_the_api_image_has_no_torch(images: str) -> None:
    program = "import importlib.util as u; print([n for n in {!r} if u.find_spec(n)])"
    heavy = ("torch", "torchvision", "numpy", "cv2", "scipy", "sklearn")
    assert run(API, "python", "-c", program.format(heavy)) == "[]"
    assert run(WORKER, "python", "-c", program.format(("torch",))) == "['torch']"


@pytest.mark.parametrize(
    "service", ["gateway", "worker-gan-train", "sweeper", "webhooks", "nginx", "redis"]
)
def test_processes_are_confined(stack: ComposeStack, service: str) -> None:
    script = "id -u; touch /x 2>&1; grep -E 'CapEff|NoNewPrivs' /proc/self/status"
    said = stack.compose("exec", "-T", service, "sh", "-c", script).stdout.decode()
    assert said.splitlines()[0] != "0"
    assert "Read-only file system" in said
    assert re.search(r"CapEff:\s+0+$", said, re.MULTILINE)
    assert re.search(r"NoNewPrivs:\s+1$", said, re.MULTILINE)


def test_no_secret_is_in_an_image(stack: ComposeStack) -> None:
    for image in (API, WORKER):
        history = docker("history", "--no-trunc", image)
        environment = inspect(image, "{{.Config.Env}}")
        files = run(image, "sh", "-c", "ls -a / /app")
        assert ".env" not in files.split()
        for value in stack.environment.values():
            assert len(value) < 16 or value not in history + environment
