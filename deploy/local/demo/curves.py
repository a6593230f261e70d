"""Training curves: is the critic converging, and is its gradient penalty under control?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lesiongan.contracts.gans import MetricPoint

#: What is drawn: the metric, its title, its axis, and its colour (Okabe and Ito's palette).
PANELS = (
    ("wasserstein", "Wasserstein estimate", "critic(real) - critic(synthetic)", "#0072b2"),
    ("generator_loss", "Generator loss", "-critic(synthetic)", "#d55e00"),
    ("gradient_penalty", "Gradient penalty", "E[(|grad| - 1)^2]", "#009e73"),
)
INK, GRID = "#22242a", "#dcdde2"


def draw_curves(points: Sequence[MetricPoint], path: Path) -> Path:
    """Draw the panels side by side into a PNG at ``path``, over generator steps.

    Wasserstein estimate and penalty as Gulrajani et al. 2017 define them (equation 3).
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - only pictures need it, and it is slow

    figure = Figure(figsize=(13, 3.8), dpi=120, layout="constrained", facecolor="white")
    panels: Any = figure.subplots(1, len(PANELS))
    for axes, (metric, title, label, colour) in zip(panels, PANELS, strict=True):
        known = [(p.step, p.values[metric]) for p in points if metric in p.values]
        axes.plot([x for x, _ in known], [y for _, y in known], color=colour, linewidth=1.8)
        axes.set_title(title, loc="left", color=INK, fontsize=12, fontweight="bold")
        axes.set_xlabel("generator step", color=INK)
        axes.set_ylabel(label, color=INK)
        axes.grid(visible=True, color=GRID, linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=INK)
        axes.set_xlim(left=0)
    figure.savefig(path)
    return path
