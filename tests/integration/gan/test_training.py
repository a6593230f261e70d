"""Training over HTTP: its options, what it makes of them, and what is refused."""

import httpx
import pytest

from services.gan import store as rows
from services.gan.domain.weights import load_weights
from shared.datasets import lineage
from shared.db.tables import CheckpointRow, GanRow
from shared.worker.ports import Ports
from tests.integration.gan.test_generate import published_gan
from tests.integration.holders import Holders
from tests.integration.services.bench import Bench, archive, pictures
from tests.integration.shared.builders import row

QUICK = {
    "steps": 6,
    "batch_size": 4,
    "n_critic": 1,
    "width": 4,
    "latent": 8,
    "evaluate_every": 2,
    "checkpoint_every": 2,
}


def _dataset(bench: Bench) -> str:
    """Preprocessed pictures of liver and lung, every third without a label."""
    files, manifest = {}, ["file,category,patient,split"]
    for number, (name, png) in enumerate(sorted(pictures(36).items())):
        category = "unlabelled" if number % 3 == 0 else name.split("/")[1]
        split = "test" if number % 9 == 4 else "train"
        path = f"images/{category}/{number}.png"
        files[path] = png
        manifest.append(f"{path},{category},p{number},{split}")
    files["manifest.csv"] = "\n".join(manifest).encode()
    raw = bench.made(bench.upload(archive(files), "folders"))
    return bench.made(bench.post("/preprocess", {"dataset": raw, "size": 32, "crop": "slice"}))


def _train(bench: Bench, dataset: str, **options: object) -> GanRow:
    job_id = bench.post("/gans", {"dataset": dataset, **QUICK, **options})
    done = bench.run(job_id)
    assert done.status == "succeeded", done.error
    assert done.target is not None
    with bench.ports.sessions() as session:
        return rows.get(session, done.target)


def test_all_options_train_and_are_kept_with_the_weights(bench: Bench) -> None:
    options = {
        "diff_augment": ["contrast", "translation", "cutout"],
        "consistency": 1.0,
        "unlabelled_share": 0.5,
        "pretrain_steps": 2,
        "max_rollbacks": 3,
    }
    gan = _train(bench, _dataset(bench), **options)
    assert {name: gan.command[name] for name in options} == options
    _, card = load_weights(bench.ports.store.get(str(gan.weights_key)))
    for said in ('"unlabelled_share":0.5', '"pretrain_steps":2', '"cutout"'):
        assert said in card["training"]
    points = bench.client.get(f"/gans/{gan.id}/metrics").json()["points"]
    assert [point["step"] for point in points if "diversity" in point["values"]] == [2, 4, 6]


def test_a_share_without_unlabelled_images_is_none(bench: Bench) -> None:
    raw = bench.made(bench.upload(archive(pictures(24)), "folders"))
    asked = {"dataset": raw, "size": 32, "crop": "slice", "split": {"keep": False}}
    gan = _train(bench, bench.made(bench.post("/preprocess", asked)), unlabelled_share=0.5)
    _, card = load_weights(bench.ports.store.get(str(gan.weights_key)))
    assert '"unlabelled_share":0.0' in card["training"]


def test_fine_tuning_goes_on_from_another_gan_and_derives_from_it(bench: Bench) -> None:
    dataset = _dataset(bench)
    first = _train(bench, dataset)
    second = _train(bench, dataset, init_from=first.id, steps=1, learning_rate=1e-7)
    old, new = (load_weights(bench.ports.store.get(str(g.weights_key)))[0] for g in (first, second))
    for one, other in zip(old.parameters(), new.parameters(), strict=True):
        assert (one - other).abs().max() < 1e-5
    log = bench.client.get(f"/jobs/{second.job_id}/events", params={"follow": "false"}).text
    assert f"began with the generator and critic of {first.id}" in log
    with bench.ports.sessions() as session:
        assert second.id in lineage.tainted(session, [dataset]).gans
        assert second.id in lineage.derived(session, dataset).gans
        session.get_one(GanRow, second.id).dataset_id = "ds_of_others"
        session.flush()
        assert second.id in lineage.tainted(session, [dataset]).gans


def test_a_gan_of_another_shape_or_none_cannot_be_gone_on_from(bench: Bench) -> None:
    dataset = _dataset(bench)
    first = _train(bench, dataset)
    body = {"dataset": dataset, **QUICK, "init_from": first.id}
    answer = bench.client.post("/gans", json={**body, "width": 8})
    assert answer.status_code == 422
    assert "32, 1, 4, 8, not 32, 1, 8, 8" in answer.json()["detail"]
    answer = bench.client.post("/gans", json={**body, "init_from": f"gan_{'0' * 24}"})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"diff_augment": ["flip"]},
        {"diff_augment": ["cutout", "cutout"]},
        {"unlabelled_share": 1.0},
        {"pretrain_steps": 6},
        {"consistency": -1},
        {"evaluate_every": 0},
        {"max_rollbacks": 101},
    ],
)
def test_options_that_mean_nothing_are_refused(
    client: httpx.Client, wrong: dict[str, object]
) -> None:
    body = {"dataset": f"ds_{'0' * 24}", **QUICK, **wrong}
    answer = client.post("/gans", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_training_that_never_recovers_fails_and_says_so(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Watched too closely, no run is sound."""
    dataset = _dataset(bench)
    monkeypatch.setattr("services.gan.domain.watchdog.MAX_GRADIENT_NORM", 0.0)
    job_id = bench.post("/gans", {"dataset": dataset, **QUICK, "max_rollbacks": 2})
    done = bench.run(job_id)
    assert done.status == "failed"
    assert done.error is not None
    assert done.error["type"] == "/errors/training-diverged"
    assert "lower learning_rate" in done.error["detail"]
    log = bench.client.get(f"/jobs/{job_id}/events", params={"follow": "false"}).text
    assert log.count("the watchdog took the training back from step 2 to 0") == 2
    points = bench.client.get(f"/gans/{done.target}/metrics").json()["points"]
    assert [p["values"]["rollbacks"] for p in points if "rollbacks" in p["values"]] == [2]


def test_checkpoints_behind_are_rotated_and_those_ahead_forgotten(ports: Ports) -> None:
    gan_id = published_gan(ports.sessions, default=False)

    def add(step: int, key: str) -> list[str]:
        with ports.sessions() as session:
            made = CheckpointRow(gan_id=gan_id, step=step, key=key, sha256="")
            old = rows.add_checkpoint(session, made, keep=2)
            session.commit()
        return old

    def kept() -> list[str]:
        with ports.sessions() as session:
            return [each.key for each in rows.checkpoints(session, gan_id)]

    assert [add(1, "a"), add(2, "b"), add(3, "c")] == [[], [], ["a"]]
    assert add(3, "c again") == ["c"]
    assert add(3, "c again") == []
    assert kept() == ["c again", "b"]
    assert add(2, "b, after it went back") == ["c again", "b"]
    assert kept() == ["b, after it went back"]


def test_metrics_of_a_step_are_added_to(ports: Ports) -> None:
    gan_id = published_gan(ports.sessions, default=False)
    with ports.sessions() as session:
        for values in ({"a": 1.0, "b": 1.0}, {"b": 2.0, "c": 3.0}):
            rows.add_metrics(session, gan_id, 7, values)
        session.commit()
        (point,) = rows.metric_points(session, gan_id)
    assert point.values == {"a": 1.0, "b": 2.0, "c": 3.0}


def test_truncated_samples_are_a_data_set_of_their_own(bench: Bench) -> None:
    gan = _train(bench, _dataset(bench))
    made = {}
    for truncation in ("", "&truncation=0.5", "&truncation=2"):
        path = f"/generate?category=liver&n=3&seed=1&gan={gan.id}{truncation}"
        job_id = bench.client.post(path).json()["id"]
        assert bench.run(job_id).status == "succeeded"
        dataset = row(bench.ports.sessions, job_id).target
        made[truncation] = bench.client.get(f"/datasets/{dataset}").json()
    assert len({each["sha256"] for each in made.values()}) == 3
    assert made["&truncation=0.5"]["command"]["truncation"] == 0.5
    assert bench.client.post(f"{path}e9").status_code == 422


def test_the_card_says_what_it_is_and_travels_with_the_weights(bench: Bench) -> None:
    dataset = _dataset(bench)
    gan = _train(bench, dataset, name="two *organs*")
    answer = bench.client.get(f"/gans/{gan.id}/card")
    assert answer.headers["content-type"].startswith("text/markdown")
    card = answer.text
    train = bench.client.get(f"/datasets/{dataset}").json()["counts"]["train"]
    for said in (
        "# two \\*organs\\*",
        f"`{gan.id}`, class-conditional WGAN-GP, 32 by 32 pixels, grey, step 6 of 6",
        f"`{gan.weights_sha256}`",
        f"`{dataset}`",
        f"| liver | {train['liver']} |",
        '"steps": 6',
        "not for diagnosis",
    ):
        assert said in card
    weights = bench.client.get(f"/gans/{gan.id}/weights").content
    carried = load_weights(weights)[1]["model_card"]
    assert f"| lung | {train['lung']} |" in carried
    assert gan.id not in carried, "equal trainings publish equal bytes"


def test_no_connection_waits_while_its_files_are_read(bench: Bench, holders: Holders) -> None:
    gan = _train(bench, _dataset(bench))
    holders.guilty.clear()  # submitting reads manifests within its transaction, which are kept
    for name in ("weights", "pairs.png", "preview.png"):
        read = holders.reads
        assert bench.client.get(f"/gans/{gan.id}/{name}").status_code == 200
        assert holders.reads > read
    assert holders.guilty == []


def test_a_gan_that_still_trains_has_a_card(bench: Bench) -> None:
    job = bench.client.post("/gans", json={"dataset": _dataset(bench), **QUICK}).json()
    link = job["links"]["result"]
    assert bench.client.get(link).json()["status"] == "queued"
    card = bench.client.get(f"{link}/card").text
    assert "without weights: its training has not succeeded" in card
