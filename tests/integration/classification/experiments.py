"""Experiments over HTTP, and the graphs of jobs that they make."""

from collections import Counter
from typing import Any

import httpx
from sqlalchemy import func, select

from shared.db.engine import Sessions

TWO_SEEDS: dict[str, Any] = {"seeds": 2, "train_per_category": 2}
#: Of an experiment of all arms and two seeds.
KINDS = {
    "subset": 2,
    "augment": 2,
    "train-gan": 2,
    "generate-set": 2,
    "train-classifier": 8,
    "experiment": 1,
}
Job = dict[str, Any]


def ask(client: httpx.Client, dataset_id: str, **members: Any) -> Job:
    """The job of an experiment."""
    command = {"dataset": dataset_id, **TWO_SEEDS, **members}
    answer = client.post("/experiments", json=command)
    assert answer.status_code == 202, answer.text
    job: Job = answer.json()
    assert answer.headers["location"] == f"/jobs/{job['id']}"
    assert (job["kind"], job["status"]) == ("experiment", "queued")
    return job


def graph(client: httpx.Client, job: Job) -> dict[str, Job]:
    """The jobs that it waits for and itself, by their ids."""
    page = client.get("/jobs", params={"graph": job["id"], "limit": 200}).json()
    assert page["next_cursor"] is None
    return {each["id"]: each for each in page["items"]}


def kinds(jobs: dict[str, Job]) -> dict[str, int]:
    return dict(Counter(job["kind"] for job in jobs.values()))


def of_kind(jobs: dict[str, Job], kind: str) -> set[str]:
    return {job["id"] for job in jobs.values() if job["kind"] == kind}


def rows(sessions: Sessions, table: type[Any]) -> int:
    with sessions() as session:
        return int(session.scalars(select(func.count()).select_from(table)).one())


def needs(jobs: dict[str, Job], job: Job) -> list[str]:
    """The kinds of the jobs that a job waits for."""
    return sorted(jobs[parent]["kind"] for parent in job["parents"])
