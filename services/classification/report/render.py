"""The report of an experiment: one HTML file that needs nothing else, on screen and paper."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from lesiongan.contracts.arms import Arm
from lesiongan.contracts.experiments import Experiment
from services.classification.report import numbers
from services.classification.report.forest import Forest, forest
from services.classification.report.lines import Chart, Dot, chart

#: ``[i][j]``: how often an image of category i was predicted as j, summed over seeds.
Confusion = Sequence[Sequence[int]]


@dataclass(frozen=True)
class ReportDetails:
    """What the report shows beside the experiment."""

    confusion: Mapping[Arm, Confusion] = field(default_factory=dict)
    #: What took part, and its id: ``("GAN of seed 0", "gan_…")``.
    lineage: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class ConfusionCell:
    count: int
    share: float  # of the annotated category's images


def render_report(experiment: Experiment, details: ReportDetails) -> str:
    """The report as HTML. Whatever a user gave (names, the command) is escaped."""
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            experiment=experiment,
            forest=forest(experiment.comparisons),
            sweep=_sweep(experiment),
            forests=_forests(experiment),
            confusion={arm: _with_shares(counts) for arm, counts in details.confusion.items()},
            lineage=details.lineage,
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
        "images": numbers.images,
        "spaced": _spaced,
    }
    return environment


def _with_shares(counts: Confusion) -> list[list[ConfusionCell]]:
    return [[ConfusionCell(n, n / (sum(row) or 1)) for n in row] for row in counts]


def _spaced(name: str) -> str:
    """``soft_tissue`` as ``soft tissue``."""
    return name.replace("_", " ")


def _pretty(command: dict[str, Any]) -> str:
    return json.dumps(command, indent=2, ensure_ascii=False)
