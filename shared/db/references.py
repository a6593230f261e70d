"""What unfinished jobs are about to read or make."""

import re
from collections.abc import Collection

from sqlalchemy import ColumnElement, Text, cast, false, or_, select
from sqlalchemy.orm import Session

from shared.db.tables import JobRow
from shared.errors import Conflict


def input_names(ids: Collection[str]) -> ColumnElement[bool]:
    """Whether a job's input names one of ``ids``.

    Ids are 96 random or hashed bits, so that one found within an input's text is no accident.
    """
    text = cast(JobRow.input, Text)
    return text.regexp_match("|".join(map(re.escape, sorted(ids)))) if ids else false()


def refuse_while_needed(session: Session, ids: Collection[str]) -> None:
    """Raises :class:`Conflict` naming the unfinished jobs that read or make one of ``ids``."""
    needs = or_(input_names(ids), JobRow.target.in_(ids))
    query = select(JobRow.id).where(JobRow.finished_at.is_(None), needs).order_by(JobRow.id)
    jobs = session.scalars(query.limit(10)).all()
    if jobs:
        raise Conflict(f"{', '.join(jobs)} still need it: cancel them first, or wait")
