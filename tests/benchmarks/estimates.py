"""What dry runs promise beside what then happens, over the whole road on an embedded stack.

An estimate is measured on jobs that ended here before: in the first round nothing is known, in the
second one job of each kind that began in a cold worker, in the third two. Every round asks for
other amounts, each as a dry run just before the job. ``python -m tests.benchmarks.estimates``.
"""

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from services.preprocessing.domain.phantom import write_phantoms
from tests.whole_stack import whole_stack

WAIT_SECONDS = 1_800
SMALL = {"batch_size": 8, "n_critic": 1, "width": 8, "latent": 16}


@dataclass(frozen=True)
class Asked:
    """One submission: what is sent, and the name of what it makes in the job's output."""

    name: str
    path: str
    made: str
    body: dict[str, Any] | None = None
    upload: Path | None = None


class Bench:
    """Asks, runs and compares. ``shown`` holds promised and used device-seconds by name."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self.shown: dict[str, tuple[float, float]] = {}

    def run(self, asked: Asked) -> str:
        """The id of what the job made."""
        before = self._used_seconds()
        estimate = self._send(asked, dry_run=True)
        job = self._ended(self._send(asked)["id"])
        used = self._used_seconds() - before
        self.shown[asked.name] = (estimate["device_seconds"], used)
        print(_row(asked.name, estimate["device_seconds"], used, estimate["based_on"]), flush=True)
        return str(job["output"][asked.made])

    def _send(self, asked: Asked, **params: Any) -> dict[str, Any]:
        path = httpx.URL(asked.path).copy_merge_params(params)
        if asked.upload is None:
            answer = self._http.post(path, json=asked.body)
        else:
            with asked.upload.open("rb") as file:
                files = {"file": (asked.upload.name, file)}
                answer = self._http.post(path, data=asked.body, files=files)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def _ended(self, job_id: str) -> dict[str, Any]:
        with self._http.stream("GET", f"/jobs/{job_id}/events", timeout=WAIT_SECONDS) as events:
            for line in events.iter_lines():
                if line.startswith("event: done"):
                    break
        job = dict(self._http.get(f"/jobs/{job_id}").json())
        assert job["status"] == "succeeded", json.dumps(job.get("error"))
        return job

    def _used_seconds(self) -> float:
        keys = self._http.get("/usage").json()["items"]
        return float(sum(each["device_seconds"] for key in keys for each in key["jobs"]))


def _row(name: str, promised: float, used: float, based_on: str) -> str:
    ratio = f"{promised / used:5.2f}" if promised else "    -"
    return f"| {name} | {promised:.2f} | {used:.2f} | {ratio} | {based_on} |"


def _walk(bench: Bench, phantoms: Callable[[int, int], Path], round_: int) -> None:
    """The road once; in each ``round_`` every amount is another one."""
    name = ("first", "second", "third")[round_]
    lesions, size, steps = ((8, 32, 60), (16, 32, 120), (40, 64, 200))[round_]
    layout = {"layout": "deeplesion", "name": f"estimates, {name}"}
    raw = bench.run(
        Asked(f"ingest, {name}", "/datasets", "dataset", layout, phantoms(lesions, round_))
    )
    crops = bench.run(
        Asked(f"preprocess, {name}", "/preprocess", "dataset", {"dataset": raw, "size": size})
    )
    bench.run(
        Asked(
            f"augment, {name}",
            "/augment",
            "dataset",
            {"dataset": crops, "copies": (2, 5, 10)[round_], "seed": round_},
        )
    )
    gan = bench.run(
        Asked(f"train-gan, {name}", "/gans", "gan", {"dataset": crops, "steps": steps, **SMALL})
    )
    bench.run(
        Asked(
            f"generate, {name}",
            f"/generate?category=liver&n={(50, 200, 1_000)[round_]}&gan={gan}",
            "dataset",
        )
    )
    bench.run(
        Asked(
            f"train-classifier, {name}",
            "/classifiers",
            "classifier",
            {"datasets": [crops], "architecture": "small_cnn", "steps": 5 * steps},
        )
    )
    experiment = {
        "dataset": crops,
        "seeds": 1 + round_,
        "train_per_category": 4,
        "gan": {"steps": steps, **SMALL},
        "classifier": {"architecture": "small_cnn", "steps": 2 * steps},
    }
    bench.run(Asked(f"experiment, {name}", "/experiments", "experiment", experiment))


def _walked(stack: Mapping[str, Any], phantoms: Callable[[int, int], Path]) -> Bench:
    headers = {"Authorization": f"Bearer {stack['key']}"}
    with httpx.Client(base_url=stack["url"], headers=headers, timeout=120, trust_env=False) as http:
        bench = Bench(http)
        print("| job | promised, s | used, s | ratio | based on |\n|---|---|---|---|---|")
        for round_ in range(3):
            _walk(bench, phantoms, round_)
    return bench


def main() -> None:
    """Print every estimate and what came of it, and how many are within a factor of two."""
    with tempfile.TemporaryDirectory(prefix="estimates-") as folder:
        home = Path(folder)

        def phantoms(lesions: int, seed: int) -> Path:
            path = home / f"phantoms-{lesions}.zip"
            write_phantoms(path, lesions_per_category=lesions, seed=seed)
            return path

        with whole_stack(home / "stack") as stack:
            bench = _walked(stack, phantoms)
    last = [each for name, each in bench.shown.items() if name.endswith("third")]
    within = sum(0.5 <= promised / used <= 2 for promised, used in last)
    print(f"within a factor of two: {within} of {len(last)}")


if __name__ == "__main__":
    main()
