"""How one classifier is trained: everything that, with the images, decides its weights."""

from dataclasses import asdict, dataclass

from lesiongan.contracts.classifiers import ClassifierArchitecture
from shared.ids import fingerprint


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """``steps`` optimisation steps of AdamW under a cosine schedule, evaluated on ``val`` between.

    ``patience`` counts evaluations without a better one after which training ends early; None
    never ends it early. ``synthetic_share`` is that of a batch; None draws images alike.
    """

    architecture: ClassifierArchitecture
    steps: int
    evaluate_every: int
    patience: int | None
    batch_size: int
    learning_rate: float
    weight_decay: float
    balance: bool
    synthetic_share: float | None
    seed: int
    synthetic_first: float | None = None  # share of the steps
    class_weights: bool = False
    pretrained_sha256: str | None = None  # of the file that the weights begin with
    distil: float | None = None  # weight of the teacher's probabilities

    def fingerprint(self) -> str:
        """SHA-256 (hex): a checkpoint continues the training of the same recipe only."""
        return fingerprint(asdict(self))
