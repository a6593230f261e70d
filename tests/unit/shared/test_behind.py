"""What is done behind its caller's back: in order, one at a time, and nothing is lost."""

import threading
from contextvars import ContextVar
from functools import partial

import pytest

from shared.datasets.behind import Behind
from shared.errors import BadInput

_request: ContextVar[str] = ContextVar("request", default="none")


def refuse() -> None:
    raise BadInput("no room")


def test_the_caller_goes_on_meanwhile() -> None:
    behind, may_end, seen = Behind("test"), threading.Event(), list[str]()

    def work() -> None:
        assert may_end.wait(10)
        seen.append("work")

    behind.run(work)
    seen.append("caller")
    may_end.set()
    behind.close()
    assert seen == ["caller", "work"]


def test_one_begins_when_the_one_before_has_ended() -> None:
    behind, seen = Behind("test"), list[int]()
    for number in range(50):
        behind.run(partial(seen.append, number))
        assert len(seen) >= number
    behind.settle()
    assert seen == list(range(50))
    behind.close()


def test_what_one_raises_is_raised_once_at_the_next() -> None:
    behind, seen = Behind("test"), list[int]()
    behind.run(refuse)
    with pytest.raises(BadInput, match="no room"):
        behind.run(partial(seen.append, 1))
    behind.run(partial(seen.append, 2))
    behind.settle()
    assert seen == [2], "what could not begin is not begun later"
    behind.close()


def test_what_the_last_one_raises_is_raised_by_settling_and_not_by_closing() -> None:
    behind = Behind("test")
    behind.run(refuse)
    with pytest.raises(BadInput, match="no room"):
        behind.settle()
    behind.settle()
    behind.run(refuse)
    behind.close()


def test_it_is_about_the_same_request() -> None:
    behind, seen = Behind("test"), list[str]()
    token = _request.set("req_1")
    behind.run(lambda: seen.append(_request.get()))
    behind.close()
    _request.reset(token)
    assert seen == ["req_1"]


def test_no_thread_is_left_and_none_begun_for_nothing() -> None:
    behind = Behind("behind-test")
    behind.settle()
    behind.close()
    other = Behind("behind-test")
    other.run(lambda: None)
    other.close()
    assert not [each for each in threading.enumerate() if each.name.startswith("behind-test")]
