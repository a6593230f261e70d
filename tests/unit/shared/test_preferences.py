"""What ``Prefer`` says, in each of the ways that RFC 7240 allows."""

import pytest

from shared.web.preferences import wait_seconds


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        ([], None),
        ([""], None),
        (["respond-async"], None),
        (["wait=20"], 20.0),
        (["wait=0"], 0.0),
        (["wait=99"], 60.0),
        (["Wait=5"], 5.0),
        (['WAIT = "5"'], 5.0),
        (["respond-async, wait=5"], 5.0),
        (["respond-async", "wait=5"], 5.0),
        (["respond-async; wait=5"], 5.0),
        (["wait=5, wait=9"], 5.0),
        (["wait=5; on=time"], 5.0),
        (['note="later, wait=5, or so"'], None),
        (['note="later; wait=5"'], None),
        (["await=5"], None),
        (["wait"], None),
        (["wait=-1"], None),
        (["wait=x, wait=5"], 5.0),
        (["wait=1234567890"], None),
    ],
)
def test_how_long_a_client_would_wait(lines: list[str], seconds: float | None) -> None:
    assert wait_seconds(lines) == seconds
