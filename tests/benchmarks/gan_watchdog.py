"""Whether the watchdog finds and undoes a collapse that is induced in a GAN that works.

    python -m tests.benchmarks.gan_watchdog ARCHIVE.zip --picture gan-watchdog.png

ARCHIVE is in the *folders* layout with a complete split. One GAN is trained on all of ``train``;
from the state after half of the steps three runs go on to the end: one in peace, one whose learning
rates are 50 times too high, and one whose critic learns nothing. A fault lasts for two evaluation
intervals of steps that are *made*: a run that went back within that time goes on in the fault. One
JSON line a run: when it was found, KID against ``val`` before and in the end (700 samples of the
same fresh latents). ``test`` is never opened.
"""

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch

from lesiongan.contracts.categories import CATEGORIES
from services.gan.domain.batches import TrainingImages, load_training_images
from services.gan.domain.checkpoint import load_checkpoint, save_checkpoint
from services.gan.domain.config import Architecture
from services.gan.domain.feature_space import feature_steps
from services.gan.domain.judge import Panel, appoint, looking_panel, reporting_panel
from services.gan.domain.reference import make_reference
from services.gan.domain.state import TrainingState, start_training
from services.gan.domain.supervision import Measured, Rollback
from services.gan.domain.training import Callbacks, train
from shared.compute.precision import Precision
from tests.benchmarks.augmentation_choice import labelled, read
from tests.benchmarks.gan_ablation import BASE, SIZE_PX

PRECISION = Precision(device="cpu", dtype_name="float32", threads=1)
#: Evaluation intervals that a fault lasts.
LASTS = 2
#: A generator needs so many steps' worth of features to be judged in, whatever ``--steps`` says.
USUAL_STEPS = 3000

#: What the rates of critic and generator are multiplied by.
FAULTS: Mapping[str, tuple[float, float]] = {
    "healthy": (1.0, 1.0),
    "rates times 50": (50.0, 50.0),
    "critic frozen": (0.0, 1.0),
}


@dataclass
class Run:
    """One run: ``made`` counts its steps, those that were thrown away too."""

    name: str
    lasts: int
    panel: Panel
    made: int
    since: int = 0
    scores: list[tuple[int, float]] = field(default_factory=list)
    rollbacks: list[tuple[int, Rollback]] = field(default_factory=list)

    def go_on(self, state: TrainingState, data: TrainingImages, until: int) -> bytes:
        """Train to step ``until``; the checkpoint there."""
        kept: list[bytes] = []

        def before_step() -> bool:
            self._harm(state)
            return state.step >= until

        calls = Callbacks(
            should_stop=before_step,
            on_turn=self._count,
            on_evaluate=self._score,
            on_rollback=lambda found: self.rollbacks.append((self.made, found)),
            on_checkpoint=lambda live: kept.append(save_checkpoint(live)),
        )
        train(state, data, precision=PRECISION, callbacks=calls)
        return kept[-1]

    def _count(self) -> None:
        self.made += 1

    def _harm(self, state: TrainingState) -> None:
        faulty = self.made - self.since < self.lasts
        factors = FAULTS[self.name] if faulty else FAULTS["healthy"]
        optimizers = (state.critic_optimizer, state.generator_optimizer)
        for factor, optimizer in zip(factors, optimizers, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = state.learning_rate * factor

    def _score(self, state: TrainingState) -> Measured | None:
        found = self.panel.look(state.average, PRECISION)
        assert found is not None, "val has enough images"
        self.scores.append((self.made, found.kid))
        return Measured(found.kid, self.panel.noise)


def draw(runs: list[Run], start: int, lasts: int, path: Path) -> None:
    """KID in the loop over the steps that were made, with what was found and undone."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow, and only the picture needs it

    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.axvspan(start, start + lasts, color="0.9", label="fault")
    for run in runs:
        (line,) = axes.plot(*zip(*run.scores, strict=True), marker=".", label=run.name)
        known = dict(run.scores)
        for made, rollback in run.rollbacks:
            here = known.get(made, max(known.values()))
            axes.plot(made, here, "x", color=line.get_color(), markersize=11, markeredgewidth=2)
            text = f"found, back to {rollback.to_step}"
            axes.annotate(text, (made, here), xytext=(8, 0), textcoords="offset points")
    axes.set(yscale="log", xlabel="steps made", ylabel="KID against val, in the loop")
    axes.legend()
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--every", type=int, default=50, help="steps between evaluations")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--picture", type=Path, help="where to draw KID over steps")
    options = parser.parse_args()
    torch.set_num_threads(PRECISION.threads)
    known, val = (labelled(read(options.archive, split)) for split in ("train", "val"))
    reference = make_reference(known, val, steps=feature_steps(USUAL_STEPS), precision=PRECISION)
    judge = appoint(reference)
    names = CATEGORIES[: int(known[1].max()) + 1]
    architecture = Architecture(image_size=SIZE_PX, categories=names, width=16, latent_size=64)
    training = replace(BASE, steps=options.steps, evaluate_every=options.every, seed=options.seed)
    data = load_training_images(*known, architecture)
    looking, reporting = looking_panel(judge, training), reporting_panel(judge)
    floor = looking.floor.kid if looking.floor else None
    about = {"kid_floor": floor, "noise": looking.noise, "looked_at": len(looking.labels)}
    print(json.dumps(about), flush=True)
    half, lasts = options.steps // 2, LASTS * options.every

    def kid(state: TrainingState) -> float:
        found = reporting.look(state.average, PRECISION)
        assert found is not None, "val has enough images"
        return found.kid

    first = Run("healthy", 0, looking, made=0)
    saved = first.go_on(start_training(architecture, training), data, half)
    before = kid(load_checkpoint(saved, architecture, training))
    runs = []
    for name in FAULTS:
        run = Run(name, lasts, looking, first.made, since=first.made)
        run.scores, run.rollbacks = list(first.scores), list(first.rollbacks)
        state = load_checkpoint(saved, architecture, training)
        run.go_on(state, data, options.steps)
        after = kid(state)
        record = {
            "run": name,
            "kid_before": before,
            "kid_after": after,
            "ratio": after / before,
            "rollbacks": [{"made": made, **asdict(found)} for made, found in run.rollbacks],
            "kid": run.scores,
        }
        print(json.dumps(record), flush=True)
        runs.append(run)
    if options.picture is not None:
        draw(runs, first.made, lasts, options.picture)


if __name__ == "__main__":
    main()
