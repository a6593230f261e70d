"""The command line: what it prints where, and its exit codes."""

import json
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from lesiongan import cli
from tests.unit.sdk.fake_server import Pieces, Run, Script, job, page, problem

DATASET = "ds_" + "a" * 24


def dataset(**members: Any) -> dict[str, Any]:
    return {
        "id": DATASET,
        "name": "our scans",
        "kind": "raw",
        "parents": [],
        "command": {},
        "sha256": "0",
        "images": 3,
        "bytes": 5_000_000,
        "phantom": False,
        "counts": {"train": {"liver": 2}, "test": {"unlabelled": 1}},
        "skipped": [],
        "skipped_total": 4,
        "notes": ["8-bit images"],
        "created_at": "2026-01-01T00:00:00Z",
        **members,
    }


def test_a_list_is_a_table(run: Run) -> None:
    result = run(Script(page(dataset())), "datasets", "list")
    assert result.exit_code == 0
    assert DATASET in result.stdout
    assert "our scans" in result.stdout


def test_json_is_all_there_is_on_stdout(run: Run) -> None:
    result = run(Script(page(dataset())), "datasets", "list", "--json")
    assert json.loads(result.stdout)[0]["skipped_total"] == 4
    assert result.stderr == ""


def test_names_cannot_steer_the_terminal(run: Run) -> None:
    result = run(Script(page(dataset(name="[red]\x1b]0;x\x07"))), "datasets", "list")
    assert "\x1b" not in result.stdout
    assert "[red]" in result.stdout


def test_a_data_set_shows_its_counts(run: Run) -> None:
    result = run(Script(httpx.Response(200, json=dataset())), "datasets", "show", DATASET)
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["CATEGORY", "train", "test"] in lines
    assert ["liver", "2", "0"] in lines
    assert ["unlabelled", "0", "1"] in lines


def test_upload_waits_and_shows_what_came_of_it(run: Run, tmp_path: Path) -> None:
    archive = tmp_path / "scans.zip"
    archive.write_bytes(b"PK")
    script = Script(
        httpx.Response(202, json=job("queued")),
        httpx.Response(200, json=job("succeeded", output={"dataset": DATASET})),
        httpx.Response(200, json=dataset()),
    )
    result = run(script, "datasets", "upload", str(archive), "--layout", "deeplesion")
    assert result.exit_code == 0, result.stderr
    assert b"scans.zip" in script.requests[0].read()
    assert "left out  4" in result.stdout
    assert "upload scans.zip: done" in result.stderr


def test_neighbours_are_asked_for_in_an_upload(run: Run, tmp_path: Path) -> None:
    archive = tmp_path / "scans.zip"
    archive.write_bytes(b"PK")
    asked = ["datasets", "upload", str(archive), "--layout", "deeplesion", "--no-wait"]
    for options, fields in ([], 2), (["--neighbours"], 3):
        script = Script(httpx.Response(202, json=job("queued")))
        assert run(script, *asked, *options).exit_code == 0
        sent = script.requests[0].read()
        assert sent.count(b"name=") - sent.count(b"filename=") == fields + 1
        assert (b'name="neighbours"\r\n\r\ntrue' in sent) == bool(options)


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ([], {}),
        (["--split", "own", "--neighbours"], {"split": {"keep": "always"}, "neighbours": True}),
        (["--split", "new", "--split-seed", "3"], {"split": {"keep": False, "seed": 3}}),
    ],
)
def test_preprocess_sends_only_what_was_asked(
    run: Run, options: list[str], sent: dict[str, object]
) -> None:
    script = Script(httpx.Response(202, json=job()))
    result = run(script, "preprocess", DATASET, *options, "--no-wait")
    assert result.exit_code == 0, result.stderr
    assert json.loads(script.requests[0].content) == {"dataset": DATASET} | sent


def test_what_the_server_refuses_is_one_line(run: Run) -> None:
    refused = problem(404, "Not found", "there is no data set\nds_x")
    result = run(Script(refused), "datasets", "show", "ds_x")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == "error: Not found: there is no data set ds_x\n"


def test_a_problem_as_json(run: Run) -> None:
    refused = problem(401, "Unauthorized", "send a key")
    result = run(Script(refused), "jobs", "list", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["status"] == 401
    assert "lesiongan login" in result.stderr


def test_no_server_is_one_line(run: Run) -> None:
    result = run(Script(httpx.ConnectError("refused")), "jobs", "list")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "nothing answers" in result.stderr


def test_a_failed_job_is_exit_code_1_and_its_json_the_job(run: Run) -> None:
    error = {"type": "/x", "title": "Invalid input", "detail": "row 3: the box is outside"}
    script = Script(
        httpx.Response(202, json=job()), httpx.Response(200, json=job("failed", error=error))
    )
    result = run(script, "preprocess", DATASET, "--size", "32", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["detail"] == "row 3: the box is outside"
    assert "row 3" in result.stderr


def test_augment_sends_only_what_was_asked(run: Run) -> None:
    script = Script(httpx.Response(202, json=job()))
    result = run(
        script, "augment", DATASET, "--copies", "2", "--operation", "rotate", "--no-wait", "--json"
    )
    assert result.exit_code == 0, result.stderr
    sent = script.requests[0]
    assert sent.url.path == "/augment"
    assert json.loads(sent.content) == {
        "dataset": DATASET,
        "copies": 2,
        "operations": ["rotate"],
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ["generate", "liver", "0"],
        ["generate", "spleen", "5"],
        ["generate", "liver"],
        ["preprocess", DATASET, "--size", "33"],
        ["augment", DATASET, "--copies", "0"],
        ["augment", DATASET, "--operation", "melt"],
        ["train", "no-id"],
        ["train", DATASET, "--category", "spleen"],
        ["keys", "create", "x", "--scope", "king"],
        ["datasets", "ingest", "nobucket", "--layout", "folders"],
        ["no-such-command"],
    ],
)
def test_wrongly_written_commands_are_exit_code_2(run: Run, arguments: list[str]) -> None:
    result = run(Script(), *arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr


def test_generate_writes_the_zip(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "out.zip"
    answer = httpx.Response(200, stream=Pieces([b"PK\x03\x04", b"rest"]), headers={"x-seed": "5"})
    result = run(Script(answer), "generate", "liver", "1", "-o", str(path), "--json")
    assert result.exit_code == 0, result.stderr
    assert path.read_bytes() == b"PK\x03\x04rest"
    shown = json.loads(result.stdout)
    assert (shown["path"], shown["images"], shown["seed"]) == (str(path), 1, 5)


def test_more_than_a_stream_carries_goes_through_a_job(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "out.zip"
    script = Script(
        httpx.Response(202, json=job()),
        httpx.Response(200, json=job("succeeded", output={"dataset": DATASET})),
        httpx.Response(200, content=b"zip"),
    )
    result = run(script, "generate", "liver", "2001", "-o", str(path))
    assert result.exit_code == 0, result.stderr
    assert [request.method for request in script.requests] == ["POST", "GET", "GET"]
    assert path.read_bytes() == b"zip"


def test_no_wait_prints_the_job(run: Run) -> None:
    script = Script(httpx.Response(202, json=job("queued")))
    result = run(script, "train", DATASET, "--steps", "5", "--no-wait", "--json")
    assert json.loads(result.stdout)["status"] == "queued"
    assert len(script.requests) == 1


def test_ctrl_c_says_how_to_go_on(run: Run) -> None:
    script = Script(httpx.Response(200, json=job("running")), KeyboardInterrupt())
    result = run(script, "jobs", "watch", "job_1")
    assert result.exit_code == 130
    assert "lesiongan jobs watch job_1" in result.stderr
    assert "lesiongan jobs cancel job_1" in result.stderr


@pytest.mark.parametrize(("status", "code"), [("succeeded", 0), ("failed", 1)])
def test_watch_as_json_is_one_document_a_line(run: Run, status: str, code: int) -> None:
    stream = b'id: 1\nevent: metric\ndata: {"w": 1}\n\nevent: completed\ndata: {}\n\n'
    script = Script(
        httpx.Response(200, stream=Pieces([stream])),
        httpx.Response(200, json=job(status)),
    )
    result = run(script, "jobs", "watch", "job_1", "--json")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line.get("event") for line in lines] == ["metric", "completed", None]
    assert lines[-1]["status"] == status
    assert result.exit_code == code


def test_deleting_asks_first(run: Run) -> None:
    script = Script(httpx.Response(204))
    assert run(script, "datasets", "delete", DATASET).exit_code == 1
    assert script.requests == []
    assert run(script, "datasets", "delete", DATASET, "--yes", "--cascade").exit_code == 0
    assert script.requests[0].url.params["cascade"] == "true"


def test_dry_run_shows_the_estimate(run: Run) -> None:
    estimate = {"images": 5, "bytes": 9, "device_seconds": 0.5, "based_on": "earlier jobs"}
    script = Script(httpx.Response(200, json=estimate))
    assert "earlier jobs" in run(script, "generate", "liver", "5", "--dry-run").stdout


def test_a_file_that_cannot_be_written_is_one_line(run: Run, tmp_path: Path) -> None:
    answer = httpx.Response(200, content=b"png")
    place = str(tmp_path / "no" / "sheet.png")
    result = run(Script(answer), "datasets", "contact-sheet", DATASET, "-o", place)
    assert result.exit_code == 1
    assert result.stderr == f"error: No such file or directory: {place}\n"


@pytest.mark.parametrize(("shown", "traceback"), [("", False), ("1", True)])
def test_a_bug_is_one_line_unless_asked(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    shown: str,
    traceback: bool,
) -> None:
    def broken() -> None:
        raise LookupError("no\nsuch thing")

    monkeypatch.setattr(cli, "app", broken)
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    monkeypatch.setenv(cli.TRACEBACK_VARIABLE, shown)
    with pytest.raises(LookupError) as caught:
        cli.main()
    sys.excepthook(caught.type, caught.value, caught.tb)
    said = capsys.readouterr().err
    assert ("Traceback" in said) is traceback
    assert traceback or said.startswith("error: LookupError: no such thing (a bug")


def test_a_report_is_the_card_for_people_and_json_for_programs(run: Run) -> None:
    pairs = {"pairs": 0, "crossing": 0, "examples": [], "complete": True}
    found = {
        "dataset": DATASET,
        "images": 2,
        "patients": 1,
        "images_without_patient": 0,
        "splits": {"train": {"liver": {"images": 2, "patients": 1}}},
        "patients_in_several_splits": 0,
        "exact_duplicates": pairs,
        "near_duplicates": None,
        "skipped": [],
        "skipped_total": 0,
        "notes": [],
    }
    answers = [httpx.Response(200, json=found), httpx.Response(200, text="# our [scans]")]
    result = run(Script(*answers), "datasets", "report", DATASET)
    assert result.stdout == "# our [scans]\n"
    result = run(Script(*answers), "datasets", "report", DATASET, "--json")
    assert json.loads(result.stdout)["images"] == 2


def test_a_layout_and_a_format_are_asked_for(run: Run, tmp_path: Path) -> None:
    script = Script(httpx.Response(200, content=b"PK"))
    place = str(tmp_path / "a.zip")
    options = ("--layout", "imagefolder", "--format", "dicom", "-o", place)
    assert run(script, "datasets", "download", DATASET, *options).exit_code == 0
    assert dict(script.requests[0].url.params) == {"layout": "imagefolder", "format": "dicom"}
