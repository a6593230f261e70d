"""The stack at work: routes, streams, kills, scaling, stopping."""

import io
import json
import time
import zipfile

import httpx
import pytest

from tests.compose.stack import ROOT, ComposeStack
from tests.e2e.api import Api
from tests.e2e.conftest import small_training

LONG = 100_000
SERVICES = ("gateway", "preprocessing", "augmentation", "gan", "classification")


def gan_of(api: Api, job_id: str) -> str:
    gans = api.json("/gans", limit=50)["items"]
    return next(str(gan["id"]) for gan in gans if gan["job"] == job_id)


def wait_for_step(api: Api, gan: str, step: int) -> None:
    deadline = time.monotonic() + 120
    while api.json(f"/gans/{gan}")["step"] < step:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_each_service_serves_its_own_routes_only(stack: ComposeStack) -> None:
    program = (
        "import json, urllib.request as u;"
        "print(json.dumps(list(json.load(u.urlopen('http://{}:8000/openapi.json'))['paths'])))"
    )
    everything = json.loads((ROOT / "docs" / "openapi.json").read_text())["paths"]
    served = {}
    for service in SERVICES:
        words = ("exec", "-T", "gan", "python", "-c", program.format(service))
        served[service] = set(json.loads(stack.compose(*words).stdout))
    assert served.pop("gateway") == set(everything), "the one document"
    common = {"/health/live", "/health/ready", "/metrics"}
    own = [paths - common for paths in served.values()]
    assert all(own)
    assert sum(map(len, own)) == len(set().union(*own)), "none is served twice"
    not_ours = "import urllib.request as u; u.urlopen('http://gan:8000/datasets')"
    refused = stack.compose("exec", "-T", "gateway", "python", "-c", not_ours, check=False)
    assert b"404" in refused.stderr


def test_documentation_comes_without_the_internet(stack: ComposeStack, api: Api) -> None:
    page = api.get("/docs")
    assert page.status_code == 200
    assert "/static-offline-docs/" in page.text
    assert api.get("/static-offline-docs/swagger-ui.css").status_code == 200
    assert api.json("/openapi.json")["info"]["title"] == "LesionGAN: all services"


def test_images_stream_while_they_are_made(api: Api, gan: str) -> None:
    with api.http.stream("GET", f"/generate?category=liver&n=2000&seed=1&gan={gan}") as answer:
        assert answer.status_code == 200
        chunks = answer.iter_raw()
        first = next(chunks)
        job = api.json(f"/jobs/{answer.headers['x-job-id']}")
        data = first + b"".join(chunks)
    assert job["status"] == "running", "the first byte came before the last image was made"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert len(archive.namelist()) == 2001


def test_images_are_exported_as_dicom(api: Api, preprocessed: str) -> None:
    assert api.dicom(preprocessed, 0)[128:132] == b"DICM"


def test_events_come_as_they_happen(api: Api, preprocessed: str) -> None:
    job_id = api.post("/gans", small_training(preprocessed, steps=LONG, seed=8)).json()["id"]
    with api.http.stream("GET", f"/jobs/{job_id}/events", timeout=30) as answer:
        lines = answer.iter_lines()
        assert next(line for line in lines if line.startswith("event:"))
        api.post(f"/jobs/{job_id}/cancel")
        assert any(line == "event: completed" for line in lines)


def test_the_doctor_examines_the_stack(stack: ComposeStack) -> None:
    words = ("run", "--rm", "--no-deps", "-T", "--entrypoint", "python -m deploy.doctor")
    asked = ("worker-default", "--json", "--url", "http://gateway:8000")
    done = stack.compose(*words, *asked, check=False)
    found = json.loads(done.stdout)["findings"]
    well = {each["check"] for each in found if each["level"] == "ok"}
    assert {"settings", "postgres", "redis", "s3", "workers", "api"} <= well, found


def test_what_a_client_sees_of_a_service_that_is_away(stack: ComposeStack, api: Api) -> None:
    stack.compose("stop", "augmentation")
    try:
        answer = api.post("/augment", {"dataset": "ds_" + "0" * 24})
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert "augmentation" in answer.json()["detail"]
        assert api.get("/datasets").status_code == 200
    finally:
        stack.compose("start", "augmentation")
    stack.wait_healthy("augmentation")


def test_each_container_dies_once_during_a_training(
    stack: ComposeStack, api: Api, preprocessed: str
) -> None:
    command = small_training(preprocessed, steps=LONG, checkpoint_every=50, seed=5)
    job_id = api.post("/gans", command).json()["id"]
    gan = gan_of(api, job_id)
    wait_for_step(api, gan, 60)
    names = stack.compose("config", "--services").stdout.decode().split()
    for service in sorted(set(names) - {"prepare", "nginx", "worker-gan-train"}):
        stack.crash(service)
        stack.wait_healthy(service)
    for service in ("worker-gan-train", "nginx"):
        stack.crash(service)
        stack.wait_healthy(service)
    deadline = time.monotonic() + 120
    while (now := api.json(f"/gans/{gan}"))["resumed_from_step"] is None:
        assert time.monotonic() < deadline, now
        time.sleep(0.2)
    wait_for_step(api, gan, now["resumed_from_step"] + 10)
    assert api.json(f"/jobs/{job_id}")["status"] == "running"
    api.post(f"/jobs/{job_id}/cancel")
    assert api.wait(job_id)["status"] == "cancelled"


def test_a_stopped_worker_hands_its_job_back_in_time(
    stack: ComposeStack, api: Api, preprocessed: str
) -> None:
    command = small_training(preprocessed, steps=LONG, checkpoint_every=LONG, seed=6)
    job_id = api.post("/gans", command).json()["id"]
    gan = gan_of(api, job_id)
    wait_for_step(api, gan, 20)
    asked = time.monotonic()
    stack.compose("stop", "worker-gan-train")
    assert time.monotonic() - asked < 30
    assert api.json(f"/jobs/{job_id}")["status"] == "queued"
    stack.compose("start", "worker-gan-train")
    stack.wait_healthy("worker-gan-train")
    deadline = time.monotonic() + 60
    while (now := api.json(f"/gans/{gan}"))["resumed_from_step"] is None:
        assert time.monotonic() < deadline, now
        time.sleep(0.2)
    assert now["resumed_from_step"] >= 20, "it wrote a checkpoint as it left"
    api.post(f"/jobs/{job_id}/cancel")
    assert api.wait(job_id)["status"] == "cancelled"


def test_workers_scale(stack: ComposeStack, api: Api, gan: str) -> None:
    wanted = {"worker-gan-sample": 3, "worker-preprocessing": 4}
    scales = [f"--scale={service}={count}" for service, count in wanted.items()]
    stack.up("--no-recreate", *scales)
    assert {service: len(stack.containers(service)) for service in wanted} == wanted
    path = "/generate?category=liver&n=1500&gan={}&seed={}"
    ids = [api.post(path.format(gan, 100 + number)).json()["id"] for number in range(9)]
    assert {api.wait(each)["status"] for each in ids} == {"succeeded"}
    listed = ", ".join(f"'{each}'" for each in ids)
    workers = stack.sql(f"SELECT DISTINCT worker FROM jobs WHERE id IN ({listed})").split()
    assert len(workers) > 1
    stack.up("--no-recreate", "--scale=worker-gan-sample=1", "--scale=worker-preprocessing=1")


def test_data_outlive_the_containers(stack: ComposeStack, api: Api, gan: str) -> None:
    before = {path: api.json(path)["items"] for path in ("/datasets", "/gans", "/jobs")}
    stack.compose("down", "--timeout", "30")
    with pytest.raises(httpx.TransportError):
        api.get("/jobs")
    stack.up()
    assert {path: api.json(path)["items"] for path in before} == before
    made = api.ended(api.post(f"/generate?category=bone&n=10&seed=3&gan={gan}"))
    assert made["status"] == "succeeded"
