"""The report: what it shows, that it needs nothing else, and that nothing given breaks out."""

from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from lesiongan.contracts.arms import USUAL_ARMS, Arm
from lesiongan.contracts.categories import Category
from lesiongan.contracts.experiments import Experiment
from lesiongan.contracts.findings import (
    ArmResult,
    Calibration,
    CategoryFigures,
    Comparison,
    Figure,
    Ingredient,
    LearningPoint,
    SeedTest,
    Sweep,
    SweepPoint,
    Worth,
)
from services.classification.report import numbers
from services.classification.report.forest import forest
from services.classification.report.render import Pair, PictureRow, render_report

CATEGORIES: tuple[Category, ...] = ("liver", "soft_tissue")
VOID = {"meta", "line", "circle", "rect", "br", "img"}


class _Page(HTMLParser):
    """The tags and text of a page; every element must be closed by its own tag."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def _figure(mean: float, *, sd: float | None = 0.013) -> Figure:
    return Figure(mean=mean, sd=sd, ci=(mean - 0.021, mean + 0.018))


def _row(arm: Arm, mean: float, *, sd: float | None = 0.013) -> ArmResult:
    figure = _figure(mean, sd=sd)
    each = CategoryFigures(n_test=25, precision=figure, recall=_figure(mean - 0.1), f1=figure)
    augmented = 120 if arm in ("traditional", "combined") else 0
    synthetic = 160 if arm in ("gan", "combined") else 0
    return ArmResult(
        arm=arm,
        train_images=40 + augmented + synthetic,
        augmented_images=augmented,
        synthetic_images=synthetic,
        accuracy=figure,
        balanced_accuracy=figure,
        precision=figure,
        recall=figure,
        f1=figure,
        per_category=dict.fromkeys(CATEGORIES, each),
        confusion=[[70, 5], [0, 75]],
    )


def _experiment(**changes: Any) -> Experiment:
    usual: dict[str, Any] = {
        "id": "exp_1",
        "name": "Twenty a category",
        "dataset": "ds_1",
        "phantom": False,
        "status": "succeeded",
        "categories": list(CATEGORIES),
        "n_test": 1050,
        "seeds": 3,
        "arms": [_row(arm, 0.772 + 0.02 * place) for place, arm in enumerate(USUAL_ARMS)],
        "comparisons": [
            Comparison(a="combined", b="none", difference=0.05, ci=(0.03, 0.068), p=0.0009),
            Comparison(a="gan", b="none", difference=-0.004, ci=(-0.02, 0.012), p=0.31),
        ],
        "summary": "Combined data helped (+5.0 points, -0.5 to 1.9).",
        "notes": ["A note."],
        "lineage": [Ingredient(what="GAN of seed 0", id="gan_7")],
        "command": {"dataset": "ds_1", "seeds": 3},
        "job": "job_1",
        "created_at": datetime(2025, 5, 4, 10, 12, tzinfo=UTC),
    }
    return Experiment(**(usual | changes))


def _page(**changes: Any) -> _Page:
    return _Page(render_report(_experiment(**changes)))


def test_the_report_shows_what_the_experiment_found() -> None:
    text = _page().text
    for words in (
        "Combined data helped (+5.0 points, \N{MINUS SIGN}0.5 to 1.9).",
        "Not a medical device.",
        "1,050",
        "liver, soft tissue",
        "none real images only 40 real",
        "+ 120 augmented + 160 synthetic",
        "77.2 ± 1.3 [75.1, 79.0]",
        "combined \N{MINUS SIGN} none",
        "p < 0.001",
        "A note.",
        '"dataset": "ds_1"',
        "GAN of seed 0 gan_7",
        "2025-05-04 10:12 UTC",
    ):
        assert words in text


def test_the_summary_comes_before_every_figure() -> None:
    text = _page().text
    assert text.index("Combined data helped") < text.index("Results") < text.index("77.2")


def test_the_confusion_matrix_of_every_arm_is_there() -> None:
    page = _page()
    assert page.text.count("70 5") == len(USUAL_ARMS)
    assert ("style", "--share: 0.933") in page.attributes


def test_the_report_needs_nothing_else() -> None:
    page = _page()
    assert not {"script", "link", "img", "iframe", "object", "form", "a"} & set(page.tags)
    named = {name for name, _ in page.attributes}
    assert not {"src", "href", "srcset", "action"} & named
    html = render_report(_experiment())
    assert "http://" not in html
    assert "https://" not in html
    assert "@import" not in html
    assert "url(" not in html


ATTACK = "<script>alert(1)</script>\"'><svg onload=alert(2)>"

PLACES: dict[str, Callable[[], str]] = {
    "name": lambda: render_report(_experiment(name=ATTACK)),
    "summary": lambda: render_report(_experiment(summary=ATTACK)),
    "note": lambda: render_report(_experiment(notes=[ATTACK])),
    "data set": lambda: render_report(_experiment(dataset=ATTACK)),
    "command": lambda: render_report(_experiment(command={ATTACK: ATTACK})),
    "lineage": lambda: render_report(_experiment(lineage=[Ingredient(what=ATTACK, id=ATTACK)])),
}


@pytest.mark.parametrize("place", PLACES)
def test_what_a_user_gave_is_text_and_never_markup(place: str) -> None:
    html = PLACES[place]()
    page = _Page(html)
    assert "script" not in page.tags
    assert "onload" not in {name for name, _ in page.attributes}
    assert "alert(1)" in page.text
    assert "<script" not in html


def test_phantoms_are_called_phantoms() -> None:
    assert "Phantom images." in _page(phantom=True).text
    assert "Phantom images." not in _page().text


def test_one_seed_has_no_plus_minus() -> None:
    text = _page(seeds=1, arms=[_row("none", 0.8, sd=None)], comparisons=[]).text
    assert "80.0 [77.9, 81.8]" in text
    assert "±" not in text
    assert "summed over 1 seed;" in text


def test_an_experiment_without_results_says_so() -> None:
    experiment = _experiment(status="running", arms=[], comparisons=[], summary="", n_test=None)
    text = _Page(render_report(experiment)).text
    assert "The experiment is running: it has no results yet." in text
    assert "Each category" not in text


def test_every_plot_has_words() -> None:
    page = _page()
    pictures = [value for name, value in page.attributes if name == "role" and value == "img"]
    labels = [value for name, value in page.attributes if name == "aria-label"]
    assert len(pictures) == len(labels) == 2 + 2 * len(USUAL_ARMS) * len(CATEGORIES)
    spoken = [" ".join((label or "").split()) for label in labels]
    assert "combined minus none: +5.0 points, 95 % interval +3.0 to +6.8" in spoken


def _compared(low: float, middle: float, high: float) -> Comparison:
    return Comparison(a="gan", b="none", difference=middle, ci=(low, high), p=0.5)


@pytest.mark.parametrize(
    "ends",
    [(0.03, 0.05, 0.068), (-0.3, -0.2, -0.1), (-0.001, 0.0, 0.002), (0.0, 0.0, 0.0), (-1, 0, 1)],
)
def test_the_forest_holds_zero_and_every_interval(ends: tuple[float, float, float]) -> None:
    drawn = forest([_compared(*ends)])
    (row,) = drawn.rows
    assert 0 < row.low <= row.point <= row.high < 100
    assert 0 < drawn.zero < 100
    assert any(tick.difference == 0 and tick.place == drawn.zero for tick in drawn.ticks)
    assert all(0 <= tick.place <= 100 for tick in drawn.ticks)
    assert 1 <= len(drawn.ticks) <= 8


def test_the_forest_is_to_scale() -> None:
    drawn = forest([_compared(-0.02, 0.01, 0.04)])
    (row,) = drawn.rows
    assert row.point == pytest.approx((row.low + row.high) / 2, abs=0.01)
    assert drawn.zero - row.low == pytest.approx((row.high - row.low) / 3, abs=0.01)
    assert not row.comparison.leaves_out_zero
    assert _compared(0.01, 0.02, 0.04).leaves_out_zero
    assert _compared(-0.04, -0.02, -0.01).leaves_out_zero


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (numbers.percent(0.772), "77.2"),
        (numbers.points(0.05), "+5.0"),
        (numbers.points(-0.004), "\N{MINUS SIGN}0.4"),
        (numbers.points(-0.0001), "0.0"),
        (numbers.p_value(0.0004), "p < 0.001"),
        (numbers.p_value(0.0123), "p = 0.012"),
        (numbers.p_value(0.314), "p = 0.31"),
    ],
)
def test_how_numbers_are_written(written: str, expected: str) -> None:
    assert written == expected


def test_only_negative_numbers_get_a_real_minus() -> None:
    written = numbers.real_minus("-0.5 to -1, lung-2, 2025-05-04, low-data")
    assert written == "\N{MINUS SIGN}0.5 to \N{MINUS SIGN}1, lung-2, 2025-05-04, low-data"


def test_secondary_figures_are_shown_where_there_are_any() -> None:
    graded = _row("none", 0.8).model_copy(
        update={
            "auc": _figure(0.912),
            "calibration": Calibration(error=_figure(0.055), error_tempered=None, temperatures=[]),
        }
    )
    tested = _compared(-0.02, 0.01, 0.04).model_copy(
        update={
            "p_holm": 0.04,
            "within_seeds": [
                SeedTest(seed=0, only_a=30, only_b=12, p=0.008),
                SeedTest(seed=1, only_a=20, only_b=19, p=1.0),
            ],
        }
    )
    text = _page(arms=[graded], comparisons=[tested]).text
    assert "91.2 [89.1, 93.0]" in text
    assert "not known" in text
    assert "Holm p = 0.040" in text
    assert "50 31 1 of 2" in text
    assert "Within each seed" not in _page().text


def test_what_stands_beside_the_arms_is_shown_where_it_is_known() -> None:
    text = _page(location_only=_figure(0.611), trts=_figure(0.523)).text
    assert "location only 61.1 [59.0, 62.9]" in text
    assert "real, tested on synthetic 52.3 [50.2, 54.1]" in text
    assert "location only" not in _page(trts=_figure(0.5)).text
    assert "Beside the arms" not in _page().text


def _swept(**worth: Any) -> Experiment:
    one = _experiment()
    points = [
        SweepPoint(
            train_per_category=size,
            arms=[_row(arm, 0.6 + size / 200 + 0.02 * n) for n, arm in enumerate(USUAL_ARMS)],
            comparisons=one.comparisons,
        )
        for size in (5, 10, 40)
    ]
    usual: dict[str, Any] = {
        "arm": "combined",
        "baseline": "none",
        "train_per_category": 5,
        "equivalent": 14.24,
        "ci": (10.6, 40.0),
    }
    return _experiment(sweep=Sweep(points=points, worth=[Worth(**(usual | worth))]))


def test_a_sweep_is_drawn_with_its_intervals_and_its_table() -> None:
    page = _Page(render_report(_swept()))
    assert "Accuracy against real images" in page.text
    assert page.text.count("Differences with") == 2, "those of the fewest stand alone"
    assert "5 66.5" not in page.text
    assert "40 80.0 [77.9, 81.8]" in page.text
    assert "14 11 to 40" in page.text
    assert len([name for name, value in page.attributes if value == "interval"]) >= 12


@pytest.mark.parametrize(("beyond", "said"), [("above", "> 40"), ("below", "≤ 5")])
def test_beyond_the_sweep_nothing_was_measured(beyond: str, said: str) -> None:
    equivalent = 40.0 if beyond == "above" else 5.0
    swept = _swept(beyond=beyond, equivalent=equivalent)
    assert said in _Page(render_report(swept)).text


def test_without_a_sweep_there_is_no_chart_of_one() -> None:
    assert "against real images" not in render_report(_experiment())


def test_learning_curves_are_drawn_where_they_are_known() -> None:
    curve = [
        LearningPoint(step=step, train_loss=2.0 / step, val_balanced_accuracy=0.5 + step / 100)
        for step in (10, 20, 30)
    ]
    arms = [row.model_copy(update={"learning_curve": curve}) for row in _experiment().arms]
    page = _page(arms=arms)
    assert "How the classifiers learned" in page.text
    assert "training loss" in page.text
    without = [point.model_copy(update={"val_balanced_accuracy": None}) for point in curve]
    arms = [row.model_copy(update={"learning_curve": without}) for row in arms]
    assert "accuracy on the validation images" not in _page(arms=arms).text
    assert "How the classifiers learned" not in _page().text


def test_pictures_lie_within_the_page() -> None:
    pair = Pair("c3ludGhldGlj", "bmVpZ2hib3Vy", "soft_tissue", 12.4)
    html = render_report(_experiment(), [PictureRow("liver", ["cmVhbA=="], [pair])])
    page = _Page(html)
    sources = [value or "" for name, value in page.attributes if name == "src"]
    assert [source.partition(",")[2] for source in sources] == [
        "cmVhbA==",
        "c3ludGhldGlj",
        "bmVpZ2hib3Vy",
    ]
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "12 soft tissue" in page.text, "a neighbour of another category is named"
    assert "img-src data:" in html
    assert "images of patients" in page.text
    assert "images of patients" not in _page(phantom=True).text
