"""An experiment is asked for again, shared, cancelled and retried."""

import httpx
from sqlalchemy import select

from shared.db.engine import Sessions
from shared.db.tables import ClassifierRow, ExperimentRow, GanRow, JobRow
from shared.jobs import ledger
from tests.integration.classification.experiments import (
    KINDS,
    TWO_SEEDS,
    ask,
    graph,
    kinds,
    of_kind,
    rows,
)
from tests.integration.shared.builders import claimed, committed


def test_the_same_request_is_the_same_experiment(
    client: httpx.Client, images: str, sessions: Sessions
) -> None:
    first = ask(client, images)
    again = ask(client, images, name="under another name")
    assert again["id"] == first["id"]
    assert rows(sessions, JobRow) == 17 + 1, "and the job that made the data set"
    listed = client.get("/experiments").json()["items"]
    assert [each["job"] for each in listed] == [first["id"]]
    found = client.get(f"/experiments/{listed[0]['id']}").json()
    assert (found["status"], found["dataset"], found["seeds"]) == ("queued", images, 2)
    assert (found["arms"], found["comparisons"], found["n_test"]) == ([], [], None)
    assert found["categories"] == ["liver", "lung"]
    assert found["phantom"] is True


def test_an_idempotency_key_covers_the_graph(client: httpx.Client, images: str) -> None:
    once = {"Idempotency-Key": "once"}
    command = {"dataset": images, **TWO_SEEDS}
    first = client.post("/experiments", json=command, headers=once)
    again = client.post("/experiments", json=command, headers=once)
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["idempotency-replayed"] == "true"
    other = client.post("/experiments", json={**command, "seeds": 1}, headers=once)
    assert other.status_code == 422


def test_experiments_share_what_they_have_in_common(client: httpx.Client, images: str) -> None:
    all_arms = ask(client, images)
    jobs = graph(client, all_arms)
    some = ask(client, images, arms=["gan", "none"])
    assert some["id"] != all_arms["id"]
    assert set(graph(client, some)) - {some["id"]} < set(jobs)
    assert len(some["parents"]) == 4
    more = ask(client, images, arms=["gan"], seeds=3)
    assert kinds({k: v for k, v in graph(client, more).items() if k not in jobs}) == {
        "subset": 1,
        "train-gan": 1,
        "generate-set": 1,
        "train-classifier": 1,
        "experiment": 1,
    }


def test_other_options_share_less(client: httpx.Client, images: str) -> None:
    jobs = graph(client, ask(client, images))
    other = graph(client, ask(client, images, classifier={"steps": 7}))
    assert not of_kind(jobs, "train-classifier") & of_kind(other, "train-classifier")
    assert of_kind(jobs, "train-gan") == of_kind(other, "train-gan")
    assert of_kind(jobs, "augment") == of_kind(other, "augment")


def test_what_was_made_before_is_left_out(
    client: httpx.Client, images: str, sessions: Sessions
) -> None:
    first = ask(client, images, arms=["none"])
    for each in of_kind(graph(client, first), "train-classifier"):
        with sessions() as session:
            made = session.scalars(select(ClassifierRow).where(ClassifierRow.job_id == each)).one()
            made.weights_key, made.weights_sha256 = "k", "0" * 64
            session.commit()
    client.post(f"/jobs/{first['id']}/cancel")
    assert kinds(graph(client, ask(client, images, arms=["none"]))) == {"experiment": 1}


def test_cancel_takes_the_whole_graph(
    client: httpx.Client, images: str, sessions: Sessions
) -> None:
    job = ask(client, images)
    running = min(of_kind(graph(client, job), "subset"))
    claim = claimed(sessions, running)
    assert claim is not None
    assert client.post(f"/jobs/{job['id']}/cancel").json()["status"] == "cancelled"
    statuses = {each["id"]: each["status"] for each in graph(client, job).values()}
    assert statuses.pop(running) == "running"
    assert set(statuses.values()) == {"cancelled"}
    committed(sessions, lambda session: ledger.cancelled(session, claim))
    again = ask(client, images)
    assert again["id"] != job["id"]
    assert not set(graph(client, again)) & set(graph(client, job))
    (experiment,) = client.get("/experiments").json()["items"]
    assert (experiment["job"], experiment["status"]) == (again["id"], "queued")


def test_cancel_leaves_the_other_experiment(client: httpx.Client, images: str) -> None:
    job, other = ask(client, images), ask(client, images, arms=["gan"])
    client.post(f"/jobs/{job['id']}/cancel")
    assert {each["status"] for each in graph(client, other).values()} == {"queued"}
    left = [each for each in graph(client, job).values() if each["status"] == "queued"]
    assert {each["id"] for each in left} == set(graph(client, other)) - {other["id"]}


def test_retry_brings_the_graph_back(client: httpx.Client, images: str) -> None:
    job = ask(client, images)
    client.post(f"/jobs/{job['id']}/cancel")
    assert client.post(f"/jobs/{job['id']}/retry").json()["status"] == "queued"
    jobs = graph(client, job)
    assert kinds(jobs) == KINDS
    assert {each["status"] for each in jobs.values()} == {"queued"}


def test_a_dry_run_makes_nothing(client: httpx.Client, images: str, sessions: Sessions) -> None:
    before = rows(sessions, JobRow)
    command = {"dataset": images, **TWO_SEEDS}
    answer = client.post("/experiments?dry_run=true", json=command)
    assert answer.status_code == 200
    assert set(answer.json()) == {"images", "bytes", "device_seconds", "based_on"}
    assert "no train-gan job has ended here yet" in answer.json()["based_on"]
    assert rows(sessions, JobRow) == before
    for table in (ExperimentRow, GanRow, ClassifierRow):
        assert rows(sessions, table) == 0


def test_a_finished_experiment_succeeds_at_once(
    client: httpx.Client, images: str, sessions: Sessions
) -> None:
    job = ask(client, images)
    with sessions() as session:
        row = session.scalars(select(ExperimentRow)).one()
        row.result = {"n_test": 4}
        session.commit()
    client.post(f"/jobs/{job['id']}/cancel")
    answer = client.post("/experiments", json={"dataset": images, **TWO_SEEDS}).json()
    assert (answer["status"], answer["output"]) == ("succeeded", {"experiment": row.id})
    assert answer["links"]["result"] == f"/experiments/{row.id}"
    assert answer["parents"] == []


def test_what_it_still_needs_cannot_be_deleted(client: httpx.Client, images: str) -> None:
    job = ask(client, images, arms=["none"])
    refused = client.delete(f"/datasets/{images}?cascade=true")
    assert refused.status_code == 409
    assert "still need it" in refused.json()["detail"]
    client.post(f"/jobs/{job['id']}/cancel")
    assert client.delete(f"/datasets/{images}?cascade=true").status_code == 204


def test_a_classifier_that_waits_for_its_comparison_is_kept(
    client: httpx.Client, images: str, sessions: Sessions
) -> None:
    job = ask(client, images, arms=["none"], seeds=1)
    [training] = of_kind(graph(client, job), "train-classifier")
    with sessions() as session:
        made = session.scalars(select(ClassifierRow).where(ClassifierRow.job_id == training)).one()
        made.weights_key, made.weights_sha256 = "k", "0" * 64
        row = ledger.get(session, training)
        row.status, row.finished_at = "succeeded", row.created_at
        session.commit()
    refused = client.delete(f"/classifiers/{made.id}")
    assert refused.status_code == 409
    assert job["id"] in refused.json()["detail"]
