"""Charts with a line for each arm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.classification.report.lines import Dot, chart

shares = st.floats(0.0, 1.0)
dots = st.lists(
    st.tuples(st.integers(1, 1000), shares, shares, shares).map(
        lambda drawn: Dot(drawn[0], sorted(drawn[1:])[1], (min(drawn[1:]), max(drawn[1:])))
    ),
    min_size=1,
    max_size=6,
)


@given(st.dictionaries(st.sampled_from("abcd"), dots, min_size=1), st.booleans())
def test_all_lies_within_the_plot(series: dict[str, list[Dot]], logarithmic: bool) -> None:
    made = chart(series, logarithmic=logarithmic)
    for line in made.lines:
        for mark in line.marks:
            assert 0 <= mark.x <= 100
            assert 0 <= mark.high <= mark.y <= mark.low <= 100, "y counts from the top"
    for tick in (*made.across, *made.up):
        assert 0 <= tick.place <= 100
    assert len(made.up) <= 9


def test_sizes_are_ticks_a_ratio_apart() -> None:
    made = chart({"none": [Dot(5, 0.5), Dot(10, 0.6), Dot(20, 0.7)]}, logarithmic=True)
    assert [(tick.place, tick.label) for tick in made.across] == [
        (6.0, "5"),
        (50.0, "10"),
        (94.0, "20"),
    ]
    assert [mark.x for mark in made.lines[0].marks] == [6.0, 50.0, 94.0]
    assert len(made.lines[0].pieces) == 2


def test_values_are_percent_or_plain() -> None:
    series = {"none": [Dot(1, 0.5), Dot(2, 0.9)]}
    assert [tick.label for tick in chart(series).up] == ["50", "60", "70", "80", "90"]
    assert chart(series, percent=False).up[0].label == "0.5"


def test_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="without a dot"):
        chart({"none": []})
