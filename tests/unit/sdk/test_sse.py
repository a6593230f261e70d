"""Events out of bytes."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from lesiongan.client.sse import EventParser, JobEvent

STREAM = (
    b": hello\n\n"
    b'id: 7\nevent: metric\ndata: {"step": 20, "note": "\xe2\x80\xa8"}\n\n'
    b'event: progress\r\ndata: {"done": 1,\r\ndata:  "total": 2}\r\n\r\n'
    b"data: plain\r\r"
    b"event: nothing\n\n"
    b'event: completed\ndata: {"status": "succeeded"}\n\n'
    b"event: unfinished\ndata: {}"
)
EVENTS = [
    JobEvent("metric", {"step": 20, "note": "\u2028"}, "7"),
    JobEvent("progress", {"done": 1, "total": 2}),
    JobEvent("message", {"value": "plain"}),
    JobEvent("completed", {"status": "succeeded"}),
]


@given(st.lists(st.integers(0, len(STREAM))))
def test_wherever_the_pieces_begin(cuts: list[int]) -> None:
    parser = EventParser()
    places = [0, *sorted(cuts), len(STREAM)]
    events = [
        event
        for start, end in itertools.pairwise(places)
        for event in parser.feed(STREAM[start:end])
    ]
    assert events == EVENTS


@given(st.binary(max_size=200))
def test_no_bytes_break_it(data: bytes) -> None:
    EventParser().feed(data)
