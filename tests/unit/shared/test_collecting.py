"""While an API serves, the collector leaves alone what was there, and comes less often."""

import gc
import weakref

from shared.web.collecting import YOUNG, collecting_seldom


class Knot:
    """Refers to itself: only the collector can remove it."""

    def __init__(self) -> None:
        self.itself = self


def test_what_was_there_is_left_alone_until_the_end() -> None:
    before = gc.get_threshold()
    knot = Knot()
    known = weakref.ref(knot)
    with collecting_seldom():
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold() == (YOUNG, *before[1:])
        del knot
        gc.collect()
        assert known() is not None, "it was looked at"
    assert gc.get_threshold() == before
    gc.collect()
    assert known() is None


def test_what_is_made_meanwhile_is_still_collected() -> None:
    with collecting_seldom():
        known = weakref.ref(Knot())
        gc.collect()
        assert known() is None
