"""Training a classifier: AdamW, a cosine schedule, and weights that do well on ``val``.

AdamW: Loshchilov & Hutter, "Decoupled weight decay regularization", ICLR 2019. The schedule is the
cosine of "SGDR" (ICLR 2017) without restarts, after a linear warm-up.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from services.classification.domain.images import BatchSampler, LabelledImages, to_input
from services.classification.domain.losses import balancing_weights, classification_loss
from services.classification.domain.prediction import predict
from services.classification.domain.recipe import Recipe
from services.classification.domain.weights import Shape
from shared.compute.memory import freed_memory_kept
from shared.compute.precision import Precision, random_kept, reproducible
from shared.compute.transfer import to_device

WARM_UP = 0.05
_TINY = 1e-12


@dataclass(frozen=True)
class Evaluation:
    """How the weights of a step do on ``val``."""

    step: int
    accuracy: float
    balanced_accuracy: float
    #: Mean cross-entropy.
    loss: float
    #: How many images of ``val`` were asked.
    images: int
    #: Of ``balanced_accuracy``: by chance it would be as far off with other images.
    standard_error: float


@dataclass(frozen=True)
class CurvePoint:
    """Where a learning curve stood at an evaluation."""

    step: int
    #: Mean over the steps since the last evaluation.
    train_loss: float
    #: None without ``val``.
    val_balanced_accuracy: float | None


@dataclass
class TrainingState:
    """A training between two steps. ``kept`` and ``kept_weights`` are those of the step to publish.

    That is the last one whose accuracy on ``val`` lies within a standard error of the highest
    (Breiman et al., "Classification and regression trees", 1984, 3.4.3, turned to later steps,
    whose learning rate is lower): the highest of many evaluations on few images is mostly luck.
    """

    network: nn.Module
    optimiser: torch.optim.Optimizer
    step: int = 0
    highest: Evaluation | None = None
    kept: Evaluation | None = None
    kept_weights: dict[str, Tensor] | None = None
    #: Evaluations since the highest one.
    stale: int = 0
    curve: list[CurvePoint] = field(default_factory=list)
    #: Of each step since the last point of the curve: they stay on the device until they are asked.
    losses: list[Tensor] = field(default_factory=list)

    def judge(self, now: Evaluation) -> None:
        """Take note of an evaluation of the network as it is."""
        if self.highest is None or now.balanced_accuracy > self.highest.balanced_accuracy:
            self.highest, self.stale = now, 0
        else:
            self.stale += 1
        if now.balanced_accuracy >= self.highest.balanced_accuracy - self.highest.standard_error:
            self.kept, self.kept_weights = now, copy.deepcopy(self.network.state_dict())


def start_training(shape: Shape, recipe: Recipe, *, device: str) -> TrainingState:
    """A new network and its optimiser."""
    network = shape.network(seed=recipe.seed).to(device)
    optimiser = torch.optim.AdamW(
        network.parameters(),
        lr=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        fused=True,
    )
    return TrainingState(network, optimiser)


def _nothing() -> None:
    """Nobody waits within an evaluation."""


@dataclass(frozen=True)
class Callbacks:
    """What the loop tells: after each step, with the live state: save it before returning; and
    after each evaluation (None without ``val``), with the mean loss of the steps before it.

    ``on_batch`` is called within evaluations, which take long where ``val`` is large: what it
    raises ends the training.
    """

    on_step: Callable[[TrainingState], None]
    on_evaluation: Callable[[TrainingState, float, Evaluation | None], None]
    on_batch: Callable[[], None] = _nothing


def train(
    state: TrainingState,
    images: LabelledImages,
    held_out: LabelledImages | None,
    recipe: Recipe,
    precision: Precision,
    callbacks: Callbacks,
) -> None:
    """Train ``state`` to its end; afterwards its network has the kept weights, or the last ones.

    The same images, recipe and precision give the same weights, wherever training was interrupted.
    """
    sampler = BatchSampler(images, recipe)
    lesson = _Lesson(images, recipe, precision.device)
    with reproducible(precision), random_kept(precision.device), freed_memory_kept():
        while state.step < recipe.steps and not _exhausted(state, recipe):
            rows = to_device(torch.from_numpy(sampler.rows(state.step)), precision.device)
            state.losses.append(_step(state, lesson, rows, recipe, precision))
            state.step += 1
            if state.step % recipe.evaluate_every == 0 or state.step == recipe.steps:
                evaluation = _evaluate(state, held_out, precision.device, callbacks.on_batch)
                loss = float(torch.stack(state.losses).mean())
                state.losses.clear()
                reached = None if evaluation is None else evaluation.balanced_accuracy
                state.curve.append(CurvePoint(state.step, loss, reached))
                callbacks.on_evaluation(state, loss, evaluation)
            callbacks.on_step(state)
    if state.kept_weights is not None:
        state.network.load_state_dict(state.kept_weights)


def learning_rate(recipe: Recipe, step: int) -> float:
    """A line from zero over the first twentieth, then half a cosine down to zero."""
    warm_up = max(1, round(WARM_UP * recipe.steps))
    if step < warm_up:
        return recipe.learning_rate * (step + 1) / warm_up
    progress = (step - warm_up) / max(1, recipe.steps - warm_up)
    return recipe.learning_rate * 0.5 * (1.0 + math.cos(math.pi * progress))


def balanced_accuracy(
    labels: NDArray[np.int64], predicted: NDArray[np.int64]
) -> tuple[float, float]:
    """The mean over categories of the share of their images that are right, and its standard error:
    that of a mean of independent shares, each of as many images as its category has.
    """
    _, places, images = np.unique(labels, return_inverse=True, return_counts=True)
    shares = np.bincount(places, weights=labels == predicted) / images
    error = np.sqrt(np.sum(shares * (1.0 - shares) / images)) / len(images)
    return float(shares.mean()), float(error)


def _exhausted(state: TrainingState, recipe: Recipe) -> bool:
    return recipe.patience is not None and state.stale >= recipe.patience


class _Lesson:
    """All that a training looks at, on its device."""

    def __init__(self, images: LabelledImages, recipe: Recipe, device: str) -> None:
        self.pixels = torch.from_numpy(images.pixels).to(device)
        self.labels = torch.from_numpy(images.labels).to(device)
        self._soft = None if images.soft is None else torch.from_numpy(images.soft).to(device)
        self._weights = None
        if recipe.class_weights:
            self._weights = balancing_weights(images.labels).to(device)
        self._share = recipe.distil or 0.0

    def loss(self, logits: Tensor, rows: Tensor) -> Tensor:
        soft = None if self._soft is None else self._soft[rows]
        return classification_loss(
            logits, self.labels[rows], weights=self._weights, soft=soft, share=self._share
        )


def _step(
    state: TrainingState, lesson: _Lesson, rows: Tensor, recipe: Recipe, precision: Precision
) -> Tensor:
    # What a network draws itself (dropout) derives from (seed, step) as well.
    torch.manual_seed((recipe.seed * 1_000_003 + state.step) % 2**63)
    for group in state.optimiser.param_groups:
        group["lr"] = learning_rate(recipe, state.step)
    state.network.train()
    kind = torch.device(precision.device).type
    lower = precision.dtype is not torch.float32
    with torch.autocast(kind, precision.dtype, enabled=lower):
        logits = state.network(to_input(lesson.pixels[rows]))
    loss = lesson.loss(logits.float(), rows)
    state.optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    state.optimiser.step()
    return loss.detach()


def _evaluate(
    state: TrainingState,
    held_out: LabelledImages | None,
    device: str,
    on_batch: Callable[[], None],
) -> Evaluation | None:
    if held_out is None:
        return None
    probabilities = predict(state.network, held_out.pixels, device=device, on_batch=on_batch)
    predicted = probabilities.argmax(axis=1)
    of_truth = probabilities[np.arange(len(held_out)), held_out.labels]
    balanced, error = balanced_accuracy(held_out.labels, predicted)
    now = Evaluation(
        step=state.step,
        accuracy=float((predicted == held_out.labels).mean()),
        balanced_accuracy=balanced,
        standard_error=error,
        loss=float(-np.log(np.maximum(of_truth, _TINY)).mean()),
        images=len(held_out),
    )
    state.judge(now)
    return now
