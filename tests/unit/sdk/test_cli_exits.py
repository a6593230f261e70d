"""Exit codes, ids for scripts, and looking again."""

import json
from pathlib import Path

import httpx
import pytest

from tests.unit.sdk.fake_server import Run, Script, job, page, problem
from tests.unit.sdk.made import EXPERIMENT, GAN, experiment, experiment_running
from tests.unit.sdk.test_cli import DATASET, dataset


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (problem(401, "Unauthorized", "x"), 401),
        (problem(403, "Forbidden", "x"), 403),
        (problem(404, "Not found", "x"), 404),
        (problem(429, "Quota exceeded", "x"), 429),
        (problem(500, "Internal error", "x"), 500),
        (httpx.Response(200, html="<p>hello"), None),
        (httpx.ReadError("cut"), None),
    ],
)
def test_what_did_not_happen_is_1_and_json_tells_why(
    run: Run, answer: httpx.Response | Exception, told: int | None
) -> None:
    result = run(Script(answer), "jobs", "show", "job_1", "--json")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("error: ")
    assert json.loads(result.stdout)["error"].get("status") == told


def test_a_file_that_cannot_be_written_is_told_in_json_too(run: Run, tmp_path: Path) -> None:
    nowhere = tmp_path / "no" / "report.html"
    answer = httpx.Response(200, html="<p>the report")
    result = run(Script(answer), "experiments", "report", EXPERIMENT, "-o", str(nowhere), "--json")
    assert result.exit_code == 1
    error = json.loads(result.stdout)["error"]
    assert error["title"] == "FileNotFoundError"
    assert result.stderr == f"error: {error['detail']}\n"
    assert str(nowhere.parent) in error["detail"]


def test_ctrl_c_is_130_everywhere(run: Run) -> None:
    script = Script(page(job("running")), KeyboardInterrupt())
    result = run(script, "jobs", "list", "--watch")
    assert result.exit_code == 130
    assert "Traceback" not in result.output


def test_quiet_prints_ids_alone(run: Run, tmp_path: Path) -> None:
    assert run(Script(page(dataset())), "datasets", "list", "-q").stdout == f"{DATASET}\n"
    archive = tmp_path / "scans.zip"
    archive.write_bytes(b"PK")
    script = Script(
        httpx.Response(202, json=job("queued")),
        httpx.Response(200, json=job("succeeded", output={"dataset": DATASET})),
        httpx.Response(200, json=dataset()),
    )
    result = run(script, "datasets", "upload", str(archive), "--layout", "deeplesion", "-q")
    assert (result.stdout, result.stderr) == (f"{DATASET}\n", "")


def test_quiet_prints_a_link_alone(run: Run) -> None:
    url = "http://127.0.0.1:8000/console/sign-in#lgl_4f1c"
    made = httpx.Response(201, json={"url": url, "expires_at": "2026-03-01T09:15:00Z"})
    result = run(Script(made), "console", "--quiet")
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{url}\n", "")
    told = run(Script(made), "console")
    assert (told.stdout, told.stderr) == (f"{url}\n", "It signs in once, until 09:15 UTC.\n")


def test_quiet_prints_the_path_of_a_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    answer = httpx.Response(200, html="<p>the report")
    result = run(Script(answer), "experiments", "report", EXPERIMENT, "-o", str(path), "-q")
    assert result.stdout == f"{path}\n"
    assert path.read_text() == "<p>the report"


def test_watching_shows_what_changed_until_the_end(run: Run, pauses: list[float]) -> None:
    states = [job("queued"), job("queued"), job("running"), job("succeeded")]
    script = Script(*(page(state) for state in states))
    result = run(script, "jobs", "list", "--watch", "--json")
    lines = [json.loads(line)[0]["status"] for line in result.stdout.splitlines()]
    assert lines == ["queued", "running", "succeeded"]
    assert pauses == [2.0] * 3


def test_watching_for_people(run: Run) -> None:
    script = Script(
        httpx.Response(200, json=experiment_running()), httpx.Response(200, json=experiment())
    )
    result = run(script, "experiments", "show", EXPERIMENT, "--watch")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.index("running") < result.stdout.index("Synthetic images help.")


def test_an_experiment_is_followed_by_its_job(run: Run) -> None:
    script = Script(
        httpx.Response(200, json=experiment_running()),
        httpx.Response(200, json=job("succeeded")),
        httpx.Response(200, json=job("succeeded")),
        httpx.Response(200, json=experiment()),
    )
    result = run(script, "experiments", "watch", EXPERIMENT)
    assert result.exit_code == 0, result.stderr
    assert "Synthetic images help." in result.stdout
    assert script.requests[1].url.path == "/jobs/job_1"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["train", DATASET, "--steps", "5"], ["gans", "train", DATASET, "--steps", "5"]),
        (["experiment", DATASET], ["experiments", "start", DATASET]),
    ],
)
def test_a_verb_is_the_same_in_its_group(run: Run, one: list[str], other: list[str]) -> None:
    bodies = []
    for arguments in (one, other):
        script = Script(httpx.Response(202, json=job()))
        assert run(script, *arguments, "--no-wait").exit_code == 0
        bodies.append((script.requests[0].url.path, script.requests[0].content))
    assert bodies[0] == bodies[1]


def test_a_gan_is_sampled(run: Run, tmp_path: Path) -> None:
    script = Script(httpx.Response(200, content=b"PK", headers={"x-seed": "5"}))
    path = str(tmp_path / "out.zip")
    result = run(script, "gans", "sample", GAN, "liver", "3", "-o", path, "-q")
    assert (result.exit_code, result.stdout) == (0, f"{path}\n")
    assert dict(script.requests[0].url.params) == {"category": "liver", "n": "3", "gan": GAN}
