"""Each service is an app of its own; all together are one; none of them loads torch."""

import importlib
import tomllib
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from tests.unit.services.imports import imported

SERVICES = ("gateway", "preprocessing", "augmentation", "gan", "classification")
ROOT = Path(__file__).parents[3]
HEAVY = ("torch", "torchvision", "sklearn", "scipy", "safetensors")


def _paths(app: FastAPI) -> set[str]:
    """What the app itself serves: the gateway's document shows all services."""
    return set(get_openapi(title="t", version="1", routes=app.routes)["paths"])


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_serves_its_own_routes(service: str) -> None:
    alone = _paths(importlib.import_module(f"services.{service}.api").app)
    assert {"/health/live", "/health/ready", "/metrics"} <= alone
    assert alone <= _paths(importlib.import_module("services.app").app)


def test_the_version_is_that_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert importlib.import_module("services.app").app.version == project["version"]


def test_the_services_share_no_route() -> None:
    common = {"/health/live", "/health/ready", "/metrics"}
    seen: set[str] = set()
    for service in SERVICES:
        paths = _paths(importlib.import_module(f"services.{service}.api").app) - common
        assert not paths & seen
        seen |= paths
    assert {"/jobs", "/datasets", "/preprocess", "/gans", "/generate"} <= seen


def test_operations_have_names_that_read_well() -> None:
    document = importlib.import_module("services.app").app.openapi()
    names = [
        operation["operationId"]
        for path in document["paths"].values()
        for operation in path.values()
    ]
    assert len(names) == len(set(names))
    assert all(name.replace("_", "").isalpha() and "__" not in name for name in names)


def test_an_api_process_never_imports_torch() -> None:
    assert imported("import services.app", HEAVY) == []
