"""nginx sends each path to the service that has it."""

import json
import re
from pathlib import Path

import pytest
from fastapi import FastAPI

from services.augmentation.api import app as augmentation
from services.classification.api import app as classification
from services.gan.api import app as gan
from services.gateway.api import OPENAPI_DOCUMENT
from services.gateway.api import app as gateway
from services.preprocessing.api import app as preprocessing

CONFIGURATION = Path(__file__).parents[3] / "deploy" / "nginx" / "nginx.conf"
SERVICES = {
    "preprocessing": preprocessing,
    "augmentation": augmentation,
    "gan": gan,
    "classification": classification,
}
COMMON = {"/health/live", "/health/ready", "/metrics"}


def service_of(path: str) -> str:
    """What the configuration's map answers for a path."""
    block = re.search(r"map \$uri \$service \{(.*?)\}", CONFIGURATION.read_text(), re.DOTALL)
    assert block is not None
    default = "none"
    for pattern, service in re.findall(r"^\s*(\S+)\s+(\w+);$", block[1], re.MULTILINE):
        if pattern == "default":
            default = service
        elif re.search(pattern.removeprefix("~"), path):
            return str(service)
    return default


@pytest.mark.parametrize("name", SERVICES)
def test_a_services_paths_reach_it(name: str) -> None:
    paths = set(SERVICES[name].openapi()["paths"]) - COMMON
    assert paths
    assert {service_of(path) for path in paths} == {name}


def test_everything_else_reaches_the_gateway() -> None:
    elsewhere = {path for app in SERVICES.values() for path in _paths(app)} - COMMON
    rest = set(json.loads(OPENAPI_DOCUMENT.read_text())["paths"]) - elsewhere
    assert {"/jobs", "/keys"} <= rest
    assert {service_of(path) for path in rest} == {"gateway"}
    for path in ("/", "/docs", "/openapi.json", "/datasetsx", "/classifierx", "/static/gans"):
        assert service_of(path) == "gateway"


def test_the_gateway_serves_the_document_of_all_services() -> None:
    assert gateway.openapi() == json.loads(OPENAPI_DOCUMENT.read_text())


def _paths(app: FastAPI) -> set[str]:
    return set(app.openapi()["paths"])
