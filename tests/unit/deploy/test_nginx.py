"""nginx sends each path to the service that has it."""

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from services.augmentation.api import app as augmentation
from services.classification.api import app as classification
from services.gan.api import app as gan
from services.gateway.api import OPENAPI_DOCUMENT
from services.gateway.api import app as gateway
from services.preprocessing.api import app as preprocessing
from shared.web.problems import MEDIA_TYPE

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


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[int]:
    """The port of a server by this configuration; none of the services is there."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    text = CONFIGURATION.read_text().replace("listen 8000", f"listen 127.0.0.1:{port}")
    text = text.replace("/tmp/", f"{tmp_path}/")
    text = re.sub(r"/dev/std\w+", f"{tmp_path}/log", text)
    (tmp_path / "nginx.conf").write_text(f"daemon off; master_process off; {text}")
    command = ("nginx", "-e", f"{tmp_path}/log", "-c", f"{tmp_path}/nginx.conf")
    with subprocess.Popen(command) as process:
        while not reached(port):
            assert process.poll() is None
            time.sleep(0.05)
        yield port
        process.terminate()


def reached(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def told(port: int, request: bytes) -> tuple[str, dict[str, Any]]:
    """The media type and the body of what is answered to a request."""
    address = ("127.0.0.1", port)
    with socket.create_connection(address, 10) as connection, connection.makefile("rb") as answer:
        connection.sendall(request + b"\r\nHost: lab\r\nConnection: close\r\n\r\n")
        head, _, body = answer.read().partition(b"\r\n\r\n")
    media_type = re.search(r"Content-Type: (\S+)", head.decode())
    assert media_type is not None
    found: dict[str, Any] = json.loads(body)
    assert head.split()[1] == str(found["status"]).encode()
    return media_type[1], found


@pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx")
@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"no request", 400),
        (b"GET /%00 HTTP/1.1", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000, 400),
        (b"GET /" + b"x" * 40_000 + b" HTTP/1.1", 414),
    ],
)
def test_what_nginx_refuses_is_a_problem(nginx: int, request_line: bytes, status: int) -> None:
    media_type, found = told(nginx, request_line)
    assert media_type == MEDIA_TYPE
    assert found["status"] == status


def _paths(app: FastAPI) -> set[str]:
    return set(app.openapi()["paths"])
