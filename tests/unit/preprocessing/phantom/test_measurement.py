import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.preprocessing.domain.phantom.contours import ellipse
from services.preprocessing.domain.phantom.measurement import measure


@given(
    st.floats(4, 40),
    st.floats(0.3, 0.95),
    st.floats(0, 180),
    st.floats(80, 400),
    st.floats(80, 400),
)
def test_diameters_of_an_ellipse_are_its_axes(
    radius: float, ratio: float, angle: float, x: float, y: float
) -> None:
    found = measure(ellipse((x, y), (radius, radius * ratio), angle, 120))
    assert found.diameters[0] == pytest.approx(2 * radius, rel=0.01)
    assert found.diameters[1] == pytest.approx(2 * radius * ratio, rel=0.03)
    ends = np.reshape(found.coordinates, (4, 2))
    assert np.dot(ends[1] - ends[0], ends[3] - ends[2]) == pytest.approx(0, abs=1e-6 * radius**2)


def test_box_is_five_pixels_around_the_diameters() -> None:
    found = measure(ellipse((100.0, 200.0), (20.0, 10.0), 0.0, 200))
    assert found.box == pytest.approx((75, 185, 125, 215), abs=0.2)


def test_box_stays_in_the_image() -> None:
    found = measure(ellipse((3.0, 509.0), (8.0, 6.0)))
    x1, y1, x2, y2 = found.box
    assert (x1, y2) == (0.0, 511.0)
    assert y1 < y2
    assert x1 < x2
