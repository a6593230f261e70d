"""``lesiongan experiment`` and ``lesiongan experiments``."""

import io
import json
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from lesiongan.cli.experiments import print_experiment
from lesiongan.contracts.experiments import Experiment
from tests.unit.sdk.fake_server import Pieces, Run, Script, job, page, problem
from tests.unit.sdk.made import (
    DATASET,
    EXPERIMENT,
    GAN,
    experiment,
    experiment_running,
)

DONE = job("succeeded", output={"experiment": EXPERIMENT})


def test_an_experiment_is_followed_and_its_table_shown(run: Run) -> None:
    events = (
        b'event: progress\ndata: {"done": 3, "total": 12, "unit": "job"}\n\n'
        b"event: completed\ndata: {}\n\n"
    )
    progress = {"done": 12, "total": 12, "unit": "job"}
    script = Script(
        httpx.Response(202, json=job()),
        httpx.Response(200, json=job("running")),
        httpx.Response(200, stream=Pieces([events])),
        httpx.Response(200, json={**DONE, "progress": progress}),
        httpx.Response(200, json=experiment()),
    )
    result = run(script, "experiment", DATASET)
    assert result.exit_code == 0, result.stderr
    assert json.loads(script.requests[0].content) == {"dataset": DATASET}
    assert "12 of 12 jobs" in result.stderr
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    none = lines.index(
        "none 150 77.2 ± 1.3 [75.1, 79.0] 50.0 [40.0, 60.0] 50.0 [40.0, 60.0] 50.0 [40.0, 60.0]"
    )
    assert lines[none + 1].startswith("combined 150 80.0 ± 2.0 [78.0, 82.0]")
    assert "combined - none +2.8 [-0.1, +5.0] 0.040" in lines
    assert "gan - none -5.0 [-7.0, -3.0] < 0.001" in lines
    assert "note few test images" in lines
    assert lines[-1] == "Synthetic images help."


def test_every_option_reaches_its_place(run: Run) -> None:
    script = Script(httpx.Response(202, json=job()))
    options = (
        "--arms none --arms gan --seeds 2 --train-per-category 25 --size 32 --copies 4 "
        "--interpolation linear --synthetic-ratio 1.5 --gan-steps 9 --gan-batch-size 16 "
        "--gan-n-critic 1 --gan-learning-rate 0.001 --gan-width 16 --architecture resnet18 "
        "--steps 7 --unlabelled --filter-confidence 0.5 --filter-copies --gan-pretrain-steps 3 "
        "--gan-pseudo-confidence 0.8 --pseudo-rounds 2 --synthetic-per-category 30 "
        "--synthetic-truncation 2 "
        "--operation rotate --operation flip "
        "--synthetic-share 0.5 --synthetic-first 0.4 --test-images 40 --pretrained "
        "--name ours --no-wait --json"
    )
    result = run(script, "experiment", DATASET, *options.split())
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["id"] == "job_1"
    assert json.loads(script.requests[0].content) == {
        "dataset": DATASET,
        "name": "ours",
        "arms": ["none", "gan", "pseudo_label"],
        "seeds": 2,
        "train_per_category": 25,
        "preprocess": {"size": 32},
        "copies": 4,
        "interpolation": "linear",
        "synthetic_ratio": 1.5,
        "synthetic_per_category": 30,
        "synthetic_truncation": 2.0,
        "gan": {
            "steps": 9,
            "batch_size": 16,
            "n_critic": 1,
            "learning_rate": 0.001,
            "width": 16,
            "pretrain_steps": 3,
        },
        "test_images": 40,
        "unlabelled": True,
        "filter_confidence": 0.5,
        "gan_pseudo_confidence": 0.8,
        "pseudo_rounds": 2,
        "operations": ["rotate", "flip"],
        "filter_copies": True,
        "classifier": {
            "architecture": "resnet18",
            "steps": 7,
            "synthetic_share": 0.5,
            "synthetic_first": 0.4,
            "pretrained": True,
        },
    }


def test_several_numbers_of_images_are_a_sweep(run: Run) -> None:
    script = Script(httpx.Response(202, json=job()))
    sizes = ("--train-per-category", "5", "--train-per-category", "10")
    run(script, "experiment", DATASET, *sizes, "--no-wait")
    asked = json.loads(script.requests[0].content)
    assert asked == {"dataset": DATASET, "train_per_category": [5, 10]}


def test_a_sweep_is_a_table_of_sizes_and_what_arms_are_worth() -> None:
    made = experiment()
    worth = {
        "arm": "combined",
        "baseline": "none",
        "train_per_category": 5,
        "equivalent": 12.34,
        "ci": [5, 20],
        "beyond": "above",
    }
    point = {"arms": made["arms"], "comparisons": []}
    points = [{**point, "train_per_category": size} for size in (5, 20)]
    out = Console(width=160, record=True, file=io.StringIO())
    swept = {**made, "sweep": {"points": points, "worth": [worth]}}
    print_experiment(out, Experiment.model_validate(swept))
    lines = [" ".join(line.split()) for line in out.export_text().splitlines()]
    assert any(line.startswith("20 ") and "77.2 ± 1.3" in line for line in lines)
    assert "combined 5 none > 12.3 [5.0, 20.0]" in lines


def test_a_gan_that_exists(run: Run) -> None:
    script = Script(httpx.Response(202, json=job()))
    run(script, "experiment", DATASET, "--gan", GAN, "--no-wait")
    assert json.loads(script.requests[0].content) == {"dataset": DATASET, "gan_id": GAN}


def test_the_report_is_saved_and_json_stays_alone(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    script = Script(
        httpx.Response(202, json=job()),
        httpx.Response(200, json=DONE),
        httpx.Response(200, json=experiment()),
        httpx.Response(200, html="<p>report"),
    )
    result = run(script, "experiment", DATASET, "--report", str(path), "--json")
    assert result.exit_code == 0, result.stderr
    assert path.read_text() == "<p>report"
    assert json.loads(result.stdout)["arms"][1]["accuracy"]["mean"] == 0.772
    assert result.stderr == f"report: {path}\n"


def test_a_failed_experiment_is_one_line_and_its_json_the_job(run: Run) -> None:
    error = {"type": "/x", "title": "Invalid input", "detail": "pelvis has 1 test image"}
    script = Script(
        httpx.Response(202, json=job()), httpx.Response(200, json=job("failed", error=error))
    )
    result = run(script, "experiment", DATASET, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["detail"] == "pelvis has 1 test image"
    assert result.stderr.count("\n") == 1


def test_an_experiment_dry(run: Run) -> None:
    estimate = {"images": 5, "bytes": 9, "device_seconds": 0.5, "based_on": "earlier jobs"}
    script = Script(httpx.Response(200, json=estimate))
    result = run(script, "experiment", DATASET, "--dry-run")
    assert "earlier jobs" in result.stdout
    assert script.requests[0].url.params["dry_run"] == "true"


def test_experiments_are_listed(run: Run) -> None:
    result = run(Script(page(experiment())), "experiments", "list")
    row = [EXPERIMENT, "succeeded", DATASET, "3", "does", "it", "help"]
    assert row in [line.split() for line in result.stdout.splitlines()]


def test_show_prints_the_same_as_the_run(run: Run) -> None:
    result = run(Script(httpx.Response(200, json=experiment())), "experiments", "show", EXPERIMENT)
    assert "77.2 ± 1.3 [75.1, 79.0]" in result.stdout
    assert "Synthetic images help." in result.stdout


def test_an_experiment_that_runs_shows_no_empty_table(run: Run) -> None:
    answer = httpx.Response(200, json=experiment_running())
    result = run(Script(answer), "experiments", "show", EXPERIMENT)
    assert "running" in result.stdout
    assert "ACCURACY" not in result.stdout
    assert "COMPARISON" not in result.stdout


def test_no_such_experiment_is_one_line(run: Run) -> None:
    refused = problem(404, "Not found", "there is no experiment exp_x")
    result = run(Script(refused), "experiments", "show", "exp_x")
    assert result.exit_code == 1
    assert result.stderr == "error: Not found: there is no experiment exp_x\n"


def test_figures_break_before_their_interval_on_a_narrow_terminal() -> None:
    screen = io.StringIO()
    print_experiment(Console(file=screen, width=80), Experiment.model_validate(experiment()))
    text = screen.getvalue()
    assert "77.2 ± 1.3" in text
    assert "[75.1, 79.0]" in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["no-id"], "dataset"),
        ([DATASET, "--arms", "both"], "arms"),
        ([DATASET, "--arms", "gan", "--arms", "gan"], "once"),
        ([DATASET, "--seeds", "0"], "seeds"),
        ([DATASET, "--size", "33"], "size"),
        ([DATASET, "--gan-steps", "0"], "gan.steps"),
        ([DATASET, "--gan", GAN, "--gan-steps", "5"], "trained already"),
        ([DATASET, "--report", "r.html", "--no-wait"], "--no-wait"),
        ([DATASET, "--report", "no/such/r.html"], "no folder"),
    ],
)
def test_wrongly_written_commands_are_exit_code_2(run: Run, arguments: list[str], why: str) -> None:
    result = run(Script(), "experiment", *arguments)
    assert result.exit_code == 2
    assert why in result.stderr
