"""What a server of classification answers, as JSON."""

from typing import Any

DATASET = "ds_" + "a" * 24
CLASSIFIER = "clf_" + "b" * 24
EXPERIMENT = "exp_" + "c" * 24
GAN = "gan_" + "d" * 24


def said() -> dict[str, Any]:
    """A classification."""
    return {"category": "liver", "probabilities": {"lung": 0.25, "liver": 0.75}}


def classifier(**members: Any) -> dict[str, Any]:
    """A classifier that is trained."""
    return {
        "id": CLASSIFIER,
        "name": "ours",
        "datasets": [DATASET],
        "phantom": True,
        "status": "succeeded",
        "architecture": "small_cnn",
        "categories": ["lung", "liver"],
        "image_size": 32,
        "channels": 1,
        "train_images": 60,
        "scores": {"step": 30, "val_accuracy": 0.8125},
        "weights_sha256": "0f",
        "command": {},
        "job": "job_1",
        "created_at": "2026-01-01T00:00:00Z",
        **members,
    }


def figure(mean: float, sd: float | None, low: float, high: float) -> dict[str, Any]:
    """A figure with its interval."""
    return {"mean": mean, "sd": sd, "ci": [low, high]}


def arm(name: str, accuracy: dict[str, Any]) -> dict[str, Any]:
    """One arm's result, whose other figures are the same."""
    other = figure(0.5, None, 0.4, 0.6)
    return {
        "arm": name,
        "train_images": 150,
        "augmented_images": 0,
        "synthetic_images": 0,
        "accuracy": accuracy,
        "balanced_accuracy": other,
        "precision": other,
        "recall": other,
        "f1": other,
        "per_category": {"liver": {"n_test": 9, "precision": other, "recall": other, "f1": other}},
    }


def experiment(**members: Any) -> dict[str, Any]:
    """An experiment that has ended; its arms come in no order."""
    return {
        "id": EXPERIMENT,
        "name": "does it help",
        "dataset": DATASET,
        "phantom": False,
        "status": "succeeded",
        "categories": ["lung", "liver"],
        "n_test": 400,
        "seeds": 3,
        "arms": [
            arm("combined", figure(0.8, 0.02, 0.78, 0.82)),
            arm("none", figure(0.772, 0.013, 0.751, 0.79)),
        ],
        "comparisons": [
            {"a": "combined", "b": "none", "difference": 0.028, "ci": [-0.001, 0.05], "p": 0.0402},
            {"a": "gan", "b": "none", "difference": -0.05, "ci": [-0.07, -0.03], "p": 0.0002},
        ],
        "summary": "Synthetic images help.",
        "notes": ["few test images"],
        "command": {},
        "job": "job_1",
        "created_at": "2026-01-01T00:00:00Z",
        **members,
    }


def experiment_running() -> dict[str, Any]:
    """An experiment whose table is still empty."""
    empty: dict[str, Any] = {
        "arms": [],
        "comparisons": [],
        "summary": "",
        "n_test": None,
        "notes": [],
    }
    return experiment(status="running", **empty)
