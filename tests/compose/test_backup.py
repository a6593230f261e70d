"""A backup, restored into an empty stack, is the same installation."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.compose.conftest import new_stack
from tests.compose.stack import ComposeStack
from tests.e2e.api import Api

DUMP = ("exec", "-T", "postgres", "pg_dump", "--username=lesiongan")
RESTORE = ("exec", "-T", "postgres", "pg_restore", "--username=lesiongan")
OBJECTS = ("run", "--rm", "--no-deps", "-T", "--entrypoint", "python -m deploy.objects", "prepare")


@pytest.fixture
def other(images: str, tmp_path: Path, stack: ComposeStack) -> Iterator[ComposeStack]:
    """An empty stack with the first one's secrets, as an operator would move them."""
    made = new_stack("lesiongan-restored", tmp_path)
    secrets = {k: v for k, v in stack.environment.items() if k != "LESIONGAN_PORT"}
    made.environment |= secrets
    try:
        yield made
    finally:
        made.compose("down", "--volumes", "--timeout", "5", check=False)


def snapshot(api: Api) -> dict[str, Any]:
    """All that the API lists, and a hash of every image."""
    found: dict[str, Any] = {
        path: api.json(path, limit=100)["items"]
        for path in ("/datasets", "/gans", "/jobs", "/keys", "/classifiers")
    }
    for dataset in found["/datasets"]:
        archive = api.get(f"/datasets/{dataset['id']}/contact-sheet.png")
        assert archive.status_code == 200
        found[dataset["id"]] = hashlib.sha256(archive.content).hexdigest()
    for gan in found["/gans"]:
        weights = api.get(f"/gans/{gan['id']}/weights")
        found[gan["id"]] = (weights.status_code, hashlib.sha256(weights.content).hexdigest())
    for key in found["/keys"]:
        key.pop("last_used_at", None)
    return found


def test_a_backup_restores_into_an_empty_stack(
    stack: ComposeStack, other: ComposeStack, api: Api, gan: str
) -> None:
    dump = stack.compose(*DUMP, "--format=custom", "lesiongan").stdout
    objects = stack.compose(*OBJECTS, "save").stdout
    before = snapshot(api)
    assert len(before["/datasets"]) >= 2
    stack.compose("stop")
    try:
        other.up("postgres", "minio")
        other.compose(*RESTORE, "--dbname=lesiongan", "--exit-on-error", input=dump)
        said = other.compose(*OBJECTS, "load", input=objects).stderr.decode()
        assert "copied" in said
        other.up()
        restored = other.api()
        with restored.http:
            assert snapshot(restored) == before
            path = f"/generate?category=liver&n=20&seed=77&gan={gan}"
            assert restored.ended(restored.post(path))["status"] == "succeeded"
    finally:
        other.compose("down", "--volumes", "--timeout", "5", check=False)
        stack.up()
