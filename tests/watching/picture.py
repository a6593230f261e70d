"""Panels of the dashboards, drawn from Prometheus' HTTP API."""

from pathlib import Path
from typing import Any

from tests.watching.prometheus import Point, Prometheus


def _p95(metric: str) -> str:
    rate = f"sum by (le, operation) (rate({metric}_bucket[10s]))"
    return f"histogram_quantile(0.95, {rate})"


#: Title, unit, query and what a line is called by.
PANELS = (
    ("Requests", "1/s", "sum by (status) (rate(lesiongan_http_requests_total[10s]))", "status"),
    (
        "Jobs that are ready",
        "jobs",
        'max by (queue) (lesiongan_queue_jobs{state="ready"})',
        "queue",
    ),
    ("Images written", "1/s", "sum by (kind) (rate(lesiongan_images_written_total[10s]))", "kind"),
    (
        "PostgreSQL, p95 of a statement",
        "s",
        _p95("lesiongan_db_statement_duration_seconds"),
        "operation",
    ),
    (
        "Object store, p95 of a request",
        "s",
        _p95("lesiongan_s3_request_duration_seconds"),
        "operation",
    ),
    (
        "Wasserstein estimate of the training",
        "",
        'lesiongan_gan_training_value{name="wasserstein"}',
        "gan",
    ),
)
INK, GRID = "#22242a", "#dcdde2"
#: Okabe and Ito's palette.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")


def draw(prometheus: Prometheus, path: Path, *, start: float, end: float) -> None:
    """All panels, over the seconds since ``start``."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow, and only the picture needs it

    figure = Figure(figsize=(13, 6.4), dpi=100, layout="constrained", facecolor="white")
    places: Any = figure.subplots(2, 3).flat
    for axes, (title, unit, query, label) in zip(places, PANELS, strict=True):
        lines = prometheus.series(query, start, end)
        assert lines, f"nothing to draw: {query}"
        told = [each for each in lines if _moves(each[1])]
        for colour, (labels, points) in zip(COLOURS, told, strict=False):
            seconds = [point.at - start for point in points]
            values = [point.value for point in points]
            axes.plot(seconds, values, color=colour, linewidth=1.5, label=labels.get(label, "all"))
        axes.set_title(title, loc="left", color=INK, fontsize=11, fontweight="bold")
        axes.set_ylabel(unit, color=INK)
        axes.set_xlabel("seconds", color=INK)
        axes.grid(visible=True, color=GRID, linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=INK)
        axes.set_xlim(0, end - start)
        if unit:
            axes.set_ylim(bottom=0)
        if label != "gan":  # ids are drawn anew in each run
            axes.legend(fontsize=8, frameon=False)
    figure.savefig(path)


def _moves(points: list[Point]) -> bool:
    return any(point.value > 0 for point in points) or len({p.value for p in points}) > 1
