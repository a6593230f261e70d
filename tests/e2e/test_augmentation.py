"""Traditional augmentation over HTTP."""

import numpy as np

from tests.e2e.api import Api, decoded


def test_copies_are_added_to_the_training_images_only(api: Api, preprocessed: str) -> None:
    parent = api.json(f"/datasets/{preprocessed}")
    job = api.ended(api.post("/augment", {"dataset": preprocessed, "copies": 2, "seed": 5}))
    made = api.json(f"/datasets/{api.dataset_of(job)}")
    assert made["kind"] == "augmented"
    assert made["parents"] == [preprocessed]
    assert made["phantom"] is True
    assert made["counts"]["train"] == {k: 3 * n for k, n in parent["counts"]["train"].items()}
    assert made["counts"]["val"] == parent["counts"]["val"]
    assert made["counts"]["test"] == parent["counts"]["test"]


def test_a_copy_names_its_source_and_differs_from_it(api: Api, preprocessed: str) -> None:
    job = api.ended(api.post("/augment", {"dataset": preprocessed, "copies": 2, "seed": 5}))
    dataset = api.dataset_of(job)
    items = api.json(f"/datasets/{dataset}/images", split="train", limit=3)["items"]
    assert [item["draw"] for item in items] == [None, 1, 2]
    assert len({item["sha256"] for item in items}) == 3
    original, first, second = (
        decoded(api.get(f"/datasets/{dataset}/images/{item['index']}").content) for item in items
    )
    assert original.shape == first.shape == second.shape == (32, 32)
    assert abs(float(np.mean(first)) - float(np.mean(original))) < 60


def test_a_gan_trains_on_augmented_images(api: Api, gan: str, preprocessed: str) -> None:
    assert api.json(f"/gans/{gan}")["default"], "the first one, which other tests sample"
    job = api.ended(api.post("/augment", {"dataset": preprocessed, "copies": 1}))
    command = {"dataset": api.dataset_of(job), "steps": 1, "batch_size": 4, "width": 8}
    trained = api.ended(api.post("/gans", {**command, "n_critic": 1, "latent": 16}))
    assert trained["status"] == "succeeded", trained


def test_what_is_refused(api: Api, raw: str, preprocessed: str) -> None:
    assert api.post("/augment", {"dataset": raw}).status_code == 422
    refused: list[dict[str, object]] = [
        {"copies": 0},
        {"copies": 10**9},
        {"operations": []},
        {"operations": ["melt"]},
    ]
    for wrong in refused:
        assert api.post("/augment", {"dataset": preprocessed, **wrong}).status_code == 422
    made = api.dataset_of(api.ended(api.post("/augment", {"dataset": preprocessed, "copies": 1})))
    assert api.post("/augment", {"dataset": made}).status_code == 422


def test_a_preview_shows_the_copies(api: Api, preprocessed: str) -> None:
    image = api.get(f"/datasets/{preprocessed}/images/0").content
    answer = api.http.post("/augment/preview", content=image, params={"copies": 5, "seed": 1})
    assert answer.status_code == 200, answer.text
    assert decoded(answer.content).shape == (2 * 100 + 4, 3 * 100 + 4, 3)


def test_a_preview_of_what_is_not_square(api: Api, raw: str) -> None:
    deep = api.get(f"/datasets/{raw}/images/0").content
    answer = api.http.post("/augment/preview", content=deep)
    assert answer.status_code == 422
    assert "8-bit" in answer.json()["detail"]
