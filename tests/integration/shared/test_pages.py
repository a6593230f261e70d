"""Lists in pages, newest first."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from shared.db.engine import Sessions
from shared.db.pages import RowPage, decode_cursor, encode_cursor, newest_first
from shared.db.tables import JobRow
from shared.errors import BadInput
from tests.integration.shared.builders import committed, queued


def page(sessions: Sessions, *, limit: int, cursor: str | None) -> RowPage[JobRow]:
    with sessions() as session:
        return newest_first(session, select(JobRow), JobRow, limit=limit, cursor=cursor)


@pytest.mark.parametrize("limit", [1, 3, 7, 8])
def test_pages_are_complete_and_without_repeats(sessions: Sessions, limit: int) -> None:
    ids = [queued(sessions) for _ in range(7)]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        found = page(sessions, limit=limit, cursor=cursor)
        assert len(found.rows) <= limit
        seen += [row.id for row in found.rows]
        cursor = found.next_cursor
        if cursor is None:
            break
    assert seen == ids[::-1]


def test_rows_added_between_pages_shift_nothing(sessions: Sessions) -> None:
    ids = [queued(sessions) for _ in range(6)]
    first = page(sessions, limit=3, cursor=None)
    for _ in range(4):
        queued(sessions)
    second = page(sessions, limit=3, cursor=first.next_cursor)
    assert [row.id for row in (*first.rows, *second.rows)] == ids[::-1]
    assert second.next_cursor is None


def test_rows_of_one_moment_are_told_apart(sessions: Sessions) -> None:
    now = datetime.now(UTC)

    def add(session: object) -> None:
        for number in range(5):
            row = JobRow(id=f"job_{number}", kind="k", queue="default", input={}, created_at=now)
            session.add(row)  # type: ignore[attr-defined]

    committed(sessions, add)
    first = page(sessions, limit=2, cursor=None)
    second = page(sessions, limit=9, cursor=first.next_cursor)
    seen = [row.id for row in (*first.rows, *second.rows)]
    assert seen == ["job_4", "job_3", "job_2", "job_1", "job_0"]


def test_a_list_without_rows_has_no_next_page(sessions: Sessions) -> None:
    assert page(sessions, limit=5, cursor=None) == RowPage([], None)


MOMENTS = st.datetimes(timezones=st.just(UTC)) | st.datetimes().map(
    lambda moment: moment.replace(tzinfo=UTC).astimezone(UTC)
)


@given(MOMENTS, st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_cursor_survives_its_form(moment: datetime, row_id: str) -> None:
    assert decode_cursor(encode_cursor(moment, row_id)) == (moment, row_id)


def forged(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "not base64!",
        "ünïcode",
        "=" * 8,
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        forged("yesterday|job_1"),
        forged("2026-01-01T00:00:00|job_1"),
        forged("2026-01-01T00:00:00+00:00|job\0"),
        forged("|"),
    ],
)
def test_a_cursor_that_was_not_made_here_is_refused(sessions: Sessions, cursor: str) -> None:
    with pytest.raises(BadInput, match="cursor"):
        page(sessions, limit=1, cursor=cursor)


@given(st.text(max_size=40))
def test_no_cursor_is_a_server_error(text: str) -> None:
    for cursor in (text, forged(text.encode("utf-8", "replace").decode())):
        try:
            moment, _ = decode_cursor(cursor)
        except BadInput:
            continue
        assert moment.tzinfo is not None


@pytest.mark.parametrize("shift", [timedelta(hours=-23), timedelta(hours=23)])
@pytest.mark.parametrize("year", ["0001-01-01", "9999-12-31"])
def test_a_forged_cursor_at_the_ends_of_time_is_no_server_error(
    sessions: Sessions, year: str, shift: timedelta
) -> None:
    queued(sessions)
    hours = f"{'-' if shift < timedelta(0) else '+'}23:00"
    found = page(sessions, limit=1, cursor=forged(f"{year}T12:00:00{hours}|job_1"))
    assert len(found.rows) == (year > "2")
