"""The asks that a chaos run is mixed of: each is drawn from chance, and says how it must end."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from lesiongan.contracts.categories import CATEGORIES

End = Literal["succeeded", "failed", "cancelled"]
Body = Literal["none", "json", "archive", "bad-archive", "image", "deep-image"]

#: Stand in a request for what the run prepares; see :class:`tests.chaos.prepare.Prepared`.
RAW, PREPROCESSED, GAN, CLASSIFIER = "$raw", "$preprocessed", "$gan", "$classifier"


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One job that a client asks for, and how it must end."""

    number: int = 0
    #: Seconds after the start of the run.
    at: float = 0.0
    kind: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    json: Mapping[str, Any] = field(default_factory=dict)
    body: Body = "none"
    #: What archives and images are drawn from.
    seed: int = 0
    #: ``GET``: the client reads a ZIP while it is made.
    streamed: bool = False
    expected: End = "succeeded"
    #: Seconds after the answer at which the client cancels.
    cancel_after: float | None = None
    #: Sent again at once with the same Idempotency-Key: still one job.
    twice: bool = False
    #: The number of the request that this one repeats with a key of its own: the same data set.
    repeats: int | None = None

    @property
    def interactive(self) -> bool:
        """Whether the answer is the result, not the job."""
        return self.body in ("image", "deep-image")


Draw = Callable[[random.Random], Ask]


def _seed(chance: random.Random) -> int:
    return chance.randrange(2**40)


def _ingest(chance: random.Random) -> Ask:
    return Ask(kind="ingest", path="/datasets", body="archive", seed=_seed(chance))


def _bad_ingest(chance: random.Random) -> Ask:
    return replace(_ingest(chance), body="bad-archive", expected="failed")


def _preprocess(chance: random.Random) -> Ask:
    options = {
        "dataset": RAW,
        "contrast": chance.choice(["window", "gray_bands", "lesiongan", "clahe"]),
        "size": chance.choice([32, 64]),
        "crop": chance.choice(["lesion", "slice"]),
        "split": {"seed": _seed(chance), "keep": False},
    }
    return Ask(kind="preprocess", path="/preprocess", body="json", json=options)


def _augment(chance: random.Random) -> Ask:
    options = {"dataset": PREPROCESSED, "copies": chance.randint(1, 4), "seed": _seed(chance)}
    return Ask(kind="augment", path="/augment", body="json", json=options)


def _generate(chance: random.Random) -> Ask:
    params = {
        "category": chance.choice(CATEGORIES),
        "n": chance.randint(1, 300),
        "gan": GAN,
        "seed": _seed(chance),
    }
    return Ask(kind="generate", path="/generate", params=params)


def _stream(chance: random.Random) -> Ask:
    return replace(_generate(chance), streamed=True)


def _cancelled_generate(chance: random.Random) -> Ask:
    ask = _generate(chance)
    params = {**ask.params, "n": 100_000}
    return replace(
        ask, params=params, expected="cancelled", cancel_after=round(chance.uniform(0.2, 4), 2)
    )


def _train_gan(chance: random.Random) -> Ask:
    options = {
        **SMALL_GAN,
        "dataset": PREPROCESSED,
        "steps": chance.randint(10, 60),
        "seed": _seed(chance),
    }
    return Ask(kind="train-gan", path="/gans", body="json", json=options)


def _cancelled_gan(chance: random.Random) -> Ask:
    ask = _train_gan(chance)
    options = {**ask.json, "steps": 100_000}
    return replace(
        ask, json=options, expected="cancelled", cancel_after=round(chance.uniform(0.2, 4), 2)
    )


def _train_classifier(chance: random.Random) -> Ask:
    options = {
        "datasets": [PREPROCESSED],
        "architecture": "small_cnn",
        "steps": chance.randint(10, 60),
        "batch_size": 8,
        "patience": None,
        "seed": _seed(chance),
    }
    return Ask(kind="train-classifier", path="/classifiers", body="json", json=options)


def _preprocess_preview(chance: random.Random) -> Ask:
    return Ask(
        kind="preprocess-preview",
        path="/preprocess/preview",
        params={"size": 32, "crop": "slice"},
        body="image",
        seed=_seed(chance),
    )


def _augment_preview(chance: random.Random) -> Ask:
    return Ask(
        kind="augment-preview",
        path="/augment/preview",
        params={"copies": 2, "seed": _seed(chance)},
        body="image",
        seed=_seed(chance),
    )


def _classify(chance: random.Random) -> Ask:
    return Ask(
        kind="classify",
        path="/classify",
        params={"classifier": CLASSIFIER},
        body="image",
        seed=_seed(chance),
    )


def _bad_classify(chance: random.Random) -> Ask:
    return replace(_classify(chance), body="deep-image", expected="failed")


def _experiment(chance: random.Random) -> Ask:
    options = {
        "dataset": PREPROCESSED,
        "arms": ["none", "combined"],
        "seeds": 1,
        "train_per_category": 1 + chance.randint(1, 2),
        "copies": chance.randint(1, 3),
        "synthetic_ratio": 1.5,
        "gan": {**SMALL_GAN, "steps": chance.randint(4, 12)},
        "classifier": {"steps": chance.randint(4, 12), "batch_size": 8},
    }
    return Ask(kind="experiment", path="/experiments", body="json", json=options)


#: A training of a second or two, of which a killed worker loses little.
SMALL_GAN: Mapping[str, Any] = {
    "batch_size": 8,
    "n_critic": 1,
    "width": 8,
    "latent": 16,
    "checkpoint_every": 5,
    "preview_every": 10,
}

MIX: tuple[tuple[Draw, int], ...] = (
    (_generate, 22),
    (_ingest, 14),
    (_preprocess, 12),
    (_augment, 12),
    (_train_gan, 8),
    (_train_classifier, 7),
    (_classify, 7),
    (_preprocess_preview, 5),
    (_augment_preview, 3),
    (_stream, 7),
    (_bad_ingest, 4),
    (_bad_classify, 2),
    (_cancelled_gan, 3),
    (_cancelled_generate, 2),
    (_experiment, 1),
)
