"""The graph of an experiment, over HTTP where no worker runs."""

import hashlib
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from lesiongan.contracts.arms import USUAL_ARMS
from shared.datasets.identity import dataset_id
from shared.db.engine import Sessions
from shared.db.tables import GanRow
from shared.storage.s3 import S3Store
from tests.integration.classification.datasets import gan, unsplit
from tests.integration.classification.experiments import (
    KINDS,
    TWO_SEEDS,
    Job,
    ask,
    graph,
    kinds,
    needs,
    of_kind,
)
from tests.integration.shared.builders import claimed


def test_the_graph_has_what_the_arms_need(client: httpx.Client, images: str) -> None:
    job = ask(client, images)
    jobs = graph(client, job)
    assert kinds(jobs) == KINDS
    assert job["progress"] == {"done": 0, "total": 17, "unit": "job", "eta_seconds": None}
    wanted: dict[str, list[list[str]]] = {
        "subset": [[]],
        "augment": [["subset"]],
        "train-gan": [["subset"]],
        "generate-set": [["subset", "train-gan"]],
        "train-classifier": [
            ["augment"],
            ["augment", "generate-set"],
            ["generate-set", "subset"],
            ["subset"],
        ],
        "experiment": [["train-classifier"] * 8],
    }
    for kind, parents in wanted.items():
        found = sorted(needs(jobs, jobs[each]) for each in of_kind(jobs, kind))
        assert found == sorted(parents * (KINDS[kind] // len(parents))), kind


def test_parents_and_children_link_up_within_a_seed(client: httpx.Client, images: str) -> None:
    jobs = graph(client, ask(client, images))
    for job in jobs.values():
        assert all(job["id"] in jobs[parent]["children"] for parent in job["parents"])
        assert all(job["id"] in jobs[child]["parents"] for child in job["children"])
        if job["kind"] != "experiment":
            seeds = {jobs[parent]["input"]["seed"] for parent in job["parents"]}
            assert seeds <= {job["input"]["seed"]}, "no seed sees another's images"


def test_only_what_can_run_is_ready(client: httpx.Client, images: str, sessions: Sessions) -> None:
    jobs = graph(client, ask(client, images))
    ready = {each for each in jobs if claimed(sessions, each) is not None}
    assert ready == of_kind(jobs, "subset")


def test_a_raw_data_set_is_preprocessed_once(
    client: httpx.Client, sessions: Sessions, store: S3Store
) -> None:
    raw = unsplit(sessions, store, {"liver": 3, "lung": 3})
    jobs = graph(client, ask(client, raw, preprocess={"size": 32}))
    assert kinds(jobs) == {**KINDS, "preprocess": 1}
    (preprocess,) = of_kind(jobs, "preprocess")
    assert jobs[preprocess]["progress"]["total"] == 6
    assert set(jobs[preprocess]["children"]) == of_kind(jobs, "subset")
    with sessions() as session:
        assert set(session.scalars(select(GanRow.image_size))) == {32}


def test_all_images_need_no_subset(client: httpx.Client, images: str) -> None:
    """Every seed then shares the real images, and nothing else."""
    jobs = graph(client, ask(client, images, train_per_category=None))
    assert kinds(jobs) == {kind: n for kind, n in KINDS.items() if kind != "subset"}
    assert all(jobs[each]["parents"] == [] for each in of_kind(jobs, "train-gan"))
    sets = {
        tuple(jobs[each]["input"]["datasets"])
        for each in of_kind(jobs, "train-classifier")
        if jobs[each]["parents"] == []
    }
    assert sets == {(images,)}


@pytest.mark.parametrize(
    ("arm", "expected"),
    [
        ("none", {"subset", "train-classifier", "experiment"}),
        ("traditional", {"subset", "augment", "train-classifier", "experiment"}),
        ("gan", {"subset", "train-gan", "generate-set", "train-classifier", "experiment"}),
    ],
)
def test_what_no_arm_asks_for_is_not_made(
    client: httpx.Client, images: str, arm: str, expected: set[str]
) -> None:
    jobs = graph(client, ask(client, images, arms=[arm]))
    assert set(kinds(jobs)) == expected


def test_all_arms_take_the_same_steps(client: httpx.Client, images: str) -> None:
    jobs = graph(client, ask(client, images, classifier={"steps": 7}))
    trained = [jobs[each]["input"] for each in of_kind(jobs, "train-classifier")]
    assert {(each["steps"], each["epochs"], each["patience"]) for each in trained} == {
        (7, None, None)
    }


def test_how_images_mix_changes_the_arms_that_have_both_alone(
    client: httpx.Client, images: str
) -> None:
    arms = ["none", "traditional", "gan", "combined", "distil", "tstr"]

    def trained(**classifier: float) -> dict[str, str]:
        job = ask(client, images, seeds=1, arms=arms, classifier=classifier)
        (point,) = job["input"]["plan"]["points"]
        return {arm: made for arm, (made,) in point["classifiers"].items()}

    usual = trained()
    for other in (trained(synthetic_share=0.75), trained(synthetic_first=0.5)):
        assert {arm for arm in arms if other[arm] != usual[arm]} == {"gan", "combined"}


def test_a_gan_that_exists_is_used(client: httpx.Client, images: str, sessions: Sessions) -> None:
    known = gan(sessions, images, ["liver", "lung", "bone"])
    jobs = graph(client, ask(client, images, train_per_category=None, gan_id=known))
    assert "train-gan" not in kinds(jobs)
    asked = [jobs[each]["input"] for each in of_kind(jobs, "generate-set")]
    assert [each["gan"] for each in asked] == [known, known]
    assert sorted(each["seed"] for each in asked) == [0, 1]


def test_each_seed_draws_its_own_images(client: httpx.Client, images: str) -> None:
    jobs = graph(client, ask(client, images))
    drawn = [jobs[each]["input"] for each in of_kind(jobs, "subset")]
    assert sorted((each["dataset"], each["per_category"], each["seed"]) for each in drawn) == [
        (images, 2, 0),
        (images, 2, 1),
    ]
    real = {
        tuple(jobs[each]["input"]["datasets"])
        for each in of_kind(jobs, "train-classifier")
        if needs(jobs, jobs[each]) == ["subset"]
    }
    assert len(real) == 2, "another subset for each seed"
    assert (images,) not in real


def test_controls_need_no_gan(client: httpx.Client, images: str) -> None:
    arms = ["none", "oversample", "class_weights", "distil"]
    unbalanced = {"balance": False}
    jobs = graph(client, ask(client, images, arms=arms, seeds=1, classifier=unbalanced))
    assert kinds(jobs) == {"subset": 1, "augment": 1, "train-classifier": 5, "experiment": 1}
    asked = [jobs[each]["input"] for each in of_kind(jobs, "train-classifier")]
    taught = [each for each in asked if each["teacher"] is not None]
    assert [each["distil"] for each in taught] == [0.5]
    assert {each["seed"] for each in asked if each["teacher"] is None} == {0}
    assert taught[0]["seed"] != 0, "it would begin with its teacher's weights, and see its batches"
    weighed = [each for each in asked if each["class_weights"]]
    assert [each["balance"] for each in weighed] == [False]


def test_arms_that_balance_anyway_share_the_oversampled_classifier(
    client: httpx.Client, images: str
) -> None:
    jobs = graph(client, ask(client, images, arms=["none", "oversample"], seeds=1))
    assert kinds(jobs)["train-classifier"] == 1


def test_unlabelled_images_are_those_left_over(client: httpx.Client, images: str) -> None:
    arms = ["traditional", "pseudo_label"]
    jobs = graph(client, ask(client, images, arms=arms, seeds=1, unlabelled=True))
    drawn = [jobs[each]["input"] for each in of_kind(jobs, "subset")]
    assert sorted(each.get("unlabelled", False) for each in drawn) == [False, True]
    (student,) = (
        jobs[each]
        for each in of_kind(jobs, "train-classifier")
        if jobs[each]["input"]["unlabelled"]
    )
    assert needs(jobs, student) == ["augment", "subset", "train-classifier"]


def test_unlabelled_images_and_their_control_come_together(
    client: httpx.Client, images: str
) -> None:
    for given, arms in (
        ({"unlabelled": True, "arms": ["none"]}, ["none", "pseudo_label"]),
        ({"unlabelled": True}, [*USUAL_ARMS, "pseudo_label"]),
        ({"arms": ["none", "pseudo_label"]}, ["none", "pseudo_label"]),
        ({"arms": ["pseudo_label"], "unlabelled": True}, ["pseudo_label"]),
    ):
        taken = ask(client, images, seeds=1, **given)["input"]
        assert taken["unlabelled"] is True
        assert taken["arms"] == arms


def test_a_filter_asks_the_traditional_classifier(client: httpx.Client, images: str) -> None:
    jobs = graph(client, ask(client, images, arms=["gan"], seeds=1, filter_confidence=0.5))
    trained = [jobs[each] for each in of_kind(jobs, "train-classifier")]
    assert sorted(needs(jobs, each) for each in trained) == [
        ["augment"],
        ["generate-set", "subset", "train-classifier"],
    ]


def test_copies_are_left_out_of_the_arms_with_synthetic_images(
    client: httpx.Client, images: str
) -> None:
    asked = {"arms": ["none", "gan"], "seeds": 1}
    kept = graph(client, ask(client, images, **asked))
    filtered = graph(client, ask(client, images, **asked, filter_copies=True))

    def told(jobs: dict[str, Job]) -> list[bool]:
        trained = [jobs[each]["input"] for each in of_kind(jobs, "train-classifier")]
        return sorted(command.get("filter_copies", False) for command in trained)

    assert told(kept) == [False, False]
    assert told(filtered) == [False, True]
    assert of_kind(kept, "generate-set") == of_kind(filtered, "generate-set"), "the same images"


def test_tstr_sees_no_real_image(client: httpx.Client, images: str) -> None:
    jobs = graph(client, ask(client, images, arms=["tstr"], seeds=1))
    (trained,) = of_kind(jobs, "train-classifier")
    assert needs(jobs, jobs[trained]) == ["generate-set"]


def test_few_images_are_copied_more_often(client: httpx.Client, images: str) -> None:
    few = graph(client, ask(client, images, arms=["traditional"], seeds=1))
    every = graph(client, ask(client, images, arms=["traditional"], train_per_category=None))
    copies = [
        {jobs[each]["input"]["copies"] for each in of_kind(jobs, "augment")}
        for jobs in (few, every)
    ]
    assert copies == [{20}, {3}]


def test_a_gan_sees_the_left_over_images_without_their_categories(
    client: httpx.Client, images: str
) -> None:
    asked = {"unlabelled": True, "gan_pseudo_confidence": None, "gan": {"steps": 8}}
    job = ask(client, images, arms=["combined"], seeds=1, **asked)
    jobs = graph(client, job)
    beside = [j for j in jobs.values() if j["input"].get("unlabelled_beside")]
    assert [(each["kind"], each["input"].get("unlabelled")) for each in beside] == [
        ("subset", None)
    ]
    (trained,) = of_kind(jobs, "train-gan")
    assert jobs[trained]["parents"] == [beside[0]["id"]]
    assert jobs[trained]["input"]["pretrain_steps"] == 2
    (sampled,) = of_kind(jobs, "generate-set")
    real = jobs[sampled]["input"]["dataset"]
    seen = jobs[trained]["input"]["dataset"]
    assert seen != real, "what is drawn in proportion to is the labelled images"
    for each in of_kind(jobs, "train-classifier"):
        given = jobs[each]["input"]
        assert seen not in [*given["datasets"], *given["unlabelled"]]


def test_a_gan_is_told_what_the_teacher_takes_left_over_images_for(
    client: httpx.Client, images: str
) -> None:
    job = ask(client, images, arms=["combined"], seeds=1, gan_pseudo_confidence=0.8)
    assert job["input"]["arms"] == ["combined", "pseudo_label"], "with their control"
    jobs = graph(client, job)
    (named,) = of_kind(jobs, "pseudo-label")
    assert needs(jobs, jobs[named]) == ["subset", "train-classifier"]
    teacher = jobs[named]["input"]["teacher"]
    assert {each["input"].get("teacher") for each in jobs.values()} == {None, teacher}
    (trained,) = of_kind(jobs, "train-gan")
    assert jobs[trained]["parents"] == [named]
    given = jobs[named]["input"]
    made = dataset_id("pseudo-label", [given["dataset"], given["teacher"]], given)
    assert jobs[trained]["input"]["dataset"] == made
    assert jobs[trained]["input"]["pretrain_steps"] == 0


def test_a_sweep_may_have_as_many_synthetic_images_beside_few_real_ones_as_beside_many(
    client: httpx.Client, images: str
) -> None:
    asked = {"train_per_category": [2, 3], "synthetic_per_category": 6}
    jobs = graph(client, ask(client, images, arms=["gan"], seeds=1, **asked))
    assert [jobs[each]["input"]["per_category"] for each in of_kind(jobs, "generate-set")] == [6, 6]


def test_synthetic_images_may_be_of_truncated_latents_which_trains_no_gan_anew(
    client: httpx.Client, images: str
) -> None:
    asked = {"arms": ["gan"], "seeds": 1}
    plain = graph(client, ask(client, images, **asked))
    cut = graph(client, ask(client, images, **asked, synthetic_truncation=2.0))
    limits = [
        [jobs[each]["input"]["truncation"] for each in of_kind(jobs, "generate-set")]
        for jobs in (plain, cut)
    ]
    assert limits == [[None], [2.0]]
    assert of_kind(plain, "train-gan") == of_kind(cut, "train-gan")
    assert not of_kind(plain, "train-classifier") & of_kind(cut, "train-classifier")


def test_each_round_of_naming_asks_the_classifier_of_the_round_before(
    client: httpx.Client, images: str
) -> None:
    job = ask(client, images, arms=["combined", "traditional"], seeds=1, pseudo_rounds=3)
    assert job["input"]["arms"] == ["combined", "traditional", "pseudo_label"]
    jobs = graph(client, job)
    classifiers = of_kind(jobs, "train-classifier")

    def teachers(asking: str) -> set[str]:
        return classifiers & set(jobs[asking]["parents"])

    students = {each for each in classifiers if jobs[each]["input"]["unlabelled"]}
    (last,) = students & set(jobs[job["id"]]["parents"])
    (second,), (named,) = teachers(last), of_kind(jobs, "pseudo-label")
    (first,) = teachers(second)
    (traditional,) = teachers(first)
    assert students == {first, second, last}
    assert jobs[traditional]["input"].get("teacher") is None
    assert teachers(named) == {second}, "a GAN is told what the arm is told"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, 0.9),
        ({"gan": {"steps": 8}}, 0.9),
        ({"gan_pseudo_confidence": 0.7}, 0.7),
        ({"gan": {"steps": 8, "pretrain_steps": 0}}, None),
        ({"gan_pseudo_confidence": None}, None),
        ({"arms": ["none"]}, None),
    ],
)
def test_gans_are_told_unless_something_else_is_chosen(
    client: httpx.Client, images: str, asked: dict[str, object], told: float | None
) -> None:
    taken = ask(client, images, seeds=1, **{"unlabelled": True, "arms": ["gan"], **asked})
    assert taken["input"].get("gan_pseudo_confidence") == told
    again = {name: value for name, value in taken["input"].items() if name not in ("plan", "name")}
    answer = client.post("/experiments", json=again).json()
    assert answer["id"] == taken["id"], "the stored command is the same experiment"


def test_a_gan_that_is_trained_is_told_nothing(client: httpx.Client, images: str) -> None:
    asked = {"dataset": images, "gan_id": f"gan_{24 * '0'}", "gan_pseudo_confidence": 0.8}
    refused = client.post("/experiments", json=asked)
    assert refused.status_code == 422
    assert "leave gan_pseudo_confidence out" in refused.text


def test_how_a_gan_uses_unlabelled_images_may_be_chosen(client: httpx.Client, images: str) -> None:
    for options, expected in (
        ({"unlabelled_share": 0.5}, (0, 0.5)),
        ({"pretrain_steps": 0}, (0, 0.0)),
        ({"steps": 9, "pretrain_steps": 5}, (5, 0.0)),
    ):
        asked = ask(client, images, seeds=1, unlabelled=True, gan=options)["input"]
        gan = asked["gan"]
        assert (gan["pretrain_steps"], gan["unlabelled_share"]) == expected
        again = {name: asked[name] for name in asked if name not in ("plan", "name")}
        answer = client.post("/experiments", json=again).json()
        assert answer["input"]["gan"] == gan, "the stored command is the same experiment"
    assert ask(client, images, seeds=1, arms=["none"], unlabelled=True)["input"]["gan"] is None


def test_a_sweep_trains_the_arms_with_each_number_of_images(
    client: httpx.Client, images: str
) -> None:
    job = ask(client, images, train_per_category=[3, 2], seeds=2)
    assert job["input"]["train_per_category"] == [2, 3]
    jobs = graph(client, job)
    assert kinds(jobs) == {kind: 2 * n - (kind == "experiment") for kind, n in KINDS.items()}
    points = job["input"]["plan"]["points"]
    assert [point["train_per_category"] for point in points] == [2, 3]
    assert all(len(each) == 2 for point in points for each in point["classifiers"].values())


def test_a_sweep_shares_its_jobs_with_the_experiments_of_its_sizes(
    client: httpx.Client, images: str
) -> None:
    alone = graph(client, ask(client, images, seeds=1))
    swept = graph(client, ask(client, images, train_per_category=[2, 3], seeds=1))
    kept = set(alone) & set(swept)
    assert len(kept) == len(alone) - 1, "all but the comparison"


def test_a_sweep_of_one_size_is_that_size(client: httpx.Client, images: str) -> None:
    one = ask(client, images, train_per_category=[2])
    assert one["id"] == ask(client, images, train_per_category=2)["id"]


@pytest.mark.parametrize("sizes", [[], [2, 2], [1, 2], [2, 4]])
def test_sweeps_that_cannot_be(client: httpx.Client, images: str, sizes: list[int]) -> None:
    answer = client.post("/experiments", json={"dataset": images, "train_per_category": sizes})
    assert answer.status_code == 422


def test_the_seed_preset_is_the_papers_protocol(
    client: httpx.Client, images: str, sessions: Sessions, store: S3Store
) -> None:
    raw = unsplit(sessions, store, {"liver": 4, "lung": 4})
    arms = ["none", "traditional"]
    jobs = graph(client, ask(client, raw, preset="seed", arms=arms, seeds=1))
    by_kind = {job["kind"]: job["input"] for job in jobs.values()}
    assert (by_kind["preprocess"]["contrast"], by_kind["preprocess"]["crop"]) == (
        "lesiongan",
        "slice",
    )
    assert by_kind["augment"]["operations"] == ["rotate", "flip"]
    assert (by_kind["augment"]["rotation_degrees"], by_kind["augment"]["copies"]) == (30.0, 3)
    assert by_kind["train-classifier"]["architecture"] == "mobilenet_v2"
    assert by_kind["experiment"]["test_images"] == 57
    refused = client.post("/experiments", json={"dataset": images, "preset": "seed"})
    assert refused.status_code == 422
    assert "needs a raw data set" in refused.json()["detail"]


def test_few_labels_need_no_raw_data_set(client: httpx.Client, images: str) -> None:
    jobs = graph(client, ask(client, images, preset="few_labels", seeds=1, train_per_category=2))
    (trained,) = of_kind(jobs, "train-gan")
    assert (jobs[trained]["input"]["steps"], jobs[trained]["input"]["width"]) == (1500, 16)
    assert kinds(jobs)["pseudo-label"] == 1
    # Four arms, the control, and the classifiers of its first two rounds.
    assert kinds(jobs)["train-classifier"] == 7


def test_pretrained_weights_are_named_by_their_content(
    client: httpx.Client, images: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"dataset": images, "classifier": {"pretrained": True}, **TWO_SEEDS, "arms": ["none"]}
    refused = client.post("/experiments", json=asked)
    assert refused.status_code == 422
    assert "this installation has no weights" in refused.json()["detail"]
    monkeypatch.setenv("LESIONGAN_CLASSIFICATION_PRETRAINED", str(tmp_path))
    ids = []
    for content in (b"one", b"another"):
        (tmp_path / "small_cnn.safetensors").write_bytes(content)
        job = client.post("/experiments", json=asked).json()
        given = [each["input"] for each in graph(client, job).values() if "steps" in each["input"]]
        sha256 = hashlib.sha256(content).hexdigest()
        assert {each["pretrained_sha256"] for each in given} == {sha256}
        ids.append(job["id"])
    assert len(set(ids)) == 2
