"""The demo's way, against a server that answers at once."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from deploy.local.demo import demo, run
from deploy.local.demo.closing import commands, print_closing
from deploy.local.demo.plan import Made, Plan
from deploy.local.demo.timeline import Timeline, losses_in_words
from lesiongan.cli.progress import display
from tests.unit.demo.test_pictures import png
from tests.unit.sdk.fake_server import KEY, URL, client_of, job
from tests.unit.sdk.made import experiment

RAW, CROPS, SYNTHETIC = (f"ds_{letter * 24}" for letter in "abc")
GAN = "gan_" + "d" * 24
EXPERIMENT = experiment()


def dataset(dataset_id: str) -> dict[str, Any]:
    return {
        "id": dataset_id,
        "name": "x",
        "kind": "raw",
        "parents": [],
        "command": {},
        "sha256": "0",
        "images": 16,
        "bytes": 1,
        "phantom": True,
        "counts": {"train": {"liver": 12}},
        "skipped": [],
        "skipped_total": 0,
        "notes": [],
        "created_at": "2026-01-01T00:00:00Z",
    }


def gan(*, default: bool) -> dict[str, Any]:
    return {
        "id": GAN,
        "name": "demo",
        "dataset": CROPS,
        "phantom": True,
        "default": default,
        "status": "succeeded",
        "step": 5,
        "steps": 5,
        "categories": ["liver", "lung"],
        "image_size": 32,
        "channels": 1,
        "command": {},
        "job": "job_1",
        "created_at": "2026-01-01T00:00:00Z",
    }


def image(index: int) -> dict[str, Any]:
    nothing = ("category", "split", "patient", "spacing_mm", "box_px", "window_hu", "seed", "draw")
    return {
        "index": index,
        "sha256": "0",
        "source": "x",
        "bytes": 1,
        "unit": "uint8",
        "width": 32,
        "height": 32,
    } | dict.fromkeys(nothing)


class InstantServer:
    """Every job has ended when it is asked for."""

    def __init__(self, *, default: bool) -> None:
        metrics = [{"step": step, "values": {"wasserstein": 1.5}} for step in (1, 5)]
        self.requests: list[httpx.Request] = []
        self._answers: dict[str, Callable[[], httpx.Response]] = {
            "POST /datasets": lambda: self._ended({"dataset": RAW}),
            "POST /preprocess": lambda: self._ended({"dataset": CROPS}),
            "POST /gans": lambda: self._ended({"gan": GAN}),
            "POST /experiments": lambda: self._ended({"experiment": EXPERIMENT["id"]}),
            r"GET /experiments/\w+": lambda: httpx.Response(200, json=EXPERIMENT),
            r"GET /experiments/\w+/report": lambda: httpx.Response(200, text="<!doctype html>"),
            "POST /generate": lambda: self._ended({"dataset": SYNTHETIC}),
            "GET /generate": lambda: httpx.Response(
                200, content=b"PK\x03\x04" * 500, headers={"x-seed": "1"}
            ),
            r"GET /gans/\w+": lambda: httpx.Response(200, json=gan(default=default)),
            r"GET /gans/\w+/metrics": lambda: httpx.Response(
                200, json={"gan": GAN, "points": metrics}
            ),
            r"GET /datasets/\w+/images": lambda: httpx.Response(
                200, json={"items": [image(0), image(1)], "next_cursor": None}
            ),
            r"GET /datasets/\w+/images/\d": lambda: httpx.Response(200, content=png(90)),
        }
        self._jobs: dict[str, dict[str, Any]] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        call = f"{request.method} {request.url.path}"
        if re.fullmatch(r"GET /datasets/\w+", call):
            return httpx.Response(200, json=dataset(request.url.path.rpartition("/")[2]))
        if re.fullmatch(r"GET /jobs/\w+", call):
            return httpx.Response(200, json=self._jobs[request.url.path])
        return next(a for pattern, a in self._answers.items() if re.fullmatch(pattern, call))()

    def _ended(self, output: dict[str, str]) -> httpx.Response:
        made = job("succeeded", id=f"job_{len(self._jobs)}", output=output)
        self._jobs[f"/jobs/{made['id']}"] = made
        return httpx.Response(202, json=made)


def write_archive(path: Path, **_: object) -> None:
    path.write_bytes(b"PK")


def run_against(server: InstantServer, out: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    monkeypatch.setattr(run, "write_phantoms", write_archive)
    with display(quiet=True) as shown, client_of(server) as client:
        return run.run_demo(client, Plan(out=out, sheet_images=2), Timeline(shown))


def test_it_leaves_what_it_promises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = InstantServer(default=True)
    made = run_against(server, tmp_path, monkeypatch)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in made.files}
    summary = (tmp_path / "summary.json").read_text()
    assert KEY not in summary
    assert json.loads(summary)["liver"]["images"] == 500
    assert [timing.step for timing in made.timings] == [
        "Make phantoms",
        "Upload and ingest",
        "Preprocess",
        "Train the GAN",
        "Four-arm experiment",
        "GET /generate liver 500",
        "Real beside synthetic",
    ]


@pytest.mark.parametrize("default", [True, False])
def test_its_images_are_of_its_own_gan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, default: bool
) -> None:
    server = InstantServer(default=default)
    made = run_against(server, tmp_path, monkeypatch)
    streamed = next(r for r in server.requests if (r.method, r.url.path) == ("GET", "/generate"))
    assert ("gan" in streamed.url.params) is not default
    curl = commands(made, KEY)[0]
    assert (f"&gan={GAN}" in curl) is not default
    assert f"{URL}/generate?category=liver&n=500" in curl
    assert f"Bearer {KEY}" in curl


def test_the_closing_says_how_to_stop_a_stack_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = run_against(InstantServer(default=True), tmp_path, monkeypatch)
    console = Console(width=60, record=True, file=io.StringIO())
    print_closing(made, KEY, console, started=True)
    text = console.export_text()
    assert "lesiongan down" in text
    assert all(arm["arm"] in text for arm in EXPERIMENT["arms"])
    assert EXPERIMENT["summary"] in " ".join(text.split())
    assert commands(made, KEY)[0] in text, "commands to copy are not wrapped"


def test_a_server_that_is_not_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(run, "write_phantoms", write_archive)
    app = typer.Typer()
    app.command()(demo)
    out = tmp_path / "out"
    arguments = ["--url", "http://127.0.0.1:1", "--key", "lg_x", "--out", str(out), "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("error: nothing answers at http://127.0.0.1:1")
    assert result.stderr.count("\n") == 1


def test_losses_fit_a_line() -> None:
    metrics: dict[str, object] = {"wasserstein": 12.345, "generator_loss": -1.0, "other": 3}
    assert losses_in_words(metrics) == "W +12.35  G -1.00"
