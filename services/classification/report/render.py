"""The report of an experiment: one HTML file that needs nothing else, on screen and paper."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from lesiongan.contracts.categories import Category
from lesiongan.contracts.experiments import Experiment
from services.classification.domain.wording import images
from services.classification.report import numbers
from services.classification.report.forest import Forest, forest
from services.classification.report.lines import Chart, Dot, chart


@dataclass(frozen=True)
class Pair:
    """A synthetic image and the training image that it is most like; PNGs in base64."""

    image: str
    neighbour: str
    #: None: it has no category.
    neighbour_category: Category | None
    #: Root mean square, in grey levels.
    distance: float


@dataclass(frozen=True)
class PictureRow:
    """Images of one category; PNGs in base64."""

    category: Category
    real: Sequence[str]
    synthetic: Sequence[Pair]


@dataclass(frozen=True)
class ConfusionCell:
    count: int
    share: float  # of the annotated category's images


def render_report(experiment: Experiment, pictures: Sequence[PictureRow] = ()) -> str:
    """The report as HTML, one file. Whatever a user gave (names, the command) is escaped."""
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            experiment=experiment,
            forest=forest(experiment.comparisons),
            sweep=_sweep(experiment),
            forests=_forests(experiment),
            learning=_learning(experiment),
            pictures=pictures,
            confusion={
                row.arm: _with_shares(row.confusion) for row in experiment.arms if row.confusion
            },
            command=_pretty(experiment.command),
        )
    )


def _sweep(experiment: Experiment) -> Chart | None:
    """Accuracy against real images, where there are several numbers of them."""
    if experiment.sweep is None:
        return None
    series: dict[str, list[Dot]] = {}
    for point in experiment.sweep.points:
        for row in point.arms:
            dot = Dot(point.train_per_category, row.accuracy.mean, row.accuracy.ci)
            series.setdefault(row.arm, []).append(dot)
    return chart(series, logarithmic=True)


def _learning(experiment: Experiment) -> dict[str, Chart]:
    """Accuracy on ``val`` and loss against steps, where they are known."""
    right: dict[str, list[Dot]] = {}
    lost: dict[str, list[Dot]] = {}
    for row in experiment.arms:
        for point in row.learning_curve:
            lost.setdefault(row.arm, []).append(Dot(point.step, point.train_loss))
            if point.val_balanced_accuracy is not None:
                right.setdefault(row.arm, []).append(Dot(point.step, point.val_balanced_accuracy))
    charts = {"val": chart(right)} if right else {}
    return charts | ({"loss": chart(lost, percent=False)} if lost else {})


def _forests(experiment: Experiment) -> list[Forest]:
    """Of all numbers of real images but the fewest, whose forest stands alone."""
    points = experiment.sweep.points[1:] if experiment.sweep else []
    return [forest(point.comparisons) for point in points]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("services.classification.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": numbers.percent,
        "points": numbers.points,
        "p_value": numbers.p_value,
        "thousands": numbers.thousands,
        "real_minus": numbers.real_minus,
        "images": images,
        "spaced": _spaced,
    }
    return environment


def _with_shares(counts: Sequence[Sequence[int]]) -> list[list[ConfusionCell]]:
    return [[ConfusionCell(n, n / (sum(row) or 1)) for n in row] for row in counts]


def _spaced(name: str) -> str:
    """``soft_tissue`` as ``soft tissue``."""
    return name.replace("_", " ")


def _pretty(command: dict[str, Any]) -> str:
    return json.dumps(command, indent=2, ensure_ascii=False)
