"""Makes again, undisturbed, what was made in the chaos, and compares: bit for bit the same."""

import random
from collections.abc import Iterator, Sequence

from tests.chaos.asking import Asking
from tests.chaos.client import Client
from tests.chaos.mix import Ask
from tests.chaos.prepare import ended
from tests.chaos.rows import Rows

DATASETS = ("ingest", "preprocess", "augment", "generate")
MODELS = {"train-gan": "gan", "train-classifier": "classifier"}
PREVIEWS = ("preprocess-preview", "augment-preview", "classify")


def chosen(rows: Rows, asks: Sequence[Ask], *, limit: int, seed: int) -> list[Ask]:
    """One ask of each kind, then those whose attempts were broken off, up to ``limit``."""
    able = [
        ask
        for ask in asks
        if ask.expected == "succeeded" and not ask.streamed and ask.repeats is None
        if _succeeded(rows, ask)
    ]
    able = [ask for ask in able if ask.kind in (*DATASETS, *MODELS, *PREVIEWS)]
    random.Random(seed).shuffle(able)
    able.sort(key=lambda ask: -rows.jobs[rows.by_ask[ask.number][0]].attempts)
    kinds: set[str] = set()
    first = [ask for ask in able if not (ask.kind in kinds or kinds.add(ask.kind))]  # type: ignore[func-returns-value]
    rest = [ask for ask in able if ask not in first]
    return [*first, *rest][:limit]


def _succeeded(rows: Rows, ask: Ask) -> bool:
    return [rows.jobs[job_id].status for job_id in rows.by_ask[ask.number]] == ["succeeded"]


def differences(client: Client, asking: Asking, rows: Rows, asks: Sequence[Ask]) -> Iterator[str]:
    """What is not the same when it is made again."""
    for ask in asks:
        job = rows.jobs[rows.by_ask[ask.number][0]]
        made, again = _both(client, asking, ask, job.id)
        if made != again:
            yield f"{job.id} ({job.kind}, {job.attempts} attempts) made {made}, now {again}"


def _both(client: Client, asking: Asking, ask: Ask, job_id: str) -> tuple[object, object]:
    if ask.kind in PREVIEWS:
        made = client.ask("GET", f"/jobs/{job_id}/result")
        again = client.ask("POST", ask.path, **asking.request(ask))
        return (made.status_code, made.content), (again.status_code, again.content)
    output = client.json(f"/jobs/{job_id}")["output"]
    if ask.kind in MODELS:
        return output["weights_sha256"], _again(client, asking, ask)["weights_sha256"]
    path = f"/datasets/{output['dataset']}"
    sha256 = client.json(path)["sha256"]
    answer = client.ask("DELETE", path)
    assert answer.status_code in (204, 404), answer.text
    remade = _again(client, asking, ask)
    return sha256, client.json(f"/datasets/{remade['dataset']}")["sha256"]


def _again(client: Client, asking: Asking, ask: Ask) -> dict[str, str]:
    answer = client.ask("POST", ask.path, **asking.request(ask))
    job = ended(client, answer.json()["id"])
    assert job["status"] == "succeeded", job
    output: dict[str, str] = job["output"]
    return output
