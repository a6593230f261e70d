"""A client that a public generator makes of docs/openapi.json works against the real API."""

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import httpx
import pytest

from services.gateway.api import OPENAPI_DOCUMENT

pytest.importorskip(
    "openapi_python_client", reason="openapi-python-client, of the group dev, is not installed"
)
PACKAGE = "generated_lesiongan"
#: The generator knows of files only as octet streams, and of text only as HTML.
CONFIGURATION = f"""
package_name_override: {PACKAGE}
post_hooks: []
content_type_overrides:
  application/dicom: application/octet-stream
  image/png: application/octet-stream
  application/zip: application/octet-stream
  text/event-stream: text/html
  text/plain: text/html
"""


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package, made in a temporary folder and importable while the tests last."""
    folder = tmp_path_factory.mktemp("generated")
    configuration = folder / "generator.yaml"
    configuration.write_text(CONFIGURATION)
    run = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate"),
            *("--path", str(OPENAPI_DOCUMENT), "--config", str(configuration)),
            *("--meta", "none", "--output-path", str(folder / PACKAGE), "--fail-on-warning"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield importlib.import_module(PACKAGE)


def api(name: str) -> Any:
    """The module of one operation."""
    return importlib.import_module(f"{PACKAGE}.api.{name}")


def models() -> Any:
    return importlib.import_module(f"{PACKAGE}.models")


@pytest.fixture
def connected(generated: ModuleType, client: httpx.Client) -> Iterator[Any]:
    """The generated client, with a key that may do everything."""
    token = client.headers["authorization"].removeprefix("Bearer ")
    options = {"trust_env": False}
    made = generated.AuthenticatedClient(
        base_url=str(client.base_url), token=token, httpx_args=options
    )
    with made:
        yield made


def test_it_lists_jobs(connected: Any) -> None:
    page = api("jobs.list_jobs").sync(client=connected, limit=5)
    assert isinstance(page, models().PageJob)
    assert page.items == []


def test_it_makes_a_key_and_finds_it_in_the_list(connected: Any) -> None:
    scope = models().KeyCommandScopesItem
    command = models().KeyCommand(name="made by a generated client", scopes=[scope.READ])
    made = api("keys.create_key").sync(client=connected, body=command)
    assert isinstance(made, models().NewKey)
    assert made.key.startswith("lg_")
    listed = api("keys.list_keys").sync(client=connected)
    assert made.id in {key.id for key in listed.items}


def test_what_is_not_there_is_a_problem(connected: Any) -> None:
    answer = api("jobs.get_job").sync_detailed("job_" + "0" * 24, client=connected)
    assert answer.status_code == 404
    assert isinstance(answer.parsed, models().ProblemBody)
    assert answer.parsed.title == "Not found"


def test_what_is_wrong_is_a_problem_that_says_where(connected: Any) -> None:
    command = models().PreprocessCommand(dataset="ds_x")
    answer = api("preprocessing.preprocess_dataset").sync_detailed(client=connected, body=command)
    assert answer.status_code == 422
    assert answer.parsed.errors[0].loc == ["body", "dataset"]


def test_every_operation_is_a_function_of_it(generated: ModuleType) -> None:
    document = json.loads(OPENAPI_DOCUMENT.read_text())
    for item in document["paths"].values():
        for operation in item.values():
            chapter = operation["tags"][0].replace(" ", "_")
            assert api(f"{chapter}.{operation['operationId']}").sync_detailed
